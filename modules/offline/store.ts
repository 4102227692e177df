import {
  type BatchWriter,
  type MaybePromise,
  type Statement,
  type Storage,
  type StoreDefinition,
  andThen,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { fromWire, toWire } from '../../src/xml/index.ts';

const TABLE = 'offline_messages';

export interface Totals {
  readonly messages: number;
  /** Of the stanzas' markup. */
  readonly bytes: number;
}

interface Row {
  readonly account: string;
  readonly at: number;
  readonly wire: string;
}

/**
 * Messages that wait, by account, in the order in which they came. Stanzas are wire strings (src/xml/escape.ts). Everything
 * that fails rejects or throws a StorageError.
 */
export class OfflineStore {
  private readonly storage: Storage;
  private readonly adding: BatchWriter<Row, number>;
  private readonly removing: BatchWriter<number, void>;
  private readonly totalsOf: Statement<{ messages: number; bytes: number | null }>;
  private readonly idsAfter: Statement<{ id: number; bytes: number }>;
  private readonly stanzas: Statement<{ id: number; stanza: string }>;
  /** Resolved when all writes so far are settled: they are in order. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(storage: Storage) {
    this.storage = storage;
    this.adding = storage.batch<Row>({
      name: 'offline messages',
      into: TABLE,
      columns: ['account', 'received_at', 'bytes', 'stanza'],
      counted: true,
      values: ({ account, at, wire }) => [account, at, wire.length, fromWire(wire)],
    });
    this.removing = storage.batch<number>({
      name: 'offline messages taken',
      from: TABLE,
      column: 'id',
      value: id => id,
    });
    this.totalsOf = storage.prepare(`select count(*) as messages, sum(bytes) as bytes from ${TABLE} where account = ?`);
    this.idsAfter = storage.prepare(`select id, bytes from ${TABLE} where account = ? and id > ? order by id limit ?`);
    this.stanzas = storage.prepare(
      `select id, stanza from ${TABLE} where account = ? and id > ? and id <= ? order by id`,
    );
  }

  /** Writes that are not committed yet. */
  get pending(): number {
    return this.adding.pending;
  }

  /** Its id, when it is committed. Later messages have greater ones. */
  add(account: Jid, at: number, wire: string): Promise<number> {
    return this.note(this.adding.write({ account: account.bare, at, wire }));
  }

  /** Resolved when the message is gone for good. */
  remove(id: number): Promise<void> {
    return this.note(this.removing.write(id));
  }

  private note<T>(write: Promise<T>): Promise<T> {
    this.last = write.catch(() => {
      // whoever wrote is told
    });
    return write;
  }

  totals(account: Jid): MaybePromise<Totals> {
    return andThen(this.totalsOf.get(account.bare), row => ({
      messages: Number(row?.messages ?? 0),
      bytes: Number(row?.bytes ?? 0),
    }));
  }

  /** The next messages behind an id: at most `limit`, and no more than `bytes` of them, but one in any case. */
  page(account: Jid, after: number, limit: number, bytes: number): MaybePromise<{ id: number; wire: string }[]> {
    return andThen(this.idsAfter.all(account.bare, after, limit), ids => {
      let last = 0;
      let sum = 0;
      for (const row of ids) {
        sum += row.bytes;
        if (sum > bytes && last > 0) break;
        last = row.id;
      }
      if (last === 0) return [];
      return andThen(this.stanzas.all(account.bare, after, last), rows =>
        rows.map(({ id, stanza }) => ({ id, wire: toWire(stanza) })),
      );
    });
  }

  async removeAll(account: Jid): Promise<void> {
    await this.settled();
    await this.storage.transact(tx => tx(TABLE).where({ account: account.bare }).delete());
  }

  async settled(): Promise<void> {
    for (let last; last !== this.last;) {
      last = this.last;
      await last;
    }
  }
}

export const offlineStore: StoreDefinition<OfflineStore> = {
  migrations: [
    {
      name: '001-messages',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.bigIncrements('id');
          table.string('account', 191).notNullable();
          table.bigInteger('received_at').notNullable();
          table.integer('bytes').notNullable();
          table.text('stanza', 'mediumtext').notNullable();
          // answers the pages and the totals by itself
          table.index(['account', 'id', 'bytes']);
        });
      },
    },
  ],
  open: storage => new OfflineStore(storage),
};
