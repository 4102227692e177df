import type { Logger } from 'pino';
import type { Packet, Points } from '../bus/index.ts';
import type { Jid } from '../jid/index.ts';
import { refuse, type StanzaError, type StreamError } from '../protocol/index.ts';
import type { SessionJournal } from '../session/journal.ts';
import type { OutboxLimits } from '../session/outbox.ts';
import type { SessionOwner } from '../session/owner.ts';
import { Session } from '../session/session.ts';
import type { FormerSession } from '../session/state.ts';
import type { Users } from '../session/users.ts';
import { Lru } from '../util/lru.ts';
import { inUnit, Unit } from '../util/unit.ts';
import { randomName } from '../util/random.ts';
import { Flushes } from './flushes.ts';
import { Leaving } from './leaving.ts';
import type { Router } from './router.ts';

/** How sessions are kept; read at each use, so that it changes live. */
export interface SessionPolicy {
  /** What a second session with the same resource does (RFC 6120 7.7.2.2). */
  readonly conflict: 'replace' | 'refuse' | 'rename';
  readonly maxPerUser: number;
  readonly outbox: OutboxLimits;
  /** Seconds that a reader may leave bytes untaken. */
  readonly outboxSeconds: number;
  readonly inbox: number;
  /** Whether sessions that can be resumed outlive the program. */
  readonly durable: boolean;
  /** Seconds of silence after which a client is asked whether it is still there; 0: never. */
  readonly silence: number;
  /** Seconds that it has to answer. */
  readonly answer: number;
}

/** Told of what happens to sessions, for metrics and logs. */
export interface SessionWatch {
  slow(session: Session, reason: 'bytes' | 'time'): void;
  dead(session: Session): void;
  expired(session: Session): void;
  /** Its connection was lost, and it waits for its client to come back. */
  detached(session: Session): void;
  ended(session: Session): void;
}

const OVER = 8192; // sessions that are over, of which a client can still learn what they handled
/** ms that senders wait for a recipient's client to acknowledge a message before it is stored as well, and between two looks. */
const STALLED = 1_000;
const LOOK = 500;
const SWEEP = 5_000; // ms between two looks at all sessions

/** All sessions of a node: how they begin, wait, come back and end. */
export class SessionHub implements SessionOwner {
  readonly users: Users;
  private readonly points: Points;
  private readonly router: Router;
  private readonly policy: () => SessionPolicy;
  private readonly watch: SessionWatch;
  private readonly resumptions = new Map<string, Session>();
  /** What those that are over had handled: XEP-0198 5. */
  private readonly over = new Lru<string, { account: string; h: number }>(OVER);
  private readonly sweeper: NodeJS.Timeout;
  private readonly flushes = new Flushes();
  private ids = 0;
  private readonly leaving: Leaving;
  /** Sessions with messages whose senders wait to hear that they are safe. */
  private readonly unsafe = new Set<Session>();
  private looking: NodeJS.Timeout | undefined;
  /** While it is there, what clients send waits for it. */
  private pausing: Promise<void> | undefined;
  /** Where sessions outlive the program. */
  journal: SessionJournal | undefined;

  constructor(parts: {
    users: Users;
    points: Points;
    router: Router;
    policy: () => SessionPolicy;
    watch: SessionWatch;
    log: Logger;
  }) {
    this.users = parts.users;
    this.points = parts.points;
    this.router = parts.router;
    this.policy = parts.policy;
    this.watch = parts.watch;
    this.leaving = new Leaving({
      log: parts.log,
      passing: this.router.passing,
      leftover: (item, session) => this.router.leftover(item, session),
      journal: () => this.journal,
    });
    this.sweeper = setInterval(() => this.sweep(Date.now()), SWEEP).unref();
  }

  get outboxLimits(): OutboxLimits {
    return this.policy().outbox;
  }

  get inboxLimit(): number {
    return this.policy().inbox;
  }

  // ---- how sessions begin ---------------------------------------------------------------------------------------------------

  /** RFC 6120 7: a session for an account's resource. */
  bind(account: Jid, wanted: string | undefined, anonymous: boolean, client?: string): Session | StanzaError {
    const { conflict, maxPerUser } = this.policy();
    const user = this.users.user(account);
    if (client !== undefined) endEarlier(user.sessions, client);
    let jid = account.withResource(wanted ?? randomResource());
    const other = this.users.session(jid.full);
    if (other) {
      // one that waits for its client is no obstacle: as a rule this is the client
      if (!other.connected) other.finish();
      else if (conflict === 'refuse') return refuse('conflict', 'The resource is in use.');
      else if (conflict === 'rename') jid = account.withResource(randomResource());
      else other.close({ condition: 'conflict', text: 'The resource was bound by another client.' });
    }
    if (user.sessions.length >= maxPerUser) {
      // those that wait for a client, which may never come back, make room for one that is here
      const absent = user.sessions.filter(session => !session.connected).sort((a, b) => a.detachedAt - b.detachedAt)[0];
      // RFC 6120 7.6.2.1
      if (!absent) return refuse('resource-constraint', `An account may have ${maxPerUser} sessions.`);
      absent.finish();
    }
    const id = `s${(++this.ids).toString(36)}`;
    const session = new Session(id, jid, user, this, anonymous);
    session.client = client;
    this.users.add(session);
    return session;
  }

  /** A session that the program had when it ended; in the order in which they began. `ready`: makes it what it was. */
  restore(former: FormerSession, ready: (session: Session) => void): Session {
    const { id, jid } = former;
    // it had been replaced
    this.users.session(jid.full)?.finish();
    this.ids = Math.max(this.ids, parseInt(id.slice(1), 36) || 0);
    const session = new Session(id, jid, this.users.user(jid.toBare()), this, false);
    session.restore(former);
    ready(session);
    this.users.add(session);
    this.resumptions.set(session.resumption!.id, session);
    return session;
  }

