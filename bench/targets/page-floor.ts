import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Started } from '../measure/process.ts';
import { startServer } from './starting.ts';
import { freePort } from './target.ts';

const program = join(import.meta.dirname, '../page-floor.ts');

/** The bare reader of rows, on a database that a server may have open. */
export async function startPageFloor(folder: string, database: string): Promise<{ started: Started; port: number }> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const args = [program, String(port), database];
  return { started: await startServer({ command: process.execPath, args }, folder, [port]), port };
}
