/* Giving and taking roles: XEP-0045 8.2 to 8.5, 9.6 to 9.8. */
import {
  andThen,
  type Answer,
  Answered,
  Empty,
  inOrder,
  type IqRequest,
  type MaybePromise,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { remove } from './leaving.ts';
import type { Occupant } from './occupants.ts';
import type { ActorName, Remarks } from './presence.ts';
import { type OccupantRole, refusedRole, type Role } from './roles.ts';
import type { Room } from './room.ts';
import { isBroadcast, tellChange, tellOthers, tellSelf } from './telling.ts';

export interface NewRole {
  readonly occupant: Occupant;
  readonly role: Role;
  readonly reason: string;
}

/** Gives roles, all of them or none. Who asked is told before the others are (8.2, 8.3). */
export function changeRoles(
  room: Room,
  request: IqRequest,
  changes: readonly NewRole[],
): MaybePromise<Answer | typeof Answered> {
  const { from } = request;
  const actor = room.actor(from);
  for (const { occupant, role } of changes) {
    const refused = refusedRole(actor, { ...standing(occupant), self: occupant.account.bare === from.bare }, role);
    if (refused) return refused;
  }
  const by = actorName(room, from);
  const kicked = changes
    .filter(({ role }) => role === 'none')
    .map(({ occupant, reason }) => ({ occupant, remarks: { codes: [307], actor: by, reason } }));
  const given = changes.filter(({ role, occupant }) => role !== 'none' && role !== occupant.role);
  const removing = remove(room, kicked, () => room.house.answer(request, Empty));
  const give = ({ occupant, role, reason }: NewRole): MaybePromise<void> =>
    giveRole(room, occupant, role as OccupantRole, { actor: by, reason });
  const telling = andThen(removing, () => inOrder(given, give));
  return andThen(telling, () => Answered);
}

function standing({ affiliation, role }: Occupant): { affiliation: Occupant['affiliation']; role: OccupantRole } {
  return { affiliation, role };
}

/** Who did something, as others are told. */
export function actorName(room: Room, from: Jid): ActorName {
  const inside = room.occupants.client(from)?.occupant ?? room.occupants.of(from)[0];
  return { nick: inside?.nick, jid: from.bare };
}

/** An occupant has another role from now on, and everybody is told. */
export function giveRole(room: Room, occupant: Occupant, role: OccupantRole, remarks: Remarks): MaybePromise<void> {
  const wasBroadcast = isBroadcast(room, occupant.role);
  room.occupants.give(occupant, role);
  return tellGiven(room, occupant, wasBroadcast, remarks);
}

/** Everybody is told of an occupant's new role or affiliation; `wasBroadcast`: whether others were told of it before. */
export function tellGiven(room: Room, occupant: Occupant, wasBroadcast: boolean, remarks: Remarks): MaybePromise<void> {
  occupant.changed();
  for (const client of occupant.sessions) room.house.visits.enter(room, client);
  if (!wasBroadcast || isBroadcast(room, occupant.role)) return tellChange(room, occupant, remarks);
  // for those who hear nothing more of it, it has left
  const session = occupant.shown;
  for (const own of occupant.sessions) tellSelf(room, own, { session, remarks });
  return tellOthers(room, { session, type: 'unavailable', others: true });
}
