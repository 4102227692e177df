import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { entityText, escapeAttribute, escapeText, escapeXml, fromWire, toWire, unescapeXml } from './escape.ts';

/** What a parser reads as text and as the value of an attribute. */
function read(markup: string): { text: string; value: string | undefined } {
  const parser = new SaxesParser();
  let text = '';
  let value: string | undefined;
  parser.on('text', piece => (text += piece));
  parser.on('opentag', ({ attributes }) => (value = attributes.b as string));
  parser.write(markup).close();
  return { text, value };
}

/** What XML can carry of a text. */
const carried = (text: string): string =>
  text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd');
const ODD = `&<>"'\t\r\n\r\n\u0001\u00e9\u{1f600}]]>&amp;&#65;<![CDATA[x]]>\ufffe\uffff\ufeff`;
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '&',
      '<',
      '>',
      '"',
      "'",
      '\t',
      '\n',
      '\r',
      ']',
      ';',
      'amp',
      '\0',
      '\ud800',
      '\udc00',
      'a',
      '\uffff',
    ),
  }),
);

describe('Escaping', () => {
  it('text comes back as text', () => {
    fc.assert(
      fc.property(texts, text => {
        for (const escape of [escapeText, escapeXml, escapeAttribute]) {
          assert.equal(read(`<a>${fromWire(toWire(escape(text)))}</a>`).text, carried(text));
        }
      }),
      { examples: [[ODD]] },
    );
  });

  it('attributes come back, in either quotes', () => {
    fc.assert(
      fc.property(texts, text => {
        for (const quote of [`'`, '"']) {
          assert.equal(read(`<a b=${quote}${fromWire(toWire(escapeAttribute(text)))}${quote}/>`).value, carried(text));
        }
      }),
      { examples: [[ODD]] },
    );
  });

  it('what needs no escaping is left as it is; quotes in text need none', () => {
    for (const escape of [escapeText, escapeXml, escapeAttribute])
      assert.equal(escape('Wherefore \u00e9?'), 'Wherefore \u00e9?');
    assert.equal(escapeText(`"it's"`), `"it's"`);
    assert.equal(escapeText('a\n\tb'), 'a\n\tb');
    assert.equal(escapeXml(`"it's"`), '&quot;it&apos;s&quot;');
    assert.equal(escapeAttribute('a\n\tb'), 'a&#xA;&#x9;b');
  });

  it('unescaping undoes it', () => {
    fc.assert(
      fc.property(texts, text => {
        const kept = text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd');
        assert.equal(unescapeXml(escapeAttribute(text)), kept);
      }),
    );
    assert.equal(unescapeXml('&amp;amp;&#38;#65;&#x26;lt;'), '&amp;&#65;&lt;');
  });

  it('references: the five, and characters of XML', () => {
    assert.deepEqual(['amp', 'lt', 'gt', 'quot', 'apos', '#65', '#x41', '#x1F600', '#0065'].map(entityText), [
      '&',
      '<',
      '>',
      '"',
      "'",
      'A',
      'A',
      '\u{1f600}',
      'A',
    ]);
    for (const none of [
      '',
      'AMP',
      'nbsp',
      '#',
      '#x',
      '#X41',
      '#0',
      '#xD800',
      '#xFFFE',
      '#x110000',
      '#1e3',
      '# 65',
      '#-1',
      '#xFFFFFFFFFFFF',
    ])
      assert.equal(entityText(none), undefined, none);
  });
});

describe('Wire strings', () => {
  it('hold one byte a character, and come back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const wire = toWire(text);
        assert.equal(wire.length, Buffer.byteLength(text));
        assert.equal(fromWire(wire), text.toWellFormed());
        assert.deepEqual(Buffer.from(wire, 'latin1'), Buffer.from(text));
      }),
    );
  });

  it('a byte order mark is a character', () => {
    assert.equal(fromWire(toWire('\ufeffa')), '\ufeffa');
  });
});
