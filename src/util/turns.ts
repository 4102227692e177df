import { Ring } from './ring.ts';

/** Lets no more than `most` jobs run at the same time; the others wait, in order. */
export class Turns {
  readonly #most: number;
  #running = 0;
  readonly #waiting = new Ring<() => void>();

  constructor(most: number) {
    this.#most = most;
  }

  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running < this.#most) this.#running++;
    // who leaves hands its place on
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      return await job();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
