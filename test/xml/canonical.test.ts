import assert from 'node:assert/strict';
import { peerReads, saxesReadsInside, scanInside, stanzaOf, STREAM_NS, treeOf } from './kit.ts';

/** The subset by another pen: what may be passed on byte for byte. */
const CANONICAL =
  /^(?:<[A-Za-z_][\w.-]*(?: (?:xml:)?[A-Za-z_][\w.-]*=(?:"(?:[^"<&\0-\x1f]|&(?:amp|lt|gt|quot|apos);)*"|'(?:[^'<&\0-\x1f]|&(?:amp|lt|gt|quot|apos);)*'))* ?\/?>|<\/[A-Za-z_][\w.-]*>|(?:[^<&\0-\x08\x0b-\x1f]|&(?:amp|lt|gt|quot|apos);)+)+$/;

describe('The canonical subset', () => {
  describe('what is in it leaves byte for byte', () => {
    for (const markup of [
      '<a/>',
      '<a />',
      '<a></a>',
      '<a >b</a>',
      `<message to='romeo@example.net' id="1" xml:lang='en'><body>Wherefore?</body></message>`,
      `<a b='"' c="'" d=''/>`,
      `<a b='>'>></a>`,
      `<a b='&amp;&lt;&gt;&quot;&apos;'>&amp;&lt;&gt;&quot;&apos;</a>`,
      '<a>\n\t<b/>\n</a>',
      `<a>é\u{1f600}</a>`,
      `<a b='é'/>`,
      `<a xmlns='b'><c xmlns=''><d xmlns="b"/></c></a>`,
      `<a xmlns='http://www.w3.org/1999/xhtml'/>`,
      `<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>x</body></html>`,
      '<a>\u007f\u0085\u2028\ufeff</a>',
    ]) {
      it(JSON.stringify(markup), () => {
        const { raw } = stanzaOf(markup);
        assert.equal(raw, Buffer.from(markup).latin1Slice());
        assert.match(raw, CANONICAL);
      });
    }
  });

  describe('everything else is written anew', () => {
    const cases: [string, string][] = [
      ['<a  b="c"/>', '<a xmlns="jabber:client" b="c"/>'],
      ['<a\tb="c"/>', '<a xmlns="jabber:client" b="c"/>'],
      ['<a b="c"\n/>', '<a xmlns="jabber:client" b="c"/>'],
      ['<a b ="c"/>', '<a xmlns="jabber:client" b="c"/>'],
      [`<a b= 'c'/>`, '<a xmlns="jabber:client" b="c"/>'],
      ['<a b="c"  />', '<a xmlns="jabber:client" b="c"/>'],
      ['<a>b</a >', '<a xmlns="jabber:client">b</a>'],
      ['<a></a\n>', '<a xmlns="jabber:client"/>'],
      ['<a b="1\n2\t3"/>', '<a xmlns="jabber:client" b="1 2 3"/>'],
      ['<a b="&#xA;&#9;&#13;"/>', '<a xmlns="jabber:client" b="&#xA;&#x9;&#xD;"/>'],
      ['<a>1\r\n2\r3&#xD;</a>', '<a xmlns="jabber:client">1\n2\n3&#xD;</a>'],
      ['<a>&#60;b/>&#x26;</a>', '<a xmlns="jabber:client">&lt;b/&gt;&amp;</a>'],
      ['<a><![CDATA[<b c="d">&amp;]]></a>', '<a xmlns="jabber:client">&lt;b c="d"&gt;&amp;amp;</a>'],
      ['<a>]]<![CDATA[>]]></a>', '<a xmlns="jabber:client">]]&gt;</a>'],
      ['<a><![CDATA[]]></a>', '<a xmlns="jabber:client"/>'],
      ['<stream:a/>', `<a xmlns="${STREAM_NS}"/>`],
      [`<c:message xmlns:c='jabber:client'><c:body/></c:message>`, '<message xmlns="jabber:client"><body/></message>'],
      [`<a xmlns:p='q'><p:b p:c='d'/></a>`, '<a xmlns="jabber:client"><b xmlns="q" xmlns:p="q" p:c="d"/></a>'],
      [`<a xmlns:p='q'/>`, '<a xmlns="jabber:client"/>'],
      [`<p:a xmlns:p='q' xmlns='r'><b/></p:a>`, '<a xmlns="q"><b xmlns="r"/></a>'],
      [`<p:a xmlns:p='q' xmlns=''><b/></p:a>`, '<a xmlns="q"><b xmlns=""/></a>'],
      [`<a><xml:b/></a>`, '<a xmlns="jabber:client"><xml:b/></a>'],
      ['<\u00e9/>', '<\u00e9 xmlns="jabber:client"/>'],
      ['<a \u00e9=""/>', '<a xmlns="jabber:client" \u00e9=""/>'],
      ['<a  __proto__="b" constructor="c"/>', '<a xmlns="jabber:client" __proto__="b" constructor="c"/>'],
    ];
    for (const [markup, wire] of cases) {
      it(JSON.stringify(markup), () => {
        const stanza = stanzaOf(markup);
        assert.equal(Buffer.from(stanza.raw, 'latin1').toString(), wire);
        // and means the same, to us and to a peer
        const [meant] = saxesReadsInside(markup).trees;
        assert.deepEqual(peerReads(stanza.raw), meant);
        assert.deepEqual(treeOf(stanza.element()), meant);
      });
    }
  });

  describe('smuggling: what two parsers could read in two ways leaves in one', () => {
    for (const [how, markup] of Object.entries({
      'a stanza in CDATA': `<message><body><![CDATA[</body></message><message from='admin@example.org'/>]]></body></message>`,
      'a stanza in an attribute': `<message  id="'/><message from='admin@example.org'/>"><body/></message>`.replace(
        /<m(?=essage from)/,
        '&lt;m',
      ),
      'a prefix that stands for the stanza namespace': `<x:message xmlns:x='jabber:client' to='a'><x:body>b</x:body></x:message>`,
      'a prefix bound to another namespace in between': `<message xmlns:x='jabber:client'><x:body>1</x:body><y xmlns:x='urn:y'><x:body>2</x:body></y></message>`,
      'an address by prefix': `<message xmlns:x='urn:x' x:from='admin@example.org' from='a'/>`,
      'line ends in an attribute': `<message id='a\r\nb\nc'/>`,
      'a reference that makes a tag': `<message><body>&#60;/body&#62;&#x3c;delay xmlns='urn:xmpp:delay'/></body></message>`,
      'a reference in a namespace': `<message><x xmlns='urn:xmpp:&#100;elay'/></message>`,
      'names that differ in case': `<Message  FROM='a' from='b'><Body/></Message>`,
      'the prefix of the stream': `<stream:features><x/></stream:features>`,
    })) {
      it(how, () => {
        const stanza = stanzaOf(markup);
        const [meant] = saxesReadsInside(markup).trees;
        assert.match(stanza.raw.replace(/ xmlns:x="urn:x"| x:from="[^"]*"/g, ''), CANONICAL);
        assert.deepEqual(peerReads(stanza.raw), meant);
        assert.deepEqual(treeOf(stanza.element()), meant);
        assert.equal(stanza.childCount, meant!.children.filter(child => typeof child === 'object').length);
      });
    }

    it('a namespace written with a reference is found by look-ups', () => {
      const stanza = stanzaOf(`<message><x xmlns='urn:xmpp:&#100;elay'/></message>`);
      assert.equal(stanza.has('x', 'urn:xmpp:delay'), true);
    });

    it('a prefixed body is a body', () => {
      const stanza = stanzaOf(`<x:message xmlns:x='jabber:client'><x:body>b</x:body></x:message>`);
      assert.equal(stanza.childText('body'), 'b');
      assert.equal(stanza.xmlns, 'jabber:client');
    });
  });

  describe('written anew, a stanza may not outgrow its limit', () => {
    it('a long namespace, declared once and used by a thousand', () => {
      const { condition } = scanInside(`<a xmlns:p='${'x'.repeat(1000)}'>${'<p:b/>'.repeat(1000)}</a>`);
      assert.equal(condition, 'policy-violation');
    });

    it('a long namespace of attributes', () => {
      const { condition } = scanInside(`<a xmlns:p='${'x'.repeat(1000)}'>${`<b p:c=''/>`.repeat(1000)}</a>`);
      assert.equal(condition, 'policy-violation');
    });

    it('what grows within it is taken', () => {
      const { condition, stanzas } = scanInside(`<a xmlns:p='${'x'.repeat(100)}'>${'<p:b/>'.repeat(1000)}</a>`);
      assert.equal(condition, undefined);
      assert.equal(stanzas[0]!.childCount, 1000);
    });
  });
});
