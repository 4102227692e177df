export { StorageError } from '../api/storage.ts';
export type {
  BatchTransaction,
  BatchWriter,
  Migration,
  Reader,
  Statement,
  Storage,
  Transactor,
} from '../api/storage.ts';
export { DataFolderError, FolderInUse } from './lock.ts';
export { copyStorage } from './copy.ts';
export { type DatabaseFinding, inspectDatabase } from './inspect.ts';
export { type Place, placeOf, shownPlace } from './place.ts';
import type { Storage } from '../api/storage.ts';
import { refuseHalfACopy } from './copy.ts';
import { lockFolder } from './lock.ts';
import { placeOf, shownPlace } from './place.ts';
import { type SqliteOptions, SqliteStorage } from './sqlite.ts';
import { StorageError } from '../api/storage.ts';

export interface StorageOptions extends SqliteOptions {
  /** Another database than SQLite's in the data folder: mysql://... or postgres://... (place.ts). '' is none. */
  readonly url?: string;
  /** Connections to it for reading, at most; there is one more, for writing. */
  readonly connections?: number;
  /** It is copied from or to, and not used by a node. */
  readonly copying?: boolean;
}

const CONNECTIONS = 8;

/** Opens the database of a node, and keeps the data folder for this process. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const storage = options.url ? await openRemote(options, options.url) : await SqliteStorage.open(options);
  if (options.copying) return storage;
  try {
    await refuseHalfACopy(storage);
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

async function openRemote(options: StorageOptions, url: string): Promise<Storage> {
  const place = placeOf(url);
  if (typeof place === 'string') throw new StorageError('io', place);
  const lock = lockFolder(options.dataDir);
  try {
    // who uses SQLite does not pay for the drivers of others
    const [{ RemoteStorage }, dialect] = await Promise.all([import('./remote/storage.ts'), dialectOf(place.dialect)]);
    return await RemoteStorage.open({
      dialect,
      place,
      connections: options.connections ?? CONNECTIONS,
      logger: options.logger,
      release: () => lock.release(),
    });
  } catch (error) {
    lock.release();
    if (error instanceof StorageError) error.message = `the database ${shownPlace(place)}: ${error.message}`;
    throw error;
  }
}

async function dialectOf(name: 'mysql' | 'postgres') {
  if (name === 'mysql') return (await import('./remote/mysql.ts')).mysql;
  return (await import('./remote/postgres.ts')).postgres;
}
