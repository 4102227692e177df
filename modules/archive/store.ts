import {
  andThen,
  type BatchTransaction,
  type BatchWriter,
  type MaybePromise,
  type Statement,
  type Storage,
  type StoreDefinition,
} from '../../src/api/index.ts';
import { fromWire, toWire } from '../../src/xml/index.ts';
import { type Address, Addresses } from './addresses.ts';
import { Conversations } from './conversations.ts';
import { each } from './each.ts';
import { type Imported, Importing } from './importing.ts';
import { firstKeyAt, idOf, keyOf, tailOf, timeOf } from './key.ts';
import { Lookups } from './lookups.ts';
import { Merging } from './merging.ts';
import { Reading } from './reading.ts';
import { Reaping } from './reaping.ts';
import {
  CORRECTS,
  ENTRIES,
  entryFlags,
  MESSAGES,
  migrations,
  RECEIVED,
  RETRACTED,
  SENT,
  STATE,
  TEXT,
} from './schema.ts';
import { COLUMNS, INSERT, type NewMessage, valuesOf } from './row.ts';
import { Sweeping } from './sweeping.ts';
import { Tail } from './tail.ts';

export type { Kept } from './lookups.ts';
export type { Message } from './reading.ts';
export { RECEIVED, RETRACTED, SENT, TEXT } from './schema.ts';
export type { Imported } from './importing.ts';
export type { NewMessage } from './row.ts';
export type { Entry, Span } from './tail.ts';

/** What takes the place of a message that was retracted. */
export interface Burial {
  readonly key: number;
  /** A wire string. */
  readonly tombstone: string;
}

interface Retraction extends NewMessage {
  readonly burials: readonly Burial[];
}

interface LogRow {
  id: number;
  sender: number;
  recipient: number;
  flags: number;
  mark: number;
}

export interface Sizes {
  /** Entries that gather in memory before they are moved to their table. */
  readonly gathered: number;
  /** Entries that one transaction moves: a few milliseconds in which the event loop waits. */
  readonly portion: number;
  /** Milliseconds that addresses which nothing refers to are left alone before they go; those who have their numbers use them by then. */
  readonly grace?: number;
}

const SIZES: Sizes = { gathered: 40_000, portion: 200 };
const GRACE = 120_000;
/** Addresses whose numbers are kept in memory. */
const CACHED = 65_536;

/**
 * The archives of all accounts, and of whatever else has one: an owner is a bare JID. Everything that fails rejects with a
 * StorageError.
 */
export class ArchiveStore {
  readonly addresses: Addresses;
  readonly reading: Reading;
  readonly conversations: Conversations;
  readonly lookups: Lookups;
  private readonly tail: Tail;
  private readonly merging: Merging;
  private readonly sweeping: Sweeping;
  private readonly reaping: Reaping;
  private readonly gathered: number;
  private readonly inserting: BatchWriter<NewMessage, number>;
  private readonly retracting: BatchWriter<Retraction, void>;
  private readonly importing: Importing;
  private preparing: Promise<void> | undefined;
  /** The last ones that were begun: they are committed in order. */
  private last: Promise<void> | undefined;
  private lastRetraction: Promise<void> | undefined;
  private readonly one: Statement<LogRow & { tail: string; stanza: string }>;
  private readonly latest: Statement<{ id: number; tail: string; flags: number; stanza: string }>;

  static async open(storage: Storage, sizes: Sizes = SIZES): Promise<ArchiveStore> {
    const tail = new Tail();
    const state = await load(storage, tail);
    return new ArchiveStore(storage, await Addresses.open(storage, CACHED), tail, state, sizes);
  }

  private constructor(
    storage: Storage,
    addresses: Addresses,
    tail: Tail,
    state: { merged: number; upTo: number },
    { gathered, portion, grace = GRACE }: Sizes,
  ) {
    this.tail = tail;
    this.gathered = gathered;
    this.addresses = addresses;
    this.lookups = new Lookups(storage);
    this.reading = new Reading(storage, tail, this.lookups);
    this.conversations = new Conversations(storage, tail, this.reading, this.lookups);
    this.merging = new Merging(storage, tail, state, portion);
    this.sweeping = new Sweeping(storage);
    this.reaping = new Reaping(storage, this.addresses, grace);
    this.inserting = storage.batch<NewMessage>({
      name: 'archive',
      into: MESSAGES,
      columns: COLUMNS,
      counted: false,
      values: valuesOf,
      bytes: row => row.stanza.length,
    });
    this.retracting = storage.batch<Retraction, void>({
      name: 'archive retractions',
      write: (tx, row) =>
        andThen(tx.run(INSERT, ...valuesOf(row)), () => each(row.burials, burial => this.bury(tx, burial))),
    });
    this.importing = new Importing(storage, key => this.merging.covers(key));
    this.one = storage.prepare(`select tail, sender, recipient, flags, stanza from ${MESSAGES} where id = ?`);
    this.latest = storage.prepare(`select id, tail, flags, stanza from ${MESSAGES} order by id desc limit ?`);
  }

