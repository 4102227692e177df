import type { Knex } from 'knex';
import type { MaybePromise } from '../util/maybe.ts';

export type StorageErrorKind = 'full' | 'locked' | 'readonly' | 'corrupt' | 'constraint' | 'closed' | 'io';

/** What a database could not do, in one vocabulary for all of them. The driver's own error is the cause. */
export class StorageError extends Error {
  readonly kind: StorageErrorKind;
  /** Its storage has told of it in the log, once for all that fails with it: nobody else need do so loudly. */
  told = false;

  constructor(kind: StorageErrorKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/**
 * A step of a module's schema, applied once, in order, in a transaction. MySQL commits at each change of a schema: where a step was
 * not finished there it is run again, and what it has made before stays as it is. Each call of `schema` is awaited by itself.
 */
export interface Migration {
  /** Sorts in the order of application: '001-items'. */
  readonly name: string;
  up(schema: Knex.SchemaBuilder, tx: Knex.Transaction): Promise<void>;
}

/** For queries that change nothing. */
export type Reader = Knex;
/** For queries within one transaction. */
export type Transactor = Knex.Transaction;

/**
 * A statement that is compiled once. Parameters are given in order. A database in the same process answers at once, others with a
 * promise; a failure is thrown or rejects, as the answer would have come.
 */
export interface Statement<T> {
  get(...parameters: readonly unknown[]): MaybePromise<T | undefined>;
  all(...parameters: readonly unknown[]): MaybePromise<T[]>;
}

/** What a batch writes with; all of it is in one transaction. It answers as a `Statement` does. */
export interface BatchTransaction {
  /** Runs a statement that is compiled once; the number of rows changed, and the id of the row inserted last. */
  run(sql: string, ...parameters: readonly unknown[]): MaybePromise<{ changes: number; id: number }>;
  get<T>(sql: string, ...parameters: readonly unknown[]): MaybePromise<T | undefined>;
}

/** Gathers writes of many callers into few transactions. */
export interface BatchWriter<Row, Result> {
  /**
   * Resolved when the row is committed, in the order of the calls; rejects with a StorageError when it is not. A row alone is
   * committed at the end of the tick; what comes while a commit is under way goes with the next one.
   */
  write(row: Row): Promise<Result>;
  /** Rows that wait. */
  readonly pending: number;
}

/** Any statements for each row, in the order of the rows. */
export interface BatchDefinition<Row, Result> {
  readonly name: string;
  /**
   * Writes a row. Where the database answers at once so must this: steps are joined by `andThen`, not by `await`. Throwing takes back
   * the whole transaction; the rows are then tried one by one, so it may be called again for the same row.
   */
  write(tx: BatchTransaction, row: Row): MaybePromise<Result>;
}

/**
 * Rows that are only inserted: a database behind a network takes many of them in one statement. Within a transaction they keep
 * their order among rows of the same table, but may be written before or after rows of other tables that are data like these.
 */
export interface BatchInsert<Row> {
  readonly name: string;
  readonly into: string;
  readonly columns: readonly string[];
  /** Whether the table has a column `id` that the database counts up: the result is the row's. Otherwise it is 0. */
  readonly counted: boolean;
  /** In the order of the columns. */
  values(row: Row): readonly unknown[];
  /** About the bytes that a row keeps in memory; counted from what it holds when left out. */
  bytes?(row: Row): number;
}

/** Rows that are deleted by the value of a column, likewise. */
export interface BatchDelete<Row> {
  readonly name: string;
  readonly from: string;
  readonly column: string;
  value(row: Row): number | string;
}

/** Rows of which one call writes all that are in a transaction, at its end. */
export interface BatchGather<Row> {
  readonly name: string;
  /** As `write` of a BatchDefinition; it may be called again with the same rows. */
  writeAll(tx: BatchTransaction, rows: readonly Row[]): MaybePromise<void>;
  /** Told of the outcome before anybody else is: of the StorageError, if there was one. */
  settled?(error: unknown): void;
}

/** The database of a node. */
export interface Storage {
  readonly dialect: 'sqlite' | 'mysql' | 'postgres';
  /** Applies what is missing of a module's schema. Rejects when the database has steps that the code does not know. */
  migrate(module: string, migrations: readonly Migration[]): Promise<void>;
  /** Runs a query that changes nothing. */
  read<T>(query: (q: Reader) => PromiseLike<T>): Promise<T>;
  /**
   * Runs queries in one transaction; all or none of them count. One at a time. Where the database has taken a transaction back
   * (a deadlock, a connection lost) the work is called again: what it does beside its queries must bear that.
   */
  transact<T>(work: (tx: Transactor) => PromiseLike<T>): Promise<T>;
  /** Compiles a query that changes nothing, for hot paths. */
  prepare<T>(sql: string): Statement<T>;
  /** As `prepare`, of a select of one column: its values, of which a driver need not make rows. */
  column<T>(sql: string): Statement<T>;
  batch<Row>(definition: BatchInsert<Row>): BatchWriter<Row, number>;
  batch<Row>(definition: BatchDelete<Row>): BatchWriter<Row, void>;
  batch<Row>(definition: BatchGather<Row>): BatchWriter<Row, void>;
  batch<Row, Result>(definition: BatchDefinition<Row, Result>): BatchWriter<Row, Result>;
  /** Whether the last write worked, and if not, why. */
  health(): { ok: boolean; reason?: string };
  /** Batches committed so far, rows in them, and writes that failed. */
  counts(): { batches: number; rows: number; failures: number };
  close(): Promise<void>;
}
