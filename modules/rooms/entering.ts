/* Entering a room, and what else a client says by presence: XEP-0045 7.2, 7.6, 7.7, 7.14, 10.1. */
import { andThen, type MaybePromise, type Packet } from '../../src/api/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';
import { leaveByError, leave } from './leaving.ts';
import { sendPast } from './messages.ts';
import { isModified, nickProblem, nickRefusal } from './nicknames.ts';
import { Occupant, OccupantSession } from './occupants.ts';
import { partsOf, presencePacket, type Remarks } from './presence.ts';
import { rename } from './renaming.ts';
import { atLeast, initialRole } from './roles.ts';
import type { Room } from './room.ts';
import { tellOfOthers, tellOthers, tellSelf } from './telling.ts';

/** Presence to a room, or to somebody in it. */
export function presenceCame(room: Room, packet: Packet): MaybePromise<void> {
  const client = room.occupants.client(packet.from);
  if (packet.type === 'unavailable') return client && leave(room, client, { parts: partsOf(packet), id: packet.id });
  if (packet.type === 'error') return client && leaveByError(room, client, packet);
  // 17.3: by no other type is a room entered or left
  if (packet.type !== '') return undefined;
  const problem = nickProblem(packet.to!.resource, room.house.limits(room.host).nickLength);
  if (problem) return room.refuse(packet, problem);
  const asks = packet.has('x', NS.muc);
  if (!client) return asks ? enter(room, packet) : notInside(room, packet);
  if (packet.to!.resource !== client.occupant.nick)
    return andThen(rename(room, client, packet), renamed =>
      renamed && asks ? resynchronise(room, packet) : undefined,
    );
  return asks ? resynchronise(room, packet) : changeAvailability(room, client, packet);
}

function enter(room: Room, packet: Packet): MaybePromise<void> {
  if (!room.state) {
    return andThen(room.house.mayCreate(packet.from, room.jid, room.host), refused => {
      if (refused) return room.refuse(packet, refused);
      const { jid, host, house } = room;
      const making = { creator: packet.from.toBare(), room: jid, host, config: house.defaults(host) };
      return andThen(house.policies.mayCreate(making), no => {
        if (no) return room.refuse(packet, no);
        return room.create(packet.from).then(() => admit(room, packet, [201]));
      });
    });
  }
  const refused = mayEnter(room, packet);
  if (refused) return room.refuse(packet, refused);
  return andThen(room.house.policies.mayEnter(room, packet.from), no =>
    no ? room.refuse(packet, no) : admit(room, packet, []),
  );
}

/** 7.2.5 to 7.2.11, 7.6. */
function mayEnter(room: Room, packet: Packet): StanzaError | undefined {
  const { config, locked } = room.state!;
  const affiliation = room.affiliationOf(packet.from);
  // 7.2.11
  if (locked && affiliation !== 'owner') return refuse('item-not-found', 'The room is being made.');
  // 7.2.8
  if (affiliation === 'outcast') return refuse('forbidden', 'You are banned from this room.');
  // 7.2.7
  if (config.membersOnly && affiliation === 'none') return refuse('registration-required', 'Only members may enter.');
  // 7.2.6
  if (config.passwordProtected && passwordOf(packet) !== config.password)
    return new StanzaError('not-authorized', {
      text: 'The room has another password.',
      content: xml('x', { xmlns: NS.muc }),
    });
  // 7.2.9
  const nick = packet.to!.resource;
  const nickRefused = nickRefusal(room, packet.from, nick);
  if (nickRefused) return nickRefused;
  // 7.2.10
  if (room.occupants.named(nick) || room.occupants.size < mostOccupants(room, atLeast(affiliation, 'admin')))
    return undefined;
  return new StanzaError('service-unavailable', { type: 'wait', text: 'The room is full.' });
}

/** Admins and owners get in when others do not, up to so many more. */
const RESERVE = 100;

function mostOccupants(room: Room, administers: boolean): number {
  const allowed = room.house.limits(room.host).occupants;
  const chosen = room.config.mostOccupants;
  return (chosen === 0 ? allowed : Math.min(chosen, allowed)) + (administers ? RESERVE : 0);
}

