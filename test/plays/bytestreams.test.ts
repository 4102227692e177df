import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import net from 'node:net';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { freePort } from '../kit/ports.ts';
import { until } from '../kit/wait.ts';

const BYTESTREAMS = 'http://jabber.org/protocol/bytestreams';
const PROXY = 'proxy.localhost';

describe('SOCKS5 bytestreams: the proxy of XEP-0065', () => {
  let server: TestNode;
  let port: number;
  let romeo: TestClient;
  let juliet: TestClient;
  const sockets: Peer[] = [];

  before(async () => {
    port = await freePort();
    server = await TestNode.start({
      users: ['romeo', 'juliet'],
      listeners: `socks: { type: socks5, port: ${port}, addresses: [127.0.0.1] }`,
      yaml: `modules: { bytestreams: { port: ${port}, address: 127.0.0.1 } }\n`,
    });
    romeo = await server.login('romeo@localhost/orchard');
    juliet = await server.login('juliet@localhost/balcony');
  });
  after(() => server.stop());
  afterEach(() => sockets.splice(0).forEach(socket => socket.destroy()));

  const connect = async (): Promise<Peer> => {
    const socket = await Peer.connect(port);
    sockets.push(socket);
    return socket;
  };
  /** Connects and names a transfer. */
  const join = async (hash: string): Promise<Peer> => {
    const socket = await connect();
    socket.write([5, 1, 0]);
    assert.deepEqual(await socket.take(2), [5, 0]);
    socket.write(request(hash));
    // XEP-0065 6.3.2: the address that was asked for
    assert.deepEqual(await socket.take(7 + 40), [5, 0, 0, 3, 40, ...Buffer.from(hash), 0, 0]);
    return socket;
  };
  const activate = (client: TestClient, sid: string, target: string) =>
    client.iq('set', `<query xmlns='${BYTESTREAMS}' sid='${sid}'><activate>${target}</activate></query>`, PROXY);
  const hashOf = (sid: string): string => createHash('sha1').update(`${sid}${romeo.jid}${juliet.jid}`).digest('hex');

  it('romeo finds it and learns where it is (4)', async () => {
    const items = await romeo.iq('get', "<query xmlns='http://jabber.org/protocol/disco#items'/>", 'localhost');
    assert.ok(
      items
        .getChild('query')!
        .getChildren('item')
        .some(item => item.attrs.jid === PROXY),
    );
    const info = await romeo.iq('get', "<query xmlns='http://jabber.org/protocol/disco#info'/>", PROXY);
    const { category, type } = info.getChild('query')!.getChild('identity')!.attrs;
    assert.deepEqual([category, type], ['proxy', 'bytestreams']);
    const answer = await romeo.iq('get', `<query xmlns='${BYTESTREAMS}'/>`, PROXY);
    assert.deepEqual(
      { ...answer.getChild('query')!.getChild('streamhost')!.attrs },
      { jid: PROXY, host: '127.0.0.1', port: String(port) },
    );
  });

  it('romeo sends juliet a file through it: every byte, both ways, to the end (6)', async () => {
    const target = await join(hashOf('s1'));
    const requester = await join(hashOf('s1'));
    // a client in a hurry: it waits until it may
    requester.write(Buffer.from('early '));
    assert.equal((await activate(romeo, 's1', juliet.jid)).attrs.type, 'result');
    const file = Buffer.alloc(3_000_000, 'wherefore art thou ');
    requester.write(file);
    target.write(Buffer.from('thanks'));
    assert.equal(Buffer.from(await requester.take(6)).toString(), 'thanks');
    requester.end();
    await until(() => target.ended, 'the end of the file');
    assert.ok(target.received.equals(Buffer.concat([Buffer.from('early '), file])));
  });

  it('a reader that stops is not sent more than fits; it gets the rest when it goes on', async () => {
    const target = await join(hashOf('s2'));
    const requester = await join(hashOf('s2'));
    assert.equal((await activate(romeo, 's2', juliet.jid)).attrs.type, 'result');
    target.socket.pause();
    const piece = Buffer.alloc(256 * 1024, 7);
    for (let k = 0; k < 96; k++) requester.write(piece);
    // its sender is not read any more: bytes stay with it
    let left = -1;
    let looks = 0;
    await until(() => {
      looks = requester.socket.writableLength === left ? looks + 1 : 0;
      left = requester.socket.writableLength;
      return looks === 20;
    }, 'the sender to stand still');
    assert.ok(left > 0);
    target.socket.resume();
    requester.end();
    await until(() => target.ended, 'the end of the file');
    assert.equal(target.received.length, 96 * piece.length);
  });

  it('nothing flows before the requester says so; strangers cannot say so (6.3.5)', async () => {
    assert.equal(condition(await activate(romeo, 's3', juliet.jid)), 'item-not-found');
    const target = await join(hashOf('s3'));
    assert.equal(condition(await activate(romeo, 's3', juliet.jid)), 'not-allowed');
    const requester = await join(hashOf('s3'));
    requester.write(Buffer.from('secret'));
    assert.equal(condition(await activate(juliet, 's3', juliet.jid)), 'item-not-found');
    assert.equal(condition(await activate(juliet, 's3', romeo.jid)), 'item-not-found');
    assert.equal(target.received.length, 0);
    // a third one with the same hash
    const third = await connect();
    third.write([5, 1, 0]);
    await third.take(2);
    third.write(request(hashOf('s3')));
    assert.deepEqual((await third.take(10)).slice(0, 2), [5, 2]);
    await until(() => third.ended, 'the end of the third');
    assert.equal((await activate(romeo, 's3', juliet.jid)).attrs.type, 'result');
    assert.equal(Buffer.from(await target.take(6)).toString(), 'secret');
  });

  it('reads a request that comes byte by byte', async () => {
    const socket = await connect();
    for (const byte of [5, 2, 1, 0]) socket.write([byte]);
    assert.deepEqual(await socket.take(2), [5, 0]);
    for (const byte of request(hashOf('s4'))) socket.write([byte]);
    assert.deepEqual((await socket.take(47)).slice(0, 2), [5, 0]);
  });

  const refused: [string, number[], number[]][] = [
    ['SOCKS4', [4, 1, 0, 80], []],
    ['no method without a password', [5, 1, 2], [5, 255]],
    ['another command', [5, 1, 0, 5, 2, 0, 3, 1, 97, 0, 0], [5, 0, 5, 7]],
    ['an address by number', [5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80], [5, 0, 5, 8]],
    ['a name that is no hash', [5, 1, 0, ...request('example.org')], [5, 0, 5, 2]],
    ['another version in the request', [5, 1, 0, 4, 1, 0, 3, 1, 97, 0, 0], [5, 0]],
  ];
  for (const [what, bytes, answer] of refused) {
    it(`refuses ${what}`, async () => {
      const socket = await connect();
      socket.write(bytes);
      await until(() => socket.ended, 'the end');
      assert.deepEqual([...socket.received.subarray(0, answer.length || 1)], answer);
    });
  }

  it('answers nothing else', async () => {
    const ping = "<ping xmlns='urn:xmpp:ping'/>";
    assert.equal(condition(await romeo.iq('get', ping, PROXY)), 'service-unavailable');
    assert.equal(
      condition(await romeo.iq('get', `<query xmlns='${BYTESTREAMS}'/>`, `x@${PROXY}`)),
      'service-unavailable',
    );
    assert.equal(condition(await romeo.iq('set', `<query xmlns='${BYTESTREAMS}' sid='x'/>`, PROXY)), 'bad-request');
    assert.equal(condition(await romeo.iq('get', ping, `other.localhost`)), 'remote-server-not-found');
    romeo.send(`<message to='${PROXY}'><body>hi</body></message>`);
    assert.equal(condition(await romeo.message()), 'service-unavailable');
  });
});

