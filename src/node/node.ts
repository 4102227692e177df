import path from 'node:path';
import type { Logger } from 'pino';
import { type Collections, makeCollections } from '../api/collections.ts';
import { IqTable, makePoints, type Points } from '../bus/index.ts';
import { hostMeta } from '../http/host-meta.ts';
import { HttpServers } from '../http/server.ts';
import { websocketPage } from '../http/websocket-page.ts';
import { refuse } from '../protocol/index.ts';
import type { Session } from '../session/session.ts';
import { Users } from '../session/users.ts';
import { openStorage, type Storage } from '../storage/index.ts';
import { ClientStream } from '../stream/client-stream.ts';
import { LoginThrottle } from '../stream/sasl/index.ts';
import type { BoshGate } from '../transport/bosh.ts';
import { serveUnix } from '../transport/unix.ts';
import { WebSocketGate } from '../transport/websocket.ts';
import { AccountsService } from './accounts-service.ts';
import { boshGate } from './bosh.ts';
import { Certificates } from './certificates.ts';
import { coreHandlers } from './core-handlers.ts';
import { CONTROL_SOCKET } from './control-socket.ts';
import type { LoadedConfig } from './config/index.ts';
import { ClientsService } from './clients-service.ts';
import { certificatesOf, Configuration, type Reloaded } from './configuration.ts';
import { drain } from './drain.ts';
import { Journal } from './journal/index.ts';
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
import { problemsOf } from './status.ts';
import { streamHost } from './stream-host.ts';
import { Streams } from './streams.ts';
import { View } from './view.ts';

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

/** One process of Posthouse: everything put together. */
export class Node extends View {
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
  readonly clients: ClientsService;
  settings: Settings;
  readonly configuration: Configuration;
  private readonly journal: Journal;
  private readonly listening: boolean;
  readonly gate: AddressGate;
  private readonly bosh: BoshGate;
  private readonly http: HttpServers;
  private readonly lag: { stop(): void };
  private control: { close(): void } | undefined;
  private stopping: Promise<void> | undefined;
  private readonly impatience = new AbortController();
  private warming: NodeJS.Timeout | undefined;
  accepting = false;
  /** Resolved when the node has stopped. */
  readonly stopped: Promise<void>;
  private readonly hasStopped: () => void;

