import assert from 'node:assert/strict';
import fc from 'fast-check';
import { documents, mutated } from './documents.ts';
import { END, fuzz, padded, peerReads, saxesReadsInside, scanInside, SEED, treeOf } from './kit.ts';

/*
 * saxes is the oracle of what is well formed, by XML 1.0 and by namespaces. Where the scanner refuses what saxes takes, one of
 * these is the reason:
 *  - restricted-xml: a comment, an instruction, a DTD (RFC 6120 11.1); saxes says that it saw one
 *  - bad-format: something other than white space stands between stanzas (saxes says so too), or the stream's header again
 *  - unsupported-encoding: the bytes are no UTF-8 (saxes gets text)
 *  - policy-violation: a limit, or a character reference longer than 64 bytes
 *  - a name that is none by Namespaces in XML 1.0 (production 7 to 10): saxes lets some pass behind a colon
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of some bytes; undefined when they are not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

const tally = { accepted: 0, refused: 0 };

function compare(content: Buffer): void {
  const ours = scanInside(Buffer.concat([content, Buffer.from(END)]));
  const { condition } = ours;
  const accepted = ours.found.at(-1)?.what === 'close';
  const text = textOf(content);
  if (text === undefined) {
    assert.equal(accepted, false);
    return;
  }
  // a mutation that closes the stream early: what follows is nobody's business
  if (/<\/stream:stream/.test(text) || padded(text)) return;
  const theirs = saxesReadsInside(text);
  const about = `${condition}, saxes: ${theirs.error}: ${JSON.stringify(text)}`;
  tally[accepted ? 'accepted' : 'refused']++;
  if (accepted) {
    assert.equal(theirs.error, undefined, about);
    assert.equal(theirs.restricted || theirs.textBetween, false, about);
    // the same tree, for the house and for a peer
    assert.deepEqual(
      ours.stanzas.map(stanza => treeOf(stanza.element())),
      theirs.trees,
      about,
    );
    assert.deepEqual(
      ours.stanzas.map(stanza => peerReads(stanza.raw)),
      theirs.trees,
      about,
    );
    for (const stanza of ours.stanzas) indexAgrees(stanza);
    return;
  }
  if (theirs.error !== undefined) return;
  const known =
    (condition === 'restricted-xml' && theirs.restricted) ||
    (condition === 'bad-format' && (theirs.textBetween || text.includes('<stream:stream'))) ||
    (condition === 'policy-violation' && /&#x?0*[0-9a-fA-F]+;/.test(text)) ||
    (condition === 'not-well-formed' && oddName(text));
  assert.equal(known, true, about);
}

/** Whether what stands behind some colon does not begin as a name does. */
function oddName(text: string): boolean {
  return /:(?![A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u{200c}-\u{200d}\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\u{10000}-\u{effff}])/u.test(
    text,
  );
}

/** The index of a stanza tells what its tree tells. */
function indexAgrees(stanza: ReturnType<typeof scanInside>['stanzas'][number]): void {
  const element = stanza.element();
  assert.equal(stanza.name, element.name);
  assert.equal(stanza.xmlns, element.attrs.xmlns);
  const kids = [...stanza.children()];
  const children = element.children.filter(child => typeof child === 'object');
  assert.equal(kids.length, children.length);
  for (const [k, child] of children.entries()) {
    const kid = kids[k]!;
    const xmlns = child.attrs.xmlns ?? stanza.xmlns;
    assert.equal(stanza.kidName(kid), child.name);
    assert.equal(stanza.kidXmlns(kid), xmlns);
    assert.equal(stanza.text(kid), child.children.filter(each => typeof each === 'string').join(''));
    assert.deepEqual(treeOf(stanza.kidElement(kid)), treeOf(child, stanza.xmlns));
    if (/^[\0-\x7f]*$/.test(child.name)) {
      assert.equal(stanza.has(child.name, xmlns), true);
      assert.equal(
        stanza.child(child.name, xmlns),
        kids.find(each => stanza.kidName(each) === child.name && stanza.kidXmlns(each) === xmlns),
      );
    }
  }
  for (const [name, value] of Object.entries(element.attrs)) {
    if (/^[\0-\x7f]*$/.test(name) && name !== 'xmlns') assert.equal(stanza.attr(name), value);
  }
}

describe(`The scanner and saxes (seed ${SEED})`, () => {
  beforeEach(() => {
    tally.accepted = tally.refused = 0;
  });

  it('on generated documents', () => {
    fc.assert(
      fc.property(documents, content => compare(Buffer.from(content))),
      fuzz(400),
    );
    // the generator would be of no use if it made only the one or the other
    assert.ok(tally.accepted > 60 && tally.refused > 20, JSON.stringify(tally));
  });

  it('on mutated documents', () => {
    fc.assert(fc.property(mutated, compare), fuzz(700));
    assert.ok(tally.accepted > 5 && tally.refused > 100, JSON.stringify(tally));
  });
});
