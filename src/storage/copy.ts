import type { Reader, Storage, Transactor } from '../api/storage.ts';
import { StorageError } from '../api/storage.ts';
import { rowsOf, tablesOf } from './tables.ts';

/** Notes in the database that is copied to that a copy was begun: no node starts on half of one. */
const MARK = 'posthouse_copy';
const OWN = new Set([MARK, 'posthouse_migrations']);

/** Rows read in one go. */
const PAGE = 1000;
/** Rows, values and octets of one statement: what every database takes. */
const ROWS = 200;
const VALUES = 30_000;
const BYTES = 1024 * 1024;

export interface CopyParts {
  readonly from: Storage;
  readonly to: Storage;
  /** Makes the tables of modules in either, as the program has them. */
  migrate(storage: Storage, modules: readonly string[]): Promise<void>;
  /** Whether what is in the second may go, though no copy has put it there. */
  readonly replace: boolean;
  progress(table: string, done: number, total: number): void;
}

type Row = Record<string, unknown>;

/**
 * Copies all that one database keeps into another, in whose place it is then. It can be repeated: each time begins with empty tables.
 * Rejects with a StorageError whose message is for the operator.
 */
export async function copyStorage({
  from,
  to,
  migrate,
  replace,
  progress,
}: CopyParts): Promise<Record<string, number>> {
  const known = await modulesOf(from);
  if (known.length === 0) throw new StorageError('io', 'there is nothing to copy: no node ever ran on it');
  await mayBeFilled(to, replace);
  // what the second holds for modules that the first never had goes as well
  const modules = [...new Set([...known, ...(await modulesOf(to))])].toSorted();
  await migrate(from, modules);
  await to.transact(tx => mark(tx, null));
  await migrate(to, modules);

  const there = new Set(await to.read(q => tablesOf(q, to.dialect)));
  const tables = (await from.read(q => tablesOf(q, from.dialect))).filter(name => there.has(name) && !OWN.has(name));
  const copied: Record<string, number> = {};
  for (const table of tables) copied[table] = await copyTable(from, to, table, progress);
  await to.transact(tx => mark(tx, Date.now()));
  return copied;
}

/** Rejects where a copy into the database was begun and not finished; forgets one that is. Called before a node uses it. */
export async function refuseHalfACopy(storage: Storage): Promise<void> {
  if (!(await storage.read(q => q.schema.hasTable(MARK)))) return;
  const row = (await storage.read(q => q(MARK).first('finished_at'))) as { finished_at: number | null } | undefined;
  if (row && row.finished_at === null) {
    throw new StorageError(
      'corrupt',
      "a copy into this database was begun and not finished: run 'posthouse storage copy' again",
    );
  }
  // from now on it is a database of its own, which no further copy overwrites without being told so
  if (row) await storage.transact(tx => tx(MARK).delete());
}

/** The modules that have tables there. */
async function modulesOf(storage: Storage): Promise<string[]> {
  const rows = (await storage.read(q => q('posthouse_migrations').distinct('module').select('module'))) as Row[];
  return rows.map(({ module }) => String(module));
}

async function mayBeFilled(to: Storage, replace: boolean): Promise<void> {
  const tables = new Set(await to.read(q => tablesOf(q, to.dialect)));
  const marked = tables.has(MARK) && (await to.read(q => q(MARK).first())) !== undefined;
  if (marked || replace || !tables.has('accounts')) return;
  if ((await to.read(q => q('accounts').first('id'))) === undefined) return;
  throw new StorageError(
    'constraint',
    'the database that is copied to holds accounts already, and no copy has put them there. --replace deletes what it holds.',
  );
}

async function mark(tx: Transactor, finished: number | null): Promise<void> {
  if (!(await tx.schema.hasTable(MARK))) {
    await tx.schema.createTable(MARK, table => {
      table.bigInteger('begun_at').notNullable();
      table.bigInteger('finished_at');
    });
  }
  if (finished !== null) await tx(MARK).update({ finished_at: finished });
  else {
    await tx(MARK).delete();
    await tx(MARK).insert({ begun_at: Date.now(), finished_at: null });
  }
}

