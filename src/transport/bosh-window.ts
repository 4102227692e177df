import type { BoshRequest } from './bosh-request.ts';
import type { Terms } from './bosh-terms.ts';

/** The requests of a session that have not been answered, in the order of their rids: XEP-0124 14.2. */
export class RequestWindow {
  /** Those that were processed, oldest first; the last of them is `top`. */
  readonly open: BoshRequest[] = [];
  /** The highest rid of which all up to it were processed. */
  top: number;
  private readonly terms: Terms;
  /** Those that came before others that must be processed first. */
  private readonly ahead = new Map<number, BoshRequest>();

  constructor(terms: Terms, first: number) {
    this.terms = terms;
    this.top = first - 1;
  }

  /** The request with this rid that waits for its answer already. */
  find(rid: number): BoshRequest | undefined {
    return this.open.find(other => other.rid === rid) ?? this.ahead.get(rid);
  }

  /** XEP-0124 14.2: whether a rid is higher than it can be. */
  beyond({ rid, extra }: BoshRequest): boolean {
    return rid > this.top + this.terms.requests + (extra ? 1 : 0);
  }

  /** XEP-0124 11: whether the client had no right to one more; of those that lost their connection it may not know. */
  tooMany({ extra }: BoshRequest): boolean {
    if (extra) return false;
    let live = 0;
    for (const { asker } of this.open) if (asker.live) live++;
    for (const { asker } of this.ahead.values()) if (asker.live) live++;
    return live + 1 > this.terms.requests;
  }

  /** XEP-0124 11: whether an empty request, sooner than agreed behind the one before it, is one too many. */
  tooSoon(): boolean {
    return this.open.length + 1 >= this.terms.requests && this.open.every(({ asker }) => asker.live);
  }

  add(request: BoshRequest): void {
    this.ahead.set(request.rid, request);
  }

  /** Takes out what is next in order. */
  next(): BoshRequest | undefined {
    const next = this.ahead.get(this.top + 1);
    if (next) this.ahead.delete(next.rid);
    return next;
  }

  /** It is processed, and waits for its answer. */
  opened(request: BoshRequest): void {
    this.top = request.rid;
    this.open.push(request);
  }

  /** Whether the client is there to hear an answer. */
  get present(): boolean {
    if (this.open.some(({ asker }) => asker.live)) return true;
    for (const { asker } of this.ahead.values()) if (asker.live) return true;
    return false;
  }

  /** One that has waited since before `time` for another that did not come. */
  stranded(time: number): BoshRequest | undefined {
    for (const request of this.ahead.values()) if (request.arrived < time) return request;
    return undefined;
  }

  /** Takes out all. */
  clear(): BoshRequest[] {
    const all = [...this.open.splice(0), ...[...this.ahead.values()].toSorted((a, b) => a.rid - b.rid)];
    this.ahead.clear();
    return all;
  }
}
