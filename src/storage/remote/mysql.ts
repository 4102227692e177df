import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { StorageError } from '../../api/storage.ts';
import { type Answer, type Dialect, plain, type Rows, SILENCE, sqlOfRows } from './dialect.ts';

/** What is used of mysql2's connection. */
interface Raw {
  query(sql: string, values: readonly unknown[], done: (error: Error | null, result: unknown) => void): void;
  readonly stream: Socket;
  readonly _command: object | null | undefined;
  /** auto_increment_increment. */
  step?: number;
}

/** What it says of a statement that returns no rows. */
interface ResultSetHeader {
  readonly affectedRows: number;
  readonly insertId: number;
}

/** Seconds that a node waits for another one's lock on the database: one that was killed may still be thought alive. */
const OWNER = 3;
/** Seconds that a statement waits for a row that somebody else has locked. */
const ROW_LOCK = 5;
/** What 5.7 is by default, but that raw statements mean the same on all databases. */
const MODE = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO,ANSI_QUOTES,PIPES_AS_CONCAT';

/** MySQL from 5.7 on, and MariaDB. */
export const mysql: Dialect = {
  name: 'mysql',

  config({ host, port, socket, user, password, database, tls }, connectTimeout) {
    return {
      client: 'mysql2',
      connection: {
        ...(socket === undefined ? { host, port } : { socketPath: socket }),
        user,
        password,
        database,
        charset: 'utf8mb4',
        supportBigNumbers: true,
        decimalNumbers: true,
        enableKeepAlive: true,
        connectTimeout,
        ...(tls !== 'off' && { ssl: { rejectUnauthorized: tls === 'verify' } }),
      },
    };
  },

  async begin(connection, role, { database }) {
    const raw = connection as Raw;
    await run(raw, 'SET NAMES utf8mb4 COLLATE utf8mb4_bin');
    await run(raw, `SET SESSION sql_mode = '${MODE}', time_zone = '+00:00', innodb_lock_wait_timeout = ${ROW_LOCK}`);
    await run(
      raw,
      `SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED${role === 'reader' ? ', READ ONLY' : ', READ WRITE'}`,
    );
    if (role === 'reader') return;
    await run(raw, `SET SESSION wait_timeout = ${SILENCE}`);
    const name = `posthouse.${createHash('sha1').update(database).digest('hex')}`;
    const [rows] = await run(raw, `SELECT GET_LOCK('${name}', ${OWNER}) AS got, @@auto_increment_increment AS step`);
    const [row] = rows as { got: number | null; step: number }[];
    if (row?.got !== 1) throw inUse();
    raw.step = Number(row.step);
  },

  async query(connection, sql, parameters): Promise<Answer> {
    const [result] = await run(connection as Raw, sql, plain(parameters));
    if (Array.isArray(result)) return { rows: result as object[], changes: 0, id: 0 };
    const { affectedRows, insertId } = result as ResultSetHeader;
    return { rows: [], changes: affectedRows, id: Number(insertId) };
  },

  async insert(connection, rows: Rows) {
    const raw = connection as Raw;
    const [result] = await run(raw, sqlOfRows(rows, rows.values.length), plain(rows.values.flat()));
    // rows of one statement get ids that follow each other, in their order, in every innodb_autoinc_lock_mode
    const first = Number((result as ResultSetHeader).insertId);
    return rows.counted ? rows.values.map((_, index) => first + index * (raw.step ?? 1)) : [];
  },

  rowsOf: () => 1000,

  patience(connection, ms) {
    const raw = connection as Raw;
    raw.stream.removeAllListeners('timeout');
    raw.stream.setTimeout(ms);
    if (ms > 0) raw.stream.on('timeout', () => raw._command && raw.stream.destroy(timedOut()));
  },

  schema: sql => (/^create table /i.test(sql) ? sql.replace(/ default character set utf8mb4$/, '') + TABLE : sql),
};

const TABLE = ' engine = InnoDB row_format = DYNAMIC default character set utf8mb4 collate utf8mb4_bin';

function run(connection: Raw, sql: string, values: readonly unknown[] = []): Promise<[unknown]> {
  return new Promise((resolve, reject) => {
    connection.query(sql, values, (error, result) => {
      if (error) reject(error);
      else resolve([result]);
    });
  });
}

export function inUse(): StorageError {
  return new StorageError('locked', 'another node uses this database; only one may');
}

export function timedOut(): Error {
  return Object.assign(new Error('the database does not answer'), { code: 'ETIMEDOUT' });
}
