/*
 * A client's stream without sockets: bytes go in one by one, the state is looked at, and what the server says is read.
 *
 *   const trial = new StreamTrial();
 *   trial.say(header());
 *   trial.expect(/<stream:features>/);
 */
import assert from 'node:assert/strict';
import { pino } from 'pino';
import { type Collections, makeCollections } from '../../src/api/collections.ts';
import { Empty, makePoints, type Packet } from '../../src/bus/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { Router } from '../../src/node/router.ts';
import { SessionHub, type SessionPolicy } from '../../src/node/session-hub.ts';
import type { StanzaError, StreamError } from '../../src/protocol/index.ts';
import type { Leftover } from '../../src/session/outbox.ts';
import type { Session } from '../../src/session/session.ts';
import { Users } from '../../src/session/users.ts';
import { ClientStream, type StreamState } from '../../src/stream/client-stream.ts';
import type { SmPolicy, StreamEnvironment, StreamHost, StreamLimits } from '../../src/stream/environment.ts';
import type { Clients, LoginNoted, LoginOfClient } from '../../src/stream/clients.ts';
import { Hmac } from '../../src/util/hmac.ts';
import { Portions } from '../../src/util/portions.ts';
import type { LoginThrottle, LoginToken } from '../../src/stream/sasl/index.ts';
import { backend } from '../../src/stream/sasl/test-kit.ts';
import type { Element } from '../../src/xml/index.ts';
import { FakeConnection } from '../kit/connection.ts';
import { turn } from '../kit/wait.ts';
import { readStanzas } from '../kit/wire.ts';

export const NS = {
  tls: 'urn:ietf:params:xml:ns:xmpp-tls',
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
  bind: 'urn:ietf:params:xml:ns:xmpp-bind',
  sm: 'urn:xmpp:sm:3',
  framing: 'urn:ietf:params:xml:ns:xmpp-framing',
  streams: 'http://etherx.jabber.org/streams',
};

/** A client's stream header, with these attributes changed; undefined takes one away. */
export function header(changes: Record<string, string | undefined> = {}): string {
  const attributes = {
    to: 'example.org',
    version: '1.0',
    xmlns: 'jabber:client',
    'xmlns:stream': NS.streams,
    ...changes,
  };
  const text = Object.entries(attributes).map(([name, value]) => (value === undefined ? '' : ` ${name}='${value}'`));
  return `<?xml version='1.0'?><stream:stream${text.join('')}>`;
}

export function plain(name: string, password = name): string {
  const data = Buffer.from(`\0${name}\0${password}`).toString('base64');
  return `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${data}</auth>`;
}

export function bindRequest(resource?: string, id = 'b1'): string {
  const child = resource === undefined ? '' : `<resource>${resource}</resource>`;
  return `<iq type='set' id='${id}'><bind xmlns='${NS.bind}'>${child}</bind></iq>`;
}

/** The clients of accounts, in memory: each is named by its account and its user agent, and its tokens are T1, T2, ... */
export class FakeClients implements Clients {
  readonly tokens = new Map<string, LoginToken[]>();
  readonly logins: LoginOfClient[] = [];
  /** What noting a login waits for. */
  noting: Promise<void> | undefined;
  /** The token of a login is gone by the time that it is noted. */
  gone = false;
  expiry = Date.parse('2030-01-01T00:00:00.500Z');

  idOf(account: Jid, agent: string): string {
    return `${account.bare} ${agent}`;
  }

  resourceOf(id: string, tag: string): string {
    return `own-${id.length}-${tag.length}`;
  }

  tokensOf(id: string): readonly LoginToken[] {
    return this.tokens.get(id) ?? [];
  }

  loggedIn(login: LoginOfClient): LoginNoted | Promise<LoginNoted> {
    const note = (): LoginNoted => {
      if (this.gone) return 'refused';
      this.logins.push(login);
      const { id, request } = login;
      if (request === undefined) return undefined;
      const secret = `T${this.logins.length}`;
      this.tokens.set(id, [{ mechanism: request, secret, mac: new Hmac(Buffer.from(secret)), expiry: this.expiry }]);
      return { secret, expiry: this.expiry };
    };
    return this.noting ? this.noting.then(note) : note();
  }
}

