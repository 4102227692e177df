import type { Slot, SlotJson } from '../../api/module.ts';
import type { SessionView } from '../../bus/index.ts';

/** Stands for a value that was set to undefined; undefined itself stands for none. */
const UNDEFINED = Symbol('undefined');

/**
 * Places on sessions, one for each value that a module keeps there; places that were given back are used again. While a module is
 * exchanged for another version of itself its places wait, with what is in them: its sessions go on as they were.
 */
export class Slots {
  private readonly sessions: () => Iterable<SessionView>;
  /** Told when something changes that outlives the program. */
  private readonly changed: (session: SessionView) => void;
  /** What outlives the program, by its place: under the name of its module and its number among that one's. */
  private readonly lasting = new Map<number, { readonly name: string; readonly json: SlotJson<unknown> }>();
  private readonly free: number[] = [];
  private readonly taken = new Map<number, string>();
  private made = 0;
  /** Modules that are being exchanged, each with the places that it gave back, in the order in which it had taken them. */
  private waiting = new Map<string, number[]>();

  constructor(sessions: () => Iterable<SessionView>, changed: (session: SessionView) => void = () => {}) {
    this.sessions = sessions;
    this.changed = changed;
  }

  /** What modules keep of a session that outlives the program. */
  lastingOf({ slots }: SessionView): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    for (const [index, { name, json }] of this.lasting) {
      const value = slots[index];
      const written = value === undefined || value === UNDEFINED ? undefined : json.write(value);
      if (written !== undefined) out[name] = written;
    }
    return out;
  }

  /** Gives a session what `lastingOf` had. */
  restore({ slots }: SessionView, former: Readonly<Record<string, unknown>>): void {
    for (const [index, { name, json }] of this.lasting) {
      if (Object.hasOwn(former, name)) slots[index] = json.read(former[name]);
    }
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

  /** Has the places of these modules wait for their next version, until `settle`. */
  keepFor(owners: Iterable<string>): void {
    for (const owner of owners) this.waiting.set(owner, []);
  }

  /** Gives up the places that nobody came back for. */
  settle(): void {
    const left = [...this.waiting.values()].flat();
    this.waiting = new Map();
    for (const index of left) this.clear(index);
  }

  private clear(index: number): void {
    this.free.push(index);
    for (const session of this.sessions()) if (session.slots[index] !== undefined) session.slots[index] = undefined;
  }

  /** The function returned gives the place back, and clears it on all sessions. */
  take<T>(owner: string, init: (session: SessionView) => T, json?: SlotJson<T>): { slot: Slot<T>; give: () => void } {
    const number = [...this.taken.values()].filter(other => other === owner).length;
    const index = this.waiting.get(owner)?.shift() ?? this.free.pop() ?? this.made++;
    this.taken.set(index, owner);
    if (json) this.lasting.set(index, { name: `${owner}:${number}`, json: json as SlotJson<unknown> });
    let ours = true;
    const put = (session: SessionView, value: T): T => {
      // what an unloaded module still does must not reach the next owner's values
      if (ours) session.slots[index] = value === undefined ? UNDEFINED : value;
      return value;
    };
    const slot: Slot<T> = {
      get: session => {
        const value = ours ? session.slots[index] : undefined;
        if (value === undefined) return put(session, init(session));
        return (value === UNDEFINED ? undefined : value) as T;
      },
      set: (session, value) => {
        put(session, value);
        if (json && ours) this.changed(session);
        return value;
      },
    };
    const give = (): void => {
      if (!ours) return;
      ours = false;
      this.taken.delete(index);
      this.lasting.delete(index);
      // given back newest first
      const waiting = this.waiting.get(owner);
      if (waiting) waiting.unshift(index);
      else this.clear(index);
    };
    return { slot, give };
  }
}
