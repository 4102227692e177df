import assert from 'node:assert/strict';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { readStanza } from '../kit/wire.ts';
import { type Line, Lines } from './line.ts';

describe('What may not come over the wire', () => {
  let node: TestNode;
  let lines: Lines;

  before(async () => {
    node = await TestNode.start({
      users: ['romeo', 'juliet'],
      yaml: 'limits: { stanza: 20000, unauthenticatedTime: 1 s }\n',
    });
    lines = new Lines(node);
  });
  afterEach(() => lines.cut());
  after(() => node.stop());

  /** Romeo and Juliet, both online. */
  async function both(): Promise<{ romeo: Line; juliet: Line }> {
    const romeo = await lines.login('romeo', 'orchard');
    const juliet = await lines.login('juliet', 'balcony');
    return { romeo, juliet };
  }

  const to = `to='juliet@localhost/balcony'`;

  it('malformed XML ends the stream, and reaches nobody', async () => {
    const cases: [string, string][] = [
      [`<message ${to}><body></message>`, 'not-well-formed'],
      [`<message ${to}><body>a & b</body></message>`, 'not-well-formed'],
      [`<message ${to}><body>]]></body></message>`, 'not-well-formed'],
      [`<message ${to}><body a=b/></message>`, 'not-well-formed'],
      [`<message ${to}><body a='<'/></message>`, 'not-well-formed'],
      [`<message ${to} ${to}/>`, 'not-well-formed'],
      [`<message ${to} id='1'id='2'/>`, 'not-well-formed'],
      [`<message ${to}><1/></message>`, 'not-well-formed'],
      [`<message ${to}><body>\u0001</body></message>`, 'not-well-formed'],
      [`<message ${to}><body>&#0;</body></message>`, 'not-well-formed'],
      [`<message ${to}><body>&#xD800;</body></message>`, 'not-well-formed'],
      [`<message ${to}><body>&nbsp;</body></message>`, 'restricted-xml'],
      [`<message ${to}><!-- --></message>`, 'restricted-xml'],
      [`<message ${to}><?php ?></message>`, 'restricted-xml'],
      [`<!DOCTYPE x [<!ENTITY y 'z'>]>`, 'restricted-xml'],
      [`<?xml version='1.0'?>`, 'restricted-xml'],
      [`<message ${to}><x:y/></message>`, 'not-well-formed'],
      [`<message ${to}><y x:z='1'/></message>`, 'not-well-formed'],
      [`<message ${to} xmlns:a='u' xmlns:b='u'><y a:z='1' b:z='2'/></message>`, 'not-well-formed'],
      [`<message ${to}><y xmlns:x=''/></message>`, 'not-well-formed'],
      [`<message ${to}><y xmlns:xml='u'/></message>`, 'not-well-formed'],
      [`<message ${to}/>text`, 'bad-format'],
      [`<![CDATA[x]]>`, 'bad-format'],
    ];
    const juliet = await lines.login('juliet', 'balcony');
    for (const [markup, condition] of cases) {
      const romeo = await lines.login('romeo', 'orchard');
      romeo.send(markup);
      try {
        await romeo.endsWith(condition);
      } catch (error) {
        throw new Error(`after ${markup}`, { cause: error });
      }
    }
    const bytes = await lines.login('romeo', 'orchard');
    bytes.send(
      Buffer.concat([
        Buffer.from(`<message ${to}><body>`),
        Buffer.from([0xc0, 0x80]),
        Buffer.from('</body></message>'),
      ]),
    );
    await bytes.endsWith('unsupported-encoding');
    const heard = await juliet.settle();
    // only the whole stanza before the text
    assert.equal(heard.match(/<message /g)?.length, 1);
  });

  it('what is well-formed but odd reaches others in plain words', async () => {
    const { romeo, juliet } = await both();
    const odd: [string, string][] = [
      [`<message\n${to}\tid="1"  ><body   >a</body\n></message >`, 'a'],
      [`<message ${to} id='1'><body><![CDATA[<b>&]]>]]&gt;</body></message>`, '<b>&]]>'],
      [`<message ${to} id='1'><c:body xmlns:c='jabber:client'>a</c:body></message>`, 'a'],
      [`<c:message xmlns:c='jabber:client' ${to} id='1'><c:body>a</c:body></c:message>`, 'a'],
      [`<message ${to} id='1'><body>&#x61;&#10;</body></message>`, 'a\n'],
      [
        `<message ${to} id='1' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><body>a</body></message>`,
        'a',
      ],
      [`<message ${to} id='1'><body>&lt;/body>&apos;&quot;</body></message>`, `</body>'"`],
    ];
    for (const [markup, body] of odd) {
      romeo.send(markup);
      const [wire] = await juliet.expect(/<message .*?<\/message>/s);
      assert.doesNotMatch(wire, /CDATA|<\w+:|<\/\w+:/, markup);
      const stanza = readStanza(wire);
      assert.equal(stanza.attr('from'), 'romeo@localhost/orchard');
      assert.equal(stanza.childText('body'), body, markup);
    }
  });

  it('nothing can be smuggled past the addresses of a stanza', async () => {
    const { romeo, juliet } = await both();
    // an attribute that another parser would take for 'from'; a stanza inside of a stanza; a declaration that moves what follows
    for (const markup of [
      `<message ${to} id='1' xmlns:x='u' x:from='juliet@localhost'><body>a</body></message>`,
      `<message ${to} id='1'><message from='juliet@localhost' ${to}><body>b</body></message><body>a</body></message>`,
      `<message ${to} id='1'><x xmlns='jabber:server' from='juliet@localhost'/><body>a</body></message>`,
      `<message ${to} id='1'><stream:error xmlns:stream='http://etherx.jabber.org/streams'/><body>a</body></message>`,
      `<message ${to} id="1'><from='juliet@localhost'"><body>a</body></message>`.replace('<from', '&lt;from'),
    ]) {
      romeo.send(markup);
      await juliet.expect(/<body>a<\/body>(?:<stanza-id [^>]*\/>)?<\/message>/);
      const wire = juliet.all.slice(
        juliet.all.lastIndexOf("<message from='romeo"),
        juliet.all.length - juliet.text.length,
      );
      const stanza = readStanza(wire);
      assert.equal(stanza.name, 'message');
      assert.equal(stanza.attr('from'), 'romeo@localhost/orchard');
      assert.equal(stanza.element().attrs.from, 'romeo@localhost/orchard');
    }
  });

  it('a stanza without a language has that of its stream (RFC 6120 8.1.5)', async () => {
    const juliet = await lines.login('juliet', 'balcony');
    // as the stream behind the login says it
    const german = await lines.tcp();
    await german.open();
    await german.plain('romeo');
    german.send(
      `<stream:stream to='localhost' version='1.0' xml:lang='de' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    await german.expect(/<stream:stream [^>]*xml:lang='de'.*<\/stream:features>/s);
    await german.bind('orchard');
    german.send(`<message ${to}><body>a</body></message>`);
    await juliet.expect(/<message [^>]*xml:lang='de'[^>]*><body>a</);
    german.send(`<message ${to} xml:lang='fr'><body>b</body></message>`);
    const [french] = await juliet.expect(/<message [^>]*><body>b</);
    assert.match(french, /xml:lang=['"]fr['"]/);
    assert.doesNotMatch(french, /de'/);
  });

  it("another's address ends the stream (RFC 6120 8.1.2.1)", async () => {
    const juliet = await lines.login('juliet', 'balcony');
    for (const from of ['juliet@localhost', 'romeo@localhost/elsewhere', 'localhost', 'x', '']) {
      const romeo = await lines.login('romeo', 'orchard');
      romeo.send(`<message ${to} from='${from}'/>`);
      await romeo.endsWith('invalid-from');
    }
    assert.doesNotMatch(await juliet.settle(), /<message/);
  });

  it('stanzas before login, and before a resource is bound', async () => {
    const early = await lines.tcp();
    await early.open();
    early.send(`<message ${to}><body>a</body></message>`);
    await early.endsWith('not-authorized');
    const unbound = await lines.tcp();
    await unbound.authenticate('romeo');
    unbound.send(`<message ${to}><body>a</body></message>`);
    await unbound.endsWith('not-authorized');
  });

  it('other namespaces', async () => {
    for (const markup of [
      `<message xmlns='jabber:server' ${to}/>`,
      `<message xmlns='' ${to}/>`,
      `<x xmlns='urn:x'/>`,
      `<c:message xmlns:c='jabber:component:accept' ${to}/>`,
    ]) {
      const romeo = await lines.login('romeo', 'orchard');
      romeo.send(markup);
      await romeo.endsWith('unsupported-stanza-type');
    }
    const server = await lines.tcp();
    server.send(
      `<stream:stream to='localhost' version='1.0' xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    await server.endsWith('invalid-namespace');
  });

  it('stanzas that are too long, too deep, too wide', async () => {
    for (const markup of [
      `<message ${to}><body>${'x'.repeat(25_000)}`,
      `<message ${to}>${'<x>'.repeat(100)}`,
      `<message ${to}><x ${Array.from({ length: 100 }, (_, n) => `a${n}=''`).join(' ')}`,
    ]) {
      const romeo = await lines.login('romeo', 'orchard');
      romeo.send(markup);
      await romeo.endsWith('policy-violation');
    }
    // the longest that may be
    const { romeo, juliet } = await both();
    romeo.send(`<message ${to}><body>${'x'.repeat(19_000)}</body></message>`);
    await juliet.expect(/x{19000}<\/body>/);
  });

  it('much of anything before login', async () => {
    const long = await lines.tcp();
    long.send(`<stream:stream a='${'x'.repeat(9000)}`);
    await long.endsWith('policy-violation');
    const much = await lines.tcp();
    await much.open();
    for (let n = 0; n < 40; n++) much.send(' '.repeat(1000));
    await much.endsWith('policy-violation');
    const attributes = await lines.tcp();
    attributes.send(`<stream:stream ${Array.from({ length: 100 }, (_, n) => `a${n}=''`).join(' ')}`);
    await attributes.endsWith('policy-violation');
  });

  it('one byte after the other, for longer than a login may take', async () => {
    const [dribbler, silent, half] = await Promise.all([lines.tcp(), lines.tcp(), lines.tcp()]);
    const timer = setInterval(() => !dribbler.closed && dribbler.send(' '), 50);
    try {
      await half.open();
      await Promise.all([dribbler, silent, half].map(line => line.endsWith('connection-timeout')));
    } finally {
      clearInterval(timer);
    }
  });

  it('one byte after the other in a session, which is all right', async () => {
    const { romeo, juliet } = await both();
    for (const byte of Buffer.from(`<message ${to}><body>❤</body></message>`)) romeo.send(Buffer.of(byte));
    await juliet.expect(/<body>❤<\/body>/);
  });

  it('no connection stays open behind an error, nor is kept by a client that does not close', async () => {
    const rude = await lines.tcp();
    rude.send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await rude.endsWith('not-well-formed');
    lines.cut();
    await until(() => node.node.streams.size === 0, 'the end of all streams');
    assert.equal(node.node.sessionCount, 0);
  });

  it('a second header', async () => {
    const line = await lines.tcp();
    await line.open();
    line.send(
      `<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    await line.endsWith('bad-format');
  });
});
