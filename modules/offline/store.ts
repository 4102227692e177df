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

interface TotalsRow {
  readonly messages: number;
  readonly bytes: number | null;
}

function totalsOf(row: TotalsRow | undefined): Totals {
  return { messages: Number(row?.messages ?? 0), bytes: Number(row?.bytes ?? 0) };
}

/** A message to be kept. */
export interface Arrival {
  /** The id that its recipient's account gave it (XEP-0359): ids are unique, and in the order of arrival. */
  readonly stanzaId: string;
  /** When it was taken in; milliseconds since 1970. */
  readonly at: number;
  readonly wire: string;
  /** Whether its account's archive has it under the stanza id: then it is not kept a second time. */
  readonly archived?: boolean;
}

interface Message {
  readonly id: number;
  readonly stanza_id: string;
  readonly received_at: number;
  readonly bytes: number;
  readonly archived: number;
  readonly stanza: string;
}

interface Row extends Arrival {
  readonly account: string;
}

export interface StoredRow {
  readonly id: number;
  readonly stanzaId: string;
  readonly at: number;
  /** Octets that it counts for. */
  readonly bytes: number;
  /** Empty where the archive has it. */
  readonly wire: string;
  readonly archived: boolean;
}

/**
 * Messages that wait, by account, in the order of their stanza ids. Stanzas are wire strings (src/xml/escape.ts). Everything
 * that fails rejects or throws a StorageError.
 */
export class OfflineStore {
  private readonly storage: Storage;
  private readonly adding: BatchWriter<Row, number>;
  private readonly removing: BatchWriter<number, void>;
  private readonly forgetting: BatchWriter<{ account: string; stanzaId: string }, void>;
  private readonly totalsRow: Statement<TotalsRow>;
  private readonly idsAfter: Statement<{ stanza_id: string; bytes: number }>;
  private readonly one: Statement<{ id: number }>;
  private readonly whole: Statement<{ received_at: number; stanza: string }>;
  private readonly stanzas: Statement<Message>;
  private readonly clearing: BatchWriter<{ account: string; upTo: string }, Totals>;
  /** Resolved when all writes so far are settled: they are in order. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(storage: Storage) {
    this.storage = storage;
    this.adding = storage.batch<Row>({
      name: 'offline messages',
      into: TABLE,
      columns: ['account', 'stanza_id', 'received_at', 'bytes', 'archived', 'stanza'],
      counted: true,
      values: ({ account, stanzaId, at, wire, archived = false }) => [
        account,
        stanzaId,
        at,
        wire.length,
        archived ? 1 : 0,
        archived ? '' : fromWire(wire),
      ],
    });
    this.removing = storage.batch<number>({
      name: 'offline messages taken',
      from: TABLE,
      column: 'id',
      value: id => id,
    });
    this.forgetting = storage.batch<{ account: string; stanzaId: string }, void>({
      name: 'offline messages of sessions that came back',
      write: (tx, { account, stanzaId }) =>
        andThen(tx.run(`delete from ${TABLE} where account = ? and stanza_id = ?`, account, stanzaId), () => undefined),
    });
    this.clearing = storage.batch<{ account: string; upTo: string }, Totals>({
      name: 'offline messages that are fetched from archives',
      write: (tx, { account, upTo }) => {
        const archived = `from ${TABLE} where account = ? and stanza_id <= ? and archived = 1`;
        return andThen(
          tx.get<TotalsRow>(`select count(*) as messages, sum(bytes) as bytes ${archived}`, account, upTo),
          row => andThen(tx.run(`delete ${archived}`, account, upTo), () => totalsOf(row)),
        );
      },
    });
    this.totalsRow = storage.prepare(
      `select count(*) as messages, sum(bytes) as bytes from ${TABLE} where account = ?`,
    );
    this.idsAfter = storage.prepare(
      `select stanza_id, bytes from ${TABLE} where account = ? and stanza_id > ? order by stanza_id limit ?`,
    );
    this.one = storage.prepare(`select id from ${TABLE} where account = ? and stanza_id = ?`);
    this.whole = storage.prepare(`select received_at, stanza from ${TABLE} where account = ? and stanza_id = ?`);
    this.stanzas = storage.prepare(
      `select id, stanza_id, received_at, bytes, archived, stanza from ${TABLE} where account = ? and stanza_id > ? and stanza_id <= ? order by stanza_id`,
    );
  }

  /** Writes that are not committed yet. */
  get pending(): number {
    return this.adding.pending;
  }

