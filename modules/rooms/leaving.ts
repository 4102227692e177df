/* Leaving a room, and being removed from it: XEP-0045 7.14, 8.2, 9.1, 13.1, 18.1.2 (ghosts). */
import { andThen, inOrder, type MaybePromise, type Packet } from '../../src/api/index.ts';
import type { Occupant, OccupantSession, PresenceParts } from './occupants.ts';
import type { Remarks } from './presence.ts';
import type { Room } from './room.ts';
import { isBroadcast, tellChange, tellOthers, tellSelf } from './telling.ts';

/** Why a client is no more in the room: what it said with that, and the id of its stanza; or what the room says. */
export interface Farewell {
  readonly parts?: PresenceParts;
  readonly id?: string | undefined;
  readonly codes?: readonly number[];
}

/** A client is no more in the room: it said so, or it is gone. */
export function leave(room: Room, client: OccupantSession, { parts, id, codes }: Farewell = {}): MaybePromise<void> {
  const { occupant } = client;
  const told = { session: client, type: 'unavailable', remarks: { parts, codes } } as const;
  const wasShown = occupant.shown === client;
  room.occupants.remove(client);
  room.house.visits.leave(room, client);
  if (client.session?.alive !== false) tellSelf(room, client, told, id);
  // 7.2.9: the account is in the room with another client
  const telling =
    occupant.sessions.length > 0 ? (wasShown ? tellChange(room, occupant) : undefined) : tellOthers(room, told);
  return andThen(telling, () => room.left());
}

/** What says that a client cannot be reached: XEP-0045 18.1.2. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'gone',
  'item-not-found',
  'recipient-unavailable',
  'redirect',
  'remote-server-not-found',
  'remote-server-timeout',
]);

/** A message or presence to an occupant came back. */
export function leaveByError(room: Room, client: OccupantSession, { stanza }: Packet): MaybePromise<void> {
  const error = stanza.child('error', stanza.xmlns);
  if (error === undefined) return undefined;
  const gone = stanza
    .kidElement(error)
    .getChildElements()
    .some(({ name }) => UNREACHABLE.has(name));
  // 13.1
  return gone ? leave(room, client, { codes: [333] }) : undefined;
}

/** An occupant that is to go, and what is said with it. */
export interface Removal {
  readonly occupant: Occupant;
  readonly remarks: Remarks;
}

/**
 * Removes occupants: each of them is told, then `between` is called, then the others are told (XEP-0045 8.2: the one who asked for it is
 * told between these).
 */
export function remove(room: Room, occupants: readonly Removal[], between: () => void = () => {}): MaybePromise<void> {
  const told = occupants.flatMap(({ occupant, remarks }) => {
    const session = occupant.shown;
    const others = isBroadcast(room, occupant.role);
    for (const client of [...occupant.sessions]) {
      tellSelf(room, client, { session: client, type: 'unavailable', remarks });
      room.occupants.remove(client);
      room.house.visits.leave(room, client);
    }
    return { session, type: 'unavailable', remarks, others } as const;
  });
  between();
  return andThen(
    inOrder(told, each => tellOthers(room, each)),
    () => room.left(),
  );
}
