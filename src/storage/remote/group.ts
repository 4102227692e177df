import type { BatchDelete, BatchInsert, BatchTransaction, StorageError } from '../../api/storage.ts';
import { isOutage } from '../errors.ts';
import { type Entry, gatheredOf, LIMITS, piecesOf, WriteQueue } from '../queue.ts';
import type { Rows } from './dialect.ts';

/** What a group commit writes with, on one connection. */
export interface Session extends BatchTransaction {
  insert(rows: Rows): Promise<readonly number[]>;
  /** Rows of one statement, at most. */
  rowsOf(columns: number): number;
  /** Runs a statement that belongs to the transaction itself. */
  command(sql: string): Promise<unknown>;
}

/**
 * Runs work on the connection of writers, again where nothing of it can be there. `alone`: what it wrote is one statement, which needs no
 * transaction around it.
 */
export type Commit = (work: (session: Session) => Promise<void>, alone: () => boolean) => Promise<void>;

/** Octets of the rows of one transaction, and about those of one statement: servers take 4 MiB in a packet (MySQL 5.7). */
const BYTES = 8 * 1024 * 1024;
const STATEMENT_BYTES = 1024 * 1024;

/** The group commit of a database behind a network: what is data goes in statements of many rows. */
export class RemoteGroup extends WriteQueue {
  private readonly commit: Commit;

  constructor(commit: Commit, closed: () => StorageError | undefined) {
    super(LIMITS, closed);
    this.commit = commit;
  }

  protected async flush(): Promise<void> {
    let entries: Entry[] = [];
    let steps: Step[] = [];
    let results: unknown[] = [];
    const choose = (): void => {
      // chosen only now: what came while the transaction waited for its turn goes with it; but once, however often it is tried
      if (entries.length > 0) return;
      entries = this.takeSome();
      steps = stepsOf(entries);
    };
    try {
      await this.commit(
        async session => {
          results = await writeAll(session, entries, steps);
        },
        () => {
          choose();
          return steps.length === 1 && steps[0]!.kind !== 'any' && fits(steps[0]!) && gatheredOf(entries).size === 0;
        },
      );
    } catch (error) {
      if (entries.length === 0) this.refuseAll(error);
      else if (isOutage(error)) {
        this.refuse(entries, error);
        this.refuseAll(error);
      } else if (piecesOf(entries).length === 1) this.refuse(entries, error);
      else await this.apart(entries);
      return;
    }
    this.settle(entries, results);
  }

  /** One bad row must not cost the others: each, and what belongs together, has a savepoint to go back to. */
  private async apart(entries: readonly Entry[]): Promise<void> {
    let good: Entry[] = [];
    let results: unknown[] = [];
    let refused = new Map<readonly Entry[], unknown>();
    const pieces = piecesOf(entries);
    try {
      await this.commit(
        async session => {
          good = [];
          results = [];
          refused = new Map();
          for (const piece of pieces) {
            await session.command('SAVEPOINT one_row');
            try {
              const written = await writeAll(session, piece, stepsOf(piece));
              await session.command('RELEASE SAVEPOINT one_row');
              good.push(...piece);
              results.push(...written);
            } catch (error) {
              if (isOutage(error)) throw error;
              await session.command('ROLLBACK TO SAVEPOINT one_row');
              await session.command('RELEASE SAVEPOINT one_row');
              refused.set(piece, error);
            }
          }
        },
        () => false,
      );
    } catch (error) {
      for (const piece of pieces) this.refuse(piece, refused.get(piece) ?? error);
      return;
    }
    for (const [piece, error] of refused) this.refuse(piece, error);
    this.settle(good, results);
  }

  private takeSome(): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    do {
      const entry = this.take();
      entries.push(entry);
      bytes += entry.bytes;
    } while (
      this.queue.size > 0 &&
      (this.joins(entries.at(-1)!) || (entries.length < this.limits.rows && bytes < BYTES))
    );
    return entries;
  }
}

/** What is written at once: entries, by their places, of one kind. */
interface Step {
  readonly kind: 'insert' | 'delete' | 'any';
  readonly table: string;
  /** What must be the same for rows of one statement. */
  readonly key: string;
  readonly places: number[];
  readonly entries: Entry[];
}

/**
 * Rows that are data stand together by table; among those of a table the order is kept, and no row passes one that is not data:
 * nobody knows what that reads.
 */
function stepsOf(entries: readonly Entry[]): Step[] {
  const steps: Step[] = [];
  let last = new Map<string, Step>();
  for (const [place, entry] of entries.entries()) {
    const { definition } = entry;
    if ('writeAll' in definition) continue;
    if ('write' in definition) {
      steps.push({ kind: 'any', table: '', key: '', places: [place], entries: [entry] });
      last = new Map();
      continue;
    }
    const [kind, table, key] =
      'from' in definition
        ? (['delete', definition.from, definition.column] as const)
        : (['insert', definition.into, `${definition.columns.join()}${definition.counted}`] as const);
    let step = last.get(table);
    if (!step || step.kind !== kind || step.key !== key) {
      step = { kind, table, key, places: [], entries: [] };
      last.set(table, step);
      steps.push(step);
    }
    step.places.push(place);
    step.entries.push(entry);
  }
  return steps;
}

async function writeAll(session: Session, entries: readonly Entry[], steps: readonly Step[]): Promise<unknown[]> {
  const results = Array.from<unknown>({ length: entries.length });
  for (const { kind, places, entries: some } of steps) {
    if (kind === 'any') {
      const [{ definition, row }] = some as [Entry];
      if ('write' in definition) results[places[0]!] = await definition.write(session, row);
    } else if (kind === 'delete') await deleteAll(session, some);
    else {
      const ids = await insertAll(session, some);
      for (const [index, place] of places.entries()) results[place] = ids[index] ?? 0;
    }
  }
  for (const [definition, rows] of gatheredOf(entries)) await definition.writeAll(session, rows);
  return results;
}

async function insertAll(session: Session, entries: readonly Entry[]): Promise<number[]> {
  const { into, columns, counted } = entries[0]!.definition as BatchInsert<never>;
  const ids: number[] = [];
  for (const some of portions(entries, session.rowsOf(columns.length))) {
    const values = some.map(({ definition, row }) => (definition as BatchInsert<never>).values(row));
    ids.push(...(await session.insert({ into, columns, counted, values })));
  }
  return ids;
}

async function deleteAll(session: Session, entries: readonly Entry[]): Promise<void> {
  const { from, column } = entries[0]!.definition as BatchDelete<never>;
  for (const some of portions(entries, session.rowsOf(1))) {
    const values = some.map(({ definition, row }) => (definition as BatchDelete<never>).value(row));
    await session.run(`DELETE FROM ${from} WHERE ${column} IN (${values.map(() => '?').join(', ')})`, ...values);
  }
}

/** Entries for one statement each. */
function* portions(entries: readonly Entry[], most: number): Generator<readonly Entry[]> {
  for (let start = 0; start < entries.length;) {
    let end = start;
    let bytes = 0;
    do bytes += entries[end++]!.bytes;
    while (end < entries.length && end - start < most && bytes + entries[end]!.bytes <= STATEMENT_BYTES);
    yield entries.slice(start, end);
    start = end;
  }
}

/** Whether a step is one statement on every database. */
function fits({ entries }: Step): boolean {
  return entries.length <= 1000 && entries.reduce((sum, { bytes }) => sum + bytes, 0) <= STATEMENT_BYTES;
}
