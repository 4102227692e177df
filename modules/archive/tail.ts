/** A message as one archive sees it. */
export interface Entry {
  readonly id: number;
  readonly peer: number;
  readonly flags: number;
  readonly mark: number;
}

/** A part of an archive: keys between two that are not in it, of one correspondent where that is given. */
export interface Span {
  readonly owner: number;
  readonly peer?: number | undefined;
  readonly after: number;
  readonly before: number;
}

// Numbers of an entry in a block
const KEY = 0;
const OWNER = 1;
const PEER = 2;
const FLAGS = 3;
const MARK = 4;
/** Place of the owner's entry before it; -1 for none. */
const PREVIOUS = 5;
const WIDTH = 6;

/** Entries of a block, and how many bits tell them apart. */
const BITS = 12;
const BLOCK = 1 << BITS;
/** Blocks without a use that are kept for the next entries. */
const SPARE = 24;

/**
 * Entries in the order in which they came, as numbers in blocks outside of the heap: what an archive keeps in memory stays there for
 * seconds, and the collector would carry all of it to its old generation. A place is an entry's index.
 */
class Generation {
  readonly blocks: Float64Array[] = [];
  /** Places of the newest entries, by owners. */
  readonly newest = new Map<number, number>();
  size = 0;
  /** Least key; Infinity when there is none. */
  oldest = Infinity;
  /** Somebody may be reading it: its blocks cannot be given to others. */
  viewed = false;

  add(spare: Float64Array[], owner: number, key: number, peer: number, flags: number, mark: number): void {
    const place = this.size++;
    if (place % BLOCK === 0) this.blocks.push(spare.pop() ?? new Float64Array(BLOCK * WIDTH));
    const block = this.blocks[place >>> BITS]!;
    const at = (place & (BLOCK - 1)) * WIDTH;
    block[at + KEY] = key;
    block[at + OWNER] = owner;
    block[at + PEER] = peer;
    block[at + FLAGS] = flags;
    block[at + MARK] = mark;
    block[at + PREVIOUS] = this.newest.get(owner) ?? -1;
    this.newest.set(owner, place);
    if (key < this.oldest) this.oldest = key;
  }

  get(place: number, field: number): number {
    return this.blocks[place >>> BITS]![(place & (BLOCK - 1)) * WIDTH + field]!;
  }

  entry(place: number): Entry {
    const flags = this.get(place, FLAGS);
    return { id: this.get(place, KEY), peer: this.get(place, PEER), flags, mark: this.get(place, MARK) };
  }

  setFlags(owner: number, key: number, flags: number): void {
    for (let place = this.newest.get(owner) ?? -1; place >= 0; place = this.get(place, PREVIOUS)) {
      const there = this.get(place, KEY);
      if (there < key) return;
      if (there === key) this.blocks[place >>> BITS]![(place & (BLOCK - 1)) * WIDTH + FLAGS] = flags;
    }
  }
}

interface Part {
  readonly generation: Generation;
  /** Place of the owner's newest entry. */
  readonly newest: number;
}

/** The entries of an owner as they were when it was asked: none goes. */
export class TailView {
  /** The newest first. */
  private readonly parts: readonly Part[];

  constructor(owner: number, generations: readonly Generation[]) {
    this.parts = generations.flatMap(generation => {
      const newest = generation.newest.get(owner);
      if (newest === undefined) return [];
      generation.viewed = true;
      return [{ generation, newest }];
    });
  }

  /** In order, at most `limit`. */
  forwards(span: Span, limit: number): Entry[] {
    const out: Entry[] = [];
    for (const part of this.parts.toReversed()) {
      // each entry knows the one before it alone
      const places = placesOf(part, span, Infinity).toReversed();
      for (let i = 0; i < places.length && out.length < limit; i++) out.push(part.generation.entry(places[i]!));
    }
    return out;
  }

  /** From the newest to older ones, at most `limit`. */
  backwards(span: Span, limit: number): Entry[] {
    const out: Entry[] = [];
    for (const part of this.parts)
      for (const place of placesOf(part, span, limit - out.length)) out.push(part.generation.entry(place));
    return out;
  }
}

/** Places of a span, from the newest on. */
function placesOf({ generation, newest }: Part, { peer, after, before }: Span, limit: number): number[] {
  const out: number[] = [];
  for (let place = newest; place >= 0 && out.length < limit; place = generation.get(place, PREVIOUS)) {
    const key = generation.get(place, KEY);
    if (key <= after) break;
    if (key < before && (peer === undefined || generation.get(place, PEER) === peer)) out.push(place);
  }
  return out;
}

/**
 * The newest entries of all archives, which are not in the table of entries yet: in two generations, of which the older is being
 * moved there. Entries of an owner come in the order of their keys.
 */
export class Tail {
  #young = new Generation();
  #old = new Generation();
  #newest = 0;
  readonly #spare: Float64Array[] = [];

  /** Entries of the young generation. */
  get size(): number {
    return this.#young.size;
  }

  /** Greatest key; 0 when nothing came yet. */
  get newest(): number {
    return this.#newest;
  }

  /** Least key of all in it; Infinity when there is none. */
  get oldest(): number {
    return Math.min(this.#old.oldest, this.#young.oldest);
  }

  /** All keys up to this one are in the table: none of those that come will be smaller. */
  begin(key: number): void {
    if (key > this.#newest) this.#newest = key;
  }

  add(
    owner: number,
    id: number,
    peer: number,
    flags: number,
    mark: number,
    generation: 'young' | 'old' = 'young',
  ): void {
    (generation === 'young' ? this.#young : this.#old).add(this.#spare, owner, id, peer, flags, mark);
    if (id > this.#newest) this.#newest = id;
  }

  of(owner: number): TailView {
    return new TailView(owner, [this.#young, this.#old]);
  }

  /** Changes the flags of an entry, if it is here. */
  setFlags(owner: number, id: number, flags: number): void {
    for (const generation of [this.#old, this.#young]) generation.setFlags(owner, id, flags);
  }

  /** Begins to move: what is here is the old generation from now on. Only when the one before is gone. */
  turn(): void {
    this.#old = this.#young;
    this.#young = new Generation();
  }

  /** Places of the old generation: owner by owner, by their numbers, and in order. */
  places(): Uint32Array {
    const { size, newest } = this.#old;
    const out = new Uint32Array(size);
    let at = size;
    for (const owner of [...newest.keys()].sort((a, b) => b - a))
      for (let place = newest.get(owner)!; place >= 0; place = this.#old.get(place, PREVIOUS)) out[--at] = place;
    return out;
  }

  /** What is at a place of the old generation, as it is now: pushes owner, key, peer, flags, mark. */
  read(place: number, into: number[]): void {
    const old = this.#old;
    into.push(
      old.get(place, OWNER),
      old.get(place, KEY),
      old.get(place, PEER),
      old.get(place, FLAGS),
      old.get(place, MARK),
    );
  }

  /** The old generation is in the table. */
  settle(): void {
    const { blocks, viewed } = this.#old;
    if (!viewed) while (this.#spare.length < SPARE && blocks.length > 0) this.#spare.push(blocks.pop()!);
    this.#old = new Generation();
  }
}
