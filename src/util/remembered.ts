import { Lru } from './lru.ts';
import { andThen, type MaybePromise } from './maybe.ts';

/**
 * A bounded memory of what was read from somewhere that nobody else writes to. Whatever is written is forgotten here before its writer
 * hears that it is done, and what was read before that and comes later is not remembered.
 */
export class Remembered<V extends object | string> {
  readonly #lately: Lru<string, V>;
  /** Counts what was written. */
  #changes = 0;

  constructor(most: number) {
    this.#lately = new Lru(most);
  }

  /** The value, read if need be; that there is none is not remembered. */
  get(key: string, read: () => MaybePromise<V | undefined>): MaybePromise<V | undefined> {
    const known = this.#lately.get(key);
    if (known !== undefined) return known;
    const changes = this.#changes;
    return andThen(read(), value => {
      if (value !== undefined && changes === this.#changes) this.#lately.set(key, value);
      return value;
    });
  }

  /** Follows a write, of all values when there is no key. Also when it fails something is forgotten: nobody knows how far it came. */
  async written<T>(key: string | undefined, done: Promise<T>): Promise<T> {
    try {
      return await done;
    } finally {
      this.forget(key);
    }
  }

  forget(key: string | undefined): void {
    this.#changes++;
    if (key === undefined) this.#lately.clear();
    else this.#lately.delete(key);
  }
}
