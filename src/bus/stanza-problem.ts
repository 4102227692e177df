import { refuse, type StanzaError } from '../protocol/index.ts';
import { IQ, type Packet, PRESENCE } from './packet.ts';

const PRESENCE_TYPES = new Set([
  'unavailable',
  'subscribe',
  'subscribed',
  'unsubscribe',
  'unsubscribed',
  'probe',
  'error',
]);

/** RFC 6120 8.2.3, RFC 6121 4.7.1: what no stanza may be. `type` is the attribute as it came. */
export function stanzaProblem(packet: Packet, type: string | undefined): StanzaError | undefined {
  const { stanza, kind } = packet;
  if (kind === IQ) {
    if (stanza.id === undefined) return refuse('bad-request', "An IQ must have an 'id'.");
    if (type === 'get' || type === 'set') {
      if (stanza.childCount !== 1) return refuse('bad-request', 'A request holds exactly one element.');
    } else if (type !== 'result' && type !== 'error') {
      return refuse('bad-request', "The 'type' of an IQ is get, set, result or error.");
    }
  } else if (kind === PRESENCE && type !== undefined && !PRESENCE_TYPES.has(type)) {
    return refuse('bad-request', `'${type.slice(0, 40)}' is no type of presence.`);
  }
  return undefined;
}
