/* To whom the presence of an occupant is sent: XEP-0045 7.2.2 to 7.2.4, 10.2 (muc#roomconfig_presencebroadcast). */
import { eachInSlices, type MaybePromise, type Packet } from '../../src/api/index.ts';
import { OCCUPANT_ROLES } from './config.ts';
import type { Occupant, OccupantSession } from './occupants.ts';
import { availablePresence, presencePacket, type Remarks } from './presence.ts';
import type { OccupantRole } from './roles.ts';
import type { Room } from './room.ts';

/** What a stanza to one client counts in a slice of work: after 500 of them others have their turn. */
const SENT = 2;
const NONE: Remarks = {};

/** Tells something to each of those who are there now, in slices of work, in order. */
export function tellEach<T>(all: Iterable<T>, tell: (item: T) => void): MaybePromise<void> {
  return eachInSlices([...all], item => {
    tell(item);
    return SENT;
  });
}

/** Whether others are told of the presence of who has that role. */
export function isBroadcast(room: Room, role: OccupantRole): boolean {
  return room.config.presenceBroadcast.includes(role);
}

/** Those whose presence is told to others: in a large room these may be few. */
export function shownOf({ config, occupants }: Room): Iterable<Occupant> {
  const { presenceBroadcast: roles } = config;
  return roles.length === OCCUPANT_ROLES.length ? occupants.all() : occupants.having(roles);
}

/** Tells who enters of all who are there already. */
export function tellOfOthers(room: Room, to: OccupantSession): MaybePromise<void> {
  const open = room.showsAddressesTo(to.occupant.role);
  return tellEach(shownOf(room), occupant => {
    // somebody is something else meanwhile, where they are many
    if (occupant === to.occupant || !isBroadcast(room, occupant.role)) return;
    room.send(availablePresence(occupant, open), to);
  });
}

export interface Told {
  /** Whose presence it is, in the name of its occupant. */
  readonly session: OccupantSession;
  readonly type?: '' | 'unavailable';
  /** What the room says with it to everybody. */
  readonly remarks?: Remarks;
  /** Whether others are told; by the occupant's role when left out. */
  readonly others?: boolean;
}

/** Tells all others of the presence of an occupant. */
export function tellOthers(room: Room, { session, type = '', remarks = NONE, others }: Told): MaybePromise<void> {
  const { occupant } = session;
  if (!(others ?? isBroadcast(room, occupant.role))) return undefined;
  const made: { open?: Packet; hidden?: Packet } = {};
  const plain = type === '' && remarks === NONE && session === occupant.shown;
  return tellEach(room.occupants.sessions(), to => {
    if (to.occupant === occupant) return;
    const open = room.showsAddressesTo(to.occupant.role);
    const packet = plain
      ? availablePresence(occupant, open)
      : (made[open ? 'open' : 'hidden'] ??= presencePacket(occupant, session, type, open, false, remarks));
    room.send(packet, to);
  });
}

/** Tells a client of its own presence in the room: XEP-0045 7.2.2, 'self-presence'. `id` is that of its stanza. */
export function tellSelf(
  room: Room,
  to: OccupantSession,
  { session, type = '', remarks = NONE }: Told,
  id?: string,
): void {
  const { occupant } = session;
  const open = room.state !== undefined && room.showsAddressesTo(occupant.role);
  const packet = presencePacket(occupant, session, type, open, true, remarks, id);
  if (type === '') room.send(packet, to);
  // by the way that lets its server see that it need not say goodbye any more (RFC 6121 4.6.3)
  else void room.house.node.route(packet.readdressed(to.jid));
}

/** Tells all of an occupant's presence, its own clients first. */
export function tellAll(room: Room, told: Told): MaybePromise<void> {
  for (const own of told.session.occupant.sessions) tellSelf(room, own, told);
  return tellOthers(room, told);
}

/** Tells all of the presence of an occupant as it is now. */
export function tellChange(room: Room, occupant: Occupant, remarks: Remarks = NONE): MaybePromise<void> {
  return tellAll(room, { session: occupant.shown, remarks });
}
