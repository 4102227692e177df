import {
  type BatchDefinition,
  type BatchDelete,
  type BatchGather,
  type BatchInsert,
  type BatchWriter,
  StorageError,
} from '../api/storage.ts';
import { Ring } from '../util/ring.ts';
import { Pace } from './pace.ts';
import { currentUnit, type Unit } from '../util/unit.ts';

/** What a batch may write: any statements, or rows as data. */
export type AnyDefinition<Row = never, Result = unknown> =
  BatchDefinition<Row, Result> | BatchInsert<Row> | BatchDelete<Row> | BatchGather<Row>;

/** A row that waits. */
export interface Entry {
  readonly definition: AnyDefinition;
  readonly row: never;
  /** The statement for one row, where the definition is data; and for TOGETHER rows, where nobody asks for the id of each. */
  readonly sql: string;
  readonly many: string | undefined;
  readonly bytes: number;
  /** All rows of a unit are in one transaction. */
  readonly unit: Unit | undefined;
  /** Of the writer that it came from: how many of its rows wait. */
  readonly writer: { pending: number };
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

// as they are now: a database's time goes on where a test's stands still
const clock = performance.now.bind(performance);
const { setTimeout: later, clearTimeout: never } = globalThis;

/** Rows of one statement, where so many of one kind come one behind the other. */
export const TOGETHER = 10;

export const LIMITS: BatchLimits = { rows: 1000, slice: 5, waitingRows: 200_000, waitingBytes: 256 * 1024 * 1024 };

/**
 * What all batch writers have gathered. One row alone waits for the end of the tick; rows in quick succession gather for a millisecond
 * (pace.ts), and under load while the commit before them is under way. Everybody else has a turn in between.
 */
export abstract class WriteQueue {
  protected readonly queue = new Ring<Entry>();
  protected readonly limits: BatchLimits;
  /** Why nothing can be written now, if so. */
  private readonly closed: () => StorageError | undefined;
  private waitingBytes = 0;
  private running: Promise<void> | undefined;
  private readonly pace = new Pace();
  /** Ends a wait for more rows. */
  private enough: (() => void) | undefined;
  batches = 0;
  rows = 0;

  constructor(limits: BatchLimits, closed: () => StorageError | undefined = () => undefined) {
    this.limits = limits;
    this.closed = closed;
  }

  /** Its `write` rejects when too much waits already. */
  writer<Row, Result>(definition: AnyDefinition<Row, Result>): BatchWriter<Row, Result> {
    const size = 'into' in definition ? definition.bytes : undefined;
    const sql = statementOf(definition as AnyDefinition);
    const many =
      'into' in definition && !definition.counted ? statementOf(definition as AnyDefinition, TOGETHER) : undefined;
    const writer = {
      pending: 0,
      write: (row: Row): Promise<Result> => {
        const bytes = size ? size(row) : sizeOf(row);
        const unit = currentUnit();
        const refusal = this.refusal(bytes, unit);
        if (refusal) {
          // what belongs together happens together, or not at all
          unit?.spoil(refusal);
          return Promise.reject(refusal);
        }
        unit?.added();
        writer.pending++;
        this.waitingBytes += bytes;
        const { promise, resolve, reject } = Promise.withResolvers<Result>();
        this.queue.push({
          definition: definition as AnyDefinition,
          row: row as never,
          sql,
          many,
          bytes,
          unit,
          writer,
          resolve: resolve as (value: unknown) => void,
          reject,
        });
        this.running ??= this.run();
        if (this.enough && this.pace.isEnough(this.queue.size)) this.enough();
        return promise;
      },
    };
    return writer;
  }

  private refusal(bytes: number, unit: Unit | undefined): StorageError | undefined {
    const { waitingRows, waitingBytes } = this.limits;
    const isFull =
      this.queue.size >= waitingRows || (this.waitingBytes > 0 && this.waitingBytes + bytes > waitingBytes);
    // what one row of a unit had room for, all of it has
    if (isFull && !unit?.hasRows) return new StorageError('locked', 'too much waits for the database already');
    return this.closed();
  }

  /** Resolved when nothing waits. */
  async settled(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    do {
      await new Promise(resolve => setImmediate(resolve));
      const delay = this.pace.delay(clock(), this.queue.size);
      if (delay > 0) await this.more(delay);
      this.pace.begins(clock(), this.queue.size);
      await this.flush();
    } while (this.queue.size > 0);
    this.running = undefined;
  }

  /** Waits for more rows. */
  private async more(delay: number): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = later(resolve, delay);
      this.enough = () => {
        never(timer);
        resolve();
      };
    });
    this.enough = undefined;
  }

  /** Takes rows and writes them in a transaction; settles each of them, and never rejects. */
  protected abstract flush(): Promise<void>;

  protected take(): Entry {
    const entry = this.queue.shift()!;
    this.waitingBytes -= entry.bytes;
    return entry;
  }

  /** Whether what waits first belongs into the transaction that an entry is in. */
  protected joins({ unit }: Entry): boolean {
    return unit !== undefined && this.queue.at(0)?.unit === unit;
  }

  /** There was no transaction, and everybody has waited for it. */
  protected refuseAll(error: unknown): void {
    const entries: Entry[] = [];
    while (this.queue.size > 0) entries.push(this.take());
    this.refuse(entries, error);
  }

  protected refuse(entries: readonly Entry[], error: unknown): void {
    for (const definition of gatheredOf(entries).keys()) definition.settled?.(error);
    for (const { reject, writer } of entries) {
      writer.pending--;
      reject(error);
    }
    for (const unit of unitsOf(entries)) unit.settle(error);
  }

  protected settle(entries: readonly Entry[], results: readonly unknown[]): void {
    this.batches++;
    this.rows += entries.length;
    for (const definition of gatheredOf(entries).keys()) definition.settled?.(undefined);
    for (let i = 0; i < entries.length; i++) {
      const { resolve, writer } = entries[i]!;
      writer.pending--;
      resolve(results[i]);
    }
    for (const unit of unitsOf(entries)) unit.settle();
  }
}

/** The units of entries, which stand together. */
function unitsOf(entries: readonly Entry[]): Unit[] {
  const units: Unit[] = [];
  let last: Unit | undefined;
  for (const { unit } of entries) {
    if (unit !== undefined && unit !== last) units.push(unit);
    last = unit;
  }
  return units;
}

/** Entries that are committed together or not at all: those of a unit, and each other by itself. */
export function piecesOf(entries: readonly Entry[]): Entry[][] {
  const pieces: Entry[][] = [];
  for (const entry of entries) {
    const last = pieces.at(-1);
    if (entry.unit !== undefined && last?.[0]!.unit === entry.unit) last.push(entry);
    else pieces.push([entry]);
  }
  return pieces;
}

/** What is written at the end of the transaction: the rows of each definition that wants all of them at once. */
export function gatheredOf(entries: readonly Entry[]): Map<BatchGather<never>, never[]> {
  const gathered = new Map<BatchGather<never>, never[]>();
  for (const { definition, row } of entries) {
    if (!('writeAll' in definition)) continue;
    const rows = gathered.get(definition);
    if (rows) rows.push(row);
    else gathered.set(definition, [row]);
  }
  return gathered;
}

function statementOf(definition: AnyDefinition, rows = 1): string {
  if ('write' in definition || 'writeAll' in definition) return '';
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
