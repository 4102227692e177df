import assert from 'node:assert/strict';
import { type ScannerSink, Scanner, type Stanza } from '../../src/xml/index.ts';
import { byteByByte, Collector, END, HEADER, LIMITS, scan, scanInside, STREAM_NS, twoWays } from './kit.ts';

describe('A stream from its header to its end', () => {
  it('tells the header: local name, namespace, content namespace, attributes unescaped', () => {
    const { found } = scan(
      `<?xml version='1.0'?>\n<s:stream to='a&amp;b' xmlns:s="${STREAM_NS}" xml:lang = 'de' xmlns='jabber:client' from='r\n&#xE9;'>`,
    );
    assert.deepEqual(found, [
      {
        what: 'header',
        name: 'stream',
        xmlns: STREAM_NS,
        content: 'jabber:client',
        attrs: { to: 'a&b', 'xmlns:s': STREAM_NS, 'xml:lang': 'de', xmlns: 'jabber:client', from: 'r é' },
      },
    ]);
  });

  it('the header is found whole however it is cut, in every two and byte by byte', () => {
    const input = `<?xml version='1.0' encoding="utf-8"?>\n${HEADER}<a/> ${END}`;
    const whole = scan(input).found;
    assert.deepEqual(
      whole.map(({ what }) => what),
      ['header', 'stanza', 'close'],
    );
    for (const cuts of [...twoWays(input.length), byteByByte(input.length)])
      assert.deepEqual(scan(input, { cuts }).found, whole);
  });

  const declarations: [string, string | undefined][] = [
    [`<?xml version='1.0'?>`, undefined],
    [`<?xml version="1.0" encoding='UTF-8' standalone="yes" ?>`, undefined],
    [`<?xml\tversion = "1.1"\nencoding="utf-8"?>`, undefined],
    [`<?xml version='1.0' standalone='no'?>`, undefined],
    [`<?xml version='1.0' encoding='UTF-16'?>`, 'unsupported-encoding'],
    [`<?xml version='1.0' encoding='ISO-8859-1'?>`, 'unsupported-encoding'],
    [`<?xml version='1.0' encoding='US-ASCII'?>`, 'unsupported-encoding'],
    [`<?xml version='2.0'?>`, 'not-well-formed'],
    [`<?xml?>`, 'not-well-formed'],
    [`<?xml encoding='UTF-8'?>`, 'not-well-formed'],
    [`<?xml standalone='yes' version='1.0'?>`, 'not-well-formed'],
    [`<?xml version='1.0'encoding='UTF-8'?>`, 'not-well-formed'],
    [`<?xml version='1.0' encoding='UTF-8\u00a0'?>`, 'not-well-formed'],
    [`<?xml version='1.0" ?>`, 'not-well-formed'],
    [`<?xml version='1.0' standalone='maybe'?>`, 'not-well-formed'],
    [`<?XML version='1.0'?>`, 'not-well-formed'],
    [`<?xml-stylesheet href='a'?>`, 'not-well-formed'],
    [`<?xml version='1.0'${' '.repeat(200)}?>`, 'not-well-formed'],
    [`<?xml version='1.0'${' '.repeat(300_000)}`, 'not-well-formed'],
    [` <?xml version='1.0'?>`, 'restricted-xml'],
    [`<?xml version='1.0'?><?xml version='1.0'?>`, 'restricted-xml'],
    [`<!DOCTYPE stream>`, 'restricted-xml'],
    [`<!-- x -->`, 'restricted-xml'],
  ];
  describe('XML declaration (XML 1.0 2.8)', () => {
    for (const [text, condition] of declarations) {
      it(`${JSON.stringify(text.replace(/ {9,}/, '…'))}: ${condition ?? 'accepted'}`, () => {
        const input = Buffer.from(text + HEADER);
        const { found } = scan(input);
        assert.equal(found[0]!.condition, condition);
        assert.equal(found.length, 1);
        if (input.length < 1000) assert.deepEqual(scan(input, { cuts: byteByByte(input.length) }).found, found);
      });
    }
  });

  const headers: [string, string][] = [
    ['x', 'not-well-formed'],
    ['\0', 'unsupported-encoding'],
    ['\ufeff<stream>', 'not-well-formed'],
    ['</stream>', 'not-well-formed'],
    ['<![CDATA[x]]>', 'bad-format'],
    ['<stream:stream>', 'not-well-formed'],
    [`<s:s xmlns:s='a' s:b='' s:b=''>`, 'not-well-formed'],
    [`<s:s xmlns:s='a' xmlns:t='a' s:b='' t:b=''>`, 'not-well-formed'],
    [`<s xmlns:xmlns='a'>`, 'not-well-formed'],
    [`<s t:b=''>`, 'not-well-formed'],
    [`<s xmlns:1=''>`, 'not-well-formed'],
    [`<s\u00a0 b=''>`, 'not-well-formed'],
    [`<s b='\uffff'>`, 'not-well-formed'],
    [`<s b='&nbsp;'>`, 'restricted-xml'],
    [`<s b='${'x'.repeat(LIMITS.bytes)}'>`, 'policy-violation'],
    [`<s ${Array.from({ length: 101 }, (_, k) => `a${k}=''`).join(' ')}>`, 'policy-violation'],
  ];
  describe('headers that are none', () => {
    for (const [text, condition] of headers) {
      it(`${JSON.stringify(text.slice(0, 60))}: ${condition}`, () => assert.equal(scan(text).condition, condition));
    }
  });

  it('bytes of a header that are not UTF-8 are another encoding', () => {
    assert.equal(scan(Buffer.from(`<s b='\xe9'>`, 'latin1')).condition, 'unsupported-encoding');
  });

  it('the root end tag closes; nothing that follows is looked at', () => {
    assert.deepEqual(scanInside(`</stream:stream \n><a><&&`).found, [{ what: 'close' }]);
    assert.deepEqual(
      scan(`<s/><a/>`).found.map(({ what }) => what),
      ['header', 'close'],
    );
    for (const wrong of [
      '</stream:strea>',
      '</stream:streams>',
      '</stream>',
      '</ stream:stream>',
      '</stream:stream/>',
      '</>',
    ]) {
      assert.equal(scanInside(wrong).condition, 'not-well-formed', wrong);
    }
  });

  it('a second header, before the end of the stream, is bad format', () => {
    assert.equal(scanInside(HEADER).condition, 'bad-format');
    assert.equal(scanInside(`<stream:stream  a='b' >`).condition, 'bad-format');
    assert.equal(scanInside(`<stream:streams/>`).condition, undefined);
    assert.equal(scan(HEADER.repeat(2), { cuts: byteByByte(HEADER.length * 2) }).condition, 'bad-format');
  });

  it('nothing follows a fault', () => {
    const collector = new Collector();
    const scanner = new Scanner(collector, LIMITS);
    scanner.push(Buffer.from(`${HEADER}<a/><b></c><d/>`));
    scanner.push(Buffer.from(`<e/>${END}`));
    assert.deepEqual(
      collector.found.map(({ what }) => what),
      ['header', 'stanza', 'fault'],
    );
    assert.equal(scanner.pendingBytes, 0);
    assert.equal(scanner.pendingCapacity, 0);
  });

  it('white space between stanzas is nothing (RFC 6120 4.6.1)', () => {
    const { found } = scanInside(' \n\t\r<a/>\n\n <b/> ');
    assert.deepEqual(
      found.map(({ name }) => name),
      ['a', 'b'],
    );
  });

  it('keeps no bytes and no buffer between stanzas', () => {
    const scanner = new Scanner(new Collector(), LIMITS);
    scanner.push(Buffer.from(`${HEADER}<a>`));
    assert.equal(scanner.midway, true);
    assert.equal(scanner.pendingBytes, 3);
    scanner.push(Buffer.from(`</a> `));
    assert.deepEqual([scanner.midway, scanner.pendingBytes, scanner.pendingCapacity], [false, 0, 0]);
  });
});

