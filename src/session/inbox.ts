import { Ring } from '../util/ring.ts';
import type { Stanza } from '../xml/index.ts';

/** An item that is no stanza: a client's <r/> (XEP-0198), in its place among them. */
export const ACK_REQUEST = Symbol('r');

export type Item = Stanza | typeof ACK_REQUEST;

/** Whose inbox it is. */
export interface InboxOwner {
  /** Does one thing, at once or later. */
  handle(item: Item): Promise<void> | undefined;
  /** Nothing waits any more. */
  handled(): void;
}

/**
 * What a client sent while one of its stanzas waits: in order and one at a time (RFC 6120 10.1). There is one only as long as
 * something waits.
 */
export class Inbox {
  private readonly items = new Ring<Item>();
  private readonly owner: InboxOwner;
  private waiters: (() => void)[] | undefined;

  /** `first` is what is waited for. */
  constructor(first: Promise<void>, owner: InboxOwner) {
    this.owner = owner;
    first.then(this.next, this.next);
  }

  /** The number of items that wait. */
  push(item: Item): number {
    this.items.push(item);
    return this.items.size;
  }

  /** Resolved when nothing waits any more. */
  empty(): Promise<void> {
    return new Promise(resolve => (this.waiters ??= []).push(resolve));
  }

  private readonly next = (): void => {
    for (let item = this.items.shift(); item !== undefined; item = this.items.shift()) {
      const waiting = this.owner.handle(item);
      if (waiting) {
        waiting.then(this.next, this.next);
        return;
      }
    }
    this.owner.handled();
    this.waiters?.forEach(resolve => resolve());
  };
}
