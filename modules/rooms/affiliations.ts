import type { Jid } from '../../src/jid/index.ts';
import { nickKey } from './occupants.ts';
import type { Affiliation } from './roles.ts';
import type { Affiliated, Unaffiliated } from './stored.ts';

/** Who belongs to a room (XEP-0045 5.2), in memory while the room is awake. */
export class Affiliations {
  private readonly byJid = new Map<string, Affiliated>();
  /** Addresses by the nicknames reserved for them. */
  private readonly byNick = new Map<string, Jid>();
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

  kept(bare: string): Affiliated | undefined {
    return this.byJid.get(bare);
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
  holderOf(nick: string): Jid | undefined {
    return this.byNick.get(nickKey(nick));
  }

  set(entry: Affiliated | Unaffiliated): void {
    const { jid } = entry;
    this.delete(jid);
    if (entry.affiliation === 'none') return;
    this.byJid.set(jid.bare, entry);
    if (entry.affiliation === 'owner') this.ownerCount++;
    if (entry.nick) this.byNick.set(nickKey(entry.nick), jid);
  }

  private delete({ bare }: Jid): void {
    const before = this.byJid.get(bare);
    if (!before) return;
    this.byJid.delete(bare);
    if (before.affiliation === 'owner') this.ownerCount--;
    const key = nickKey(before.nick ?? '');
    if (this.byNick.get(key)?.bare === bare) this.byNick.delete(key);
  }
}
