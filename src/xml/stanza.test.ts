import assert from 'node:assert/strict';
import { fromWire, indexed, Scanner, type Stanza, toWire, wireAttribute } from './index.ts';

/** A stanza as it comes in a client's stream. */
function stanza(markup: string): Stanza {
  let found: Stanza | undefined;
  const scanner = new Scanner(
    {
      onHeader: () => {},
      onStanza: each => (found = each),
      onClose: () => {},
      onFault: ({ text }) => {
        throw new Error(text);
      },
    },
    { bytes: 100_000, depth: 50, attributes: 50, elements: 1000 },
  );
  scanner.push(Buffer.from(`<s xmlns='jabber:client' xmlns:p='urn:p'>${markup}`));
  return found!;
}

/** Each way of coming by the same stanza: canonical from a stream, written anew, and the house's own. */
function inAllWays(markup: string, see: (stanza: Stanza) => void): void {
  see(stanza(markup));
  see(stanza(markup.replace(' ', '  ')));
  see(stanza(markup.replace(/\/>|>/, ` xmlns='jabber:client'$&`)));
  see(indexed(toWire(markup.replace(/\/>|>/, ` xmlns='jabber:client'$&`))));
}

const CHAT =
  `<message to='juliet@example.com/balcony' id="a&amp;b" type='chat' xml:lang='en'><body>Wherefore &lt;art&gt; thou?</body>` +
  `<body xml:lang='cs'>Pro\u010dpak?</body><active xmlns='http://jabber.org/protocol/chatstates'/><thread/>` +
  `<x xmlns='urn:x' a='1'>one<y>two</y>three</x><x xmlns='urn:y'></x></message>`;

