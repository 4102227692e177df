import type { MaybePromise } from './maybe.ts';

/** Jobs of one key run one after the other, in order; those of others do not wait for them. */
export class InTurn {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the job when all of that key before it have ended, however they did; settles as it does. */
  run<T>(key: string, job: () => MaybePromise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(job, job);
    this.#last.set(key, turn);
    const end = (): void => {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    };
    turn.then(end, end);
    return turn;
  }

  /** Resolved when the jobs of that key have ended that are there now; undefined when there are none. */
  ended(key: string): Promise<void> | undefined {
    const nothing = (): void => {};
    return this.#last.get(key)?.then(nothing, nothing);
  }

  /** Resolved when no job is left, of whatever key. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.allSettled(this.#last.values());
  }
}
