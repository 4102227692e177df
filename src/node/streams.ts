import type { Logger } from 'pino';
import type { Collections } from '../api/collections.ts';
import { Jid } from '../jid/index.ts';
import type { StanzaError, StreamError } from '../protocol/index.ts';
import type { Session } from '../session/session.ts';
import type { ClientStream } from '../stream/client-stream.ts';
import type { SmPolicy, StreamEnvironment, StreamHost, StreamLimits } from '../stream/environment.ts';
import type { Clients } from '../stream/clients.ts';
import type { LoginThrottle } from '../stream/sasl/index.ts';
import { tlsTrouble } from '../transport/tls-trouble.ts';
import { type MaybePromise, andThen } from '../util/maybe.ts';
import { Portions } from '../util/portions.ts';
import type { Count, Metrics } from './metrics.ts';
import type { SessionHub } from './session-hub.ts';

/** What streams are told of the node; read at each use. */
export interface StreamSettings {
  readonly limits: StreamLimits;
  readonly sm: SmPolicy;
  /** Seconds that a stream may stay without a session. */
  readonly unauthenticatedSeconds: number;
}

const SWEEP = 1_000; // ms
/** ms of each turn of the event loop for those who log in: when thousands come at once, who is there already hardly notices. */
const LOGINS = 5;

/** Conditions of which the client is not the cause, or that come in crowds. */
const OURS: ReadonlySet<string> = new Set(['connection-timeout', 'system-shutdown', 'see-other-host', 'reset']);

/** The client streams of a node: what they ask for, and the bounds of those that have not logged in. */
export class Streams implements StreamEnvironment {
  readonly log: Logger;
  readonly collections: Collections;
  readonly clients: Clients;
  readonly logins = new Portions(LOGINS);
  throttle: LoginThrottle | undefined;
  private readonly hub: SessionHub;
  private readonly metrics: Metrics;
  private readonly settings: () => StreamSettings;
  private readonly mainDomain: () => string;
  private readonly hosts: (domain: string) => StreamHost | undefined;
  private readonly accountExists: (account: Jid) => MaybePromise<boolean>;
  private readonly mayBind: (account: Jid) => Promise<StanzaError | undefined>;
  private readonly open = new Set<ClientStream>();
  /** Streams without a session, oldest first. */
  private readonly unbound = new Set<ClientStream>();
  private readonly sweeper: NodeJS.Timeout;
  private resumptions: Count | undefined;
  /** By mechanism. */
  private readonly loggedIn = new Map<string, Count>();

  constructor(parts: {
    log: Logger;
    collections: Collections;
    clients: Clients;
    hub: SessionHub;
    metrics: Metrics;
    settings: () => StreamSettings;
    domain: () => string;
    hosts: (domain: string) => StreamHost | undefined;
    accountExists: (account: Jid) => MaybePromise<boolean>;
    /** Whether an account that logged in may have a session; it can have been removed meanwhile. */
    mayBind: (account: Jid) => Promise<StanzaError | undefined>;
  }) {
    this.log = parts.log;
    this.collections = parts.collections;
    this.clients = parts.clients;
    this.hub = parts.hub;
    this.metrics = parts.metrics;
    this.settings = parts.settings;
    this.mainDomain = parts.domain;
    this.hosts = parts.hosts;
    this.accountExists = parts.accountExists;
    this.mayBind = parts.mayBind;
    this.sweeper = setInterval(() => this.sweep(Date.now()), SWEEP).unref();
  }

  get domain(): string {
    return this.mainDomain();
  }

  get limits(): StreamLimits {
    return this.settings().limits;
  }

  get sm(): SmPolicy {
    return this.settings().sm;
  }

  get size(): number {
    return this.open.size;
  }

  host(domain: string): StreamHost | undefined {
    return this.hosts(domain);
  }

  async bind(
    stream: ClientStream,
    account: Jid,
    resource: string | undefined,
    anonymous: boolean,
    client?: string,
  ): Promise<Session | StanzaError> {
    const refusal = anonymous ? undefined : await this.mayBind(account);
    if (refusal) return refusal;
    return this.hub.bind(account, resource, anonymous, client);
  }

