import type { Jid } from '../../src/jid/index.ts';

/** What happens to a message, in the order in which it may. */
export const STEPS = [
  'accepted',
  'committed',
  'routed',
  'queued',
  'offline',
  'acknowledged',
  'written',
  'resumed',
  'left',
  'refused',
] as const;
export type Step = (typeof STEPS)[number];

// What a message says of another one of the same conversation
export const RECEIVED = 1; // XEP-0184
export const DISPLAYED = 2; // XEP-0333
export const ERROR = 4; // RFC 6120 8.3
/** It asks for a receipt. */
export const ASKS = 8;

/** What is known of a message when it is first seen. */
export interface Subject {
  readonly from: Jid;
  readonly to: Jid | undefined;
  /** Numbers of the client's own ids (marks.ts): the attribute, and XEP-0359's. */
  readonly mark: number;
  readonly origin: number;
  /** RECEIVED, DISPLAYED, ERROR: what it says of the message of the client's id whose number is `refers`. ASKS. */
  readonly says: number;
  readonly refers: number;
}

/** A step as it is read. `by`: the address of a session, or the condition of an error. */
export interface Event {
  /** Number of the message's story. */
  readonly story: number;
  readonly step: Step;
  readonly at: number;
  readonly by: string | undefined;
}

export interface Story extends Subject {
  readonly number: number;
  /** Its stanza id, as far as it was given one. */
  readonly id: string | undefined;
}

/** Steps that are kept for each message that is, on average. */
const STEPS_EACH = 5;

/**
 * What became of the last messages: two rings, of messages and of steps, in columns of plain numbers and of objects that are there
 * anyway. To note something makes nothing; whoever asks looks through all of it.
 */
export class Notes {
  /** Messages that are remembered. */
  readonly size: number;
  private readonly room: number;
  /** Number of the message before the first one. Stale numbers, of an earlier run of the module, are none of this one's. */
  private readonly base: number;
  private last: number;
  private steps = 0;
  private readonly froms: Jid[] = [];
  private readonly tos: (Jid | undefined)[] = [];
  private readonly ids: (string | undefined)[] = [];
  private readonly marks: Int32Array;
  private readonly origins: Int32Array;
  private readonly refers: Int32Array;
  private readonly says: Uint8Array;
  private readonly ofs: Float64Array;
  private readonly times: Float64Array;
  private readonly kinds: Uint8Array;
  private readonly bys: (Jid | string | undefined)[] = [];

  constructor(size: number, base = 1 + (Date.now() & 0x3fff_ffff)) {
    this.size = size;
    this.room = size * STEPS_EACH;
    this.base = this.last = base;
    this.marks = new Int32Array(size);
    this.origins = new Int32Array(size);
    this.refers = new Int32Array(size);
    this.says = new Uint8Array(size);
    this.ofs = new Float64Array(this.room);
    this.times = new Float64Array(this.room);
    this.kinds = new Uint8Array(this.room);
  }

  /** Whether it has forgotten messages to make room. */
  get full(): boolean {
    return this.last - this.base > this.size;
  }

  /** Begins the story of a message; its number, which is never 0. */
  begin({ from, to, mark, origin, says, refers }: Subject, id?: string): number {
    const number = ++this.last;
    const i = this.at(number);
    this.froms[i] = from;
    this.tos[i] = to;
    this.ids[i] = id;
    this.marks[i] = mark;
    this.origins[i] = origin;
    this.refers[i] = refers;
    this.says[i] = says;
    return number;
  }

  /** Rings fill from their beginning: holes would make them slow. */
  private at(number: number): number {
    return (number - this.base - 1) % this.size;
  }

  private has(story: number): boolean {
    return story <= this.last && story > this.base && story > this.last - this.size;
  }

  /** Notes a step. `id`: the stanza id, where that is known by now. */
  note(story: number, step: Step, by?: Jid | string, id?: string): void {
    if (!this.has(story)) return;
    if (id !== undefined) this.ids[this.at(story)] = id;
    const i = this.steps++ % this.room;
    this.ofs[i] = story;
    this.times[i] = Date.now();
    this.kinds[i] = STEPS.indexOf(step);
    this.bys[i] = by;
  }

  /** All messages that are remembered, the oldest first. */
  *stories(): Generator<Story> {
    for (let number = Math.max(this.base, this.last - this.size) + 1; number <= this.last; number++) {
      const i = this.at(number);
      yield {
        number,
        from: this.froms[i]!,
        to: this.tos[i],
        id: this.ids[i],
        mark: this.marks[i]!,
        origin: this.origins[i]!,
        says: this.says[i]!,
        refers: this.refers[i]!,
      };
    }
  }

  /** What happened to messages, in order. */
  eventsOf(stories: ReadonlySet<number>): Event[] {
    const out: Event[] = [];
    for (let n = Math.max(0, this.steps - this.room); n < this.steps; n++) {
      const i = n % this.room;
      if (!stories.has(this.ofs[i]!)) continue;
      const by = this.bys[i];
      out.push({
        story: this.ofs[i]!,
        step: STEPS[this.kinds[i]!]!,
        at: this.times[i]!,
        by: typeof by === 'object' ? by.full : by,
      });
    }
    return out;
  }
}
