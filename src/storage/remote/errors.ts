import { StorageError, type StorageErrorKind } from '../../api/storage.ts';

type Row = readonly [codes: RegExp, kind: StorageErrorKind, message: string];

/**
 * By the driver's code: names of MySQL (https://dev.mysql.com/doc/mysql-errors/5.7/en/server-error-reference.html), SQLSTATEs of
 * PostgreSQL (its appendix A), the system's own; the first that fits.
 */
const BY_CODE: readonly Row[] = [
  [/^(?:ER_DUP_ENTRY|23505)$/, 'constraint', 'a row like this is there already'],
  [
    /^(?:ER_DATA_TOO_LONG|ER_BAD_NULL_ERROR|ER_(?:NO_REFERENCED_ROW|ROW_IS_REFERENCED)(?:_2)?|ER_WARN_DATA_OUT_OF_RANGE|ER_TRUNCATED_WRONG_VALUE(?:_FOR_FIELD)?|ER_NET_PACKET_TOO_LARGE|ER_CONSTRAINT_FAILED|23...|22...|54000)$/,
    'constraint',
    'the database refuses a row like this',
  ],
  [/^(?:ER_DISK_FULL|ER_RECORD_FILE_FULL|53100|ENOSPC)$/, 'full', 'the disk of the database is full'],
  [
    /^(?:ER_LOCK_DEADLOCK|ER_LOCK_WAIT_TIMEOUT|40001|40P01|55P03)$/,
    'locked',
    'others kept the database locked for too long',
  ],
  [
    /^(?:ER_OPTION_PREVENTS_STATEMENT|ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION|ER_OPEN_AS_READONLY|ER_READ_ONLY_MODE|ER_(?:TABLE|COLUMN|DB|SPECIFIC_)ACCESS_DENIED_ERROR|25006|42501)$/,
    'readonly',
    'the database may not be written',
  ],
  [/^(?:ER_CRASHED_ON_\w+|ER_NOT_KEYFILE|ER_TABLE_CORRUPT|XX001|XX002)$/, 'corrupt', 'a table is damaged'],
  [/^(?:ER_ACCESS_DENIED_ERROR|ER_DBACCESS_DENIED_ERROR|28...)$/, 'io', 'the database lets this user not in'],
  [/^(?:ER_BAD_DB_ERROR|3D000)$/, 'io', 'there is no database of that name'],
  [/^(?:ER_CON_COUNT_ERROR|ER_TOO_MANY_USER_CONNECTIONS|53300)$/, 'io', 'the database takes no more connections'],
  [
    /^(?:PROTOCOL_SEQUENCE_TIMEOUT|ER_QUERY_INTERRUPTED|ER_QUERY_TIMEOUT|ER_STATEMENT_TIMEOUT|57014)$/,
    'io',
    'the database took too long',
  ],
  [
    /^(?:PROTOCOL_CONNECTION_LOST|PROTOCOL_\w+|ER_SERVER_SHUTDOWN|ER_NORMAL_SHUTDOWN|ER_CONNECTION_KILLED|08...|57P0.|25P0[34]|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|ENOENT|EACCES|HANDSHAKE_\w+)$/,
    'io',
    'the database cannot be reached',
  ],
];

/** What pg, mysql2 and knex say, without a code, of a connection that is no more or does not come. */
const AWAY = [
  /Connection terminated/,
  /connection timeout/i,
  /timeout expired/,
  /Query read timeout/,
  /not queryable/,
  /Can't add new command when connection is in closed state/,
  /connection is closed|closed state|connection ended/i,
  /server closed the connection/i,
];
const BUSY = /Timeout acquiring a connection/;
const CLOSED = /Unable to acquire a connection|aborted/;

/** A driver's error without what it repeats of the values: they are people's messages, and errors go to the log. */
class DriverError extends Error {
  readonly code: string | undefined;

  constructor(code: string | undefined, statement: string | undefined) {
    super(`${code ?? 'an error of the driver'}${statement === undefined ? '' : ` in: ${statement}`}`);
    this.name = 'DriverError';
    this.code = code;
  }
}

/** An error of a driver as a StorageError, a mistake in a statement as an error without values; anything else stays what it is. */
export function remoteError(error: unknown): unknown {
  if (error instanceof StorageError || !(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') {
    for (const [pattern, kind, message] of BY_CODE) {
      if (pattern.test(code)) return new StorageError(kind, message, new DriverError(code, statementOf(error)));
    }
    if (isDriver(error)) return new DriverError(code, statementOf(error));
    return error;
  }
  // knex writes the statement before the driver's words
  const said = error.message.slice(error.message.lastIndexOf(' - ') + 1);
  if (AWAY.some(words => words.test(said))) {
    return new StorageError('io', 'the database cannot be reached', new DriverError(undefined, undefined));
  }
  if (BUSY.test(said)) return new StorageError('locked', 'all connections to the database are busy');
  if (CLOSED.test(said))
    return new StorageError('closed', 'the database is closed', new DriverError(undefined, undefined));
  return error;
}

/** Whether what was tried may be tried again: nothing of it is there. */
export function isAgain(error: unknown): boolean {
  return /^(?:ER_LOCK_DEADLOCK|ER_LOCK_WAIT_TIMEOUT|40001|40P01|55P03)$/.test(codeOf(error));
}

/** Whether the database went away, or does not come: what was tried may be there or not. */
export function isAway(error: unknown): error is StorageError {
  return error instanceof StorageError && error.kind === 'io';
}

function codeOf(error: unknown): string {
  const { code } = ((error as Error | undefined)?.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** mysql2's have a number of the server, pg's a severity. */
function isDriver(error: Error): boolean {
  return 'sqlState' in error || 'severity' in error || 'errno' in error;
}

/** The statement as knex writes it before the driver's words: with placeholders. */
function statementOf({ message }: Error): string | undefined {
  const end = message.lastIndexOf(' - ');
  const statement = end < 0 ? undefined : message.slice(0, end);
  return statement !== undefined && /^[a-z]/i.test(statement) ? statement : undefined;
}
