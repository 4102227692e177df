/* Which messages are worth waking somebody for. */
import type { Packet } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { CALL } from './namespaces.ts';

export type Worth = 'call' | 'message';

/** Encrypted content, by name and namespace: of OMEMO (XEP-0384), OX (XEP-0373) and OpenPGP (XEP-0027). */
const ENCRYPTED = [
  ['encrypted', 'eu.siacs.conversations.axolotl'],
  ['encrypted', 'urn:xmpp:omemo:1'],
  ['encrypted', 'urn:xmpp:omemo:2'],
  ['openpgp', 'urn:xmpp:openpgp:0'],
  ['x', 'jabber:x:encrypted'],
] as const;

/**
 * A message that somebody has to read, or a call (XEP-0353). Receipts, markers, chat states, corrections and retractions wake nobody, nor do
 * copies (XEP-0280) of what another device has sent or got.
 */
export function worthOf(packet: Packet): Worth | undefined {
  const { type, stanza } = packet;
  if (type === 'error' || type === 'headline' || packet.hint('no-store')) return undefined;
  if (stanza.hasNamespace(NS.carbons) && (packet.has('sent', NS.carbons) || packet.has('received', NS.carbons)))
    return undefined;
  if (packet.has('replace', NS.correct) || packet.has('retract', NS.retract)) return undefined;
  if (packet.hasBody) return 'message';
  if (type !== 'groupchat' && packet.has('propose', CALL)) return 'call';
  if (ENCRYPTED.some(([name, xmlns]) => isEncrypted(packet, name, xmlns))) return 'message';
  // invitations (XEP-0045 7.8, XEP-0249)
  if (packet.has('x', NS.conference) || isInvitation(packet)) return 'message';
  return undefined;
}

/** Without a <payload/> OMEMO carries keys alone (XEP-0384 4.4). */
function isEncrypted(packet: Packet, name: string, xmlns: string): boolean {
  const kid = packet.child(name, xmlns);
  if (kid === undefined) return false;
  return name !== 'encrypted' || packet.stanza.kidElement(kid).getChild('payload') !== undefined;
}

function isInvitation(packet: Packet): boolean {
  const kid = packet.child('x', NS.mucUser);
  return kid !== undefined && packet.stanza.kidElement(kid).getChild('invite') !== undefined;
}

/** The text of a message, or ''. */
export function bodyOf({ stanza }: Packet): string {
  const kid = stanza.child('body', stanza.xmlns);
  return kid === undefined ? '' : stanza.kidElement(kid).getText();
}
