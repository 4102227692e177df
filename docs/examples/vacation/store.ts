import type { Storage, StoreDefinition } from '../../../src/api/index.ts';
import type { Jid } from '../../../src/jid/index.ts';

const TABLE = 'vacation_notes';

/** One note an account. */
export class NoteStore {
  private readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  async get(account: Jid): Promise<string | undefined> {
    const row = await this.storage.read(q =>
      q<{ account: string; note: string }>(TABLE).where({ account: account.bare }).first('note'),
    );
    return row?.note;
  }

  async set(account: Jid, note: string): Promise<void> {
    await this.storage.transact(async tx => {
      await tx(TABLE).where({ account: account.bare }).delete();
      if (note !== '') await tx(TABLE).insert({ account: account.bare, note });
    });
  }
}

export const noteStore: StoreDefinition<NoteStore> = {
  migrations: [
    {
      name: '001-notes',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.string('account', 191).primary();
          table.text('note').notNullable();
        });
      },
    },
  ],
  open: storage => new NoteStore(storage),
};
