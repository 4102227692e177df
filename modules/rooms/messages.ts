/* Messages to all in a room, its subject, and what of both somebody gets who enters: XEP-0045 7.2.13 to 7.2.15, 7.4, 8.1. */
import type { MaybePromise, Packet } from '../../src/api/index.ts';
import { Packet as Packets, wireJid } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';
import { readWishes } from './history.ts';
import { leaveByError } from './leaving.ts';
import { OCCUPANT_ID } from './occupant-ids.ts';
import type { Occupant, OccupantSession } from './occupants.ts';
import { textElement } from './presence.ts';
import type { Room } from './room.ts';
import { inPortions } from './telling.ts';

/** A message to the room itself. `other` takes those that are none for all (invitations, requests for voice); false: it is none of them. */
export function messageCame(
  room: Room,
  packet: Packet,
  other: (room: Room, packet: Packet) => MaybePromise<boolean>,
): MaybePromise<void> {
  const client = room.occupants.client(packet.from);
  if (packet.type === 'error') return client && leaveByError(room, client, packet);
  // 17.2
  if (!room.state || (room.state.locked && !client))
    return room.error(packet, 'item-not-found', 'There is no such room.');
  if (packet.type === 'groupchat') return groupchat(room, client, packet);
  const taken = other(room, packet);
  if (taken instanceof Promise) return taken.then(it => untaken(room, packet, it));
  return untaken(room, packet, taken);
}

function untaken(room: Room, packet: Packet, taken: boolean): void {
  if (!taken && packet.type !== 'headline')
    room.error(packet, 'bad-request', "A message for all in a room is of the type 'groupchat'.");
}

function groupchat(room: Room, client: OccupantSession | undefined, packet: Packet): MaybePromise<void> {
  // 7.4
  if (!client) return room.error(packet, 'not-acceptable', 'Only who is in the room can write to it.');
  const { stanza } = packet;
  // 8.1
  if (stanza.has('subject', stanza.xmlns) && !packet.hasBody && !stanza.has('thread', stanza.xmlns))
    return changeSubject(room, client, packet);
  if (client.occupant.role === 'visitor') return room.error(packet, 'forbidden', 'You have no voice in this room.');
  const refused = room.house.policies.maySpeak(room, packet.from, packet);
  if (refused) return room.refuse(packet, refused);
  return tellMessage(room, client.occupant, packet);
}

/** A message as everybody gets it: from the occupant, with the ids that the room gives (XEP-0359, XEP-0421). */
export function reflected(room: Room, occupant: Occupant, packet: Packet): Packet {
  const copy = packet.readdressed(undefined, occupant.address);
  const { stanza } = packet;
  for (const kid of stanza.children()) {
    const xmlns = stanza.kidXmlns(kid);
    // 17.3: only the room speaks of roles and the like
    if (xmlns === OCCUPANT_ID || xmlns === NS.mucUser) copy.remove(kid);
    // nor does anybody give ids or times in its name
    else if (xmlns === NS.stanzaIds && stanza.isKid(kid, 'stanza-id', xmlns)) {
      if (isOfRoom(room, stanza.kidElement(kid).attrs.by as string | undefined)) copy.remove(kid);
    } else if (xmlns === NS.delay) {
      if (isOfRoom(room, stanza.kidElement(kid).attrs.from as string | undefined)) copy.remove(kid);
    }
  }
  copy.append(`<occupant-id xmlns='${OCCUPANT_ID}' id='${occupant.id}'/>`);
  const id = room.house.stanzaIds()?.next();
  if (id !== undefined) copy.append(`<stanza-id xmlns='${NS.stanzaIds}' id='${id}' by='${wireJid(room.jid)}'/>`);
  // its sender is the room from here on: what becomes of copies is not told to the client that wrote it
  return Packets.fromWire(copy.wire(), occupant.address, undefined);
}

function isOfRoom(room: Room, address: string | undefined): boolean {
  return address !== undefined && parseJid(address)?.bare === room.jid.bare;
}

function tellMessage(room: Room, occupant: Occupant, packet: Packet): MaybePromise<void> {
  const copy = reflected(room, occupant, packet);
  if (copy.hasBody && !copy.hint('no-store')) room.history.add(copy, room.jid, Date.now(), keptHistory(room));
  room.house.policies.said(room, copy, occupant.account);
  return inPortions(room.occupants.sessions(), to => room.send(copy, to));
}

/** 8.1. */
function changeSubject(room: Room, { occupant }: OccupantSession, packet: Packet): MaybePromise<void> {
  const { config, id } = { ...room.state!, config: room.config };
  if (occupant.role !== 'moderator' && !(config.changeSubject && occupant.role === 'participant'))
    return room.error(packet, 'forbidden', 'You may not change the subject of this room.');
  const text = packet.stanza.childText('subject') ?? '';
  if (text.length > LONGEST_SUBJECT)
    return room.error(packet, 'not-acceptable', `A subject has at most ${LONGEST_SUBJECT} characters.`);
  const subject = { text, nick: occupant.nick, at: Date.now() };
  const copy = reflected(room, occupant, packet);
  return room.house.store.setSubject(id, subject).then(() => {
    room.state!.subject = subject;
    room.house.policies.said(room, copy, occupant.account);
    return inPortions(room.occupants.sessions(), to => room.send(copy, to));
  });
}

const LONGEST_SUBJECT = 4000;

/** Messages of history that anybody can get: by the configuration, within what the operator allows. */
function keptHistory(room: Room): number {
  return Math.min(room.config.maxHistory, room.house.limits(room.host).history);
}

/** 7.2.13, 7.2.14. */
export function sendHistory(room: Room, client: OccupantSession, packet: Packet): void {
  const { stanza } = packet;
  const x = stanza.child('x', NS.muc);
  if (x === undefined) return;
  const wishes = readWishes(stanza.kidElement(x), keptHistory(room), Date.now());
  const address = wireAttribute('to', client.jid.full).length;
  for (const past of room.history.select(wishes, address)) room.send(past, client);
}

/** 7.2.15: a room without a subject has an empty one. */
export function sendSubject(room: Room, client: OccupantSession): void {
  const { subject } = room.state!;
  const delay =
    subject &&
    `<delay xmlns='${NS.delay}'${wireAttribute('from', room.jid.full)} stamp='${new Date(subject.at).toISOString()}'/>`;
  const wire = `<message type='groupchat'>${textElement('subject', subject?.text ?? '')}${delay ?? ''}</message>`;
  const from = (subject && parseJid(`${room.jid.bare}/${subject.nick}`)) ?? room.jid;
  room.send(Packets.fromWire(wire, from, undefined), client);
}
