import { type Migration, StorageError, type Storage, type Transactor } from '../api/storage.ts';

const TABLE = 'posthouse_migrations';

/** Makes the table that notes which steps were applied. */
export async function prepareMigrations(tx: Transactor): Promise<void> {
  if (await tx.schema.hasTable(TABLE)) return;
  await tx.schema.createTable(TABLE, table => {
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

/**
 * Applies the steps that are missing, in order, each in a transaction of its own: a step that fails leaves those before it
 * applied and nothing of itself. Each module has its own list; none touches another's.
 */
export async function applyMigrations(
  storage: Pick<Storage, 'read' | 'transact'>,
  module: string,
  migrations: readonly Migration[],
): Promise<void> {
  const names = new Set(migrations.map(migration => migration.name));
  if (names.size < migrations.length) throw new Error(`two migrations of '${module}' have the same name`);
  const rows = await storage.read(q => q<{ module: string; name: string }>(TABLE).where({ module }).select('name'));
  const applied = new Set(rows.map(row => row.name));
  const unknown = [...applied].filter(name => !names.has(name));
  if (unknown.length > 0) {
    throw new StorageError(
      'constraint',
      `the database is newer than this program: '${module}' has had the steps ${unknown.join(', ')}. Start the version that made them, or restore a backup.`,
    );
  }
  for (const migration of migrations) {
    const { name } = migration;
    if (applied.has(name)) continue;
    await storage.transact(async tx => {
      try {
        await migration.up(freshSchema(tx), tx);
      } catch (error) {
        throw named(error, `step '${name}' of '${module}' failed`);
      }
      await tx(TABLE).insert({ module, name, applied_at: Date.now() });
    });
  }
}

/** The same error, which says where it comes from; its code stays readable for whoever sorts errors. */
function named(error: unknown, where: string): unknown {
  if (error instanceof Error) error.message = `${where}: ${error.message}`;
  return error;
}
