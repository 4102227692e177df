import { andThen, type MaybePromise, type Statement, type Storage } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { accountKey } from '../rooms/contract.ts';
import { ALLOWANCES } from './schema.ts';
import type { Writing } from './writing.ts';

/** Accounts that may found another number of groups than everybody. */
export class AllowanceStore {
  private readonly writing: Writing;
  private readonly one: Statement<{ most: number }>;

  constructor(storage: Storage, writing: Writing) {
    this.writing = writing;
    this.one = storage.prepare(`select most from ${ALLOWANCES} where account = ?`);
  }

  /** How many groups somebody may found; undefined: as everybody. */
  get(account: Jid): MaybePromise<number | undefined> {
    return andThen(this.one.get(accountKey(account.bare)), row => row && Number(row.most));
  }

  async set(account: Jid, groups: number | undefined): Promise<void> {
    const key = accountKey(account.bare);
    await this.writing(tx =>
      andThen(tx.run(`delete from ${ALLOWANCES} where account = ?`, key), () =>
        groups === undefined
          ? 0
          : andThen(tx.run(`insert into ${ALLOWANCES} (account, most) values (?, ?)`, key, groups), () => 0),
      ),
    );
  }
}
