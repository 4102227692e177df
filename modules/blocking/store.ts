import { type MaybePromise, type Statement, type Storage, type StoreDefinition, andThen } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';

const TABLE = 'blocked_addresses';
/** Accounts that are asked for in one go. */
const TOGETHER = 100;

interface Row {
  readonly account: string;
  readonly jid: string;
}

/** Blocked addresses by account. */
export class BlockStore {
  private readonly storage: Storage;
  private readonly ofAccount: Statement<{ jid: string }>;
  private readonly amongAccounts: Statement<{ account: string }>;

  constructor(storage: Storage) {
    this.storage = storage;
    this.ofAccount = storage.prepare(`select jid from ${TABLE} where account = ? order by id`);
    const places = Array.from({ length: TOGETHER }, () => '?').join(', ');
    this.amongAccounts = storage.prepare(
      `select distinct account from ${TABLE} where account in (${places}) and jid in (?, ?, ?)`,
    );
  }

  /** In the order in which they were blocked. */
  get(account: Jid): MaybePromise<Jid[]> {
    return andThen(this.ofAccount.all(account.bare), jidsOf);
  }

  /** Those of some accounts who have one of three addresses in their list. */
  async having(accounts: readonly string[], jids: readonly [string, string, string]): Promise<Set<string>> {
    const found = new Set<string>();
    for (let i = 0; i < accounts.length; i += TOGETHER) {
      const some = accounts.slice(i, i + TOGETHER);
      while (some.length < TOGETHER) some.push('');
      for (const { account } of await this.amongAccounts.all(...some, ...jids)) found.add(account);
    }
    return found;
  }

  /** Adds addresses, those that are there already are left as they are. Undefined when there would be more than `most`. */
  async add(account: Jid, jids: readonly Jid[], most: number): Promise<Jid[] | undefined> {
    return this.storage.transact(async tx => {
      const known = jidsOf(await tx<Row>(TABLE).where({ account: account.bare }).orderBy('id').select('jid'));
      const texts = new Set(known.map(jid => jid.full));
      const added = jids.filter(jid => !texts.has(jid.full) && texts.add(jid.full));
      if (added.length > 0 && known.length + added.length > most) return undefined;
      for (let i = 0; i < added.length; i += 200) {
        await tx(TABLE).insert(added.slice(i, i + 200).map(jid => ({ account: account.bare, jid: jid.full })));
      }
      return [...known, ...added];
    });
  }

  /** Takes addresses away, all of them when none are named; returns those that are left. */
  async remove(account: Jid, jids?: readonly Jid[]): Promise<Jid[]> {
    return this.storage.transact(async tx => {
      if (!jids) {
        await tx(TABLE).where({ account: account.bare }).delete();
        return [];
      }
      for (let i = 0; i < jids.length; i += 200) {
        await tx(TABLE)
          .where({ account: account.bare })
          .whereIn(
            'jid',
            jids.slice(i, i + 200).map(jid => jid.full),
          )
          .delete();
      }
      return jidsOf(await tx<Row>(TABLE).where({ account: account.bare }).orderBy('id').select('jid'));
    });
  }
}

function jidsOf(rows: readonly { jid: string }[]): Jid[] {
  return rows.map(row => parseJid(row.jid)).filter(jid => jid !== undefined);
}

export const blockStore: StoreDefinition<BlockStore> = {
  migrations: [
    {
      name: '001-blocked-addresses',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.increments('id');
          table.string('account', 191).notNullable();
          table.text('jid').notNullable();
          table.index(['account']);
        });
      },
    },
  ],
  open: storage => new BlockStore(storage),
};
