/* Giving and taking affiliations: XEP-0045 9.1 to 9.5, 10.3 to 10.8. */
import {
  andThen,
  type Answer,
  Answered,
  Empty,
  inOrder,
  type IqRequest,
  type MaybePromise,
  Packet,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS, refuse, type StanzaError } from '../../src/protocol/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';
import { actorName, tellGiven } from './granting.ts';
import { type Removal, remove } from './leaving.ts';
import type { Occupant } from './occupants.ts';
import type { ActorName } from './presence.ts';
import { stepsOf } from './policies.ts';
import { type Affiliation, atLeast, refusedAffiliation, roleAfter } from './roles.ts';
import type { Room } from './room.ts';
import type { Affiliated, Unaffiliated } from './stored.ts';
import { isBroadcast, tellEach } from './telling.ts';

export interface NewAffiliation {
  /** Bare. */
  readonly jid: Jid;
  readonly affiliation: Affiliation;
  /** The nickname to reserve; '' for none, undefined: as it was. */
  readonly nick: string | undefined;
  readonly reason: string;
}

/** Gives affiliations on somebody's request, all of them or none. Who asked is told before the others are. */
export function changeAffiliations(
  room: Room,
  request: IqRequest,
  changes: readonly NewAffiliation[],
): MaybePromise<Answer | typeof Answered> {
  const { from } = request;
  const refused = refusedChanges(room, from, changes);
  if (refused) return refused;
  const between = (): void => room.house.answer(request, Empty);
  return andThen(
    room.house.policies.mayAffiliate(room, from.toBare(), changes),
    no => no ?? affiliate(room, changes, from, { between }).then(() => Answered),
  );
}

/** Why these changes cannot be made by somebody. */
export function refusedChanges(room: Room, from: Jid, changes: readonly NewAffiliation[]): StanzaError | undefined {
  const { affiliations } = room.state!;
  const actor = room.actor(from).affiliation;
  // a ban of a domain is none of each of its users: what counts for a change is what is kept
  const of = (jid: Jid): Affiliation => affiliations.get(jid)?.affiliation ?? 'none';
  const owners = new Map<string, boolean>();
  for (const { jid, affiliation, nick } of changes) {
    const refused = refusedAffiliation(actor, jid.bare === from.bare, of(jid), affiliation);
    if (refused) return refused;
    // 9.2: a whole domain can be banned, and is nothing else
    if (jid.local === '' && atLeast(affiliation, 'member'))
      return refuse('bad-request', `'${jid.bare}' is no address of a user.`);
    if (owners.has(jid.bare)) return refuse('bad-request', `'${jid.bare}' stands there twice.`);
    owners.set(jid.bare, affiliation === 'owner');
    const holder = nick ? affiliations.holderOf(nick) : undefined;
    if (holder && holder.bare !== jid.bare) return refuse('conflict', 'A nickname is reserved for somebody else.');
  }
  // 10.4, 10.5
  let count = affiliations.owners;
  for (const [bare, is] of owners) {
    count += Number(is) - Number(affiliations.kept(bare)?.affiliation === 'owner');
  }
  return count > 0 ? undefined : refuse('conflict', 'A room has at least one owner.');
}

/** What else is done where affiliations are given. */
export interface Along {
  /** Called before others than those that are removed are told. */
  readonly between?: () => void;
  /** How they are kept, where more is kept with them. */
  readonly keep?: (entries: readonly (Affiliated | Unaffiliated)[]) => Promise<void>;
  /** Whether those who become members of a members-only room are invited by the room (9.5). */
  readonly invite?: boolean;
}

