import type { Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { indexed, type Stanza } from '../../src/xml/index.ts';
import { stanzaIdBy } from '../stanza-id/contract.ts';

/** Something that an account should know. */
export interface PushEvent {
  readonly kind: 'call' | 'message' | 'request';
  /** The same for what is the same, however often it comes by: once delivered, once stored. */
  readonly key: string;
  readonly from: Jid;
  /** The text; '' where nobody is to be told. */
  readonly body: string;
  /** Whether it waits in offline storage, where it is counted. */
  readonly isStored: boolean;
  /** What was said in a room; undefined for all other conversations. */
  readonly room?: InRoom;
}

export interface InRoom {
  /** Whether it is only for its members. */
  readonly isPrivate: boolean;
  /** Whether a message is for the account, which has these nicknames beside those of the room. */
  isMention(nick: string | undefined): boolean;
}

let unnamed = 0;

/** What a message is known by to the account: the id that it gave it (XEP-0359), or a room did. */
export function keyOf(packet: Packet, account: Jid): string {
  return packet.stanzaId ?? stanzaIdBy(account, packet) ?? keyOfRoom(packet);
}

export function keyOfRoom(packet: Packet): string {
  const id = packet.type === 'groupchat' ? idBy(indexed(packet.wire()), packet.from.bare) : undefined;
  return id === undefined ? `unnamed ${++unnamed}` : `${packet.from.bare} ${id}`;
}

function idBy(stanza: Stanza, by: string): string | undefined {
  if (!stanza.has('stanza-id', NS.stanzaIds)) return undefined;
  for (const kid of stanza.children()) {
    if (!stanza.isKid(kid, 'stanza-id', NS.stanzaIds)) continue;
    const { attrs } = stanza.kidElement(kid) as { attrs: { by?: string; id?: string } };
    if (attrs.by === by) return attrs.id;
  }
  return undefined;
}
