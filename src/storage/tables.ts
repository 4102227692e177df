import type { Reader, Storage } from '../api/storage.ts';

type Dialect = Storage['dialect'];

const TABLES: Readonly<Record<Dialect, string>> = {
  sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
  mysql:
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'",
  postgres: 'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()',
};

/** The tables of a database, in the order of their names. */
export async function tablesOf(q: Reader, dialect: Dialect): Promise<string[]> {
  const result: unknown = await q.raw(TABLES[dialect]);
  return rowsOf<{ name: string }>(result)
    .map(({ name }) => name)
    .toSorted();
}

/** The rows of a raw query: drivers wrap them each in its own way. */
export function rowsOf<T>(result: unknown): T[] {
  if (Array.isArray(result)) return (Array.isArray(result[0]) ? result[0] : result) as T[];
  return (result as { rows: T[] }).rows;
}
