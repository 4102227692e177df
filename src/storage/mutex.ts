/** Lets one at a time in, in the order in which they came. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves and rejects as the work does. Whoever waits for another `run` inside of its own waits for ever. */
  run<T>(work: () => Promise<T> | T): Promise<T> {
    const result = this.#last.then(work);
    const done = (): void => {};
    this.#last = result.then(done, done);
    return result;
  }
}