/** The node around the streams of a test: real sessions, a router that the test looks into. */
export class FakeNode implements StreamEnvironment {
  readonly log = pino({ level: 'silent' });
  readonly collections: Collections = makeCollections();
  throttle: LoginThrottle | undefined;
  readonly clients = new FakeClients();
  logins = new Portions(Infinity);
  domain = 'example.org';
  limits: StreamLimits = {
    beforeLogin: { bytes: 2048, depth: 10, attributes: 20, elements: 50 },
    afterLogin: { bytes: 10_000, depth: 20, attributes: 20, elements: 100 },
    unauthenticatedBytes: 4096,
    loginAttempts: 3,
    bytesPerSecond: 0,
    bytesBurst: 1_000_000,
    stanzasPerSecond: 0,
    stanzasBurst: 1000,
  };
  sm: SmPolicy = { enabled: true, timeout: 60, maxTimeout: 600 };
  policy: SessionPolicy = {
    conflict: 'replace',
    maxPerUser: 3,
    outbox: { bytes: 100_000, stanzas: 1000 },
    outboxSeconds: 60,
    inbox: 5,
    silence: 0,
    answer: 60,
    durable: true,
  };
  hosts: Record<string, Partial<StreamHost>> = { 'example.org': {}, 'example.net': {} };
  /** What binding waits for. */
  binding: Promise<void> | undefined;
  readonly users = new Users();
  /** Ids of the stanzas that were handled, in order. */
  readonly handled: string[] = [];
  /** What the handlers of stanzas with these ids wait for. */
  readonly waits = new Map<string, Promise<void>>();
  readonly commits = new Map<string, Promise<void>>();
  /** Stanzas that clients never took. */
  readonly leftovers: string[] = [];
  readonly events: string[] = [];
  readonly errors: StreamError[] = [];
  readonly hub: SessionHub;

  constructor() {
    const router = {
      passing: new Map<string, Promise<void>>(),
      received: (packet: Packet): void | Promise<void> => {
        const id = packet.id ?? '';
        this.handled.push(id);
        const commit = this.commits.get(id);
        if (commit) packet.hold(commit);
        const answer = (): void => {
          if (packet.type === 'get') packet.sender!.sendWire(packet.resultWire(Empty));
        };
        const wait = this.waits.get(id);
        if (!wait) return answer();
        return wait.then(answer);
      },
      bounce: (packet: Packet, error: StanzaError) => packet.sender!.sendWire(packet.errorWire(error)),
      leftover: (item: Leftover) => {
        item.taken?.(false);
        if (!item.disposable) this.leftovers.push(item.wire);
      },
    };
    this.hub = new SessionHub({
      users: this.users,
      points: makePoints(),
      router: router as unknown as Router,
      policy: () => this.policy,
      watch: {
        slow: (_, reason) => this.events.push(`slow ${reason}`),
        dead: () => this.events.push('dead'),
        expired: () => this.events.push('expired'),
        detached: () => {},
        ended: () => {},
      },
      log: this.log,
    });
    this.hub.stop();
  }

  host(domain: string): StreamHost | undefined {
    const host = this.hosts[domain];
    if (!host) return undefined;
    return {
      domain,
      tls: true,
      mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'],
      anonymous: false,
      backend: backend({ romeo: { password: 'romeo' }, gone: { password: 'gone', disabled: true } }),
      seeOtherHost: undefined,
      sasl2: true,
      fast: true,
      enabled: () => true,
      ...host,
    };
  }

  bind(
    _: ClientStream,
    account: Jid,
    resource: string | undefined,
    anonymous: boolean,
    client?: string,
  ): Session | StanzaError | Promise<Session | StanzaError> {
    const bind = (): Session | StanzaError => this.hub.bind(account, resource, anonymous, client);
    return this.binding ? this.binding.then(bind) : bind();
  }

  resumable(id: string, account: Jid): Session | undefined {
    return this.hub.resumable(id, account);
  }

  handledBefore(id: string, account: Jid): number | undefined {
    return this.hub.handledBefore(id, account);
  }

  enableResumption(session: Session, id: string): void {
    this.hub.enableResumption(session, id);
  }

  opened(): void {
    this.events.push('opened');
  }

  authenticated(stream: ClientStream, mechanism: string): void {
    this.events.push(`authenticated ${stream.account!.bare} ${mechanism}`);
  }

  loginFailed(_: ClientStream, mechanism: string, condition: string): void {
    this.events.push(`failed ${mechanism} ${condition}`);
  }

  closed(): void {
    this.events.push('closed');
  }

  streamError(_: ClientStream, error: StreamError): void {
    this.errors.push(error);
  }

  tlsFailed(_: ClientStream, error: Error): void {
    this.events.push(`TLS failed: ${error.message}`);
  }

