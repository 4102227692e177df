import type { Storage, StoreDefinition } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { fromWire, toWire } from '../../src/xml/index.ts';

const TABLE = 'private_documents';

/** Documents by account, name and namespace. They are wire strings (src/xml/escape.ts). */
export class PrivateStore {
  private readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  async get(account: Jid, name: string, xmlns: string): Promise<string | undefined> {
    const row = await this.storage.read(q =>
      q<{ account: string; name: string; xmlns: string; document: string }>(TABLE)
        .where({ account: account.bare, name, xmlns })
        .first('document'),
    );
    return row && toWire(row.document);
  }

  /** The next document behind this number. */
  async next(account: Jid, after: number): Promise<{ id: number; wire: string } | undefined> {
    const row = await this.storage.read(q =>
      q<{ id: number; account: string; document: string }>(TABLE)
        .where({ account: account.bare })
        .where('id', '>', after)
        .orderBy('id')
        .first('id', 'document'),
    );
    return row && { id: row.id, wire: toWire(row.document) };
  }

  /** Puts all or none; false when the account would have more than `most`. */
  async set(
    account: Jid,
    documents: readonly { name: string; xmlns: string; wire: string }[],
    most: number,
  ): Promise<boolean> {
    return this.storage
      .transact(async tx => {
        for (const { name, xmlns } of documents) await tx(TABLE).where({ account: account.bare, name, xmlns }).delete();
        const kept = await tx(TABLE).where({ account: account.bare }).count({ n: '*' }).first();
        if (Number(kept?.n ?? 0) + documents.length > most) throw new TooMany();
        for (const { name, xmlns, wire } of documents) {
          await tx(TABLE).insert({ account: account.bare, name, xmlns, document: fromWire(wire) });
        }
        return true;
      })
      .catch((error: unknown) => {
        if (error instanceof TooMany) return false;
        throw error;
      });
  }

  async removeAll(account: Jid): Promise<void> {
    await this.storage.transact(tx => tx(TABLE).where({ account: account.bare }).delete());
  }
}

/** Takes the transaction back. */
class TooMany extends Error {}

export const privateStore: StoreDefinition<PrivateStore> = {
  migrations: [
    {
      name: '001-documents',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.increments('id');
          table.string('account', 191).notNullable();
          table.string('name', 191).notNullable();
          table.string('xmlns', 191).notNullable();
          table.text('document', 'mediumtext').notNullable();
          table.index(['account']);
        });
      },
    },
  ],
  open: storage => new PrivateStore(storage),
};
