import type { Socket } from 'node:net';
import { type Answer, type Dialect, plain, SILENCE, sqlOfRows } from './dialect.ts';
import { inUse, timedOut } from './mysql.ts';

interface Query {
  text: string;
  values: readonly unknown[];
  /** Of a statement that is kept compiled. */
  name?: string;
}

/** What is used of pg's client. */
interface Raw {
  query<T extends object>(
    sql: string | Query,
    values?: readonly unknown[],
  ): Promise<{ rows: T[]; rowCount: number | null }>;
  setTypeParser(type: number, parse: (value: string) => unknown): void;
  readonly connection: { readonly stream: Socket };
  readonly _activeQuery: object | null;
}

/** What the lock of the one node that uses a database is called; any number that others hardly take. */
const LOCK = 7_239_401_582;
const INT8 = 20;
const NUMERIC = 1700;

/** PostgreSQL from 12 on. */
export const postgres: Dialect = {
  name: 'postgres',

  config({ host, port, socket, user, password, database, tls }, connectTimeout) {
    return {
      client: 'pg',
      connection: {
        ...(socket === undefined ? { host, port } : { host: socket, port }),
        user,
        password,
        database,
        application_name: 'posthouse',
        keepAlive: true,
        connectionTimeoutMillis: connectTimeout,
        ...(tls !== 'off' && { ssl: { rejectUnauthorized: tls === 'verify' } }),
      } as object,
    };
  },

  async begin(connection, role) {
    const raw = connection as Raw;
    // numbers are numbers: none here is beyond 2^53
    for (const type of [INT8, NUMERIC]) raw.setTypeParser(type, Number);
    await raw.query(
      `SET client_encoding = 'UTF8'; SET timezone = 'UTC'; SET standard_conforming_strings = on;
       SET default_transaction_isolation = 'read committed'; SET idle_in_transaction_session_timeout = 60000;
       SET default_transaction_read_only = ${role === 'reader' ? 'on' : 'off'}; SET lock_timeout = 3000;
       SET client_min_messages = warning`,
    );
    if (role === 'writer') {
      // PostgreSQL 14 and later; earlier ones have to ask the system whether somebody is there
      await raw.query(
        `SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4;
         SELECT set_config(name, '${SILENCE}s', false) FROM pg_settings WHERE name = 'idle_session_timeout'`,
      );
      try {
        await raw.query(`SELECT pg_advisory_lock(${LOCK})`);
      } catch (error) {
        if ((error as { code?: string }).code === '55P03') throw inUse();
        throw error;
      }
    }
    await raw.query('SET lock_timeout = 5000');
  },

  async query(connection, sql, parameters, kept): Promise<Answer> {
    const raw = connection as Raw;
    const { text, name, table } = translated(sql);
    const counted = table !== undefined && (await countsIds(raw, table));
    const config: Query = { text: counted ? `${text} RETURNING id` : text, values: plain(parameters) };
    if (kept && name !== undefined) config.name = name;
    const { rows, rowCount } = await raw.query<{ id?: number }>(config);
    return { rows, changes: rowCount ?? 0, id: counted ? Number(rows[0]?.id ?? 0) : 0 };
  },

  async insert(connection, rows) {
    const text = positional(sqlOfRows(rows, rows.values.length));
    const values = plain(rows.values.flat());
    const result = await (connection as Raw).query<{ id: number }>(
      rows.counted ? `${text} RETURNING id` : text,
      values,
    );
    return rows.counted ? result.rows.map(row => Number(row.id)) : [];
  },

  // a message of the protocol counts parameters by 16 bits
  rowsOf: columns => Math.max(1, Math.min(1000, Math.floor(65_000 / columns))),

  patience(connection, ms) {
    const raw = connection as Raw;
    const { stream } = raw.connection;
    stream.removeAllListeners('timeout');
    stream.setTimeout(ms);
    if (ms > 0) stream.on('timeout', () => raw._activeQuery && stream.destroy(timedOut()));
  },

  // a locale of the database would order addresses, and slowly
  schema: sql =>
    /^(?:create|alter) table /i.test(sql) ? sql.replace(/ (varchar\(\d+\)|text)(?=[ ,)]|$)/g, ' $1 collate "C"') : sql,
};

interface Translated {
  readonly text: string;
  /** What the compiled statement is called on each connection. */
  readonly name: string | undefined;
  /** Of an INSERT. */
  readonly table: string | undefined;
}

/** Statements that are kept compiled on each connection. */
const KEPT = 1000;
const known = new Map<string, Translated>();

function translated(sql: string): Translated {
  let found = known.get(sql);
  if (!found) {
    const table = /^\s*insert\s+into\s+"?(\w+)"?(?![\s\S]*\breturning\b)/i.exec(sql)?.[1];
    found = { text: positional(sql), name: known.size < KEPT ? `posthouse_${known.size}` : undefined, table };
    if (found.name !== undefined) known.set(sql, found);
  }
  return found;
}

/** `$1` for each `?` that is not part of a text. */
function positional(sql: string): string {
  let count = 0;
  return sql.replace(/'(?:[^']|'')*'|\?/g, part => (part === '?' ? `$${++count}` : part));
}

const counting = new WeakMap<Raw, Map<string, boolean>>();

/** Whether a table has a column `id`. */
async function countsIds(raw: Raw, table: string): Promise<boolean> {
  let tables = counting.get(raw);
  if (!tables) counting.set(raw, (tables = new Map()));
  let counts = tables.get(table);
  if (counts === undefined) {
    const { rows } = await raw.query(
      "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = 'id' AND NOT attisdropped",
      [table],
    );
    tables.set(table, (counts = rows.length > 0));
  }
  return counts;
}
