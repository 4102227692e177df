import { type Packet, serviceKey } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';

export { base32 } from './ids.ts';

/** What ids are made of: they are in the order of time. */
export const ID = /^[0-9a-v]{21}$/;

/** Stanza ids for those who keep messages (XEP-0359, XEP-0313). */
export interface StanzaIdsService {
  /** A new id: 21 characters of 0-9 and a-v; later ones of this node sort behind earlier ones, others' by their time. */
  next(): string;
  /** The id that a packet was given; undefined for one that got none. */
  of(packet: Packet): string | undefined;
  /** Ids are made for no time up to this one (milliseconds since 1970): others of that time are kept already. */
  after(time: number): void;
  /** Takes away ids of a message that claim to be of that account or its server (XEP-0359 3). */
  clean(packet: Packet, account: Jid): void;
  /** Gives a message that id, of its recipient's account. It gets no other afterwards. */
  give(packet: Packet, id: string): void;
}

/** The id that stands in a stanza which an account's own server has given it before; undefined when none does. */
export function stanzaIdBy(account: Jid, { stanza }: Packet): string | undefined {
  if (!stanza.has('stanza-id', NS.stanzaIds)) return undefined;
  for (const kid of stanza.children()) {
    if (!stanza.isKid(kid, 'stanza-id', NS.stanzaIds)) continue;
    const { by, id } = stanza.kidElement(kid).attrs as { by?: string; id?: string };
    if (by !== undefined && parseJid(by)?.full === account.bare) return id;
  }
  return undefined;
}

export const StanzaIds = serviceKey<StanzaIdsService>('stanza-id');
