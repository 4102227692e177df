/* The archive of a room, for those who may read it: XEP-0313 5.1.2. What it is made of is in modules/archive. */
import { NS, refuse } from '../../src/protocol/index.ts';
import type { RoomIq } from './hooks.ts';
import { atLeast } from './roles.ts';
import type { Room } from './room.ts';
import { archiveOf } from './reflecting.ts';

const NONE = refuse('feature-not-implemented', 'Nothing is kept of what is said in this room.');

/** Who could enter may read: an outcast may not, and where not everybody could, only those who belong to the room or are in it. */
const read: RoomIq['answer'] = (room, request) => {
  const { affiliation, role } = room.actor(request.from);
  if (affiliation === 'outcast') return refuse('forbidden', 'You are banned from this room.');
  const closed = room.config.membersOnly || room.config.passwordProtected;
  if (closed && role === undefined && !atLeast(affiliation, 'member'))
    return refuse('forbidden', 'Who is not in the room, and belongs not to it, cannot read what was said in it.');
  const archive = archiveOf(room);
  if (!archive) return NONE;
  const addresses = room.showsAddressesTo(role ?? 'visitor') || atLeast(affiliation, 'admin');
  const view = { host: room.host, addresses };
  return () => archive.answer(request, room.jid, view);
};

export const archiveIqs: readonly RoomIq[] = [
  { xmlns: NS.mam, name: 'query', type: 'get', answer: read },
  { xmlns: NS.mam, name: 'query', type: 'set', answer: read },
  { xmlns: NS.mam, name: 'metadata', type: 'get', answer: read },
];

export function archiveFeatures(room: Room): readonly string[] {
  return archiveOf(room) ? [NS.mam, `${NS.mam}#extended`, NS.retract, `${NS.retract}#tombstone`] : [NS.retract];
}
