import path from 'node:path';
import type { Logger } from 'pino';
import { type Collections, makeCollections } from '../api/collections.ts';
import type { NodeView } from '../api/node-view.ts';
import { IqTable, makePoints, type Packet, type Points } from '../bus/index.ts';
import { hostMeta } from '../http/host-meta.ts';
import { HttpServers } from '../http/server.ts';
import { type Jid, parseJid } from '../jid/index.ts';
import { NS, refuse, StanzaError, type StreamError } from '../protocol/index.ts';
import { Empty } from '../bus/index.ts';
import type { Session } from '../session/session.ts';
import { type User, Users } from '../session/users.ts';
import { openStorage, type Storage, StorageError } from '../storage/index.ts';
import { ClientStream } from '../stream/client-stream.ts';
import type { StreamHost } from '../stream/environment.ts';
import { LoginThrottle } from '../stream/sasl/index.ts';
import { serveUnix } from '../transport/unix.ts';
import { WebSocketGate } from '../transport/websocket.ts';
import { AccountsService } from './accounts-service.ts';
import { Certificates } from './certificates.ts';
import { CONTROL_SOCKET } from './control-socket.ts';
import type { LoadedConfig } from './config/index.ts';
import { AddressGate, ListenError, listenProblem, Listeners } from './listeners.ts';
import { loopLag, Metrics, sessionSamples } from './metrics.ts';
import { Modules } from './modules/index.ts';
import { ownRoutes } from './own-routes.ts';
import { Operations } from './operations.ts';
import { Router } from './router.ts';
import { SessionHub } from './session-hub.ts';
import type { Settings } from './settings.ts';
import { settingsOf } from './settings-of.ts';
import { Streams } from './streams.ts';
import { version } from './version.ts';

export interface NodeOptions {
  readonly config: LoadedConfig;
  /** Reads the configuration again; rejects with what is wrong with it. */
  readonly reread: () => Promise<LoadedConfig>;
  readonly log: Logger;
  /** False: only the data are opened, for an operation on them. */
  readonly listen: boolean;
}

/** One process of Posthouse: everything put together. */
export class Node implements NodeView {
  readonly version = version;
  readonly startedAt = Date.now();
  readonly log: Logger;
  readonly metrics = new Metrics();
  readonly points: Points = makePoints();
  readonly iqs = new IqTable();
  readonly collections: Collections = makeCollections();
  readonly directory = new Users();
  readonly router: Router;
  readonly hub: SessionHub;
  readonly streams: Streams;
  readonly certificates: Certificates;
  readonly listeners: Listeners;
  readonly modules: Modules;
  readonly storage: Storage;
  readonly accounts: AccountsService;
  settings: Settings;
  private config: LoadedConfig;
  private readonly options: NodeOptions;
  private readonly gate: AddressGate;
  private readonly http: HttpServers;
  private readonly lag = loopLag();
  private control: { close(): void } | undefined;
  private httpsPort: number | undefined;
  private stopping: Promise<void> | undefined;
  private accepting = false;
  /** Resolved when the node has stopped. */
  readonly stopped: Promise<void>;
  private readonly hasStopped: () => void;

  /** Opens the data, loads the modules, opens the listeners. Rejects with a sentence for the operator when it cannot. */
  static async start(options: NodeOptions): Promise<Node> {
    const settings = settingsOf(options.config);
    const storage = await openStorage({
      dataDir: settings.storage.folder,
      synchronous: settings.storage.synchronous,
      logger: options.log,
    });
    const node = new Node(options, settings, storage);
    try {
      await node.begin();
    } catch (error) {
      await node.stop('the start failed').catch(() => {});
      throw error;
    }
    return node;
  }

