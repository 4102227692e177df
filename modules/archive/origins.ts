import { randomBytes } from 'node:crypto';
import { NS } from '../../src/protocol/index.ts';
import type { Stanza } from '../../src/xml/index.ts';
import { Hash, type OriginKey } from './origin-key.ts';

/**
 * True when it was kept, or is being kept in the order of the archive; a promise of its commit where something is looked up before; its
 * stanza id when all that is known is that it was kept before the program began.
 */
type Presence = true | string | Promise<void>;

/**
 * Messages that were kept of late, by sender, recipient and origin id (XEP-0359): a client that lost its connection sends again
 * what was not acknowledged. Bounded: between half of `most` and `most` are known. Of each there is a number of 64 bits and nothing for a
 * collector to look at; among 50,000, one of another message is taken for one of them once in 10^14.
 */
export class Origins {
  private readonly k0: number;
  private readonly k1: number;
  private readonly most: number;
  private young: Generation;
  private old: Generation;
  /** Of a few there is more to say, by their names. */
  private readonly further = new Map<string, Presence>();
  /** How many could not be kept so far: one that is there, and while this stays the same, is being kept or was. */
  failures = 0;

  constructor(most: number) {
    const random = randomBytes(8);
    this.k0 = random.readInt32LE(0);
    this.k1 = random.readInt32LE(4);
    this.most = most;
    this.young = new Generation(Math.ceil(most / 2));
    this.old = new Generation(Math.ceil(most / 2));
  }

  /** Of the id that the sending client gave a message; undefined when it gave none. */
  keyOf(from: string, to: string, stanza: Stanza): OriginKey | undefined {
    const kid = stanza.child('origin-id', NS.stanzaIds);
    if (kid === undefined) return undefined;
    const found = / id=(?:'([^']*)'|"([^"]*)")/.exec(stanza.kidRaw(kid));
    if (!found) return undefined;
    return this.keyOfId(from, to, found[1] ?? found[2]!);
  }

  /** Of an id as it is written. */
  keyOfId(from: string, to: string, id: string): OriginKey {
    const hash = new Hash(this.k0, this.k1);
    hash.add(from);
    hash.add(to);
    hash.add(id);
    return hash.end();
  }

  get(key: OriginKey): Presence | undefined {
    if (!this.young.has(key) && !this.old.has(key)) return undefined;
    return (this.further.size > 0 ? this.further.get(key.name) : undefined) ?? true;
  }

  /** A promise that rejects takes it away again. */
  add(key: OriginKey, presence: Presence = true): void {
    if (this.young.full) {
      const { old } = this;
      this.old = this.young;
      this.young = old;
      old.clear();
    }
    this.young.add(key);
    if (presence === true) {
      if (this.further.size > 0) this.further.delete(key.name);
      return;
    }
    this.further.set(key.name, presence);
    if (typeof presence === 'string') return;
    presence.then(
      () => {
        if (this.further.get(key.name) === presence) this.further.delete(key.name);
      },
      () => this.delete(key),
    );
  }

  /** The commit has failed. */
  delete(key: OriginKey): void {
    this.failures++;
    this.forget(key);
  }

  /** What comes with that id is another message. */
  forget(key: OriginKey): void {
    this.young.delete(key);
    this.old.delete(key);
    this.further.delete(key.name);
  }
}

/** A set of numbers of 64 bits; open addressing, nothing to allocate for each. (0, 0) is free, (0, 1) was deleted. */
class Generation {
  private readonly capacity: number;
  private readonly numbers: Uint32Array;
  private readonly mask: number;
  private size = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    const slots = 2 ** Math.ceil(Math.log2(capacity * 1.5));
    this.numbers = new Uint32Array(2 * slots);
    this.mask = slots - 1;
  }

  get full(): boolean {
    return this.size >= this.capacity;
  }

  has(key: OriginKey): boolean {
    return this.at(key) >= 0;
  }

  /** Index of its two numbers; a negative one, of where it would have its place: -1 - index. */
  private at({ high, low }: OriginKey): number {
    const { numbers, mask } = this;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const i = 2 * slot;
      if (numbers[i] === high && numbers[i + 1] === low) return i;
      if (numbers[i] === 0 && numbers[i + 1] === 0) return -1 - i;
    }
  }

  add(key: OriginKey): void {
    const at = this.at(key);
    if (at >= 0) return;
    this.numbers[-1 - at] = key.high;
    this.numbers[-at] = key.low;
    this.size++;
  }

  delete(key: OriginKey): void {
    const at = this.at(key);
    if (at < 0) return;
    this.numbers[at] = 0;
    this.numbers[at + 1] = 1;
  }

  clear(): void {
    this.numbers.fill(0);
    this.size = 0;
  }
}
