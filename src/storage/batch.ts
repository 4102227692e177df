import type { BatchDefinition, BatchTransaction, BatchWriter } from '../api/storage.ts';

interface Entry {
  readonly write: (tx: BatchTransaction) => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Rows of one transaction. */
const MOST = 2000;

/**
 * The group commit: whatever all batch writers have gathered goes into one transaction. One row alone waits for the end of the
 * tick; under load, rows gather while the commit before them is under way.
 */
export class GroupCommit {
  private queue: Entry[] = [];
  private running = false;
  /** Runs work in one transaction: all of it is committed when it returns, none when it throws. */
  private readonly commit: (work: (tx: BatchTransaction) => void) => Promise<void>;
  batches = 0;
  rows = 0;

  constructor(commit: (work: (tx: BatchTransaction) => void) => Promise<void>) {
    this.commit = commit;
  }

  writer<Row, Result>(definition: BatchDefinition<Row, Result>): BatchWriter<Row, Result> {
    let pending = 0;
    const done = (): void => {
      pending--;
    };
    return {
      get pending() {
        return pending;
      },
      write: row => {
        pending++;
        const { promise, resolve, reject } = Promise.withResolvers<Result>();
        promise.then(done, done);
        this.queue.push({ write: tx => definition.write(tx, row), resolve, reject });
        if (!this.running) {
          this.running = true;
          setImmediate(() => void this.run());
        }
        return promise;
      },
    };
  }

  /** Resolved when nothing waits. */
  async settled(): Promise<void> {
    while (this.running) await new Promise(resolve => setImmediate(resolve));
  }

  private async run(): Promise<void> {
    while (this.queue.length > 0) {
      const entries = this.queue.splice(0, MOST);
      try {
        await this.write(entries);
      } catch (error) {
        if (entries.length === 1) entries[0]!.reject(error);
        // one bad row must not cost the others
        else for (const entry of entries) await this.write([entry]).catch((reason: unknown) => entry.reject(reason));
      }
    }
    this.running = false;
  }

  private async write(entries: readonly Entry[]): Promise<void> {
    const results: unknown[] = [];
    await this.commit(tx => {
      for (const entry of entries) results.push(entry.write(tx));
    });
    this.batches++;
    this.rows += entries.length;
    for (const [index, entry] of entries.entries()) entry.resolve(results[index] as never);
  }
}
