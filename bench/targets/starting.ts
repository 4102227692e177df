import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Started, type Program } from '../measure/process.ts';
import { accepting, assertFree } from './target.ts';

const hook = join(import.meta.dirname, '../measure/gc-on-signal.ts');

/** The environment that loads the collection hook, beside what the caller has already. */
export function collectable(wanted: boolean | undefined): Record<string, string> {
  return wanted ? { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --expose-gc --import=${hook}` } : {};
}

/** Starts a server on core 0, and waits until it listens on all ports; a failure carries the end of its log. */
export async function startServer(
  program: Omit<Program, 'core' | 'log'>,
  folder: string,
  ports: readonly number[],
): Promise<Started> {
  mkdirSync(folder, { recursive: true });
  await assertFree(ports);
  const log = join(folder, 'output.log');
  const started = new Started({ ...program, core: 0, log });
  try {
    for (const port of ports) await accepting(port, started);
    return started;
  } catch (error) {
    await started.stop();
    throw new Error(`${(error as Error).message}; its output ends: ${readFileSync(log, 'utf8').slice(-600)}`, {
      cause: error,
    });
  }
}