  resumed(_: ClientStream, session: Session): void {
    this.events.push(`resumed ${session.jid.full}`);
    this.hub.resumed(session);
  }

  begun(_: ClientStream, session: Session): void {
    this.events.push(`begun ${session.jid.full}`);
    this.hub.begun(session);
  }
}

export interface TrialOptions {
  readonly framed?: boolean;
  /** Under TLS from the beginning. */
  readonly secured?: boolean;
  readonly allowPlaintext?: boolean;
  readonly node?: FakeNode;
}

/** One stream and its client. */
export class StreamTrial {
  readonly node: FakeNode;
  readonly connection: FakeConnection;
  readonly stream: ClientStream;
  jid = '';

  constructor(options: TrialOptions = {}) {
    this.node = options.node ?? new FakeNode();
    this.connection = new FakeConnection({ framed: options.framed, secured: options.secured });
    this.stream = new ClientStream(this.connection, this.node, options.allowPlaintext);
    this.connection.handler = this.stream;
  }

  get state(): StreamState {
    return this.stream.state;
  }

  /** The client sends something, byte by byte. */
  say(markup: string): this {
    if (this.connection.framed) return this.atOnce(markup);
    for (const byte of Buffer.from(markup)) this.connection.receive(Uint8Array.of(byte));
    return this;
  }

  /** The client sends something in one piece (on a framed connection: in one frame). */
  atOnce(markup: string): this {
    this.connection.receive(markup);
    return this;
  }

  /** What the server has said since the last look. */
  heard(): string {
    for (const session of this.node.users.sessions()) {
      session.dirty = false;
      session.flush();
    }
    return this.connection.said();
  }

  /** Looks at what the server has said: all of it must match. */
  expect(pattern: RegExp): string {
    const text = this.heard();
    assert.match(text, pattern);
    return text;
  }

  /** The first-level elements of what the server has said since the last look (which must not hold a header or an end). */
  elements(): Element[] {
    return readStanzas(Buffer.from(this.heard())).map(stanza => stanza.element());
  }

  /** The stream has ended with this error, sent after a header, and nothing came behind its end. */
  failedWith(condition: string): string {
    const text = this.heard();
    const end = this.connection.framed ? `<close xmlns='${NS.framing}'/>` : '</stream:stream>';
    const error = new RegExp(
      `<stream:error[^>]*><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'(?:/>|>[^<]*</${condition}>).*</stream:error>`,
    );
    assert.match(text, error);
    assert(text.endsWith(end), text);
    assert.equal(this.state, 'closed');
    assert.equal(this.connection.ended, true);
    assert.equal(this.node.errors.at(-1)?.condition, condition);
    // what still comes is of no interest
    this.connection.receive(`<message/>${header()}`);
    assert.equal(this.heard(), '');
    return text;
  }

  /** Opens a stream and drops what the server says to that. */
  open(changes: Record<string, string | undefined> = {}): this {
    if (this.connection.framed) {
      this.say(`<open xmlns='${NS.framing}' to='${changes.to ?? 'example.org'}' version='1.0'/>`);
    } else this.say(header(changes));
    this.heard();
    return this;
  }

  /** Logs in by PLAIN and opens the next stream. */
  async authenticate(name = 'romeo'): Promise<this> {
    this.open().say(plain(name));
    await turn();
    assert.match(this.heard(), /<success /);
    return this.open();
  }

  async bind(resource?: string): Promise<this> {
    this.say(bindRequest(resource));
    await turn();
    const text = this.heard();
    const jid = /<jid>([^<]+)<\/jid>/.exec(text);
    assert(jid, text);
    this.jid = jid[1]!;
    assert.equal(this.state, 'session');
    return this;
  }

  /** A stream with a session. */
  static async session(resource = 'orchard', options: TrialOptions = {}): Promise<StreamTrial> {
    const trial = new StreamTrial({ secured: true, ...options });
    await trial.authenticate();
    return trial.bind(resource);
  }

  get session(): Session {
    const { session } = this.stream;
    assert(session);
    return session;
  }

  /** Agrees on acknowledgements and resumption; the id. */
  enable(): string {
    this.say(`<enable xmlns='${NS.sm}' resume='true'/>`);
    const id = /<enabled xmlns='urn:xmpp:sm:3' id='([^']+)'/.exec(this.heard());
    assert(id);
    return id[1]!;
  }
}

export { turn } from '../kit/wait.ts';
