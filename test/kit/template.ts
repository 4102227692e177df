import { copyFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { tempFolder } from './temp.ts';

const NAME = 'posthouse.sqlite';
let template: string | undefined;

/** Puts a database into a new data folder, as it is when a node has started for the first time: it need not make all tables again. */
export function prepare(folder: string): void {
  if (template !== undefined) copyFileSync(template, path.join(folder, NAME));
}

/** The node in that new folder has just started: so will others. */
export function keep(folder: string): void {
  if (template !== undefined) return;
  const file = path.join(tempFolder(), NAME);
  const made = new Database(path.join(folder, NAME), { readonly: true });
  made.prepare('vacuum into ?').run(file);
  made.close();
  const copy = new Database(file);
  copy.pragma('journal_mode = wal');
  copy.close();
  template = file;
}
