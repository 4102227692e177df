import fc from 'fast-check';
import { STREAM_NS, XML_NS } from './kit.ts';

/*
 * Documents for properties: stanzas as text, in all the ways of writing that XML has and clients do not use, most of them
 * well-formed; and what becomes of them when bytes are changed and odd pieces put in.
 */

const name = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('a', 'b', 'c', 'message', 'body', 'x', 'iq', 'query', 'xmlns', '_', 'a-b.c1'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\u00e9', 'e\u0301', '\u{10000}', '\u00b7a', 'a\u00d7', 'constructor', '__proto__'),
  },
);
const prefix = fc.constantFrom('p', 'q', 'stream', 'xml', 'xmlns', 'r');
const elementName = fc.oneof(
  { weight: 9, arbitrary: name },
  { weight: 2, arbitrary: fc.tuple(prefix, name).map(([p, n]) => `${p}:${n}`) },
);
const attributeName = fc.oneof(
  { weight: 9, arbitrary: name },
  { weight: 2, arbitrary: fc.tuple(prefix, name).map(([p, n]) => `${p}:${n}`) },
  { weight: 2, arbitrary: fc.constant('xml:lang') },
);
const namespace = fc.constantFrom('urn:x', 'urn:y', 'jabber:client', STREAM_NS, '', 'http://www.w3.org/1999/xhtml');
const rareNamespace = fc.oneof(
  { weight: 12, arbitrary: namespace },
  { weight: 1, arbitrary: fc.constantFrom(XML_NS, 'http://www.w3.org/2000/xmlns/') },
);
const blank = fc.oneof(
  { weight: 9, arbitrary: fc.constant(' ') },
  { weight: 1, arbitrary: fc.constantFrom('  ', '\n', '\t', '\r\n', ' \r') },
);
const noBlank = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom(' ', '\n', '\t') },
);
const reference = fc.constantFrom(
  '&amp;',
  '&lt;',
  '&gt;',
  '&quot;',
  '&apos;',
  '&#65;',
  '&#x20AC;',
  '&#xA;',
  '&#13;',
  '&#x9;',
  '&#x1F600;',
);
const plain = fc.oneof(
  fc.string({ maxLength: 8 }).map(text => text.replace(/[<&>"'\0-\x1f]/g, '')),
  fc.string({ unit: 'binary', maxLength: 6 }).map(text => text.replace(/[<&>"'\0-\x1f\ufffe\uffff]/g, '')),
  fc.constantFrom('', ' ', 'Wherefore art thou?', '\u00e9', '\u{1f600}', ']', ']]', '\ufeff', '\u2028', '\u00a0'),
);
const textPiece = fc.oneof(
  { weight: 6, arbitrary: plain },
  { weight: 2, arbitrary: reference },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r\n', '\r', '\t', '"', "'", '>', ']>') },
);
const text = fc.array(textPiece, { maxLength: 3 }).map(pieces => pieces.join('').replace(/]]>/g, ']]&gt;'));
const value = fc
  .tuple(
    fc.constantFrom('"', "'"),
    fc.array(
      fc.oneof(
        { weight: 8, arbitrary: plain },
        { weight: 2, arbitrary: reference },
        { weight: 1, arbitrary: fc.constantFrom('\n', '\t', '\r\n', '>', ']]>') },
      ),
      { maxLength: 2 },
    ),
    fc.boolean(),
  )
  .map(([quote, pieces, other]) => quote + pieces.join('') + (other ? (quote === '"' ? "'" : '"') : '') + quote);
const cdata = fc
  .array(fc.oneof(plain, fc.constantFrom('<a>', '&', '&amp;', ']]', '\r\n', '>')), { maxLength: 3 })
  .map(pieces => {
    const inner = pieces.join('').replace(/]]>/g, ']]');
    return `<![CDATA[${inner}]]>`;
  });

const attribute = fc
  .tuple(blank, attributeName, noBlank, noBlank, value)
  .map(([b, n, x, y, v]) => `${b}${n}${x}=${y}${v}`);
const declaration = fc
  .tuple(
    blank,
    fc.oneof(
      fc.constant('xmlns'),
      prefix.map(p => `xmlns:${p}`),
    ),
    rareNamespace,
  )
  .map(([b, n, uri]) => `${b}${n}='${uri}'`);
const attributes = fc
  .uniqueArray(fc.oneof({ weight: 4, arbitrary: attribute }, { weight: 2, arbitrary: declaration }), {
    maxLength: 4,
    // mostly without duplicates; some come of the prefixes
    selector: written => written.trim().split(/[ \t\r\n=]/)[0],
  })
  .map(all => all.join(''));

/** Elements; their prefixes are declared more often than not. */
const { element } = fc.letrec<{ element: string; content: string }>(tie => ({
  element: fc
    .tuple(
      elementName,
      attributes,
      noBlank,
      fc.oneof({ depthSize: 'small' }, fc.constant(undefined), tie('content')),
      noBlank,
    )
    .map(([tag, attrs, space, content, end]) =>
      content === undefined ? `<${tag}${attrs}${space}/>` : `<${tag}${attrs}${space}>${content}</${tag}${end}>`,
    ),
  content: fc
    .array(fc.oneof({ depthSize: 'small' }, text, text, cdata, tie('element')), { maxLength: 4 })
    .map(pieces => pieces.join('').replace(/]]>(?<!\[CDATA\[[^]*]]>)/g, ']]&gt;')),
}));

