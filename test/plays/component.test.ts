import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { type Component, component } from '@xmpp/component';
import { type Element, Scanner, xml } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';

const DOMAIN = 'echo.localhost';
const PING = "<ping xmlns='urn:xmpp:ping'/>";
const INFO = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
const ITEMS = "<query xmlns='http://jabber.org/protocol/disco#items'/>";

/** A component that speaks byte for byte. */
class RawComponent {
  readonly inbox: Element[] = [];
  header: ReadonlyMap<string, string> | undefined;
  closed = false;
  private readonly socket: net.Socket;

  constructor(port: number) {
    this.socket = net.connect(port, '127.0.0.1');
    const scanner = new Scanner(
      {
        onHeader: header => {
          this.header = header.attrs;
        },
        onStanza: stanza => void this.inbox.push(stanza.element()),
        onClose: () => this.socket.end(),
        onFault: fault => assert.fail(fault.text),
      },
      { bytes: 1e9, depth: 1e6, attributes: 1e6, elements: 1e9 },
    );
    this.socket.on('data', chunk => scanner.push(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.closed = true));
  }

  send(markup: string): void {
    this.socket.write(markup);
  }

  open(domain = DOMAIN, xmlns = 'jabber:component:accept'): void {
    this.send(`<stream:stream xmlns='${xmlns}' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}'>`);
  }

  async handshake(secret = 'sesame', domain = DOMAIN): Promise<Element> {
    this.open(domain);
    const header = await until(() => this.header, 'a stream header');
    const digest = createHash('sha1')
      .update(`${header.get('id')}${secret}`)
      .digest('hex');
    this.send(`<handshake>${digest}</handshake>`);
    return this.next();
  }

  next(): Promise<Element> {
    return until(() => this.inbox.shift(), `something for the component; closed: ${this.closed}`);
  }

