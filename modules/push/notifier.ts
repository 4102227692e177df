/* From what happened to what a device is told: who is away, what they want to know, and how much there is of it. */
import { Lru, type MaybePromise, type NodeView, Unhurried, type UserView } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';
import type { OfflineService } from '../offline/contract.ts';
import type { PresenceApi } from '../presence/contract.ts';
import { type Habits, needsPush } from './attention.ts';
import type { PushEvent } from './event.ts';
import { type Level, levelFor, type Levels } from './levels.ts';
import { publishElement, type Summary } from './notification.ts';
import type { Publisher, Told } from './publisher.ts';
import type { Registration } from './registration.ts';
import type { KnownRegistrations } from './registrations.ts';

/** Accounts of which it is known how much has come since they were last there. */
const CACHED = 20_000;
/** Of one account: what is known by its key, and what waits to be looked at. */
const KEYS = 200;
const EVENTS = 50;
/** Accounts that are looked at at a time. */
const AT_ONCE = 4;
/** Milliseconds for which a count of contact requests is taken for true. */
const COUNTED = 60_000;

/** An account that is away, as long as it is. */
interface Absence {
  readonly account: Jid;
  readonly since: number;
  /** What has come, by key. */
  readonly keys: Set<string>;
  /** Messages that a device wants to know of; those that wait in offline storage; and what waited there before: undefined: not asked yet. */
  came: number;
  stored: number;
  before: number | undefined;
  events: PushEvent[];
  isQueued: boolean;
  /** Contact requests that wait, and until when that is taken for true (milliseconds since 1970). */
  requests: number;
  requestsUntil: number;
}

export interface NotifierOptions extends Habits {
  readonly content: 'body' | 'none' | 'sender';
  readonly queue: number;
}

export interface NotifierParts {
  readonly node: Pick<NodeView, 'user'>;
  readonly registrations: KnownRegistrations;
  readonly levels: Levels;
  options(host: string): NotifierOptions;
  offline(): OfflineService | undefined;
  presence(): PresenceApi | undefined;
  publisher(): Publisher;
  failed(error: unknown): void;
  count: Record<'dropped' | 'silent', { inc(by?: number): void }>;
}

export class Notifier {
  private readonly parts: NotifierParts;
  private readonly absences = new Lru<string, Absence>(CACHED);
  private readonly queue: Absence[] = [];
  private readonly unhurried = new Unhurried();
  private running = 0;
  private isOver = false;

  constructor(parts: NotifierParts) {
    this.parts = parts;
  }

  get waiting(): number {
    return this.queue.length;
  }

  /** Something came for an account. Its registrations are not known yet. */
  async notice(account: Jid, event: PushEvent): Promise<void> {
    try {
      this.noticeFor(account, event, await this.parts.registrations.of(account));
    } catch (error) {
      this.parts.failed(error);
    }
  }

  noticeFor(account: Jid, event: PushEvent, registrations: readonly Registration[]): void {
    const user = this.parts.node.user(account);
    const options = this.parts.options(account.domain);
    if (!registrations.some(registration => needsPush(registration, user, options))) return;
    const absence = this.absence(account, user);
    if (absence.keys.has(event.key)) return;
    if (absence.keys.size < KEYS) absence.keys.add(event.key);
    if (event.isStored) absence.stored++;
    if (event.kind === 'request') absence.requestsUntil = 0;
    absence.events.push(event);
    if (absence.events.length > EVENTS) absence.events.splice(0, 1);
    this.enqueue(absence, options.queue);
  }

  private absence(account: Jid, user: UserView | undefined): Absence {
    const known = this.absences.get(account.bare);
    // it was there meanwhile, if its client was active before it became inactive
    if (known && !user?.sessions.some(({ inactiveSince }) => inactiveSince > known.since)) return known;
    const absence: Absence = {
      account,
      since: Date.now(),
      keys: new Set(),
      came: 0,
      stored: 0,
      before: undefined,
      events: [],
      isQueued: false,
      requests: 0,
      requestsUntil: 0,
    };
    this.absences.set(account.bare, absence);
    return absence;
  }

  /** A client of the account is there: it knows all by itself. */
  isBack(account: Jid): void {
    this.absences.delete(account.bare);
  }

  end(): void {
    this.isOver = true;
    this.queue.length = 0;
  }

  private enqueue(absence: Absence, most: number): void {
    if (absence.isQueued) return;
    if (this.queue.length >= most) {
      this.parts.count.dropped.inc();
      return;
    }
    absence.isQueued = true;
    this.queue.push(absence);
    if (this.running < AT_ONCE) void this.run();
  }

