import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Started } from '../measure/process.ts';
import { startServer } from './starting.ts';
import { freePort } from './target.ts';

const program = join(import.meta.dirname, '../file-floor.ts');

/** The bare server of files, with its files in a folder below this one. */
export async function startFileFloor(folder: string): Promise<{ started: Started; port: number }> {
  const own = join(folder, 'file-floor');
  mkdirSync(own, { recursive: true });
  const port = await freePort();
  const args = [program, String(port), join(own, 'files')];
  return { started: await startServer({ command: process.execPath, args }, own, [port]), port };
}
