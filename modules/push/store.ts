import {
  andThen,
  type MaybePromise,
  type Statement,
  type Storage,
  type StoreDefinition,
  type Transactor,
} from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { keyOf, type PublishOption, type Registration, type Settings } from './registration.ts';

const TABLE = 'push_registrations';
/** Accounts that are asked for in one statement. */
const AT_ONCE = 500;

interface Row {
  readonly id: string;
  readonly account: string;
  readonly service: string;
  readonly node: string;
  readonly device: string;
  readonly options: string;
  readonly settings: string;
  readonly enabled_at: number;
}

function registrationOf(row: Row): Registration {
  return {
    key: row.id,
    account: parseJid(row.account)!,
    service: parseJid(row.service)!,
    node: row.node,
    device: row.device,
    options: JSON.parse(row.options) as PublishOption[],
    settings: JSON.parse(row.settings) as Settings,
    enabledAt: Number(row.enabled_at),
  };
}

/** Registrations for notifications, by account; those of one account in the order in which they were enabled. */
export class PushStore {
  private readonly storage: Storage;
  private readonly ofAccount: Statement<Row>;

  constructor(storage: Storage) {
    this.storage = storage;
    this.ofAccount = storage.prepare(`select * from ${TABLE} where account = ? order by enabled_at, id`);
  }

  all(account: Jid): MaybePromise<readonly Registration[]> {
    return andThen(this.ofAccount.all(account.bare), rows => rows.map(registrationOf));
  }

  /** The same of many accounts, by bare address; those that have none are not in it. */
  async many(accounts: readonly string[]): Promise<Map<string, Registration[]>> {
    const found = new Map<string, Registration[]>();
    for (let from = 0; from < accounts.length; from += AT_ONCE) {
      const some = accounts.slice(from, from + AT_ONCE);
      const rows = await this.storage.read(q =>
        q<Row>(TABLE)
          .whereIn('account', some)
          .orderBy([{ column: 'enabled_at' }, { column: 'id' }]),
      );
      for (const row of rows) {
        const known = found.get(row.account);
        if (known) known.push(registrationOf(row));
        else found.set(row.account, [registrationOf(row)]);
      }
    }
    return found;
  }

  /** Puts one in the place of the one with its key. Of an account's others the oldest go where there would be more than `most`. */
  async put(registration: Omit<Registration, 'key'>, most: number): Promise<void> {
    const { account, service, node, device, options, settings, enabledAt } = registration;
    const id = keyOf(account, service, node);
    const row: Row = {
      id,
      account: account.bare,
      service: service.full,
      node,
      device,
      options: JSON.stringify(options),
      settings: JSON.stringify(settings),
      enabled_at: enabledAt,
    };
    await this.storage.transact(async tx => {
      await tx(TABLE).where({ id }).delete();
      const others: string[] = await of(tx, account)
        .orderBy([{ column: 'enabled_at' }, { column: 'id' }])
        .pluck('id');
      const surplus = others.slice(0, Math.max(0, others.length + 1 - most));
      if (surplus.length > 0) await tx(TABLE).whereIn('id', surplus).delete();
      await tx(TABLE).insert(row);
    });
  }

  /** Takes away the one of that node; of a whole service where no node is given. How many that were. */
  remove(account: Jid, service: Jid, node: string | undefined): Promise<number> {
    return this.storage.transact<number>(async tx => {
      if (node !== undefined)
        return tx(TABLE)
          .where({ id: keyOf(account, service, node) })
          .delete();
      const rows: Pick<Row, 'id' | 'service'>[] = await of(tx, account).select('id', 'service');
      const ids = rows.filter(row => row.service === service.full).map(row => row.id);
      return ids.length === 0 ? 0 : tx(TABLE).whereIn('id', ids).delete();
    });
  }

  async removeAll(account: Jid): Promise<void> {
    await this.storage.transact(tx => of(tx, account).delete());
  }
}

function of(tx: Transactor, account: Jid) {
  return tx<Row>(TABLE).where({ account: account.bare });
}

export const pushStore: StoreDefinition<PushStore> = {
  migrations: [
    {
      name: '001-registrations',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.string('id', 43).primary();
          table.string('account', 191).notNullable();
          table.text('service').notNullable();
          table.text('node').notNullable();
          table.text('device').notNullable();
          table.text('options', 'mediumtext').notNullable();
          table.text('settings').notNullable();
          table.bigInteger('enabled_at').notNullable();
          table.index(['account']);
        });
      },
    },
  ],
  open: storage => new PushStore(storage),
};
