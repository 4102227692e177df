import { Ring } from './ring.ts';

/**
 * For work that has time: each part of it has a turn of the event loop to itself, in order, however many ask at once. So nobody
 * else waits for more than one of them.
 */
export class Unhurried {
  readonly #waiting = new Ring<() => void>();
  #isGoing = false;

  /** Resolved when it is one's turn. */
  turn(): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push(resolve);
      if (this.#isGoing) return;
      this.#isGoing = true;
      setImmediate(this.#next);
    });
  }

  readonly #next = (): void => {
    this.#waiting.shift()?.();
    this.#isGoing = this.#waiting.size > 0;
    if (this.#isGoing) setImmediate(this.#next);
  };
}
