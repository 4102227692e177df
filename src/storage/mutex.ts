/** Lets one at a time in, in the order in which they came. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  get busy(): boolean {
    return this.#waiting > 0;
  }

  run<T>(work: () => Promise<T> | T): Promise<T> {
    this.#waiting++;
    const result = this.#last.then(work);
    const done = (): void => {
      this.#waiting--;
    };
    this.#last = result.then(done, done);
    return result;
  }
}