async function copyTable(from: Storage, to: Storage, table: string, progress: CopyParts['progress']): Promise<number> {
  const total = await countOf(from, table);
  await to.transact(tx => tx(table).delete());
  const columns = (await to.read(q => q(table).columnInfo())) as unknown as Record<string, { type: string }>;
  const flags = Object.keys(columns).filter(name => columns[name]!.type === 'boolean');
  const most = Math.max(1, Math.min(ROWS, Math.floor(VALUES / Math.max(1, Object.keys(columns).length))));
  let done = 0;
  progress(table, 0, total);
  for await (const page of pages(from, table)) {
    for (const row of page) for (const name of flags) row[name] = row[name] === null ? null : Boolean(row[name]);
    await to.transact(async tx => {
      for (const rows of portions(page, most)) await tx(table).insert(rows);
    });
    done += page.length;
    progress(table, done, total);
  }
  if (to.dialect === 'postgres' && /int/.test(columns.id?.type ?? ''))
    await to.transact(tx => tx.raw(SEQUENCE, [table, table, table]));
  const arrived = await countOf(to, table);
  if (arrived !== total)
    throw new StorageError('io', `of the ${total} rows of '${table}' ${arrived} arrived; is another program writing?`);
  return total;
}

/** The next row gets an id behind those that were copied. */
const SEQUENCE = `SELECT setval(pg_get_serial_sequence(?, 'id'), max(id)) FROM ?? HAVING max(id) IS NOT NULL AND pg_get_serial_sequence(?, 'id') IS NOT NULL`;

async function countOf(storage: Storage, table: string): Promise<number> {
  const row = (await storage.read(q => q(table).count({ n: '*' }).first())) as { n: unknown } | undefined;
  return Number(row?.n ?? 0);
}

/** All rows of a table, behind one another by its key, or by all its columns where it has none. */
async function* pages(storage: Storage, table: string): AsyncGenerator<Row[]> {
  const key = await storage.read(q => keyOf(q, storage.dialect, table));
  const columns = key.length > 0 ? key : Object.keys(await storage.read(q => q(table).columnInfo()));
  let last: Row | undefined;
  let read = 0;
  for (;;) {
    const page = (await storage.read(q => {
      const query = q(table).select();
      for (const column of columns) void query.orderBy(column);
      if (key.length === 0) void query.offset(read);
      else if (last) void behind(query, key, last);
      return query.limit(PAGE);
    })) as Row[];
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    last = { ...page.at(-1)! };
    read += page.length;
  }
}

/** Adds "behind that row, in the order of the key". */
function behind(query: ReturnType<Reader>, key: readonly string[], last: Row): unknown {
  return query.where(either => {
    for (const [index, column] of key.entries()) {
      void either.orWhere(both => {
        for (const same of key.slice(0, index)) void both.where(same, last[same] as string);
        void both.where(column, '>', last[column] as string);
      });
    }
  });
}

/** The columns of a table's primary key, in order. */
async function keyOf(q: Reader, dialect: Storage['dialect'], table: string): Promise<string[]> {
  if (dialect === 'sqlite') {
    const columns = rowsOf<{ name: string; pk: number }>(
      await q.raw('SELECT name, pk FROM pragma_table_info(?)', [table]),
    );
    return columns
      .filter(({ pk }) => pk > 0)
      .toSorted((a, b) => a.pk - b.pk)
      .map(({ name }) => name);
  }
  const schema = dialect === 'mysql' ? 'DATABASE()' : 'current_schema()';
  const rows = rowsOf<{ name: string }>(
    await q.raw(
      `SELECT k.column_name AS name FROM information_schema.table_constraints c
       JOIN information_schema.key_column_usage k ON k.constraint_name = c.constraint_name
         AND k.table_schema = c.table_schema AND k.table_name = c.table_name
       WHERE c.constraint_type = 'PRIMARY KEY' AND c.table_schema = ${schema} AND c.table_name = ?
       ORDER BY k.ordinal_position`,
      [table],
    ),
  );
  return rows.map(({ name }) => name);
}

function* portions(page: readonly Row[], most: number): Generator<Row[]> {
  let some: Row[] = [];
  let bytes = 0;
  for (const row of page) {
    let size = 0;
    for (const value of Object.values(row))
      if (typeof value === 'string' || Buffer.isBuffer(value)) size += value.length;
    if (some.length > 0 && (some.length >= most || bytes + size > BYTES)) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(row);
    bytes += size;
  }
  if (some.length > 0) yield some;
}
