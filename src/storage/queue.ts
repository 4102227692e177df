import {
  type BatchDefinition,
  type BatchDelete,
  type BatchInsert,
  type BatchWriter,
  StorageError,
} from '../api/storage.ts';
import { Ring } from '../util/ring.ts';

/** What a batch may write: any statements, or rows as data. */
export type AnyDefinition<Row = never, Result = unknown> =
  BatchDefinition<Row, Result> | BatchInsert<Row> | BatchDelete<Row>;

/** A row that waits. */
export interface Entry {
  readonly definition: AnyDefinition;
  readonly row: never;
  /** The statement for one row, where the definition is data; and for TOGETHER rows, where nobody asks for the id of each. */
  readonly sql: string;
  readonly many: string | undefined;
  readonly bytes: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchLimits {
  /** Rows of one transaction. */
  readonly rows: number;
  /** ms that the rows of one transaction may take where the event loop waits with them. At least one row is written. */
  readonly slice: number;
  /** Rows, and bytes of the text and octets in them, that may wait. */
  readonly waitingRows: number;
  readonly waitingBytes: number;
}

/** Rows of one statement, where so many of one kind come one behind the other. */
export const TOGETHER = 10;

export const LIMITS: BatchLimits = { rows: 1000, slice: 5, waitingRows: 200_000, waitingBytes: 256 * 1024 * 1024 };

/**
 * What all batch writers have gathered. One row alone waits for the end of the tick; under load, rows gather while the commit before
 * them is under way, and everybody else has a turn in between.
 */
export abstract class WriteQueue {
  protected readonly queue = new Ring<Entry>();
  protected readonly limits: BatchLimits;
  private waitingBytes = 0;
  private running: Promise<void> | undefined;
  batches = 0;
  rows = 0;

  constructor(limits: BatchLimits) {
    this.limits = limits;
  }

  /** Its `write` rejects when too much waits already. */
  writer<Row, Result>(definition: AnyDefinition<Row, Result>): BatchWriter<Row, Result> {
    const size = 'into' in definition ? definition.bytes : undefined;
    const sql = statementOf(definition as AnyDefinition);
    const many =
      'into' in definition && !definition.counted ? statementOf(definition as AnyDefinition, TOGETHER) : undefined;
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
        this.queue.push({
          definition: definition as AnyDefinition,
          row: row as never,
          sql,
          many,
          bytes,
          resolve: resolve as (value: unknown) => void,
          reject,
        });
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

  /** Takes rows and writes them in a transaction; settles each of them, and never rejects. */
  protected abstract flush(): Promise<void>;

  protected take(): Entry {
    const entry = this.queue.shift()!;
    this.waitingBytes -= entry.bytes;
    return entry;
  }

  /** There was no transaction, and everybody has waited for it. */
  protected refuseAll(error: unknown): void {
    while (this.queue.size > 0) this.take().reject(error);
  }

  protected settle(entries: readonly Entry[], results: readonly unknown[]): void {
    this.batches++;
    this.rows += entries.length;
    for (const [index, entry] of entries.entries()) entry.resolve(results[index]);
  }
}

function statementOf(definition: AnyDefinition, rows = 1): string {
  if ('write' in definition) return '';
  if ('from' in definition) return `DELETE FROM ${definition.from} WHERE ${definition.column} = ?`;
  const { into, columns } = definition;
  const row = `(${columns.map(() => '?').join(', ')})`;
  return `INSERT INTO ${into} (${columns.join(', ')}) VALUES ${Array.from({ length: rows }, () => row).join(', ')}`;
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
