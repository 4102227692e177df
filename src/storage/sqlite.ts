import { closeSync, openSync, statfsSync } from 'node:fs';
import path from 'node:path';
import type Database from 'better-sqlite3';
import type { Knex } from 'knex';
import type {
  BatchTransaction,
  BatchWriter,
  Migration,
  Reader,
  Statement,
  Storage,
  Transactor,
} from '../api/storage.ts';
import { StorageError } from '../api/storage.ts';
import { GroupCommit } from './batch.ts';
import { Checkpoints } from './checkpoints.ts';
import { connect, connectReader, connectWriter, type FileOptions, type Logger } from './connections.ts';
import { storageError } from './errors.ts';
import { Health } from './health.ts';
import { DataFolderError, lockFolder, reason } from './lock.ts';
import { applyMigrations, prepareMigrations, touchMigrations } from './migrations.ts';
import { Mutex } from './mutex.ts';
import { patiently } from './patience.ts';
import type { AnyDefinition } from './queue.ts';

export interface SqliteOptions {
  /** Folder of posthouse.sqlite; made when it is not there. */
  readonly dataDir: string;
  /** FULL: what is committed survives a power failure too. NORMAL, the default: it survives the process. */
  readonly synchronous?: 'NORMAL' | 'FULL';
  readonly logger?: Logger;
}

/** ms that a writer waits for another program's lock (a backup's, an operator's) before it gives up. */
const PATIENCE = 2_000;
/** ms after which a transaction that is still open is spoken of in the log. */
const LONG = 10_000;

/**
 * SQLite in the data folder, in WAL mode. Writers take turns: knex transactions and group commits never meet in the file. Readers
 * have a connection of their own and wait for nobody.
 */
export class SqliteStorage implements Storage {
  readonly dialect = 'sqlite';
  private readonly lock: { release(): void };
  private readonly raw: Database.Database;
  private readonly writer: { knex: Knex; rollBack(): void };
  private readonly reader: Knex;
  private readonly mutex = new Mutex();
  private readonly group: GroupCommit;
  /** Of the file; closed behind all connections (checkpoints.ts). */
  private readonly descriptor: number;
  private readonly checkpoints: Checkpoints;
  private readonly statements = new Map<string, Database.Statement>();
  private readonly logger: Logger | undefined;
  private readonly condition: Health;
  private closing: Promise<void> | undefined;

  /** Rejects with a DataFolderError or StorageError whose message is for the operator. */
  static async open(options: SqliteOptions): Promise<SqliteStorage> {
    const lock = lockFolder(options.dataDir);
    const filename = path.join(options.dataDir, 'posthouse.sqlite');
    let storage: SqliteStorage | undefined;
    try {
      storage = new SqliteStorage(options, { filename, synchronous: options.synchronous ?? 'NORMAL' }, lock);
      await storage.transact(prepareMigrations);
      return storage;
    } catch (error) {
      if (storage) await storage.close();
      else lock.release();
      throw unusable(filename, error);
    }
  }

  private constructor(options: SqliteOptions, file: FileOptions, lock: { release(): void }) {
    this.lock = lock;
    this.logger = options.logger;
    this.condition = new Health(
      options.logger,
      () => this.transact(touchMigrations),
      () => freeBytes(options.dataDir),
    );
    this.raw = connect(file);
    this.writer = connectWriter(file);
    this.reader = connectReader(file);
    this.descriptor = openSync(file.filename, 'r+');
    this.checkpoints = new Checkpoints(file, this.descriptor, options.logger, work => this.mutex.run(work));
    this.group = new GroupCommit(
      work => this.commit(work),
      undefined,
      () => (this.closing ? closed() : undefined),
    );
  }

  async migrate(module: string, migrations: readonly Migration[]): Promise<void> {
    await applyMigrations(this, module, migrations);
  }

  async read<T>(query: (q: Reader) => PromiseLike<T>): Promise<T> {
    this.mustBeOpen();
    try {
      return await query(this.reader);
    } catch (error) {
      throw storageError(error);
    }
  }

  async transact<T>(work: (tx: Transactor) => PromiseLike<T>): Promise<T> {
    this.mustBeOpen();
    return this.write(async begun => {
      const watch = setTimeout(() => this.slow(), LONG).unref();
      let failed = false;
      let cause: unknown;
      try {
        return await this.writer.knex.transaction(async tx => {
          // knex goes on when BEGIN has failed
          if (tx.isCompleted()) throw new Error('the transaction was not begun');
          begun();
          try {
            return await work(tx);
          } catch (error) {
            failed = true;
            cause = error;
            throw error;
          }
        });
      } catch (error) {
        // on a full disk SQLite goes back by itself, and knex then tells of its vain ROLLBACK instead
        throw failed ? cause : error;
      } finally {
        clearTimeout(watch);
        this.writer.rollBack();
      }
    });
  }

  prepare<T>(sql: string): Statement<T> {
    return this.prepared(sql, compiled => this.query(compiled));
  }

  column<T>(sql: string): Statement<T> {
    return this.prepared(sql, compiled => this.readOnly(this.raw.prepare(compiled)).pluck());
  }

