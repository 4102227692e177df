import { andThen, type MaybePromise, type Statement, type Storage } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { accountKey } from '../rooms/contract.ts';
import { CURSORS } from './schema.ts';
import type { Writing } from './writing.ts';

/** How far members have read their groups. */
export class CursorStore {
  private readonly writing: Writing;
  private readonly one: Statement<{ read_id: string }>;
  private readonly from: Statement<{ address: string; read_id: string; read_at: number }>;

  constructor(storage: Storage, writing: Writing) {
    this.writing = writing;
    this.one = storage.prepare(`select read_id from ${CURSORS} where jid = ? and account = ?`);
    this.from = storage.prepare(
      `select address, read_id, read_at from ${CURSORS} where jid = ? and read_id >= ? order by read_id desc, account`,
    );
  }

  /** Somebody has read up to a message; false where they had read it before. */
  async move(room: Jid, account: Jid, id: string, at: number): Promise<boolean> {
    const key = accountKey(account.bare);
    const moved = await this.writing(tx =>
      andThen(
        tx.get<{ read_id: string }>(`select read_id from ${CURSORS} where jid = ? and account = ?`, room.bare, key),
        row => {
          if (row && row.read_id >= id) return 0;
          const done = row
            ? tx.run(
                `update ${CURSORS} set read_id = ?, read_at = ? where jid = ? and account = ?`,
                id,
                at,
                room.bare,
                key,
              )
            : tx.run(
                `insert into ${CURSORS} (jid, account, address, read_id, read_at) values (?, ?, ?, ?, ?)`,
                room.bare,
                key,
                account.bare,
                id,
                at,
              );
          return andThen(done, () => 1);
        },
      ),
    );
    return moved === 1;
  }

  /** The stanza id up to which somebody has read. */
  get(room: Jid, account: Jid): MaybePromise<string | undefined> {
    return andThen(this.one.get(room.bare, accountKey(account.bare)), row => row?.read_id);
  }

  /** Those who have read a message of that id, or all who have read anything (''), who has read most first. */
  async of(room: Jid, id: string): Promise<{ account: Jid; cursor: string; at: number }[]> {
    const rows = await this.from.all(room.bare, id);
    return rows.flatMap(({ address, read_id, read_at }) => {
      const account = parseJid(address);
      return account ? { account, cursor: read_id, at: Number(read_at) } : [];
    });
  }

  async forget(room: Jid, account: Jid): Promise<void> {
    const sql = `delete from ${CURSORS} where jid = ? and account = ?`;
    await this.writing(tx => andThen(tx.run(sql, room.bare, accountKey(account.bare)), () => 0));
  }
}
