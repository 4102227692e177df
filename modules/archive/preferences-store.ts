import type { Storage, StoreDefinition } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

const TABLE = 'archive_preferences';

/** Whose messages an account wants to have kept (XEP-0441 2.1). */
export interface Preferences {
  readonly default: 'always' | 'never' | 'roster';
  /** JIDs, bare or full. */
  readonly always: ReadonlySet<string>;
  readonly never: ReadonlySet<string>;
}

interface Row {
  account: string;
  behaviour: string;
  always: string;
  never: string;
}

/** Preferences of the accounts that have set some; all of them are in memory, since each message asks. */
export class PreferencesStore {
  private readonly storage: Storage;
  private readonly known: Map<string, Preferences>;

  static async open(storage: Storage): Promise<PreferencesStore> {
    const rows = await storage.read(q => q<Row>(TABLE).select());
    return new PreferencesStore(storage, new Map(rows.map(row => [row.account, read(row)])));
  }

  private constructor(storage: Storage, known: Map<string, Preferences>) {
    this.storage = storage;
    this.known = known;
  }

  /** Undefined for an account that has not set any. */
  of(account: Jid): Preferences | undefined {
    return this.known.size === 0 ? undefined : this.known.get(account.bare);
  }

  async set(account: Jid, preferences: Preferences): Promise<void> {
    const row: Row = {
      account: account.bare,
      behaviour: preferences.default,
      always: [...preferences.always].join('\n'),
      never: [...preferences.never].join('\n'),
    };
    await this.storage.transact(async tx => {
      await tx(TABLE).where({ account: account.bare }).delete();
      await tx(TABLE).insert(row);
    });
    this.known.set(account.bare, preferences);
  }

  async remove(account: Jid): Promise<void> {
    await this.storage.transact(tx => tx(TABLE).where({ account: account.bare }).delete());
    this.known.delete(account.bare);
  }
}

function read({ behaviour, always, never }: Row): Preferences {
  // no JID holds a line end (RFC 7622)
  const list = (text: string): Set<string> => new Set(text === '' ? [] : text.split('\n'));
  return { default: behaviour as Preferences['default'], always: list(always), never: list(never) };
}

export const preferencesStore: StoreDefinition<PreferencesStore> = {
  migrations: [
    {
      name: '001-preferences',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.string('account', 191).primary();
          table.string('behaviour', 10).notNullable();
          table.text('always', 'mediumtext').notNullable();
          table.text('never', 'mediumtext').notNullable();
        });
      },
    },
  ],
  open: storage => PreferencesStore.open(storage),
};