  /** Behind what is being done now, which nobody waits with. */
  private async run(): Promise<void> {
    this.running++;
    while (this.queue.length > 0 && !this.isOver) {
      await this.unhurried.turn();
      const absence = this.queue.shift();
      if (!absence) break;
      absence.isQueued = false;
      try {
        await this.look(absence);
      } catch (error) {
        this.parts.failed(error);
      }
    }
    this.running--;
  }

  private async look(absence: Absence): Promise<void> {
    const { account } = absence;
    const events = absence.events.splice(0);
    const wanted = new Map<Registration, PushEvent[]>();
    const registrations = await this.parts.registrations.of(account);
    for (const event of events) {
      const interested: Registration[] = [];
      for (const registration of registrations)
        if (await this.wants(registration, event)) interested.push(registration);
      if (interested.length > 0 && event.kind !== 'request') absence.came++;
      for (const registration of interested) {
        const known = wanted.get(registration);
        if (known) known.push(event);
        else wanted.set(registration, [event]);
      }
    }
    if (wanted.size === 0) this.parts.count.silent.inc();
    for (const [registration, some] of wanted) {
      const last = some.findLast(({ kind }) => kind !== 'request');
      const isCall = some.some(({ kind }) => kind === 'call');
      this.parts.publisher().tell(registration, { isCall, sender: last?.from, body: last?.body ?? '' });
    }
  }

  private async wants({ account, settings }: Registration, { kind, from, room }: PushEvent): Promise<boolean> {
    if (kind === 'request') {
      const requests = (await this.parts.presence()?.requests(account)) ?? [];
      return requests.some(({ contact, ignored }) => contact === from.bare && !ignored);
    }
    const chosen = await this.parts.levels.of(account, from, room !== undefined);
    const level = levelFor(chosen, settings.identity ?? 'phone') ?? usual(room, settings.groups);
    if (level !== 'on-mention') return level === 'always';
    // what is said to somebody alone is for him
    return !room || room.isMention(chosen.nick);
  }

  /** What a device is told now; undefined where it knows by itself meanwhile. */
  async payload(registration: Registration, told: Told): Promise<Element | undefined> {
    const { account, settings } = registration;
    const options = this.parts.options(account.domain);
    if (!needsPush(registration, this.parts.node.user(account), options)) return undefined;
    if (!(await this.parts.registrations.isEnabled(registration))) return undefined;
    const content = least(options.content, settings.content ?? options.content);
    const requests = await this.requestsOf(account);
    const summary: Summary = {
      messages: await this.countOf(account),
      ...(requests > 0 && { requests }),
      ...(content !== 'none' && told.sender && { sender: told.sender }),
      ...(content === 'body' && told.body !== '' && { body: told.body }),
    };
    return publishElement(registration, { summary, isCall: told.isCall });
  }

  /** Contact requests that nobody has answered. */
  private async requestsOf(account: Jid): Promise<number> {
    const absence = this.absences.get(account.bare);
    if (absence && absence.requestsUntil > Date.now()) return absence.requests;
    const all = (await this.parts.presence()?.requests(account)) ?? [];
    const requests = all.filter(({ ignored }) => !ignored).length;
    if (absence) Object.assign(absence, { requests, requestsUntil: Date.now() + COUNTED });
    return requests;
  }

  /** Messages that came since the account was last there, and those that waited already. */
  private countOf(account: Jid): MaybePromise<number> {
    const absence = this.absences.get(account.bare);
    const offline = this.parts.offline();
    if (!absence) return offline ? Promise.resolve(offline.waiting(account)).then(({ messages }) => messages) : 0;
    const came = (): number => (absence.before ?? 0) + absence.came;
    if (absence.before !== undefined || !offline) return came();
    return Promise.resolve(offline.waiting(account)).then(({ messages }) => {
      absence.before ??= Math.max(0, messages - absence.stored);
      return came();
    });
  }
}

const CONTENT = ['none', 'sender', 'body'] as const;

function least(one: NotifierOptions['content'], other: NotifierOptions['content']): NotifierOptions['content'] {
  return CONTENT[Math.min(CONTENT.indexOf(one), CONTENT.indexOf(other))]!;
}

/** XEP-0492 3: of public rooms only what is for oneself. */
function usual(room: PushEvent['room'], groups: Level | undefined): Level {
  if (!room) return 'always';
  return groups ?? (room.isPrivate ? 'always' : 'on-mention');
}