const declared = element.map(markup =>
  markup.replace(/^<([^ \t\r\n/>]+)/, (tag, own: string) =>
    own.includes(':') || markup.includes('xmlns:') ? tag : `${tag} xmlns:p="urn:x" xmlns:q='urn:q' xmlns:r='urn:x'`,
  ),
);

/** What stands inside a client's stream: some stanzas with white space between. */
export const documents = fc
  .array(fc.tuple(fc.oneof(element, declared), fc.constantFrom('', ' ', '\n')), { minLength: 1, maxLength: 3 })
  .map(all => all.flat().join(''));

const FRAGMENTS = [
  '<',
  '>',
  '/',
  '=',
  '"',
  "'",
  '&',
  ';',
  ' ',
  ':',
  '!',
  '?',
  ']',
  '<a>',
  '</a>',
  '<a/>',
  '</',
  '/>',
  '<!--',
  '-->',
  '<!-- x -->',
  '<?x y?>',
  '<![CDATA[',
  ']]>',
  '<!DOCTYPE x>',
  '&amp;',
  '&nbsp;',
  '&#0;',
  '&#xD800;',
  '&#x110000;',
  '&#65',
  `&#${'0'.repeat(80)}65;`,
  '\0',
  '\u0001',
  '\u000b',
  '\u007f',
  '\ufffe',
  '\uffff',
  '\u00a0',
  '\u2028',
  '\r',
  ' xmlns=""',
  " xmlns='urn:x'",
  " xmlns:p='urn:p'",
  " xmlns:p=''",
  " xmlns:xml='x'",
  " a='b'",
  " a='b' a='b'",
  ' p:a="b"',
  " xml:lang='en'",
  " xml:1=''",
  'xml:',
  'p:',
  'stream:',
] as const;
const BYTES = ['ff', 'c0af', 'c3', 'e282', 'eda080', 'f4908080', 'efbfbf', '80', 'fe', 'f0808080'] as const;

type Mutation = (bytes: Buffer) => Buffer;

function spliced(at: number, remove: number, put: Buffer): Mutation {
  return bytes => {
    const start = at % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + remove)]);
  };
}

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.nat(1000), fc.nat(3), fc.constantFrom(...FRAGMENTS))
      .map(([at, remove, put]) => spliced(at, remove, Buffer.from(put))),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(1000), fc.nat(255)).map(([at, byte]) => spliced(at, 1, Buffer.from([byte]))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(1000), fc.integer({ min: 1, max: 5 }))
      .map(([at, remove]) => spliced(at, remove, Buffer.alloc(0))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(1000), fc.constantFrom(...BYTES))
      .map(([at, hex]) => spliced(at, 0, Buffer.from(hex, 'hex'))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(1000), fc.nat(7)).map(([at, bit]): Mutation => bytes => {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[at % copy.length]! ^= 1 << bit;
      return copy;
    }),
  },
);

/** Such documents with one to three changes. */
export const mutated = fc
  .tuple(documents, fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([content, changes]) => changes.reduce<Buffer>((bytes, change) => change(bytes), Buffer.from(content)));
