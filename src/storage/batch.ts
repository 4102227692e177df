import {
  type BatchDefinition,
  type BatchDelete,
  type BatchInsert,
  type BatchTransaction,
  type BatchWriter,
  StorageError,
} from '../api/storage.ts';
import { andThen } from '../util/maybe.ts';
import { Ring } from '../util/ring.ts';
import { isOutage, storageError } from './errors.ts';

interface Entry {
  readonly bytes: number;
  readonly write: (tx: BatchTransaction) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What a batch may write: any statements, or rows as data. */
export type AnyDefinition<Row, Result> = BatchDefinition<Row, Result> | BatchInsert<Row> | BatchDelete<Row>;

/** A definition that is data as the statements for one row. */
export function asStatements<Row, Result>(definition: AnyDefinition<Row, Result>): BatchDefinition<Row, Result> {
  if ('write' in definition) return definition;
  const { name } = definition;
  if ('from' in definition) {
    const sql = `DELETE FROM ${definition.from} WHERE ${definition.column} = ?`;
    return { name, write: (tx, row) => andThen(tx.run(sql, definition.value(row)), () => undefined as Result) };
  }
  const { into, columns, counted } = definition;
  const sql = `INSERT INTO ${into} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  return {
    name,
    write: (tx, row) => andThen(tx.run(sql, ...definition.values(row)), ({ id }) => (counted ? id : 0) as Result),
  };
}

/** Runs work in one transaction: all of it is committed when it returns, none when it throws. */
export type Commit = (work: (tx: BatchTransaction) => void) => Promise<void>;

export interface BatchLimits {
  /** Rows of one transaction. */
  readonly rows: number;
  /** ms that the rows of one transaction may take: the event loop waits with them. At least one row is written. */
  readonly slice: number;
  /** Rows, and bytes of the text and octets in them, that may wait. */
  readonly waitingRows: number;
  readonly waitingBytes: number;
}

const LIMITS: BatchLimits = { rows: 1000, slice: 5, waitingRows: 200_000, waitingBytes: 256 * 1024 * 1024 };

/**
 * The group commit: whatever all batch writers have gathered goes into one transaction. One row alone waits for the end of the
 * tick; under load, rows gather while the commit before them is under way, and everybody else has a turn in between.
 */
export class GroupCommit {
  private readonly queue = new Ring<Entry>();
  private waitingBytes = 0;
  private running: Promise<void> | undefined;
  private readonly commit: Commit;
  private readonly limits: BatchLimits;
  batches = 0;
  rows = 0;

  constructor(commit: Commit, limits: BatchLimits = LIMITS) {
    this.commit = commit;
    this.limits = limits;
  }

  /** Its `write` rejects when too much waits already. */
  writer<Row, Result>(any: AnyDefinition<Row, Result>): BatchWriter<Row, Result> {
    const definition = asStatements(any);
    const size = 'into' in any ? any.bytes : undefined;
    let pending = 0;
    const done = (): void => {
      pending--;
    };
    return {
      get pending() {
        return pending;
      },
      write: row => {
        const bytes = size ? size(row) : sizeOf(row);
        const { waitingRows, waitingBytes } = this.limits;
        if (this.queue.size >= waitingRows || (this.waitingBytes > 0 && this.waitingBytes + bytes > waitingBytes)) {
          return Promise.reject(new StorageError('locked', 'too much waits for the database already'));
        }
        pending++;
        this.waitingBytes += bytes;
        const { promise, resolve, reject } = Promise.withResolvers<Result>();
        promise.then(done, done);
        const write = (tx: BatchTransaction): Result => {
          const result = definition.write(tx, row);
          if (result instanceof Promise) throw new Error(`the batch '${definition.name}' waits where nothing has to`);
          return result;
        };
        this.queue.push({ bytes, write, resolve: resolve as (value: unknown) => void, reject });
        this.running ??= this.run();
        return promise;
      },
    };
  }

  /** Resolved when nothing waits. */
  async settled(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    do {
      await new Promise(resolve => setImmediate(resolve));
      await this.flush();
    } while (this.queue.size > 0);
    this.running = undefined;
  }

  private async flush(): Promise<void> {
    const entries: Entry[] = [];
    const results: unknown[] = [];
    try {
      await this.commit(tx => {
        // chosen only now: what came while the transaction waited for its turn goes with it
        const until = performance.now() + this.limits.slice;
        do {
          const entry = this.take();
          entries.push(entry);
          results.push(entry.write(tx));
        } while (this.queue.size > 0 && entries.length < this.limits.rows && performance.now() < until);
      });
    } catch (cause) {
      const error = storageError(cause);
      // without a transaction there was no choice: everybody has waited for it
      if (entries.length === 0) while (this.queue.size > 0) this.take().reject(error);
      else if (entries.length === 1 || isOutage(error)) for (const entry of entries) entry.reject(error);
      else await this.apart(entries);
      return;
    }
    this.settle(entries, results);
  }

  /** One bad row must not cost the others: each has a savepoint to go back to. */
  private async apart(entries: readonly Entry[]): Promise<void> {
    const results: unknown[] = [];
    const refused = new Map<Entry, unknown>();
    try {
      await this.commit(tx => {
        for (const entry of entries) {
          void tx.run('SAVEPOINT one_row');
          try {
            const result = entry.write(tx);
            void tx.run('RELEASE SAVEPOINT one_row');
            results.push(result);
          } catch (cause) {
            const error = storageError(cause);
            if (isOutage(error)) throw error; // SQLite has gone back by itself, behind the savepoint
            void tx.run('ROLLBACK TO SAVEPOINT one_row');
            void tx.run('RELEASE SAVEPOINT one_row');
            refused.set(entry, error);
          }
        }
      });
    } catch (cause) {
      const error = storageError(cause);
      for (const entry of entries) entry.reject(refused.get(entry) ?? error);
      return;
    }
    for (const [entry, error] of refused) entry.reject(error);
    this.settle(
      entries.filter(entry => !refused.has(entry)),
      results,
    );
  }

  private take(): Entry {
    const entry = this.queue.shift()!;
    this.waitingBytes -= entry.bytes;
    return entry;
  }

  private settle(entries: readonly Entry[], results: readonly unknown[]): void {
    this.batches++;
    this.rows += entries.length;
    for (const [index, entry] of entries.entries()) entry.resolve(results[index]);
  }
}

/** About the bytes that a row keeps in memory: of the text and octets that it is or holds. */
function sizeOf(row: unknown): number {
  if (typeof row === 'string') return row.length;
  if (row instanceof Uint8Array) return row.byteLength;
  if (typeof row !== 'object' || row === null) return 0;
  let bytes = 0;
  for (const value of Object.values(row)) {
    if (typeof value === 'string') bytes += value.length;
    else if (value instanceof Uint8Array) bytes += value.byteLength;
  }
  return bytes;
}
