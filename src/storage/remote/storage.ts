import { setTimeout as delay } from 'node:timers/promises';
import knex, { type Knex } from 'knex';
import {
  type BatchWriter,
  type Migration,
  type Reader,
  type Statement,
  type Storage,
  StorageError,
  type Transactor,
} from '../../api/storage.ts';
import type { Logger } from '../connections.ts';
import { Health } from '../health.ts';
import { applyMigrations, prepareMigrations, touchMigrations } from '../migrations.ts';
import { Mutex } from '../mutex.ts';
import type { Place } from '../place.ts';
import type { AnyDefinition } from '../queue.ts';
import type { Connection, Dialect } from './dialect.ts';
import { isAgain, isAway, remoteError } from './errors.ts';
import { RemoteGroup, type Session } from './group.ts';

export interface RemoteOptions {
  readonly dialect: Dialect;
  readonly place: Place;
  /** Connections for reading, at most; there is one more, for writing. */
  readonly connections: number;
  readonly logger?: Logger | undefined;
  /** ms that a statement may be without an answer. */
  readonly patience?: number;
  /** Lets go of the data folder. */
  release(): void;
}

/** ms that a connection may take to be made, and that a statement may be without an answer. */
const CONNECT = 5_000;
const STATEMENT = 30_000;
/** ms that somebody who reads waits for a connection that is free. */
const ACQUIRE = 10_000;
/** ms that what failed is tried again, because of a deadlock or since the database went away, before it is given up. */
const PATIENCE = 2_000;
/** Who may wait for their turn, to write or to read. */
const WAITING = 10_000;
/** ms between two looks at a database that nobody asks anything. */
const HEARTBEAT = 5_000;

/** A transaction on its way. Once it is being committed, nobody knows what became of it when the connection is lost. */
interface Attempt {
  committing: boolean;
}

/**
 * MySQL or PostgreSQL. Writers take turns on one connection, which also holds the lock that keeps other nodes out; readers have several,
 * on which nothing can be changed. While the database is away everybody is told at once, and one attempt after the other is made to
 * reach it.
 */
export class RemoteStorage implements Storage {
  readonly dialect: 'mysql' | 'postgres';
  private readonly options: RemoteOptions;
  private readonly d: Dialect;
  private readonly patience: number;
  private readonly writer: Knex;
  private readonly reader: Knex;
  private readonly mutex = new Mutex();
  private readonly group: RemoteGroup;
  private readonly condition: Health;
  private readonly heartbeat: NodeJS.Timeout;
  /** Why the database cannot be reached. */
  private away: StorageError | undefined;
  private waiting = 0;
  private closing: Promise<void> | undefined;

  /** Rejects with a StorageError whose message is for the operator. */
  static async open(options: RemoteOptions): Promise<RemoteStorage> {
    const storage = new RemoteStorage(options);
    try {
      await storage.transact(tx => prepareMigrations(tx, sql => options.dialect.schema(sql)));
      return storage;
    } catch (error) {
      await storage.close();
      throw error;
    }
  }

  private constructor(options: RemoteOptions) {
    const { dialect, connections, logger } = options;
    this.options = options;
    this.d = dialect;
    this.dialect = dialect.name;
    this.patience = options.patience ?? STATEMENT;
    this.writer = this.connect('writer', 1);
    this.reader = this.connect('reader', connections);
    this.group = new RemoteGroup(
      (work, alone) => this.commit(work, alone),
      // nobody gathers for a database that is not there
      () => (this.closing ? closed() : this.away),
    );
    const probe = (): Promise<unknown> => this.write(attempt => this.transaction(touchMigrations, attempt), true);
    this.condition = new Health(logger, probe, undefined, { first: 250, longest: 5_000 });
    this.heartbeat = setInterval(() => void this.look(), HEARTBEAT).unref();
  }

