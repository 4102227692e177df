import assert from 'node:assert/strict';
import { UNICODE_VERSION } from './tables.ts';
import {
  ARABIC_NUMBER,
  DISALLOWED,
  DUAL_JOINING,
  EUROPEAN_NUMBER,
  FREE,
  LEFT_JOINING,
  LTR,
  NEUTRAL,
  NONSPACING_MARK,
  PVALID,
  RIGHT_JOINING,
  RTL,
  TRANSPARENT,
  UNASSIGNED,
  bidiClass,
  derivedProperty,
  describe as describeCodePoint,
  isVirama,
  joiningType,
} from './unicode.ts';

describe('jid: the Unicode table', () => {
  it('agrees with the categories of this Node, if both are of one Unicode version', function () {
    if (process.versions.unicode !== UNICODE_VERSION) return this.skip();
    for (let c = 0; c < 0x110000; c++) {
      if (c >= 0xd800 && c < 0xe000) continue;
      const ch = String.fromCodePoint(c);
      const property = derivedProperty(c);
      if (property === UNASSIGNED) assert.match(ch, /\p{Cn}/u);
      else if (property === PVALID)
        assert.match(ch, /[\x21-\x7e\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}\u3007\u06fd\u06fe\u0f0b]/u);
      else if (property === FREE) assert.match(ch, /[\p{L}\p{N}\p{M}\p{Zs}\p{S}\p{P}]/u);
      else if (property === DISALLOWED) assert.doesNotMatch(ch, /[\x20-\x7e\p{Lu}\p{Ll}\p{Nd}]/u);
    }
  });

  it('knows the property of sample code points and of the ends of the range', () => {
    const samples: [number, number][] = [
      [0, DISALLOWED],
      [0x20, FREE],
      [0x21, PVALID],
      [0x7e, PVALID],
      [0x7f, DISALLOWED],
      [0xa0, FREE],
      [0xdf, PVALID],
      [0x378, UNASSIGNED],
      [0x1c5, FREE],
      [0x2163, FREE],
      [0xac00, PVALID],
      [0x1f600, FREE],
      [0xe0100, DISALLOWED],
      [0x10fffd, DISALLOWED],
      [0x10ffff, DISALLOWED],
    ];
    for (const [c, property] of samples) assert.equal(derivedProperty(c), property, `U+${c.toString(16)}`);
  });

  it('knows bidi classes', () => {
    const samples: [string, number][] = [
      ['a', LTR],
      ['\u05d0', RTL],
      ['\u0627', RTL],
      ['\u0661', ARABIC_NUMBER],
      ['1', EUROPEAN_NUMBER],
      ['\u06f1', EUROPEAN_NUMBER],
      ['\u0300', NONSPACING_MARK],
      ['-', NEUTRAL],
      ['.', NEUTRAL],
      ['!', NEUTRAL],
      [' ', 0],
      ['\u{1e900}', RTL],
    ];
    for (const [ch, bidi] of samples) assert.equal(bidiClass(ch.codePointAt(0)!), bidi, ch);
  });

  it('knows joining types and viramas', () => {
    const types = ['\u0628', '\ua872', '\u0627', '\u064b', 'a'].map(ch => joiningType(ch.codePointAt(0)!));
    assert.deepEqual(types, [DUAL_JOINING, LEFT_JOINING, RIGHT_JOINING, TRANSPARENT, 0]);
    assert.deepEqual([0x94d, 0x11046, 0x93c].map(isVirama), [true, true, false]);
  });

  it('describes a code point without disturbing a line', () => {
    assert.equal(describeCodePoint(0x265a), "'♚' (U+265A)");
    assert.equal(describeCodePoint(0x202e), 'U+202E');
    assert.equal(describeCodePoint(0x300), 'U+0300');
  });
});
