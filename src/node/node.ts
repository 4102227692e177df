import path from 'node:path';
import type { Logger } from 'pino';
import { type Collections, makeCollections } from '../api/collections.ts';
import type { NodeView } from '../api/node-view.ts';
import { IqTable, makePoints, type Packet, type Points } from '../bus/index.ts';
import { hostMeta } from '../http/host-meta.ts';
import { HttpServers } from '../http/server.ts';
import { websocketPage } from '../http/websocket-page.ts';
import { type Jid, parseJid } from '../jid/index.ts';
import { NS, refuse, type StanzaError, type StreamError } from '../protocol/index.ts';
import { Empty } from '../bus/index.ts';
import type { Session } from '../session/session.ts';
import { type User, Users } from '../session/users.ts';
import { openStorage, type Storage } from '../storage/index.ts';
import { ClientStream } from '../stream/client-stream.ts';
import type { StreamHost } from '../stream/environment.ts';
import { LoginThrottle } from '../stream/sasl/index.ts';
import { serveUnix } from '../transport/unix.ts';
import { WebSocketGate } from '../transport/websocket.ts';
import { AccountsService } from './accounts-service.ts';
import { type CertificateSource, Certificates } from './certificates.ts';
import { CONTROL_SOCKET } from './control-socket.ts';
import type { LoadedConfig } from './config/index.ts';
import { drain } from './drain.ts';
import { AddressGate, Listeners } from './listeners.ts';
import { figures } from './figures.ts';
import { sessionWatch } from './session-watch.ts';
import { stanzaFailure } from './stanza-failures.ts';
import { Metrics } from './metrics.ts';
import { Modules } from './modules/index.ts';
import { ownRoutes } from './own-routes.ts';
import { Operations } from './operations.ts';
import { Router } from './router.ts';
import { SessionHub } from './session-hub.ts';
import type { Settings } from './settings.ts';
import { settingsOf } from './settings-of.ts';
import { Streams } from './streams.ts';
import { version } from './version.ts';

/** ms after the start when the HTTP routes are built, which takes a tenth of a second. A request before does it at once. */
const WARM_AFTER = 2_000;

export { FolderInUse } from '../storage/index.ts';

export interface NodeOptions {
  readonly config: LoadedConfig;
  /** Reads the configuration again; rejects with what is wrong with it. */
  readonly reread: () => Promise<LoadedConfig>;
  readonly log: Logger;
  /** False: only the data are opened, for an operation on them. */
  readonly listen: boolean;
}

