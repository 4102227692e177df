/* Updates of conversations that are in other archives than the account's own: of groups. */
import { type SessionView, wireJid } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { entryOf } from './answering.ts';
import type { Beside } from './contract.ts';
import { tick } from './inboxes.ts';

/** Milliseconds in which changes are gathered. */
const GATHER = 100;
/** After a round nothing is looked up for so many times as long as it took: what is said in large groups costs a tenth of the time at most. */
const REST = 9;

/** What is known of the conversations of an account, by their bare addresses. */
export class BesideState {
  /** As they were told last. */
  readonly told = new Map<string, Beside>();
  /** Those that have changed, as they were told before. */
  touched = new Map<string, { readonly jid: Jid; readonly before: Beside | undefined }>();
}

/** An account with its sessions that have asked. */
export interface BesideWatched {
  readonly account: Jid;
  readonly watchers: ReadonlyMap<SessionView, BesideWatcher>;
  readonly beside: BesideState;
}

export interface BesideWatcher {
  readonly asking: number;
  /** Conversations of which it does not know the newest, by their bare addresses. */
  readonly missedBeside: Set<string>;
}

export interface BesideUpdatesParts {
  /** A conversation as it is now; undefined where the account has it not, or no more. */
  one(account: Jid, jid: Jid): Promise<Beside | undefined>;
  /** What the account's own archive has with that address. */
  own(account: Jid, bare: string): Promise<Pick<Beside, 'id' | 'unread'> | undefined>;
  failed(error: unknown): void;
}

export class BesideUpdates {
  private readonly parts: BesideUpdatesParts;
  private readonly due = new Set<BesideWatched>();
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> | undefined;
  private rested = 0;
  private ended = false;

  constructor(parts: BesideUpdatesParts) {
    this.parts = parts;
  }

  touch(watched: BesideWatched, jid: Jid): void {
    const { told, touched } = watched.beside;
    if (!touched.has(jid.bare)) touched.set(jid.bare, { jid, before: told.get(jid.bare) });
    this.schedule(watched);
  }

  /** A session can be told again. */
  catchUp(watched: BesideWatched, { missedBeside }: BesideWatcher): void {
    if (missedBeside.size > 0 || watched.beside.touched.size > 0) this.schedule(watched);
  }

  private schedule(watched: BesideWatched): void {
    this.due.add(watched);
    this.arm();
  }

  private arm(): void {
    if (this.timer || this.round || this.ended || this.due.size === 0) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        const began = performance.now();
        this.round = this.tellAll().finally(() => {
          const now = performance.now();
          this.rested = now + (now - began) * REST;
          this.round = undefined;
          this.arm();
        });
      },
      Math.max(GATHER, this.rested - performance.now()),
    );
  }

  private async tellAll(): Promise<void> {
    const all = [...this.due];
    this.due.clear();
    for (const watched of all) {
      if (this.ended) return;
      await this.tell(watched).catch((error: unknown) => this.parts.failed(error));
      await tick();
    }
  }

  private async tell({ account, watchers, beside }: BesideWatched): Promise<void> {
    // while nobody can be told nothing is looked up
    if (![...watchers].some(([session, watcher]) => canBeTold(session, watcher))) return;
    const { touched, told } = beside;
    beside.touched = new Map();
    for (const [bare, { jid, before }] of touched) {
      const now = await this.parts.one(account, jid);
      const known = told.get(bare);
      if (now) told.set(bare, now);
      else told.delete(bare);
      if (now ? before && isSame(before, now) : !before && !known) continue;
      for (const { missedBeside } of watchers.values()) missedBeside.add(bare);
    }
    const entries = new Map<string, string>();
    for (const { missedBeside } of watchers.values()) {
      for (const bare of missedBeside) {
        if (entries.has(bare)) continue;
        const { unread, id } = told.get(bare) ?? (await this.parts.own(account, bare)) ?? { unread: 0, id: undefined };
        entries.set(bare, entryOf({ jid: bare, unread, id }));
      }
    }
    for (const [session, watcher] of watchers) {
      if (!canBeTold(session, watcher)) continue;
      const head = `<message type='headline' from='${wireJid(account)}' to='${wireJid(session.jid)}'>`;
      for (const bare of watcher.missedBeside) {
        const entry = entries.get(bare);
        if (entry !== undefined) session.sendWire(`${head}${entry}</message>`);
      }
      watcher.missedBeside.clear();
    }
  }

  async end(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    await this.round;
  }
}

function canBeTold(session: SessionView, { asking }: BesideWatcher): boolean {
  return asking === 0 && session.connected;
}

function isSame(before: Beside, now: Beside): boolean {
  return before.unread === now.unread && before.text === now.text && before.shown === now.shown;
}
