import type { Storage, StoreDefinition } from '../../src/api/index.ts';
import { keyOf } from './schema.ts';

const TABLE = 'pubsub_capabilities';

/** Of which nodes clients want to be told, by what they call their capabilities (XEP-0115). */
export class CapabilitiesStore {
  private readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  async get(key: string): Promise<string[] | undefined> {
    const row = (await this.storage.read(q =>
      q(TABLE)
        .where({ caps_key: keyOf(key) })
        .first('nodes'),
    )) as { nodes: string } | undefined;
    return row && (JSON.parse(row.nodes) as string[]);
  }

  async put(key: string, nodes: readonly string[], at: number): Promise<void> {
    const caps_key = keyOf(key);
    await this.storage.transact(async tx => {
      await tx(TABLE).where({ caps_key }).delete();
      await tx(TABLE).insert({ caps_key, nodes: JSON.stringify(nodes), seen_at: at });
    });
  }

  /** Leaves the `most` that were learned last. */
  async shrink(most: number): Promise<void> {
    await this.storage.transact(async tx => {
      const row = (await tx(TABLE).orderBy('id', 'desc').offset(most).first('id')) as { id: number } | undefined;
      if (row) await tx(TABLE).where('id', '<=', row.id).delete();
    });
  }
}

export const capabilitiesStore: StoreDefinition<CapabilitiesStore> = {
  migrations: [
    {
      name: '001-capabilities',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.increments('id');
          table.string('caps_key', 128).notNullable().unique();
          table.text('nodes', 'mediumtext').notNullable();
          table.bigInteger('seen_at').notNullable();
        });
      },
    },
  ],
  open: storage => new CapabilitiesStore(storage),
};
