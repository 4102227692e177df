import type { Connection } from '../api/connection.ts';
import type { Safety, SessionView } from '../bus/index.ts';
import { Ring } from '../util/ring.ts';

export interface OutboxLimits {
  /** Bytes that may wait, written or not, acknowledged not. */
  readonly bytes: number;
  /** Stanzas that may wait. */
  readonly stanzas: number;
}

/** A stanza that its client never took, on its way elsewhere. */
export interface Leftover {
  readonly wire: string;
  /** When it entered the outbox; milliseconds since 1970. */
  readonly since: number;
  /** Told with true once the stanza is safe elsewhere. */
  readonly taken: ((taken: boolean) => void) | undefined;
  /** Nobody else needs it: an answer, a push. */
  readonly disposable: boolean;
  /** What its sender waits for. */
  readonly safety: Safety | undefined;
  /** While it is being stored; `taken` is right afterwards. */
  readonly storing: Promise<void> | undefined;
}

/** Whose outbox it is. */
export interface OutboxOwner {
  /** The client has a message that has a story (Packet.story). */
  told(story: number): void;
}

interface Item extends Leftover {
  taken: ((taken: boolean) => void) | undefined;
  storing: Promise<void> | undefined;
  /** Packet.story. */
  readonly story: number;
}

/** Bytes that a connection may owe the kernel before the rest waits here: what is here is known to be unsent. */
const WINDOW = 128 * 1024;

/**
 * What is to be sent to one client: a bounded queue that never makes its writer wait. A stanza stays until the client has it:
 * until it is acknowledged where the client acknowledges (XEP-0198), else until the kernel took its last byte.
 */
export class Outbox {
  #queue = new Ring<Item>();
  /** How many at the head of the queue were written to the present connection. */
  #written = 0;
  /** How many at the head were written to any connection: the client may have them, and may acknowledge them. */
  #known = 0;
  /** The connection's byte count before the oldest of the queue was written. */
  #origin = 0;
  #bytes = 0;
  /** Whether the client acknowledges. */
  #acknowledged = false;
  /** How many at the head were written before that was agreed: they are not counted, and stay until the kernel took them. */
  #before = 0;
  /** Stanzas acknowledged since that was agreed, modulo 2^32: the client's h. */
  #acks: number;
  /** Bytes of the connection that the kernel had taken at the last look, and when so many were seen first. */
  #progress = -1;
  #progressAt = 0;

  readonly #owner: OutboxOwner | undefined;

