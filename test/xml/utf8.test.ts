import assert from 'node:assert/strict';
import { byteByByte, scanInside, twoWays } from './kit.ts';

/** First and last code point of each length of UTF-8, and around each gap of XML's Char (XML 1.0 2.2). */
const CHARACTERS = [
  0x9, 0xa, 0x20, 0x7f, 0x80, 0xbf, 0xc0, 0xff, 0x7ff, 0x800, 0xfff, 0x1000, 0x2028, 0xcfff, 0xd000, 0xd7ff, 0xe000,
  0xfdcf, 0xfdd0, 0xfdef, 0xfeff, 0xfffc, 0xfffd, 0x10000, 0x1fffe, 0x1ffff, 0x3ffff, 0x40000, 0xfffff, 0x100000,
  0x10fffe, 0x10ffff,
];
const NO_CHARACTERS = [0x0, 0x1, 0x8, 0xb, 0xc, 0xe, 0x1f, 0xfffe, 0xffff];

/** Byte sequences that are no UTF-8 (RFC 3629 3 and 10; Unicode table 3-7), by the reason. */
const INVALID: Record<string, string[]> = {
  'a continuation byte alone': ['80', 'bf', '8080', 'bfbfbf'],
  'a byte that is in no character': ['c0', 'c1', 'f5', 'f8', 'fb', 'fc', 'fe', 'ff', 'fefe', 'feff', 'fffe'],
  'a character cut after its first byte': ['c2', 'df', 'e1', 'ef', 'f1', 'f4'],
  'a character cut after its second byte': ['e182', 'ef83', 'f192', 'f48f'],
  'a character cut after its third byte': ['f1928f', 'f48fbf'],
  'a first byte where a continuation should be': ['c2c2', 'e182e1', 'f0908fc2', 'e1c280'],
  'overlong, two bytes': ['c080', 'c0af', 'c0bc', 'c1bf'],
  'overlong, three bytes': ['e08080', 'e080af', 'e080bc', 'e09fbf'],
  'overlong, four bytes': ['f0808080', 'f08080bc', 'f08fbfbf'],
  'five and six bytes': ['f888808080', 'fbbfbfbfbf', 'fc8480808080', 'fdbfbfbfbfbf'],
  'a surrogate': ['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbfbf'],
  'a pair of surrogates (CESU-8)': ['eda081edb080', 'edafbfedbfbf'],
  'above U+10FFFF': ['f4908080', 'f7bfbfbf', 'f4bfbfbf'],
};

/** Everywhere that characters may stand, before and behind them. */
const PLACES: Record<string, [string, string]> = {
  'in text': ['<a>x', 'y</a>'],
  'at the end of text': ['<a>', '</a>'],
  'in an attribute': [`<a b='x`, `y'/>`],
  'in the attribute of a child': [`<a><b c="`, `"/></a>`],
  'in CDATA': ['<a><![CDATA[', ']]></a>'],
  'beside an entity': ['<a>&amp;', '&lt;</a>'],
};

function inPlaces(bytes: Uint8Array, see: (input: Buffer, place: string) => void): void {
  for (const [place, [before, behind]] of Object.entries(PLACES)) {
    see(Buffer.concat([Buffer.from(before), bytes, Buffer.from(behind)]), place);
  }
}

