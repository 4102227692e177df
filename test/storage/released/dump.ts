/* Databases as SQL, with the databases' own tools: made once a version (make.ts), put back by the test. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { administer } from '../../kit/databases.ts';

export type Dialect = 'sqlite' | 'mysql' | 'postgres';
export const DIALECTS: readonly Dialect[] = ['sqlite', 'mysql', 'postgres'];
export const FILE = 'posthouse.sqlite';
/** Between statements; in no value. */
const END = ';\n';

/** `where`: the address of the database, the data folder of SQLite's. */
export function dump(dialect: Dialect, where: string): string {
  if (dialect === 'sqlite') return dumpSqlite(path.join(where, FILE));
  if (dialect === 'postgres') {
    const text = run('pg_dump', ['--inserts', '--no-owner', '--no-privileges', '--no-comments', where]);
    // neither commands of psql nor the server's own settings
    return text.replace(/^(?:--.*|\\.*|SET .*|SELECT pg_catalog\.set_config.*)?\n/gm, '');
  }
  const { hostname, port, username, pathname } = new URL(where);
  const options = [
    '--no-defaults',
    '--compact',
    '--hex-blob',
    '--skip-extended-insert',
    '--default-character-set=utf8mb4',
  ];
  const text = run('mysqldump', [...options, '-h', hostname, '-P', port, '-u', username, pathname.slice(1)]);
  return text.replace(/^(?:\/\*.*\*\/;?\s*|--.*|)\n/gm, '').replace(/ AUTO_INCREMENT=\d+/g, '');
}

/** Puts a dump into an empty database. */
export async function load(dialect: Dialect, where: string, file: string): Promise<void> {
  const text = readFileSync(file, 'utf8');
  if (dialect === 'sqlite') {
    const database = new Database(path.join(where, FILE));
    database.exec(text);
    database.close();
    return;
  }
  const statements = text.split(END).filter(statement => statement.trim() !== '');
  // MySQL's server speaks latin1 of itself
  await administer(where, dialect === 'mysql' ? ['SET NAMES utf8mb4', ...statements] : [statements.join(END)]);
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return stdout;
}

function dumpSqlite(file: string): string {
  const database = new Database(file, { readonly: true });
  try {
    const objects = database
      .prepare(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type DESC, name",
      )
      .all() as { type: string; name: string; sql: string }[];
    const lines = objects.filter(({ type }) => type === 'table').map(({ sql }) => `${sql};`);
    for (const { name } of objects.filter(({ type }) => type === 'table')) {
      const rows = database.prepare(`SELECT * FROM "${name}"`).all() as Record<string, unknown>[];
      for (const row of rows) {
        const columns = Object.keys(row).map(column => `"${column}"`);
        lines.push(
          `INSERT INTO "${name}" (${columns.join(', ')}) VALUES (${Object.values(row).map(literal).join(', ')});`,
        );
      }
    }
    lines.push(...objects.filter(({ type }) => type !== 'table').map(({ sql }) => `${sql};`));
    const version = database.pragma('user_version', { simple: true }) as number;
    if (version !== 0) lines.push(`PRAGMA user_version = ${version};`);
    return `${lines.join('\n')}\n`;
  } finally {
    database.close();
  }
}

function literal(value: unknown): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Buffer.isBuffer(value)) return `x'${value.toString('hex')}'`;
  return `'${(value as string).replaceAll("'", "''")}'`;
}
