import { type SessionView, wireJid } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { Shelf } from '../archive/contract.ts';
import { entryOf } from './answering.ts';
import { BesideState, BesideUpdates, type BesideUpdatesParts } from './beside-updates.ts';
import type { Beside, Watching } from './contract.ts';
import type { Inboxes, Row } from './inboxes.ts';

/** Milliseconds in which changes are gathered. */
const GATHER = 100;

interface Watcher {
  /** Queries that are being answered: what changes meanwhile is told behind them. */
  asking: number;
  /** Conversations of which it does not know the newest. */
  readonly missed: Set<number>;
  readonly missedBeside: Set<string>;
  /** Key from which on it may have missed any: it asked before the module was reloaded, or the program was started again. */
  unsure: number | undefined;
}

interface Watched {
  readonly account: Jid;
  readonly watchers: Map<SessionView, Watcher>;
  /** Conversations that have changed, as they were told last; undefined where that is not known. */
  touched: Map<number, Row | undefined>;
  telling: Promise<void> | undefined;
  readonly beside: BesideState;
}

class WatchedAccounts<T> extends Map<string, T> implements Watching {
  version = 0;

  override set(bare: string, watched: T): this {
    this.version++;
    return super.set(bare, watched);
  }

  override delete(bare: string): boolean {
    this.version++;
    return super.delete(bare);
  }
}

/** What updates need of the module; each may be undefined while there is no archive. */
export interface UpdatesParts extends BesideUpdatesParts {
  inboxes(): Inboxes | undefined;
  shelf(account: Jid): Promise<Shelf | undefined>;
}

/** Tells sessions that have asked for the inbox when a conversation in it changes (docs/inbox.md). */
export class Updates {
  private readonly parts: UpdatesParts;
  /** By the accounts' numbers. */
  private readonly watched = new Map<number, Watched>();
  private readonly bySession = new Map<SessionView, number>();
  private readonly byAccount = new WatchedAccounts<Watched>();
  private readonly besides: BesideUpdates;
  private timer: NodeJS.Timeout | undefined;
  private readonly due = new Set<number>();

  constructor(parts: UpdatesParts) {
    this.parts = parts;
    this.besides = new BesideUpdates(parts);
  }

  /** Which accounts have sessions that have asked. */
  get watching(): Watching {
    return this.byAccount;
  }

  /** The session wants to know from now on; `unsure`: when it is back, also what changed behind that key. */
  watch(owner: number, account: Jid, session: SessionView, unsure?: number): void {
    if (!session.alive || this.bySession.has(session)) return;
    this.bySession.set(session, owner);
    let watched = this.watched.get(owner);
    if (!watched) {
      watched = { account, watchers: new Map(), touched: new Map(), telling: undefined, beside: new BesideState() };
      this.watched.set(owner, watched);
      this.byAccount.set(account.bare, watched);
    }
    watched.watchers.set(session, { asking: 0, missed: new Set(), missedBeside: new Set(), unsure });
  }

  unwatch(session: SessionView): void {
    const owner = this.bySession.get(session);
    if (owner === undefined) return;
    this.bySession.delete(session);
    const { watchers, account } = this.watched.get(owner)!;
    watchers.delete(session);
    if (watchers.size > 0) return;
    this.watched.delete(owner);
    this.byAccount.delete(account.bare);
  }

  /** Does work for a session, and tells it behind that what changed meanwhile. */
  async during<T>(session: SessionView, work: () => Promise<T>): Promise<T> {
    const watcher = this.watcher(session);
    if (!watcher) return work();
    watcher.asking++;
    try {
      return await work();
    } finally {
      watcher.asking--;
      // the answer goes first
      setImmediate(() => this.catchUp(session));
    }
  }

  private watcher(session: SessionView): Watcher | undefined {
    const owner = this.bySession.get(session);
    return owner === undefined ? undefined : this.watched.get(owner)?.watchers.get(session);
  }

