import type { Knex } from 'knex';
import { type Migration, StorageError, type Storage, type Transactor } from '../api/storage.ts';

const TABLE = 'posthouse_migrations';

/** Makes the table that notes which steps were applied. */
export async function prepareMigrations(tx: Transactor, rewrite?: (sql: string) => string): Promise<void> {
  if (await tx.schema.hasTable(TABLE)) return;
  const schema = rewrite ? otherSchema(tx, rewrite, true) : tx.schema;
  await schema.createTable(TABLE, table => {
    // both together fit into an index of MySQL 5.7: 191 characters of utf8mb4
    table.string('module', 100).notNullable();
    table.string('name', 90).notNullable();
    table.bigInteger('applied_at').notNullable();
    table.primary(['module', 'name']);
  });
}

/** Writes to the table and takes it back: shows whether the database can be written. */
export async function touchMigrations(tx: Transactor): Promise<void> {
  await tx(TABLE).insert({ module: 'posthouse_probe', name: 'probe', applied_at: Date.now() });
  await tx(TABLE).where({ module: 'posthouse_probe' }).delete();
}

/** A schema builder whose every call begins a statement of its own; knex's would repeat the earlier ones. */
function freshSchema(tx: Transactor): Transactor['schema'] {
  const get = (_: unknown, name: string | symbol): unknown => {
    const { schema } = tx;
    const member: unknown = Reflect.get(schema, name);
    return typeof member === 'function' ? (member.bind(schema) as unknown) : member;
  };
  return new Proxy<Transactor['schema']>(tx.schema, { get });
}

const CHANGES = /^(?:create|alter|drop|rename|table)/;
/** What MySQL says of a change of a schema that is there already. */
const DONE_ALREADY = new Set([
  'ER_TABLE_EXISTS_ERROR',
  'ER_DUP_FIELDNAME',
  'ER_DUP_KEYNAME',
  'ER_MULTIPLE_PRI_KEY',
  'ER_CANT_DROP_FIELD_OR_KEY',
  'ER_BAD_TABLE_ERROR',
]);

/**
 * The same where a database needs other statements than knex makes (`rewrite`). `again`: the step was begun before and not finished, and
 * what it has changed is there.
 */
function otherSchema(tx: Transactor, rewrite: (sql: string) => string, again: boolean): Transactor['schema'] {
  const get = (_: unknown, name: string | symbol): unknown => {
    const { schema } = tx;
    const member: unknown = Reflect.get(schema, name);
    if (typeof member !== 'function') return member;
    if (typeof name !== 'string' || !CHANGES.test(name)) return member.bind(schema) as unknown;
    return async (...args: readonly unknown[]): Promise<void> => {
      const builder = Reflect.apply(member, schema, args) as Knex.SchemaBuilder;
      for (const { sql, bindings } of builder.toSQL() as unknown as { sql: string; bindings?: Knex.RawBinding[] }[]) {
        try {
          await tx.raw(rewrite(sql), bindings ?? []);
        } catch (error) {
          if (!again || !DONE_ALREADY.has(String((error as { code?: unknown }).code))) throw error;
        }
      }
    };
  };
  return new Proxy<Transactor['schema']>(tx.schema, { get });
}

/** What migrations need of a storage. `schema`: statements as the database wants them. */
type Steps = Pick<Storage, 'dialect' | 'read' | 'transact'> & { schema?(sql: string): string };

/**
 * Applies the steps that are missing, in order, each in a transaction of its own: a step that fails leaves those before it
 * applied and nothing of itself. Each module has its own list; none touches another's. MySQL commits at each change of a schema, so there
 * it is noted that a step was begun (applied_at 0): what is left of it is not made twice.
 */
export async function applyMigrations(storage: Steps, module: string, migrations: readonly Migration[]): Promise<void> {
  const names = new Set(migrations.map(migration => migration.name));
  if (names.size < migrations.length) throw new Error(`two migrations of '${module}' have the same name`);
  const rows = await storage.read(q =>
    q<{ module: string; name: string; applied_at: number }>(TABLE).where({ module }).select('name', 'applied_at'),
  );
  const begun = new Set(
    rows.filter(row => storage.dialect === 'mysql' && Number(row.applied_at) === 0).map(row => row.name),
  );
  const applied = new Set(rows.map(row => row.name).filter(name => !begun.has(name)));
  const unknown = rows.map(row => row.name).filter(name => !names.has(name));
  if (unknown.length > 0) {
    throw new StorageError(
      'constraint',
      `the database is newer than this program: '${module}' has had the steps ${unknown.join(', ')}. Start the version that made them, or restore a backup.`,
    );
  }
  for (const migration of migrations) {
    const { name } = migration;
    if (applied.has(name)) continue;
    const again = begun.has(name);
    const { schema } = storage;
    try {
      if (storage.dialect === 'mysql' && !again)
        await storage.transact(tx => tx(TABLE).insert({ module, name, applied_at: 0 }));
      await storage.transact(async tx => {
        await migration.up(schema ? otherSchema(tx, schema, again) : freshSchema(tx), tx);
        if (storage.dialect === 'mysql') await tx(TABLE).where({ module, name }).update({ applied_at: Date.now() });
        else await tx(TABLE).insert({ module, name, applied_at: Date.now() });
      });
    } catch (error) {
      throw named(error, `step '${name}' of '${module}' failed`);
    }
  }
}

/** The same error, which says where it comes from; its code stays readable for whoever sorts errors. */
function named(error: unknown, where: string): unknown {
  if (error instanceof Error) error.message = `${where}: ${error.message}`;
  return error;
}
