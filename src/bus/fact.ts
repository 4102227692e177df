/** A hook point for what has happened: every listener is told, none can stop it, none is waited for. */
export class Fact<A, B = undefined> {
  readonly name: string;
  readonly doc: string;
  failed: (owner: string, point: string, error: unknown) => void = () => {};
  /** Milliseconds that `settle` waits for a listener. */
  patience = 30_000;
  #listeners: { owner: string; fn: (a: A, b: B) => void | Promise<void> }[] = [];

  constructor(name: string, doc: string) {
    this.name = name;
    this.doc = doc;
  }

  get listeners(): readonly { owner: string }[] {
    return this.#listeners;
  }

  add(owner: string, fn: (a: A, b: B) => void | Promise<void>): () => void {
    const listener = { owner, fn };
    this.#listeners = [...this.#listeners, listener].sort((a, b) =>
      a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : 0,
    );
    return () => {
      this.#listeners = this.#listeners.filter(l => l !== listener);
    };
  }

  tell(a: A, b: B = undefined as B): void {
    for (const { owner, fn } of this.#listeners) {
      try {
        const result = fn(a, b);
        if (result instanceof Promise) result.catch((error: unknown) => this.failed(owner, this.name, error));
      } catch (error) {
        this.failed(owner, this.name, error);
      }
    }
  }

  /**
   * As `tell`, and resolved when all listeners are done, have failed, or took too long: for what must be finished before something
   * else begins.
   */
  async settle(a: A, b: B = undefined as B): Promise<void> {
    await Promise.all(
      this.#listeners.map(async ({ owner, fn }) => {
        let timer: NodeJS.Timeout | undefined;
        try {
          const result = fn(a, b);
          if (!(result instanceof Promise)) return;
          const late = new Promise<never>((_, reject) => {
            const { patience } = this;
            timer = setTimeout(() => reject(new Error(`not done within ${patience} ms`)), patience).unref();
          });
          await Promise.race([result, late]);
        } catch (error) {
          this.failed(owner, this.name, error);
        } finally {
          clearTimeout(timer);
        }
      }),
    );
  }
}
