/* Messages from one occupant to another: XEP-0045 7.5. */
import { Packet, type MaybePromise } from '../../src/api/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { leaveByError } from './leaving.ts';
import type { Occupant, OccupantSession } from './occupants.ts';
import type { Room } from './room.ts';
import type { RoomConfig } from './config.ts';

const MAY_SEND: Readonly<Record<RoomConfig['allowPrivate'], readonly Occupant['role'][]>> = {
  anyone: ['visitor', 'participant', 'moderator'],
  participants: ['participant', 'moderator'],
  moderators: ['moderator'],
  none: [],
};

/** A message to somebody in a room. */
export function privateMessageCame(room: Room, packet: Packet): MaybePromise<void> {
  const client = room.occupants.client(packet.from);
  if (packet.type === 'error') return client && cameBack(room, client, packet);
  if (!room.state) return room.error(packet, 'item-not-found', 'There is no such room.');
  if (packet.type === 'groupchat')
    return room.error(packet, 'bad-request', 'A message for all is sent to the room itself.');
  if (!client) return room.error(packet, 'not-acceptable', 'Only who is in the room can write to somebody in it.');
  const to = room.occupants.named(packet.to!.resource);
  if (!to) return room.error(packet, 'item-not-found', 'Nobody in the room has that nickname.');
  if (!MAY_SEND[room.config.allowPrivate].includes(client.occupant.role))
    return room.error(packet, 'forbidden', 'Private messages are not for you in this room.');
  return pass(room, client.occupant, to, packet);
}

/** 7.2.9: to all of the recipient's clients. Its sender hears that it is safe when it is with each of them, or kept for it. */
function pass(room: Room, from: Occupant, to: Occupant, packet: Packet): MaybePromise<void> {
  const wire = rewritten(from, packet).wire();
  const steps: Promise<void>[] = [];
  for (const { jid } of to.sessions) {
    const copy = Packet.fromWire(wire, from.address, jid);
    if (packet.isAwaited) copy.vouch();
    const step = room.house.node.route(copy);
    if (step) steps.push(step);
    const { held } = copy;
    if (held) packet.hold(held);
    if (step && packet.isAwaited) packet.hold(step.then(() => copy.held));
  }
  return steps.length > 0 ? Promise.all(steps).then(() => undefined) : undefined;
}

function rewritten(from: Occupant, packet: Packet): Packet {
  const copy = packet.readdressed(undefined, from.address);
  const { stanza } = packet;
  for (const kid of stanza.children()) {
    const xmlns = stanza.kidXmlns(kid);
    // what comes back may have with it the id that it was given on the way, by the account's own address
    const names = xmlns === NS.stanzaIds && packet.type === 'error';
    if (names || xmlns === NS.occupantIds || xmlns === NS.mucUser) copy.remove(kid);
  }
  copy.append(`<x xmlns='${NS.mucUser}'/><occupant-id xmlns='${NS.occupantIds}' id='${from.id}'/>`);
  return copy;
}

/** An error of one client to another, who is told in the name of the occupant; or one that says that the client is not there. */
function cameBack(room: Room, client: OccupantSession, packet: Packet): MaybePromise<void> {
  const to = room.occupants.named(packet.to!.resource);
  if (to) {
    const wire = rewritten(client.occupant, packet).wire();
    for (const { jid } of to.sessions) void room.house.node.route(Packet.fromWire(wire, client.occupant.address, jid));
  }
  return leaveByError(room, client, packet);
}
