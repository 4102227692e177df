import { InTurn, Loaded, type MaybePromise, type SessionView, andThen } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { RosterChange, RosterItem, RosterMap, RosterService } from './contract.ts';
import { NO_GROUPS, type RosterStore, sizeOf, type StoredRoster } from './store.ts';

/** Changes told one by one to a client that knows an earlier version; with more of them it gets the roster anew. */
const CHANGES = 100;

/** What happens to the sessions of an account. */
export interface RosterAudience {
  /** Contacts, and characters of them all, that an account of that host may have. */
  most(host: string): { readonly items: number; readonly size: number };
  interested(account: Jid): readonly SessionView[];
  push(account: Jid, contact: string, item: RosterItem | undefined, version: number): void;
}

/** Rosters in memory above the store; changes of one account come one after the other. */
export class Rosters implements RosterService {
  private readonly store: RosterStore;
  private readonly audience: RosterAudience;
  private readonly cache: Loaded<StoredRoster>;
  private readonly turns = new InTurn();
  private readonly listeners = new Set<(account: Jid, change: RosterChange) => void>();
  private removal: ((account: Jid, item: RosterItem) => Promise<void>) | undefined;

  constructor(store: RosterStore, cached: number, audience: RosterAudience) {
    this.store = store;
    this.audience = audience;
    this.cache = new Loaded(cached);
  }

  private load(account: string): MaybePromise<StoredRoster> {
    return this.cache.get(account) ?? this.cache.load(account, this.store.load(account));
  }

  /** What `look` finds in a roster; at once unless the roster has to be waited for. */
  private ask<T>(account: Jid, look: (roster: StoredRoster) => T): T | Promise<T> {
    return andThen(this.load(account.bare), look);
  }

  get(account: Jid): RosterMap | Promise<RosterMap> {
    return this.ask(account, itemsOf);
  }

  item(account: Jid, contact: Jid): RosterItem | undefined | Promise<RosterItem | undefined> {
    return this.ask(account, ({ items }) => items.get(contact.bare));
  }

  hasSubscriptionFrom(account: Jid, contact: Jid): boolean | Promise<boolean> {
    return this.ask(account, ({ items }) => isOf(items.get(contact.bare), 'from'));
  }

  hasSubscriptionTo(account: Jid, contact: Jid): boolean | Promise<boolean> {
    return this.ask(account, ({ items }) => isOf(items.get(contact.bare), 'to'));
  }

  hasRoomFor(
    account: Jid,
    contact: Jid,
    wanted: Pick<RosterItem, 'name' | 'groups'> = { name: undefined, groups: NO_GROUPS },
  ): boolean | Promise<boolean> {
    return this.ask(account, ({ items, size }) => {
      const most = this.audience.most(account.domain);
      const before = items.get(contact.bare);
      const after = sizeOf({ ...(before ?? this.blank(contact)), ...wanted });
      return (before !== undefined || items.size < most.items) && size - sizeOf(before) + after <= most.size;
    });
  }

  /** What `look` finds while nothing changes: no later change is pushed before what becomes of it in the same tick. */
  still<T>(account: Jid, look: (roster: StoredRoster) => MaybePromise<T>): Promise<T> {
    return this.turns.run(account.bare, async () => look(await this.load(account.bare)));
  }

  blank(contact: Jid): RosterItem {
    const address = contact.toBare();
    return {
      jid: address.full,
      address,
      name: undefined,
      subscription: 'none',
      ask: false,
      approved: false,
      groups: NO_GROUPS,
    };
  }

  interested(account: Jid): readonly SessionView[] {
    return this.audience.interested(account);
  }

  change(
    account: Jid,
    contact: Jid,
    change: (item: RosterItem | undefined) => MaybePromise<RosterItem | undefined>,
    meanwhile?: (change: RosterChange) => void | Promise<void>,
  ): Promise<RosterChange> {
    return this.turns.run(account.bare, async () => {
      const roster = await this.load(account.bare);
      const before = roster.items.get(contact.bare);
      const result = { before, after: await change(before) };
      if (result.after !== before) await this.put(account.bare, contact.bare, result.after, roster);
      try {
        await meanwhile?.(result);
      } finally {
        if (result.after !== before) this.tell(account, contact.bare, result, roster.version);
      }
      return result;
    });
  }

  private async put(
    account: string,
    contact: string,
    item: RosterItem | undefined,
    roster: StoredRoster,
  ): Promise<void> {
    // by the clock, so that a roster that is begun anew under the same name has other versions than the old one
    const version = Math.max(roster.version + 1, Date.now());
    roster.floor = await this.store.put(account, contact, item, version);
    roster.version = version;
    roster.size += sizeOf(item) - sizeOf(roster.items.get(contact));
    if (item) roster.items.set(contact, item);
    else roster.items.delete(contact);
    this.cache.set(account, roster);
  }

  private tell(account: Jid, contact: string, change: RosterChange, version: number): void {
    this.audience.push(account, contact, change.after, version);
    for (const listener of this.listeners) listener(account, change);
  }

  /** How a client that has this version of the roster is to be brought up to date (RFC 6121 2.6.3). */
  difference(account: Jid, roster: StoredRoster, text: string): MaybePromise<'none' | 'changes' | 'all'> {
    if (text === String(roster.version)) return 'none';
    const version = versionOf(text);
    if (version === undefined || version < roster.floor || version > roster.version) return 'all';
    return andThen(this.store.changedSince(account.bare, version, CHANGES + 1), ({ length }) =>
      // the whole roster where that is shorter
      length > CHANGES || length * 2 > roster.items.size ? 'all' : 'changes',
    );
  }

  /** Tells what changed after a version, in order, with nothing changing meanwhile; then `done` is called. */
  since(
    account: Jid,
    text: string,
    tell: (contact: string, item: RosterItem | undefined, version: number) => void,
    done: () => void,
  ) {
    return this.turns.run(account.bare, async () => {
      const roster = await this.load(account.bare);
      const from = versionOf(text) ?? roster.version;
      const changes = await this.store.changedSince(account.bare, from, 2 * CHANGES);
      for (const { contact, version } of changes) tell(contact, roster.items.get(contact), version);
      done();
    });
  }

  onChange(listener: (account: Jid, change: RosterChange) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  onRemoval(listener: (account: Jid, item: RosterItem) => Promise<void>): () => void {
    this.removal = listener;
    return () => {
      if (this.removal === listener) this.removal = undefined;
    };
  }

  /** The account itself removed a contact: RFC 6121 2.5.2. */
  async removed(account: Jid, item: RosterItem): Promise<void> {
    await this.removal?.(account, item);
  }

  async forget(account: Jid): Promise<void> {
    await this.turns.run(account.bare, async () => {
      await this.store.removeAll(account.bare);
      this.cache.delete(account.bare);
    });
  }
}

function itemsOf({ items }: StoredRoster): RosterMap {
  return items;
}

function isOf(item: RosterItem | undefined, way: 'to' | 'from'): boolean {
  return item !== undefined && (item.subscription === way || item.subscription === 'both');
}

function versionOf(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}
