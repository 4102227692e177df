import type { Jid } from '../../src/jid/index.ts';
import { nickKey } from './occupants.ts';
import type { Affiliation } from './roles.ts';

/** An affiliation as it is kept; there is none for 'none'. */
export interface Affiliated {
  /** Bare; an outcast may be a whole domain (XEP-0045 9.2). */
  readonly jid: string;
  readonly affiliation: Exclude<Affiliation, 'none'>;
  /** The reserved nickname (XEP-0045 7.12), or ''. */
  readonly nick: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Who belongs to a room (XEP-0045 5.2), in memory while the room is awake. */
export class Affiliations {
  private readonly byJid = new Map<string, Affiliated>();
  /** Addresses by the nicknames reserved for them. */
  private readonly byNick = new Map<string, string>();
  private ownerCount = 0;

  constructor(kept: Iterable<Affiliated> = []) {
    for (const each of kept) this.set(each);
  }

  get owners(): number {
    return this.ownerCount;
  }

  get size(): number {
    return this.byJid.size;
  }

  /** XEP-0045 9.2: a ban of a domain is one of all its users. */
  of(jid: Jid): Affiliation {
    const own = this.byJid.get(jid.bare);
    if (own) return own.affiliation;
    return this.byJid.get(jid.domain)?.affiliation === 'outcast' ? 'outcast' : 'none';
  }

  get(jid: Jid): Affiliated | undefined {
    return this.byJid.get(jid.bare);
  }

  list(affiliation: Affiliation): Affiliated[] {
    return [...this.byJid.values()].filter(each => each.affiliation === affiliation);
  }

  all(): IterableIterator<Affiliated> {
    return this.byJid.values();
  }

  /** The nickname reserved for an account; '' for none. */
  nickOf(jid: Jid): string {
    return this.byJid.get(jid.bare)?.nick ?? '';
  }

  /** The bare address that a nickname, or one that passes for it, is reserved for. */
  holderOf(nick: string): string | undefined {
    return this.byNick.get(nickKey(nick));
  }

  set(entry: Affiliated): void {
    this.delete(entry.jid);
    this.byJid.set(entry.jid, entry);
    if (entry.affiliation === 'owner') this.ownerCount++;
    if (entry.nick !== '') this.byNick.set(nickKey(entry.nick), entry.jid);
  }

  delete(jid: string): void {
    const before = this.byJid.get(jid);
    if (!before) return;
    this.byJid.delete(jid);
    if (before.affiliation === 'owner') this.ownerCount--;
    if (before.nick !== '' && this.byNick.get(nickKey(before.nick)) === jid) this.byNick.delete(nickKey(before.nick));
  }
}
