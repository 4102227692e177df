import { MESSAGE, type Packet } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';
import type { Stanza } from '../../src/xml/index.ts';
import { ASKS, DISPLAYED, ERROR, RECEIVED, type Subject } from './notes.ts';

/** Characters of an id that its number is made of, from the end: there ids differ. */
const COUNTED = 16;
/** What is another text than its markup: references, and what is not of ASCII. */
const NOT_PLAIN = /[&\x80-\xff]/;

/** A number of 32 bits for a client's own id; 0 for none. FNV-1a: an id is not kept, since it would keep its whole stanza in memory. */
export function markOf(id: string | undefined): number {
  if (id === undefined || id === '') return 0;
  let hash = 0x811c9dc5 ^ id.length;
  for (let i = Math.max(0, id.length - COUNTED); i < id.length; i++)
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash | 0 || 1;
}

/** The 'id' of a direct child. */
export function idOfChild(stanza: Stanza, name: string, xmlns: string): string | undefined {
  const kid = stanza.child(name, xmlns);
  if (kid === undefined) return undefined;
  // as nearly everybody writes it: <name xmlns='...' id='...'/>; what is written otherwise is read as a tree
  const raw = stanza.kidRaw(kid);
  const at = raw.indexOf(" id='");
  const end = raw.indexOf("'", at + 5);
  const plain = at > 0 && (at === raw.indexOf(' ') || (raw[at - 1] === "'" && raw[at - 2] !== '='));
  const id = raw.slice(at + 5, end);
  const head = raw.indexOf('>');
  if (!plain || head < end || raw.lastIndexOf('"', head) >= 0 || NOT_PLAIN.test(id))
    return stanza.kidElement(kid).attrs.id as string | undefined;
  return id;
}

/** What a message says of another one, if it does: RECEIVED, DISPLAYED, ERROR; or ASKS. */
function saysOf(stanza: Stanza): number {
  if (stanza.attrIs('type', 'error')) return ERROR;
  if (stanza.has('received', NS.receipts)) return RECEIVED;
  if (stanza.has('request', NS.receipts)) return ASKS;
  // XEP-0333: 'acknowledged' says more than 'displayed'; what can be marked says nothing
  if (stanza.has('displayed', NS.chatMarkers) || stanza.has('acknowledged', NS.chatMarkers)) return DISPLAYED;
  return stanza.has('received', NS.chatMarkers) ? RECEIVED : 0;
}

/** What a message says of another one, by the id that its client gave that one. */
export function sayingOf(stanza: Stanza): { says: number; id: string | undefined } {
  const says = saysOf(stanza);
  return { says, id: says === 0 || says === ASKS ? undefined : referredOf(stanza, says) };
}

function referredOf(stanza: Stanza, says: number): string | undefined {
  if (says === ERROR) return stanza.id;
  if (says === DISPLAYED)
    return idOfChild(stanza, 'displayed', NS.chatMarkers) ?? idOfChild(stanza, 'acknowledged', NS.chatMarkers);
  return idOfChild(stanza, 'received', NS.receipts) ?? idOfChild(stanza, 'received', NS.chatMarkers);
}

export function subjectOf({ from, to, stanza }: Pick<Packet, 'from' | 'to' | 'stanza'>): Subject {
  const { id } = stanza;
  const mark = markOf(id);
  const origin = idOfChild(stanza, 'origin-id', NS.stanzaIds);
  const says = saysOf(stanza);
  const refers = says === 0 || says === ASKS ? 0 : markOf(referredOf(stanza, says));
  return { from, to, mark, origin: origin === id ? mark : markOf(origin), says, refers };
}

/** Whether it is worth a story: what is of the moment only (XEP-0085) would push others out. */
export function isStory(packet: Packet): boolean {
  return packet.kind === MESSAGE && (packet.hasBody || !packet.isChatState);
}
