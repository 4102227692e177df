import { networkOf } from '../../src/api/index.ts';

/** How often each address (in IPv6 each /64) has done something within a time. Memory is bounded by what is forgotten. */
export class Budget {
  readonly #window: number;
  readonly #spent = new Map<string, number[]>();
  readonly #clock: () => number;

  /** `window` in milliseconds. */
  constructor(window: number, clock: () => number = Date.now) {
    this.#window = window;
    this.#clock = clock;
  }

  /** Counts once more; false, and not counted, when that would be more than `most`. */
  spend(address: string, most: number): boolean {
    const oldest = this.#clock() - this.#window;
    const network = networkOf(address);
    const times = (this.#spent.get(network) ?? []).filter(time => time > oldest);
    if (times.length >= most) return false;
    times.push(this.#clock());
    this.#spent.set(network, times);
    return true;
  }

  /** Takes the last count back: it led to nothing. */
  giveBack(address: string): void {
    this.#spent.get(networkOf(address))?.pop();
  }

  /** Drops addresses whose time is over. */
  forget(): void {
    const oldest = this.#clock() - this.#window;
    for (const [address, times] of this.#spent) if ((times.at(-1) ?? 0) <= oldest) this.#spent.delete(address);
  }
}
