import { Ring } from '../util/ring.ts';

/**
 * How much of a client's input is handled (XEP-0198 4: h). A stanza may be routed and yet not safe - its commit is under way -
 * and then neither it nor what came after it counts.
 */
export class InputProgress {
  #h: number;
  #open: Ring<{ settled: boolean }> | undefined;
  #waiting: { upTo: number; resolve: () => void }[] = [];

  /** `h`: stanzas that were handled before; for a count that goes on. */
  constructor(h = 0) {
    this.#h = h;
  }

  /** Stanzas handled, modulo 2^32. */
  get h(): number {
    return this.#h;
  }

  /** One more stanza has been handled; with a promise: will have been when it is settled. */
  done(until: Promise<unknown> | undefined): void {
    if (!until && !this.#open?.size) {
      this.#h = (this.#h + 1) >>> 0;
      return;
    }
    const entry = { settled: !until };
    (this.#open ??= new Ring()).push(entry);
    const settle = () => {
      entry.settled = true;
      this.#advance();
    };
    until?.then(settle, settle);
  }

  /** Resolved when all that was done so far counts; undefined when it does already. */
  settled(): Promise<void> | undefined {
    const open = this.#open?.size ?? 0;
    if (open === 0) return undefined;
    return new Promise(resolve => this.#waiting.push({ upTo: (this.#h + open) >>> 0, resolve }));
  }

  /** All that was done so far counts now, safe or not. */
  waive(): void {
    for (let i = 0; i < (this.#open?.size ?? 0); i++) this.#open!.at(i)!.settled = true;
    this.#advance();
  }

  #advance(): void {
    const open = this.#open;
    if (!open) return;
    while (open.at(0)?.settled) {
      open.shift();
      this.#h = (this.#h + 1) >>> 0;
    }
    while (this.#waiting[0] && ((this.#h - this.#waiting[0].upTo) | 0) >= 0) this.#waiting.shift()!.resolve();
  }

  /** Counts from zero again: acknowledgements were agreed just now. */
  restart(): void {
    this.#h = 0;
    this.#open = undefined;
  }
}