describe('Stanza', () => {
  it('attributes of a child: as those of its tree', () => {
    const markup =
      `<message><x xmlns='urn:x' a='\u00e9&amp;&gt;' b="b='c'" a.b=''><y c='of another'/></x>` +
      `<z  xmlns = "urn:z"  p:d='1'\td='2\t3' />` +
      `<x xmlns='urn:x' a='second'/></message>`;
    inAllWays(markup.replace('p:d', `xmlns:p='urn:p' p:d`), each => {
      for (const [child, xmlns] of [
        ['x', 'urn:x'],
        ['z', 'urn:z'],
      ] as const) {
        const kid = each.child(child, xmlns)!;
        const { attrs } = each.kidElement(kid);
        for (const name of ['a', 'b', 'a.b', 'c', 'd', 'e', 'xmlns', 'constructor'])
          assert.equal(each.kidAttr(kid, name), Object.hasOwn(attrs, name) ? attrs[name] : undefined, name);
      }
      assert.equal(each.kidAttr(each.child('x', 'urn:x'), 'a'), '\u00e9&>');
      assert.equal(each.kidAttr(each.child('z', 'urn:z'), 'd'), '2 3');
      assert.equal(each.kidAttr(undefined, 'a'), undefined);
    });
  });

  it('attributes: by name as written, unescaped; undefined when absent', () => {
    inAllWays(CHAT, each => {
      assert.equal(each.attr('to'), 'juliet@example.com/balcony');
      assert.equal(each.attr('xml:lang'), 'en');
      assert.equal(each.id, 'a&b');
      assert.equal(each.type, 'chat');
      for (const absent of ['from', 'lang', 't', 'too', 'xml', '', 'constructor'])
        assert.equal(each.attr(absent), undefined);
    });
    inAllWays(`<presence a='\u00e9\u{1f600}&apos;' b='' c='"'/>`, each => {
      assert.equal(each.attr('a'), "\u00e9\u{1f600}'");
      assert.equal(each.attr('b'), '');
      assert.equal(each.attr('c'), '"');
      assert.equal(each.id, undefined);
    });
  });

  it('attributes compared as they are written', () => {
    const each = stanza(`<message to='juliet@example.com/a&amp;b' id="" from='\u00e9'/>`);
    assert.equal(each.attrIs('to', 'juliet@example.com/a&amp;b'), true);
    assert.equal(each.attrIs('to', 'juliet@example.com/a&b'), false);
    assert.equal(each.attrIs('to', 'juliet@example.com/'), false);
    assert.equal(each.attrIs('id', ''), true);
    assert.equal(each.attrIs('from', '\u00e9'), false);
    assert.equal(each.attrIs('type', ''), false);
  });

  it('name and namespace', () => {
    for (const [markup, name, xmlns] of [
      ['<message/>', 'message', 'jabber:client'],
      ['<presence />', 'presence', 'jabber:client'],
      [`<iq type='get'></iq>`, 'iq', 'jabber:client'],
      ['<iqs/>', 'iqs', 'jabber:client'],
      [`<r xmlns='urn:xmpp:sm:3'/>`, 'r', 'urn:xmpp:sm:3'],
      [`<r xmlns='urn:xmpp:sm:4'/>`, 'r', 'urn:xmpp:sm:4'],
      [`<message xmlns=''/>`, 'message', ''],
      [`<message xmlns='a&amp;b'/>`, 'message', 'a&b'],
      [`<message xmlns='\u00e9'/>`, 'message', '\u00e9'],
      ['<p:message/>', 'message', 'urn:p'],
      ['<\u00e9/>', '\u00e9', 'jabber:client'],
    ]) {
      const each = stanza(markup!);
      assert.deepEqual([each.name, each.xmlns], [name, xmlns]);
    }
  });

  it('children: the first of a name and namespace, none of another', () => {
    inAllWays(CHAT, each => {
      assert.equal(each.childCount, 6);
      assert.deepEqual(
        [...each.children()].map(kid => [each.kidName(kid), each.kidXmlns(kid)]),
        [
          ['body', 'jabber:client'],
          ['body', 'jabber:client'],
          ['active', 'http://jabber.org/protocol/chatstates'],
          ['thread', 'jabber:client'],
          ['x', 'urn:x'],
          ['x', 'urn:y'],
        ],
      );
      const kids = [...each.children()];
      assert.equal(each.child('body', 'jabber:client'), kids[0]);
      assert.equal(each.child('x', 'urn:y'), kids[5]);
      assert.equal(each.has('active', 'http://jabber.org/protocol/chatstates'), true);
      for (const [name, xmlns] of [
        ['active', 'jabber:client'],
        ['body', 'urn:x'],
        ['y', 'urn:x'],
        ['xx', 'urn:x'],
        ['x', 'urn:z'],
        ['x', ''],
        ['', ''],
        ['message', 'jabber:client'],
      ]) {
        assert.equal(each.child(name!, xmlns!), undefined);
      }
      assert.equal(each.hasNamespace('urn:y'), true);
      assert.equal(each.hasNamespace('jabber:client'), true);
      assert.equal(each.hasNamespace('urn:z'), false);
      assert.equal(each.isKid(kids[4]!, 'x', 'urn:x'), true);
      assert.equal(each.isKid(kids[4]!, 'x', 'urn:y'), false);
    });
  });

  it('children whose names or namespaces are not written as they read are found by how they read', () => {
    const each = stanza(`<a><\u00e9 xmlns='\u20ac'/><b xmlns='c&amp;d'/><e xmlns='x y'/><f/></a>`);
    assert.equal(each.has('\u00e9', '\u20ac'), true);
    assert.equal(each.has('b', 'c&d'), true);
    assert.equal(each.has('b', 'c&amp;d'), false);
    assert.equal(each.hasNamespace('c&d'), true);
    assert.equal(each.has('e', 'x y'), true);
    assert.equal(each.has('f', 'jabber:client'), true);
    const own = stanza(`<a xmlns='&lt;&gt;'><b/></a>`);
    assert.equal(own.has('b', '<>'), true);
  });

  it('text of a child: unescaped, without that of the elements in it', () => {
    inAllWays(CHAT, each => {
      const kids = [...each.children()];
      assert.deepEqual(
        kids.map(kid => each.text(kid)),
        ['Wherefore <art> thou?', 'Pro\u010dpak?', '', '', 'onethree', ''],
      );
      assert.equal(each.childText('body'), 'Wherefore <art> thou?');
      assert.equal(each.childText('thread'), '');
      assert.equal(each.childText('subject'), undefined);
      assert.equal(each.childText('x', 'urn:x'), 'onethree');
      assert.equal(each.text(undefined), undefined);
    });
    assert.equal(stanza('<a><b><b>1</b>2</b></a>').childText('b'), '2');
    assert.equal(stanza('<a><b>></b></a>').childText('b'), '>');
    assert.equal(stanza(`<a><b c='>'>d</b></a>`).childText('b'), 'd');
  });

  it('trees: of the whole, made once, and of a child with the namespace that it inherits', () => {
    inAllWays(CHAT, each => {
      const element = each.element();
      assert.equal(each.element(), element);
      assert.equal(element.getNS(), 'jabber:client');
      assert.equal(element.getChildText('body'), 'Wherefore <art> thou?');
      const body = each.kidElement(each.child('body', 'jabber:client')!);
      assert.equal(body.is('body', 'jabber:client'), true);
      assert.equal(body.parent, null);
      assert.equal(each.kidElement(each.child('x', 'urn:x')!).getChild('y', 'urn:x')!.getText(), 'two');
    });
  });

  it('markup: of a child, of all that is inside, of the attributes but some', () => {
    const each = stanza(CHAT);
    assert.equal(each.kidRaw(each.child('x', 'urn:x')!), `<x xmlns='urn:x' a='1'>one<y>two</y>three</x>`);
    assert.equal(`${each.raw.slice(0, each.headEnd)}>${each.inner}</message>`, each.raw);
    assert.equal(each.attributesWithout('to', 'id'), ` type='chat' xml:lang='en'`);
    assert.equal(each.attributesWithout('to', 'id', 'type', 'xml:lang'), '');
    assert.equal(each.attributesWithout(), ` to='juliet@example.com/balcony' id="a&amp;b" type='chat' xml:lang='en'`);
    for (const [markup, inner] of [
      ['<a/>', ''],
      ['<a />', ''],
      [`<a b='/'/>`, ''],
      ['<a></a>', ''],
      ['<a ></a>', ''],
      ['<a>b</a>', 'b'],
      [`<a b='/>'>/</a>`, '/'],
      ['<a><b/></a>', '<b/>'],
      ['<a><a></a></a>', '<a></a>'],
    ]) {
      assert.equal(stanza(markup!).inner, inner, markup);
    }
  });
});