  /** Greatest key of all; 0 when nothing was ever kept. */
  get newestKey(): number {
    return this.tail.newest;
  }

  /** Messages that are not committed yet. */
  get pending(): number {
    return this.inserting.pending;
  }

  /** Resolved when the message is committed. */
  add(message: NewMessage): Promise<void> {
    return (this.last = this.inserting.write(message).then(() => this.committed(message)));
  }

  /** Settled when all that was added so far is committed; undefined when it is. */
  upToNow(): Promise<void> | undefined {
    return this.pending === 0 ? undefined : this.added();
  }

  /** As `add`; and what it retracts is a tombstone then, in all archives that have it. */
  retract(message: NewMessage, burials: readonly Burial[]): Promise<void> {
    return (this.lastRetraction = this.retracting.write({ ...message, burials }).then(() => {
      this.committed(message);
      // also where the retraction itself is not kept
      this.changed(message.sender.id, message.recipient.id, SENT | RECEIVED);
    }));
  }

  /** Resolved when what is being added now is committed, or has failed. */
  private async added(): Promise<void> {
    await Promise.allSettled([this.last, this.lastRetraction]);
  }

  /**
   * Puts a message of an earlier time into one archive, in its place: the one of its sender (SENT) or of its recipient. `after` has ids
   * that are given from then on be of a later time (milliseconds since 1970). Another message that has the same place moves it a little
   * further on.
   */
  async import(
    message: NewMessage,
    side: typeof SENT | typeof RECEIVED,
    after: (time: number) => void,
  ): Promise<Imported> {
    while (!this.merging.covers(message.key)) await this.prepare(message.key, after);
    const imported = await this.importing.write(message, side);
    this.changed(message.sender.id, message.recipient.id, side);
    return imported;
  }

  /** What an account of that name had before it was removed is taken away at once: then an archive can be put in its place. */
  async revive(account: string): Promise<void> {
    const address = await this.addresses.find(account);
    if (!address || address.goneBefore === 0) return;
    this.sweeping.spared.add(address.id);
    await this.merge();
    await this.sweeping.empty(address.id, address.goneBefore, async () => {}, true);
    await this.addresses.restore(account);
  }

  /** From now on imported messages up to that key, or up to this moment, can be written to the table of entries. */
  private prepare(key: number, after: (time: number) => void): Promise<void> {
    return (this.preparing ??= this.raise(key, after).finally(() => {
      this.preparing = undefined;
    }));
  }

  private async raise(key: number, after: (time: number) => void): Promise<void> {
    const time = Math.max(timeOf(key), timeOf(this.newestKey), Date.now());
    after(time);
    // what got its id before that
    await this.added();
    await this.merging.raise(firstKeyAt(time + 1) - 1);
  }

  private bury(tx: BatchTransaction, { key, tombstone }: Burial): MaybePromise<unknown> {
    const select = `select id, sender, recipient, flags, mark from ${MESSAGES} where id = ?`;
    return andThen(tx.get<LogRow>(select, key), row => {
      if (!row) return undefined;
      const flags = (Number(row.flags) & ~(TEXT | CORRECTS)) | RETRACTED;
      const update = `update ${MESSAGES} set stanza = ?, flags = ? where id = ?`;
      return andThen(tx.run(update, fromWire(tombstone), flags, key), () =>
        each([SENT, RECEIVED] as const, side => {
          if ((flags & side) === 0) return undefined;
          const owner = Number(side === SENT ? row.sender : row.recipient);
          const left = entryFlags(side, flags);
          // not later: the tail may be moved before the commit is known here
          this.tail.setFlags(owner, key, left);
          return tx.run(`update ${ENTRIES} set flags = ? where owner = ? and id = ?`, left, owner, key);
        }),
      );
    });
  }

  private changed(sender: number, recipient: number, flags: number): void {
    if ((flags & SENT) !== 0) this.conversations.changed(sender, recipient);
    if ((flags & RECEIVED) !== 0) this.conversations.changed(recipient, sender);
  }

  private committed({ key, sender, recipient, flags, mark }: NewMessage): void {
    share(this.tail, 'young', key, sender.id, recipient.id, flags, mark);
    this.changed(sender.id, recipient.id, flags);
    // a failure is in the log, and what could not be moved is tried again with the next
    if (this.tail.size >= this.gathered) this.merge().catch(() => undefined);
  }

