import assert from 'node:assert/strict';
import fc from 'fast-check';
import { jidProblem, parseJid, prepareDomain, prepareLocal, prepareResource } from './index.ts';

/** Pieces that the rules speak about, more often than chance would bring them. */
const piece = fc.oneof(
  fc.constantFrom(...'aAzZ09-.@/[]:" \\'.split('')),
  fc.constantFrom(
    'xn--',
    'xn--bcher-kva',
    '\u00df',
    '\u03a3',
    '\u03c2',
    '\u0130',
    'e\u0301',
    '\uff21',
    '\uff76\uff9e',
    '\u3002',
  ),
  fc.constantFrom(
    '\u200c',
    '\u200d',
    '\u00b7',
    'l',
    '\u0375',
    '\u03b1',
    '\u05d0',
    '\u05f3',
    '\u30fb',
    '\u30a2',
    '\u094d',
  ),
  fc.constantFrom(
    '\u0628',
    '\u0661',
    '\u06f1',
    '\u0300',
    '\u0345',
    '\u1fbc',
    '\u00a0',
    '\ud800',
    '\udc00',
    '\u{1f600}',
  ),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
  fc.string({ unit: 'binary', maxLength: 2 }),
);
const text = fc.array(piece, { maxLength: 12 }).map(pieces => pieces.join(''));
const address = fc.oneof(
  text,
  fc.tuple(text, text, text).map(([local, domain, resource]) => `${local}@${domain}/${resource}`),
  fc.tuple(text, text).map(([local, resource]) => `${local}@example.net/${resource}`),
);

describe('jid: what holds of any text', () => {
  it('a prepared address parses to itself', () => {
    fc.assert(
      fc.property(address, raw => {
        const jid = parseJid(raw);
        assert.equal(jidProblem(raw) === undefined, jid !== undefined);
        if (!jid) return;
        const again = parseJid(jid.full);
        assert.ok(again);
        assert.equal(again.full, jid.full);
        assert.ok(again.equals(jid));
        assert.deepEqual([again.local, again.domain, again.resource], [jid.local, jid.domain, jid.resource]);
        assert.equal(parseJid(jid.bare), jid.toBare());
        assert.equal(jid.toBare().withResource(jid.resource).full, jid.full);
        assert.doesNotMatch(jid.local, /["&'/:<>@\s]/);
        assert.doesNotMatch(jid.domain, /[@/\s]/);
      }),
      { numRuns: 5000 },
    );
  });

  for (const [name, prepare] of Object.entries({ prepareLocal, prepareDomain, prepareResource })) {
    it(`${name} is idempotent and within bounds`, () => {
      fc.assert(
        fc.property(text, raw => {
          const prepared = prepare(raw);
          if (prepared === undefined) return;
          assert.equal(prepare(prepared), prepared);
          assert.equal(prepared.normalize('NFC'), prepared);
          assert.ok(prepared.isWellFormed());
          const bytes = Buffer.byteLength(prepared);
          assert.ok(bytes >= 1 && bytes <= 1023);
        }),
        { numRuns: 3000 },
      );
    });
  }

  it('every code point alone: what is prepared stays as it is', () => {
    for (let c = 0; c < 0x110000; c++) {
      if (c >= 0xd800 && c < 0xe000) continue;
      const ch = String.fromCodePoint(c);
      const local = prepareLocal(ch);
      if (local !== undefined && local !== ch) assert.equal(prepareLocal(local), local, `U+${c.toString(16)}`);
      const resource = prepareResource(ch);
      if (resource !== undefined && resource !== ch)
        assert.equal(prepareResource(resource), resource, `U+${c.toString(16)}`);
      // The IdentifierClass lies within the FreeformClass
      if (local !== undefined) assert.notEqual(resource, undefined, `U+${c.toString(16)}`);
    }
  });
});
