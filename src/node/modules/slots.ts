import type { Slot } from '../../api/module.ts';
import type { SessionView } from '../../bus/index.ts';

/** Places on sessions, one a module; places that were given back are used again. */
export class Slots {
  private readonly sessions: () => Iterable<SessionView>;
  private readonly free: number[] = [];
  private next = 0;
  private taken = new Map<object, number>();

  constructor(sessions: () => Iterable<SessionView>) {
    this.sessions = sessions;
  }

  get inUse(): number {
    return this.taken.size;
  }

  take<T>(init: (session: SessionView) => T): Slot<T> {
    const index = this.free.pop() ?? this.next++;
    const slot: Slot<T> = {
      get: session => (session.slots[index] ??= init(session)) as T,
      set: (session, value) => {
        session.slots[index] = value;
      },
    };
    this.taken.set(slot, index);
    return slot;
  }

  give(slot: object): void {
    const index = this.taken.get(slot);
    if (index === undefined) return;
    this.taken.delete(slot);
    for (const session of this.sessions()) session.slots[index] = undefined;
    this.free.push(index);
  }
}
