import type { Packet } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { PUBSUB } from './namespaces.ts';

/** Affiliations of a node that may publish (XEP-0060 4.1). */
const PUBLISHERS: ReadonlySet<string> = new Set(['owner', 'publish-only', 'publisher']);

/** The node to which an account, or its server, may publish no more: XEP-0357 8. Undefined for any other message. */
export function withdrawnNode(packet: Packet): string | undefined {
  const kid = packet.child('pubsub', PUBSUB);
  if (kid === undefined) return undefined;
  const pubsub = packet.stanza.kidElement(kid);
  const { node } = pubsub.attrs as { node?: string };
  const { jid, affiliation } = (pubsub.getChild('affiliation')?.attrs ?? {}) as { jid?: string; affiliation?: string };
  if (node === undefined || jid === undefined || affiliation === undefined || PUBLISHERS.has(affiliation))
    return undefined;
  const whose = parseJid(jid)?.bare;
  return whose === packet.to!.bare || whose === packet.to!.domain ? node : undefined;
}
