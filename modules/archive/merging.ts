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
/** Numbers of an entry in the tail's lists, and in the table. */
const WIDTH = 4;
const COLUMNS = 5;

/** Statements by the number of entries that they insert. */
const inserts = new Map<number, string>(
  TOGETHER.map(rows => [
    rows,
    `insert into ${ENTRIES} (owner, id, peer, flags, mark) values ${Array.from({ length: rows }, () => '(?, ?, ?, ?, ?)').join(', ')}`,
  ]),
);

/** Entries of an owner: numbers of its list in the tail, from and to an index. */
interface Piece {
  readonly owner: number;
  readonly from: number;
  readonly to: number;
}

interface Portion {
  readonly pieces: readonly Piece[];
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
  /** How far the portions that are committed came. */
  private reached = { owner: 0, to: 0 };

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
      write: (tx, portion) => andThen(this.insert(tx, portion.pieces), () => this.note(tx, portion)),
    });
  }

  private insert(tx: BatchTransaction, pieces: readonly Piece[]): MaybePromise<void> {
    const values: number[] = [];
    for (const { owner, from, to } of pieces) {
      const list = this.tail.old(owner);
      for (let k = from; k < to; k += WIDTH) values.push(owner, list[k]!, list[k + 1]!, list[k + 2]!, list[k + 3]!);
    }
    const portions: (readonly number[])[] = [];
    let at = 0;
    for (const rows of TOGETHER)
      for (const size = rows * COLUMNS; values.length - at >= size; at += size)
        portions.push(values.slice(at, at + size));
    return each(portions, portion => tx.run(inserts.get(portion.length / COLUMNS)!, ...portion));
  }

  private note(tx: BatchTransaction, { pieces, upTo, last }: Portion): MaybePromise<void> {
    const { owner, to } = pieces.at(-1)!;
    const reached = last ? upTo : this.tail.old(owner)[to - WIDTH];
    const sql = `update ${STATE} set merged = ${last ? '?' : 'merged'}, merging = ?, owner = ?, part = ? where id = 1`;
    return andThen(tx.run(sql, ...(last ? [upTo] : []), upTo, last ? 0 : owner, reached), () => undefined);
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
    this.reached = { owner: 0, to: 0 };
    this.tail.turn();
    await this.moveOld();
  }

  private async moveOld(): Promise<void> {
    const portions = this.portions();
    for (const [index, pieces] of portions.entries()) {
      await this.writer.write({ pieces, upTo: this.upTo, last: index === portions.length - 1 });
      this.reached = pieces.at(-1)!;
      for (const { owner, to } of pieces) if (to === this.tail.old(owner).length) this.tail.drop(owner);
    }
    this.tail.settle();
    if (this.upTo > this.merged) this.merged = this.upTo;
  }

  private portions(): Piece[][] {
    const out: Piece[][] = [];
    let room = 0;
    for (const owner of this.tail.owners()) {
      const { length } = this.tail.old(owner);
      for (let from = owner === this.reached.owner ? this.reached.to : 0; from < length;) {
        if (room <= 0) {
          out.push([]);
          room = this.portion * WIDTH;
        }
        const to = Math.min(length, from + room);
        out.at(-1)!.push({ owner, from, to });
        room -= to - from;
        from = to;
      }
    }
    return out;
  }
}
