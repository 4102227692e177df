import { Lru } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { Blocklist } from './blocklist.ts';
import type { BlockStore } from './store.ts';

/** The lists of all accounts, those in use in memory. */
export class Blocklists {
  private readonly store: BlockStore;
  private readonly known: Lru<string, Blocklist>;

  constructor(store: BlockStore, cached: number) {
    this.store = store;
    this.known = new Lru(cached);
  }

  of(account: Jid): Blocklist {
    const known = this.known.get(account.bare);
    if (known) return known;
    const list = Blocklist.of(this.store.get(account));
    this.known.set(account.bare, list);
    return list;
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
    return list;
  }

  forget(account: Jid): void {
    this.known.delete(account.bare);
  }
}
