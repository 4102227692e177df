import { createHash } from 'node:crypto';
import {
  andThen,
  type BatchTransaction,
  type BatchWriter,
  Lru,
  type MaybePromise,
  type Statement,
  type Storage,
} from '../../src/api/index.ts';
import { ADDRESSES } from './schema.ts';

/** An address that has an archive, or is in one. */
export interface Address {
  readonly id: number;
  /** What its archive had up to here is gone with an account of that name. */
  readonly goneBefore: number;
}

interface Row {
  id: number;
  gone_before: number;
}

const LONGEST = 191; // what MySQL 5.7 can index

/** How an address is written in the table. */
function written(bare: string): string {
  return bare.length <= LONGEST ? bare : `sha256:${createHash('sha256').update(bare).digest('hex')}`;
}

function addressOf({ id, gone_before }: Row): Address {
  return { id: Number(id), goneBefore: Number(gone_before) };
}

/** What is asked for in the order of writing: the number of an address, made where it has none; or that one be taken away. */
type Ask = { readonly jid: string; readonly remove?: number };

/** A row to be made. */
interface NewAddress {
  readonly id: number;
  readonly jid: string;
}

/** Bare JIDs as numbers, which are given here: one node owns the database (docs/adr/0014). */
export class Addresses {
  private readonly storage: Storage;
  /** By what is written in the table, as everything here. */
  private readonly cache: Lru<string, Address>;
  private readonly one: Statement<Row>;
  private readonly asking: BatchWriter<Ask, Address | undefined>;
  private readonly inserting: BatchWriter<NewAddress, number>;
  /** Addresses whose numbers are being asked for. */
  private readonly coming = new Set<string>();
  private readonly cached: number;
  /** How many there are at most, where all of them are in memory: who is not among them is not there. */
  private all: number | undefined;
  /** The greatest number so far. */
  private newest: number;
  /** Addresses that go unless somebody asks for them, and since when. */
  private readonly condemned = new Map<string, { id: number; since: number }>();
  /** Addresses that are being taken away. */
  private readonly going = new Set<string>();

  static async open(storage: Storage, cached: number): Promise<Addresses> {
    const row = await storage.read(q => q(ADDRESSES).max({ newest: 'id' }).first<{ newest: number | null }>());
    const addresses = new Addresses(storage, cached, Number(row?.newest ?? 0));
    if (storage.dialect !== 'sqlite') await addresses.load();
    return addresses;
  }

  private constructor(storage: Storage, cached: number, newest: number) {
    this.storage = storage;
    this.cached = cached;
    this.newest = newest;
    this.cache = new Lru(cached);
    const select = `select id, gone_before from ${ADDRESSES} where jid = ?`;
    this.one = storage.prepare(select);
    this.asking = storage.batch<Ask, Address | undefined>({
      name: 'archive addresses',
      write: (tx, { jid, remove }) =>
        remove !== undefined
          ? removed(tx, jid, remove)
          : andThen(tx.get<Row>(select, jid), row => (row ? addressOf(row) : this.insert(tx, jid))),
    });
    this.inserting = storage.batch<NewAddress>({
      name: 'new archive addresses',
      into: ADDRESSES,
      columns: ['id', 'jid', 'gone_before'],
      counted: false,
      values: ({ id, jid }) => [id, jid, 0],
    });
  }

  /** Takes the newest into memory: a database behind a network is better not asked while a message waits. */
  private async load(): Promise<void> {
    const rows = await this.storage.read(q =>
      q(ADDRESSES)
        .orderBy('id', 'desc')
        .limit(this.cached)
        .select<(Row & { jid: string })[]>('id', 'jid', 'gone_before'),
    );
    for (const row of rows.reverse()) this.cache.set(row.jid, addressOf(row));
    if (rows.length < this.cached) this.all = rows.length;
  }

  private insert(tx: BatchTransaction, jid: string): MaybePromise<Address> {
    const address: Address = { id: ++this.newest, goneBefore: 0 };
    if (this.all !== undefined) this.all++;
    const sql = `insert into ${ADDRESSES} (id, jid, gone_before) values (?, ?, 0)`;
    return andThen(tx.run(sql, address.id, jid), () => address);
  }

  /** Undefined for an address that no archive knows. */
  async find(bare: string): Promise<Address | undefined> {
    return this.look(bare);
  }

  /** As `find`; at once where the database answers at once. */
  look(bare: string): MaybePromise<Address | undefined> {
    const jid = written(bare);
    const known = this.cache.get(jid);
    if (known) return known;
    this.condemned.delete(jid);
    return andThen(this.one.get(jid), row => row && this.note(jid, addressOf(row)));
  }

