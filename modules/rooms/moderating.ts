/* Taking back what was said: by who said it (XEP-0424), or by a moderator (XEP-0425). */
import { Empty, type MaybePromise, Packet } from '../../src/api/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { serialize, xml } from '../../src/xml/index.ts';
import type { RoomIq } from './hooks.ts';
import type { Occupant } from './occupants.ts';
import { atLeast } from './roles.ts';
import type { Room } from './room.ts';
import { archiveOf, name, reflected, spread } from './reflecting.ts';

export const MODERATE = 'urn:xmpp:message-moderate:1'; // XEP-0425
const LONGEST_REASON = 1000;
const NOT_YOURS = refuse('forbidden', 'Only who has said a message takes it back; moderators do otherwise.');

/** A retraction by an occupant: of a message of its account, or of one that the room knows nothing of. */
export function retract(room: Room, occupant: Occupant, packet: Packet): MaybePromise<void> {
  const { stanza } = packet;
  const id = stanza.kidElement(stanza.child('retract', NS.retract)!).attrs.id as string | undefined;
  if (id === undefined || id === '')
    return room.error(packet, 'bad-request', 'A retraction names a message by its id.');
  const copy = reflected(room, occupant, packet);
  const archive = archiveOf(room);
  if (!archive) {
    if (!room.history.retract(id, occupant.id)) return room.refuse(packet, NOT_YOURS);
    name(room, copy);
    return spread(room, occupant, copy);
  }
  return archive.find(room.jid, id, occupant.account).then(async message => {
    if (message && !message.own) return room.refuse(packet, NOT_YOURS);
    const stamp = new Date().toISOString();
    const tombstone = xml('retracted', { xmlns: NS.retract, id: packet.id ?? '', stamp });
    await bury(room, occupant, copy, id, serialize(tombstone, NS.client));
    return undefined;
  });
}

/** Puts the tombstone where the message was, and then tells everybody. */
async function bury(room: Room, by: Pick<Occupant, 'account'>, copy: Packet, id: string, tombstone: string) {
  const archive = archiveOf(room)!;
  const place = await archive.place(room.jid, by.account);
  const { kept } = await archive.bury(place, copy, id, tombstone);
  await kept;
  room.history.clear();
  await spread(room, by, copy);
}

/** A moderator's request: XEP-0425 4. */
export const moderateIq: RoomIq = {
  xmlns: MODERATE,
  name: 'moderate',
  type: 'set',
  answer: (room, request) => {
    const { payload, from } = request;
    const actor = room.actor(from);
    if (actor.role !== 'moderator' && !atLeast(actor.affiliation, 'admin'))
      return new StanzaError('forbidden', { text: 'Only moderators take back what others have said.' });
    const id = payload.attrs.id as string | undefined;
    if (id === undefined || id === '') return refuse('bad-request', 'The message is named by its stanza id.');
    if (!payload.getChild('retract', NS.retract))
      return refuse('feature-not-implemented', 'Messages are retracted, and nothing else.');
    const reason = payload.getChildText('reason') ?? '';
    if (reason.length > LONGEST_REASON)
      return refuse('not-acceptable', `A reason has at most ${LONGEST_REASON} characters.`);
    return moderate(room, from.toBare(), id, reason, room.occupants.client(from)?.occupant);
  },
};

async function moderate(
  room: Room,
  account: Occupant['account'],
  id: string,
  reason: string,
  occupant: Occupant | undefined,
) {
  const archive = archiveOf(room);
  const message = await archive?.find(room.jid, id, account);
  if (archive && !message) return refuse('item-not-found', 'There is no such message.');
  if (message?.retracted) return refuse('item-not-found', 'That message has been taken back already.');
  const moderated = xml(
    'moderated',
    { xmlns: MODERATE, by: occupant?.address.full },
    occupant && xml('occupant-id', { xmlns: NS.occupantIds, id: occupant.id }),
  );
  const why = reason === '' ? undefined : xml('reason', {}, reason);
  const stamp = new Date().toISOString();
  const copy = Packet.of(
    xml(
      'message',
      { type: 'groupchat', id: `moderate-${id}` },
      xml('retract', { xmlns: NS.retract, id }, moderated, why),
    ),
    room.jid,
    undefined,
  );
  if (archive) {
    const tombstone = xml('retracted', { xmlns: NS.retract, stamp }, moderated, why);
    await bury(room, { account }, copy, id, serialize(tombstone, NS.client));
  } else {
    room.history.retract(id);
    name(room, copy);
    await spread(room, { account }, copy);
  }
  return Empty;
}
