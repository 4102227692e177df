import type { Storage, StoreDefinition } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { fromWire, toWire } from '../../src/xml/index.ts';

const TABLE = 'vcards';

/** One card an account, as wire strings (src/xml/escape.ts). */
export class VcardStore {
  private readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  async get(account: Jid): Promise<string | undefined> {
    const row = await this.storage.read(q =>
      q<{ account: string; card: string }>(TABLE).where({ account: account.bare }).first('card'),
    );
    return row && toWire(row.card);
  }

  async set(account: Jid, wire: string): Promise<void> {
    await this.storage.transact(async tx => {
      await tx(TABLE).where({ account: account.bare }).delete();
      await tx(TABLE).insert({ account: account.bare, card: fromWire(wire), changed_at: Date.now() });
    });
  }

  async remove(account: Jid): Promise<void> {
    await this.storage.transact(tx => tx(TABLE).where({ account: account.bare }).delete());
  }
}

export const vcardStore: StoreDefinition<VcardStore> = {
  migrations: [
    {
      name: '001-cards',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.string('account', 191).primary();
          table.text('card', 'mediumtext').notNullable();
          table.bigInteger('changed_at').notNullable();
        });
      },
    },
  ],
  open: storage => new VcardStore(storage),
};
