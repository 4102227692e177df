/* Changing nicknames: XEP-0045 7.6. */
import { andThen, type MaybePromise, type Packet } from '../../src/api/index.ts';
import { isModified, nickRefusal } from './nicknames.ts';
import { Occupant, OccupantSession } from './occupants.ts';
import { partsOf } from './presence.ts';
import type { Room } from './room.ts';
import { tellChange, tellOthers, tellSelf } from './telling.ts';

/** A client in a room wants another nickname. Whether it has it. */
export function rename(room: Room, client: OccupantSession, packet: Packet): MaybePromise<boolean> {
  const nick = packet.to!.resource;
  const refused = nickRefusal(room, packet.from, nick);
  if (refused) {
    room.refuse(packet, refused);
    return false;
  }
  const { occupant: before } = client;
  const alone = before.sessions.length === 1;
  // 7.6: 'unavailable' under the old one, with the new one
  const farewell = {
    session: client,
    type: 'unavailable',
    remarks: { codes: [303], nick, role: before.role },
  } as const;
  tellSelf(room, client, farewell);
  return andThen(alone ? tellOthers(room, farewell) : undefined, () => {
    room.occupants.remove(client);
    const { account, id, affiliation, role, hats } = before;
    const occupant = room.occupants.named(nick) ?? new Occupant(packet.to!, account, id, affiliation, role, hats);
    const moved = new OccupantSession(client.jid, occupant, client.session, partsOf(packet));
    room.occupants.add(moved);
    room.house.visits.enter(room, moved);
    return andThen(alone ? undefined : tellChange(room, before), () => arrive(room, moved, packet));
  });
}

function arrive(room: Room, client: OccupantSession, packet: Packet): MaybePromise<boolean> {
  return andThen(tellOthers(room, { session: client }), () => {
    for (const own of client.occupant.sessions) if (own !== client) tellSelf(room, own, { session: client });
    const codes = isModified(packet) ? [210] : [];
    tellSelf(room, client, { session: client, remarks: { codes } }, packet.id);
    return true;
  });
}