  private constructor(options: NodeOptions, settings: Settings, storage: Storage) {
    const { log } = options;
    this.options = options;
    this.config = options.config;
    this.settings = settings;
    this.storage = storage;
    this.log = log;
    const stopped = Promise.withResolvers<void>();
    this.stopped = stopped.promise;
    this.hasStopped = stopped.resolve;
    this.accounts = new AccountsService({
      storage,
      users: this.directory,
      points: this.points,
      iterations: () => this.settings.iterations,
      log,
      closeSessions: (jid, error) => this.closeSessions(jid, error),
    });
    this.router = new Router({
      points: this.points,
      iqs: this.iqs,
      collections: this.collections,
      users: this.directory,
      hosts: { has: domain => this.settings.hosts.has(domain) },
      accountExists: jid => this.accounts.exists(jid),
      failure: (error, packet) => this.failure(error, packet),
    });
    this.hub = new SessionHub({
      users: this.directory,
      points: this.points,
      router: this.router,
      policy: () => this.settings.sessions,
      watch: {
        slow: (session, reason) => {
          this.metrics
            .counter('posthouse_slow_readers_total', 'Sessions closed because their client did not read.', { reason })
            .inc();
          log.warn(
            { session: session.id, jid: session.jid.full, reason, bytes: session.outbox.bytes },
            'a client does not read: closed',
          );
        },
        dead: session => {
          this.metrics
            .counter('posthouse_dead_peers_total', 'Connections closed because nobody answered on them.')
            .inc();
          log.info({ session: session.id, jid: session.jid.full }, 'a client is silent: closed');
        },
        expired: session =>
          log.info({ session: session.id, jid: session.jid.full }, 'a session was not resumed in time'),
      },
      log,
    });
    this.streams = new Streams({
      log,
      collections: this.collections,
      hub: this.hub,
      metrics: this.metrics,
      settings: () => this.settings.streams,
      hosts: domain => this.streamHost(domain),
      mayBind: async account => {
        const found = await this.accounts.get(account);
        return found?.status === 'active' ? undefined : refuse('not-authorized', 'The account is gone.');
      },
    });
    this.certificates = new Certificates(settings.storage.folder, log);
    this.gate = new AddressGate(() => this.settings.connectionsPerAddress);
    this.listeners = new Listeners({
      environment: this.streams,
      contexts: this.certificates.contexts,
      collections: this.collections,
      gate: this.gate,
    });
    const websocket = new WebSocketGate(
      this.certificates.contexts,
      settings.streams.limits.afterLogin.bytes,
      connection => new ClientStream(connection, this.streams, !connection.secured),
    );
    this.http = new HttpServers({
      log,
      contexts: this.certificates.contexts,
      collections: this.collections,
      routes: [
        hostMeta({ hosts: () => [...this.settings.hosts.keys()], httpsPort: () => this.httpsPort }),
        ownRoutes({ metrics: this.metrics, problems: () => this.problems() }),
      ],
      upgrade: (request, socket, head) => websocket.upgrade(request, socket, head),
      admit: address => this.gate.admit(address),
      left: address => this.gate.left(address),
    });
    this.modules = new Modules({
      node: this,
      points: this.points,
      iqs: this.iqs,
      collections: this.collections,
      storage,
      log,
      metrics: this.metrics,
      config: () => this.config,
      sessions: () => this.directory.sessions(),
    });
    this.setThrottle();
    this.measure();
    // RFC 3921 3, for clients that still ask
    this.iqs.add({ owner: 'core', xmlns: NS.session, name: 'session', type: 'set', to: 'both', fn: () => Empty });
  }

  private async begin(): Promise<void> {
    const { settings } = this;
    const certificates = this.options.listen
      ? this.certificates.use([...settings.hosts.values()].map(host => host.certificate))
      : Promise.resolve();
    await Promise.all([certificates, this.accounts.open().then(() => this.modules.loadAll(settings.modules))]);
    if (!this.options.listen) return;
    this.points.ready.tell(undefined);
    const http = settings.listeners.filter(listener => listener.type === 'http' || listener.type === 'https');
    for (const listener of settings.listeners) if (!http.includes(listener)) await this.listeners.listen(listener);
    this.accepting = true;
    for (const listener of http) await this.listenHttp(listener);
    this.control = await serveUnix(path.join(settings.storage.folder, CONTROL_SOCKET), request =>
      new Operations(this).run(request),
    );
    void this.http.warm().catch((error: unknown) => this.log.error({ err: error }, 'the HTTP routes cannot be built'));
  }

  private async listenHttp(listener: Settings['listeners'][number]): Promise<void> {
    for (const address of listener.addresses) {
      try {
        const tls = listener.type === 'https';
        const port = await this.http.listen({ port: listener.port, address, tls, face: tls ? 'public' : 'private' });
        if (tls) this.httpsPort ??= port;
      } catch (error) {
        throw new ListenError(listenProblem(error as NodeJS.ErrnoException, listener, address), { cause: error });
      }
    }
  }

