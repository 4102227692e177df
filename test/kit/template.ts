import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { tempFolder } from './temp.ts';

const NAME = 'posthouse.sqlite';
const CERTIFICATES = 'certificates';
let template: string | undefined;

/**
 * Puts into a new data folder what is there when a node has started for the first time: it need not make all tables again, nor a certificate
 * for localhost.
 */
export function prepare(folder: string): void {
  if (template === undefined) return;
  copyFileSync(path.join(template, NAME), path.join(folder, NAME));
  cpSync(path.join(template, CERTIFICATES), path.join(folder, CERTIFICATES), { recursive: true });
}

/** The node in that new folder has just started: so will others. */
export function keep(folder: string): void {
  if (template !== undefined) return;
  const place = tempFolder();
  const file = path.join(place, NAME);
  const made = new Database(path.join(folder, NAME), { readonly: true });
  made.prepare('vacuum into ?').run(file);
  made.close();
  const copy = new Database(file);
  copy.pragma('journal_mode = wal');
  copy.close();
  mkdirSync(path.join(place, CERTIFICATES));
  for (const name of ['localhost.crt', 'localhost.key']) {
    const certificate = path.join(folder, CERTIFICATES, name);
    if (existsSync(certificate)) cpSync(certificate, path.join(place, CERTIFICATES, name));
  }
  template = place;
}