/** Gives affiliations: kept first, then told. */
export async function affiliate(
  room: Room,
  changes: readonly NewAffiliation[],
  by: Jid,
  { between, keep, invite = true }: Along = {},
): Promise<void> {
  const { affiliations, id } = room.state!;
  const since = Date.now();
  const actor = actorName(room, by);
  const entries = changes.map(change => entryOf(change, affiliations.get(change.jid), since));
  const steps = stepsOf(room, changes);
  if (steps.length > 0)
    room.changing(
      'affiliated',
      steps.map(({ jid }) => jid),
    );
  await (keep ? keep(entries) : room.house.store.affiliate(id, entries));
  const before = changes.map(({ jid }) => room.affiliationOf(jid));
  for (const entry of entries) affiliations.set(entry);
  room.settle(entries);
  room.house.policies.affiliated(room, steps, by.toBare());
  await tellAffiliations(room, changes, before, actor, between);
  // a temporary room is gone when the last occupant has been removed
  if (!room.state) return;
  for (const [index, { jid, affiliation }] of changes.entries()) {
    // 9.5
    if (invite && room.config.membersOnly && atLeast(affiliation, 'member') && before[index] === 'none')
      room.house.inviteMember(room, jid, by);
  }
}

function entryOf(
  { jid, affiliation, nick, reason }: NewAffiliation,
  before: Affiliated | undefined,
  since: number,
): Affiliated | Unaffiliated {
  if (affiliation === 'none') return { jid, affiliation };
  // 9.1: who is banned has no nickname any more
  const reserved = affiliation === 'outcast' ? '' : (nick ?? before?.nick ?? '');
  return { jid, affiliation, since, ...(reserved !== '' && { nick: reserved }), ...(reason !== '' && { reason }) };
}

/** Occupants that lose their place are removed (9.1, 9.4), the roles of the others follow (5.1.3). */
function tellAffiliations(
  room: Room,
  changes: readonly NewAffiliation[],
  before: readonly Affiliation[],
  actor: ActorName,
  between?: () => void,
): MaybePromise<void> {
  const removed: Removal[] = [];
  const changed: { occupant: Occupant; wasBroadcast: boolean; reason: string }[] = [];
  const away: NewAffiliation[] = [];
  for (const [index, change] of changes.entries()) {
    const { affiliation, reason } = change;
    const occupants = occupantsOf(room, change);
    if (occupants.length === 0 && before[index] !== affiliation) away.push(change);
    for (const occupant of occupants) {
      const code = affiliation === 'outcast' ? 301 : room.config.membersOnly && affiliation === 'none' ? 321 : 0;
      const wasBroadcast = isBroadcast(room, occupant.role);
      if (code > 0) {
        occupant.affiliation = affiliation;
        removed.push({ occupant, remarks: { codes: [code], actor, reason } });
      } else if (occupant.affiliation !== affiliation) {
        const role = roleAfter(room.config, occupant.role, occupant.affiliation, affiliation);
        room.occupants.give(occupant, role);
        occupant.affiliation = affiliation;
        changed.push({ occupant, wasBroadcast, reason });
      }
    }
  }
  const inside = (): MaybePromise<void> =>
    inOrder(changed, ({ occupant, wasBroadcast, reason }) =>
      tellGiven(room, occupant, wasBroadcast, { actor, reason }),
    );
  const outside = (): MaybePromise<void> => inOrder(away, change => tellAway(room, change));
  return andThen(andThen(remove(room, removed, between), inside), outside);
}

/** 9.2: who is meant by the ban of a domain. */
function occupantsOf(room: Room, { jid, affiliation }: NewAffiliation): readonly Occupant[] {
  if (jid.local !== '' || affiliation !== 'outcast') return room.occupants.of(jid);
  return [...room.occupants.all()].filter(
    ({ account }) => account.domain === jid.domain && room.affiliationOf(account) === 'outcast',
  );
}

/** 10.3, 10.6, 10.7: the affiliation of somebody who is not in the room is told by a message, to those who may see addresses. */
function tellAway(room: Room, { jid, affiliation }: NewAffiliation): MaybePromise<void> {
  if (!room.state) return undefined;
  const item = `<item affiliation='${affiliation}' role='none'${wireAttribute('jid', jid.bare)}/>`;
  const packet = Packet.fromWire(`<message><x xmlns='${NS.mucUser}'>${item}</x></message>`, room.jid, undefined);
  return tellEach(room.occupants.sessions(), to => {
    if (room.showsAddressesTo(to.occupant.role)) room.send(packet, to);
  });
}