  private setThrottle(): void {
    const { throttle } = this.settings;
    this.streams.throttle = throttle && new LoginThrottle({ ...throttle, clock: () => performance.now() });
  }

  private streamHost(domain: string): StreamHost | undefined {
    const host = this.settings.hosts.get(domain);
    if (!host) return undefined;
    return {
      domain,
      tls: true,
      mechanisms: this.settings.mechanisms,
      anonymous: host.anonymous,
      backend: this.accounts.backend(domain),
      seeOtherHost: host.seeOtherHost,
      enabled: module => !host.without.has(module),
    };
  }

  /** What goes wrong in a handler or below it, as an answer: in this one place. */
  private failure(error: unknown, packet: Packet): StanzaError {
    const details = {
      err: error,
      kind: packet.stanza.name,
      id: packet.id,
      from: packet.from.full,
      session: packet.sender?.id,
    };
    if (error instanceof StorageError) {
      this.metrics
        .counter('posthouse_storage_failures_total', 'Stanzas refused because the storage failed.', {
          kind: error.kind,
        })
        .inc();
      this.log.error(details, `storage: ${error.message}`);
      if (error.kind === 'full')
        return new StanzaError('resource-constraint', {
          type: 'wait',
          text: 'The server cannot store it now. Try again later.',
        });
      return new StanzaError('internal-server-error', {
        type: 'wait',
        text: 'The server cannot do it now. Try again later.',
      });
    }
    this.metrics.counter('posthouse_internal_errors_total', 'Stanzas answered with internal-server-error.').inc();
    this.log.error(details, 'a stanza could not be handled');
    return refuse('internal-server-error');
  }

  // ---- NodeView -------------------------------------------------------------------------------------------------------------

  get hosts(): ReadonlySet<string> {
    return new Set(this.settings.hosts.keys());
  }

  moduleEnabled(module: string, host: string): boolean {
    return !this.settings.hosts.get(host)?.without.has(module);
  }

  moduleEverywhere(module: string): boolean {
    return [...this.settings.hosts.values()].every(host => !host.without.has(module));
  }

  isAdmin(jid: Jid, host: string): boolean {
    return this.admins(host).some(admin => admin.bare === jid.bare);
  }

  admins(host: string): readonly Jid[] {
    const texts = [...this.settings.admins, ...(this.settings.hosts.get(host)?.admins ?? [])];
    return texts.map(text => parseJid(text)).filter(jid => jid !== undefined);
  }

  user(bare: Jid): User | undefined {
    return this.directory.get(bare.bare);
  }

  users(): Iterable<User> {
    return this.directory.all();
  }

  session(full: Jid): Session | undefined {
    return this.directory.session(full.full);
  }

  sessions(): Iterable<Session> {
    return this.directory.sessions();
  }

  get sessionCount(): number {
    return this.directory.sessionCount;
  }

  route(packet: Packet): void | Promise<void> {
    return this.router.route(packet);
  }

  deliver(packet: Packet, session: Session, taken?: (taken: boolean) => void): void | Promise<void> {
    return this.router.deliver(packet, session, taken);
  }

  bounce(packet: Packet, error: StanzaError): void {
    this.router.bounce(packet, error);
  }

  closeSessions(bare: Jid, error: StreamError): void {
    for (const session of this.directory.get(bare.bare)?.sessions ?? []) session.close(error);
  }

  shutdown(reason: string, afterSeconds = 0): void {
    setTimeout(() => void this.stop(reason), afterSeconds * 1000).unref();
  }

  // ---- for the operator -----------------------------------------------------------------------------------------------------

  /** Reasons why this node is not ready to serve. */
  problems(): string[] {
    const problems: string[] = [];
    if (!this.accepting) problems.push('it does not accept connections');
    const { ok, reason } = this.storage.health();
    if (!ok) problems.push(`storage: ${reason}`);
    return problems;
  }

