import type { BatchInsert, BatchTransaction, StorageError } from '../api/storage.ts';
import { isOutage, storageError } from './errors.ts';
import { type BatchLimits, type Entry, gatheredOf, LIMITS, piecesOf, TOGETHER, WriteQueue } from './queue.ts';

/** Runs work in one transaction: all of it is committed when it returns, none when it throws. */
export type Commit = (work: (tx: BatchTransaction) => void) => Promise<void>;

/** The group commit of a database in this process: whatever all batch writers have gathered goes into one transaction. */
export class GroupCommit extends WriteQueue {
  private readonly commit: Commit;

  constructor(commit: Commit, limits: BatchLimits = LIMITS, closed?: () => StorageError | undefined) {
    super(limits, closed);
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
        } while (this.queue.size > 0 && (this.joins(entries.at(-1)!) || this.hasTime(entries.length, until)));
        gather(tx, entries);
      });
    } catch (cause) {
      const error = storageError(cause);
      if (entries.length === 0) this.refuseAll(error);
      else if (piecesOf(entries).length === 1 || isOutage(error)) this.refuse(entries, error);
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

  private hasTime(rows: number, until: number): boolean {
    return rows < this.limits.rows && performance.now() < until;
  }

  /** One bad row must not cost the others: each, and what belongs together, has a savepoint to go back to. */
  private async apart(entries: readonly Entry[]): Promise<void> {
    const good: Entry[] = [];
    const results: unknown[] = [];
    const refused = new Map<readonly Entry[], unknown>();
    const pieces = piecesOf(entries);
    try {
      await this.commit(tx => {
        for (const piece of pieces) {
          void tx.run('SAVEPOINT one_row');
          try {
            const written = piece.map(entry => write(tx, entry));
            gather(tx, piece);
            void tx.run('RELEASE SAVEPOINT one_row');
            good.push(...piece);
            results.push(...written);
          } catch (cause) {
            const error = storageError(cause);
            if (isOutage(error)) throw error; // SQLite has gone back by itself, behind the savepoint
            void tx.run('ROLLBACK TO SAVEPOINT one_row');
            void tx.run('RELEASE SAVEPOINT one_row');
            refused.set(piece, error);
          }
        }
      });
    } catch (cause) {
      const error = storageError(cause);
      for (const piece of pieces) this.refuse(piece, refused.get(piece) ?? error);
      return;
    }
    for (const [piece, error] of refused) this.refuse(piece, error);
    this.settle(good, results);
  }
}

function gather(tx: BatchTransaction, entries: readonly Entry[]): void {
  for (const [definition, rows] of gatheredOf(entries)) {
    const result = definition.writeAll(tx, rows);
    if (result instanceof Promise) throw new Error(`the batch '${definition.name}' waits where nothing has to`);
  }
}

/** Rows of one definition, in one statement. */
function writeMany(tx: BatchTransaction, entries: readonly Entry[]): void {
  const values: unknown[] = [];
  for (const { definition, row } of entries) values.push(...(definition as BatchInsert<never>).values(row));
  void tx.run(entries[0]!.many!, ...values);
}

function write(tx: BatchTransaction, { definition, row, sql }: Entry): unknown {
  if ('writeAll' in definition) return undefined;
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
