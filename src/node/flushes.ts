import type { Session } from '../session/session.ts';
import type { Unit } from '../util/unit.ts';

/** Sessions that have something to say because of one and the same stanza, and are written to before others have their turn. */
const FEW = 100;
/** Of the rest, how many are written to in one tick; and what part of them, where they are so many that they would never be done. */
const SLICE = 100;
const PART = 1 / 8;

/**
 * When sessions write what waits for them: all that is to be said in a tick goes with one write. What goes to very many (a room of
 * thousands, a node with all of its subscribers) does so in slices between which others are heard and answered: a message to somebody
 * does not wait until thousands have been written to.
 */
export class Flushes {
  private dirty: Session[] = [];
  /** Those that wait for a slice, from `at` on. */
  private many: Session[] = [];
  private at = 0;
  private scheduled = false;
  /** Why sessions have something to say at the moment, and how many have. */
  private unit: Unit | undefined;
  private count = 0;

  /** Something else happens from now on. */
  next(): void {
    this.unit = undefined;
    this.count = 0;
  }

  /** Has a session write in the next tick, or a few ticks later. `unit`: what it is a part of. */
  add(session: Session, unit: Unit | undefined): void {
    session.dirty = true;
    if (unit !== this.unit) {
      this.unit = unit;
      this.count = 0;
    }
    (++this.count > FEW ? this.many : this.dirty).push(session);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.flush);
  }

  private readonly flush = (): void => {
    this.scheduled = false;
    this.next();
    const { dirty, many } = this;
    const end = this.at + Math.ceil(Math.max(SLICE, (many.length - this.at) * PART));
    this.dirty = [];
    for (const session of dirty) flush(session);
    while (this.at < end && this.at < many.length) flush(many[this.at++]!);
    if (this.at >= many.length) {
      this.many = [];
      this.at = 0;
    } else if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(this.flush);
    }
  };
}

function flush(session: Session): void {
  session.dirty = false;
  session.flush();
}
