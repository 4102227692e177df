import { Ring } from './ring.ts';

/** Who waits for a portion. */
export interface Waiting {
  proceed(): void;
}

/**
 * Lets some kind of work have no more than so many milliseconds in each turn of the event loop; what is beyond that waits for the next
 * turns, in order, and everything else comes in between. A turn reads all sockets that have something before it writes anything, so
 * without a bound it is as long as what came.
 */
export class Portions {
  readonly #most: number;
  readonly #waiting = new Ring<Waiting>();
  /** When the portion of this turn ends; 0 when it has not begun. */
  #end = 0;

  readonly #now: () => number;

  /** `most`: milliseconds, of `now`. */
  constructor(most: number, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#now = now;
  }

  /** Whether work may be done at once: nobody waits, and something is left of the portion. */
  free(): boolean {
    if (this.#waiting.size > 0) return false;
    const now = this.#now();
    if (this.#end > 0) return now < this.#end;
    this.#end = now + this.#most;
    setImmediate(this.#turn);
    return true;
  }

  /** For one whom `free` told that it is not: its `proceed` is called when it is its turn. */
  wait(one: Waiting): void {
    this.#waiting.push(one);
  }

  readonly #turn = (): void => {
    this.#end = 0;
    const end = this.#now() + this.#most;
    try {
      do this.#waiting.shift()?.proceed();
      while (this.#waiting.size > 0 && this.#now() < end);
    } finally {
      if (this.#waiting.size > 0) setImmediate(this.#turn);
    }
  };
}