/** A scanner whose sink does something at a stanza of that name. */
function acting(
  name: string,
  act: (scanner: Scanner, stanza: Stanza) => void,
): { scanner: Scanner; names: () => unknown[] } {
  const collector = new Collector();
  const sink: ScannerSink = {
    onHeader: header => collector.onHeader(header),
    onStanza: stanza => {
      collector.onStanza(stanza);
      if (stanza.name === name) act(scanner, stanza);
    },
    onClose: () => collector.onClose(),
    onFault: fault => collector.onFault(fault),
  };
  const scanner = new Scanner(sink, LIMITS);
  return { scanner, names: () => collector.found.map(({ what, name }) => (what === 'stanza' ? name : what)) };
}

describe('A sink that acts from inside a call', () => {
  it('hold: no more until release, however much comes meanwhile; order is kept', () => {
    const { scanner, names } = acting('b', it => it.hold());
    scanner.push(Buffer.from(`${HEADER}<a/><b/><c/><d`));
    assert.deepEqual(names(), ['header', 'a', 'b']);
    scanner.push(Buffer.from(`/><e/><b/><f/>`));
    assert.deepEqual(names(), ['header', 'a', 'b']);
    assert.equal(scanner.pendingBytes, '<c/><d/><e/><b/><f/>'.length);
    scanner.release();
    assert.deepEqual(names(), ['header', 'a', 'b', 'c', 'd', 'e', 'b']);
    scanner.release();
    assert.deepEqual(names(), ['header', 'a', 'b', 'c', 'd', 'e', 'b', 'f']);
    assert.equal(scanner.pendingCapacity, 0);
  });

  it('hold from outside, in the middle of a stanza and of a tag', () => {
    const input = `<a b='c'><d>e</d></a>`;
    for (const [cut] of twoWays(input.length)) {
      const { scanner, names } = acting('', () => {});
      scanner.push(Buffer.from(HEADER + input.slice(0, cut)));
      scanner.hold();
      scanner.push(Buffer.from(input.slice(cut)));
      assert.deepEqual(names(), ['header']);
      scanner.release();
      assert.deepEqual(names(), ['header', 'a']);
    }
  });

  it('hold and release in the same call change nothing', () => {
    const { scanner, names } = acting('a', it => {
      it.hold();
      it.release();
    });
    scanner.push(Buffer.from(`${HEADER}<a/><b/>`));
    assert.deepEqual(names(), ['header', 'a', 'b']);
  });

  it('stop: what is left is dropped', () => {
    const { scanner, names } = acting('a', it => it.stop());
    scanner.push(Buffer.from(`${HEADER}<a/><b/><c`));
    scanner.push(Buffer.from(`/>`));
    assert.deepEqual(names(), ['header', 'a']);
    assert.equal(scanner.pendingCapacity, 0);
  });

  it('reset: a new header, and a declaration, come next (RFC 6120 4.3.3); the prefixes of the old one are gone', () => {
    const { scanner, names } = acting('success', it => it.reset());
    // the line end behind <success/> belongs to the stream before
    scanner.push(Buffer.from(`${HEADER}<success/>\r\n<?xml version='1.0'?><s><a/></s>`));
    assert.deepEqual(names(), ['header', 'success', 'header', 'a', 'close']);
    const again = acting('success', it => it.reset());
    again.scanner.push(Buffer.from(`${HEADER}<success/><s><stream:a/></s>`));
    assert.deepEqual(again.names(), ['header', 'success', 'header', 'fault']);
  });

  it('reset while held: the new stream is read at release, with new limits', () => {
    const { scanner, names } = acting('success', it => it.hold());
    scanner.push(Buffer.from(`${HEADER}<success/><s xmlns='x'><a>${'b'.repeat(100)}</a>`));
    scanner.limits = { ...LIMITS, bytes: 50 };
    scanner.reset();
    scanner.release();
    assert.deepEqual(names(), ['header', 'success', 'header', 'fault']);
  });

  it('push: what comes from inside comes behind what is there already', () => {
    const { scanner, names } = acting('a', it => {
      it.push(Buffer.from('/><d/>'));
      it.push(Buffer.from('<e/>'));
    });
    scanner.push(Buffer.from(`${HEADER}<a/><b/><c`));
    assert.deepEqual(names(), ['header', 'a', 'b', 'c', 'd', 'e']);
  });

  it('an exception goes through, and the scanner takes no more', () => {
    const { scanner, names } = acting('b', () => {
      throw new Error('a bug');
    });
    scanner.push(Buffer.from(`${HEADER}<a/>`));
    assert.throws(() => scanner.push(Buffer.from('<b/><c/>')), /a bug/);
    for (let k = 0; k < 100; k++) scanner.push(Buffer.alloc(1000, 0x20));
    scanner.push(Buffer.from('<d/>'));
    assert.deepEqual(names(), ['header', 'a', 'b']);
    assert.equal(scanner.pendingCapacity, 0);
  });

  it('another scanner may be fed meanwhile', () => {
    const other = new Collector();
    const inner = new Scanner(other, LIMITS, true);
    const { scanner, names } = acting('a', (_, stanza) => inner.push(Buffer.from(stanza.raw, 'latin1')));
    scanner.push(Buffer.from(`${HEADER}<a><b/></a><a c='d'/><p/>`));
    assert.deepEqual(names(), ['header', 'a', 'a', 'p']);
    assert.deepEqual(
      other.stanzas.map(({ raw }) => raw),
      ['<a><b/></a>', `<a c='d'/>`],
    );
  });
});

