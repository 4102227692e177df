/** ms between the beginnings of two small commits, where that gathers more rows. */
const INTERVAL = 1;
/** Rows that are worth a commit of their own at any time. */
const ENOUGH = 32;
/** Commits for which nobody waits after it was in vain. */
const PATIENCE = 64;

/**
 * When the next commit begins. Each one writes whole pages and wakes the loop, so rows that come one by one in quick succession are better
 * committed a millisecond's worth at a time. That pays where senders do not wait for each other: where all who write wait for this
 * very commit nothing comes meanwhile, which is noticed, and the next ones begin at once.
 */
export class Pace {
  private last = 0;
  private waitingBefore = 0;
  private pass = 0;

  /** How long to wait, in ms, with so many rows there; 0: not at all. */
  delay(now: number, rows: number): number {
    this.waitingBefore = 0;
    if (rows >= ENOUGH) return 0;
    const left = this.last + INTERVAL - now;
    if (left <= 0) return 0;
    if (this.pass > 0) {
      this.pass--;
      return 0;
    }
    this.waitingBefore = rows;
    return left;
  }

  /** Whether it makes no sense to wait longer for more. */
  isEnough(rows: number): boolean {
    return rows >= ENOUGH;
  }

  /** A commit begins, with so many rows. */
  begins(now: number, rows: number): void {
    this.last = now;
    if (this.waitingBefore > 0 && rows < 2 * this.waitingBefore) this.pass = PATIENCE;
  }
}