  /** Opens the data, loads the modules, opens the listeners. Rejects with a sentence for the operator when it cannot. */
  static async start(options: NodeOptions): Promise<Node> {
    const settings = settingsOf(options.config);
    const storage = await openStorage({
      dataDir: settings.storage.folder,
      synchronous: settings.storage.synchronous,
      url: settings.storage.url,
      connections: settings.storage.connections,
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
    super();
    const { log } = options;
    this.configuration = new Configuration(this, options);
    this.listening = options.listen;
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
      endSessions: (jid, error) => this.endSessions(jid, error),
      clients: () => this.clients,
    });
    this.clients = new ClientsService({
      storage,
      folder: settings.storage.folder,
      users: this.directory,
      policy: () => this.settings.clients,
      log,
    });
    this.router = new Router({
      points: this.points,
      iqs: this.iqs,
      collections: this.collections,
      users: this.directory,
      hosts: { has: domain => this.settings.hosts.has(domain) },
      accountExists: jid => this.accounts.exists(jid),
      together: (packet, work) => this.hub.together(packet, work),
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
      clients: this.clients,
      hub: this.hub,
      metrics: this.metrics,
      settings: () => this.settings.streams,
      domain: () => this.settings.hosts.keys().next().value!,
      hosts: domain => streamHost(this, domain),
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
    this.bosh = boshGate({
      log,
      metrics: this.metrics,
      streams: this.streams,
      policy: () => this.settings.bosh,
      sessionsPerAddress: () => this.settings.connectionsPerAddress,
    });
    this.http = new HttpServers({
      log,
      contexts: this.certificates.contexts,
      collections: this.collections,
      routes: [
        hostMeta({
          hosts: () => [...this.settings.hosts.keys()],
          httpsPort: () => this.listeners.httpsPort,
          bosh: () => this.settings.bosh.enabled,
        }),
        websocketPage(),
        ownRoutes({ metrics: this.metrics, problems: () => problemsOf(this) }),
      ],
      upgrade: (request, socket, head) => websocket.upgrade(request, socket, head),
      bosh: (request, response) => this.bosh.handle(request, response),
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
      config: () => this.configuration.current,
      sessions: () => this.directory.sessions(),
      pause: () => this.hub.pause(),
      changed: session => session.changed(),
    });
    this.journal = new Journal({ log, kept: session => this.modules.lastingOf(session) });
    this.setThrottle();
    this.lag = figures(this);
    coreHandlers(this);
  }

  private async begin(): Promise<void> {
    const { settings } = this;
    const data = Promise.all([this.accounts.open(), this.clients.open()]).then(() =>
      this.modules.loadAll(settings.modules),
    );
    if (!this.listening) return data;
    const both = [this.certificates.prepare(certificatesOf(settings)), data] as const;
    // whatever fails, nothing goes on behind the back of the stop that follows
    await Promise.allSettled(both);
    const [useCertificates] = await Promise.all(both);
    useCertificates();
    await this.restoreSessions();
    this.points.ready.tell(undefined);
    await this.open();
    // first logins before first pages
    this.warming = setTimeout(() => this.warm(), WARM_AFTER).unref();
  }

  /** Opens the control socket and the listeners. Who reaches any of them reaches the control socket: it is there first, and answers last. */
  private async open(): Promise<void> {
    const { settings } = this;
    const begun = Promise.withResolvers<void>();
    const listening = begun.promise.then(async () => {
      for (const listener of settings.listeners) await this.listeners.listen(listener);
      this.accepting = true;
    });
    this.control = await serveUnix(path.join(settings.storage.folder, CONTROL_SOCKET), async request => {
      await listening;
      return new Operations(this).run(request);
    });
    begun.resolve();
    await listening;
  }

  /** Sessions that could be resumed when the program ended can be resumed again. */
  private async restoreSessions(): Promise<void> {
    await this.journal.open(this.storage);
    this.hub.journal = this.journal;
    const { durable } = this.settings.sessions;
    const sessions: Session[] = [];
    const over: Session[] = [];
    const told: Promise<void>[] = [];
    for (const former of await this.journal.former()) {
      const account = await this.accounts.get(former.jid.toBare());
      if (!account) continue;
      const session = this.hub.restore(former, each => this.modules.restore(each, former.state.kept));
      sessions.push(session);
      // of an account that was disabled meanwhile too, what waits stays
      if (!durable || account.status !== 'active') over.push(session);
      told.push(this.points.restored.settle(session));
    }
    await Promise.all(told);
    this.journal.restored(sessions);
    for (const session of over) session.finish();
    await this.hub.settled();
    if (!durable) this.hub.journal = undefined;
    const waiting = sessions.length - over.length;
    if (waiting > 0) this.log.info({ sessions: waiting }, 'sessions wait for their clients to come back');
  }

  private warm(): void {
    this.http.warm().catch((error: unknown) => this.log.error({ err: error }, 'the HTTP routes cannot be built'));
  }

  setThrottle(): void {
    const { throttle } = this.settings;
    this.streams.throttle = throttle && new LoginThrottle({ ...throttle, clock: () => performance.now() });
  }

  /** Takes up the configuration file as it is now: all of it, or nothing. */
  reload(): Promise<Reloaded> {
    return this.configuration.reload();
  }

  shutdown(reason: string, afterSeconds = 0): void {
    setTimeout(() => void this.stop(reason), afterSeconds * 1000).unref();
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
      if (this.hub.journal) await this.journal.settle();
      this.hub.stop();
      this.streams.stop();
      this.bosh.stop();
      this.clients.stop();
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
      this.bosh.close();
      this.listeners.close();
    };
    return { log, hub, streams, http, modules, close };
  }
}
