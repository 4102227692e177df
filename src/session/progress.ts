import { Ring } from '../util/ring.ts';
import type { Unit, UnitListener } from '../util/unit.ts';

/** A stanza that is routed and not safe yet. */
class Open implements UnitListener {
  /** What it waits for. */
  waits = 0;
  readonly unit: Unit | undefined;
  private readonly advance: () => void;

  constructor(until: Promise<unknown> | undefined, unit: Unit | undefined, advance: () => void) {
    this.unit = unit;
    this.advance = advance;
    if (until) this.after(until);
    if (unit) this.waits++;
    unit?.whenSettled(this);
  }

  private after(until: Promise<unknown>): void {
    this.waits++;
    const settle = (): void => this.settle();
    until.then(settle, settle);
  }

  unitSettled({ further }: Unit): void {
    if (further) this.after(further);
    this.settle();
  }

  private settle(): void {
    if (--this.waits === 0) this.advance();
  }
}

/**
 * How much of a client's input is handled (XEP-0198 4: h). A stanza may be routed and yet not safe - its commit is under way -
 * and then neither it nor what came after it counts.
 */
export class InputProgress {
  #h: number;
  #open: Ring<Open> | undefined;
  #waiting: { upTo: number; resolve: () => void }[] = [];

  /** `h`: stanzas that were handled before; for a count that goes on. */
  constructor(h = 0) {
    this.#h = h;
  }

  /** Stanzas handled, modulo 2^32. */
  get h(): number {
    return this.#h;
  }

  /** Stanzas that will have been handled when what is being written now is committed, modulo 2^32. */
  get ahead(): number {
    const open = this.#open;
    let count = 0;
    for (
      let one = open?.at(0);
      one && (one.waits <= 0 || (one.waits === 1 && one.unit?.writing));
      one = open!.at(++count)
    );
    return (this.#h + count) >>> 0;
  }

  /** One more stanza has been handled; with a promise or a unit: will have been when these are settled. */
  done(until: Promise<unknown> | undefined, unit?: Unit): void {
    const pending = unit?.pending ? unit : undefined;
    if (!until && !pending && !this.#open?.size) {
      this.#h = (this.#h + 1) >>> 0;
      return;
    }
    (this.#open ??= new Ring()).push(new Open(until, pending, this.#advance));
  }

  /** Resolved when all that was done so far counts; undefined when it does already. */
  settled(): Promise<void> | undefined {
    const open = this.#open?.size ?? 0;
    if (open === 0) return undefined;
    return new Promise(resolve => this.#waiting.push({ upTo: (this.#h + open) >>> 0, resolve }));
  }

  /** All that was done so far counts now, safe or not. */
  waive(): void {
    for (let i = 0; i < (this.#open?.size ?? 0); i++) this.#open!.at(i)!.waits = 0;
    this.#advance();
  }

  readonly #advance = (): void => {
    const open = this.#open;
    if (!open) return;
    for (let one = open.at(0); one && one.waits <= 0; one = open.at(0)) {
      open.shift();
      this.#h = (this.#h + 1) >>> 0;
    }
    while (this.#waiting[0] && ((this.#h - this.#waiting[0].upTo) | 0) >= 0) this.#waiting.shift()!.resolve();
  };

  /** Counts from zero again: acknowledgements were agreed just now. */
  restart(): void {
    this.#h = 0;
    this.#open = undefined;
  }
}
