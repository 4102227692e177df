import type { Storage, StoreDefinition } from '../../src/api/index.ts';
import type { RosterItem, Subscription } from './contract.ts';

const ITEMS = 'roster_items';
const VERSIONS = 'roster_versions';

interface Row {
  account: string;
  contact: string;
  name: string | null;
  subscription: Subscription;
  ask: number;
  approved: number;
  groups: string;
}

/** Rosters by account, each with a version that grows with every change. */
export class RosterStore {
  private readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** A roster and its version. */
  load(account: string): Promise<{ items: Map<string, RosterItem>; version: number }> {
    const rows = this.storage.prepare<Row>(`SELECT * FROM ${ITEMS} WHERE account = ?`).all(account);
    const version = this.storage.prepare<{ version: number }>(`SELECT version FROM ${VERSIONS} WHERE account = ?`).get(account);
    const items = new Map(rows.map(row => [row.contact, fromRow(row)]));
    return Promise.resolve({ items, version: Number(version?.version ?? 0) });
  }

  /** Puts an item, or takes it away, and notes the new version, in one transaction. */
  async put(account: string, contact: string, item: RosterItem | undefined, version: number): Promise<void> {
    await this.storage.transact(async tx => {
      await tx(ITEMS).where({ account, contact }).delete();
      if (item) {
        await tx(ITEMS).insert({
          account,
          contact,
          name: item.name ?? null,
          subscription: item.subscription,
          ask: item.ask ? 1 : 0,
          approved: item.approved ? 1 : 0,
          groups: JSON.stringify(item.groups),
        });
      }
      await tx(VERSIONS).where({ account }).delete();
      await tx(VERSIONS).insert({ account, version });
    });
  }

  async removeAll(account: string): Promise<void> {
    await this.storage.transact(async tx => {
      await tx(ITEMS).where({ account }).delete();
      await tx(VERSIONS).where({ account }).delete();
    });
  }
}

function fromRow(row: Row): RosterItem {
  return {
    jid: row.contact,
    name: row.name ?? undefined,
    subscription: row.subscription,
    ask: row.ask === 1,
    approved: row.approved === 1,
    groups: JSON.parse(row.groups) as string[],
  };
}

export const rosterStore: StoreDefinition<RosterStore> = {
  migrations: [
    {
      name: '001-roster',
      up: async schema => {
        await schema.createTable(ITEMS, table => {
          table.increments('id');
          table.string('account', 191).notNullable();
          // an address may have 2047 bytes, more than an index can
          table.text('contact').notNullable();
          table.text('name');
          table.string('subscription', 8).notNullable();
          table.integer('ask').notNullable();
          table.integer('approved').notNullable();
          table.text('groups', 'mediumtext').notNullable();
          table.index(['account']);
        });
        await schema.createTable(VERSIONS, table => {
          table.string('account', 191).primary();
          table.bigInteger('version').notNullable();
        });
      },
    },
  ],
  open: storage => new RosterStore(storage),
};