  private connect(role: 'reader' | 'writer', max: number): Knex {
    const { dialect, place } = this.options;
    const prepare = async (connection: Connection): Promise<void> => {
      dialect.patience(connection, this.patience);
      await dialect.begin(connection, role, place);
    };
    return knex({
      ...dialect.config(place, CONNECT),
      compileSqlOnError: false,
      log: SILENT,
      pool: {
        min: 0,
        max,
        acquireTimeoutMillis: ACQUIRE,
        createTimeoutMillis: CONNECT + 5_000,
        idleTimeoutMillis: role === 'writer' ? 86_400_000 : 60_000,
        reapIntervalMillis: 30_000,
        afterCreate: (connection: Connection, done: (error: Error | null, connection: Connection) => void) => {
          prepare(connection).then(
            () => done(null, connection),
            (error: unknown) => {
              // mysql2's, pg's: knex knows nothing of this one yet
              const refused = connection as { destroy?(): void; end(): void };
              if (refused.destroy) refused.destroy();
              else refused.end();
              done(error as Error, connection);
            },
          );
        },
      },
    });
  }

  async migrate(module: string, migrations: readonly Migration[]): Promise<void> {
    const steps = {
      dialect: this.dialect,
      read: <T>(query: (q: Reader) => PromiseLike<T>) => this.read(query),
      // what a step takes depends on how much there is
      transact: <T>(work: (tx: Transactor) => PromiseLike<T>) => this.transactFor(work, 0),
      schema: (sql: string) => this.d.schema(sql),
    };
    await applyMigrations(steps, module, migrations);
  }

  read<T>(query: (q: Reader) => PromiseLike<T>): Promise<T> {
    return this.reading(async () => query(this.reader));
  }

  transact<T>(work: (tx: Transactor) => PromiseLike<T>): Promise<T> {
    return this.transactFor(work, this.patience);
  }

  private async transactFor<T>(work: (tx: Transactor) => PromiseLike<T>, patience: number): Promise<T> {
    this.mustBeOpen();
    return this.write(attempt =>
      this.transaction(async tx => {
        const connection = (await tx.client.acquireConnection()) as Connection;
        if (patience !== this.patience) this.d.patience(connection, patience);
        try {
          return await work(tx);
        } finally {
          if (patience !== this.patience) this.d.patience(connection, this.patience);
        }
      }, attempt),
    );
  }

  private async transaction<T>(work: (tx: Transactor) => PromiseLike<T>, attempt: Attempt): Promise<T> {
    let failure: { cause: unknown } | undefined;
    try {
      return await this.writer.transaction(async tx => {
        if (tx.isCompleted()) throw new StorageError('io', 'the transaction was not begun');
        try {
          const result = await work(tx);
          attempt.committing = true;
          return result;
        } catch (cause) {
          failure = { cause };
          throw cause;
        }
      });
    } catch (error) {
      // where the connection is lost, knex tells of its vain ROLLBACK instead
      throw failure ? failure.cause : error;
    }
  }

  prepare<T>(sql: string): Statement<T> {
    const rows = (parameters: readonly unknown[]): Promise<T[]> =>
      this.reading(async () => {
        const connection = (await this.reader.client.acquireConnection()) as Connection;
        try {
          return (await this.d.query(connection, sql, parameters, true)).rows as T[];
        } finally {
          await this.reader.client.releaseConnection(connection);
        }
      });
    return {
      get: async (...parameters) => (await rows(parameters))[0],
      all: (...parameters) => rows(parameters),
    };
  }

  column<T>(sql: string): Statement<T> {
    const rows = this.prepare<object>(sql);
    const value = (row: object): T => Object.values(row)[0] as T;
    return {
      get: async (...parameters) => {
        const row = await rows.get(...parameters);
        return row && value(row);
      },
      all: async (...parameters) => (await rows.all(...parameters)).map(value),
    };
  }

  batch<Row, Result>(definition: AnyDefinition<Row, Result>): BatchWriter<Row, Result> {
    return this.group.writer(definition);
  }

  health(): { ok: boolean; reason?: string } {
    if (this.closing) return { ok: false, reason: closed().message };
    const { reason } = this.condition;
    return reason === undefined ? { ok: true } : { ok: false, reason };
  }

  counts(): { batches: number; rows: number; failures: number } {
    return { batches: this.group.batches, rows: this.group.rows, failures: this.condition.failures };
  }

  /** Takes nothing more, and writes what it was given before. */
  close(): Promise<void> {
    return (this.closing ??= this.finish());
  }