describe('In frames (RFC 7395)', () => {
  it('each element is a stanza with the namespace that it declares itself', () => {
    const { found } = scan(
      `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a'/><message xmlns="jabber:client"/><x/>`,
      {
        framed: true,
      },
    );
    assert.deepEqual(
      found.map(({ name, xmlns }) => [name, xmlns]),
      [
        ['open', 'urn:ietf:params:xml:ns:xmpp-framing'],
        ['message', 'jabber:client'],
        ['x', ''],
      ],
    );
  });

  it('prefixes must be declared in the frame itself', () => {
    const { stanzas } = scan(`<stream:features xmlns:stream='${STREAM_NS}'><a xmlns='b'/></stream:features>`, {
      framed: true,
    });
    assert.equal(stanzas[0]!.raw, `<features xmlns="${STREAM_NS}"><a xmlns="b"/></features>`);
    assert.equal(scan('<stream:features/>', { framed: true }).condition, 'not-well-formed');
  });

  it('reset leaves no header to wait for', () => {
    const collector = new Collector();
    const scanner = new Scanner(collector, LIMITS, true);
    scanner.push(Buffer.from('<a/>'));
    scanner.reset();
    scanner.push(Buffer.from('<b/>'));
    assert.deepEqual(
      collector.found.map(({ name }) => name),
      ['a', 'b'],
    );
  });
});

