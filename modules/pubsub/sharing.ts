/* Who shows itself to accounts and services by presence that is sent to them: XEP-0060 9.1.3, 12.2, 12.6. */
import { Lru, type Mod, type Packet, type SessionView, type Slot } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

/** Bare addresses of which it is known whether they are there. */
const REMEMBERED = 20_000;
/** Resources of one address. */
const MOST = 100;
/** Accounts that a session is known to have sent presence to. */
const ACCOUNTS = 1000;

/** What presence says of being there: 'online' where it says no more (RFC 6121 4.7.2.1). */
export function showOf(presence: Packet): string {
  return presence.stanza.childText('show') ?? 'online';
}

/** Clients of this server that have sent presence to accounts whose presence they may not see: XEP-0060 9.1.3. */
export class Sharing {
  private readonly slot: Slot<ReadonlySet<string>>;
  /** By the bare JID of the account. */
  private readonly accounts = new Map<string, Set<SessionView>>();

  constructor(mod: Pick<Mod, 'node' | 'perSession'>) {
    this.slot = mod.perSession<ReadonlySet<string>>(() => new Set(), {
      write: accounts => (accounts.size > 0 ? [...accounts] : undefined),
      read: json => new Set(json as string[]),
    });
    for (const user of mod.node.users()) for (const session of user.sessions) this.know(session);
  }

  /** A session that is there again, or still. */
  know(session: SessionView): void {
    for (const account of this.slot.get(session)) this.add(account, session);
  }

  private add(account: string, session: SessionView): void {
    const known = this.accounts.get(account);
    if (known) known.add(session);
    else this.accounts.set(account, new Set([session]));
  }

  /** Those that have sent presence to an account. */
  with(account: Jid): Iterable<SessionView> {
    return this.accounts.get(account.bare) ?? [];
  }

  /** The accounts, by bare JID, that a session has sent presence to. */
  of(session: SessionView): ReadonlySet<string> {
    return this.slot.get(session);
  }

  /** A session sends presence to an account; whether that is new. */
  begin(session: SessionView, { bare }: Jid): boolean {
    const before = this.slot.get(session);
    if (before.has(bare) || before.size >= ACCOUNTS) return false;
    this.slot.set(session, new Set([...before, bare]));
    this.add(bare, session);
    return true;
  }

  /** It is not there any more for an account, or for any. */
  end(session: SessionView, account?: Jid): void {
    const before = this.slot.get(session);
    const gone = account ? [account.bare].filter(bare => before.has(bare)) : [...before];
    if (gone.length === 0) return;
    this.slot.set(session, new Set([...before].filter(bare => !gone.includes(bare))));
    for (const bare of gone) {
      const known = this.accounts.get(bare);
      if (known?.delete(session) && known.size === 0) this.accounts.delete(bare);
    }
  }
}

/** Who has sent presence to the domain of a service, from wherever. */
export class Shown {
  /** What each resource shows, by service and bare address; empty: it is known that none is there. */
  private readonly known = new Lru<string, ReadonlyMap<string, string>>(REMEMBERED);

  /** What the resources of an address show to a service; undefined where they have never shown anything. */
  of(service: Jid, { bare }: Jid): ReadonlyMap<string, string> | undefined {
    return this.known.get(`${service.bare} ${bare}`);
  }

  /** Somebody sends presence to a service; whether a resource is there that was not there before. */
  came(service: Jid, packet: Packet): boolean {
    const { from, type } = packet;
    if ((type !== '' && type !== 'unavailable') || from.resource === '') return false;
    const key = `${service.bare} ${from.bare}`;
    const before = this.known.get(key);
    // one that never was there is not remembered for going
    if (!before && type === 'unavailable') return false;
    const now = new Map(before);
    const isNew = type === '' && !now.has(from.full);
    if (type === 'unavailable') now.delete(from.full);
    else if (!isNew || now.size < MOST) now.set(from.full, showOf(packet));
    this.known.set(key, now);
    return isNew;
  }
}
