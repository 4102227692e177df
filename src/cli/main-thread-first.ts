import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** What the threads of the collector and the compiler are called. */
const WORKERS = 'V8Worker';
/** Where each wants the core, the kernel gives such a thread a third of what the event loop's has. With less the collector falls behind. */
const NICE = 5;

/**
 * Has the threads of the collector and the compiler take the time that the event loop leaves: on one core four of them would keep it from
 * its work for tens of milliseconds whenever the collector goes through the heap. Of Linux alone it is known that a thread can have a
 * priority of its own (docs/adr/0021).
 */
export function mainThreadFirst(): void {
  if (process.platform !== 'linux') return;
  const tasks = '/proc/self/task';
  try {
    for (const task of readdirSync(tasks))
      if (readFileSync(`${tasks}/${task}/comm`, 'utf8').trim() === WORKERS) setPriority(Number(task), NICE);
  } catch {
    // no /proc, or none that may be changed: as before
  }
}