describe('indexed', () => {
  it('makes a Stanza of markup of the house, however large', () => {
    for (const size of [0, 1, 4000, 5000, 70_000, 2_000_000]) {
      const each = indexed(`<message><body>${'x'.repeat(size)}</body><a xmlns='b'/></message>`);
      assert.equal(each.childText('body')!.length, size);
      assert.equal(each.has('a', 'b'), true);
      assert.equal(each.xmlns, '');
    }
  });

  it('of bytes above 0x7f', () => {
    const each = indexed(toWire('<a b="\u00e9"><c>\u{1f600}</c></a>'));
    assert.equal(each.attr('b'), '\u00e9');
    assert.equal(each.childText('c'), '\u{1f600}');
    assert.equal(fromWire(each.raw), '<a b="\u00e9"><c>\u{1f600}</c></a>');
  });

  it('throws for anything else, and works on afterwards', () => {
    for (const wrong of [
      '',
      'x',
      'a/>',
      '<a',
      '<a>',
      '<a></b>',
      '<a/><b/>',
      '<a/> ',
      ' <a/>',
      '<!-- -->',
      '</a>',
      '<?xml?>',
      '<a>\u0001</a>',
    ]) {
      assert.throws(() => indexed(wrong), /not canonical/, wrong);
    }
    assert.equal(indexed(`<a><b c='d'/></a>`).childCount, 1);
  });

  it('may be called while a stream is in the middle of a stanza, and from inside a sink', () => {
    const seen: Stanza[] = [];
    const scanner = new Scanner(
      {
        onHeader: () => {},
        onStanza: each => seen.push(each, indexed('<z><y/></z>')),
        onClose: () => {},
        onFault: () => {},
      },
      { bytes: 1000, depth: 9, attributes: 9, elements: 99 },
    );
    scanner.push(Buffer.from(`<s><a b='c'><d>`));
    assert.equal(indexed(`<m><n/><o/></m>`).childCount, 2);
    scanner.push(Buffer.from(`e</d></a><f  g='h'><i/></f>`));
    assert.deepEqual(
      seen.map(({ raw }) => raw),
      [`<a b='c'><d>e</d></a>`, '<z><y/></z>', '<f xmlns="" g="h"><i/></f>', '<z><y/></z>'],
    );
  });
});

describe('wireAttribute', () => {
  it('escapes, whatever the value', () => {
    for (const value of ['', 'a', `'"<>&`, '\u00e9', '\t\r\n', 'a\u0001b']) {
      const each = stanza(`<a${fromWire(wireAttribute('b', value))}/>`);
      assert.equal(each.attr('b'), value.replace('\u0001', '\ufffd'));
    }
  });
});
