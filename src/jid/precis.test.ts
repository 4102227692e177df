import assert from 'node:assert/strict';
import { prepareLocal, prepareResource } from './index.ts';

describe('jid: localparts (UsernameCaseMapped)', () => {
  const MAPPED: [string, string, string][] = [
    // RFC 8265 3.5, table 1
    ['fussball', 'fussball', 'plain'],
    ['fu\u00dfball', 'fu\u00dfball', 'sharp s is kept'],
    ['\u03c0', '\u03c0', 'pi'],
    ['\u03a3', '\u03c3', 'capital sigma'],
    ['\u03c3', '\u03c3', 'small sigma'],
    ['\u03c2', '\u03c2', 'final sigma is kept'],
    // RFC 8264 5.2
    ['\uff2a\uff55\uff4c\uff49\uff45\uff54', 'juliet', 'fullwidth letters'],
    ['\uff76\uff9e', '\u30ac', 'halfwidth ka and voiced mark'],
    ['e\u0301', '\u00e9', 'NFC'],
    ['E\u0301', '\u00e9', 'NFC after case'],
    ['\u0130', 'i\u0307', 'dotted capital i'],
    ['\u{10400}', '\u{10428}', 'case beyond the BMP'],
    ['\u13a0', '\uab70', 'Cherokee is lowered, not folded'],
    ['\u3007', '\u3007', 'ideographic zero, an exception of RFC 5892 2.6'],
    ['\u06fd\u06fe', '\u06fd\u06fe', 'Sindhi signs, exceptions'],
    ['a\u0308bc', '\u00e4bc', 'combining mark'],
  ];
  for (const [text, prepared, what] of MAPPED) {
    it(`maps: ${what}`, () => assert.equal(prepareLocal(text), prepared));
  }

  const REFUSED: [string, string][] = [
    ['', 'zero length'],
    ['foo bar', 'space'],
    ['foo\u00a0bar', 'no-break space'],
    ['henry\u2163', 'Roman numeral'],
    ['\u221e', 'infinity'],
    ['\u212b', 'angstrom sign, compatible with a letter'],
    ['\ufb01', 'ligature'],
    ['\u00b2', 'superscript'],
    ['\u01c5', 'titlecase digraph'],
    ['a\u00adb', 'soft hyphen'],
    ['a\u034fb', 'grapheme joiner'],
    ['a\ufe0f', 'variation selector'],
    ['a\u200bb', 'zero width space'],
    ['a\u202eb', 'right-to-left override'],
    ['a\u061cb', 'Arabic letter mark'],
    ['\u1100', 'old Hangul jamo'],
    ['\u0640', 'tatweel, an exception of RFC 5892 2.6'],
    ['\u302e', 'Hangul tone mark, an exception'],
    ['\u0378', 'unassigned'],
    ['\ufdd0', 'noncharacter'],
    ['a\uffff', 'noncharacter'],
    ['\ue000', 'private use'],
    ['\u{e0001}', 'tag'],
    ['a\u0000', 'NUL'],
    ['a\u007f', 'DEL'],
    ['\u0085', 'next line'],
    ['\ud800', 'half a pair'],
    ['😀', 'emoji'],
  ];
  for (const [text, what] of REFUSED) {
    it(`refuses: ${what}`, () => assert.equal(prepareLocal(text), undefined));
  }

  it('refuses the eight excluded characters and space, and takes the rest of printable ASCII', () => {
    for (let c = 0; c < 0x80; c++) {
      const ch = String.fromCharCode(c);
      const allowed = c > 0x20 && c < 0x7f && !`"&'/:<>@`.includes(ch);
      assert.equal(prepareLocal(ch), allowed ? ch.toLowerCase() : undefined, `U+${c.toString(16)}`);
      assert.equal(prepareLocal(`ü${ch}`), allowed ? `ü${ch.toLowerCase()}` : undefined, `ü and U+${c.toString(16)}`);
    }
  });
});

describe('jid: resourceparts (OpaqueString)', () => {
  const MAPPED: [string, string, string][] = [
    // RFC 8265 4.3, table 3
    ['correct horse battery staple', 'correct horse battery staple', 'spaces'],
    ['Correct Horse Battery Staple', 'Correct Horse Battery Staple', 'case'],
    ['\u03c0\u00df\u00e5', '\u03c0\u00df\u00e5', 'letters'],
    ['Jack of \u2666s', 'Jack of \u2666s', 'symbols'],
    ['foo\u1680bar', 'foo bar', 'Ogham space'],
    ['\u00a0a\u3000\u2003', ' a  ', 'other spaces, also at the ends'],
    ['\uff21', '\uff21', 'no width mapping'],
    ['\ufb01\u2163', '\ufb01\u2163', 'compatibility characters are kept'],
    ['e\u0301', '\u00e9', 'NFC'],
    ['\u212b', '\u00e5'.toUpperCase(), 'NFC of the angstrom sign'],
    ['😀', '😀', 'emoji'],
    ['a"&\'/:<>@', 'a"&\'/:<>@', 'what localparts exclude'],
    ['1\u05d0a', '1\u05d0a', 'no Bidi Rule'],
  ];
  for (const [text, prepared, what] of MAPPED) {
    it(`keeps or maps: ${what}`, () => assert.equal(prepareResource(text), prepared));
  }

  // RFC 8265 4.3, table 4, and RFC 8264 4.3.3
  for (const text of [
    '',
    'my cat is a \u0009by',
    'a\n',
    'x\u061cx',
    '\u00ad',
    '\u200b',
    '\u1100',
    '\u0378',
    '\ufffe',
    '\ud800',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(prepareResource(text), undefined));
  }
});

