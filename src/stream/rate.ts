import type { StreamLimits } from './environment.ts';

/** Two token buckets: bytes and stanzas that a session may send a second. */
export class RateGauge {
  private readonly limits: StreamLimits;
  private bytes: number;
  private stanzas: number;
  private at = performance.now();
  /** Milliseconds until the debt is paid. */
  pause = 0;

  private constructor(limits: StreamLimits) {
    this.limits = limits;
    this.bytes = limits.bytesBurst;
    this.stanzas = limits.stanzasBurst;
  }

  /** Undefined where no rate is set. */
  static of(limits: StreamLimits): RateGauge | undefined {
    return limits.bytesPerSecond > 0 || limits.stanzasPerSecond > 0 ? new RateGauge(limits) : undefined;
  }

  private refill(): void {
    const now = performance.now();
    const seconds = (now - this.at) / 1000;
    this.at = now;
    const { bytesPerSecond, bytesBurst, stanzasPerSecond, stanzasBurst } = this.limits;
    this.bytes = Math.min(bytesBurst, this.bytes + seconds * bytesPerSecond);
    this.stanzas = Math.min(stanzasBurst, this.stanzas + seconds * stanzasPerSecond);
  }

  /** Counts bytes; true when the sender has to wait for `pause` ms. */
  take(count: number): boolean {
    const { bytesPerSecond } = this.limits;
    if (bytesPerSecond <= 0) return false;
    this.bytes -= count;
    if (this.bytes >= 0) return false;
    this.refill();
    if (this.bytes >= 0) return false;
    this.pause = Math.max(1, (-this.bytes / bytesPerSecond) * 1000);
    return true;
  }

  /** Counts a stanza; true when the sender has to wait for `pause` ms. */
  takeStanza(): boolean {
    const { stanzasPerSecond } = this.limits;
    if (stanzasPerSecond <= 0) return false;
    if (--this.stanzas >= 0) return false;
    this.refill();
    if (this.stanzas >= 0) return false;
    this.pause = Math.max(1, (-this.stanzas / stanzasPerSecond) * 1000);
    return true;
  }
}