  /** Messages that came for an account, by their ids; undefined for what its archive has not, or no more. */
  arrivals(account: string, ids: readonly string[]): MaybePromise<readonly (string | undefined)[]> {
    return andThen(this.addresses.look(account), address => {
      const found = ids.map(id => this.arrival(address, id));
      const later = found.some(one => one instanceof Promise);
      return later ? Promise.all(found.map(one => Promise.resolve(one))) : (found as (string | undefined)[]);
    });
  }

  private arrival(address: Address | undefined, id: string): MaybePromise<string | undefined> {
    const key = keyOf(id);
    if (!address || key === undefined || key < address.goneBefore) return undefined;
    return andThen(this.one.get(key), row => {
      if (!row || row.tail !== tailOf(id) || Number(row.recipient) !== address.id) return undefined;
      const flags = Number(row.flags);
      const has = (flags & RECEIVED) !== 0 || ((flags & SENT) !== 0 && Number(row.sender) === address.id);
      return has && (flags & RETRACTED) === 0 ? toWire(row.stanza) : undefined;
    });
  }

  /** Moves what has gathered to where it stays. */
  merge(): Promise<void> {
    return this.merging.run();
  }

  /** The newest messages of all archives, from the newest on. */
  async recent(limit: number): Promise<{ key: number; id: string; flags: number; stanza: string }[]> {
    const rows = await this.latest.all(limit);
    return rows.map(({ id, tail, flags, stanza }) => ({
      key: Number(id),
      flags: Number(flags),
      id: idOf(Number(id), tail),
      stanza: toWire(stanza),
    }));
  }

  /** An account's archive is gone at once; what is left of it is taken away by the next sweep. */
  async forget(account: string): Promise<void> {
    // what is being added is of before
    await this.upToNow();
    const address = await this.addresses.forget(account, this.newestKey + 1);
    if (address) this.sweeping.spared.delete(address.id);
  }

  /**
   * Takes away what nobody is to see any more; `floor` gives the key before which an address keeps nothing. `pause` is waited for now
   * and then, and may reject to end it. Returns how many messages were taken out of an archive.
   */
  async sweep(floor: (jid: string) => number, oldest: number, pause: () => Promise<void>): Promise<number> {
    if (this.tail.oldest < oldest) await this.merge();
    return this.sweeping.run(floor, pause);
  }

  /** Whether addresses are to be looked at again. */
  get reaps(): boolean {
    return this.reaping.pending;
  }

  /** Takes away addresses that nothing refers to any more, which a later call does with those that this one finds. Returns how many went. */
  reap(pause: () => Promise<void>): Promise<number> {
    return this.reaping.run(() => this.merge(), pause);
  }

  /** Resolved when nothing is being moved. */
  settled(): Promise<void> {
    return this.merging.settled();
  }
}

/** Puts a message into the tail, once for each archive that has it. */
function share(
  tail: Tail,
  generation: 'young' | 'old',
  key: number,
  sender: number,
  recipient: number,
  flags: number,
  mark: number,
  has: (owner: number) => boolean = () => true,
): void {
  if ((flags & SENT) !== 0 && has(sender)) tail.add(sender, key, recipient, entryFlags(SENT, flags), mark, generation);
  if ((flags & RECEIVED) !== 0 && has(recipient))
    tail.add(recipient, key, sender, entryFlags(RECEIVED, flags), mark, generation);
}

/** Reads what had not been moved when the program ended. Returns the greatest keys of what is moved, and of what was being moved. */
async function load(storage: Storage, tail: Tail): Promise<{ merged: number; upTo: number }> {
  const state = await storage.read(q => q<Record<'merged' | 'merging' | 'owner' | 'part', number>>(STATE).first());
  const merged = Number(state?.merged ?? 0);
  const merging = Number(state?.merging ?? 0);
  const owner = Number(state?.owner ?? 0);
  const part = Number(state?.part ?? 0);
  const behind = storage.prepare<LogRow>(
    `select id, sender, recipient, flags, mark from ${MESSAGES} where id > ? order by id limit 1000`,
  );
  tail.begin(merged);
  for (let last = merged; ;) {
    const rows = await behind.all(last);
    for (const row of rows) {
      last = Number(row.id);
      const key = last;
      const old = key <= merging;
      const missing = (of: number): boolean => !old || of > owner || (of === owner && key > part);
      const numbers = [row.sender, row.recipient, row.flags, row.mark].map(Number) as [number, number, number, number];
      share(tail, old ? 'old' : 'young', key, ...numbers, missing);
    }
    if (rows.length < 1000) return { merged, upTo: merging };
  }
}

export const archiveStore: StoreDefinition<ArchiveStore> = {
  migrations,
  open: storage => ArchiveStore.open(storage),
};
