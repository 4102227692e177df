import type { Collections } from '../api/collections.ts';
import type { NodeView, Question } from '../api/node-view.ts';
import type { Packet } from '../bus/index.ts';
import { type Jid, parseJid } from '../jid/index.ts';
import type { StanzaError, StreamError } from '../protocol/index.ts';
import type { Session } from '../session/session.ts';
import type { User, Users } from '../session/users.ts';
import type { AccountsService } from './accounts-service.ts';
import type { ClientsService } from './clients-service.ts';
import type { Modules } from './modules/index.ts';
import { within } from './modules/within.ts';
import type { Router } from './router.ts';
import type { Settings } from './settings.ts';
import type { Streams } from './streams.ts';
import { version } from './version.ts';

/** ms that the end of an account waits for what its sessions have under way. */
const PATIENCE = 2_000;

/** What modules see of the node they run in: answers out of its parts. */
export abstract class View implements NodeView {
  readonly version = version;
  readonly startedAt = Date.now();
  abstract readonly accounts: AccountsService;
  abstract readonly clients: ClientsService;
  abstract readonly collections: Collections;
  abstract readonly directory: Users;
  abstract readonly modules: Modules;
  abstract readonly router: Router;
  abstract readonly settings: Settings;
  abstract readonly streams: Streams;

  get folder(): string {
    return this.settings.storage.folder;
  }

  get httpsPort(): number | undefined {
    return this.settings.listeners.find(({ type }) => type === 'https')?.port;
  }

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

  passing(bare: Jid): Promise<void> | undefined {
    return this.router.passing.get(bare.bare);
  }

  get sessionCount(): number {
    return this.directory.sessionCount;
  }

  route(packet: Packet): void | Promise<void> {
    return this.router.route(packet);
  }

  proceed(packet: Packet): void | Promise<void> {
    return this.router.proceed(packet);
  }

  together<T>(packet: Packet, work: () => T): T {
    return this.router.together(packet, work);
  }

  deliver(packet: Packet, session: Session, taken?: (taken: boolean) => void): void | Promise<void> {
    return this.router.deliver(packet, session, taken);
  }

  ask(question: Question, patience: number): Promise<Packet | undefined> {
    return this.router.questions.ask(question, patience);
  }

  bounce(packet: Packet, error: StanzaError): void {
    this.router.bounce(packet, error);
  }

  closeSessions(bare: Jid, error: StreamError): void {
    for (const session of this.directory.get(bare.bare)?.sessions ?? []) session.close(error);
    this.streams.endUnbound(bare, error);
  }

  /** The same; resolved when what they had under way is done, and what was for them has found its place. */
  protected async endSessions(bare: Jid, error: StreamError): Promise<void> {
    const sessions = this.directory.get(bare.bare)?.sessions ?? [];
    this.closeSessions(bare, error);
    const idle = Promise.all(sessions.map(async session => session.idle()));
    // one of them may have asked for the end of its own account, and waits for that
    await within(idle, PATIENCE, 'not idle').catch(() => {});
    await this.router.passing.get(bare.bare);
  }

  abstract shutdown(reason: string, afterSeconds?: number): void;
}
