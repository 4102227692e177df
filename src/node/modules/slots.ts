import type { Slot } from '../../api/module.ts';
import type { SessionView } from '../../bus/index.ts';

/** Stands for a value that was set to undefined; undefined itself stands for none. */
const UNDEFINED = Symbol('undefined');

/** Places on sessions, one for each value that a module keeps there; places that were given back are used again. */
export class Slots {
  private readonly sessions: () => Iterable<SessionView>;
  private readonly free: number[] = [];
  private readonly taken = new Map<number, string>();

  constructor(sessions: () => Iterable<SessionView>) {
    this.sessions = sessions;
  }

  /** Modules that have places. */
  get owners(): string[] {
    return [...this.taken.values()];
  }

  /** Sessions that hold a value in a place that is nobody's. */
  get leftovers(): number {
    let found = 0;
    for (const { slots } of this.sessions()) {
      if (slots.some((value, index) => value !== undefined && !this.taken.has(index))) found++;
    }
    return found;
  }

  /** The function returned gives the place back, and clears it on all sessions. */
  take<T>(owner: string, init: (session: SessionView) => T): { slot: Slot<T>; give: () => void } {
    const index = this.free.pop() ?? this.taken.size;
    this.taken.set(index, owner);
    let ours = true;
    const set = (session: SessionView, value: T): T => {
      // what an unloaded module still does must not reach the next owner's values
      if (ours) session.slots[index] = value === undefined ? UNDEFINED : value;
      return value;
    };
    const slot: Slot<T> = {
      get: session => {
        const value = ours ? session.slots[index] : undefined;
        if (value === undefined) return set(session, init(session));
        return (value === UNDEFINED ? undefined : value) as T;
      },
      set,
    };
    const give = (): void => {
      if (!ours) return;
      ours = false;
      this.taken.delete(index);
      this.free.push(index);
      for (const session of this.sessions()) if (session.slots[index] !== undefined) session.slots[index] = undefined;
    };
    return { slot, give };
  }
}
