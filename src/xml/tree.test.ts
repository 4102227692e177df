import assert from 'node:assert/strict';
import { parseElement, serialize, xml } from './index.ts';
import { TooLong } from './tree.ts';

describe('serialize', () => {
  it('writes what xml() builds: quotes, references, the namespace of what is around left out', () => {
    const tree = xml(
      'iq',
      { type: 'result', id: `a"b'c`, xmlns: 'jabber:client' },
      xml('query', 'urn:q', xml('item', { a: '\n' }, 'x<y>&"z"'), xml('empty')),
    );
    assert.equal(
      serialize(tree, 'jabber:client'),
      `<iq type="result" id="a&quot;b&apos;c"><query xmlns="urn:q"><item a="&#xA;">x&lt;y&gt;&amp;"z"</item><empty/></query></iq>`,
    );
    assert.match(serialize(tree), / xmlns="jabber:client"/);
    assert.match(serialize(tree, 'jabber:server'), / xmlns="jabber:client"/);
  });

  it('attributes that are undefined or null are none; numbers are their digits', () => {
    assert.equal(serialize(xml('a', { b: undefined, c: null, d: 0 }, 1)), '<a d="0">1</a>');
  });

  it('is a wire string', () => {
    assert.equal(serialize(xml('a', { b: '\u00e9' }, '\u20ac')), '<a b="\xc3\xa9">\xe2\x82\xac</a>');
  });

  it('a namespace that comes back in the middle is said again', () => {
    const tree = xml('a', 'urn:a', xml('b', 'urn:b', xml('c', 'urn:a')));
    assert.equal(serialize(tree), '<a xmlns="urn:a"><b xmlns="urn:b"><c xmlns="urn:a"/></b></a>');
  });

  it('is as deep as the tree', () => {
    let tree = xml('a', {}, 'x');
    for (let depth = 1; depth < 30_000; depth++) tree = xml('a', {}, tree);
    assert.equal(serialize(tree).length, 30_000 * 7 + 1);
  });

  it('throws TooLong as soon as it is, counted in bytes', () => {
    const tree = xml('a', {}, '\u00e9'.repeat(10));
    assert.equal(serialize(tree, undefined, 27).length, 27);
    assert.throws(() => serialize(tree, undefined, 26), TooLong);
    // it must not write all that first
    const many = xml('a');
    for (let k = 0; k < 100_000; k++) many.append(xml('b', { c: 'd'.repeat(1000) }));
    assert.throws(() => serialize(many, undefined, 5000), TooLong);
  });
});

describe('parseElement', () => {
  it('gives the root the namespace around it, and its children theirs', () => {
    const element = parseElement('<a><b xmlns="urn:b"><c/></b></a>', 'urn:a');
    assert.equal(element.is('a', 'urn:a'), true);
    assert.equal(element.getChild('b')!.getChild('c', 'urn:b')!.getNS(), 'urn:b');
    assert.equal(element.attrs.xmlns, 'urn:a');
  });

  it('texts that belong together are one', () => {
    assert.deepEqual(parseElement('<a>b<![CDATA[c]]>&amp;<![CDATA[]]>d<e/>f</a>', '').children.length, 3);
    assert.equal(parseElement('<a>b<![CDATA[c]]>&amp;<![CDATA[]]>d</a>', '').getText(), 'bc&d');
  });

  it('what serialize wrote comes back', () => {
    const tree = xml(
      'a',
      { xmlns: 'urn:a', b: `\t\r\n"'<>&\u00e9`, 'xml:lang': 'en' },
      'c\r\n',
      xml('d', {}, '<![CDATA['),
      ' e',
    );
    const back = parseElement(serialize(tree), 'urn:x');
    assert.deepEqual(back.attrs, tree.attrs);
    assert.deepEqual([back.children[0], back.getChildText('d'), back.children[2]], ['c\r\n', '<![CDATA[', ' e']);
  });
});
