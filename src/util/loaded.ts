import { Lru } from './lru.ts';
import type { MaybePromise } from './maybe.ts';

/**
 * A bounded cache of what is loaded, at once or later. Nobody loads a value that is being loaded, and a value that was set or
 * forgotten meanwhile is not overwritten by what was read before. Undefined is no value.
 */
export class Loaded<V> {
  readonly #known: Lru<string, V>;
  readonly #loading = new Map<string, Promise<V>>();

  constructor(max: number) {
    this.#known = new Lru(max);
  }

  /** The value, a promise of it while it is being loaded, undefined when nobody has asked for it. */
  get(key: string): MaybePromise<V> | undefined {
    return this.#known.get(key) ?? (this.#loading.size > 0 ? this.#loading.get(key) : undefined);
  }

  /** Takes what a load has given, or will. */
  load(key: string, value: MaybePromise<V>): MaybePromise<V> {
    if (!(value instanceof Promise)) {
      this.set(key, value);
      return value;
    }
    const loading = value.then(
      loaded => {
        if (this.#loading.get(key) !== loading) return this.#known.get(key) ?? loaded;
        this.set(key, loaded);
        return loaded;
      },
      (error: unknown) => {
        if (this.#loading.get(key) === loading) this.#loading.delete(key);
        throw error;
      },
    );
    this.#loading.set(key, loading);
    return loading;
  }

  set(key: string, value: V): void {
    this.#loading.delete(key);
    this.#known.set(key, value);
  }

  delete(key: string): void {
    this.#loading.delete(key);
    this.#known.delete(key);
  }
}