  private async finish(): Promise<void> {
    clearInterval(this.heartbeat);
    await this.group.settled();
    await this.mutex.run(() => {});
    this.condition.stop();
    await Promise.all([this.writer.destroy(), this.reader.destroy()]);
    this.options.release();
  }

  /** One transaction of the group commit. */
  private commit(work: (session: Session) => Promise<void>, alone: () => boolean): Promise<void> {
    return this.write(async attempt => {
      const connection = (await this.writer.client.acquireConnection()) as Connection;
      const session = this.session(connection);
      try {
        if (alone()) {
          attempt.committing = true;
          await work(session);
          return;
        }
        await session.command('BEGIN');
        try {
          await work(session);
          attempt.committing = true;
          await session.command('COMMIT');
        } catch (error) {
          await session.command('ROLLBACK').catch(() => {
            // the connection is gone, and the transaction with it
          });
          throw error;
        }
      } finally {
        await this.writer.client.releaseConnection(connection);
      }
    });
  }

  private session(connection: Connection): Session {
    const { d } = this;
    const translated = async <T>(answer: Promise<T>): Promise<T> => {
      try {
        return await answer;
      } catch (error) {
        throw remoteError(error);
      }
    };
    return {
      run: (sql, ...parameters) => translated(d.query(connection, sql, parameters, true)),
      get: async <T>(sql: string, ...parameters: readonly unknown[]) =>
        (await translated(d.query(connection, sql, parameters, true))).rows[0] as T | undefined,
      insert: rows => translated(d.insert(connection, rows)),
      rowsOf: columns => d.rowsOf(columns),
      command: sql => translated(d.query(connection, sql, [], false)),
    };
  }

  /** Whoever writes does it here: alone, again where that helps, and with an eye on how it goes. */
  private async write<T>(attempt: (attempt: Attempt) => Promise<T>, probing = false): Promise<T> {
    if (this.waiting >= WAITING) throw tooMany();
    this.waiting++;
    try {
      return await this.mutex.run(async () => {
        if (this.away && !probing) throw this.away;
        const until = performance.now() + (probing ? 0 : PATIENCE);
        for (let wait = 10; ; wait = Math.min(wait * 2, 250)) {
          const state: Attempt = { committing: false };
          try {
            const result = await attempt(state);
            this.works();
            return result;
          } catch (cause) {
            const error = remoteError(cause);
            const again = isAgain(error) || (isAway(error) && !state.committing);
            if (!again || performance.now() + wait > until) throw this.fails(error);
          }
          await delay(wait);
        }
      });
    } finally {
      this.waiting--;
    }
  }

  /** Readers wait for nobody who writes; what they ask can be asked again. */
  private async reading<T>(ask: () => Promise<T>): Promise<T> {
    this.mustBeOpen();
    if (this.away) throw this.away;
    const { pool } = this.reader.client as { pool?: { numPendingAcquires(): number } };
    if (pool && pool.numPendingAcquires() >= WAITING) throw tooMany();
    const until = performance.now() + PATIENCE;
    for (let wait = 10; ; wait = Math.min(wait * 2, 250)) {
      try {
        return await ask();
      } catch (cause) {
        const error = remoteError(cause);
        if (!isAway(error) || this.closing) throw error;
        if (performance.now() + wait > until) throw this.fails(error);
        if (this.away) throw this.away;
      }
      await delay(wait);
    }
  }

  private works(): void {
    this.away = undefined;
    this.condition.works();
  }

  private fails(error: unknown): unknown {
    if (isAway(error)) this.away = error;
    return this.condition.fails(error);
  }

  /** Notices that the database went away while nobody wrote. */
  private async look(): Promise<void> {
    if (this.away || this.waiting > 0 || this.closing) return;
    await this.write(() => Promise.resolve(this.writer.raw('SELECT 1'))).catch(() => {
      // `write` has taken note
    });
  }

  private mustBeOpen(): void {
    if (this.closing) throw closed();
  }
}

const nothing = (): void => {};
/** What knex has to say stands in its errors too. */
const SILENT = { warn: nothing, error: nothing, debug: nothing, deprecate: nothing };

function closed(): StorageError {
  return new StorageError('closed', 'the database is closed');
}

function tooMany(): StorageError {
  return new StorageError('locked', 'too much waits for the database already');
}