  begun(stream: ClientStream, session: Session): void {
    this.unbound.delete(stream);
    this.log.info(
      {
        session: session.id,
        stream: stream.id,
        jid: session.jid.full,
        address: session.address,
        transport: session.transport,
      },
      'session begins',
    );
    this.hub.begun(session);
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

  resumed(stream: ClientStream, session: Session): void {
    this.unbound.delete(stream);
    this.resumptions ??= this.metrics.counter('posthouse_resumptions_total', 'Sessions resumed (XEP-0198).');
    this.resumptions.inc();
    // as its wait: phones do so all day
    this.log.debug(
      {
        session: session.id,
        stream: stream.id,
        jid: session.jid.full,
        address: session.address,
        transport: session.transport,
      },
      'session resumed',
    );
    this.hub.resumed(session);
  }

  opened(stream: ClientStream): void {
    this.open.add(stream);
    this.unbound.add(stream);
  }

  authenticated(stream: ClientStream, mechanism: string): void {
    let logins = this.loggedIn.get(mechanism);
    if (!logins) {
      logins = this.metrics.counter('posthouse_logins_total', 'Logins that succeeded.', { mechanism });
      this.loggedIn.set(mechanism, logins);
    }
    logins.inc();
    this.log.debug(
      { stream: stream.id, account: stream.account?.bare, mechanism, address: stream.connection.address },
      'logged in',
    );
  }

  loginFailed(stream: ClientStream, mechanism: string, condition: string, local: string | undefined): void {
    this.metrics.counter('posthouse_login_failures_total', 'Logins that failed, by condition.', { condition }).inc();
    const details = {
      stream: stream.id,
      address: stream.connection.address,
      host: stream.host?.domain,
      account: local,
      mechanism,
      condition,
    };
    const unknown = condition === 'not-authorized' && this.isUnknown(stream.host, local);
    void andThen(unknown, yes =>
      // the reason is for the operator alone; whoever logs in is told nothing of it
      this.log.info({ ...details, reason: yes ? 'there is no such account' : undefined }, 'login failed'),
    );
  }

  private isUnknown(host: StreamHost | undefined, local: string | undefined): MaybePromise<boolean> {
    if (host === undefined || local === undefined) return false;
    const noAnswer = (): boolean => false; // a storage in trouble speaks for itself
    try {
      const there = this.accountExists(new Jid(local, host.domain, ''));
      return there instanceof Promise ? there.then(yes => !yes, noAnswer) : !there;
    } catch {
      return noAnswer();
    }
  }

  tlsFailed(stream: ClientStream, error: Error): void {
    const reason = tlsTrouble(error);
    if (reason === undefined) return;
    this.metrics.counter('posthouse_tls_failures_total', 'Connections that ended because TLS failed.').inc();
    this.log.info({ address: stream.connection.address, reason }, 'TLS failed');
  }

  closed(stream: ClientStream): void {
    this.open.delete(stream);
    this.unbound.delete(stream);
  }

  streamError(stream: ClientStream, error: StreamError): void {
    this.metrics
      .counter('posthouse_stream_errors_total', 'Stream errors sent, by condition.', { condition: error.condition })
      .inc();
    const { address, transport } = stream.connection;
    if (stream.account || OURS.has(error.condition)) {
      this.log.debug({ stream: stream.id, session: stream.session?.id, address, error }, 'stream error');
    } else {
      // somebody who sets up a client looks here for what is wrong with it
      this.log.info({ address, transport, condition: error.condition, reason: error.text }, 'stream refused');
    }
  }

  /** Ends streams that have logged in to an account and are about to have a session. */
  endUnbound({ bare }: Jid, error: StreamError): void {
    for (const stream of this.unbound) if (stream.account?.bare === bare) stream.fail(error);
  }

  /** Closes streams that have had time enough to log in: RFC 6120 4.9.3.4. */
  sweep(now: number): void {
    const oldest = now - this.settings().unauthenticatedSeconds * 1000;
    for (const stream of this.unbound) {
      if (stream.openedAt > oldest) break;
      this.unbound.delete(stream);
      stream.fail({ condition: 'connection-timeout', text: 'The login took too long.' });
    }
  }

  /** The limits are others now. */
  limitsChanged(): void {
    for (const stream of this.open) stream.renewRate();
  }

  /** Tells every client that the stream ends. */
  closeAll(error: StreamError): void {
    for (const stream of [...this.open]) stream.fail(error);
  }

  /** Cuts those that are still there. */
  destroyAll(): void {
    for (const stream of [...this.open]) stream.connection.destroy();
  }

  stop(): void {
    clearInterval(this.sweeper);
  }
}
