import { type Jid, parseJid } from '../../src/jid/index.ts';
import { indexed } from '../../src/xml/index.ts';
import type { ArchiveService, Conversation, Shelf } from '../archive/contract.ts';
import type { DisplayedStore } from './store.ts';

/** A conversation, and what its last message and its correspondent are called once that was looked up. */
export interface Row extends Conversation {
  jid: string | undefined;
  /** Of its last message. */
  id?: string | undefined;
}

/** An account's inbox as it is now. */
export interface Inbox {
  readonly rows: ReadonlyMap<number, Row>;
  /** All conversations, the one with the newest text first. */
  readonly order: readonly Row[];
  /** Those with something unread. */
  readonly unread: readonly Row[];
  /** Texts unread in all of them. */
  readonly allUnread: number;
}

/** Changed conversations above which all are looked up again. */
const MANY = 500;

export const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Where a conversation stands in the inbox: the key of its last text, or of its last message when it has no text. */
export function placeOf({ text, last }: Conversation): number {
  return text || last;
}

/** What the archive said of an account's conversations, and which of it does not hold any more. */
class Memo implements Inbox {
  rows = new Map<number, Row>();
  order: Row[] = [];
  unread: Row[] = [];
  allUnread = 0;
  loaded = false;
  lowest = -1;
  readonly dirty = new Set<number>();
  working: Promise<unknown> = Promise.resolve();

  arrange(): void {
    this.order = [...this.rows.values()].sort((a, b) => placeOf(b) - placeOf(a));
    this.unread = this.order.filter(({ unread }) => unread > 0);
    this.allUnread = this.unread.reduce((sum, { unread }) => sum + unread, 0);
  }
}

/**
 * Inboxes, derived from archives and what was displayed. What was asked for is remembered, a conversation until something of it changes:
 * then it is looked up again. At most `most` conversations are remembered.
 */
export class Inboxes {
  private readonly archive: ArchiveService;
  private readonly displayed: DisplayedStore;
  private readonly most: number;
  /** By the accounts' numbers, those that were asked for last at the end. */
  private readonly memos = new Map<number, Memo>();

  constructor(archive: ArchiveService, displayed: DisplayedStore, most: number) {
    this.archive = archive;
    this.displayed = displayed;
    this.most = most;
  }

  /** Rejects with a StorageError. */
  async of(shelf: Shelf): Promise<Inbox> {
    const { owner } = shelf;
    const memo = this.memos.get(owner) ?? new Memo();
    this.memos.delete(owner);
    this.memos.set(owner, memo);
    const work = memo.working.then(() => this.bring(memo, shelf));
    memo.working = work.catch(() => this.forget(owner, memo));
    await work;
    this.shrink();
    return memo;
  }

  /** A conversation as it was when it was looked up last; undefined when nothing is known of it. */
  remembered(owner: number, peer: number): Row | undefined {
    return this.memos.get(owner)?.rows.get(peer);
  }

  /** Something of a conversation has changed. */
  changed(owner: number, peer: number): void {
    this.memos.get(owner)?.dirty.add(peer);
  }

  private forget(owner: number, memo: Memo): void {
    if (this.memos.get(owner) === memo) this.memos.delete(owner);
  }

  private shrink(): void {
    let total = 0;
    for (const { rows } of this.memos.values()) total += rows.size;
    for (const [owner, { rows }] of this.memos) {
      if (total <= this.most) return;
      this.memos.delete(owner);
      total -= rows.size;
    }
  }

  private async bring(memo: Memo, shelf: Shelf): Promise<void> {
    const { owner, lowest } = shelf;
    // the first of what is unread is known from when something is gone
    if (lowest < memo.lowest || (lowest > memo.lowest && memo.lowest < 0)) memo.loaded = false;
    else if (lowest > memo.lowest) {
      for (const { peer, last, text, firstUnread } of memo.rows.values())
        if (last <= lowest || (text !== 0 && text <= lowest) || (firstUnread !== 0 && firstUnread <= lowest))
          memo.dirty.add(peer);
    }
    memo.lowest = lowest;
    if (!memo.loaded || memo.dirty.size > MANY) await this.load(memo, shelf);
    else if (memo.dirty.size > 0) await this.renew(memo, owner, lowest);
    else return;
    memo.arrange();
  }

  private async load(memo: Memo, { owner, lowest }: Shelf): Promise<void> {
    memo.dirty.clear();
    const counted = { owner, lowest, displayed: this.displayed };
    const rows = new Map<number, Row>();
    for (const row of await this.archive.conversations.all(counted, tick)) rows.set(row.peer, this.named(memo, row));
    memo.rows = rows;
    memo.loaded = true;
  }

  private async renew(memo: Memo, owner: number, lowest: number): Promise<void> {
    const rows = new Map(memo.rows);
    const peers = [...memo.dirty];
    memo.dirty.clear();
    for (const peer of peers) {
      const row = await this.archive.conversations.of({ owner, lowest, displayed: this.displayed }, peer, tick);
      if (row) rows.set(peer, this.named(memo, row));
      else rows.delete(peer);
    }
    memo.rows = rows;
  }

  /** With the names that are known already. */
  private named(memo: Memo, row: Conversation): Row {
    const before = memo.rows.get(row.peer);
    if (!before) return row;
    const id = before.last === row.last ? before.id : undefined;
    return { ...row, jid: row.jid ?? before.jid, id };
  }

  /**
   * Looks up what conversations of an account and their last messages are called, where it is not known yet; `told`: who asks knows of
   * that message itself.
   */
  async name(account: Jid, rows: readonly Row[], told: (row: Row) => boolean = () => false): Promise<void> {
    const { lookups } = this.archive;
    const nameless = rows.filter(row => row.id === undefined && !told(row));
    if (nameless.length > 0) {
      const ids = await lookups.ids(nameless.map(({ last }) => last));
      for (const row of nameless) row.id = ids.get(row.last);
    }
    const unknown = rows.filter(({ jid }) => jid === undefined);
    if (unknown.length === 0) return;
    const jids = await lookups.addresses(unknown.map(({ peer }) => peer));
    for (const row of unknown) row.jid = jids.get(row.peer) ?? (await this.correspondent(account, row.last));
  }

  /** Who the other one is in a message: archives know long addresses by digests alone. */
  private async correspondent(account: Jid, key: number): Promise<string | undefined> {
    const [message] = await this.archive.lookups.messages([key]);
    if (!message) return undefined;
    const stanza = indexed(message.stanza);
    const [from, to] = ['from', 'to'].map(name => parseJid(stanza.attr(name) ?? '')?.bare);
    return from === account.bare ? to : from;
  }
}
