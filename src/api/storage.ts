import type { Knex } from 'knex';

export type StorageErrorKind = 'full' | 'locked' | 'readonly' | 'corrupt' | 'constraint' | 'closed' | 'io';

/** What a database could not do, in one vocabulary for all of them. The driver's own error is the cause. */
export class StorageError extends Error {
  readonly kind: StorageErrorKind;

  constructor(kind: StorageErrorKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** A step of a module's schema, applied once, in a transaction, in order. */
export interface Migration {
  /** Sorts in the order of application: '001-items'. */
  readonly name: string;
  up(schema: Knex.SchemaBuilder, tx: Knex.Transaction): Promise<void>;
}

/** For queries that change nothing. */
export type Reader = Knex;
/** For queries within one transaction. */
export type Transactor = Knex.Transaction;

/** A statement that is compiled once. Parameters are given in order. */
export interface Statement<T> {
  get(...parameters: readonly unknown[]): T | undefined;
  all(...parameters: readonly unknown[]): T[];
}

/** What a batch writes with; all of it is in one transaction. */
export interface BatchTransaction {
  /** Runs a statement that is compiled once; the number of rows changed, and the id of the row inserted last. */
  run(sql: string, ...parameters: readonly unknown[]): { changes: number; id: number };
  get<T>(sql: string, ...parameters: readonly unknown[]): T | undefined;
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

export interface BatchDefinition<Row, Result> {
  readonly name: string;
  /** Writes a row. Throwing takes back the whole transaction; the rows are then tried one by one. */
  write(tx: BatchTransaction, row: Row): Result;
}

/** The database of a node. */
export interface Storage {
  readonly dialect: 'sqlite';
  /** Applies what is missing of a module's schema. Rejects when the database has steps that the code does not know. */
  migrate(module: string, migrations: readonly Migration[]): Promise<void>;
  /** Runs a query that changes nothing. */
  read<T>(query: (q: Reader) => PromiseLike<T>): Promise<T>;
  /** Runs queries in one transaction; all or none of them count. One at a time. */
  transact<T>(work: (tx: Transactor) => PromiseLike<T>): Promise<T>;
  /** Compiles a query that changes nothing, for hot paths. */
  prepare<T>(sql: string): Statement<T>;
  batch<Row, Result>(definition: BatchDefinition<Row, Result>): BatchWriter<Row, Result>;
  /** Whether the last write worked, and if not, why. */
  health(): { ok: boolean; reason?: string };
  /** Batches committed so far, rows in them, and writes that failed. */
  counts(): { batches: number; rows: number; failures: number };
  close(): Promise<void>;
}