  /** The row's number, when it is committed. Rejects with a 'constraint' when the account has a message of that stanza id. */
  add(account: Jid, arrival: Arrival): Promise<number> {
    return this.note(this.adding.write({ account: account.bare, ...arrival }));
  }

  /** Resolved when the message is gone for good. */
  remove(id: number): Promise<void> {
    return this.note(this.removing.write(id));
  }

  /** As `remove`, of the message with that stanza id, if there is one. */
  forget(account: Jid, stanzaId: string): void {
    this.note(this.forgetting.write({ account: account.bare, stanzaId })).catch(() => {
      // the storage has said so; at the next start it is tried again
    });
  }

  private note<T>(write: Promise<T>): Promise<T> {
    this.last = write.catch(() => {
      // whoever wrote is told
    });
    return write;
  }

  totals(account: Jid): MaybePromise<Totals> {
    return andThen(this.totalsRow.get(account.bare), totalsOf);
  }

  /** Whether the account has a message of that stanza id. */
  has(account: Jid, stanzaId: string): MaybePromise<boolean> {
    return andThen(this.one.get(account.bare, stanzaId), row => row !== undefined);
  }

  /** The message of that stanza id, and when it came. */
  find(account: Jid, stanzaId: string): MaybePromise<{ at: number; wire: string } | undefined> {
    return andThen(
      this.whole.get(account.bare, stanzaId),
      row => row && { at: Number(row.received_at), wire: toWire(row.stanza) },
    );
  }

  /** The next messages behind a stanza id: at most `limit`, and no more than `bytes` of them, but one in any case. */
  page(account: Jid, after: string, limit: number, bytes: number): MaybePromise<StoredRow[]> {
    return andThen(this.idsAfter.all(account.bare, after, limit), ids => {
      let last = '';
      let sum = 0;
      for (const row of ids) {
        sum += row.bytes;
        if (sum > bytes && last !== '') break;
        last = row.stanza_id;
      }
      if (last === '') return [];
      return andThen(this.stanzas.all(account.bare, after, last), rows =>
        rows.map(({ id, stanza_id: stanzaId, received_at, bytes: size, archived, stanza }) => ({
          id,
          stanzaId,
          at: Number(received_at),
          bytes: size,
          archived: Number(archived) !== 0,
          wire: toWire(stanza),
        })),
      );
    });
  }

  /** Takes away what the account's archive has as well, up to a stanza id; what that was. */
  clear(account: Jid, upTo: string): Promise<Totals> {
    return this.note(this.clearing.write({ account: account.bare, upTo }));
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
    {
      name: '002-order-of-arrival',
      up: async (schema, tx) => {
        await schema.alterTable(TABLE, table => {
          table.string('stanza_id', 32).notNullable().defaultTo('');
        });
        // what is there has the order of its numbers
        for (let last = 0; ;) {
          const ids: number[] = await tx(TABLE).where('id', '>', last).orderBy('id').limit(1000).pluck('id');
          if (ids.length === 0) break;
          for (const id of ids)
            await tx(TABLE)
              .where({ id })
              .update({ stanza_id: String(id).padStart(21, '0') });
          last = ids.at(-1)!;
        }
        await schema.alterTable(TABLE, table => {
          table.dropIndex(['account', 'id', 'bytes']);
          table.unique(['account', 'stanza_id']);
        });
      },
    },
    {
      name: '003-archived',
      up: async schema => {
        await schema.alterTable(TABLE, table => {
          table.integer('archived').notNullable().defaultTo(0);
        });
      },
    },
  ],
  open: storage => new OfflineStore(storage),
};
