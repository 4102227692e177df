import { Lru } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { RosterItem, RosterMap, RosterService } from './contract.ts';
import type { RosterStore } from './store.ts';

interface Loaded {
  readonly items: Map<string, RosterItem>;
  version: number;
}

/** Rosters in memory above the store; changes of one account come one after the other. */
export class Rosters implements RosterService {
  private readonly store: RosterStore;
  private readonly cache: Lru<string, Loaded>;
  private readonly loading = new Map<string, Promise<Loaded>>();
  private readonly turns = new Map<string, Promise<unknown>>();
  private readonly push: (account: Jid, contact: string, item: RosterItem | undefined, version: number) => void;
  private removal: ((account: Jid, item: RosterItem) => Promise<void>) | undefined;

  constructor(
    store: RosterStore,
    cached: number,
    push: (account: Jid, contact: string, item: RosterItem | undefined, version: number) => void,
  ) {
    this.store = store;
    this.cache = new Lru(cached);
    this.push = push;
  }

  private load(account: string): Loaded | Promise<Loaded> {
    const known = this.cache.get(account);
    if (known) return known;
    let loading = this.loading.get(account);
    if (!loading) {
      loading = this.store.load(account).then(loaded => {
        this.cache.set(account, loaded);
        return loaded;
      });
      this.loading.set(account, loading);
      const done = (): void => void this.loading.delete(account);
      loading.then(done, done);
    }
    return loading;
  }

  get(account: Jid): RosterMap | Promise<RosterMap> {
    const loaded = this.load(account.bare);
    return loaded instanceof Promise ? loaded.then(({ items }) => items) : loaded.items;
  }

  /** With the version (RFC 6121 2.6), as a text that no other roster of the account ever had. */
  async withVersion(account: Jid): Promise<{ items: RosterMap; version: string }> {
    const { items, version } = await this.load(account.bare);
    return { items, version: String(version) };
  }

  hasSubscriptionFrom(account: Jid, contact: Jid): boolean | Promise<boolean> {
    const roster = this.get(account);
    return roster instanceof Promise ? roster.then(items => seesPresence(items, contact)) : seesPresence(roster, contact);
  }

  blank(contact: Jid): RosterItem {
    return { jid: contact.bare, name: undefined, subscription: 'none', ask: false, approved: false, groups: [] };
  }

  change(account: Jid, contact: Jid, change: (item: RosterItem | undefined) => RosterItem | undefined) {
    return this.inTurn(account.bare, async () => {
      const loaded = await this.load(account.bare);
      const before = loaded.items.get(contact.bare);
      const after = change(before);
      if (after === before) return { before, after };
      await this.store.put(account.bare, contact.bare, after, loaded.version + 1);
      loaded.version++;
      if (after) loaded.items.set(contact.bare, after);
      else loaded.items.delete(contact.bare);
      this.push(account, contact.bare, after, loaded.version);
      return { before, after };
    });
  }

  private inTurn<T>(account: string, work: () => Promise<T>): Promise<T> {
    const before = this.turns.get(account) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.turns.set(account, turn);
    const done = (): void => {
      if (this.turns.get(account) === turn) this.turns.delete(account);
    };
    turn.then(done, done);
    return turn;
  }

  onRemoval(listener: (account: Jid, item: RosterItem) => Promise<void>): () => void {
    this.removal = listener;
    return () => {
      if (this.removal === listener) this.removal = undefined;
    };
  }

  async removing(account: Jid, item: RosterItem): Promise<void> {
    await this.removal?.(account, item);
  }

  async forget(account: Jid): Promise<void> {
    await this.inTurn(account.bare, async () => {
      await this.store.removeAll(account.bare);
      this.cache.delete(account.bare);
    });
  }
}

function seesPresence(items: RosterMap, contact: Jid): boolean {
  const subscription = items.get(contact.bare)?.subscription;
  return subscription === 'from' || subscription === 'both';
}
