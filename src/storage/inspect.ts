import type { Knex } from 'knex';
import { StorageError } from '../api/storage.ts';
import { type Place, placeOf, shownPlace } from './place.ts';
import { remoteError } from './remote/errors.ts';
import { rowsOf } from './tables.ts';

export interface DatabaseFinding {
  readonly level: 'ok' | 'hint' | 'problem';
  readonly text: string;
}

/** ms that it may take to connect. */
const PATIENCE = 5_000;
/** Oldest versions: MySQL, MariaDB, PostgreSQL. */
const OLDEST = { mysql: 5.7, mariadb: 10.2, postgres: 12 } as const;
const PACKET = 4 * 1024 * 1024;

/** Looks at a database as a node would use it, and leaves nothing there; it may be in use. */
export async function inspectDatabase(url: string): Promise<DatabaseFinding[]> {
  const place = placeOf(url);
  if (typeof place === 'string') return [{ level: 'problem', text: place }];
  const findings: DatabaseFinding[] = [];
  const name = shownPlace(place);
  const q = await connect(place);
  try {
    await q.raw('SELECT 1');
    findings.push({ level: 'ok', text: `${name} can be reached` });
    await (place.dialect === 'mysql' ? inspectMysql(q, findings) : inspectPostgres(q, findings));
    await inspectRights(q, findings);
  } catch (cause) {
    const error = remoteError(cause);
    const text = error instanceof StorageError ? error.message : String((cause as Error).message);
    const code = String((cause as { code?: unknown }).code ?? '');
    findings.push({ level: 'problem', text: `${name}: ${text}${code && ` (${code})`}` });
  } finally {
    await q.destroy();
  }
  return findings;
}

async function connect(place: Place): Promise<Knex> {
  const [{ default: knex }, dialect] = await Promise.all([
    import('knex'),
    place.dialect === 'mysql'
      ? import('./remote/mysql.ts').then(({ mysql }) => mysql)
      : import('./remote/postgres.ts').then(({ postgres }) => postgres),
  ]);
  const silent = (): void => {};
  return knex({
    ...dialect.config(place, PATIENCE),
    pool: { min: 0, max: 1, acquireTimeoutMillis: PATIENCE * 2 },
    log: { warn: silent, error: silent, debug: silent, deprecate: silent },
  });
}

async function inspectMysql(q: Knex, findings: DatabaseFinding[]): Promise<void> {
  const [row] = rowsOf<{ version: string; packet: number; read_only: number; format: string; logged: number }>(
    await q.raw(
      'SELECT VERSION() AS version, @@max_allowed_packet AS packet, @@read_only AS read_only, @@binlog_format AS format, @@log_bin AS logged',
    ),
  );
  const { version, packet, format } = row!;
  const maria = /mariadb/i.test(version);
  atLeast(maria ? 'MariaDB' : 'MySQL', version, maria ? OLDEST.mariadb : OLDEST.mysql, findings);
  if (Number(packet) < PACKET)
    findings.push({ level: 'hint', text: `max_allowed_packet is ${packet}: large messages are refused; 16M is usual` });
  if (Number(row!.logged) === 1 && format === 'STATEMENT')
    findings.push({
      level: 'problem',
      text: 'binlog_format is STATEMENT: set it to ROW, nothing can be written otherwise',
    });
  if (Number(row!.read_only) === 1) findings.push({ level: 'problem', text: 'the server is read-only: a replica?' });
  const tables = rowsOf<{ name: string; collation: string }>(
    await q.raw(
      "SELECT table_name AS name, table_collation AS collation FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN ('accounts', 'posthouse_migrations', 'roster_items', 'offline_messages')",
    ),
  );
  const wrong = tables.filter(({ collation }) => collation !== 'utf8mb4_bin').map(table => table.name);
  if (wrong.length > 0) {
    findings.push({
      level: 'problem',
      text: `not utf8mb4 with utf8mb4_bin, so that different addresses would be one: ${wrong.join(', ')}. ALTER TABLE ... CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
    });
  } else findings.push({ level: 'ok', text: 'tables are, or will be, utf8mb4 and compared byte by byte' });
}

async function inspectPostgres(q: Knex, findings: DatabaseFinding[]): Promise<void> {
  const [row] = rowsOf<{ version: string; encoding: string; recovery: boolean }>(
    await q.raw(
      "SELECT current_setting('server_version') AS version, current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS recovery",
    ),
  );
  atLeast('PostgreSQL', row!.version, OLDEST.postgres, findings);
  if (row!.encoding === 'UTF8') findings.push({ level: 'ok', text: 'the character set is UTF8' });
  else {
    findings.push({
      level: 'problem',
      text: `the character set is ${row!.encoding}: make the database with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0`,
    });
  }
  if (row!.recovery) findings.push({ level: 'problem', text: 'the server is a replica, which cannot be written' });
}

function atLeast(name: string, version: string, oldest: number, findings: DatabaseFinding[]): void {
  const [major = 0, minor = 0] = version.split(/[^0-9]/).map(Number);
  const [least, leastMinor = 0] = String(oldest).split('.').map(Number) as [number, number?];
  if (major > least || (major === least && minor >= leastMinor)) {
    findings.push({ level: 'ok', text: `${name} ${/^[0-9.]+/.exec(version)?.[0] ?? version}` });
  } else findings.push({ level: 'problem', text: `${name} ${version} is too old: ${oldest} or later is needed` });
}

/** By doing it: grants are too many to be read. */
async function inspectRights(q: Knex, findings: DatabaseFinding[]): Promise<void> {
  const table = 'posthouse_check';
  const steps: readonly (readonly [right: string, sql: string])[] = [
    ['DROP', `DROP TABLE IF EXISTS ${table}`],
    ['CREATE', `CREATE TABLE ${table} (a integer)`],
    ['ALTER', `ALTER TABLE ${table} ADD COLUMN b integer`],
    ['INDEX', `CREATE INDEX posthouse_check_b ON ${table} (b)`],
    ['INSERT', `INSERT INTO ${table} (a, b) VALUES (1, 2)`],
    ['UPDATE', `UPDATE ${table} SET a = 3`],
    ['SELECT', `SELECT a FROM ${table}`],
    ['DELETE', `DELETE FROM ${table}`],
    ['DROP', `DROP TABLE ${table}`],
  ];
  const missing = new Set<string>();
  for (const [right, sql] of steps) {
    try {
      await q.raw(sql);
    } catch (cause) {
      const error = remoteError(cause);
      if (!(error instanceof StorageError) || error.kind !== 'readonly') throw cause;
      missing.add(right);
      // the others need the table
      if (right === 'CREATE') break;
    }
  }
  if (missing.size === 0) findings.push({ level: 'ok', text: 'this user may do there what a node does' });
  else findings.push({ level: 'problem', text: `this user lacks rights: ${[...missing].join(', ')}` });
}
