import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';

/** Another process uses the data folder, or it cannot be used at all; the message is for the operator. */
export class DataFolderError extends Error {}

/** Another process has it. */
export class FolderInUse extends DataFolderError {}

/**
 * Keeps a data folder for one process. The lock is SQLite's own on a file beside the database: the system takes it back when the
 * process dies, however it dies.
 */
export function lockFolder(folder: string): { release(): void } {
  const pidFile = path.join(folder, 'posthouse.pid');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new DataFolderError(
      `the data folder ${folder} cannot be made: ${reason(error)}. Give another one with --data.`,
      { cause: error },
    );
  }
  let db: Database.Database | undefined;
  try {
    db = new Database(path.join(folder, 'posthouse.lock'), { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch (error) {
    db?.close();
    if ((error as { code?: string }).code === 'SQLITE_BUSY') {
      throw new FolderInUse(
        `the data folder ${folder} is in use by another node (process ${pid(pidFile)}). Stop that one ('posthouse stop --data ${folder}'), or give another folder with --data.`,
        { cause: error },
      );
    }
    throw new DataFolderError(
      `the data folder ${folder} cannot be written: ${reason(error)}. Make it this user's, or give another one with --data.`,
      {
        cause: error,
      },
    );
  }
  const held = db;
  return {
    release: () => {
      rmSync(pidFile, { force: true });
      held.close();
    },
  };
}

/** Why the folder or a file in it cannot be used, in words. */
export function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  if (code === 'EACCES' || code === 'SQLITE_CANTOPEN') return 'this user may not write there';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file of that name is in the way';
  if (code === 'ENOSPC' || code === 'SQLITE_FULL') return 'the disk is full';
  if (code === 'EROFS' || code === 'SQLITE_READONLY') return 'the file system is read-only';
  return message;
}

function pid(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
