import { type Packet, serviceKey } from '../../src/api/index.ts';

/** Stanza ids for those who keep messages (XEP-0359, XEP-0313). */
export interface StanzaIdsService {
  /** A new id: 21 characters of 0-9 and a-v; later ones of this node sort behind earlier ones, others' by their time. */
  next(): string;
  /**
   * From now on the ids given to packets are remembered, as long as the packets live; the function returned tells a packet's.
   * Undefined for packets that got none.
   */
  remember(): (packet: Packet) => string | undefined;
}

export const StanzaIds = serviceKey<StanzaIdsService>('stanza-id');