function passwordOf({ stanza }: Packet): string | undefined {
  const x = stanza.child('x', NS.muc);
  return x === undefined ? undefined : (stanza.kidElement(x).getChildText('password', NS.muc) ?? undefined);
}

/** 7.1: the others, oneself, the history, the subject; and only then what happens. */
function admit(room: Room, packet: Packet, codes: readonly number[]): MaybePromise<void> {
  const { from, sender } = packet;
  const account = from.toBare();
  const affiliation = room.affiliationOf(from);
  const occupant =
    room.occupants.named(packet.to!.resource) ??
    new Occupant(
      packet.to!,
      account,
      room.house.occupantId(room, account),
      affiliation,
      initialRole(room.config, affiliation),
      room.state!.hats.shown(account),
    );
  const client = new OccupantSession(from, occupant, sender, partsOf(packet));
  const ready = sender && room.house.blocking()?.blockedBy(sender);
  return andThen(
    andThen(ready, () => tellOfOthers(room, client)),
    () => {
      // it ended while it was told who is there
      if (sender?.alive === false) return room.left();
      room.occupants.add(client);
      room.house.visits.enter(room, client);
      return andThen(tellEntered(room, client, packet, codes), () => sendPast(room, client, packet));
    },
  );
}

/** The presence of who enters goes to all others, to the account's other clients under that nickname, and last to itself. */
function tellEntered(
  room: Room,
  client: OccupantSession,
  packet: Packet,
  codes: readonly number[],
): MaybePromise<void> {
  return andThen(tellOthers(room, { session: client }), () => {
    for (const own of client.occupant.sessions) if (own !== client) tellSelf(room, own, { session: client });
    tellSelf(room, client, { session: client, remarks: { codes: [...codes, ...entryCodes(room, packet)] } }, packet.id);
  });
}

/** 7.2.3, 7.2.12, and 7.2.2 for a nickname that was prepared (RFC 7622 3.4) into another. */
function entryCodes(room: Room, packet: Packet): number[] {
  const codes: number[] = [];
  if (room.config.whois === 'anyone') codes.push(100);
  if (room.config.logging) codes.push(170);
  if (isModified(packet)) codes.push(210);
  return codes;
}

/** 17.3: a client that enters where it is already has lost what it knew; it is told everything. */
function resynchronise(room: Room, packet: Packet): MaybePromise<void> {
  const client = room.occupants.client(packet.from)!;
  const shown = partsOf(packet);
  const same = shown.attributes === client.shown.attributes && shown.content === client.shown.content;
  client.shown = shown;
  room.occupants.show(client);
  return andThen(tellOfOthers(room, client), () =>
    andThen(same ? undefined : tellOthers(room, { session: client }), () => {
      tellSelf(room, client, { session: client, remarks: { codes: entryCodes(room, packet) } }, packet.id);
      return sendPast(room, client, packet);
    }),
  );
}

/** 7.7. */
function changeAvailability(room: Room, client: OccupantSession, packet: Packet): MaybePromise<void> {
  client.shown = partsOf(packet);
  room.occupants.show(client);
  for (const own of client.occupant.sessions)
    tellSelf(room, own, { session: client }, own === client ? packet.id : undefined);
  return tellOthers(room, { session: client });
}

const NOT_INSIDE: Remarks = {
  codes: [307, 333],
  role: 'none',
  reason: 'You are not in the room.',
};

/** 7.2.17: it believes to be in the room. That it entered by the old protocol, without an <x/>, looks the same. */
function notInside(room: Room, packet: Packet): void {
  const account = packet.from.toBare();
  const id = room.state ? room.house.occupantId(room, account) : '';
  const stranger = new Occupant(packet.to!, account, id, 'none', 'visitor');
  const client = new OccupantSession(packet.from, stranger, packet.sender, partsOf(packet));
  const kick = presencePacket(stranger, client, 'unavailable', false, true, NOT_INSIDE);
  void room.house.node.route(kick.readdressed(packet.from));
}