/** RFC 1928 4 */
function request(name: string): number[] {
  return [5, 1, 0, 3, name.length, ...Buffer.from(name), 0, 0];
}

/** A client's end of a connection to the proxy. */
class Peer {
  readonly socket: net.Socket;
  received: Buffer = Buffer.alloc(0);
  ended = false;
  private readonly chunks: Buffer[] = [];

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', chunk => this.chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.gather();
      this.ended = true;
    });
  }

  static async connect(port: number): Promise<Peer> {
    const socket = net.connect({ port, host: '127.0.0.1' });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new Peer(socket);
  }

  private gather(): void {
    if (this.chunks.length > 0) this.received = Buffer.concat([this.received, ...this.chunks.splice(0)]);
  }

  write(bytes: number[] | Buffer): void {
    this.socket.write(Buffer.from(bytes as number[]));
  }

  end(): void {
    this.socket.end();
  }

  /** Waits for so many bytes and takes them. */
  async take(length: number): Promise<number[]> {
    await until(
      () => {
        this.gather();
        return this.received.length >= length;
      },
      () => `${length} bytes; there are ${this.received.length}`,
    );
    const taken = [...this.received.subarray(0, length)];
    this.received = this.received.subarray(length);
    return taken;
  }

  destroy(): void {
    this.socket.destroy();
  }
}
