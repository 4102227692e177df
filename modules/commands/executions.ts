import type { Command } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

/** An execution between two stages: XEP-0050 3.3. */
export interface Execution {
  readonly command: Command;
  readonly from: Jid;
  readonly state: Map<string, unknown>;
  /** What the form at hand allows. */
  actions: readonly string[];
  /** Milliseconds since 1970. */
  touched: number;
}

/** The executions under way, by who runs them where and their session id; and those that are over, for a while. */
export class Executions {
  private readonly open = new Map<string, Execution>();
  private readonly over = new Map<string, number>();

  get size(): number {
    return this.open.size;
  }

  /** How many an account has under way. */
  of(account: Jid): number {
    let count = 0;
    for (const { from } of this.open.values()) if (from.bare === account.bare) count++;
    return count;
  }

  /** Who ran them is gone: nobody will go on with them. */
  leave(full: Jid): void {
    for (const [key, { from }] of this.open) if (from.full === full.full) this.open.delete(key);
  }

  get(key: string): Execution | undefined {
    return this.open.get(key);
  }

  keep(key: string, execution: Execution): void {
    this.open.set(key, execution);
  }

  /** Whether it was there once. */
  isOver(key: string): boolean {
    return this.over.has(key);
  }

  /** Ends one; of those that are over, no more than `most` are remembered. */
  end(key: string, most: number): void {
    if (!this.open.delete(key)) return;
    this.over.set(key, Date.now());
    for (const oldest of this.over.keys()) {
      if (this.over.size <= most) return;
      this.over.delete(oldest);
    }
  }

  /** Ends those that nobody has touched since then, and forgets those that were over by then. */
  sweep(since: number, most: number): void {
    for (const [key, at] of this.over) if (at < since) this.over.delete(key);
    for (const [key, { touched }] of this.open) if (touched < since) this.end(key, most);
  }
}
