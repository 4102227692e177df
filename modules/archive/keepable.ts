import type { Packet } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';
import type { Stanza } from '../../src/xml/index.ts';
import { CORRECTS, TEXT } from './schema.ts';

const REACTIONS = 'urn:xmpp:reactions:0'; // XEP-0444
const ENCRYPTION = 'urn:xmpp:eme:0'; // XEP-0380
const OMEMO: readonly string[] = ['eu.siacs.conversations.axolotl', 'urn:xmpp:omemo:2']; // XEP-0384
const ENCRYPTED: readonly string[] = [
  ENCRYPTION,
  ...OMEMO,
  'urn:xmpp:openpgp:0', // XEP-0373
];

/**
 * Whether a message belongs into an archive: XEP-0313 6.1, XEP-0334 4. Those of type chat and normal do that have a body, ask for it
 * by a hint, or say something that a device which was away has to know: encrypted text, an invitation, a reaction, a retraction,
 * what was received or displayed.
 */
export function isKeepable(packet: Packet): boolean {
  const { type } = packet;
  if (type !== 'chat' && type !== 'normal') return false;
  const { stanza } = packet;
  if (packet.hint('no-store') || packet.hint('no-permanent-store')) return false;
  if (packet.hasBody || packet.hint('store')) return true;
  if (stanza.childCount === 0) return false;
  return (
    stanza.has('received', NS.receipts) ||
    stanza.has('displayed', NS.chatMarkers) ||
    stanza.has('acknowledged', NS.chatMarkers) ||
    stanza.has('retract', NS.retract) ||
    stanza.has('reactions', REACTIONS) ||
    stanza.has('x', NS.conference) ||
    isInvitation(stanza) ||
    isEncrypted(stanza)
  );
}

/** Whether what a room sends belongs into its archive: XEP-0313 5.1.2. Changes of the subject are for the room to remember. */
export function isKeepableInRoom(packet: Packet): boolean {
  const { stanza, type } = packet;
  if (type !== 'groupchat' || packet.hint('no-store') || packet.hint('no-permanent-store')) return false;
  if (packet.hasBody || packet.hint('store')) return true;
  return stanza.has('retract', NS.retract) || stanza.has('reactions', REACTIONS) || isEncrypted(stanza);
}

/** Whether a message counts as one that its recipient has to read: text, but no correction and no retraction of an earlier one. */
export function isText(packet: Packet): boolean {
  const { stanza } = packet;
  if (!packet.hasBody && !isEncryptedText(stanza)) return false;
  return (
    !stanza.has('replace', NS.correct) && !stanza.has('retract', NS.retract) && !stanza.has('reactions', REACTIONS)
  );
}

/** Whether a message takes the place of an earlier one: XEP-0308. */
export function isCorrection({ hasBody, stanza }: Packet): boolean {
  return (
    (hasBody || isEncryptedText(stanza)) && stanza.has('replace', NS.correct) && !stanza.has('retract', NS.retract)
  );
}

/** What of a message is to be read: TEXT, CORRECTS, or nothing. */
export function contentFlags(packet: Packet): number {
  if (isText(packet)) return TEXT;
  return isCorrection(packet) ? CORRECTS : 0;
}

/** The id of the message whose place another takes. */
export function replacedId(stanza: Stanza): string | undefined {
  const kid = stanza.child('replace', NS.correct);
  return kid === undefined ? undefined : stanza.kidElement(kid).attrs.id;
}

function isEncrypted(stanza: Stanza): boolean {
  for (const xmlns of ENCRYPTED) if (stanza.hasNamespace(xmlns)) return true;
  return false;
}

/** Without a <payload/> OMEMO carries keys alone (XEP-0384 4.4). */
function isEncryptedText(stanza: Stanza): boolean {
  if (!isEncrypted(stanza)) return false;
  for (const xmlns of OMEMO) {
    const kid = stanza.child('encrypted', xmlns);
    if (kid !== undefined) return stanza.kidRaw(kid).includes('<payload');
  }
  return true;
}

/** XEP-0045 7.8.2. */
function isInvitation(stanza: Stanza): boolean {
  const room = stanza.child('x', NS.mucUser);
  return room !== undefined && stanza.kidElement(room).getChild('invite') !== undefined;
}
