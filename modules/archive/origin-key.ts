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

/** Three words of nothing. */
const ZEROS = '\0\0\0\0\0\0';

/**
 * The rounds of HalfSipHash-1-3 with 64 bits of output (J.-P. Aumasson, D. J. Bernstein): who does not know the seed finds no two texts of
 * one hash. A word of each text's length, then its UTF-16 code units, two to a word.
 */
export class Hash {
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
    this.mix(text, -2);
  }

  /** A round for each word. `from`: -2 for one with the length first. */
  private mix(text: string, from: number): void {
    let { v0, v1, v2, v3 } = this;
    const { length } = text;
    for (let i = from; i < length; i += 2) {
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
    this.mix(ZEROS, 0);
    const low = (this.v1 ^ this.v3) >>> 0;
    this.v1 ^= 0xdd;
    this.mix(ZEROS, 0);
    const high = (this.v1 ^ this.v3) >>> 0;
    // two numbers mean something else (origins.ts, Generation)
    return new OriginKey(high, high === 0 && low < 2 ? low + 2 : low);
  }
}
