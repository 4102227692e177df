import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Migration } from '../api/storage.ts';
import { copyStorage, openStorage, placeOf, type Storage } from '../storage/index.ts';
import { migrations as accounts } from './accounts/store.ts';
import { migrations as clients } from './clients/store.ts';
import { migrations as sessions } from './journal/store.ts';
import type { LoadedConfig } from './config/index.ts';
import { findModule } from './modules/find.ts';

export { type DatabaseFinding, inspectDatabase, placeOf, shownPlace } from '../storage/index.ts';

export interface CopyOptions {
  /** Addresses of databases, or the data folder of one in SQLite. */
  readonly from: string;
  readonly to: string;
  readonly replace: boolean;
  /** Names the modules that may have tables, beside those of the house. */
  readonly config: LoadedConfig;
  progress(table: string, done: number, total: number): void;
}

/** Moves what one database keeps into another; the rows of each table. No node may run on either. */
export async function copyDatabase({
  from,
  to,
  replace,
  config,
  progress,
}: CopyOptions): Promise<Record<string, number>> {
  const source = await open(from);
  try {
    const target = await open(to);
    try {
      return await copyStorage({
        from: source.storage,
        to: target.storage,
        replace,
        progress,
        migrate: async (storage, modules) => {
          for (const name of modules) await storage.migrate(name, await migrationsOf(name, config));
        },
      });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function open(place: string): Promise<{ storage: Storage; close(): Promise<void> }> {
  if (!/^[a-z0-9+]+:\/\//i.test(place)) {
    const storage = await openStorage({ dataDir: path.resolve(place), copying: true });
    return { storage, close: () => storage.close() };
  }
  const parsed = placeOf(place);
  if (typeof parsed === 'string') throw new Error(parsed);
  // a node keeps its data folder for itself; here the lock on the database is all there is
  const dataDir = mkdtempSync(path.join(tmpdir(), 'posthouse-copy-'));
  const remove = (): void => rmSync(dataDir, { recursive: true, force: true });
  try {
    const storage = await openStorage({ dataDir, url: place, copying: true });
    return { storage, close: () => storage.close().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

const CORE: Readonly<Record<string, readonly Migration[]>> = { accounts, clients, sessions };

/** The steps of what is called 'module/store', or of the house's own. */
async function migrationsOf(name: string, config: LoadedConfig): Promise<readonly Migration[]> {
  const own = CORE[name];
  if (own) return own;
  const [module, store] = name.split('/') as [string, string | undefined];
  for (const key of [module, ...Object.keys(config.values.modules)]) {
    const found = await findModule(key, path.dirname(config.file)).catch(() => undefined);
    const stores = found?.definition.name === module ? found.definition.stores : undefined;
    const definition = stores?.[store ?? ''];
    if (definition) return definition.migrations;
  }
  throw new Error(`there are tables of '${name}', which is no module that is known here: name it in the configuration`);
}
