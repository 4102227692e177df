import { andThen, type Storage } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { CONCERNED } from './schema.ts';
import type { Writing } from './writing.ts';

/** Accounts whose bookmarks are to be brought in line with who belongs to a group. */
export interface StoredDue {
  readonly id: number;
  readonly room: Jid;
  /** undefined: all who belong to it. */
  readonly accounts: readonly Jid[] | undefined;
}

/** Notes of bookmarks that are to be written. */
export class DueStore {
  private readonly storage: Storage;
  private readonly writing: Writing;

  constructor(storage: Storage, writing: Writing) {
    this.storage = storage;
    this.writing = writing;
  }

  /** Notes that bookmarks of accounts are due (undefined: of all who belong to the group); the number of the note. */
  note(room: Jid, accounts: readonly Jid[] | undefined): Promise<number> {
    const sql = `insert into ${CONCERNED} (jid, accounts) values (?, ?)`;
    const list = accounts && JSON.stringify(accounts.map(({ bare }) => bare));
    return this.writing(tx => andThen(tx.run(sql, room.bare, list ?? null), ({ id }) => Number(id)));
  }

  /** They are as they should be. */
  async settled(ids: readonly number[]): Promise<void> {
    const sql = `delete from ${CONCERNED} where id = ?`;
    await Promise.all(ids.map(id => this.writing(tx => andThen(tx.run(sql, id), () => 0))));
  }

  /** What is due, behind a number, in the order in which it was noted. */
  async after(id: number, most: number): Promise<StoredDue[]> {
    const rows = await this.storage.read(q =>
      q<{ id: number; jid: string; accounts: string | null }>(CONCERNED)
        .where('id', '>', id)
        .orderBy('id')
        .limit(most)
        .select('id', 'jid', 'accounts'),
    );
    return rows.map(row => ({
      id: Number(row.id),
      room: parseJid(row.jid)!,
      accounts:
        row.accounts === null
          ? undefined
          : (JSON.parse(row.accounts) as string[]).flatMap(account => parseJid(account) ?? []),
    }));
  }
}
