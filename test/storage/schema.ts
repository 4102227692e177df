import type { Reader, Storage } from '../../src/api/storage.ts';
import { rowsOf, tablesOf } from '../../src/storage/tables.ts';

type Row = Record<string, unknown>;

const COLUMNS = {
  mysql: `SELECT column_name AS name, column_type AS type, is_nullable AS nullable, column_default AS value, extra AS extra,
    collation_name AS collation FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?`,
  postgres: `SELECT column_name AS name, data_type AS type, character_maximum_length AS length, is_nullable AS nullable,
    column_default AS value, collation_name AS collation FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = ?`,
};
const INDEXES = {
  mysql: `SELECT index_name AS name, non_unique AS repeated, seq_in_index AS place, column_name AS of, sub_part AS part
    FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ?`,
  postgres: 'SELECT indexdef AS definition FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ?',
};

/** What the tables of a database are: columns and indexes of each, as text that can be compared. In what order they came is nothing. */
export async function schemaOf(storage: Storage): Promise<Record<string, string[]>> {
  const { dialect } = storage;
  const found: Record<string, string[]> = {};
  const lines = (rows: readonly Row[]): string[] =>
    rows.map(row => JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))).toSorted();
  for (const table of await storage.read(q => tablesOf(q, dialect))) {
    const raw = (sql: string, ...values: string[]) =>
      storage.read(async (q: Reader) => rowsOf<Row>((await q.raw(sql, values)) as unknown));
    if (dialect === 'sqlite') {
      const columns = await raw(`PRAGMA table_info("${table}")`);
      const indexes: Row[] = [];
      for (const { name, unique, origin } of await raw(`PRAGMA index_list("${table}")`)) {
        const of = (await raw(`PRAGMA index_info("${String(name)}")`)).map(row => row.name);
        indexes.push({ name: origin === 'c' ? name : origin, unique, of: of.join() });
      }
      found[table] = [...lines(columns.map(column => ({ ...column, cid: 0 }))), ...lines(indexes)];
    } else found[table] = [...lines(await raw(COLUMNS[dialect], table)), ...lines(await raw(INDEXES[dialect], table))];
  }
  return found;
}