  /** One that is in memory. */
  known(bare: string): Address | undefined {
    return this.cache.get(written(bare));
  }

  /** As `find`, and made where it is not there. At once for those that are in memory. */
  of(bare: string): MaybePromise<Address> {
    const jid = written(bare);
    const known = this.cache.get(jid);
    if (known) return known;
    this.condemned.delete(jid);
    this.coming.add(jid);
    return this.asking
      .write({ jid })
      .then(address => this.note(jid, address!))
      .finally(() => this.coming.delete(jid));
  }

  /**
   * As `of`, without a wait: where it has to be made that goes into the unit of work that is under way. Undefined where the database
   * does not answer at once.
   */
  atOnce(bare: string): Address | undefined {
    const jid = written(bare);
    const known = this.cache.get(jid);
    if (known) return known;
    if (this.coming.has(jid) || this.going.has(jid)) return undefined;
    const isGone = !this.condemned.delete(jid);
    if (isGone && this.all !== undefined && this.all < this.cached) return this.make(jid);
    const row = this.one.get(jid);
    if (row instanceof Promise) {
      // whoever comes next finds it
      row.then(found => found && this.note(jid, addressOf(found))).catch(() => undefined);
      return undefined;
    }
    return row ? this.note(jid, addressOf(row)) : this.make(jid);
  }

  private make(jid: string): Address {
    const address: Address = { id: ++this.newest, goneBefore: 0 };
    if (this.all !== undefined) this.all++;
    this.cache.set(jid, address);
    this.inserting.write({ id: address.id, jid }).catch(() => {
      // what is written with it fails as well, and whoever wrote that is told
      if (this.cache.get(jid) === address) this.cache.delete(jid);
    });
    return address;
  }

  /** Keeps in memory what is committed; an address that is known already stays as it is. */
  private note(jid: string, address: Address): Address {
    const known = this.cache.get(jid);
    if (known) return known;
    // its row may be gone in a moment
    if (!this.going.has(jid)) this.cache.set(jid, address);
    return address;
  }

  /** Nothing is left of what was gone: whatever is put into its archive from now on is there. */
  async restore(bare: string): Promise<void> {
    await this.setGone(bare, 0);
  }

  /** Everything that the address had in its archive up to a key is gone. Undefined for an address that no archive knows. */
  forget(bare: string, before: number): Promise<Address | undefined> {
    return this.setGone(bare, before);
  }

  private async setGone(bare: string, before: number): Promise<Address | undefined> {
    const address = await this.find(bare);
    if (!address) return undefined;
    await this.storage.transact(tx => tx(ADDRESSES).where({ id: address.id }).update({ gone_before: before }));
    const gone = { id: address.id, goneBefore: before };
    this.cache.set(written(bare), gone);
    return gone;
  }

  // ---- what goes (reaping.ts) -------------------------------------------------------------------------------------------------

  /** How many addresses are to go. */
  get condemnedCount(): number {
    return this.condemned.size;
  }

  isCondemned(jid: string): boolean {
    return this.condemned.has(jid);
  }

  /** The address is to go, if nobody asks for it: whoever has its number has used it by the time that it does. */
  condemn(jid: string, id: number, now: number): void {
    this.cache.delete(jid);
    this.condemned.set(jid, { id, since: now });
  }

  pardon(jid: string): void {
    this.condemned.delete(jid);
  }

  /** Those that nobody has asked for since then. */
  due(before: number): { jid: string; id: number }[] {
    return [...this.condemned].filter(([, { since }]) => since <= before).map(([jid, { id }]) => ({ jid, id }));
  }

  /** Takes away one that nothing refers to. Who asks for it from now on gets another number. */
  async remove(jid: string, id: number): Promise<void> {
    if (!this.condemned.delete(jid)) return;
    this.going.add(jid);
    try {
      await this.asking.write({ jid, remove: id });
    } finally {
      this.going.delete(jid);
    }
  }
}

function removed(tx: BatchTransaction, jid: string, id: number): MaybePromise<undefined> {
  // the greatest number stays: some databases give it again after a start
  return andThen(tx.get<{ id: number }>(`select id from ${ADDRESSES} where id > ? limit 1`, id), later =>
    later ? andThen(tx.run(`delete from ${ADDRESSES} where id = ? and jid = ?`, id, jid), () => undefined) : undefined,
  );
}