  /** Tells a session what it missed. */
  catchUp(session: SessionView): void {
    const owner = this.bySession.get(session);
    const watcher = this.watcher(session);
    if (owner === undefined || !watcher) return;
    if (watcher.missed.size > 0 || watcher.unsure !== undefined) this.schedule(owner);
    this.besides.catchUp(this.watched.get(owner)!, watcher);
  }

  /** A conversation is about to be looked up anew; `before`: as it was told last, if that is known. */
  touch(owner: number, peer: number, before: Row | undefined): void {
    const watched = this.watched.get(owner);
    if (!watched) return;
    // what is being told now is newer than what is remembered
    if (!watched.touched.has(peer)) watched.touched.set(peer, watched.telling ? undefined : before);
    this.schedule(owner);
  }

  /** A conversation of another module has changed. */
  touchBeside(account: Jid, jid: Jid): void {
    const watched = this.byAccount.get(account.bare);
    if (watched) this.besides.touch(watched, jid);
  }

  /** A session is being told of these by an answer. */
  answered(account: Jid, all: readonly Beside[]): void {
    const told = this.byAccount.get(account.bare)?.beside.told;
    for (const each of all) told?.set(each.jid.bare, each);
  }

  private schedule(owner: number): void {
    this.due.add(owner);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const owners = [...this.due];
      this.due.clear();
      for (const one of owners) {
        const watched = this.watched.get(one);
        if (!watched) continue;
        if (watched.telling) this.schedule(one);
        else
          watched.telling = this.tell(watched)
            .catch((error: unknown) => this.parts.failed(error))
            .finally(() => {
              watched.telling = undefined;
            });
      }
    }, GATHER);
  }

  private async tell(watched: Watched): Promise<void> {
    const { account, watchers, touched } = watched;
    watched.touched = new Map();
    const shelf = await this.parts.shelf(account);
    const inboxes = this.parts.inboxes();
    if (!shelf || !inboxes) return;
    const { rows } = await inboxes.of(shelf);
    for (const [peer, before] of touched) {
      if (before && isSame(before, rows.get(peer))) continue;
      for (const { missed } of watchers.values()) missed.add(peer);
    }
    for (const [session, watcher] of watchers) {
      const { unsure, missed } = watcher;
      if (unsure === undefined || !session.connected) continue;
      watcher.unsure = undefined;
      for (const { peer, last } of rows.values()) if (last >= unsure) missed.add(peer);
    }
    const wanted = new Set<number>();
    for (const { missed } of watchers.values()) for (const peer of missed) wanted.add(peer);
    const known = [...wanted].flatMap(peer => rows.get(peer) ?? []);
    await inboxes.name(account, known);
    const entries = new Map<number, string>();
    // what a group wrote to the account itself is no other conversation
    const { told } = watched.beside;
    for (const row of known) if (row.jid !== undefined && !told.has(row.jid)) entries.set(row.peer, entryOf(row));
    // nothing is left of it
    for (const [peer, before] of touched)
      if (before?.jid !== undefined && !rows.has(peer))
        entries.set(peer, entryOf({ jid: before.jid, unread: 0, id: undefined }));
    for (const [session, { asking, missed }] of watchers) {
      if (asking > 0 || !session.connected) continue;
      const head = `<message type='headline' from='${wireJid(account)}' to='${wireJid(session.jid)}'>`;
      for (const peer of missed) {
        const entry = entries.get(peer);
        if (entry !== undefined) session.sendWire(`${head}${entry}</message>`);
      }
      missed.clear();
    }
  }

  /** Resolved when nothing is being told; nothing more will be. */
  async end(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const telling = [...this.watched.values()].map(watched => watched.telling ?? Promise.resolve());
    this.watched.clear();
    this.bySession.clear();
    this.byAccount.clear();
    await this.besides.end();
    await Promise.allSettled(telling);
  }
}

/** Whether a client that knows the one knows the other: receipts and the like are no news. */
function isSame(before: Row, now: Row | undefined): boolean {
  return now !== undefined && before.unread === now.unread && before.text === now.text && before.shown === now.shown;
}
