import type { Storage, StoreDefinition } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

const TABLE = 'last_activity';

export interface Departure {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What the account said as it left. */
  readonly status: string;
}

/** When each account was last seen. Written behind: a crash may cost the newest times, nothing else. */
export class LastActivityStore {
  private readonly storage: Storage;
  private pending = new Map<string, Departure>();
  private writing: Promise<void> | undefined;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  async get(account: Jid): Promise<Departure | undefined> {
    const pending = this.pending.get(account.bare);
    if (pending) return pending;
    const row = await this.storage.read(q =>
      q<{ account: string; left_at: number; status: string }>(TABLE).where({ account: account.bare }).first(),
    );
    return row && { at: Number(row.left_at), status: row.status };
  }

  /** Takes note; what comes while a write is under way goes with the next one. Rejects when it could not be written. */
  note(account: Jid, at: number, status: string): Promise<void> {
    this.pending.set(account.bare, { at, status: status.slice(0, 1024) });
    return (this.writing ??= this.write().finally(() => {
      this.writing = undefined;
    }));
  }

  private async write(): Promise<void> {
    while (this.pending.size > 0) {
      const batch = [...this.pending].slice(0, 200);
      await this.storage.transact(async tx => {
        await tx(TABLE)
          .whereIn(
            'account',
            batch.map(([account]) => account),
          )
          .delete();
        await tx(TABLE).insert(batch.map(([account, { at, status }]) => ({ account, left_at: at, status })));
      });
      for (const [account, departure] of batch)
        if (this.pending.get(account) === departure) this.pending.delete(account);
    }
  }

  async remove(account: Jid): Promise<void> {
    this.pending.delete(account.bare);
    await this.storage.transact(tx => tx(TABLE).where({ account: account.bare }).delete());
  }

  /** Resolved when nothing waits to be written. */
  async settled(): Promise<void> {
    await this.writing;
  }
}

export const lastActivityStore: StoreDefinition<LastActivityStore> = {
  migrations: [
    {
      name: '001-last-activity',
      up: async schema => {
        await schema.createTable(TABLE, table => {
          table.string('account', 191).primary();
          table.bigInteger('left_at').notNullable();
          table.text('status').notNullable();
        });
      },
    },
  ],
  open: storage => new LastActivityStore(storage),
};
