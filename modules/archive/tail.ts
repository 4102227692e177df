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

/** Numbers of an entry in a list: key, peer, flags, mark. */
const WIDTH = 4;

/** The entries of an owner as they were when it was asked; later ones may appear in it, none goes. */
export class TailView {
  readonly parts: readonly (readonly number[])[];

  constructor(parts: readonly (readonly number[])[]) {
    this.parts = parts;
  }

  /** In order, at most `limit`. */
  forwards({ peer, after, before }: Span, limit: number): Entry[] {
    const out: Entry[] = [];
    for (const part of this.parts) {
      for (let i = behind(part, after); i < part.length && part[i]! < before && out.length < limit; i += WIDTH)
        if (peer === undefined || part[i + 1] === peer) out.push(entryAt(part, i));
    }
    return out;
  }

  /** From the newest to older ones, at most `limit`. */
  backwards({ peer, after, before }: Span, limit: number): Entry[] {
    const out: Entry[] = [];
    for (let p = this.parts.length - 1; p >= 0; p--) {
      const part = this.parts[p]!;
      for (let i = behind(part, before - 1) - WIDTH; i >= 0 && part[i]! > after && out.length < limit; i -= WIDTH)
        if (peer === undefined || part[i + 1] === peer) out.push(entryAt(part, i));
    }
    return out;
  }
}

function entryAt(part: readonly number[], i: number): Entry {
  return { id: part[i]!, peer: part[i + 1]!, flags: part[i + 2]!, mark: part[i + 3]! };
}

/** Index of the first entry whose key is greater. */
function behind(part: readonly number[], key: number): number {
  let low = 0;
  let high = part.length / WIDTH;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (part[middle * WIDTH]! > key) high = middle;
    else low = middle + 1;
  }
  return low * WIDTH;
}

/**
 * The newest entries of all archives, which are not in the table of entries yet: in two generations, of which the older is being
 * moved there.
 */
export class Tail {
  #young = new Map<number, number[]>();
  #old = new Map<number, number[]>();
  #newest = 0;
  #oldest = Infinity;
  /** Entries of the young generation. */
  size = 0;

  /** Greatest key; 0 when nothing came yet. */
  get newest(): number {
    return this.#newest;
  }

  /** A bound below all keys in it; Infinity when there is none. */
  get oldest(): number {
    return this.#oldest;
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
    const map = generation === 'young' ? this.#young : this.#old;
    const list = map.get(owner);
    if (list) list.push(id, peer, flags, mark);
    else map.set(owner, [id, peer, flags, mark]);
    if (generation === 'young') this.size++;
    if (id > this.#newest) this.#newest = id;
    if (id < this.#oldest) this.#oldest = id;
  }

  of(owner: number): TailView {
    const parts: number[][] = [];
    const old = this.#old.get(owner);
    const young = this.#young.get(owner);
    if (old) parts.push(old);
    if (young) parts.push(young);
    return new TailView(parts);
  }

  /** Changes the flags of an entry, if it is here. */
  setFlags(owner: number, id: number, flags: number): void {
    for (const map of [this.#old, this.#young]) {
      const list = map.get(owner);
      if (!list) continue;
      const i = behind(list, id - 1);
      if (list[i] === id) list[i + 2] = flags;
    }
  }

  /** Begins to move: what is here is the old generation from now on. Only when the one before is gone. */
  turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.size = 0;
  }

  /** Owners of the old generation, ascending. */
  owners(): number[] {
    return [...this.#old.keys()].sort((a, b) => a - b);
  }

  /** The old generation's numbers of an owner: key, peer, flags, mark, and so on. */
  old(owner: number): readonly number[] {
    return this.#old.get(owner) ?? [];
  }

  /** The owner's entries of the old generation are in the table. */
  drop(owner: number): void {
    this.#old.delete(owner);
  }

  /** The old generation is gone: the bound below all keys may rise. */
  settle(): void {
    let oldest = Infinity;
    for (const list of this.#young.values()) if (list[0]! < oldest) oldest = list[0]!;
    this.#oldest = oldest;
  }
}
