import type { Connection } from '../api/connection.ts';
import { Safety, type SessionView, wireJid } from '../bus/index.ts';
import type { Jid } from '../jid/index.ts';
import { Ring } from '../util/ring.ts';
import type { Unit } from '../util/unit.ts';
import { indexed } from '../xml/index.ts';
import type { Item, KeptItem, OutboxItem, OutboxLimits, OutboxOwner, Leftover } from './outbox-item.ts';

export type { KeptItem, Leftover, OutboxItem, OutboxLimits, OutboxOwner } from './outbox-item.ts';

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
  /** Numbers of what came back from the journal, until the client says how much of it it has. */
  #numbers: Map<OutboxItem, number> | undefined;
  #places = 0;

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

  /** Whether it counts from here on what is written: nothing that is not counted is on its way any more. */
  get counts(): boolean {
    return this.#acknowledged && this.#before === 0;
  }

  /** Whether the next that waits may be written. */
  get isOpen(): boolean {
    const next = this.#queue.at(this.#written);
    return next !== undefined && !next.unit?.pending;
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
    unit?: Unit,
    kept = false,
  ): OutboxItem {
    const item: Item = {
      wire,
      since: now,
      taken,
      disposable,
      safety,
      storing: undefined,
      story,
      unit,
      number: undefined,
      kept,
      place: this.#places++,
    };
    this.#queue.push(item);
    this.#bytes += wire.length;
    return item;
  }

  // ---- the journal ------------------------------------------------------------------------------------------------------------

  /** What the journal is to know, of what is committed, or waits for nothing but `own`. */
  *kept(own?: Unit): Generator<KeptItem> {
    const queue = this.#queue;
    for (let i = 0; i < queue.size; i++) {
      const item = queue.at(i)!;
      if (!item.kept || (item.unit?.pending && item.unit !== own)) continue;
      yield { number: this.numberOf(item), since: item.since, wire: item.wire };
    }
  }

  /** The number of a stanza among those sent (XEP-0198 4), modulo 2^32; 0 while nobody knows what the client has. */
  numberOf(item: OutboxItem): number {
    if (item.number !== undefined) return item.number;
    if (this.#numbers) return this.#numbers.get(item) ?? 0;
    const first = this.#places - this.#queue.size;
    return (this.#acks + item.place - first + 1 - this.#before) >>> 0;
  }

  /** A queue that goes on: what the journal had of it. */
  restore(items: readonly KeptItem[]): void {
    this.acknowledge();
    this.#numbers = new Map();
    for (const { number, since, wire } of items) {
      const item = this.push(wire, since, undefined, false, undefined, 0, undefined, true);
      if (number !== 0) this.#numbers.set(item, number);
    }
  }

  /** Whether it came back from the journal, and nobody knows yet what of it the client has. */
  get isRestored(): boolean {
    return this.#numbers !== undefined;
  }

  /**
   * The client of a queue that came back has handled so many stanzas, modulo 2^32. The rest is numbered anew, and waits for `unit`. False
   * when it has acknowledged more before.
   */
  resumeAt(h: number, unit: Unit): boolean {
    if (this.isPast(h)) return false;
    const numbers = this.#numbers!;
    this.#numbers = undefined;
    this.#acks = h >>> 0;
    const left: Item[] = [];
    for (let item = this.#queue.shift(); item; item = this.#queue.shift()) {
      const number = numbers.get(item);
      if (number === undefined || ((number - h) | 0) > 0) left.push(item);
      else {
        this.#bytes -= item.wire.length;
        item.taken?.(true);
      }
    }
    for (const item of left) {
      if (!item.unit?.pending) item.unit = unit;
      item.place = this.#places++;
      this.#queue.push(item);
    }
    return true;
  }

  /** What belongs to the unit could not be committed, and is not sent: `filler` has its number instead, where it has one. */
  withdraw(unit: Unit, filler: string): void {
    for (const item of this.#of(unit)) {
      this.#bytes -= item.wire.length;
      item.wire = this.#acknowledged ? filler : '';
      this.#bytes += item.wire.length;
      item.disposable = true;
      item.kept = false;
    }
  }

  /** What belongs to the unit is not in the journal, and is sent all the same: its sender waits for the client. */
  unkept(unit: Unit): boolean {
    let any = false;
    for (const item of this.#of(unit)) {
      if (!item.kept || item.taken || item.safety) continue;
      const { reached } = (item.safety = new Safety());
      unit.further = unit.further ? Promise.all([unit.further, reached]) : reached;
      any = true;
    }
    return any;
  }

  #of(unit: Unit): Item[] {
    const items: Item[] = [];
    // it is not written yet
    for (let i = this.#written; i < this.#queue.size; i++) {
      const item = this.#queue.at(i)!;
      if (item.unit === unit) items.push(item);
    }
    return items;
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

  /** The client has answered a request: whoever made it has no use for another answer if the client never acknowledges it (RFC 6120 8.2.3). */
  answered(requester: Jid, id: string | undefined): void {
    const head = `<iq from='${wireJid(requester)}'`;
    for (let i = 0; i < this.#known; i++) {
      const item = this.#queue.at(i)!;
      if (item.wire.startsWith(head) && indexed(item.wire).id === id) item.disposable = true;
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
      const { wire, unit } = queue.at(this.#written)!;
      if (unit?.pending) break;
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
    for (let i = 0; i < this.#queue.size; i++) {
      const item = this.#queue.at(i)!;
      if (item.kept) item.number = this.numberOf(item);
    }
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
