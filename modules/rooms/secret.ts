import { randomBytes } from 'node:crypto';
import type { Storage, StoreDefinition } from '../../src/api/index.ts';

const TABLE = 'room_secret';

/** The secret that occupant ids are made with (XEP-0421 4.1): one for all rooms, made when it is first needed, and never another. */
export class RoomSecret {
  readonly value: string;

  private constructor(value: string) {
    this.value = value;
  }

  static async open(storage: Storage): Promise<RoomSecret> {
    const kept = await storage.transact(async tx => {
      const row = await tx<{ id: number; secret: string }>(TABLE).where({ id: 1 }).first('secret');
      if (row) return row.secret;
      const secret = randomBytes(32).toString('base64url');
      await tx(TABLE).insert({ id: 1, secret });
      return secret;
    });
    return new RoomSecret(kept);
  }
}

export const roomSecret: StoreDefinition<RoomSecret> = {
  migrations: [
    {
      name: '001-secret',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.integer('id').primary();
          table.string('secret', 64).notNullable();
        });
      },
    },
  ],
  open: storage => RoomSecret.open(storage),
};