  begun(session: Session): void {
    this.points.bound.tell(session);
  }

  // ---- the way of a stanza --------------------------------------------------------------------------------------------------

  received(packet: Packet, session: Session): void | Promise<void> {
    this.flushes.next();
    if (this.pausing) return this.pausing.then(() => this.router.received(packet, session));
    return this.router.received(packet, session);
  }

  /** Has what clients send from now on wait, each in its turn, until the function returned is called. */
  pause(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.pausing = promise;
    return () => {
      this.pausing = undefined;
      resolve();
    };
  }

  bounce(packet: Packet, error: StanzaError): void {
    this.router.bounce(packet, error);
  }

  acknowledged(session: Session, story: number): void {
    this.points.acknowledged.tell(session, story);
  }

  soon(session: Session, unit?: Unit): void {
    this.flushes.add(session, unit);
  }

  // ---- how they wait and come back (XEP-0198 5) -----------------------------------------------------------------------------

  handledBefore(id: string, account: Jid): number | undefined {
    const ended = this.over.get(id);
    return ended?.account === account.bare ? ended.h : undefined;
  }

  enableResumption(session: Session, id: string): void {
    this.resumptions.set(id, session);
  }

  resumable(id: string, account: Jid): Session | undefined {
    const session = this.resumptions.get(id);
    return session?.alive && session.user.jid.bare === account.bare ? session : undefined;
  }

  detached(session: Session): void {
    this.watch.detached(session);
    this.points.detached.tell(session);
    if (session.outbox.unsafeSince !== undefined) this.stalled(session);
  }

  resumed(session: Session): void {
    this.points.resumed.tell(session);
  }

  // ---- how they end ---------------------------------------------------------------------------------------------------------

  slow(session: Session, reason: 'bytes' | 'time'): void {
    this.watch.slow(session, reason);
    session.close({ condition: 'resource-constraint', text: 'The client does not read what it is sent.' });
  }

  ended(session: Session, presence: Packet | undefined): void {
    const { resumption } = session;
    if (resumption && this.resumptions.delete(resumption.id)) {
      this.over.set(resumption.id, { account: session.user.jid.bare, h: session.h });
    }
    this.users.remove(session);
    this.watch.ended(session);
    this.points.ended.tell(session, presence);
    this.leaving.begin(session, () => this.forget(session));
  }

  /** Looks twice a second, as long as there is something to look at, which clients keep the senders of their messages waiting. */
  watched(session: Session): void {
    if (this.unsafe.has(session)) return;
    this.unsafe.add(session);
    this.looking ??= setTimeout(() => this.look(Date.now()), LOOK).unref();
  }

  stalled(session: Session): void {
    // where nobody stores messages, nobody waits for that
    if (this.points.stalled.listeners.length === 0) session.entrust(() => 'not for later');
    else this.points.stalled.tell(session);
  }

  private look(now: number): void {
    this.looking = undefined;
    for (const session of this.unsafe) {
      const since = session.alive ? session.outbox.unsafeSince : undefined;
      if (since === undefined) this.unsafe.delete(session);
      else if (now - since >= STALLED) this.stalled(session);
    }
    if (this.unsafe.size > 0) this.looking = setTimeout(() => this.look(Date.now()), LOOK).unref();
  }

  /** What the work causes before it waits is one unit. */
  together<T>(packet: Packet, work: () => T): T {
    const unit = new Unit();
    try {
      return inUnit(unit, work);
    } finally {
      if (this.journal) this.journal.commit(unit);
      else unit.close();
      if (unit.pending && packet.isAwaited) packet.hold(unit.safe());
    }
  }

  /** XEP-0175 3: of an account that lasts no longer than its session nothing stays. */
  private forget(session: Session): void | Promise<void> {
    if (!session.anonymous || this.users.get(session.user.jid.bare)) return undefined;
    return this.points.accountRemoved.settle(session.user.jid);
  }

  closeAll(error: StreamError): void {
    for (const session of [...this.users.sessions()]) session.close(error);
  }

  /** Resolved when the leftovers of all sessions that have ended found their place. */
  settled(): Promise<void> {
    return this.leaving.settled();
  }

  stop(): void {
    clearInterval(this.sweeper);
    clearTimeout(this.looking);
  }

  /** Looks at all sessions: silent ones are asked, those that do not answer or read are closed, those that waited enough end. */
  sweep(now: number): void {
    const { silence, answer, outboxSeconds } = this.policy();
    for (const session of this.users.sessions()) {
      if (!session.connected) {
        if (session.detachedAt > 0 && now - session.detachedAt >= session.resumption!.timeout * 1000) {
          this.watch.expired(session);
          session.finish();
        }
        continue;
      }
      const { outbox } = session;
      if (session.resumption) {
        if (outbox.unacknowledged > 0) session.ask();
      }
      const stuck = session.stuckSince(now);
      if (stuck !== undefined && now - stuck > outboxSeconds * 1000) {
        this.watch.slow(session, 'time');
        session.drop();
      } else if (session.probed > 0 && now - session.probed > answer * 1000) {
        this.watch.dead(session);
        session.drop();
      } else if (silence > 0 && session.probed === 0 && now - session.heard > silence * 1000) {
        session.probe(now);
      }
    }
  }
}

/** XEP-0386 4: a client that begins anew has no use for its earlier sessions. */
function endEarlier(sessions: readonly Session[], client: string): void {
  for (const session of [...sessions]) {
    if (session.client !== client) continue;
    if (session.connected) session.close({ condition: 'conflict', text: 'The client began another session.' });
    else session.finish();
  }
}

function randomResource(): string {
  return randomName(9);
}
