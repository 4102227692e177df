import type { Packet } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';

/**
 * Whether a message is of the kind that is copied: XEP-0280 6.1, for messages that are no errors (those depend on what they
 * answer).
 */
export function isEligible(packet: Packet, direction: 'sent' | 'received'): boolean {
  const { type, stanza } = packet;
  if (type === 'error' || type === 'groupchat') return false;
  // <private/>, XEP-0280 9; and a copy is not copied, whoever made it
  if (stanza.hasNamespace(NS.carbons)) return false;
  if (packet.hint('no-copy')) return false; // XEP-0334 4.3
  const room = stanza.child('x', NS.mucUser);
  if (room !== undefined) {
    const invitation = stanza.kidElement(room).getChild('invite', NS.mucUser) !== undefined;
    // a room sends private messages to each session of an occupant itself
    if (!invitation && direction === 'received' && packet.from.resource !== '') return false;
    if (invitation) return true;
  }
  if (type === 'chat') return true;
  if (type === 'normal' && packet.hasBody) return true;
  return stanza.has('x', NS.conference) || hasMessagingPayload(packet);
}

/** Payloads of instant messaging: receipts (XEP-0184), chat states (XEP-0085), markers (XEP-0333). */
function hasMessagingPayload({ stanza }: Packet): boolean {
  return stanza.hasNamespace(NS.receipts) || stanza.hasNamespace(NS.chatStates) || stanza.hasNamespace(NS.chatMarkers);
}
