import { andThen, Loaded, type MaybePromise } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { Registration } from './registration.ts';
import type { PushStore } from './store.ts';

/** Accounts whose registrations are kept in memory, most of them none at all. */
const CACHED = 100_000;

type Registrations = readonly Registration[];
const NONE: Registrations = [];

/** The registrations of accounts, as the database has them. */
export class KnownRegistrations {
  private readonly store: PushStore;
  private readonly known = new Loaded<Registrations>(CACHED);
  /** Counts what was written. */
  private changes = 0;
  /** Told when those of an account are others. */
  private readonly changed: (account: Jid) => void;

  constructor(store: PushStore, changed: (account: Jid) => void) {
    this.store = store;
    this.changed = changed;
  }

  of(account: Jid): MaybePromise<Registrations> {
    return this.known.get(account.bare) ?? this.known.load(account.bare, this.store.all(account));
  }

  /** Calls `each` with those accounts that have any, in slices of what the database is asked. */
  async among(accounts: readonly Jid[], each: (account: Jid, registrations: Registrations) => void): Promise<void> {
    const unknown: Jid[] = [];
    for (const account of accounts) {
      const known = this.known.get(account.bare);
      if (!known || known instanceof Promise) unknown.push(account);
      else if (known.length > 0) each(account, known);
    }
    if (unknown.length === 0) return;
    const { changes } = this;
    const found = await this.store.many(unknown.map(({ bare }) => bare));
    for (const account of unknown) {
      const registrations = found.get(account.bare) ?? NONE;
      if (changes === this.changes) this.known.set(account.bare, registrations);
      if (registrations.length > 0) each(account, registrations);
    }
  }

  async put(registration: Omit<Registration, 'key'>, most: number): Promise<void> {
    await this.written(registration.account, this.store.put(registration, most));
  }

  remove(account: Jid, service: Jid, node: string | undefined): Promise<number> {
    return this.written(account, this.store.remove(account, service, node));
  }

  removeAll(account: Jid): Promise<void> {
    return this.written(account, this.store.removeAll(account));
  }

  private async written<T>(account: Jid, write: Promise<T>): Promise<T> {
    try {
      return await write;
    } finally {
      // also where it failed nobody knows how far it came
      this.changes++;
      this.known.delete(account.bare);
      this.changed(account);
    }
  }

  /** Whether a registration is still the one that is enabled. */
  isEnabled(registration: Registration): MaybePromise<boolean> {
    return andThen(this.of(registration.account), all => all.some(({ key }) => key === registration.key));
  }
}
