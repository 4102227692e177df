import type { Migration, Transactor } from '../api/storage.ts';
import { StorageError } from '../api/storage.ts';

const TABLE = 'posthouse_migrations';

/** Makes the table that notes which steps were applied. */
export async function prepareMigrations(tx: Transactor): Promise<void> {
  if (await tx.schema.hasTable(TABLE)) return;
  await tx.schema.createTable(TABLE, table => {
    table.string('module', 100).notNullable();
    table.string('name', 100).notNullable();
    table.bigInteger('applied_at').notNullable();
    table.primary(['module', 'name']);
  });
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

/** Applies the steps that are missing, in one transaction. Each module has its own list; none touches another's. */
export async function applyMigrations(tx: Transactor, module: string, migrations: readonly Migration[]): Promise<void> {
  const rows = await tx<{ module: string; name: string }>(TABLE).where({ module }).select('name');
  const applied = new Set(rows.map(row => row.name));
  const unknown = [...applied].filter(name => !migrations.some(migration => migration.name === name));
  if (unknown.length > 0) {
    throw new StorageError(
      'constraint',
      `the database is newer than this program: '${module}' has had the steps ${unknown.join(', ')}. Start the version that made them, or restore a backup.`,
    );
  }
  for (const { name, up } of migrations) {
    if (applied.has(name)) continue;
    await up(freshSchema(tx), tx);
    await tx(TABLE).insert({ module, name, applied_at: Date.now() });
  }
}
