/* Messages to all in a room, its subject, and what of both somebody gets who enters: XEP-0045 7.2.13 to 7.2.15, 7.4, 8.1. */
import { andThen, type MaybePromise, Packet } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';
import { readWishes } from './history.ts';
import { invitationFailed } from './invitations.ts';
import { leaveByError } from './leaving.ts';
import { retract } from './moderating.ts';
import type { OccupantSession } from './occupants.ts';
import { occupantIdElement, textElement } from './presence.ts';
import { archiveOf, name, reflected, spread, tellMessage } from './reflecting.ts';
import type { Room } from './room.ts';

const LONGEST_SUBJECT = 4000;

/** A message to the room itself. `other` takes those that are none for all (invitations, requests for voice); false: it is none of them. */
export function messageCame(
  room: Room,
  packet: Packet,
  other: (room: Room, packet: Packet) => MaybePromise<boolean>,
): MaybePromise<void> {
  const client = room.occupants.client(packet.from);
  if (packet.type === 'error') return client ? leaveByError(room, client, packet) : invitationFailed(room, packet);
  // 17.2
  if (!room.state || (room.state.locked && !client))
    return room.error(packet, 'item-not-found', 'There is no such room.');
  if (packet.type === 'groupchat') return groupchat(room, client, packet);
  return andThen(other(room, packet), taken => {
    if (!taken && packet.type !== 'headline')
      room.error(packet, 'bad-request', "A message for all in a room is of the type 'groupchat'.");
  });
}

function groupchat(room: Room, client: OccupantSession | undefined, packet: Packet): MaybePromise<void> {
  if (room.house.policies.takes(room, packet)) return undefined;
  // 7.4
  if (!client) return room.error(packet, 'not-acceptable', 'Only who is in the room can write to it.');
  const { stanza } = packet;
  // 8.1
  if (stanza.has('subject', stanza.xmlns) && !packet.hasBody && !stanza.has('thread', stanza.xmlns))
    return changeSubject(room, client, packet);
  if (client.occupant.role === 'visitor') return room.error(packet, 'forbidden', 'You have no voice in this room.');
  return andThen(room.house.policies.maySpeak(room, packet.from, packet), refused => {
    if (refused) return room.refuse(packet, refused);
    if (stanza.has('retract', NS.retract)) return retract(room, client.occupant, packet);
    return tellMessage(room, client.occupant, packet, mostHistory(room));
  });
}

/** 8.1. */
function changeSubject(room: Room, { occupant }: OccupantSession, packet: Packet): MaybePromise<void> {
  const { config, id } = room.state!;
  if (occupant.role !== 'moderator' && !(config.changeSubject && occupant.role === 'participant'))
    return room.error(packet, 'forbidden', 'You may not change the subject of this room.');
  const text = packet.stanza.childText('subject') ?? '';
  if (text.length > LONGEST_SUBJECT)
    return room.error(packet, 'not-acceptable', `A subject has at most ${LONGEST_SUBJECT} characters.`);
  return andThen(room.house.policies.maySpeak(room, packet.from, packet), refused => {
    if (refused) return room.refuse(packet, refused);
    const subject = { text, nick: occupant.nick, by: occupant.id, at: Date.now() };
    const message = reflected(room, occupant, packet);
    // the archive has it not
    if (!archiveOf(room)) name(room, message);
    return room.house.store.setSubject(id, subject).then(() => {
      room.state!.subject = subject;
      return spread(room, occupant, message);
    });
  });
}

/** Messages of history that anybody can get: by the configuration, within what the operator allows. */
function mostHistory(room: Room): number {
  return Math.min(room.config.maxHistory, room.house.limits(room.host).history);
}

/** 7.2.13 to 7.2.15: what was said, and the subject. */
export function sendPast(room: Room, client: OccupantSession, packet: Packet): MaybePromise<void> {
  return andThen(sendHistory(room, client, packet), () => sendSubject(room, client));
}

function sendHistory(room: Room, client: OccupantSession, packet: Packet): MaybePromise<void> {
  const { stanza } = packet;
  const x = stanza.child('x', NS.muc);
  const most = mostHistory(room);
  if (x === undefined || most === 0) return undefined;
  const wishes = readWishes(stanza.kidElement(x), most, Date.now());
  if (wishes.maxStanzas === 0 || wishes.maxChars === 0) return undefined;
  return andThen(loadHistory(room, most), () => {
    const to = wireAttribute('to', client.jid.full).length;
    for (const past of room.history.select(wishes, to)) room.send(past, client);
  });
}

/** What was said before the room woke is in its archive, if it has one. */
function loadHistory(room: Room, most: number): MaybePromise<void> {
  const { history, jid, host } = room;
  if (history.isLoaded) return undefined;
  const archive = archiveOf(room);
  if (!archive) return undefined;
  return archive.history(jid, host, most, 0).then(messages => history.load(jid, messages));
}

/** A room without a subject has an empty one. */
function sendSubject(room: Room, client: OccupantSession): void {
  const { subject } = room.state!;
  let delay = '';
  if (subject) {
    const stamp = new Date(subject.at).toISOString();
    delay = `<delay xmlns='${NS.delay}'${wireAttribute('from', room.jid.full)} stamp='${stamp}'/>`;
  }
  const by = subject && subject.by !== '' ? occupantIdElement(subject.by) : '';
  const wire = `<message type='groupchat'>${textElement('subject', subject?.text ?? '')}${by}${delay}</message>`;
  const from = (subject && parseJid(`${room.jid.bare}/${subject.nick}`)) ?? room.jid;
  room.send(Packet.fromWire(wire, from, undefined), client);
}