/** What a reload changed: at once, and what differs from the start and needs another one. */
export interface Reloaded {
  readonly changed: readonly string[];
  readonly restart: readonly string[];
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
  readonly gate: AddressGate;
  private readonly http: HttpServers;
  private readonly lag: { stop(): void };
  private control: { close(): void } | undefined;
  private stopping: Promise<void> | undefined;
  private reloading: Promise<unknown> = Promise.resolve();
  private readonly impatience = new AbortController();
  private warming: NodeJS.Timeout | undefined;
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
      failure: stanzaFailure(log, this.metrics),
    });
    this.hub = new SessionHub({
      users: this.directory,
      points: this.points,
      router: this.router,
      policy: () => this.settings.sessions,
      watch: sessionWatch(log, this.metrics),
      log,
    });
    this.streams = new Streams({
      log,
      collections: this.collections,
      hub: this.hub,
      metrics: this.metrics,
      settings: () => this.settings.streams,
      domain: () => this.settings.hosts.keys().next().value!,
      hosts: domain => this.streamHost(domain),
      accountExists: account => this.accounts.exists(account),
      mayBind: async account => {
        const found = await this.accounts.get(account);
        return found?.status === 'active' ? undefined : refuse('not-authorized', 'The account is gone.');
      },
    });
    this.certificates = new Certificates(settings.storage.folder, log);
    this.gate = new AddressGate(() => this.settings.connectionsPerAddress);
    const websocket = new WebSocketGate(
      () => this.settings.streams.limits.afterLogin.bytes,
      connection => new ClientStream(connection, this.streams, !connection.secured),
    );
    this.http = new HttpServers({
      log,
      contexts: this.certificates.contexts,
      collections: this.collections,
      routes: [
        hostMeta({ hosts: () => [...this.settings.hosts.keys()], httpsPort: () => this.listeners.httpsPort }),
        websocketPage(),
        ownRoutes({ metrics: this.metrics, problems: () => this.problems() }),
      ],
      upgrade: (request, socket, head) => websocket.upgrade(request, socket, head),
      admit: address => this.gate.admit(address),
      left: address => this.gate.left(address),
    });
    this.listeners = new Listeners({
      environment: this.streams,
      contexts: this.certificates.contexts,
      collections: this.collections,
      gate: this.gate,
      http: this.http,
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
      pause: () => this.hub.pause(),
    });
    this.setThrottle();
    this.lag = figures(this);
    // when each account was here last
    for (const point of [this.points.bound, this.points.ended] as const) {
      point.add('core', ({ anonymous, user }) => {
        if (!anonymous) this.accounts.noteLogin(user.jid);
      });
    }
    // RFC 3921 3, for clients that still ask
    this.iqs.add({ owner: 'core', xmlns: NS.session, name: 'session', type: 'set', to: 'both', fn: () => Empty });
  }

  private async begin(): Promise<void> {
    const { settings } = this;
    const data = this.accounts.open().then(() => this.modules.loadAll(settings.modules));
    if (!this.options.listen) return data;
    const both = [this.certificates.prepare(certificatesOf(settings)), data] as const;
    // whatever fails, nothing goes on behind the back of the stop that follows
    await Promise.allSettled(both);
    const [useCertificates] = await Promise.all(both);
    useCertificates();
    this.points.ready.tell(undefined);
    for (const listener of settings.listeners) await this.listeners.listen(listener);
    this.accepting = true;
    this.control = await serveUnix(path.join(settings.storage.folder, CONTROL_SOCKET), request =>
      new Operations(this).run(request),
    );
    // first logins before first pages
    this.warming = setTimeout(() => this.warm(), WARM_AFTER).unref();
  }

  private warm(): void {
    this.http.warm().catch((error: unknown) => this.log.error({ err: error }, 'the HTTP routes cannot be built'));
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
      enabled: module => this.moduleEnabled(module, domain),
    };
  }

  // ---- NodeView -------------------------------------------------------------------------------------------------------------

  get hosts(): ReadonlySet<string> {
    return new Set(this.settings.hosts.keys());
  }

  moduleEnabled(module: string, host: string): boolean {
    const without = this.settings.hosts.get(host)?.without;
    return without === undefined || without.size === 0 || !without.has(this.modules.keyOf(module));
  }

  moduleEverywhere(module: string): boolean {
    const key = this.modules.keyOf(module);
    return [...this.settings.hosts.values()].every(host => !host.without.has(key));
  }

  isAdmin(jid: Jid, host: string): boolean {
    return this.admins(host).some(admin => admin.bare === jid.bare);
  }

  admins(host: string): readonly Jid[] {
    const texts = [...this.settings.admins, ...(this.settings.hosts.get(host)?.admins ?? [])];
    const configured = texts.map(text => parseJid(text)).filter(jid => jid !== undefined);
    const added = [...this.collections.administrators.items()].flatMap(item => item.of(host));
    return [...configured, ...added];
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

  /** The configuration, secrets hidden, and what of it waits for the next start. */
  describeConfig(): { text: string; values: unknown } {
    const { restart } = this.options.config.difference(this.config);
    const waits = restart.map(option => `# not in force before the next start: ${option}\n`).join('');
    return { text: waits + this.config.print(), values: this.config.masked() };
  }

  /** Takes up the configuration file as it is now: all of it, or nothing. Tells what changed, and what a restart needs. */
  reload(): Promise<Reloaded> {
    const done = this.reloading.then(() => this.reloadNow());
    this.reloading = done.catch(() => {});
    return done;
  }

  private async reloadNow(): Promise<Reloaded> {
    const next = await this.options.reread();
    const settings = settingsOf(next);
    const useCertificates = await this.certificates.prepare(certificatesOf(settings));
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
    useCertificates();
    if (JSON.stringify(before.throttle) !== JSON.stringify(settings.throttle)) this.setThrottle();
    this.streams.limitsChanged();
    for (const domain of before.hosts.keys()) if (!settings.hosts.has(domain)) this.closeHost(domain);
    const reloaded = { changed: old.difference(next).live, restart: this.options.config.difference(next).restart };
    this.log.info(reloaded, 'configuration reloaded');
    return reloaded;
  }

  private closeHost(domain: string): void {
    // RFC 6120 4.9.3.5
    const gone: StreamError = { condition: 'host-gone', text: `${domain} is not served here any more.` };
    for (const session of [...this.directory.sessions()]) if (session.jid.domain === domain) session.close(gone);
  }

  // ---- the end --------------------------------------------------------------------------------------------------------------

  /** Stops in order: no new connections, clients told, everything stored. Bounded by the configured time. */
  stop(reason: string): Promise<void> {
    this.stopping ??= this.end(reason).finally(this.hasStopped);
    return this.stopping;
  }

  /** Stops without waiting for clients; what they left is stored all the same. */
  stopNow(reason: string): Promise<void> {
    this.impatience.abort();
    return this.stop(reason);
  }

  private async end(reason: string): Promise<void> {
    // a start that failed has nothing to tell of its end
    const level = this.accepting ? 'info' : 'debug';
    this.log[level](`stopping: ${reason}`);
    this.accepting = false;
    try {
      await drain(this.parts(), reason, this.settings.shutdownSeconds, this.impatience.signal);
      this.hub.stop();
      this.streams.stop();
      this.certificates.stop();
      this.lag.stop();
      clearTimeout(this.warming);
    } finally {
      await this.storage.close();
    }
    this.log[level]('stopped');
  }

  private parts() {
    const { log, hub, streams, http, modules } = this;
    const close = (): void => {
      this.control?.close();
      this.listeners.close();
    };
    return { log, hub, streams, http, modules, close };
  }
}

function certificatesOf(settings: Settings): CertificateSource[] {
  return [...settings.hosts.values()].map(host => host.certificate);
}
