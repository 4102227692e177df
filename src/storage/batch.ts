import type { BatchInsert, BatchTransaction } from '../api/storage.ts';
import { isOutage, storageError } from './errors.ts';
import { type BatchLimits, type Entry, LIMITS, TOGETHER, WriteQueue } from './queue.ts';

/** Runs work in one transaction: all of it is committed when it returns, none when it throws. */
export type Commit = (work: (tx: BatchTransaction) => void) => Promise<void>;

/** The group commit of a database in this process: whatever all batch writers have gathered goes into one transaction. */
export class GroupCommit extends WriteQueue {
  private readonly commit: Commit;

  constructor(commit: Commit, limits: BatchLimits = LIMITS) {
    super(limits);
    this.commit = commit;
  }

  protected async flush(): Promise<void> {
    const entries: Entry[] = [];
    const results: unknown[] = [];
    try {
      await this.commit(tx => {
        // chosen only now: what came while the transaction waited for its turn goes with it
        const until = performance.now() + this.limits.slice;
        do {
          if (this.takeMany(entries)) {
            writeMany(tx, entries.slice(-TOGETHER));
            while (results.length < entries.length) results.push(0);
            continue;
          }
          const entry = this.take();
          entries.push(entry);
          results.push(write(tx, entry));
        } while (this.queue.size > 0 && entries.length < this.limits.rows && performance.now() < until);
      });
    } catch (cause) {
      const error = storageError(cause);
      if (entries.length === 0) this.refuseAll(error);
      else if (entries.length === 1 || isOutage(error)) for (const entry of entries) entry.reject(error);
      else await this.apart(entries);
      return;
    }
    this.settle(entries, results);
  }

  /** Takes the next rows if they can go in one statement, all or none. */
  private takeMany(into: Entry[]): boolean {
    const { queue } = this;
    const first = queue.at(0)!;
    if (first.many === undefined || queue.size < TOGETHER || into.length + TOGETHER > this.limits.rows) return false;
    for (let i = 1; i < TOGETHER; i++) if (queue.at(i)!.definition !== first.definition) return false;
    for (let i = 0; i < TOGETHER; i++) into.push(this.take());
    return true;
  }

  /** One bad row must not cost the others: each has a savepoint to go back to. */
  private async apart(entries: readonly Entry[]): Promise<void> {
    const results: unknown[] = [];
    const refused = new Map<Entry, unknown>();
    try {
      await this.commit(tx => {
        for (const entry of entries) {
          void tx.run('SAVEPOINT one_row');
          try {
            const result = write(tx, entry);
            void tx.run('RELEASE SAVEPOINT one_row');
            results.push(result);
          } catch (cause) {
            const error = storageError(cause);
            if (isOutage(error)) throw error; // SQLite has gone back by itself, behind the savepoint
            void tx.run('ROLLBACK TO SAVEPOINT one_row');
            void tx.run('RELEASE SAVEPOINT one_row');
            refused.set(entry, error);
          }
        }
      });
    } catch (cause) {
      const error = storageError(cause);
      for (const entry of entries) entry.reject(refused.get(entry) ?? error);
      return;
    }
    for (const [entry, error] of refused) entry.reject(error);
    this.settle(
      entries.filter(entry => !refused.has(entry)),
      results,
    );
  }
}

/** Rows of one definition, in one statement. */
function writeMany(tx: BatchTransaction, entries: readonly Entry[]): void {
  const values: unknown[] = [];
  for (const { definition, row } of entries) values.push(...(definition as BatchInsert<never>).values(row));
  void tx.run(entries[0]!.many!, ...values);
}

function write(tx: BatchTransaction, { definition, row, sql }: Entry): unknown {
  if ('write' in definition) {
    const result = definition.write(tx, row);
    if (result instanceof Promise) throw new Error(`the batch '${definition.name}' waits where nothing has to`);
    return result;
  }
  if ('from' in definition) {
    void tx.run(sql, definition.value(row));
    return undefined;
  }
  const done = tx.run(sql, ...definition.values(row)) as { id: number };
  return definition.counted ? done.id : 0;
}