  /** `acks`: stanzas that were acknowledged before; for a queue that goes on. */
  constructor(owner?: OutboxOwner, acks = 0) {
    this.#owner = owner;
    this.#acks = acks;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Stanzas that wait to be written. */
  get unwritten(): number {
    return this.#queue.size - this.#written;
  }

  /** Stanzas that were written and not acknowledged. */
  get unacknowledged(): number {
    return Math.max(0, this.#written - this.#before);
  }

  /** Since when the reader has taken nothing of what waits for it, as far as the looks at it tell; undefined when nothing waits. */
  stuckSince(connection: Connection, now: number): number | undefined {
    const { backlog } = connection;
    if (backlog === 0) {
      this.#progress = -1;
      return undefined;
    }
    const progress = connection.written - backlog;
    if (progress !== this.#progress) {
      this.#progress = progress;
      this.#progressAt = now;
    }
    return this.#progressAt;
  }

  /** The count that the last <a/> of the client said. */
  get acks(): number {
    return this.#acks;
  }

  /** Number of stanzas sent since acknowledgements were agreed, modulo 2^32. */
  get sent(): number {
    return (this.#acks + this.#known - this.#before) >>> 0;
  }

  exceeds(limits: OutboxLimits): boolean {
    return this.#bytes > limits.bytes || this.#queue.size > limits.stanzas;
  }

  push(
    wire: string,
    now: number,
    taken: ((taken: boolean) => void) | undefined,
    disposable: boolean,
    safety?: Safety,
    story = 0,
  ): void {
    this.#queue.push({ wire, since: now, taken, disposable, safety, storing: undefined, story });
    this.#bytes += wire.length;
  }

  /** When the oldest message came whose sender still waits to hear that it is safe; undefined when none does. */
  get unsafeSince(): number | undefined {
    const queue = this.#queue;
    for (let i = 0; i < queue.size; i++) {
      const { safety, since } = queue.at(i)!;
      if (safety && !safety.isReached) return since;
    }
    return undefined;
  }

  /** See SessionView.stories. */
  stories(): number[] {
    const out: number[] = [];
    for (let i = 0; i < this.#queue.size; i++) {
      const { story } = this.#queue.at(i)!;
      if (story !== 0) out.push(story);
    }
    return out;
  }

  /** See SessionView.entrust. */
  entrust(keep: Parameters<SessionView['entrust']>[0]): void {
    const queue = this.#queue;
    for (let i = 0; i < queue.size; i++) {
      const item = queue.at(i)!;
      const { safety, wire, since } = item;
      if (!safety || safety.isReached || item.taken) continue;
      const kept = keep(wire, since);
      if (kept === 'not for later') safety.reach();
      if (typeof kept !== 'object') continue;
      item.taken = taken => kept.taken(taken);
      item.storing = kept.committed
        .then(
          () => safety.reach(),
          // it is as it was: here, and nowhere else
          () => (item.taken = undefined),
        )
        .then(() => (item.storing = undefined));
    }
  }

  /** From here on a stanza stays until the client acknowledges it. What was written before is not counted (XEP-0198 4). */
  acknowledge(): void {
    this.#acknowledged = true;
    this.#before = this.#known = this.#written;
  }

  /** Writes what waits, as far as the connection takes it, and `last` behind it. True when stanzas were written. */
  flush(connection: Connection, last = ''): boolean {
    const queue = this.#queue;
    if (this.#written === 0) this.#origin = connection.written;
    let room = WINDOW - connection.backlog;
    let any = false;
    while (this.#written < queue.size && room > 0) {
      const { wire } = queue.at(this.#written)!;
      connection.write(wire);
      room -= wire.length;
      this.#written++;
      any = true;
    }
    if (any) {
      if (last !== '') connection.write(last);
      connection.flush();
    }
    if (this.#known < this.#written) this.#known = this.#written;
    if (connection.backlog === 0) this.drained();
    return any;
  }

  /** The kernel has taken all that was written. */
  drained(): void {
    if (!this.#acknowledged) this.#release(this.#written, true);
    else if (this.#before > 0) this.#release(this.#before, true);
  }

  /** Whether a count is behind what the client has acknowledged: it was said before that. */
  isPast(h: number): boolean {
    return h !== this.#acks && (this.#acks - h) >>> 0 < 0x80000000;
  }

  /** The client has handled this many stanzas, modulo 2^32. False when that is more than were sent (XEP-0198 4). */
  ack(h: number): boolean {
    const count = (h - this.#acks) >>> 0;
    if (count > this.#known - this.#before) return false;
    this.#acks = h >>> 0;
    // a client that has those has what was written before them
    if (count > 0) this.#release(this.#before + count, true);
    return true;
  }

  /** The connection is gone: without acknowledgements, what its kernel took is taken. Everything else is unwritten again. */
  disconnected(connection: Connection): void {
    if (!this.#acknowledged || this.#before > 0) {
      const unacknowledged = this.#acknowledged ? this.#before : this.#written;
      let bytes = connection.written - connection.backlog - this.#origin;
      let count = 0;
      while (count < unacknowledged && bytes >= this.#queue.at(count)!.wire.length) {
        bytes -= this.#queue.at(count)!.wire.length;
        count++;
      }
      this.#release(count, true);
      // the client never had the rest of these, nor what came behind it: from now on they count
      if (this.#before > 0) this.#before = this.#known = 0;
    }
    this.#written = 0;
    this.#progress = -1;
  }

  /** Empties the queue: its stanzas go elsewhere. */
  *leave(): Generator<Leftover> {
    for (let item = this.#queue.shift(); item; item = this.#queue.shift()) {
      this.#bytes -= item.wire.length;
      yield item;
    }
    this.#written = this.#known = this.#before = 0;
  }

  #release(count: number, taken: boolean): void {
    // who is told may write again, or close: only when everything here is right again
    let told: Item[] | undefined;
    for (let i = 0; i < count; i++) {
      const item = this.#queue.shift()!;
      if (this.#written > 0) this.#written--;
      if (this.#known > 0) this.#known--;
      if (this.#before > 0) this.#before--;
      this.#bytes -= item.wire.length;
      if (item.taken || item.safety || item.story !== 0) (told ??= []).push(item);
    }
    if (!told) return;
    for (const { taken: tell, safety, story } of told) {
      tell?.(taken);
      safety?.reach();
      if (story !== 0) this.#owner?.told(story);
    }
  }
}