  private prepared<T>(sql: string, query: (sql: string) => Database.Statement): Statement<T> {
    let shielded: Shielded | undefined;
    let statement: Database.Statement | undefined;
    let plain: Database.Statement | undefined;
    const run = <R>(parameters: readonly unknown[], work: (statement: Database.Statement) => R): R => {
      this.mustBeOpen();
      try {
        shielded ??= shield(sql, parameters);
        if (!shielded.numbers.every(at => typeof parameters[at] === 'number')) return work((plain ??= query(sql)));
        return work((statement ??= query(shielded.sql)));
      } catch (error) {
        throw storageError(error);
      }
    };
    return {
      get: (...parameters) => run(parameters, compiled => compiled.get(...parameters) as T | undefined),
      all: (...parameters) => run(parameters, compiled => compiled.all(...parameters) as T[]),
    };
  }

  batch<Row, Result>(definition: AnyDefinition<Row, Result>): BatchWriter<Row, Result> {
    return this.group.writer(definition);
  }

  health(): { ok: boolean; reason?: string } {
    if (this.closing) return { ok: false, reason: closed().message };
    const { reason: why } = this.condition;
    return why === undefined ? { ok: true } : { ok: false, reason: why };
  }

  counts(): { batches: number; rows: number; failures: number } {
    return { batches: this.group.batches, rows: this.group.rows, failures: this.condition.failures };
  }

  /** Takes nothing more, writes what it was given before, and lets go of the data folder. */
  close(): Promise<void> {
    return (this.closing ??= this.finish());
  }

  private async finish(): Promise<void> {
    await this.group.settled();
    await this.mutex.run(() => {});
    this.condition.stop();
    await this.writer.knex.destroy();
    await this.reader.destroy();
    await this.checkpoints.close();
    this.raw.close();
    closeSync(this.descriptor);
    this.lock.release();
  }

  private statement(sql: string): Database.Statement {
    let statement = this.statements.get(sql);
    if (!statement) this.statements.set(sql, (statement = this.raw.prepare(sql)));
    return statement;
  }

  private query(sql: string): Database.Statement {
    return this.readOnly(this.statement(sql));
  }

  private readOnly(statement: Database.Statement): Database.Statement {
    if (!statement.readonly) throw new Error(`only transactions and batches may write: ${statement.source}`);
    return statement;
  }

  /** One transaction, from its first to its last statement without a wait. */
  private commit(work: (tx: BatchTransaction) => void): Promise<void> {
    let values = 0;
    const tx: BatchTransaction = {
      run: (sql, ...parameters) => {
        values += parameters.length;
        const { changes, lastInsertRowid } = this.statement(sql).run(...parameters);
        return { changes, id: Number(lastInsertRowid) };
      },
      get: <T>(sql: string, ...parameters: readonly unknown[]) =>
        this.statement(sql).get(...parameters) as T | undefined,
    };
    return this.write(begun => {
      this.statement('BEGIN IMMEDIATE').run();
      begun();
      try {
        work(tx);
        this.statement('COMMIT').run();
      } catch (error) {
        // after some errors SQLite has gone back by itself
        if (this.raw.open && this.raw.inTransaction) this.raw.exec('ROLLBACK');
        throw error;
      }
      this.checkpoints.committed(values);
    });
  }

  /** Whoever writes does it here: alone, and with an eye on how it goes. */
  private write<T>(attempt: (begun: () => void) => Promise<T> | T): Promise<T> {
    return this.mutex.run(async () => {
      try {
        // while it fails anyway, nobody is kept waiting for it
        const result = await patiently(this.condition.reason === undefined ? PATIENCE : 0, attempt);
        this.condition.works();
        return result;
      } catch (error) {
        throw this.condition.fails(error);
      }
    });
  }

  private slow(): void {
    this.logger?.error(
      { seconds: LONG / 1000 },
      'storage: a transaction is still open, and all who write wait behind it; perhaps it waits for a write of its own',
    );
  }

  private mustBeOpen(): void {
    if (this.closing) throw closed();
  }
}

interface Shielded {
  readonly sql: string;
  /** Which parameters have to be numbers. */
  readonly numbers: readonly number[];
}

/**
 * SQLite, as better-sqlite3 has it built (STAT4), plans a statement anew whenever a parameter gets a value that it has looked at while
 * planning: in joins, ranges, limits. That takes as long as reading a few dozen rows. The value of a sum it does not look at.
 */
function shield(sql: string, parameters: readonly unknown[]): Shielded {
  const parts = sql.split('?');
  // a question mark that is something else
  if (parts.length !== parameters.length + 1) return { sql, numbers: [] };
  const numbers = parameters.flatMap((value, at) => (typeof value === 'number' ? [at] : []));
  const places = parameters.map(value => (typeof value === 'number' ? '(0 + ?)' : '?'));
  return { sql: parts.map((part, at) => part + (places[at] ?? '')).join(''), numbers };
}

function closed(): StorageError {
  return new StorageError('closed', 'the database is closed');
}

/** What the disk of a folder still takes. */
function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Why the database could not be opened, for the operator. */
function unusable(file: string, cause: unknown): unknown {
  const error = storageError(cause);
  if (!(error instanceof StorageError)) return error;
  if (error.kind === 'corrupt') {
    const text = `the database ${file} is damaged. Restore a backup, or move the file away to begin with an empty one.`;
    return new StorageError('corrupt', text, error);
  }
  if (error.kind === 'locked') {
    return new StorageError('locked', `the database ${file} is locked by another program. Stop that one.`, error);
  }
  return new DataFolderError(`the database ${file} cannot be used: ${reason(error.cause)}.`, { cause: error });
}
