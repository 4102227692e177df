// taken before any test puts a fake clock in their place
const { setTimeout: later } = globalThis;

const LOOK = 5; // ms between two looks
const PATIENCE = 20_000; // ms

/** Goes through the event loop once, so that what waits for no more than its turn is done. Works under a fake clock. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

/**
 * Looks again and again until there is an answer that is not false or undefined, and gives it. Rejects, with `what` in its
 * message, after so many milliseconds. Works under a fake clock.
 */
export async function until<T>(
  look: () => T | false | undefined | Promise<T | false | undefined>,
  what: string | (() => string),
  patience = PATIENCE,
): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    const answer = await look();
    if (answer !== false && answer !== undefined) return answer;
    if (performance.now() > deadline) {
      throw new Error(`waited ${patience} ms in vain for ${typeof what === 'string' ? what : what()}`);
    }
    await new Promise<void>(resolve => later(resolve, LOOK));
  }
}
