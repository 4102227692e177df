import { setTimeout as delay } from 'node:timers/promises';

const FIRST = 5; // ms
const LONGEST = 100; // ms

/**
 * Tries until another program has let go of its lock, for up to `patience` ms, without keeping the event loop waiting. Once
 * an attempt has called `begun` it has the lock: nothing is done twice.
 */
export async function patiently<T>(patience: number, attempt: (begun: () => void) => Promise<T> | T): Promise<T> {
  const until = performance.now() + patience;
  for (let wait = FIRST; ; wait = Math.min(wait * 2, LONGEST)) {
    let started = false;
    try {
      return await attempt(() => {
        started = true;
      });
    } catch (error) {
      const { code } = error as { code?: unknown };
      const locked = typeof code === 'string' && /^SQLITE_(?:BUSY|LOCKED)/.test(code);
      if (started || !locked || performance.now() + wait > until) throw error;
    }
    await delay(wait);
  }
}
