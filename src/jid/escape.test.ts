import assert from 'node:assert/strict';
import fc from 'fast-check';
import { escapeNode, prepareLocal, unescapeNode } from './index.ts';

describe('jid: escaping (XEP-0106)', () => {
  // 5.1 and 5.2: what is typed, what goes over the wire
  const EXAMPLES: [string, string][] = [
    ['space cadet', 'space\\20cadet'],
    ['call me "ishmael"', 'call\\20me\\20\\22ishmael\\22'],
    ['at&t guy', 'at\\26t\\20guy'],
    ["d'artagnan", 'd\\27artagnan'],
    ['/.fanboy', '\\2f.fanboy'],
    ['::foo::', '\\3a\\3afoo\\3a\\3a'],
    ['<foo>', '\\3cfoo\\3e'],
    ['user@host', 'user\\40host'],
    ['c:\\net', 'c\\3a\\net'],
    ['c:\\\\net', 'c\\3a\\\\net'],
    ['c:\\cool stuff', 'c\\3a\\cool\\20stuff'],
    ['c:\\5commas', 'c\\3a\\5c5commas'],
    ["here's_a_wild_&_/cr%zy/_address", 'here\\27s_a_wild_\\26_\\2fcr%zy\\2f_address'],
    // 4.2
    ['\\3and\\2is\\5cool', '\\5c3and\\2is\\5c5cool'],
    ['\\5c5c', '\\5c5c5c'],
  ];
  for (const [name, local] of EXAMPLES) {
    it(`${name} is ${local}`, () => {
      assert.equal(escapeNode(name), local);
      assert.equal(unescapeNode(local), name);
      assert.equal(prepareLocal(local), local);
    });
  }

  it('leaves alone what is no escape: partial, other, upper case', () => {
    for (const text of ['\\2plus\\2is\\4', 'foo\\bar', 'foob\\41r', '\\2F\\3A\\5C', '\\']) {
      assert.equal(escapeNode(text), text);
      assert.equal(unescapeNode(text), text);
    }
  });

  it('neither makes nor reads an escaped space at either end', () => {
    assert.equal(escapeNode(' a'), undefined);
    assert.equal(escapeNode('a '), undefined);
    assert.equal(unescapeNode('\\20a\\20b\\20'), '\\20a b\\20');
  });

  it('unescapes what it escaped, and escapes to a localpart', () => {
    const name = fc.string({
      unit: fc.constantFrom(...' "&\'/:<>@\\234567890abcdefxyz'.split('')),
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(name, text => {
        const escaped = escapeNode(text);
        if (escaped === undefined) return assert.match(text, /^ | $/);
        assert.equal(unescapeNode(escaped), text);
        assert.equal(prepareLocal(escaped), escaped);
      }),
      { numRuns: 2000 },
    );
  });
});
