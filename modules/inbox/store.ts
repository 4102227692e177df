import { andThen, type BatchWriter, type Statement, type Storage, type StoreDefinition } from '../../src/api/index.ts';
import type { Displayed } from '../archive/contract.ts';

const TABLE = 'inbox_displayed';
/** Conversations that are asked for in one go. */
const TOGETHER = 50;

interface Mark {
  readonly owner: number;
  readonly peer: number;
  readonly key: number;
}

/**
 * Up to which message each account has displayed each of its conversations. Accounts and correspondents are numbers, messages keys, of
 * the module archive.
 */
export class DisplayedStore implements Displayed {
  readonly table = TABLE;
  private readonly storage: Storage;
  private readonly one: Statement<{ id: number }>;
  private readonly some: Statement<{ peer: number; id: number }>;
  private readonly moving: BatchWriter<Mark, boolean>;

  constructor(storage: Storage) {
    this.storage = storage;
    this.one = storage.prepare(`select id from ${TABLE} where owner = ? and peer = ?`);
    const places = Array.from({ length: TOGETHER }, () => '?').join(', ');
    this.some = storage.prepare(`select peer, id from ${TABLE} where owner = ? and peer in (${places})`);
    this.moving = storage.batch<Mark, boolean>({
      name: 'inbox',
      write: (tx, { owner, peer, key }) =>
        andThen(tx.get<{ id: number }>(`select id from ${TABLE} where owner = ? and peer = ?`, owner, peer), row => {
          if (row && Number(row.id) >= key) return false;
          const sql = row
            ? `update ${TABLE} set id = ? where owner = ? and peer = ?`
            : `insert into ${TABLE} (id, owner, peer) values (?, ?, ?)`;
          return andThen(tx.run(sql, key, owner, peer), () => true);
        }),
    });
  }

  /** The key of the last message that is displayed; 0 for none. */
  async get(owner: number, peer: number): Promise<number> {
    return Number((await this.one.get(owner, peer))?.id ?? 0);
  }

  /** Of some conversations of an account, by their correspondents; those of which nothing was displayed are left out. */
  async of(owner: number, peers: readonly number[]): Promise<Map<number, number>> {
    const out = new Map<number, number>();
    for (let i = 0; i < peers.length; i += TOGETHER) {
      const some = peers.slice(i, i + TOGETHER);
      while (some.length < TOGETHER) some.push(0);
      for (const { peer, id } of await this.some.all(owner, ...some)) out.set(Number(peer), Number(id));
    }
    return out;
  }

  /** All up to a message is displayed: never moves back. False when it was displayed before. */
  move(owner: number, peer: number, key: number): Promise<boolean> {
    return this.moving.write({ owner, peer, key });
  }

  async remove(owner: number): Promise<void> {
    await this.storage.transact(tx => tx(TABLE).where({ owner }).delete());
  }
}

export const displayedStore: StoreDefinition<DisplayedStore> = {
  migrations: [
    {
      name: '001-displayed',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.integer('owner').notNullable();
          table.integer('peer').notNullable();
          table.bigInteger('id').notNullable();
          table.primary(['owner', 'peer']);
        });
      },
    },
  ],
  open: storage => new DisplayedStore(storage),
};
