/* What becomes of a message on its way through a room: XEP-0045 7.4, 17.3, XEP-0359, XEP-0421; and how it gets to all. */
import { andThen, AT_ONCE, currentUnit, type MaybePromise, Packet, sendToMany, wireJid } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import type { RoomArchives } from '../archive/contract.ts';
import type { Occupant } from './occupants.ts';
import type { Room } from './room.ts';

/** A message as everybody gets it: from the occupant, with what the room says of it and nobody else. It has no stanza id yet. */
export function reflected(room: Room, occupant: Occupant, packet: Packet): Packet {
  const copy = packet.readdressed(undefined, occupant.address);
  const { stanza } = packet;
  for (const kid of stanza.children()) {
    const xmlns = stanza.kidXmlns(kid);
    const isForged =
      xmlns === NS.occupantIds ||
      xmlns === NS.mucUser ||
      (xmlns === NS.stanzaIds && isOfRoom(room, stanza.kidElement(kid).attrs.by)) ||
      (xmlns === NS.delay && isOfRoom(room, stanza.kidElement(kid).attrs.from));
    if (isForged) copy.remove(kid);
  }
  copy.append(`<occupant-id xmlns='${NS.occupantIds}' id='${occupant.id}'/>`);
  // it is the room's from here on: what becomes of copies is not told to the client that wrote it
  return Packet.fromWire(copy.wire(), occupant.address, undefined);
}

function isOfRoom(room: Room, address: string | undefined): boolean {
  return address !== undefined && parseJid(address)?.bare === room.jid.bare;
}

/** The archives of rooms, where this room has one. */
export function archiveOf(room: Room): RoomArchives | undefined {
  return room.config.logging ? room.house.archive() : undefined;
}

/** Gives a message an id of the room's (XEP-0359), where no archive does. */
export function name(room: Room, message: Packet): void {
  const id = room.house.stanzaIds()?.next();
  if (id !== undefined) message.append(`<stanza-id xmlns='${NS.stanzaIds}' id='${id}' by='${wireJid(room.jid)}'/>`);
}

/**
 * Keeps a message in the room's archive, where it has one, and sends it to all, in one unit. `packet` is what the client sent, which is
 * answered where it could not be kept.
 */
export function tellMessage(room: Room, occupant: Occupant, packet: Packet, most: number): MaybePromise<void> {
  const message = reflected(room, occupant, packet);
  const archive = archiveOf(room);
  if (!archive)
    return room.house.node.together(packet, () => {
      name(room, message);
      note(room, message, most);
      return spread(room, occupant, message);
    });
  return andThen(archive.place(room.jid, occupant.account), place =>
    room.house.node.together(packet, () => {
      const id = archive.keep(place, message, packet);
      // the room has had it before
      if (typeof id !== 'string') return id;
      note(room, message, most);
      currentUnit()?.whenSettled({
        unitSettled: (_, error) => {
          if (error !== undefined) room.history.remove(message);
        },
      });
      return spread(room, occupant, message);
    }),
  );
}

/** It is a part of the history from now on, if there is something to read in it. */
function note(room: Room, message: Packet, most: number): void {
  if (message.hasBody && !message.hint('no-store')) room.history.add(message, room.jid, Date.now(), most);
}

/** To all who are in the room, and to whom others tell of it; to the first of very many of them as part of one unit. */
export function spread(room: Room, author: Pick<Occupant, 'account'>, message: Packet): MaybePromise<void> {
  const { node, policies } = room.house;
  // made once for all copies
  message.wire();
  return node.together(message, () => {
    const told = policies.said(room, message, author.account);
    const { sessionCount } = room.occupants;
    if (sessionCount > AT_ONCE) {
      const sent = sendToMany(node, message, [...room.occupants.sessions()], to => room.send(message, to));
      return andThen(told, () => sent);
    }
    for (const to of room.occupants.sessions()) room.send(message, to);
    return told;
  });
}
