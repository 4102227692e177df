import { fileURLToPath } from 'node:url';
import type { CrashServer } from './server.ts';

/** Rows that each step of the module in steps/ writes. */
const ROWS = 40;

/** Lines for `modules:`. */
export const STEPS = `  '${fileURLToPath(new URL('steps/', import.meta.url))}': {}\n`;

export function stepsEnvironment(steps: number): Readonly<Record<string, string>> {
  return { POSTHOUSE_TEST_STEPS: String(steps) };
}

/** What is wrong with the schema after so many steps; of a node that is not running. */
export function stepFaults(server: CrashServer, steps: number): string[] {
  const faults: string[] = [];
  const db = server.open();
  try {
    const done = db.prepare('SELECT step FROM crash_steps ORDER BY rowid').pluck().all() as number[];
    const wanted = Array.from({ length: steps }, (_, index) => index + 1);
    if (done.join() !== wanted.join()) faults.push(`of ${steps} steps these were done: ${done.join()}`);
    for (const step of wanted) {
      const rows = db.prepare(`SELECT count(*) FROM crash_step_${step} WHERE note IS NULL`).pluck().get();
      if (rows !== ROWS) faults.push(`step ${step} wrote ${String(rows)} rows of ${ROWS}`);
    }
  } catch (error) {
    faults.push((error as Error).message);
  } finally {
    db.close();
  }
  return faults;
}
