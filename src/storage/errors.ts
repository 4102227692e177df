import { StorageError, type StorageErrorKind } from '../api/storage.ts';

const KINDS: readonly (readonly [RegExp, StorageErrorKind, string])[] = [
  [/SQLITE_FULL|ENOSPC|database or disk is full/, 'full', 'the disk is full'],
  [/SQLITE_BUSY|SQLITE_LOCKED|database is locked/, 'locked', 'the database is locked by another program'],
  [/SQLITE_READONLY|EROFS|readonly database/, 'readonly', 'the database may not be written'],
  [/SQLITE_CORRUPT|SQLITE_NOTADB|malformed/, 'corrupt', 'the database file is damaged'],
  [/SQLITE_CONSTRAINT/, 'constraint', 'a row like this is there already'],
  [/not open|SQLITE_MISUSE|Unable to acquire a connection|destroyed/, 'closed', 'the database is closed'],
  [/SQLITE_(?:IOERR|CANTOPEN|NOMEM|PROTOCOL|TOOBIG|INTERRUPT)|EIO/, 'io', 'the disk failed'],
];

/** An error of a driver as a StorageError; anything else is a bug and stays what it is. */
export function storageError(error: unknown): unknown {
  if (error instanceof StorageError || !(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  const text = `${typeof code === 'string' ? code : ''} ${error.message}`;
  for (const [pattern, kind, message] of KINDS) if (pattern.test(text)) return new StorageError(kind, message, error);
  return error;
}
