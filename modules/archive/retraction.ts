import type { Packet } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { indexed, type Stanza, wireAttribute } from '../../src/xml/index.ts';
import { replacedId } from './keepable.ts';
import { markOf } from './key.ts';
import type { Address } from './addresses.ts';
import { type ArchiveStore, type Burial, type Kept, RETRACTED, SENT } from './store.ts';

/** Messages with the same mark that are looked at. */
const CANDIDATES = 8;

/** The id that a retraction names; undefined when a message is none. */
export function retractedId({ stanza }: Packet): string | undefined {
  const kid = stanza.child('retract', NS.retract);
  return kid === undefined ? undefined : stanza.kidElement(kid).attrs.id;
}

/**
 * What a retraction (XEP-0424) puts in the place of the message that it names, and of the corrections of that (XEP-0308): nothing where
 * there is no such message of its sender. It is looked up in the archive of the first address, in its conversation with the second:
 * `incoming`, or sent by it.
 */
export async function burials(
  store: ArchiveStore,
  packet: Packet,
  id: string,
  [owner, peer]: readonly [Address, Address],
  incoming: boolean,
  now: number,
): Promise<Burial[]> {
  const found = await store.reading.withMark(owner.id, peer.id, owner.goneBefore - 1, markOf(id), CANDIDATES);
  const message = found.find(one => stands(one, incoming) && isOwn(one, packet, stanza => stanza.id === id));
  if (!message) return [];
  const corrections = (await store.conversations.corrections(owner.id, peer.id, message.key)).filter(
    one => stands(one, incoming) && isOwn(one, packet, stanza => replacedId(stanza) === id),
  );
  const stamp = new Date(now).toISOString();
  const retracted = `<retracted xmlns='${NS.retract}'${wireAttribute('id', packet.id ?? '')} stamp='${stamp}'/>`;
  return [message, ...corrections].map(({ key, stanza }) => {
    const { headEnd } = indexed(stanza);
    return { key, tombstone: `${stanza.slice(0, headEnd)}>${retracted}</message>` };
  });
}

function stands({ flags }: Kept, incoming: boolean): boolean {
  return (flags & RETRACTED) === 0 && ((flags & SENT) === 0) === incoming;
}

/** XEP-0424 6: only who sent a message may retract it; of a room's occupants, who share a bare JID, only the same one. */
function isOwn({ stanza: wire }: Kept, packet: Packet, isMeant: (stanza: Stanza) => boolean): boolean {
  const stanza = indexed(wire);
  if (!isMeant(stanza)) return false;
  const occupant = stanza.has('x', NS.mucUser) || packet.stanza.has('x', NS.mucUser);
  return !occupant || stanza.attr('from') === packet.from.full;
}
