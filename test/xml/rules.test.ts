import assert from 'node:assert/strict';
import { END, HEADER, scan, scanInside, STREAM_NS, treeOf } from './kit.ts';

/** Markup inside a stream, and the stream error it brings; or what its first stanza's text must be. */
type Rule = readonly [markup: string, condition: string];

function refuses(title: string, rules: readonly Rule[], framed = false): void {
  describe(title, () => {
    for (const [markup, condition] of rules) {
      it(`${JSON.stringify(markup)}: ${condition}`, () => {
        const { found } = framed ? scan(markup, { framed }) : scanInside(markup);
        assert.deepEqual(
          found.map(finding => [finding.what, finding.condition]),
          [['fault', condition]],
        );
      });
    }
  });
}

function accepts(title: string, markups: readonly string[]): void {
  describe(title, () => {
    for (const markup of markups) {
      it(JSON.stringify(markup), () => {
        const { found } = scanInside(markup + END);
        assert.deepEqual(
          found.map(({ what }) => what),
          ['stanza', 'close'],
        );
      });
    }
  });
}

describe('What is well formed', () => {
  refuses('RFC 6120 11.1: restricted XML', [
    ['<a><!-- x --></a>', 'restricted-xml'],
    ['<!-- x --><a/>', 'restricted-xml'],
    ['<a><?x y?></a>', 'restricted-xml'],
    ['<?x y?><a/>', 'restricted-xml'],
    ['<?xml version="1.0"?><a/>', 'restricted-xml'],
    ['<!DOCTYPE a><a/>', 'restricted-xml'],
    ['<a><!DOCTYPE a></a>', 'restricted-xml'],
    ['<a>&nbsp;</a>', 'restricted-xml'],
    ['<a b="&nbsp;"/>', 'restricted-xml'],
    ['<a>&anEntityOfWhateverLengthItMayBe;</a>', 'restricted-xml'],
    ['<a>&AMP;</a>', 'restricted-xml'],
  ]);

  refuses('Tags', [
    ['<a></b>', 'not-well-formed'],
    ['<a></ab>', 'not-well-formed'],
    ['<ab></a>', 'not-well-formed'],
    ['<a></ a>', 'not-well-formed'],
    ['<a></a b="c">', 'not-well-formed'],
    ['<a></>', 'not-well-formed'],
    ['<></>', 'not-well-formed'],
    ['< a/>', 'not-well-formed'],
    ['<a/ >', 'not-well-formed'],
    ['<a//>', 'not-well-formed'],
    ['<a<b/></a>', 'not-well-formed'],
    ['<a><</a>', 'not-well-formed'],
    ['<a><b></a></b>', 'not-well-formed'],
    ['</a>', 'not-well-formed'],
    ['<a><![CDATA]]></a>', 'not-well-formed'],
    ['<a><![cdata[x]]></a>', 'not-well-formed'],
    ['<a><!ELEMENT b></a>', 'not-well-formed'],
    ['<a/\0>', 'not-well-formed'],
  ]);

  refuses('Names', [
    ['<1a/>', 'not-well-formed'],
    ['<-a/>', 'not-well-formed'],
    ['<.a/>', 'not-well-formed'],
    ['<a 1b="c"/>', 'not-well-formed'],
    ['<a -b="c"/>', 'not-well-formed'],
    ['<a!/>', 'not-well-formed'],
    ['<a\u00d7/>', 'not-well-formed'],
    ['<\u0300a/>', 'not-well-formed'],
    ['<a\u2028/>', 'not-well-formed'],
    ['<a b\u00d7="c"/>', 'not-well-formed'],
    ['<a><b\u037e/></a>', 'not-well-formed'],
    // white space to JavaScript, but not to XML
    ['<a\u00a0/>', 'not-well-formed'],
    ['<a\u00a0 b="c"/>', 'not-well-formed'],
    ['<a b\u00a0="c"/>', 'not-well-formed'],
    ['<a \u00a0b="c"/>', 'not-well-formed'],
    ['<a b="c" b\u2003="d"/>', 'not-well-formed'],
    ['<a\u3000b="c"/>', 'not-well-formed'],
  ]);

  refuses('Names with a colon (Namespaces in XML 1.0)', [
    ['<:a/>', 'not-well-formed'],
    ['<a:/>', 'not-well-formed'],
    ['<stream:/>', 'not-well-formed'],
    ['<stream:a:b/>', 'not-well-formed'],
    ['<stream:1/>', 'not-well-formed'],
    ['<stream::a/>', 'not-well-formed'],
    ['<xml:/>', 'not-well-formed'],
    ['<xml:1/>', 'not-well-formed'],
    ['<a xml:="b"/>', 'not-well-formed'],
    ['<a xml:1="b"/>', 'not-well-formed'],
    ['<a xml:-="b"/>', 'not-well-formed'],
    ['<a xml:lang:x="b"/>', 'not-well-formed'],
    ['<a :b="c"/>', 'not-well-formed'],
    ['<a xmlns:="c"/>', 'not-well-formed'],
    ['<a xmlns:1="c"/>', 'not-well-formed'],
    ['<a xmlns:b\u00d7="c"/>', 'not-well-formed'],
  ]);

  refuses('Namespaces', [
    ['<p:a/>', 'not-well-formed'],
    ['<a><p:b/></a>', 'not-well-formed'],
    ['<a p:b="c"/>', 'not-well-formed'],
    ['<a><b xmlns:p="q"/><p:c/></a>', 'not-well-formed'],
    ['<a xmlns:p=""/>', 'not-well-formed'],
    ['<a xmlns:xml="q"/>', 'not-well-formed'],
    ['<a xmlns:xmlns="q"/>', 'not-well-formed'],
    ['<xmlns:a/>', 'not-well-formed'],
    ['<a xmlns:p="http://www.w3.org/2000/xmlns/"/>', 'not-well-formed'],
    ['<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>', 'not-well-formed'],
    ['<a xmlns="http://www.w3.org/2000/xmlns/"/>', 'not-well-formed'],
    ['<a xmlns="http://www.w3.org/XML/1998/namespace"/>', 'not-well-formed'],
    ["<a><b xmlns='http://www.w3.org/XML/1998/namespace'/></a>", 'not-well-formed'],
    ['<a><b><c xmlns="http://www.w3.org/2000/xmlns/"/></b></a>', 'not-well-formed'],
    ['<a xmlns="&#104;ttp://www.w3.org/2000/xmlns/"/>', 'not-well-formed'],
    [`<a xmlns:p='q' xmlns:r='q' p:b='' r:b=''/>`, 'not-well-formed'],
    [`<a xmlns:s='${STREAM_NS}' s:b='' stream:b=''/>`, 'not-well-formed'],
  ]);

  refuses('Attributes', [
    ['<a b/>', 'not-well-formed'],
    ['<a b=/>', 'not-well-formed'],
    ['<a b=c/>', 'not-well-formed'],
    ['<a b c="d"/>', 'not-well-formed'],
    ['<a b="<"/>', 'not-well-formed'],
    ['<a b="c"d="e"/>', 'not-well-formed'],
    ['<a b="c"/d="e">', 'not-well-formed'],
    ['<a ="c"/>', 'not-well-formed'],
    ['<a b=="c"/>', 'not-well-formed'],
    ['<a b="c" b="c"/>', 'not-well-formed'],
    ["<a b='c' d='e' b='f'/>", 'not-well-formed'],
    ['<a><b c="" c=""/></a>', 'not-well-formed'],
    ['<a xmlns="a" xmlns="a"/>', 'not-well-formed'],
    ['<a xml:lang="a" xml:lang="a"/>', 'not-well-formed'],
    ['<a b="\u0001"/>', 'not-well-formed'],
  ]);

  refuses('References', [
    ['<a>&</a>', 'not-well-formed'],
    ['<a>&;</a>', 'not-well-formed'],
    ['<a>& </a>', 'not-well-formed'],
    ['<a>&amp</a>', 'not-well-formed'],
    ['<a>&amp lt;</a>', 'not-well-formed'],
    ['<a>&#;</a>', 'not-well-formed'],
    ['<a>&#x;</a>', 'not-well-formed'],
    ['<a>&#xg;</a>', 'not-well-formed'],
    ['<a>&#X41;</a>', 'not-well-formed'],
    ['<a>&#1a;</a>', 'not-well-formed'],
    ['<a>&#-1;</a>', 'not-well-formed'],
    ['<a>&1;</a>', 'not-well-formed'],
    ['<a>&#0;</a>', 'not-well-formed'],
    ['<a>&#x0;</a>', 'not-well-formed'],
    ['<a>&#8;</a>', 'not-well-formed'],
    ['<a>&#x1F;</a>', 'not-well-formed'],
    ['<a>&#xD800;</a>', 'not-well-formed'],
    ['<a>&#xDFFF;</a>', 'not-well-formed'],
    ['<a>&#xFFFE;</a>', 'not-well-formed'],
    ['<a>&#xFFFF;</a>', 'not-well-formed'],
    ['<a>&#x110000;</a>', 'not-well-formed'],
    ['<a>&#99999999999;</a>', 'not-well-formed'],
    ['<a b="&"/>', 'not-well-formed'],
    ['<a b="&#0;"/>', 'not-well-formed'],
    ['<a b="&amp"/>', 'not-well-formed'],
    ['<a>&am#p;</a>', 'not-well-formed'],
    // legal, but of no use to anybody: a limit
    [`<a>&#${'0'.repeat(80)}65;</a>`, 'policy-violation'],
  ]);

  refuses('Text', [
    ['<a>]]></a>', 'not-well-formed'],
    ['<a>x]]]></a>', 'not-well-formed'],
    ['<a><b/>]]></a>', 'not-well-formed'],
    ['<a>\0</a>', 'not-well-formed'],
    ['<a>\u0008</a>', 'not-well-formed'],
    ['<a>\u000b</a>', 'not-well-formed'],
    ['<a>\u001f</a>', 'not-well-formed'],
    ['<a><![CDATA[\u001f]]></a>', 'not-well-formed'],
    ['<a>\ufffe</a>', 'not-well-formed'],
    ['<a>\uffff</a>', 'not-well-formed'],
    ['<a b="\uffff"/>', 'not-well-formed'],
    ['<a><![CDATA[\ufffe]]></a>', 'not-well-formed'],
    ['x<a/>', 'bad-format'],
    ['&amp;<a/>', 'bad-format'],
    ['\ufeff<a/>', 'bad-format'],
    ['<![CDATA[x]]><a/>', 'bad-format'],
    ['\0<a/>', 'not-well-formed'],
  ]);

  accepts('Is accepted', [
    '<a/>',
    '<a />',
    '<a></a>',
    '<a\n\t\r b\n=\t"c"\r></a\n>',
    '<a >x</a >',
    `<a b='"' c="'"/>`,
    '<a b=">" c="]]>"/>',
    '<a>]]</a>',
    '<a>]>]&gt;]]&gt;</a>',
    '<a>]&#93;></a>',
    '<a>&#93;]></a>',
    '<a><![CDATA[]]></a>',
    '<a><![CDATA[]]]]></a>',
    '<a><![CDATA[<b>&nbsp;]]]]><![CDATA[>]]></a>',
    '<a>&amp;&lt;&gt;&quot;&apos;</a>',
    '<a>&#9;&#10;&#13;&#32;&#xD7FF;&#xE000;&#xFFFD;&#x10000;&#x10FFFF;&#x0010fFfF;&#65;</a>',
    '<a>\t\n\r \u007f\u0080\u0085\u2028\ufdd0\ufeff\ufffd\u{1fffe}\u{10ffff}</a>',
    '<_/>',
    '<a b\ufeff="c"/>', // a NameStartChar, oddly
    '<a-b.c_1/>',
    '<\u00c0/>',
    '<a\u00b7\u0300/>',
    '<\u{10000}\u{effff}/>',
    '<a \u00e9="1" e\u0301="2"/>',
    '<stream:a/>',
    '<stream:a></stream:a>',
    '<a xml:lang="en"/>',
    '<xml:a/>',
    '<a xmlns=""/>',
    '<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>',
    '<a xmlns:p="q" p:b="" b=""/>',
    "<a xmlns:p='q' xmlns:r='s' p:b='' r:b=''/>",
    '<a><b xmlns:p="q"><p:c/></b><d xmlns:p="r"><p:c p:e=""/></d></a>',
    '<a xmlns="http://www.w3.org/1999/xhtml"/>',
    '<a XMLNS="x" Xml="y"/>',
    '<a constructor="a" toString="b" __proto__="c"/>',
    ' \t\r\n<a/> \n',
  ]);

  it('U+FEFF is a character wherever it stands (RFC 6120 11.6)', () => {
    const { stanzas } = scanInside('<a>\ufeff</a><b>x\ufeff</b><c>\ufeffy<![CDATA[]]></c>');
    assert.deepEqual(
      stanzas.map(stanza => stanza.element().getText()),
      ['\ufeff', 'x\ufeff', '\ufeffy'],
    );
  });

  it('line ends and white space in attributes are normalised (XML 1.0 2.11, 3.3.3)', () => {
    const [stanza] = scanInside(
      `<a b='1\n2\t3\r\n4\r5&#xA;6&#x9;7&#xD;8 9'>1\r\n2\r3\n\r4&#xD;<![CDATA[5\r\n6\r]]></a>`,
    ).stanzas;
    assert.deepEqual(treeOf(stanza!.element()), {
      name: '{jabber:client}a',
      attrs: { b: '1 2 3 4 5\n6\t7\r8 9' },
      children: ['1\n2\n3\n\n4\r5\n6\n'],
    });
  });

  describe('UTF-16 and its like are another encoding (RFC 6120 11.6)', () => {
    const markup = `<?xml version='1.0'?>${HEADER}`;
    const swapped = Buffer.from(markup, 'utf16le').swap16();
    const cases: [string, Buffer][] = [
      ['little-endian', Buffer.from(markup, 'utf16le')],
      ['big-endian', swapped],
      ['little-endian with a mark', Buffer.from('\ufeff' + markup, 'utf16le')],
      ['big-endian with a mark', Buffer.concat([Buffer.from([0xfe, 0xff]), swapped])],
    ];
    for (const [name, bytes] of cases) {
      it(name, () => assert.equal(scan(bytes).condition, 'unsupported-encoding'));
    }
  });
});

refuses(
  'What is well formed in a frame (RFC 7395)',
  [
    ['</a>', 'not-well-formed'],
    ['<?xml version="1.0"?><a/>', 'restricted-xml'],
    ['<!-- --><a/>', 'restricted-xml'],
    ['x', 'bad-format'],
    ['<stream:a/>', 'not-well-formed'],
  ] as Rule[],
  true,
);
