import { andThen, type MaybePromise, type Mod, type SessionView, type Slot } from '../../src/api/index.ts';
import { Blocklist } from './blocklist.ts';
import type { Blocklists } from './lists.ts';

/** The lists of accounts at their sessions, for what is sent to very many of them: a look at the session says that nobody is blocked. */
export class SessionLists {
  private readonly mod: Pick<Mod, 'enabled'>;
  private readonly lists: Blocklists;
  /** Undefined: not known yet; false: nobody is blocked. */
  private readonly slot: Slot<Blocklist | false | undefined>;

  constructor(mod: Pick<Mod, 'enabled' | 'perSession'>, lists: Blocklists) {
    this.mod = mod;
    this.lists = lists;
    this.slot = mod.perSession<Blocklist | false | undefined>(() => undefined);
  }

  get(session: SessionView): MaybePromise<Blocklist | undefined> {
    const known = this.slot.get(session);
    if (known === false) return undefined;
    if (known === undefined) return this.load(session);
    return this.mod.enabled(session.jid.domain) ? known : undefined;
  }

  private load(session: SessionView): MaybePromise<Blocklist | undefined> {
    return andThen(this.lists.of(session.user.jid), list => {
      this.set(session, list);
      return this.get(session);
    });
  }

  /** The account of a session has another list now. */
  changed(session: SessionView, list: Blocklist): void {
    if (this.slot.get(session) !== undefined) this.set(session, list);
  }

  private set(session: SessionView, list: Blocklist): void {
    this.slot.set(session, list === Blocklist.NONE ? false : list);
  }
}
