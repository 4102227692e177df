import assert from 'node:assert/strict';
import fc from 'fast-check';
import { documents, mutated } from './documents.ts';
import { byteByByte, END, fuzz, HEADER, LIMITS, scan, type ScanOptions, SEED, twoWays } from './kit.ts';

/** Scans an input whole, in the ways given, and sees the same each time. */
function same(input: Buffer, ways: Iterable<readonly number[]>, options: ScanOptions = {}): void {
  const whole = scan(input, options).found;
  for (const cuts of ways) {
    const { found } = scan(input, { ...options, cuts });
    assert.deepEqual(found, whole, `cut at ${cuts.length > 20 ? 'each byte' : cuts.join(', ')}: ${input.toString()}`);
  }
}

/** Inputs that between them stand in every state of the grammar, whole and broken. */
const INPUTS = [
  `<?xml version='1.0'?>\n<s:s xmlns:s='t' xmlns="u" >\n<a/> </s:s >`,
  `<s><a b='c' d="e" xml:lang='f'><g xmlns='h'>i&amp;j&#65;k</g><l m = 'n'\t/>]]&gt;\r\n</a ></s>`,
  `<s><a><![CDATA[b]]c]]]><d/>]]></a><e>\u00e9\u20ac\u{1f600}<\u00e9 \u00ea='\u00eb'/></e></s>`,
  `<s><a b='&lt;&gt;&quot;&apos;&amp;'>&lt;&gt;&quot;&apos;&amp;</a></s>`,
  `<s xmlns:p='q'><p:a p:b='c'/><d xmlns='http://www.w3.org/1999/xhtml'/></s>`,
  // broken
  `<s><a></b></s>`,
  `<s><abc></abd></s>`,
  `<s><a b='c' b='d'/></s>`,
  `<s><a  b='c'  b='d'/></s>`,
  `<s><a b="c'/></s>`,
  `<s><a>]]></a></s>`,
  `<s><a><![CDATB[]]></a></s>`,
  `<s><a>&nbsp;</a></s>`,
  `<s><a>&#xD800;</a></s>`,
  `<s><a>&${'abc'.repeat(30)}</a></s>`,
  `<s><a b='&#${'0'.repeat(80)}65;'/></s>`,
  `<s><a xmlns='http://www.w3.org/2000/xmlns/'/></s>`,
  `<s><a xmlns='http://www.w3.org/XML/1998/namespace'/></s>`,
  `<s><a xml:1='b'/></s>`,
  `<s><!-- --></s>`,
  `<s></t>`,
  `<s>\u0001</s>`,
  `<s><a>\u0001</a></s>`,
  `<s><a b='\u0001'/></s>`,
  `<?xml version='1.0' encoding='x'?><s>`,
];

describe('Every way of cutting the input gives the same', () => {
  for (const text of INPUTS) {
    it(JSON.stringify(text), () => {
      const input = Buffer.from(text);
      const threes = twoWays(input.length).flatMap(([a]) => twoWays(input.length).map(([b]) => [a!, b!]));
      same(input, [
        ...twoWays(input.length),
        byteByByte(input.length),
        ...threes.filter(([a, b]) => a! < b! && b! < a! + 12),
      ]);
    });
  }

  it('the short cut for long texts decides nothing: every byte, at every place of a word', () => {
    for (let byte = 0; byte < 256; byte++) {
      for (let place = 0; place < 9; place++) {
        // behind 256 ordinary bytes a text is read in words; the letters in front move them
        const input = Buffer.from(`<s><a>${'x'.repeat(300 + place)}?]]y\n${'z'.repeat(20)}</a></s>`);
        input[6 + 300 + place] = byte;
        same(input, [[100, 200]]);
      }
    }
  });

  it('long texts of all sorts, cut at the end of a word and beside it', () => {
    for (const piece of [
      'x',
      'x\n',
      'Wherefore art thou? ',
      'x\r\n',
      'x&amp;',
      'x>',
      '\u00e9',
      'xxxxxxx\u20ac',
      '\t',
      '\u007f',
    ]) {
      const input = Buffer.from(`<s><a>${piece.repeat(Math.ceil(700 / piece.length))}</a></s>`);
      assert.equal(scan(input).stanzas.length, 1);
      same(input, [...twoWays(input.length).filter((_, at) => at % 5 < 2), byteByByte(input.length)]);
    }
  });

  it('bytes that are no UTF-8', () => {
    for (const bad of ['\xff', '\xc3', '\xe2\x82', '\xed\xa0\x80', '\xc0\xaf', '\xf4\x90\x80\x80']) {
      for (const text of [`<s><a>${bad}</a></s>`, `<s><a b='${bad}'/></s>`, `<s><${bad}/></s>`, `<s b='${bad}'/>`]) {
        const input = Buffer.from(text, 'latin1');
        same(input, [...twoWays(input.length), byteByByte(input.length)]);
      }
    }
  });

  describe('at each limit', () => {
    const input = Buffer.from(
      `<s><a b='c' d='e' f='g'><h><i><j>0123456789</j>\u0001<k l="m"/></i></h><![CDATA[nopq]]>&#65;&amp;</a><r  s='&lt;'/></s>`,
    );
    const ways = [...twoWays(input.length), byteByByte(input.length)];
    for (const [limit, most] of [
      ['bytes', input.length],
      ['depth', 6],
      ['attributes', 4],
      ['elements', 7],
    ] as const) {
      it(limit, () => {
        for (let at = 1; at <= most; at++) same(input, ways, { limits: { [limit]: at } });
      });
    }

    it('a stanza as long as the limit is taken, one byte more is not', () => {
      const stanza = `<a b='c'>\u00e9</a>`;
      const bytes = Buffer.byteLength(stanza);
      const whole = Buffer.from(`<s>${stanza}`);
      for (const cuts of [[], byteByByte(whole.length)]) {
        assert.equal(scan(whole, { cuts, limits: { bytes } }).stanzas.length, 1);
        assert.equal(scan(whole, { cuts, limits: { bytes: bytes - 1 } }).condition, 'policy-violation');
      }
    });
  });

  it(`generated documents, cut anywhere (seed ${SEED})`, () => {
    fc.assert(
      fc.property(documents, fc.array(fc.nat(2000), { maxLength: 8 }), (content, at) => {
        const input = Buffer.from(HEADER + content + END);
        const cuts = [...new Set(at.map(cut => cut % input.length))].sort((a, b) => a - b);
        same(input, [cuts, byteByByte(input.length)]);
      }),
      fuzz(100),
    );
  });

  it(`mutated documents, cut anywhere, at small limits too (seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        mutated,
        fc.array(fc.nat(2000), { maxLength: 8 }),
        fc.integer({ min: 20, max: 400 }),
        (content, at, bytes) => {
          const input = Buffer.concat([Buffer.from(HEADER), content]);
          const cuts = [...new Set(at.map(cut => cut % input.length))].sort((a, b) => a - b);
          same(input, [cuts, byteByByte(input.length)]);
          const limits = { ...LIMITS, bytes: bytes + HEADER.length, depth: 4, attributes: 3, elements: 8 };
          same(input, [cuts, byteByByte(input.length)], { limits });
        },
      ),
      fuzz(120),
    );
  });

  it(`every two of mutated documents (seed ${SEED})`, () => {
    fc.assert(
      fc.property(mutated, content => {
        const input = Buffer.concat([Buffer.from('<s>'), content]);
        same(input, twoWays(input.length));
      }),
      fuzz(15),
    );
  });
});
