import assert from 'node:assert/strict';
import { StorageError } from '../api/storage.ts';
import { isOutage, storageError } from './errors.ts';

const coded = (code: string, message = 'x') => Object.assign(new Error(message), { code });

describe('storage errors', () => {
  const kinds: Record<string, string> = {
    SQLITE_FULL: 'full',
    ENOSPC: 'full',
    SQLITE_BUSY: 'locked',
    SQLITE_BUSY_SNAPSHOT: 'locked',
    SQLITE_LOCKED: 'locked',
    SQLITE_READONLY: 'readonly',
    SQLITE_READONLY_DBMOVED: 'readonly',
    SQLITE_CORRUPT: 'corrupt',
    SQLITE_NOTADB: 'corrupt',
    SQLITE_CONSTRAINT_UNIQUE: 'constraint',
    SQLITE_CONSTRAINT_NOTNULL: 'constraint',
    SQLITE_TOOBIG: 'constraint',
    SQLITE_IOERR_WRITE: 'io',
    SQLITE_CANTOPEN: 'io',
  };
  for (const [code, kind] of Object.entries(kinds)) {
    it(`${code} is '${kind}', and keeps its cause`, () => {
      const cause = coded(code);
      const error = storageError(cause);
      assert.ok(error instanceof StorageError);
      assert.equal(error.kind, kind);
      assert.equal(error.cause, cause);
      assert.equal(isOutage(error), kind !== 'constraint');
    });
  }

  it('a closed database is known by what better-sqlite3 and knex say, which have no code for it', () => {
    for (const words of ['The database connection is not open', 'select 1 - Unable to acquire a connection']) {
      const error = storageError(new TypeError(words));
      assert.ok(error instanceof StorageError);
      assert.equal(error.kind, 'closed');
    }
  });

  it('a bug stays what it is, whatever its words are', () => {
    for (const bug of [
      new Error('malformed stanza'),
      new Error('the parser said SQLITE_FULL'),
      coded('SQLITE_ERROR', 'no such table: readonly database'),
      'database is locked',
      undefined,
    ]) {
      assert.equal(storageError(bug), bug);
      assert.ok(!isOutage(bug));
    }
  });
});
