import assert from 'node:assert/strict';
import net from 'node:net';
import { ON_SERVER } from './storage.ts';
import { type Element, Scanner, type Stanza } from '../../src/xml/index.ts';

const HEADER = (to: string): string =>
  `<?xml version='1.0'?><stream:stream to='${to}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
const UNBOUNDED = { bytes: 1e9, depth: 1e6, attributes: 1e6, elements: 1e9 };
const PATIENCE = 20_000;
const QUIET = 60; // ms
/** What is written may lead to something else that is written. */
const ROUNDS = 4;
// taken before any test puts a fake clock in its place
const { setTimeout: later } = globalThis;

/** A client for tests: it sends what it is told, byte for byte, and keeps what comes as trees. */
export class TestClient {
  readonly socket: net.Socket;
  jid = '';
  /** Everything that came and was not taken yet, in order. */
  readonly inbox: Element[] = [];
  /** What the server's stream header said. */
  header: ReadonlyMap<string, string> | undefined;
  raw = '';
  ended = false;
  closed = false;
  private scanner: Scanner;
  private readonly stored: (() => Promise<boolean>) | undefined;
  private waiting: (() => void)[] = [];
  private ids = 0;

  private constructor(socket: net.Socket, stored?: () => Promise<boolean>) {
    this.socket = socket;
    this.stored = stored;
    this.scanner = this.makeScanner();
    socket.on('data', chunk => {
      this.raw += chunk.toString('latin1');
      this.scanner.push(chunk);
      this.wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }

  private makeScanner(): Scanner {
    return new Scanner(
      {
        onHeader: header => {
          this.header = header.attrs;
        },
        onStanza: (stanza: Stanza) => void this.inbox.push(stanza.element()),
        onClose: () => {
          this.ended = true;
        },
        onFault: fault => assert.fail(`the server sent what is no XML: ${fault.text}`),
      },
      UNBOUNDED,
    );
  }

  /** `stored` waits for what its node writes, and tells whether that was anything. */
  static connect(port: number, host = '127.0.0.1', stored?: () => Promise<boolean>): Promise<TestClient> {
    const socket = net.connect(port, host);
    socket.setNoDelay(true);
    return new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(new TestClient(socket, stored)));
      socket.once('error', reject);
    });
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  send(xml: string): void {
    this.socket.write(xml);
  }

  /** Opens a stream, and waits for the features. */
  async open(to = 'localhost'): Promise<Element> {
    this.scanner = this.makeScanner();
    this.send(HEADER(to));
    return this.expect(stanza => stanza.name === 'features', 'stream features');
  }

  /** Logs in by PLAIN; the password is the name unless one is given. */
  async authenticate(name: string, password = name, host = 'localhost'): Promise<void> {
    await this.open(host);
    const token = Buffer.from(`\0${name}\0${password}`).toString('base64');
    this.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${token}</auth>`);
    const answer = await this.expect(
      stanza => stanza.name === 'success' || stanza.name === 'failure',
      'the answer to a login',
    );
    assert.equal(answer.name, 'success', answer.toString());
    await this.open(host);
  }

  async bind(resource?: string): Promise<string> {
    const child = resource === undefined ? '' : `<resource>${resource}</resource>`;
    const answer = await this.iq('set', `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>${child}</bind>`);
    assert.equal(answer.attrs.type, 'result', answer.toString());
    this.jid = answer.getChild('bind')!.getChildText('jid')!;
    return this.jid;
  }

  async login(full: string): Promise<void> {
    const [bare, resource] = full.split('/') as [string, string | undefined];
    const [name, host] = bare.split('@') as [string, string];
    await this.authenticate(name, name, host);
    await this.bind(resource);
  }

  /** Sends a request and waits for its answer. */
  async iq(type: 'get' | 'set', payload: string, to?: string): Promise<Element> {
    const id = `q${++this.ids}`;
    this.send(`<iq type='${type}' id='${id}'${to === undefined ? '' : ` to='${to}'`}>${payload}</iq>`);
    return this.expect(
      stanza => stanza.name === 'iq' && stanza.attrs.id === id && stanza.attrs.type !== 'set',
      `the answer to ${payload}`,
    );
  }

  /** Waits for something and takes it out of the inbox; what came before it stays there. */
  async expect(test: (stanza: Element) => boolean, what: string): Promise<Element> {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const index = this.inbox.findIndex(test);
      if (index >= 0) return this.inbox.splice(index, 1)[0]!;
      const left = end - Date.now();
      if (left <= 0 || this.closed) {
        assert.fail(
          `${this.jid || 'a client'} waited for ${what}; it got ${this.inbox.map(String).join('\n') || 'nothing'}${this.closed ? ' and the connection closed' : ''}`,
        );
      }
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, left);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  message(): Promise<Element> {
    return this.expect(stanza => stanza.name === 'message', 'a message');
  }

  presence(from?: string, type?: string): Promise<Element> {
    return this.expect(
      stanza =>
        stanza.name === 'presence' && (from === undefined || stanza.attrs.from === from) && stanza.attrs.type === type,
      `presence ${type ?? 'available'} of ${from ?? 'somebody'}`,
    );
  }

  /**
   * All that the server has said until now has come: it has answered a ping, and again when what was to be written then was written (`stored`
   * tells whether anything was). Returns what is in the inbox, and empties it.
   */
  async settle(): Promise<Element[]> {
    // others may write all the time
    for (let round = 0; round < ROUNDS; round++) {
      await this.iq('get', "<ping xmlns='urn:xmpp:ping'/>");
      if (!(await this.stored?.())) break;
    }
    // what a database behind a network is asked takes longer than an answer: until there is quiet
    for (let before = -1; ON_SERVER && before !== this.raw.length;) {
      before = this.raw.length;
      await new Promise(resolve => later(resolve, QUIET));
    }
    return this.inbox.splice(0);
  }

  /** Waits for a stream error; its condition. */
  async streamError(): Promise<string> {
    const error = await this.expect(stanza => stanza.name === 'error', 'a stream error');
    return error.getChildElements()[0]!.name;
  }

  /** Closes the stream in order, then the connection (RFC 6120 4.4). */
  async end(): Promise<void> {
    this.send('</stream:stream>');
    await this.untilTrue(() => this.ended || this.closed, 'the stream stayed open');
    this.socket.end();
    await this.untilClosed();
  }

  async untilClosed(): Promise<void> {
    await this.untilTrue(() => this.closed, 'the connection stayed open');
  }

  private async untilTrue(done: () => boolean, otherwise: string): Promise<void> {
    const end = Date.now() + PATIENCE;
    while (!done()) {
      if (Date.now() > end) assert.fail(otherwise);
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, 50);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Cuts the connection. */
  destroy(): void {
    this.socket.destroy();
  }
}

/** The condition of an error stanza. */
export function condition(stanza: Element): string {
  return stanza.getChild('error')?.getChildElements()[0]?.name ?? `no error: ${stanza.toString()}`;
}
