/** Jobs of modules that are done again and again. */
export class Jobs {
  private readonly running = new Map<object, string>();

  /** Modules that have jobs. */
  get owners(): string[] {
    return [...this.running.values()];
  }

  /**
   * Does a job every so many milliseconds, the first time after that time; a turn that comes while the job is at work is left out.
   * The function returned ends it, and waits for a job at work.
   */
  every(
    owner: string,
    milliseconds: number,
    job: () => void | Promise<void>,
    failed: (error: unknown) => void,
  ): () => Promise<void> {
    let work: Promise<void> | undefined;
    const run = async (): Promise<void> => {
      try {
        await job();
      } catch (error) {
        failed(error);
      }
    };
    const timer = setInterval(() => {
      // a job that throws at once must not end before it is noted as begun
      work ??= run().finally(() => (work = undefined));
    }, milliseconds).unref();
    this.running.set(timer, owner);
    return async () => {
      clearInterval(timer);
      this.running.delete(timer);
      await work;
    };
  }
}
