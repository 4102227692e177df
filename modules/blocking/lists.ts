import { andThen, Loaded, type MaybePromise } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { Blocklist } from './blocklist.ts';
import type { BlockStore } from './store.ts';

/** The lists of all accounts, those in use in memory. */
export class Blocklists {
  private readonly store: BlockStore;
  private readonly told: (account: Jid, list: Blocklist) => void;
  private readonly known: Loaded<Blocklist>;

  /** `told`: of each list that is another now. */
  constructor(store: BlockStore, cached: number, told: (account: Jid, list: Blocklist) => void = () => {}) {
    this.store = store;
    this.told = told;
    this.known = new Loaded(cached);
  }

  of(account: Jid): MaybePromise<Blocklist> {
    return (
      this.known.get(account.bare) ?? this.known.load(account.bare, andThen(this.store.get(account), Blocklist.of))
    );
  }

  /** Undefined when there would be more than `most`. */
  async add(account: Jid, jids: readonly Jid[], most: number): Promise<Blocklist | undefined> {
    return this.changed(account, await this.store.add(account, jids, most));
  }

  async remove(account: Jid, jids?: readonly Jid[]): Promise<void> {
    this.changed(account, await this.store.remove(account, jids));
  }

  /** Transactions come one after the other, and so do their results here. */
  private changed(account: Jid, jids: readonly Jid[] | undefined): Blocklist | undefined {
    if (!jids) return undefined;
    const list = Blocklist.of(jids);
    this.known.set(account.bare, list);
    this.told(account, list);
    return list;
  }

  forget(account: Jid): void {
    this.known.delete(account.bare);
  }
}
