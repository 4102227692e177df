import path from 'node:path';
import { administer } from './databases.ts';

/**
 * The server that tests keep their data in instead of SQLite: POSTHOUSE_TEST_STORAGE=mysql://root@127.0.0.1:PORT/mysql (`node
 * test/storage/run.ts mysql` starts one, and runs the plays on it). Each folder has a database of its own there.
 */
const SERVER = process.env.POSTHOUSE_TEST_STORAGE ?? '';

const made = new Map<string, string>();
let count = 0;

/** Whether tests run on another database than SQLite. */
export const ON_SERVER = SERVER !== '';

/** The line of a configuration that names the database for a data folder; none for SQLite, or where `yaml` says it. */
export async function storageLine(folder: string, yaml = ''): Promise<string> {
  if (SERVER === '' || /^storage:/m.test(yaml)) return '';
  return `storage: '${await databaseOf(folder)}'\n`;
}

/** The address of the database of a data folder, made when it is first asked for. '' for SQLite. */
export async function databaseOf(folder: string): Promise<string> {
  if (SERVER === '') return '';
  const key = path.resolve(folder);
  let url = made.get(key);
  if (url === undefined) {
    const name = `play_${process.pid}_${++count}`;
    await administer(SERVER, [`CREATE DATABASE ${name}`]);
    const address = new URL(SERVER);
    address.pathname = `/${name}`;
    made.set(key, (url = address.href));
  }
  return url;
}
