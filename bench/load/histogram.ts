const STEP = 10;
const SLOTS = 1_000_000;

/** Latencies in steps of 10 microseconds up to 10 seconds; longer ones count as 10 seconds, the greatest is kept exactly. */
export class Histogram {
  private readonly counts = new Uint32Array(SLOTS + 1);
  count = 0;
  /** Milliseconds. */
  max = 0;

  add(milliseconds: number): void {
    const slot = (milliseconds * (1000 / STEP)) | 0;
    this.counts[slot < 0 ? 0 : slot > SLOTS ? SLOTS : slot]!++;
    this.count++;
    if (milliseconds > this.max) this.max = milliseconds;
  }

  clear(): void {
    this.counts.fill(0);
    this.count = 0;
    this.max = 0;
  }

  /** The latency in milliseconds that this share (0 to 1) of all stayed within; 0 when nothing was added. */
  percentile(share: number): number {
    let left = Math.ceil(this.count * share);
    if (left === 0) return 0;
    for (let slot = 0; slot <= SLOTS; slot++) {
      left -= this.counts[slot]!;
      if (left <= 0) return Math.min(((slot + 1) * STEP) / 1000, this.max);
    }
    return this.max;
  }

  summary(): Latency {
    const { count, max } = this;
    return { count, p50: this.percentile(0.5), p95: this.percentile(0.95), p99: this.percentile(0.99), max };
  }
}

/** Milliseconds from writing a message to reading it at its receiver. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}