describe('UTF-8', () => {
  for (const code of CHARACTERS) {
    it(`U+${code.toString(16).toUpperCase().padStart(4, '0')} arrives wherever it stands, cut between any two bytes`, () => {
      const character = String.fromCodePoint(code);
      inPlaces(Buffer.from(character), (input, place) => {
        const whole = scanInside(input);
        assert.equal(whole.condition, undefined, place);
        const element = whole.stanzas[0]!.element();
        const all = [
          element.getText(),
          ...Object.values(element.attrs),
          ...Object.values(element.getChild('b')?.attrs ?? {}),
        ];
        // XML 1.0 3.3.3
        const read = place.includes('attribute') && code < 0x20 ? ' ' : character;
        assert.ok(
          all.some(text => text!.replace(/[xy&<]/g, '') === read),
          place,
        );
        for (const cuts of [...twoWays(input.length), byteByByte(input.length)]) {
          assert.deepEqual(scanInside(input, { cuts }).found, whole.found, place);
        }
      });
    });
  }

  for (const code of NO_CHARACTERS) {
    it(`U+${code.toString(16).toUpperCase().padStart(4, '0')} is no character of XML`, () => {
      inPlaces(Buffer.from(String.fromCodePoint(code)), (input, place) => {
        for (const cuts of [[], ...twoWays(input.length), byteByByte(input.length)]) {
          assert.equal(scanInside(input, { cuts }).condition, 'not-well-formed', place);
        }
      });
    });
  }

  for (const [reason, sequences] of Object.entries(INVALID)) {
    it(`${reason} is another encoding`, () => {
      for (const hex of sequences) {
        inPlaces(Buffer.from(hex, 'hex'), (input, place) => {
          for (const cuts of [[], ...twoWays(input.length), byteByByte(input.length)]) {
            const { found } = scanInside(input, { cuts });
            assert.deepEqual(
              found.map(({ what, condition }) => [what, condition]),
              [['fault', 'unsupported-encoding']],
              `${hex} ${place}`,
            );
          }
        });
      }
    });
  }

  it('every two bytes above 0x7f: accepted when they are a character', () => {
    const strict = new TextDecoder('utf-8', { fatal: true });
    for (let first = 0x80; first <= 0xff; first++) {
      for (let second = 0x80; second <= 0xff; second += 7) {
        const bytes = Buffer.from([first, second]);
        let legal = true;
        try {
          strict.decode(bytes);
        } catch {
          legal = false;
        }
        const { condition } = scanInside(Buffer.concat([Buffer.from('<a>'), bytes, Buffer.from('</a>')]));
        assert.equal(condition, legal ? undefined : 'unsupported-encoding', bytes.toString('hex'));
      }
    }
  });

  it('names are of the fifth edition (XML 1.0 2.3), at each boundary', () => {
    const starts = [
      [0x41, 0x5a],
      [0x5f, 0x5f],
      [0x61, 0x7a],
      [0xc0, 0xd6],
      [0xd8, 0xf6],
      [0xf8, 0x2ff],
      [0x370, 0x37d],
      [0x37f, 0x1fff],
      [0x200c, 0x200d],
      [0x2070, 0x218f],
      [0x2c00, 0x2fef],
      [0x3001, 0xd7ff],
      [0xf900, 0xfdcf],
      [0xfdf0, 0xfffd],
      [0x10000, 0xeffff],
    ] as const;
    const others = [
      [0x2d, 0x2e],
      [0x30, 0x39],
      [0xb7, 0xb7],
      [0x300, 0x36f],
      [0x203f, 0x2040],
    ] as const;
    const within = (ranges: readonly (readonly [number, number])[], code: number): boolean =>
      ranges.some(([from, to]) => code >= from && code <= to);
    const edges = [...starts, ...others].flatMap(([from, to]) => [from - 1, from, to, to + 1]);
    // what means something else in a tag, and what is no character of XML at all
    for (const code of edges.filter(
      edge => !'/:>='.includes(String.fromCodePoint(edge)) && edge !== 0xfffe && (edge < 0xd800 || edge > 0xdfff),
    )) {
      const character = String.fromCodePoint(code);
      const start = within(starts, code);
      const accepted = (markup: string): boolean => scanInside(markup).condition === undefined;
      assert.equal(accepted(`<${character}/>`), start, `U+${code.toString(16)} begins a name`);
      assert.equal(accepted(`<a${character}/>`), start || within(others, code), `U+${code.toString(16)} in a name`);
      assert.equal(
        accepted(`<a b${character}=''/>`),
        start || within(others, code),
        `U+${code.toString(16)} in an attribute's name`,
      );
    }
  });
});