describe('jid: contextual rules (RFC 5892 A)', () => {
  const RULES: [string, string[], string[]][] = [
    [
      'A.1 ZERO WIDTH NON-JOINER',
      ['\u0915\u094d\u200c\u0937', '\u0628\u200c\u0628', '\u0628\u064b\u200c\u064b\u0627'],
      ['a\u200cb', '\u200c\u0628', '\u0628\u200c', '\u0627\u200c\u0628', '\u0628\u200ca', '\u0628\u200c\ua872'],
    ],
    [
      'A.2 ZERO WIDTH JOINER',
      ['\u0915\u094d\u200d\u0937', '\u0915\u094d\u200d'],
      ['a\u200db', '\u200d', '\u0628\u200d\u0628'],
    ],
    [
      'A.3 MIDDLE DOT',
      ['l\u00b7l', 'col\u00b7lega'],
      ['l\u00b7', '\u00b7l', 'a\u00b7l', 'l\u00b7a', '\u00b7', 'l\u00b7\u00b7l'],
    ],
    ['A.4 GREEK LOWER NUMERAL SIGN', ['\u0375\u03b1'], ['\u0375', '\u0375a', '\u03b1\u0375']],
    ['A.5 HEBREW GERESH', ['\u05d0\u05f3'], ['\u05f3', '\u05f3\u05d0', '\u0628\u05f3']],
    ['A.6 HEBREW GERSHAYIM', ['\u05d0\u05f4\u05d1'], ['\u05f4\u05d0', '\u0628\u05f4']],
    [
      'A.7 KATAKANA MIDDLE DOT',
      ['\u30fb\u30a2', 'a\u30fb\u3042', '\u6f22\u30fb', '\uff65\uff71'],
      ['\u30fb', 'a\u30fbb', '\u30fb\u30fb'],
    ],
    ['A.8 ARABIC-INDIC DIGITS', ['\u0628\u0661\u0662'], ['\u0628\u0661\u06f2']],
    ['A.9 EXTENDED ARABIC-INDIC DIGITS', ['\u0628\u06f1\u06f2'], ['\u0628\u06f1\u0662']],
  ];
  for (const [rule, allowed, refused] of RULES) {
    it(rule, () => {
      for (const text of allowed) assert.notEqual(prepareLocal(text), undefined, JSON.stringify(text));
      for (const text of refused) assert.equal(prepareLocal(text), undefined, JSON.stringify(text));
      // The same rules hold in the FreeformClass, before width is mapped
      for (const text of refused) assert.equal(prepareResource(text), undefined, JSON.stringify(text));
    });
  }
});

it('jid: contextual rules: ZERO WIDTH NON-JOINER behind a left-joining letter, which the Bidi Rule keeps out of localparts', () => {
  assert.equal(prepareResource('\ua872\u200c\u0628'), '\ua872\u200c\u0628');
  assert.equal(prepareLocal('\ua872\u200c\u0628'), undefined);
});

describe('jid: Bidi Rule (RFC 5893 2)', () => {
  const allowed: [string, string][] = [
    ['\u05d0\u05d1', 'Hebrew'],
    ['\u0627\u0628', 'Arabic'],
    ['\u05d01', 'ends in a European number'],
    ['\u0628\u0661', 'ends in an Arabic number'],
    ['\u05d0-\u05d1', 'a separator inside'],
    ['\u05d0\u05b0', 'ends in a mark'],
    ['\u05d01\u05b0', 'ends in a number and a mark'],
    ['a1', 'nothing from right to left'],
    ['1a', 'a digit first, and nothing from right to left'],
  ];
  for (const [text, what] of allowed) it(`allows: ${what}`, () => assert.equal(prepareLocal(text), text));

  const refused: [string, string][] = [
    ['a\u05d0', 'left to right, then right to left (5)'],
    ['\u05d0a', 'right to left, then left to right (2)'],
    ['\u05d0a\u05d1', 'left to right inside (2)'],
    ['1\u05d0', 'a number first (1)'],
    ['\u0661\u0628', 'an Arabic number first (1)'],
    ['-\u05d0', 'a separator first (1)'],
    ['\u05d0-', 'ends in a separator (3)'],
    ['\u05d0-\u05b0', 'ends in a separator and a mark (3)'],
    ['\u06281\u0661', 'both kinds of numbers (4)'],
    ['a\u0661', 'left to right with an Arabic number (5)'],
  ];
  for (const [text, what] of refused) it(`refuses: ${what}`, () => assert.equal(prepareLocal(text), undefined));
});
