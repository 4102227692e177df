import assert from 'node:assert/strict';
import https from 'node:https';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import type { WebSocket } from 'ws';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { ask, Bosh, ending, HTTPBIND } from './bosh-client.ts';
import { fill, Lines, NS } from './line.ts';

const message = (id: string): string =>
  `<message xmlns='jabber:client' to='juliet@localhost' id='${id}'><body>${id}</body></message>`;

function get(url: string, host: string): Promise<{ status: number; headers: http.IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const client = url.startsWith('https:') ? https : http;
    client
      .get(url, { headers: { host }, rejectUnauthorized: false, agent: false } as https.RequestOptions, response => {
        let body = '';
        response.on('data', chunk => (body += String(chunk)));
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      })
      .on('error', reject);
  });
}

describe('WebSocket over the wire: RFC 7395', () => {
  let node: TestNode;
  let lines: Lines;

  before(async () => {
    node = await TestNode.start({
      users: ['romeo', 'juliet'],
      yaml: 'hosts: { localhost: {}, two.example: {} }\nlimits: { stanza: 20000, bytesPerSecond: 0, stanzasPerSecond: 0 }\n',
    });
    lines = new Lines(node);
  });
  afterEach(() => lines.cut());
  after(() => node.stop());

  it("speaks the subprotocol 'xmpp', and no other (3.1)", async () => {
    const line = await lines.websocket(['mqtt', 'xmpp']);
    assert.equal((line.socket as WebSocket).protocol, 'xmpp');
    await assert.rejects(lines.websocket(['mqtt']), /400/);
    await assert.rejects(lines.websocket([]), /400/);
    await assert.rejects(lines.websocket('xmpp', `wss://127.0.0.1:${node.httpsPort}/xmpp`), /404/);
  });

  it('lets go of those who are refused, though they do not go', async () => {
    for (const [path, status] of [
      ['/xmpp-websocket', '400'],
      ['/xmpp', '404'],
    ]) {
      const socket = net.connect({ port: node.httpPort, host: '127.0.0.1', allowHalfOpen: true });
      let heard = '';
      let closed = false;
      socket.on('data', chunk => (heard += String(chunk)));
      socket.on('error', () => {});
      socket.on('close', () => (closed = true));
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      );
      await until(() => socket.readableEnded, 'an answer');
      assert(heard.startsWith(`HTTP/1.1 ${status} `), heard);
      // where nobody is there to take it, it comes back
      await until(() => {
        if (!closed) socket.write(' ');
        return closed;
      }, 'the end').finally(() => socket.destroy());
    }
  });

  it('is what an upgrade is for: who asks for HTTP/2 is answered as who does not (RFC 9110 7.8)', async function () {
    if (!('shouldUpgradeCallback' in http.createServer())) return this.skip();
    const headers = {
      Connection: 'Upgrade, HTTP2-Settings',
      Upgrade: 'h2c',
      'HTTP2-Settings': 'AAMAAABkAAQAoAAAAAIAAAAA',
    };
    const url = `http://127.0.0.1:${node.httpPort}`;
    const page = await ask(`${url}/.well-known/host-meta`, '', { method: 'GET', headers });
    assert.match(page.text, /<XRD /);
    const body = `<body xmlns='${HTTPBIND}' ver='1.6' to='localhost' rid='5'/>`;
    assert.match((await ask(`${url}/http-bind`, body, { headers })).text, / sid='/);
    assert.equal((await ask(`${url}/xmpp-websocket`, '', { method: 'GET', headers })).status, 426);
  });

  it('carries a chat', async () => {
    const romeo = await (await lines.websocket()).login('romeo', 'orchard');
    const juliet = await (await lines.websocket()).login('juliet', 'balcony');
    juliet.stanza('<presence/>');
    await juliet.expect(/<presence xmlns='jabber:client' /);
    romeo.send(message('m1'));
    // each stanza a document of its own
    await juliet.expect(/<message xmlns='jabber:client' from='romeo@localhost\/orchard'[^>]*><body>m1<\/body>/);
    assert.equal(
      node.node.session(node.node.user({ bare: 'romeo@localhost' } as never)!.sessions[0]!.jid)!.transport,
      'websocket',
    );
  });

  it('closes as XMPP does, then as WebSocket does (3.6)', async () => {
    const line = await (await lines.websocket()).login('romeo', 'orchard');
    line.send(`<close xmlns='${NS.framing}'/>`);
    await line.expect(/^<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'\/>$/);
    await line.end();
    assert.equal(line.code, 1000);
    await until(() => node.node.sessionCount === 0, 'the end of the session');
  });

  it('a WebSocket that is closed without <close/> ends the session, or leaves it to be resumed', async () => {
    const first = await (await lines.websocket()).login('romeo', 'orchard');
    (first.socket as WebSocket).close();
    await until(() => node.node.sessionCount === 0, 'the end of the session');
    const second = await (await lines.websocket()).login('romeo', 'orchard');
    const id = await second.enable();
    (second.socket as WebSocket).close(1001);
    await second.end();
    const third = await lines.websocket();
    await third.authenticate('romeo');
    third.send(`<resume xmlns='${NS.sm}' previd='${id}' h='0'/>`);
    await third.expect(/<resumed [^>]*h='0'/);
  });

  it('a frame holds one element (3.3.3)', async () => {
    for (const frame of [
      message('a').slice(0, 20),
      message('a') + message('b'),
      '<',
      `<message xmlns='jabber:client'>`,
    ]) {
      const line = await (await lines.websocket()).login('romeo', 'orchard');
      line.send(frame);
      await line.endsWith('not-well-formed');
      assert.equal(line.code, 1000);
    }
    const stream = await lines.websocket();
    stream.send(
      `<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' to='localhost' version='1.0'>`,
    );
    await stream.endsWith('not-well-formed');
  });

  it('a message may come in fragments, which are none of XMPP', async () => {
    const line = await (await lines.websocket()).login('romeo', 'orchard');
    const socket = line.socket as WebSocket;
    const text = `<iq xmlns='jabber:client' type='get' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>`;
    socket.send(text.slice(0, 15), { fin: false });
    socket.send(text.slice(15, 40), { fin: false });
    socket.send(text.slice(40), { fin: true });
    await line.expect(/<iq xmlns='jabber:client' type='result' id='p1'/);
  });

  it('is text: binary messages close it (3.2)', async () => {
    const line = await (await lines.websocket()).login('romeo', 'orchard');
    line.send(Buffer.from(message('a')));
    await line.end();
    assert.equal(line.code, 1003);
  });

  it('messages that are too long close it, before login or after', async () => {
    const late = await (await lines.websocket()).login('romeo', 'orchard');
    late.send(`<message xmlns='jabber:client'><body>${'x'.repeat(25_000)}</body></message>`);
    await late.end();
    assert.equal(late.code, 1009);
    const early = await lines.websocket();
    early.send(`<open xmlns='${NS.framing}' to='localhost' version='1.0' id='${'x'.repeat(9000)}'/>`);
    await early.endsWith('policy-violation');
  });

  it('errors come behind <open/> (3.5)', async () => {
    const line = await lines.websocket();
    line.send(`<open xmlns='${NS.framing}' to='three.example' version='1.0'/>`);
    assert.match(await line.endsWith('host-unknown'), /<open [^>]*from='localhost'/);
  });

  it('is not read while its answers are not: a flood is answered in order', async () => {
    const line = await (await lines.websocket()).login('romeo', 'orchard');
    for (let n = 0; n < 300; n++) line.stanza(`<iq type='get' id='n${n}'><ping xmlns='urn:xmpp:ping'/></iq>`);
    await line.expect(/id='n299'/);
    const ids = [...line.all.matchAll(/<iq [^>]*id='n(\d+)'/g)].map(match => Number(match[1]));
    assert.deepEqual(
      ids,
      Array.from({ length: 300 }, (_, n) => n),
    );
  });

  it('a reader that falls behind gets all of it in the end', async () => {
    const juliet = await (await lines.websocket()).login('juliet', 'balcony');
    const romeo = await lines.login('romeo', 'orchard');
    const [session] = node.node.user({ bare: 'juliet@localhost' } as never)!.sessions;
    juliet.freeze();
    const body = 'x'.repeat(15_000);
    let sent = 0;
    await fill(session!, romeo, () =>
      romeo.send(`<message to='juliet@localhost/balcony' id='n${sent++}'><body>${body}</body></message>`),
    );
    juliet.thaw();
    await juliet.expect(new RegExp(`id='n${sent - 1}'`));
    const ids = [...juliet.all.matchAll(/<message [^>]*id='n(\d+)'/g)].map(match => Number(match[1]));
    assert.deepEqual(
      ids,
      Array.from({ length: sent }, (_, n) => n),
    );
    await until(() => session!.outbox.size === 0, 'an empty outbox');
  });

  it('without TLS it is to be had on the loopback listener, and logs in', async () => {
    const line = await lines.websocket('xmpp', `ws://127.0.0.1:${node.httpPort}/xmpp-websocket`);
    await line.login('romeo', 'orchard');
  });
});

describe('Where WebSockets and BOSH are: XEP-0156', () => {
  let node: TestNode;
  before(async () => {
    node = await TestNode.start({ yaml: 'hosts: { localhost: {}, two.example: {}, bücher.example: {} }\n' });
  });
  after(() => node.stop());

  it('host-meta and host-meta.json say so, to pages of any origin', async () => {
    for (const host of ['localhost', 'two.example', 'xn--bcher-kva.example']) {
      const link = `wss://${host}:${node.httpsPort}/xmpp-websocket`;
      const bosh = `https://${host}:${node.httpsPort}/http-bind`;
      const xrd = await get(`https://127.0.0.1:${node.httpsPort}/.well-known/host-meta`, host);
      assert.equal(xrd.status, 200);
      assert.match(xrd.headers['content-type']!, /^application\/xrd\+xml/);
      assert.equal(xrd.headers['access-control-allow-origin'], '*');
      assert(xrd.body.includes(`<Link rel="urn:xmpp:alt-connections:websocket" href="${link}"/>`), xrd.body);
      assert(xrd.body.includes(`<Link rel="urn:xmpp:alt-connections:xbosh" href="${bosh}"/>`), xrd.body);
      assert.match(xrd.body, /<XRD xmlns='http:\/\/docs\.oasis-open\.org\/ns\/xri\/xrd-1\.0'>/);
      const jrd = await get(`https://127.0.0.1:${node.httpsPort}/.well-known/host-meta.json`, host);
      assert.match(jrd.headers['content-type']!, /^application\/json/);
      assert.equal(jrd.headers['access-control-allow-origin'], '*');
      assert.deepEqual(JSON.parse(jrd.body), {
        links: [
          { rel: 'urn:xmpp:alt-connections:websocket', href: link },
          { rel: 'urn:xmpp:alt-connections:xbosh', href: bosh },
        ],
      });
    }
  });

  it('on the loopback listener too, and with a link under TLS all the same', async () => {
    const { body } = await get(`http://127.0.0.1:${node.httpPort}/.well-known/host-meta.json`, 'localhost');
    assert.deepEqual(JSON.parse(body), {
      links: [
        { rel: 'urn:xmpp:alt-connections:websocket', href: `wss://localhost:${node.httpsPort}/xmpp-websocket` },
        { rel: 'urn:xmpp:alt-connections:xbosh', href: `https://localhost:${node.httpsPort}/http-bind` },
      ],
    });
  });

  it('without BOSH where there is none', async () => {
    const { configFile } = node;
    const text = readFileSync(configFile, 'utf8');
    const earlier = new Bosh(node);
    await earlier.create();
    writeFileSync(configFile, `${text}bosh: { enabled: false }\n`);
    await node.node.reload();
    const { body } = await get(`http://127.0.0.1:${node.httpPort}/.well-known/host-meta`, 'localhost');
    assert(!body.includes('xbosh') && body.includes('websocket'), body);
    const reply = await ask(`http://127.0.0.1:${node.httpPort}/http-bind`, "<body rid='1'/>");
    assert.equal(reply.status, 404);
    // sessions that had begun go on
    assert.equal(ending(await earlier.send('', "type='terminate'")), 'in order');
    assert.equal((await earlier.send()).status, 404);
    earlier.cut();
    writeFileSync(configFile, text);
    await node.node.reload();
  });

  it('for a host that is not served here there is none', async () => {
    const { body } = await get(`https://127.0.0.1:${node.httpsPort}/.well-known/host-meta.json`, 'three.example');
    assert.deepEqual(JSON.parse(body), { links: [] });
  });
});
