import path from 'node:path';
import Database from 'better-sqlite3';
import knex, { type Knex } from 'knex';
import type { BatchDefinition, BatchTransaction, BatchWriter, Migration, Reader, Statement, Storage, Transactor } from '../api/storage.ts';
import { StorageError } from '../api/storage.ts';
import { GroupCommit } from './batch.ts';
import { storageError } from './errors.ts';
import { lockFolder } from './lock.ts';
import { applyMigrations, prepareMigrations } from './migrations.ts';
import { Mutex } from './mutex.ts';

export interface SqliteOptions {
  /** Folder of posthouse.sqlite; made when it is not there. */
  readonly dataDir: string;
  readonly synchronous?: 'NORMAL' | 'FULL';
  readonly logger?: { error(details: object, text: string): void; info(text: string): void };
}

/** ms that SQLite waits for another program's lock (a backup) before it gives up; the event loop waits with it. */
const BUSY = 200;
const PROBE = 2_000; // ms between two attempts to write after a failure

/**
 * SQLite in the data folder, in WAL mode. Writers take turns: knex transactions and group commits never meet in the file. Readers
 * have connections of their own and wait for nobody.
 */
export class SqliteStorage implements Storage {
  readonly dialect = 'sqlite';
  private readonly lock: { release(): void };
  private readonly raw: Database.Database;
  private readonly writer: Knex;
  private readonly reader: Knex;
  private readonly mutex = new Mutex();
  private readonly group: GroupCommit;
  private readonly statements = new Map<string, Database.Statement>();
  private readonly logger: SqliteOptions['logger'];
  private failure: string | undefined;
  private prober: NodeJS.Timeout | undefined;
  private closed = false;

  /** Rejects with a DataFolderError or StorageError whose message is for the operator. */
  static async open(options: SqliteOptions): Promise<SqliteStorage> {
    const lock = lockFolder(options.dataDir);
    try {
      const storage = new SqliteStorage(options, lock);
      await storage.transact(prepareMigrations);
      return storage;
    } catch (error) {
      lock.release();
      throw storageError(error);
    }
  }

  private constructor(options: SqliteOptions, lock: { release(): void }) {
    this.lock = lock;
    this.logger = options.logger;
    const filename = path.join(options.dataDir, 'posthouse.sqlite');
    const pragmas = (db: Database.Database): void => {
      db.pragma('journal_mode = WAL');
      db.pragma(`synchronous = ${options.synchronous ?? 'NORMAL'}`);
      db.pragma(`busy_timeout = ${BUSY}`);
      db.pragma('foreign_keys = ON');
      db.pragma('cache_size = -16000');
    };
    this.raw = new Database(filename);
    pragmas(this.raw);
    const connect = (): Knex =>
      knex({
        client: 'better-sqlite3',
        connection: { filename },
        useNullAsDefault: true,
        pool: {
          min: 0,
          max: 1,
          afterCreate: (db: Database.Database, done: (error: Error | null, db: Database.Database) => void) => {
            pragmas(db);
            done(null, db);
          },
        },
      });
    this.writer = connect();
    this.reader = connect();
    this.group = new GroupCommit(work => this.mutex.run(() => this.commit(work)));
  }

  async migrate(module: string, migrations: readonly Migration[]): Promise<void> {
    await this.transact(tx => applyMigrations(tx, module, migrations));
  }

  async read<T>(query: (q: Reader) => PromiseLike<T>): Promise<T> {
    this.mustBeOpen();
    try {
      return await query(this.reader);
    } catch (error) {
      throw storageError(error);
    }
  }

  transact<T>(work: (tx: Transactor) => PromiseLike<T>): Promise<T> {
    this.mustBeOpen();
    return this.mutex.run(async () => {
      try {
        const result = await this.writer.transaction(async tx => work(tx));
        this.works();
        return result;
      } catch (error) {
        throw this.fails(error);
      }
    });
  }

  prepare<T>(sql: string): Statement<T> {
    const run = <R>(work: (statement: Database.Statement) => R): R => {
      this.mustBeOpen();
      try {
        return work(this.statement(sql));
      } catch (error) {
        throw storageError(error);
      }
    };
    return {
      get: (...parameters) => run(statement => statement.get(...parameters) as T | undefined),
      all: (...parameters) => run(statement => statement.all(...parameters) as T[]),
    };
  }

  batch<Row, Result>(definition: BatchDefinition<Row, Result>): BatchWriter<Row, Result> {
    return this.group.writer(definition);
  }

  private statement(sql: string): Database.Statement {
    let statement = this.statements.get(sql);
    if (!statement) this.statements.set(sql, (statement = this.raw.prepare(sql)));
    return statement;
  }

  /** One transaction, from its first to its last statement without a wait. */
  private commit(work: (tx: BatchTransaction) => void): void {
    this.mustBeOpen();
    const tx: BatchTransaction = {
      run: (sql, ...parameters) => {
        const { changes, lastInsertRowid } = this.statement(sql).run(...parameters);
        return { changes, id: Number(lastInsertRowid) };
      },
      get: <T>(sql: string, ...parameters: readonly unknown[]) => this.statement(sql).get(...parameters) as T | undefined,
    };
    try {
      this.raw.exec('BEGIN IMMEDIATE');
      work(tx);
      this.raw.exec('COMMIT');
      this.works();
    } catch (error) {
      try {
        if (this.raw.open && this.raw.inTransaction) this.raw.exec('ROLLBACK');
      } catch {
        // the first error is the one that counts
      }
      throw this.fails(error);
    }
  }

  private mustBeOpen(): void {
    if (this.closed) throw new StorageError('closed', 'the database is closed');
  }

  private works(): void {
    if (this.failure === undefined) return;
    this.failure = undefined;
    clearInterval(this.prober);
    this.prober = undefined;
    this.logger?.info('storage: writing works again');
  }

  private fails(cause: unknown): unknown {
    const error = storageError(cause);
    if (error instanceof StorageError && error.kind !== 'constraint') {
      if (this.failure === undefined) this.logger?.error({ err: cause }, `storage: ${error.message}; senders are told to try again until it works`);
      this.failure = error.message;
      // somebody has to notice when it works again
      this.prober ??= setInterval(() => void this.probe(), PROBE).unref();
    }
    return error;
  }

  private async probe(): Promise<void> {
    await this.transact(async tx => {
      await tx('posthouse_migrations').insert({ module: 'posthouse_probe', name: 'probe', applied_at: Date.now() });
      await tx('posthouse_migrations').where({ module: 'posthouse_probe' }).delete();
    }).catch(() => {
      // it goes on failing: `fails` has taken note
    });
  }

  health(): { ok: boolean; reason?: string } {
    if (this.closed) return { ok: false, reason: 'the database is closed' };
    return this.failure === undefined ? { ok: true } : { ok: false, reason: this.failure };
  }

  counts(): { batches: number; rows: number } {
    return { batches: this.group.batches, rows: this.group.rows };
  }

  async close(): Promise<void> {
    if (this.closed) return;
    await this.group.settled();
    await this.mutex.run(() => {
      this.closed = true;
    });
    clearInterval(this.prober);
    await this.writer.destroy();
    await this.reader.destroy();
    this.raw.close();
    this.lock.release();
  }
}
