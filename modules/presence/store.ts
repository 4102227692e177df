import { type MaybePromise, type Statement, type Storage, type StoreDefinition, andThen } from '../../src/api/index.ts';
import { fromWire, toWire } from '../../src/xml/index.ts';

const TABLE = 'subscription_requests';

export interface Request {
  readonly contact: string;
  /** The presence stanza, as a wire string (src/xml/escape.ts). */
  readonly stanza: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly ignored: boolean;
}

interface Row {
  account: string;
  contact: string;
  stanza: string;
  asked_at: number;
  ignored: number;
}

/** Requests that accounts have not answered: "Pending In" of RFC 6121 A.1. */
export class RequestStore {
  private readonly storage: Storage;
  private readonly ofAccount: Statement<Row>;
  private readonly one: Statement<{ id: number }>;
  private readonly number: Statement<{ n: number }>;

  constructor(storage: Storage) {
    this.storage = storage;
    this.ofAccount = storage.prepare(`SELECT * FROM ${TABLE} WHERE account = ? ORDER BY id`);
    this.one = storage.prepare(`SELECT id FROM ${TABLE} WHERE account = ? AND contact = ?`);
    this.number = storage.prepare(`SELECT count(*) AS n FROM ${TABLE} WHERE account = ?`);
  }

  /** Oldest first. */
  list(account: string): MaybePromise<Request[]> {
    return andThen(this.ofAccount.all(account), rows => rows.map(fromRow));
  }

  has(account: string, contact: string): MaybePromise<boolean> {
    return andThen(this.one.get(account, contact), row => row !== undefined);
  }

  count(account: string): MaybePromise<number> {
    return andThen(this.number.get(account), row => Number(row!.n));
  }

  async add(account: string, contact: string, stanza: string): Promise<void> {
    const row = { account, contact, stanza: fromWire(stanza), asked_at: Date.now(), ignored: 0 };
    await this.storage.transact(tx => tx(TABLE).insert(row));
  }

  /** Who asked already asks in other words; what was ignored stays so. */
  async renew(account: string, contact: string, stanza: string): Promise<void> {
    const row = { stanza: fromWire(stanza), asked_at: Date.now() };
    await this.storage.transact(tx => tx(TABLE).where({ account, contact }).update(row));
  }

  async remove(account: string, contact: string): Promise<void> {
    await this.storage.transact(tx => tx(TABLE).where({ account, contact }).delete());
  }

  async setIgnored(account: string, contact: string, ignored: boolean): Promise<boolean> {
    return (
      (await this.storage.transact(tx =>
        tx(TABLE)
          .where({ account, contact })
          .update({ ignored: ignored ? 1 : 0 }),
      )) > 0
    );
  }

  async removeAll(account: string): Promise<void> {
    await this.storage.transact(tx => tx(TABLE).where({ account }).delete());
  }
}

function fromRow({ contact, stanza, asked_at, ignored }: Row): Request {
  return { contact, stanza: toWire(stanza), since: Number(asked_at), ignored: ignored === 1 };
}

export const requestStore: StoreDefinition<RequestStore> = {
  migrations: [
    {
      name: '001-requests',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.increments('id');
          table.string('account', 191).notNullable();
          table.text('contact').notNullable();
          table.text('stanza', 'mediumtext').notNullable();
          table.bigInteger('asked_at').notNullable();
          table.integer('ignored').notNullable();
          table.index(['account']);
        });
      },
    },
  ],
  open: storage => new RequestStore(storage),
};
