import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type tls from 'node:tls';
import { parseJid } from '../../src/jid/index.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { type Line, Lines, NS } from './line.ts';

const SASL2 = 'urn:xmpp:sasl:2';
const FAST = 'urn:xmpp:fast:0';
const ENABLE = `<enable xmlns='${NS.sm}' resume='true'/>`;
const HEADER =
  "<?xml version='1.0'?><stream:stream to='localhost' from='romeo@localhost' version='1.0' xmlns='jabber:client' " +
  "xmlns:stream='http://etherx.jabber.org/streams'>";

type Binding = (line: Line) => Buffer;
const socketOf = (line: Line): tls.TLSSocket => line.socket as tls.TLSSocket;
const BINDINGS: Record<string, Binding> = {
  EXPR: line => socketOf(line).exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
  // what the server has as the peer's, the client has as its own
  UNIQ: line => socketOf(line).getFinished()!,
  ENDP: line => createHash('sha256').update(socketOf(line).getPeerCertificate().raw).digest(),
  NONE: () => Buffer.alloc(0),
};

describe('Tokens over the wire (XEP-0484)', () => {
  let node: TestNode;
  let lines: Lines;

  before(async () => {
    node = await TestNode.start({ users: ['romeo'] });
    lines = new Lines(node);
  });
  afterEach(() => lines.cut());
  after(() => node.stop());

  const authenticate = (mechanism: string, data: Buffer, children: string): string =>
    `<authenticate xmlns='${SASL2}' mechanism='${mechanism}'><initial-response>${data.toString('base64')}` +
    `</initial-response><user-agent id='phone-1'><software>Mantua</software></user-agent>${children}</authenticate>`;
  const byPassword = (children: string): string => authenticate('PLAIN', Buffer.from('\0romeo\0romeo'), children);
  const byToken = (token: string, mechanism: string, binding: Buffer, children = '', attributes = ''): string => {
    const proof = createHmac('sha256', token).update('Initiator').update(binding).digest();
    const data = Buffer.concat([Buffer.from('romeo\0'), proof]);
    return authenticate(mechanism, data, `<fast xmlns='${FAST}'${attributes}/>${children}`);
  };
  const bind = (children = ''): string => `<bind xmlns='urn:xmpp:bind:0'><tag>m</tag>${children}</bind>`;
  const request = (mechanism: string): string => `<request-token xmlns='${FAST}' mechanism='${mechanism}'/>`;
  const SUCCESS = /<success [^>]*>(.*?)<\/success>/;

  /** Logs in with the password and gets a token for a mechanism. */
  const token = async (line: Line, mechanism: string): Promise<string> => {
    await line.open();
    line.send(byPassword(request(mechanism)));
    const [, inner] = await line.expect(SUCCESS);
    return /<token [^>]*token='([^']+)'/.exec(inner!)![1]!;
  };

  for (const [name, version] of [
    ['EXPR', 'TLSv1.3'],
    ['UNIQ', 'TLSv1.2'],
    ['ENDP', 'TLSv1.2'],
    ['ENDP', 'TLSv1.3'],
    ['NONE', 'TLSv1.3'],
  ] as const) {
    it(`HT-SHA-256-${name} under ${version}: a login in one message, and the server proves itself too`, async () => {
      const mechanism = `HT-SHA-256-${name}`;
      const options: tls.ConnectionOptions = { minVersion: version, maxVersion: version };
      const first = await lines.tls(options);
      const secret = await token(first, mechanism);
      const line = await lines.tls(options);
      assert.ok((await line.open()).includes(`<mechanism>${mechanism}</mechanism>`));
      // the binding of another connection, but for those that all connections share
      const other = BINDINGS[name]!(first);
      const own = BINDINGS[name]!(line);
      if (!other.equals(own)) {
        line.send(byToken(secret, mechanism, other, bind()));
        await line.expect(/<failure [^>]*><not-authorized /);
      }
      line.send(byToken(secret, mechanism, own, bind()));
      const [, inner] = await line.expect(SUCCESS);
      const answer = createHmac('sha256', secret).update('Responder').update(own).digest('base64');
      assert.ok(inner!.startsWith(`<additional-data>${answer}</additional-data>`), inner);
      await line.settle();
    });
  }

  it('over a WebSocket there is nothing to bind to', async () => {
    const line = await lines.websocket();
    const secret = await token(line, 'HT-SHA-256-NONE');
    const again = await lines.websocket();
    assert.doesNotMatch(await again.open(), /HT-SHA-256-(?!NONE)/);
    again.send(byToken(secret, 'HT-SHA-256-NONE', Buffer.alloc(0), bind()));
    await again.expect(SUCCESS);
    await again.expect(/<stream:features xmlns:stream/);
  });

  it('a client that lost its connection is back in one round trip: header and login at once', async () => {
    const first = await lines.tls();
    await first.open();
    first.send(byPassword(bind(ENABLE) + request('HT-SHA-256-NONE')));
    const [, inner] = await first.expect(SUCCESS);
    const [, id] = /<enabled [^>]*id='([^']+)'/.exec(inner!)!;
    const [, secret] = / token='([^']+)'/.exec(inner!)!;
    const [, jid] = /<authorization-identifier>([^<]+)</.exec(inner!)!;
    await first.expect(/<\/stream:features>/);
    first.send("<message to='romeo@localhost' id='1'><body>still here?</body></message>");
    await first.settle();
    first.cut();
    const session = node.node.session(parseJid(jid!)!)!;
    await until(() => !session.connected, 'the end of the connection');
    session.sendWire("<message id='meanwhile'/>");

    const second = await lines.tls();
    const resume = `<resume xmlns='${NS.sm}' previd='${id}' h='1'/>`;
    second.send(HEADER + byToken(secret!, 'HT-SHA-256-NONE', Buffer.alloc(0), resume + bind(ENABLE)));
    await second.expect(
      new RegExp(
        `</stream:features><success .*<authorization-identifier>${jid}</authorization-identifier><resumed [^>]*h='2'`,
      ),
    );
    await second.expect(/<message id='meanwhile'\/>/);
    await second.settle();
    assert.equal(node.node.session(parseJid(jid!)!), session);
  });

  it('a count that was there is refused, whoever brings it', async () => {
    const secret = await token(await lines.tls(), 'HT-SHA-256-NONE');
    const login = async (count: number): Promise<string> => {
      const line = await lines.tls();
      await line.open();
      line.send(byToken(secret, 'HT-SHA-256-NONE', Buffer.alloc(0), '', ` count='${count}'`));
      return (await line.expect(/<(success|failure) /))[1]!;
    };
    assert.equal(await login(3), 'success');
    assert.equal(await login(3), 'failure');
    assert.equal(await login(2), 'failure');
    assert.equal(await login(4), 'success');
  });

  it('a token that its client gives up is of no use any more', async () => {
    const secret = await token(await lines.tls(), 'HT-SHA-256-NONE');
    const login = async (attributes = ''): Promise<string> => {
      const line = await lines.tls();
      await line.open();
      line.send(byToken(secret, 'HT-SHA-256-NONE', Buffer.alloc(0), '', attributes));
      return (await line.expect(/<(success|failure) /))[1]!;
    };
    assert.equal(await login(), 'success');
    assert.equal(await login(" invalidate='true'"), 'success');
    assert.equal(await login(), 'failure');
  });

  it('a changed password takes all tokens, a disabled account lets none in', async () => {
    const romeo = parseJid('romeo@localhost')!;
    const outcome = async (secret: string): Promise<string> => {
      const line = await lines.tls();
      await line.open();
      line.send(byToken(secret, 'HT-SHA-256-NONE', Buffer.alloc(0)));
      return (await line.expect(/<success |<failure [^>]*><([\w-]+)/))[1] ?? 'success';
    };
    const secret = await token(await lines.tls(), 'HT-SHA-256-NONE');
    await node.node.accounts.setStatus(romeo, 'disabled');
    assert.equal(await outcome(secret), 'account-disabled');
    await node.node.accounts.setStatus(romeo, 'active');
    assert.equal(await outcome(secret), 'success');
    await node.node.accounts.setPassword(romeo, 'romeo');
    assert.equal(await outcome(secret), 'not-authorized');
  });

  it('no file of the server has a token as it is', async () => {
    const secret = await token(await lines.tls(), 'HT-SHA-256-NONE');
    const files = ['posthouse.sqlite', 'posthouse.sqlite-wal'].map(file => readFileSync(path.join(node.folder, file)));
    assert.ok(files.some(bytes => bytes.includes('Mantua')));
    for (const bytes of files) assert.equal(bytes.includes(secret), false);
  });
});

describe('SASL2 that is switched off', () => {
  it('as a whole, or tokens alone', async () => {
    const node = await TestNode.start({ yaml: 'login: { sasl2: false }\n', users: ['romeo'] });
    const lines = new Lines(node);
    try {
      assert.doesNotMatch(await (await lines.tls()).open(), /urn:xmpp:sasl:2|urn:xmpp:fast/);
      const line = await lines.tls();
      await line.login('romeo', 'x');
    } finally {
      lines.cut();
      await node.stop();
    }
    const other = await TestNode.start({ yaml: 'login: { fast: false }\n' });
    const others = new Lines(other);
    try {
      const features = await (await others.tls()).open();
      assert.match(features, /urn:xmpp:sasl:2/);
      assert.doesNotMatch(features, /urn:xmpp:fast/);
    } finally {
      others.cut();
      await other.stop();
    }
  });
});