describe('What is known of an incomplete element is used again', () => {
  const odd = `<a:b xmlns:a='c' d='e'><f g='h'><i/></f>`;
  const afterwards = `<message to='x'><body>y</body><z xmlns='urn:z'/></message>`;
  const clean = scanInside(afterwards).found;

  for (const [how, spoil] of Object.entries({
    'a fault': '<a b="c"><d e="f"><g xmlns="h">\u0001',
    'a fault in a prefixed element': `${odd}</nonsense>`,
    'a fault by namespace': `<p:a><b/><c/></p:a>`,
    'a fault by encoding': Buffer.from('<a><b/><c/>\xff</a>', 'latin1'),
    'the end of a stream': `${END}`,
    'a fault in a reference': '<a>&#xD800;',
    'a fault in an attribute': '<a b="c" b="d"/>',
  })) {
    it(`after ${how} nothing of it is left for the next stanza`, () => {
      scanInside(spoil);
      assert.deepEqual(scanInside(afterwards).found, clean);
    });
  }

  it('after stop and reset in the middle of a stanza', () => {
    for (const end of ['stop', 'reset'] as const) {
      const scanner = new Scanner(new Collector(), LIMITS);
      scanner.push(Buffer.from(HEADER + odd));
      scanner[end]();
      assert.deepEqual(scanInside(afterwards).found, clean);
    }
  });

  it('many scanners in the middle of their stanzas do not get into each other', () => {
    const all = Array.from({ length: 200 }, () => {
      const collector = new Collector();
      return { collector, scanner: new Scanner(collector, LIMITS) };
    });
    const input = Buffer.from(HEADER + afterwards);
    for (let at = 0; at < input.length; at += 7) {
      for (const { scanner } of all) scanner.push(input, at, Math.min(at + 7, input.length));
    }
    for (const { collector } of all) assert.deepEqual(collector.found.slice(1), clean);
  });
});
