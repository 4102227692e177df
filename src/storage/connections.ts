import Database from 'better-sqlite3';
import knex, { type Knex } from 'knex';

export interface Logger {
  error(details: object, text: string): void;
  info(text: string): void;
}

export interface FileOptions {
  readonly filename: string;
  readonly synchronous: 'NORMAL' | 'FULL';
}

/** ms that a reader waits for another program's lock, and the event loop with it; readers hardly meet one in WAL mode. */
const READER_WAITS = 50;

function pragmas(db: Database.Database, synchronous: 'NORMAL' | 'FULL', busy: number): void {
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${synchronous}`);
  db.pragma(`busy_timeout = ${busy}`);
  db.pragma('foreign_keys = ON');
  db.pragma('cache_size = -16000'); // KiB
  // pages; as a rule a thread has copied them before (checkpoints.ts)
  db.pragma('wal_autocheckpoint = 128000');
  db.pragma('journal_size_limit = 268435456'); // bytes that a log keeps of what a burst made it
}

/** The connection of prepared statements and group commits. It never waits for a lock: who writes tries again later. */
export function connect({ filename, synchronous }: FileOptions): Database.Database {
  const db = new Database(filename);
  try {
    pragmas(db, synchronous, 0);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** The one connection of a knex. `connected` gets it when it is made, which is at the first query. */
function connectKnex(filename: string, connected: (db: Database.Database) => void): Knex {
  return knex({
    client: 'better-sqlite3',
    connection: { filename },
    useNullAsDefault: true,
    // an error's text goes to the log, and the values are people's messages
    compileSqlOnError: false,
    pool: {
      min: 1,
      max: 1,
      // the connection stays: the pool need not look every second whether it may close it
      reapIntervalMillis: 86_400_000,
      afterCreate: (db: Database.Database, done: (error: Error | null, db: Database.Database) => void) => {
        try {
          connected(db);
          done(null, db);
        } catch (error) {
          done(error as Error, db);
        }
      },
    },
  });
}

/** For queries that change nothing; SQLite refuses the others. */
export function connectReader({ filename, synchronous }: FileOptions): Knex {
  return connectKnex(filename, db => {
    pragmas(db, synchronous, READER_WAITS);
    db.pragma('query_only = ON');
  });
}

/** For transactions. */
export function connectWriter({ filename, synchronous }: FileOptions): { knex: Knex; rollBack(): void } {
  let connection: Database.Database | undefined;
  return {
    knex: connectKnex(filename, db => {
      pragmas(db, synchronous, 0);
      // knex says BEGIN, with which the lock is taken at the first change only: too late to wait for it
      const prepare = db.prepare.bind(db);
      db.prepare = ((sql: string) => prepare(sql === 'BEGIN;' ? 'BEGIN IMMEDIATE;' : sql)) as typeof db.prepare;
      connection = db;
    }),
    /** Ends a transaction that knex left open: it does when a COMMIT is refused. */
    rollBack: () => {
      if (connection?.open && connection.inTransaction) connection.exec('ROLLBACK');
    },
  };
}
