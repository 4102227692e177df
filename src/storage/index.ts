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
export { type SqliteOptions, SqliteStorage } from './sqlite.ts';
import type { Storage } from '../api/storage.ts';
import { type SqliteOptions, SqliteStorage } from './sqlite.ts';

/** Opens the database of a node. */
export function openStorage(options: SqliteOptions): Promise<Storage> {
  return SqliteStorage.open(options);
}
