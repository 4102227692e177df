import { MESSAGE, type Packet } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';
import type { Stanza } from '../../src/xml/index.ts';
import { ASKS, DISPLAYED, ERROR, RECEIVED, type Subject } from './notes.ts';

/** A number of 32 bits for a client's own id; 0 for none. FNV-1a: an id is not kept, since it would keep its whole stanza in memory. */
export function markOf(id: string | undefined): number {
  if (id === undefined || id === '') return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash | 0 || 1;
}

/** The 'id' of a direct child. */
export function idOfChild(stanza: Stanza, name: string, xmlns: string): string | undefined {
  const kid = stanza.child(name, xmlns);
  if (kid === undefined) return undefined;
  const found = / id=(?:'([^'&]*)'|"([^"&]*)")/.exec(stanza.kidRaw(kid));
  return found ? (found[1] ?? found[2]) : (stanza.kidElement(kid).attrs.id as string | undefined);
}

/** What a message says of another one, by the id that its client gave that one. */
export function sayingOf(stanza: Stanza): { says: number; id: string | undefined } {
  if (stanza.type === 'error') return { says: ERROR, id: stanza.id };
  if (stanza.hasNamespace(NS.receipts)) {
    const id = idOfChild(stanza, 'received', NS.receipts);
    if (id !== undefined) return { says: RECEIVED, id };
    if (stanza.has('request', NS.receipts)) return { says: ASKS, id: undefined };
  }
  if (stanza.hasNamespace(NS.chatMarkers)) {
    // XEP-0333: 'acknowledged' says more than 'displayed'; what only can be marked says nothing
    const id = idOfChild(stanza, 'displayed', NS.chatMarkers) ?? idOfChild(stanza, 'acknowledged', NS.chatMarkers);
    if (id !== undefined) return { says: DISPLAYED, id };
    const received = idOfChild(stanza, 'received', NS.chatMarkers);
    if (received !== undefined) return { says: RECEIVED, id: received };
  }
  return { says: 0, id: undefined };
}

export function subjectOf({ from, to, stanza }: Pick<Packet, 'from' | 'to' | 'stanza'>): Subject {
  const { says, id } = sayingOf(stanza);
  const origin = stanza.has('origin-id', NS.stanzaIds) ? idOfChild(stanza, 'origin-id', NS.stanzaIds) : undefined;
  return { from, to, mark: markOf(stanza.id), origin: markOf(origin), says, refers: markOf(id) };
}

/** Whether it is worth a story: what is of the moment only (XEP-0085) would push others out. */
export function isStory(packet: Packet): boolean {
  return packet.kind === MESSAGE && (packet.hasBody || !packet.isChatState);
}
