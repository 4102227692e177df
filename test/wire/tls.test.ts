import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import type tls from 'node:tls';
import { freePort } from '../kit/ports.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { type Line, Lines, NS } from './line.ts';

const STARTTLS = `<starttls xmlns='${NS.tls}'/>`;

/** The host that the certificate on this line is for. */
function certified(line: Line): string {
  return new X509Certificate((line.socket as tls.TLSSocket).getPeerCertificate().raw).subject!.replace('CN=', '');
}

describe('TLS over the wire: RFC 7590, XEP-0368', () => {
  let node: TestNode;
  let lines: Lines;
  let strictPort: number;

  before(async () => {
    strictPort = await freePort();
    node = await TestNode.start({
      yaml: `hosts: { one.example: {}, two.example: {}, münchen.example: {} }
limits: { unauthenticatedTime: 1 s, connectionsPerAddress: 10 }
`,
      listeners: `strict: { type: c2s, port: ${strictPort}, addresses: [127.0.0.1] }`,
    });
    await node.addUser('romeo', 'one.example');
    await node.addUser('juliet', 'two.example');
    lines = new Lines(node);
  });
  afterEach(async () => {
    lines.cut();
    await until(() => node.node.streams.size === 0, 'the end of all streams');
  });
  after(() => node.stop());

  it('STARTTLS is required where logins without it are not allowed', async () => {
    const line = await lines.tcp(strictPort);
    const features = await line.open('one.example');
    assert.match(features, /<starttls [^>]*><required\/><\/starttls><\/stream:features>/);
    assert.equal(await line.plain('romeo'), 'encryption-required');
    line.send(STARTTLS);
    await line.expect(/<proceed /);
    await line.secure({ servername: 'one.example' });
    await line.login('romeo', 'x', 'one.example');
    assert.equal(
      node.node.session(node.node.user({ bare: 'romeo@one.example' } as never)!.sessions[0]!.jid)?.transport,
      'tls',
    );
    line.cut();
  });

  it('what is injected behind <starttls/> is dropped (RFC 6120 5.4.3.3)', async () => {
    const line = await lines.tcp();
    await line.open('one.example');
    const login = Buffer.from('\0romeo\0romeo').toString('base64');
    line.send(`${STARTTLS}<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${login}</auth>`);
    await line.expect(/<proceed [^>]*\/>/);
    await line.secure({ servername: 'one.example' });
    const features = await line.open('one.example');
    assert.match(features, /<mechanism>PLAIN</);
    assert.doesNotMatch(line.all.slice(line.all.indexOf('<proceed')), /<success|<failure/);
  });

  it('what is injected after <proceed/>, before the handshake, breaks it', async () => {
    const line = await lines.tcp();
    await line.open('one.example');
    line.send(STARTTLS);
    await line.expect(/<proceed [^>]*\/>/);
    line.send(`<stream:stream to='one.example'>`);
    await line.end();
  });

  it('a handshake that does not come is waited for as long as for any login', async () => {
    const started = await lines.tcp();
    await started.open('one.example');
    started.send(STARTTLS);
    await started.expect(/<proceed [^>]*\/>/);
    const direct = await lines.tcp(node.tlsPort);
    await Promise.all([started.end(), direct.end()]);
  });

  it('direct TLS begins with the first byte; plain text there is refused', async () => {
    const line = await lines.tls({ servername: 'one.example' });
    await line.login('romeo', 'x', 'one.example');
    const plain = await lines.tcp(node.tlsPort);
    plain.send(`<?xml version='1.0'?><stream:stream to='one.example'>`);
    await plain.end();
    assert.doesNotMatch(plain.all, /<stream/);
  });

  it('STARTTLS is not to be had over it', async () => {
    const line = await lines.tls({ servername: 'one.example' });
    assert.doesNotMatch(await line.open('one.example'), /starttls/);
    line.send(STARTTLS);
    await line.endsWith('not-authorized');
  });

  it('is of version 1.2 or 1.3, with forward secrecy', async () => {
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      await assert.rejects(
        lines.tls({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }),
        version,
      );
    }
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const line = await lines.tls({ minVersion: version, maxVersion: version });
      assert.equal((line.socket as tls.TLSSocket).getProtocol(), version);
      assert.match(await line.open('one.example'), /mechanisms/);
    }
    await assert.rejects(lines.tls({ maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }));
    await assert.rejects(lines.tls({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }));
  });

  it('shows the certificate of the host that SNI names; of the first to who names none, or another', async () => {
    for (const [servername, host] of [
      ['one.example', 'one.example'],
      ['two.example', 'two.example'],
      ['TWO.example', 'two.example'],
      ['xn--mnchen-3ya.example', 'münchen.example'],
      ['three.example', 'one.example'],
      ['', 'one.example'],
    ] as const) {
      assert.equal(certified(await lines.tls({ servername })), host, servername);
    }
  });

  it('a certificate that is made for a host has its name as TLS says it', async () => {
    const { raw } = (
      (await lines.tls({ servername: 'xn--mnchen-3ya.example' })).socket as tls.TLSSocket
    ).getPeerCertificate();
    assert.equal(new X509Certificate(raw).checkHost('xn--mnchen-3ya.example'), 'xn--mnchen-3ya.example');
  });

  it('with STARTTLS, that of the host that the header names, unless SNI names another', async () => {
    for (const [to, servername, host] of [
      ['two.example', '', 'two.example'],
      ['two.example', 'two.example', 'two.example'],
      ['one.example', 'two.example', 'two.example'],
      ['münchen.example', '', 'münchen.example'],
      ['xn--mnchen-3ya.example', '', 'münchen.example'],
      ['one.example', 'xn--mnchen-3ya.example', 'münchen.example'],
      ['two.example', 'three.example', 'one.example'],
    ] as const) {
      const line = await lines.tcp();
      await line.startTls(to, { servername });
      assert.equal(certified(line), host, `${to} ${servername}`);
    }
  });

  it("the stream's header says which host is meant, whatever SNI said", async () => {
    const line = await lines.tls({ servername: 'one.example' });
    await line.login('juliet', 'x', 'two.example');
    assert.equal(line.jid, 'juliet@two.example/x');
    const unknown = await lines.tls({ servername: 'one.example' });
    unknown.send(
      `<stream:stream to='three.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    await unknown.endsWith('host-unknown');
    // an account of one host is none of the other
    const other = await lines.tls({ servername: 'one.example' });
    await other.open('one.example');
    assert.equal(await other.plain('juliet'), 'not-authorized');
  });

  it('ALPN, where it is used, says xmpp-client (XEP-0368 3)', async () => {
    const line = await lines.tls({ ALPNProtocols: ['xmpp-client'] });
    assert.equal((line.socket as tls.TLSSocket).alpnProtocol, 'xmpp-client');
    assert.equal(
      ((await lines.tls({ ALPNProtocols: ['h2', 'xmpp-client'] })).socket as tls.TLSSocket).alpnProtocol,
      'xmpp-client',
    );
    assert.equal(((await lines.tls()).socket as tls.TLSSocket).alpnProtocol, false);
    await assert.rejects(lines.tls({ ALPNProtocols: ['h2', 'http/1.1'] }), /ALPN|alert/i);
    await assert.rejects(lines.tls({ ALPNProtocols: ['xmpp-server'] }), /ALPN|alert/i);
  });

  it('a record that is broken ends the connection', async () => {
    // between the two, something that spoils what goes by
    let upstream: net.Socket | undefined;
    const middle = net.createServer(socket => {
      upstream = net.connect(node.tlsPort, '127.0.0.1');
      socket.pipe(upstream);
      upstream.pipe(socket);
      for (const each of [socket, upstream]) each.on('error', () => {});
    });
    await once(middle.listen(0, '127.0.0.1'), 'listening');
    try {
      const line = await lines.tls({}, (middle.address() as net.AddressInfo).port);
      await line.login('romeo', 'x', 'one.example');
      assert.equal(node.node.sessionCount, 1);
      upstream!.write(Buffer.concat([Buffer.from([0x17, 0x03, 0x03, 0x00, 0x20]), Buffer.alloc(32, 0x5a)]));
      await line.end();
      await until(() => node.node.sessionCount === 0, 'the end of the session');
    } finally {
      middle.close();
      upstream?.destroy();
    }
  });

  it('connections of one address are counted, and given back however they end', async () => {
    // more than may be at once, one after the other: closed by the client, by the server, during the handshake, before it
    for (let n = 0; n < 4; n++) {
      const secured = await lines.tcp();
      await secured.startTls('one.example');
      await secured.open('one.example');
      secured.cut();
      const refused = await lines.tcp();
      await refused.startTls('one.example');
      refused.send('x');
      await refused.endsWith('not-well-formed');
      const broken = await lines.tcp();
      await broken.open('one.example');
      broken.send(`${STARTTLS}`);
      await broken.expect(/<proceed [^>]*\/>/);
      broken.send('no TLS at all');
      await broken.end();
      const direct = await lines.tls();
      direct.cut();
    }
    await until(() => node.node.streams.size === 0, 'the end of all streams');
    const many = await Promise.all(Array.from({ length: 10 }, () => lines.tcp()));
    await Promise.all(many.map(line => line.open('one.example')));
    // that is all
    const eleventh = await lines.tcp(node.port);
    await eleventh.end();
    assert.equal(eleventh.all, '');
    many[0]!.cut();
    await until(async () => {
      const next = await lines.tcp();
      next.send(' ');
      await new Promise(resolve => setTimeout(resolve, 20));
      return !next.closed;
    }, 'a place for the next');
  });
});
