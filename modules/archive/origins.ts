import { randomBytes } from 'node:crypto';
import { NS } from '../../src/protocol/index.ts';
import type { Stanza } from '../../src/xml/index.ts';

/**
 * True when it was kept, or is being kept in the order of the archive; a promise of its commit where something is looked up before; its
 * stanza id when all that is known is that it was kept before the program began.
 */
type Presence = true | string | Promise<void>;

/** What a message is known by: 64 bits of a hash that nobody else can compute. */
export class OriginKey {
  readonly high: number;
  readonly low: number;

  constructor(high: number, low: number) {
    this.high = high;
    this.low = low;
  }

  get name(): string {
    return `${this.high}:${this.low}`;
  }
}

/**
 * Messages that were kept of late, by sender, recipient and origin id (XEP-0359): a client that lost its connection sends again
 * what was not acknowledged. Bounded: between half of `most` and `most` are known. Of each there is a number of 64 bits and nothing for a
 * collector to look at; among 50,000, one of another message is taken for one of them once in 10^14.
 */
export class Origins {
  private readonly seed: readonly [number, number];
  private readonly most: number;
  private young: Generation;
  private old: Generation;
  /** Of a few there is more to say, by their names. */
  private readonly further = new Map<string, Presence>();
  /** How many could not be kept so far: one that is there, and while this stays the same, is being kept or was. */
  failures = 0;

  constructor(most: number) {
    const random = randomBytes(8);
    this.seed = [random.readInt32LE(0), random.readInt32LE(4)];
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
    const id = found[1] ?? found[2]!;
    const hash = new Hash(...this.seed);
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

/**
 * The rounds of HalfSipHash-1-3 with 64 bits of output (J.-P. Aumasson, D. J. Bernstein): who does not know the seed finds no two texts of
 * one hash. A word of each text's length, then its UTF-16 code units, two to a word.
 */
class Hash {
  private v0: number;
  private v1: number;
  private v2: number;
  private v3: number;

  constructor(k0: number, k1: number) {
    this.v0 = k0;
    this.v1 = k1 ^ 0xee;
    this.v2 = 0x6c796765 ^ k0;
    this.v3 = 0x74656462 ^ k1;
  }

  add(text: string): void {
    let { v0, v1, v2, v3 } = this;
    const { length } = text;
    for (let i = -2; i < length; i += 2) {
      const word = i < 0 ? length : text.charCodeAt(i) | (i + 1 < length ? text.charCodeAt(i + 1) << 16 : 0);
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.v0 = v0;
    this.v1 = v1;
    this.v2 = v2;
    this.v3 = v3;
  }

  end(): OriginKey {
    this.v2 ^= 0xee;
    this.rounds();
    const low = (this.v1 ^ this.v3) >>> 0;
    this.v1 ^= 0xdd;
    this.rounds();
    const high = (this.v1 ^ this.v3) >>> 0;
    // two numbers mean something else (Generation)
    return new OriginKey(high, high === 0 && low < 2 ? low + 2 : low);
  }

  private rounds(): void {
    for (let i = 0; i < 3; i++) {
      this.v0 = (this.v0 + this.v1) | 0;
      this.v1 = ((this.v1 << 5) | (this.v1 >>> 27)) ^ this.v0;
      this.v0 = (this.v0 << 16) | (this.v0 >>> 16);
      this.v2 = (this.v2 + this.v3) | 0;
      this.v3 = ((this.v3 << 8) | (this.v3 >>> 24)) ^ this.v2;
      this.v0 = (this.v0 + this.v3) | 0;
      this.v3 = ((this.v3 << 7) | (this.v3 >>> 25)) ^ this.v0;
      this.v2 = (this.v2 + this.v1) | 0;
      this.v1 = ((this.v1 << 13) | (this.v1 >>> 19)) ^ this.v2;
      this.v2 = (this.v2 << 16) | (this.v2 >>> 16);
    }
  }
}
