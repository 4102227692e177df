import type { BatchGather, BatchTransaction, BatchWriter, Migration, Storage } from '../../api/storage.ts';
import { andThen, type MaybePromise } from '../../util/maybe.ts';

const TABLE = 'session_journal';

/** Octets of one row; what is longer goes into several. */
const LARGEST = 512 * 1024;
/** Rows that are read, and deleted, at once. */
const PORTION = 100;

/** What is written at the end of each transaction that a row of the journal is in. */
export interface JournalText<Row> {
  /** A wire string; it may be asked again before it hears of the outcome. */
  compose(rows: readonly Row[]): string;
  /** What was composed is committed, or could not be: then it meets the error. */
  settled(error: unknown): void;
}

/** The journal of sessions on disk: octets in the order in which they were written. */
export class JournalStore<Row> {
  private readonly storage: Storage;
  private readonly writing: BatchWriter<Row, void>;
  /** Number of the row that was committed last. */
  newest = 0;
  private appended = 0;
  /** Octets written since the start. */
  written = 0;

  static async open<Row>(storage: Storage, text: JournalText<Row>): Promise<JournalStore<Row>> {
    await storage.migrate('sessions', migrations);
    return new JournalStore(storage, text);
  }

  private constructor(storage: Storage, text: JournalText<Row>) {
    this.storage = storage;
    const definition: BatchGather<Row> = {
      name: 'journal of sessions',
      writeAll: (tx, rows) => this.append(tx, text.compose(rows)),
      settled: error => {
        if (error === undefined) this.newest = Math.max(this.newest, this.appended);
        text.settled(error);
      },
    };
    this.writing = storage.batch<Row>(definition);
  }

  private append(tx: BatchTransaction, data: string): MaybePromise<void> {
    if (data === '') return undefined;
    const piece = Buffer.from(data.slice(0, LARGEST), 'latin1');
    return andThen(tx.run(`insert into ${TABLE} (data) values (?)`, piece), ({ id }) => {
      this.appended = id;
      this.written += piece.length;
      return this.append(tx, data.slice(LARGEST));
    });
  }

  /** Has something written; settled as the transaction is. */
  write(row: Row): Promise<void> {
    return this.writing.write(row);
  }

  /** All of it, in pieces. */
  async *read(): AsyncGenerator<string> {
    for (let last = 0; ;) {
      const rows: { id: number; data: Buffer }[] = await this.storage.read(q =>
        q(TABLE).where('id', '>', last).orderBy('id').limit(PORTION).select('id', 'data'),
      );
      if (rows.length === 0) return;
      for (const { id, data } of rows) {
        last = Number(id);
        yield data.toString('latin1');
      }
      this.newest = last;
    }
  }

  /** Forgets what was written up to a row. */
  async forget(upTo: number): Promise<void> {
    for (let any = true; any;) {
      any = await this.storage.transact(async tx => {
        const ids: number[] = await tx(TABLE).where('id', '<=', upTo).orderBy('id').limit(PORTION).pluck('id');
        if (ids.length > 0) await tx(TABLE).where('id', '<=', ids.at(-1)!).delete();
        return ids.length > 0;
      });
    }
  }
}

export const migrations: readonly Migration[] = [
  {
    name: '001-journal',
    up: async (schema, tx) => {
      const mysql = tx.client.config.client === 'mysql2';
      await schema.createTable(TABLE, table => {
        table.bigIncrements('id');
        // a blob of MySQL ends at 64 KB
        if (mysql) table.specificType('data', 'mediumblob').notNullable();
        else table.binary('data').notNullable();
      });
    },
  },
];