  /** The condition of the stream error that ends it. */
  async error(): Promise<string> {
    const error = await this.next();
    assert.equal(error.name, 'error', String(error));
    await until(() => this.closed, 'the end');
    return error.getChildElements()[0]!.name;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

describe('play: external components (XEP-0114)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  const raws: RawComponent[] = [];
  const libraries: Component[] = [];

  before(async () => {
    stage = await TestNode.start({
      users: ['romeo', 'juliet'],
      yaml: `modules:
  component:
    components:
      ${DOMAIN}: { secret: sesame, name: Echo }
      Other.LOCALHOST: { secret: "open" }
      localhost: { secret: own }
`,
    });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
  });
  afterEach(async () => {
    for (const raw of raws.splice(0)) raw.destroy();
    for (const library of libraries.splice(0)) await library.stop().catch(() => {});
    await until(() => gauge() === 0, 'all components gone');
    romeo.inbox.length = 0;
  });
  after(() => stage.stop());

  const gauge = () => stage.node.metrics.families.find(({ name }) => name === 'posthouse_components')!.read()[0]!.value;
  const raw = (): RawComponent => {
    const one = new RawComponent(stage.componentPort);
    raws.push(one);
    return one;
  };
  const joined = async (secret?: string, domain?: string): Promise<RawComponent> => {
    const one = raw();
    assert.equal((await one.handshake(secret, domain)).name, 'handshake');
    return one;
  };
  const library = async (): Promise<Component> => {
    const one = component({ service: `xmpp://127.0.0.1:${stage.componentPort}`, domain: DOMAIN, password: 'sesame' });
    one.reconnect.stop();
    one.on('error', () => {});
    libraries.push(one);
    await one.start();
    return one;
  };

  describe('a component that others wrote', () => {
    it('logs in, and messages go both ways', async () => {
      const echo = await library();
      echo.on('stanza', (stanza: Element) => {
        if (stanza.is('message'))
          void echo.send(
            xml(
              'message',
              { to: stanza.attrs.from, from: stanza.attrs.to, type: stanza.attrs.type, id: stanza.attrs.id },
              ...stanza.children,
            ),
          );
      });
      romeo.send(
        `<message to='friar@${DOMAIN}/cell' type='chat' id='m1'><body>Good &amp; morrow, Žofie</body></message>`,
      );
      const message = await romeo.message();
      assert.equal(message.attrs.from, `friar@${DOMAIN}/cell`);
      assert.equal(message.attrs.id, 'm1');
      assert.equal(message.getChildText('body'), 'Good & morrow, Žofie');
      assert.equal(message.getNS(), 'jabber:client');
    });

    it('answers requests, and makes some of its own', async () => {
      const echo = await library();
      echo.iqCallee.get('urn:xmpp:ping', 'ping', () => true);
      assert.equal((await romeo.iq('get', PING, DOMAIN)).attrs.type, 'result');
      assert.equal(condition(await romeo.iq('get', '<x xmlns="urn:example:none"/>', DOMAIN)), 'service-unavailable');
      const version = await echo.iqCaller.get(xml('query', 'jabber:iq:version'), 'localhost');
      assert.equal(version!.getChildText('name'), 'Posthouse');
      await assert.rejects(echo.iqCaller.get(xml('query', 'urn:example:none'), 'localhost'), /service-unavailable/);
    });

    it('subscribes to presence, and shows its own', async () => {
      const echo = await library();
      const came: Element[] = [];
      echo.on('stanza', (stanza: Element) => void came.push(stanza));
      await echo.send(xml('presence', { from: `friar@${DOMAIN}`, to: 'romeo@localhost', type: 'subscribe' }));
      const asked = await romeo.presence(`friar@${DOMAIN}`, 'subscribe');
      assert.equal(asked.attrs.to, 'romeo@localhost');
      romeo.send(`<presence to='friar@${DOMAIN}' type='subscribed'/>`);
      await until(() => came.find(p => p.is('presence') && p.attrs.type === 'subscribed'), 'subscribed');
      const shown = await until(() => came.find(p => p.is('presence') && !p.attrs.type), 'presence');
      assert.deepEqual([shown.attrs.from, shown.attrs.to], [romeo.jid, `friar@${DOMAIN}`]);
      await echo.send(xml('presence', { from: `friar@${DOMAIN}/cell`, to: romeo.jid }, xml('show', {}, 'dnd')));
      assert.equal((await romeo.presence(`friar@${DOMAIN}/cell`)).getChildText('show'), 'dnd');
    });

    it('is refused with a wrong secret', async () => {
      const wrong = component({ service: `xmpp://127.0.0.1:${stage.componentPort}`, domain: DOMAIN, password: 'x' });
      wrong.reconnect.stop();
      wrong.on('error', () => {});
      await assert.rejects(wrong.start(), /not-authorized/);
      await wrong.stop().catch(() => {});
    });
  });

  describe('the handshake (3)', () => {
    it('the header answers with the component name and an id', async () => {
      const one = raw();
      one.open();
      const header = await until(() => one.header, 'a header');
      assert.equal(header.get('from'), DOMAIN);
      assert.ok(header.get('id')!.length >= 16);
      const other = raw();
      other.open();
      assert.notEqual((await until(() => other.header, 'a header')).get('id'), header.get('id'));
    });

    it('refuses a wrong secret, an empty one, and what is no hash', async () => {
      for (const secret of ['wrong', '', 'Sesame']) {
        const one = raw();
        const error = await one.handshake(secret);
        assert.equal(error.getChildElements()[0]!.name, 'not-authorized', secret);
        await until(() => one.closed, 'the end');
      }
      for (const text of ['', 'zz', 'sesame', '0'.repeat(40), '0'.repeat(400)]) {
        const one = raw();
        one.open();
        await until(() => one.header, 'a header');
        one.send(`<handshake>${text}</handshake>`);
        assert.equal(await one.error(), 'not-authorized', text);
      }
    });

    it('refuses domains that nobody configured, and those of the server itself', async () => {
      for (const domain of ['unknown.localhost', 'localhost', '', 'not a domain']) {
        const one = raw();
        one.open(domain);
        assert.equal(await one.error(), 'host-unknown', domain);
      }
    });

    it('refuses other namespaces, stanzas before the handshake, and bad XML', async () => {
      const client = raw();
      client.open(DOMAIN, 'jabber:client');
      assert.equal(await client.error(), 'invalid-namespace');
      const early = raw();
      early.open();
      early.send(`<message from='a@${DOMAIN}' to='romeo@localhost'><body>early</body></message>`);
      assert.equal(await early.error(), 'not-authorized');
      const bad = raw();
      bad.open();
      bad.send('<handshake>&nbsp;</handshake>');
      assert.match(await bad.error(), /^(not-well-formed|restricted-xml)$/);
      assert.deepEqual(await romeo.settle(), []);
    });

    it('a second connection for the same domain is refused, or takes its place', async () => {
      const first = await joined();
      const second = raw();
      assert.equal((await second.handshake()).getChildElements()[0]!.name, 'conflict');
      assert.ok(!first.closed);
      const plain = readFileSync(stage.configFile, 'utf8');
      writeFileSync(stage.configFile, plain.replace('  component:\n', '  component:\n    conflict: replace\n'));
      await stage.node.reload();
      const third = await joined();
      assert.equal(await first.error(), 'conflict');
      romeo.send(`<message to='${DOMAIN}' id='m'><body>to the third</body></message>`);
      assert.equal((await third.next()).getChildText('body'), 'to the third');
      writeFileSync(stage.configFile, plain);
      await stage.node.reload();
    });

    it('the name of a domain is prepared, in the configuration too', async () => {
      const other = await joined('open', 'oTher.localhost');
      romeo.send(`<message to='OTHER.localhost' id='m'><body>x</body></message>`);
      assert.equal((await other.next()).attrs.to, 'other.localhost');
    });
  });

  describe('what it sends', () => {
    it('comes from its own domain, any address of it', async () => {
      const one = await joined();
      one.send(`<message from='a@${DOMAIN}/x' to='romeo@localhost'><body>as one</body></message>`);
      one.send(`<message from='${DOMAIN}' to='romeo@localhost/orchard'><body>as itself</body></message>`);
      assert.equal((await romeo.message()).attrs.from, `a@${DOMAIN}/x`);
      assert.equal((await romeo.message()).attrs.from, DOMAIN);
    });

    for (const [what, from, error] of [
      ['of another domain', "from='romeo@localhost/orchard'", 'invalid-from'],
      ['of a domain below', `from='a@b.${DOMAIN}'`, 'invalid-from'],
      ['without a sender', '', 'improper-addressing'],
      ['of a sender that is none', "from='@@'", 'improper-addressing'],
    ] as const) {
      it(`a stanza ${what} ends its stream`, async () => {
        const one = await joined();
        one.send(`<message ${from} to='romeo@localhost'><body>forged</body></message>`);
        assert.equal(await one.error(), error);
        assert.deepEqual(await romeo.settle(), []);
      });
    }

    it('without an address ends its stream; to what is none, it is told so', async () => {
      const one = await joined();
      one.send(`<message from='${DOMAIN}' to='a@@b' id='m9'><body>x</body></message>`);
      const error = await one.next();
      assert.deepEqual([error.attrs.id, error.attrs.type, condition(error)], ['m9', 'error', 'jid-malformed']);
      one.send(`<message from='${DOMAIN}'><body>x</body></message>`);
      assert.equal(await one.error(), 'improper-addressing');
    });

    it('requests that are none are refused, whatever they ask (RFC 6120 8.2.3)', async () => {
      const one = await joined();
      for (const [attributes, content] of [
        ["type='get' id='i'", ''],
        ["type='get' id='i'", `${PING}${PING}`],
        ["type='set' id='i'", ''],
        ["type='ask' id='i'", PING],
        ["id='i'", PING],
        ["type='get'", PING],
      ]) {
        for (const to of ['localhost', 'romeo@localhost', 'romeo@localhost/orchard', 'nobody@localhost']) {
          one.send(`<iq from='${DOMAIN}' to='${to}' ${attributes}>${content}</iq>`);
          assert.equal(condition(await one.next()), 'bad-request', `${to} ${attributes} ${content}`);
        }
      }
      one.send(`<presence from='${DOMAIN}' to='romeo@localhost' type='dance'/>`);
      assert.equal(condition(await one.next()), 'bad-request');
      assert.deepEqual(await romeo.settle(), []);
    });

    it('what is no stanza ends its stream', async () => {
      for (const [markup, error] of [
        [`<stanza from='${DOMAIN}' to='localhost'/>`, 'unsupported-stanza-type'],
        [`<message xmlns='urn:example:x' from='${DOMAIN}' to='localhost'/>`, 'invalid-namespace'],
        [`<message from='${DOMAIN}' to='localhost'><body></message>`, 'not-well-formed'],
      ] as const) {
        const one = await joined();
        one.send(markup);
        assert.equal(await one.error(), error, markup);
        await until(() => gauge() === 0, 'its end');
      }
    });

    it('reaches clients in their own namespace, and nothing odd reaches them', async () => {
      const one = await joined();
      const ns = 'jabber:component:accept';
      one.send(`<message from='${DOMAIN}' to='romeo@localhost' xmlns='jabber:client'><body>a</body></message>`);
      one.send(`<message from='${DOMAIN}' to='romeo@localhost'><body xmlns='${ns}'>b</body></message>`);
      one.send(
        `<x:message xmlns:x='${ns}' from='${DOMAIN}' to='romeo@localhost'><x:body><![CDATA[<c>]]></x:body></x:message>`,
      );
      for (const body of ['a', 'b', '<c>']) {
        const message = await romeo.message();
        assert.equal(message.getNS(), 'jabber:client');
        assert.equal(message.getChild('body', 'jabber:client')?.getText(), body);
      }
      assert.ok(!romeo.raw.includes(ns));
      assert.ok(!romeo.raw.includes('CDATA'));
    });

    it('is answered in its own namespace', async () => {
      const one = await joined();
      one.send(`<iq type='get' id='q' from='a@${DOMAIN}/x' to='localhost'>${INFO}</iq>`);
      const answer = await one.next();
      assert.equal(answer.getNS(), 'jabber:component:accept');
      assert.deepEqual(
        [answer.attrs.type, answer.attrs.from, answer.attrs.to],
        ['result', 'localhost', `a@${DOMAIN}/x`],
      );
      one.send(`<message id='q2' from='a@${DOMAIN}/x' to='nobody@localhost'><body>x</body></message>`);
      assert.equal(condition(await one.next()), 'service-unavailable');
      one.send(`<iq type='get' id='q3' from='a@${DOMAIN}/x' to='romeo@localhost/nowhere'>${PING}</iq>`);
      assert.equal(condition(await one.next()), 'service-unavailable');
    });

    it('may go to itself, and to another component', async () => {
      const one = await joined();
      const other = await joined('open', 'other.localhost');
      one.send(`<message from='a@${DOMAIN}' to='b@${DOMAIN}'><body>self</body></message>`);
      assert.equal((await one.next()).getChildText('body'), 'self');
      one.send(`<message from='a@${DOMAIN}' to='b@other.localhost'><body>other</body></message>`);
      assert.equal((await other.next()).attrs.from, `a@${DOMAIN}`);
    });

    it('a flood of it keeps its order, and others are served meanwhile', async () => {
      const one = await joined();
      let flood = '';
      for (let i = 0; i < 3000; i++)
        flood += `<message from='${DOMAIN}' to='romeo@localhost'><body>${i}</body></message>`;
      one.send(flood);
      const juliet = await stage.login('juliet@localhost/balcony');
      assert.equal((await juliet.iq('get', PING)).attrs.type, 'result');
      await until(() => romeo.inbox.length >= 3000, 'the flood');
      const bodies = romeo.inbox.splice(0).map(message => Number(message.getChildText('body')));
      assert.deepEqual(bodies, [...bodies.keys()]);
      await juliet.end();
    });
  });

  describe('while it is away', () => {
    it('what is for it comes back, and goes to it once it is there again', async () => {
      const away = async () => {
        romeo.send(`<message to='x@${DOMAIN}' type='chat' id='m'><body>anybody?</body></message>`);
        assert.equal(condition(await romeo.message()), 'remote-server-timeout');
        assert.equal(condition(await romeo.iq('get', PING, DOMAIN)), 'remote-server-timeout');
      };
      await away();
      const one = await joined();
      romeo.send(`<message to='x@${DOMAIN}' type='chat' id='m'><body>there</body></message>`);
      assert.equal((await one.next()).getChildText('body'), 'there');
      one.destroy();
      await until(() => gauge() === 0, 'its end');
      await away();
      const again = await joined();
      romeo.send(`<message to='x@${DOMAIN}' type='chat' id='m'><body>again</body></message>`);
      assert.equal((await again.next()).getChildText('body'), 'again');
      again.send('</stream:stream>');
      await until(() => again.closed, 'its end');
      await away();
    });

    it('a domain of nobody is not found', async () => {
      assert.equal(condition(await romeo.iq('get', PING, 'nowhere.localhost')), 'remote-server-not-found');
    });

    it('disco lists it while it is there, by its name', async () => {
      const listed = async () =>
        (await romeo.iq('get', ITEMS, 'localhost'))
          .getChild('query')!
          .getChildren('item')
          .filter(({ attrs }) => attrs.name === 'Echo')
          .map(({ attrs }) => `${attrs.jid} ${attrs.name}`);
      assert.deepEqual(await listed(), []);
      const one = await joined();
      assert.deepEqual(await listed(), [`${DOMAIN} Echo`]);
      one.destroy();
      await until(() => gauge() === 0, 'its end');
      assert.deepEqual(await listed(), []);
    });

    it('the module goes, and its streams with it; clients stay', async () => {
      const one = await joined();
      await stage.node.modules.unload('component');
      assert.equal(await one.error(), 'system-shutdown');
      assert.equal(condition(await romeo.iq('get', PING, DOMAIN)), 'remote-server-not-found');
      const refused = raw();
      await until(() => refused.closed, 'a connection that nobody takes');
      await stage.node.modules.load('component');
      await joined();
    });
  });
});
