import {
  andThen,
  type BatchTransaction,
  type BatchWriter,
  type MaybePromise,
  type Storage,
} from '../../src/api/index.ts';
import { each } from './each.ts';
import { ENTRIES, STATE } from './schema.ts';
import type { Tail } from './tail.ts';

/** Entries of one insert, from the most to the fewest: few statements, each of which is compiled once. */
const TOGETHER = [200, 50, 10, 1] as const;
/** Statements by the number of entries that they insert. */
const inserts = new Map<number, string>(
  TOGETHER.map(rows => [
    rows,
    `insert into ${ENTRIES} (owner, id, peer, flags, mark) values ${Array.from({ length: rows }, () => '(?, ?, ?, ?, ?)').join(', ')}`,
  ]),
);

interface Portion {
  /** Of entries in the tail's old generation. */
  readonly places: Uint32Array;
  /** All keys up to here are in the table when the last portion is. */
  readonly upTo: number;
  readonly last: boolean;
}

/**
 * Moves the tail into the table of entries, owner by owner, so that rows which lie beside each other are written together. The state
 * that goes into each transaction says how far it came: after a crash it goes on there.
 */
export class Merging {
  private readonly tail: Tail;
  private readonly portion: number;
  private readonly writer: BatchWriter<Portion, void>;
  private readonly raising: BatchWriter<number, void>;
  /** All keys up to this one are in the table. */
  private merged: number;
  private running: Promise<void> | undefined;
  /** Greatest key of the generation that is being moved. */
  private upTo: number;
  /** Places of the old generation that are not in the table yet. */
  private left: Uint32Array | undefined;

  /**
   * `merged`: all keys up to that one are in the table. `upTo`: greatest key of the tail's old generation, where the last run of the
   * program left one. `portion`: entries that one transaction moves.
   */
  constructor(storage: Storage, tail: Tail, { merged, upTo }: { merged: number; upTo: number }, portion: number) {
    this.tail = tail;
    this.portion = portion;
    this.merged = merged;
    this.upTo = upTo;
    this.raising = storage.batch<number, void>({
      name: 'archive imports',
      write: (tx, key) => andThen(tx.run(`update ${STATE} set merged = ? where id = 1`, key), () => undefined),
    });
    this.writer = storage.batch<Portion, void>({
      name: 'archive entries',
      write: (tx, portion) => andThen(this.insert(tx, portion.places), () => this.note(tx, portion)),
    });
  }

  private insert(tx: BatchTransaction, places: Uint32Array): MaybePromise<void> {
    const portions: Uint32Array[] = [];
    let at = 0;
    for (const rows of TOGETHER)
      for (; places.length - at >= rows; at += rows) portions.push(places.subarray(at, at + rows));
    return each(portions, portion => tx.run(inserts.get(portion.length)!, ...this.valuesOf(portion)));
  }

  private valuesOf(places: Uint32Array): readonly number[] {
    const values: number[] = [];
    for (const place of places) this.tail.read(place, values);
    return values;
  }

  private note(tx: BatchTransaction, { places, upTo, last }: Portion): MaybePromise<void> {
    const [owner, key] = this.valuesOf(places.subarray(-1)) as [number, number];
    const sql = `update ${STATE} set merged = ${last ? '?' : 'merged'}, merging = ?, owner = ?, part = ? where id = 1`;
    const values = last ? [upTo, upTo, 0, upTo] : [upTo, owner, key];
    return andThen(tx.run(sql, ...values), () => undefined);
  }

  /** Moves all that is in the tail now. Rejects with a StorageError; what was moved stays moved. */
  run(): Promise<void> {
    return (this.running ??= this.move().finally(() => {
      this.running = undefined;
    }));
  }

  /** Whether what has that key belongs into the table itself. */
  covers(key: number): boolean {
    return key <= this.merged;
  }

  /**
   * Has the table answer for all keys up to this one, so that entries can be written there. Whatever comes for the tail from now on has a
   * greater key, and what came before is in it.
   */
  async raise(key: number): Promise<void> {
    // one that is under way does not move what came since it began
    await this.settled();
    await this.run();
    await this.settled();
    if (this.covers(key)) return;
    this.running = this.raising
      .write(key)
      .then(() => {
        this.merged = key;
        this.tail.begin(key);
      })
      .finally(() => {
        this.running = undefined;
      });
    await this.running;
  }

  /** Resolved when nothing is being moved. */
  async settled(): Promise<void> {
    while (this.running) await this.running.catch(() => undefined);
  }

  private async move(): Promise<void> {
    // what is left of an attempt that failed, or of the last run of the program
    await this.moveOld();
    this.upTo = this.tail.newest;
    this.tail.turn();
    await this.moveOld();
  }

  private async moveOld(): Promise<void> {
    this.left ??= this.tail.places();
    while (this.left.length > 0) {
      const places = this.left.subarray(0, this.portion);
      const rest = this.left.subarray(places.length);
      await this.writer.write({ places, upTo: this.upTo, last: rest.length === 0 });
      this.left = rest;
    }
    this.left = undefined;
    this.tail.settle();
    if (this.upTo > this.merged) this.merged = this.upTo;
  }
}