  status(): Record<string, unknown> {
    const problems = this.problems();
    return {
      version,
      ready: problems.length === 0 ? 'yes' : problems.join('; '),
      hosts: [...this.hosts],
      upSeconds: Math.floor((Date.now() - this.startedAt) / 1000),
      sessions: this.sessionCount,
      modules: this.modules.list().filter(module => module.state === 'loaded').length,
      memoryMiB: Math.round(process.memoryUsage.rss() / 1024 / 1024),
      pid: process.pid,
      listeners: this.listeners.open.map(({ settings, address }) => `${settings.name} ${address}:${settings.port}`),
    };
  }

  describeConfig(): { text: string } {
    return { text: this.config.print() };
  }

  /** Takes up the configuration file as it is now: all of it, or nothing. Tells what changed, and what a restart needs. */
  async reload(): Promise<{ changed: string[]; restart: string[] }> {
    const next = await this.options.reread();
    const settings = settingsOf(next);
    const difference = this.config.difference(next);
    await this.certificates.use([...settings.hosts.values()].map(host => host.certificate));
    const before = this.settings;
    const old = this.config;
    this.config = next;
    this.settings = settings;
    try {
      await this.modules.follow(settings.modules);
    } catch (error) {
      this.config = old;
      this.settings = before;
      throw error;
    }
    if (JSON.stringify(before.throttle) !== JSON.stringify(settings.throttle)) this.setThrottle();
    for (const domain of before.hosts.keys()) {
      if (settings.hosts.has(domain)) continue;
      const gone: StreamError = { condition: 'host-gone', text: `${domain} is not served here any more.` };
      for (const session of [...this.directory.sessions()]) if (session.jid.domain === domain) session.close(gone);
      this.certificates.contexts.delete(domain);
    }
    this.log.info({ changed: difference.live, restart: difference.restart }, 'configuration reloaded');
    return { changed: difference.live, restart: difference.restart };
  }

  private measure(): void {
    const { metrics } = this;
    metrics.gauge('posthouse_sessions', 'Sessions by transport and state.', () =>
      sessionSamples(this.directory.sessions()),
    );
    metrics.gauge('posthouse_streams', 'Client streams, sessions or not.', () => this.streams.size);
    metrics.gauge(
      'posthouse_connections_refused_total',
      'Connections refused because their address had too many.',
      () => this.gate.refused,
      'counter',
    );
    metrics.gauge('posthouse_outbox_bytes', 'Bytes that wait in outboxes.', () => {
      let bytes = 0;
      for (const session of this.directory.sessions()) bytes += session.outbox.bytes;
      return bytes;
    });
    metrics.gauge('posthouse_event_loop_lag_seconds', 'How late timers run, the worst since the last look.', () =>
      this.lag.worst(),
    );
    metrics.gauge('posthouse_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
    metrics.gauge('posthouse_uptime_seconds', 'Seconds since the start.', () => (Date.now() - this.startedAt) / 1000);
    metrics.gauge('posthouse_stanzas_total', 'Stanzas by kind and direction.', () => this.router.counts(), 'counter');
    metrics.gauge('posthouse_storage_ready', '1 while the storage works.', () => (this.storage.health().ok ? 1 : 0));
  }

  // ---- the end --------------------------------------------------------------------------------------------------------------

  /** Stops in order: no new connections, clients told, everything stored. Bounded by the configured time. */
  stop(reason: string): Promise<void> {
    this.stopping ??= this.drain(reason);
    return this.stopping;
  }

  private async drain(reason: string): Promise<void> {
    this.log.info(`stopping: ${reason}`);
    this.accepting = false;
    const limit = AbortSignal.timeout(this.settings.shutdownSeconds * 1000);
    const late = new Promise<'late'>(resolve => limit.addEventListener('abort', () => resolve('late')));
    const work = async (): Promise<void> => {
      this.control?.close();
      this.listeners.close();
      const error: StreamError = { condition: 'system-shutdown', text: reason };
      this.hub.closeAll(error);
      this.streams.closeAll(error);
      await this.hub.settled();
      await this.http.close();
      while (this.streams.size > 0 && !limit.aborted) await new Promise(resolve => setTimeout(resolve, 10));
      await this.modules.unloadAll();
    };
    if ((await Promise.race([work(), late])) === 'late') this.log.warn('not everything could be finished in time');
    this.hub.stop();
    this.streams.stop();
    this.certificates.stop();
    this.lag.stop();
    await this.storage.close();
    this.log.info('stopped');
    this.hasStopped();
  }
}
