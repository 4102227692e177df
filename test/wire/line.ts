import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import WebSocket from 'ws';
import type { Session } from '../../src/session/session.ts';
import { clientFinal } from '../../src/stream/sasl/test-kit.ts';
import type { ScramHash } from '../../src/stream/sasl/types.ts';
import type { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';

export const NS = {
  tls: 'urn:ietf:params:xml:ns:xmpp-tls',
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
  bind: 'urn:ietf:params:xml:ns:xmpp-bind',
  framing: 'urn:ietf:params:xml:ns:xmpp-framing',
  sm: 'urn:xmpp:sm:3',
};

export const PING = `<ping xmlns='urn:xmpp:ping'/>`;

type Socket = net.Socket | tls.TLSSocket | WebSocket;

/** A connection of a client that knows nothing: it sends what it is told, and reads the text that comes. Over TCP, TLS or WebSocket. */
export class Line {
  /** Text that has come and was not expected yet. */
  text = '';
  /** All text. */
  all = '';
  closed = false;
  /** The code of a WebSocket's close frame. */
  code = 0;
  jid = '';
  socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#listen();
  }

  #listen(): void {
    const { socket } = this;
    const hear = (data: Buffer | string): void => {
      this.text += data.toString();
      this.all += data.toString();
    };
    if (socket instanceof WebSocket) socket.on('message', (data: Buffer) => hear(data));
    else socket.on('data', hear);
    socket.on('error', () => {});
    socket.on('close', (code: unknown) => {
      this.closed = true;
      if (typeof code === 'number') this.code = code;
    });
  }

  static async tcp(port: number): Promise<Line> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Line(socket);
  }

  /** Rejects when there is no TLS to be had this way. */
  static async tls(port: number, options: tls.ConnectionOptions = {}): Promise<Line> {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    await once(socket, 'secureConnect');
    return new Line(socket);
  }

  /** Rejects when the upgrade is refused. */
  static async websocket(url: string, protocols: string | string[] = 'xmpp'): Promise<Line> {
    const socket = new WebSocket(url, protocols, { rejectUnauthorized: false });
    const line = new Line(socket);
    await once(socket, 'open');
    return line;
  }

  get framed(): boolean {
    return this.socket instanceof WebSocket;
  }

  /** TLS on a plain connection, without a word of XMPP. */
  async secure(options: tls.ConnectionOptions = {}): Promise<void> {
    const plain = this.socket as net.Socket;
    plain.removeAllListeners('data');
    plain.removeAllListeners('close');
    const socket = tls.connect({ socket: plain, rejectUnauthorized: false, ...options });
    this.socket = socket;
    this.#listen();
    await once(socket, 'secureConnect');
  }

  /** STARTTLS: RFC 6120 5.4. */
  async startTls(host = 'localhost', options: tls.ConnectionOptions = {}): Promise<void> {
    await this.open(host);
    this.send(`<starttls xmlns='${NS.tls}'/>`);
    await this.expect(/<proceed [^>]*\/>/);
    await this.secure({ servername: host, ...options });
  }

  send(text: string | Buffer): void {
    if (this.socket instanceof WebSocket) this.socket.send(text);
    else this.socket.write(text);
  }

  /** A stanza, said with its namespace where each is a document of its own. */
  stanza(markup: string): void {
    this.send(this.framed ? markup.replace(/^<(message|presence|iq)/, `<$1 xmlns='jabber:client'`) : markup);
  }

  /** Waits until what comes matches, and takes all up to the end of the match. */
  async expect(pattern: RegExp): Promise<RegExpExecArray> {
    return until(
      () => {
        const found = pattern.exec(this.text);
        if (found) {
          this.text = this.text.slice(found.index + found[0].length);
          return found;
        }
        if (this.closed) assert.fail(`the connection closed before ${pattern}, after ${this.text || 'nothing more'}`);
        return undefined;
      },
      () => `${pattern} in '${this.text}'`,
    );
  }

  /** Opens a stream; the features. */
  async open(host = 'localhost'): Promise<string> {
    this.send(
      this.framed
        ? `<open xmlns='${NS.framing}' to='${host}' version='1.0'/>`
        : `<?xml version='1.0'?><stream:stream to='${host}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
    );
    const [features] = await this.expect(/<stream:features.*?<\/stream:features>/s);
    return features;
  }

  /** PLAIN, without a stream before or after it; 'success' or the condition of the failure. */
  async plain(name: string, password = name): Promise<string> {
    const data = Buffer.from(`\0${name}\0${password}`).toString('base64');
    this.send(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${data}</auth>`);
    return this.outcome();
  }

  /** SCRAM; 'success' (the server's signature was right) or the condition of the failure. */
  async scram(
    hash: ScramHash,
    name: string,
    password: string,
    details: { mechanism?: string; gs2?: string; binding?: Buffer } = {},
  ): Promise<string> {
    const plus = details.gs2?.startsWith('p=') ? '-PLUS' : '';
    const mechanism = details.mechanism ?? `SCRAM-${hash.toUpperCase().replace('SHA', 'SHA-')}${plus}`;
    const bare = `n=${name},r=fyko+d2lbbFgONRv9qkxdawL`;
    const first = Buffer.from((details.gs2 ?? 'n,,') + bare).toString('base64');
    this.send(`<auth xmlns='${NS.sasl}' mechanism='${mechanism}'>${first}</auth>`);
    const answer = await this.expect(/<(challenge|failure) xmlns='[^']+'>(.*?)<\/\1>/);
    if (answer[1] === 'failure') return /<([\w-]+)/.exec(answer[2]!)![1]!;
    const challenge = Buffer.from(answer[2]!, 'base64').toString();
    const { final, v } = clientFinal({ hash, password, gs2: details.gs2, binding: details.binding }, bare, challenge);
    this.send(`<response xmlns='${NS.sasl}'>${Buffer.from(final).toString('base64')}</response>`);
    return this.outcome(`v=${v}`);
  }

  async outcome(data?: string): Promise<string> {
    const [whole, kind, inner] = await this.expect(/<(success|failure) xmlns='[^']+'(?:\/>|>(.*?)<\/\1>)/);
    if (kind === 'failure') return /<([\w-]+)/.exec(inner!)![1]!;
    if (data !== undefined) assert.equal(Buffer.from(inner ?? '', 'base64').toString(), data, whole);
    return 'success';
  }

  /** Logs in by PLAIN and opens the stream behind it. */
  async authenticate(name: string, host = 'localhost'): Promise<void> {
    await this.open(host);
    assert.equal(await this.plain(name), 'success');
    await this.open(host);
  }

  async bind(resource: string): Promise<this> {
    this.stanza(`<iq type='set' id='bind'><bind xmlns='${NS.bind}'><resource>${resource}</resource></bind></iq>`);
    this.jid = (await this.expect(/<jid>([^<]+)<\/jid><\/bind><\/iq>/))[1]!;
    return this;
  }

  async login(name: string, resource: string, host = 'localhost'): Promise<this> {
    await this.authenticate(name, host);
    return this.bind(resource);
  }

  /** Stream management with resumption; the id. */
  async enable(attributes = ''): Promise<string> {
    this.send(`<enable xmlns='${NS.sm}' resume='true'${attributes}/>`);
    return (await this.expect(/<enabled [^>]*id='([^']+)'[^>]*\/>/))[1]!;
  }

  /** All that the server had to say has come. */
  async settle(): Promise<string> {
    this.stanza(`<iq type='get' id='settle'>${PING}</iq>`);
    const before = this.all.length - this.text.length;
    await this.expect(/<iq [^>]*id='settle'[^>]*\/>/);
    return this.all.slice(before);
  }

  /** The server ends the stream with this error and closes; all that it has said. */
  async endsWith(condition: string): Promise<string> {
    const error = await this.expect(
      /<stream:error[^>]*><([\w-]+) xmlns='urn:ietf:params:xml:ns:xmpp-streams'.*?<\/stream:error>/,
    );
    assert.equal(error[1], condition, error[0]);
    await this.expect(this.framed ? /<close [^>]*\/>/ : /<\/stream:stream>/);
    await this.end();
    return this.all;
  }

  /** The connection is closed by the server. */
  async end(): Promise<void> {
    await until(() => this.closed, 'the end of the connection');
  }

  /** Is cut off, as when a cable is. */
  cut(): void {
    if (this.socket instanceof WebSocket) this.socket.terminate();
    else if (this.socket instanceof tls.TLSSocket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** Takes no bytes from now on, or again. */
  freeze(): void {
    this.socket.pause();
  }

  thaw(): void {
    this.socket.resume();
  }
}

/** Lines to one node, which are cut when the test is over. */
export class Lines {
  readonly node: TestNode;
  readonly #open: Line[] = [];

  constructor(node: TestNode) {
    this.node = node;
  }

  async #keep(line: Promise<Line>): Promise<Line> {
    this.#open.push(await line);
    return line;
  }

  tcp(port = this.node.port): Promise<Line> {
    return this.#keep(Line.tcp(port));
  }

  tls(options?: tls.ConnectionOptions, port = this.node.tlsPort): Promise<Line> {
    return this.#keep(Line.tls(port, options));
  }

  websocket(protocols?: string | string[], url?: string): Promise<Line> {
    return this.#keep(Line.websocket(url ?? `wss://127.0.0.1:${this.node.httpsPort}/xmpp-websocket`, protocols));
  }

  /** Over TCP without TLS, which the listeners of tests allow. */
  async login(name: string, resource: string, host?: string): Promise<Line> {
    return (await this.tcp()).login(name, resource, host);
  }

  cut(): void {
    for (const line of this.#open.splice(0)) if (!line.closed) line.cut();
  }
}

/** Sends by `write`, from `sender`, to the client of a session who takes nothing, until its system takes no more either. */
export async function fill(session: Session, sender: Line, write: () => void): Promise<void> {
  for (let round = 0; round < 200; round++) {
    const { unwritten } = session.outbox;
    for (let n = 0; n < 20; n++) write();
    await sender.settle();
    await new Promise(resolve => setTimeout(resolve, 10));
    if (session.outbox.unwritten - unwritten < 20) continue;
    // kernels that are full may find some more room a moment later
    const { size } = session.outbox;
    await new Promise(resolve => setTimeout(resolve, 300));
    if (session.outbox.size === size) return;
  }
  assert.fail('all was taken');
}
