/*
 * Names come into the directory as they change. What accounts were called before the module was there is gathered once for each host, in
 * slices, from where it was left; and again where an operator says so, or where names are folded by other rules.
 */
import type { AccountsView, AccountView } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { DirectoryStore } from './store.ts';

/** Accounts that are read at once. */
const SLICE = 50;

export interface GatheringParts {
  readonly store: Pick<DirectoryStore, 'gathered' | 'setGathered'>;
  readonly accounts: Pick<AccountsView, 'list'>;
  /** Reads what an account is called, and keeps it. */
  follow(account: Jid): Promise<void>;
  readonly signal: AbortSignal;
}

export class Gathering {
  private readonly parts: GatheringParts;
  private readonly done = new Set<string>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(parts: GatheringParts) {
    this.parts = parts;
  }

  /** Gathers what was not gathered yet of a host; how many accounts that were. */
  gather(host: string): Promise<number> {
    return this.inTurn(() => this.rest(host));
  }

  /** Gathers all of a host, from the beginning. */
  anew(host: string): Promise<number> {
    return this.inTurn(async () => {
      await this.parts.store.setGathered(host, '');
      this.done.delete(host);
      return this.rest(host);
    });
  }

  private async rest(host: string): Promise<number> {
    const { store, signal } = this.parts;
    if (this.done.has(host)) return 0;
    let count = 0;
    for (let after = await store.gathered(host); after !== undefined && !signal.aborted;) {
      const slice = await this.slice(host, after);
      count += slice.length;
      after = slice.length < SLICE ? undefined : slice.at(-1)!.jid.local;
      await store.setGathered(host, after);
      // others come between two slices
      await new Promise(resolve => setImmediate(resolve));
    }
    if (!signal.aborted) this.done.add(host);
    return count;
  }

  private async slice(host: string, after: string): Promise<readonly AccountView[]> {
    const { accounts, follow } = this.parts;
    const slice = await accounts.list(host, after, SLICE);
    await Promise.all(slice.map(({ jid }) => follow(jid)));
    return slice;
  }

  private inTurn<T>(job: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(job, job);
    this.turn = turn;
    return turn;
  }
}
