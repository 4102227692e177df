import { StorageError, type StorageErrorKind } from '../api/storage.ts';

/** By the driver's result code (https://sqlite.org/rescode.html), or the system's; the first that fits. */
const BY_CODE: readonly (readonly [RegExp, StorageErrorKind, string])[] = [
  [/^(?:SQLITE_FULL|ENOSPC|EDQUOT)$/, 'full', 'the disk is full'],
  [/^SQLITE_(?:BUSY|LOCKED)/, 'locked', 'the database is locked by another program'],
  [/^(?:SQLITE_READONLY|EROFS$)/, 'readonly', 'the database may not be written'],
  [/^SQLITE_(?:CORRUPT|NOTADB)/, 'corrupt', 'the database file is damaged'],
  [/^SQLITE_CONSTRAINT_(?:UNIQUE|PRIMARYKEY|ROWID)$/, 'constraint', 'a row like this is there already'],
  [/^SQLITE_(?:CONSTRAINT|TOOBIG)/, 'constraint', 'the database refuses a row like this'],
  [/^(?:SQLITE_(?:IOERR|CANTOPEN|NOMEM|PROTOCOL|NOLFS)|EIO$)/, 'io', 'the disk failed'],
];

/** What better-sqlite3 and knex say, without a code, of a database that was closed. */
const CLOSED = ['The database connection is not open', 'Unable to acquire a connection'];

/**
 * An error of a driver as a StorageError; anything else is a bug and stays what it is. It goes by codes: the words of an
 * error may be anybody's.
 */
export function storageError(error: unknown): unknown {
  if (error instanceof StorageError || !(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') {
    for (const [pattern, kind, message] of BY_CODE) {
      if (pattern.test(code)) return new StorageError(kind, message, error);
    }
  }
  // knex writes the statement before the driver's words
  if (CLOSED.some(words => error.message.endsWith(words))) {
    return new StorageError('closed', 'the database is closed', error);
  }
  return error;
}

/** Whether it says something about the database as a whole, not about one row or a mistake of the caller. */
export function isOutage(error: unknown): error is StorageError {
  return error instanceof StorageError && error.kind !== 'constraint';
}
