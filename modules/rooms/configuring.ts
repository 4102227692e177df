/* A new configuration: kept, then told. XEP-0045 10.1, 10.2. */
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
import { NS, StanzaError } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { affiliate, type Along, type NewAffiliation, refusedChanges } from './affiliating.ts';
import { type NewConfig, readConfigForm } from './config-form.ts';
import { changeCodes, type RoomConfig } from './config.ts';
import { tellGiven } from './granting.ts';
import { remove } from './leaving.ts';
import type { Affiliation } from './roles.ts';
import type { Room } from './room.ts';
import type { Affiliated, Unaffiliated } from './stored.ts';
import { isBroadcast, tellEach } from './telling.ts';

/** Takes a form that an owner has submitted; a room that was locked is open then. */
export function configure(room: Room, request: IqRequest, x: Element): MaybePromise<Answer | typeof Answered> {
  const read = readConfigForm(x, room.config, room.house.limits(room.host));
  if (read instanceof StanzaError) return read;
  const changes = officerChanges(room, read);
  const refused = refusedChanges(room, request.from, changes);
  if (refused) return refused;
  const { policies } = room.house;
  const by = request.from.toBare();
  const answer = (): void => room.house.answer(request, Empty);
  return andThen(
    andThen(policies.mayConfigure(room, by, read.config), no => no ?? policies.mayAffiliate(room, by, changes)),
    no => no ?? reconfigure(room, read.config, changes, request.from, answer).then(() => Answered),
  );
}

/** What becomes of those that a configuration names, and of those that it names no more (10.2). */
function officerChanges(room: Room, { admins, owners, config }: NewConfig): NewAffiliation[] {
  const { affiliations } = room.state!;
  const changes = new Map<string, NewAffiliation>();
  const give = (jid: Jid, affiliation: Affiliation): void => {
    changes.set(jid.bare, { jid, affiliation, nick: undefined, reason: '' });
  };
  const own = new Set(owners?.map(({ bare }) => bare) ?? affiliations.list('owner').map(({ jid }) => jid.bare));
  if (admins) {
    const named = new Set(admins.map(({ bare }) => bare));
    for (const jid of admins)
      if (!own.has(jid.bare) && affiliations.get(jid)?.affiliation !== 'admin') give(jid, 'admin');
    for (const { jid } of affiliations.list('admin'))
      if (!named.has(jid.bare) && !own.has(jid.bare)) give(jid, config.membersOnly ? 'member' : 'none');
  }
  if (owners) {
    for (const jid of owners) if (affiliations.get(jid)?.affiliation !== 'owner') give(jid, 'owner');
    for (const { jid } of affiliations.list('owner')) if (!own.has(jid.bare)) give(jid, 'admin');
  }
  return [...changes.values()];
}

/** Keeps a configuration, with affiliations that change with it; calls `answer`; then tells of it. */
export async function reconfigure(
  room: Room,
  config: RoomConfig,
  changes: readonly NewAffiliation[],
  by: Jid,
  answer: () => void = () => {},
): Promise<void> {
  const state = room.state!;
  const before = state.config;
  const shown = new Map([...room.occupants.all()].map(occupant => [occupant, isBroadcast(room, occupant.role)]));
  const take = (): void => {
    state.config = config;
    state.locked = false;
  };
  const write = (entries?: readonly (Affiliated | Unaffiliated)[]): Promise<void> => {
    const [stayed, stays] = [before.persistent, config.persistent];
    if (stayed !== stays || before.name !== config.name)
      room.changing('configured', stays ? undefined : room.addresses(), stayed || stays);
    return room.house.store.configure(state.id, config, false, entries);
  };
  if (changes.length === 0) {
    await write();
    take();
    answer();
  } else {
    const keep: Along['keep'] = entries => write(entries).then(take);
    await affiliate(room, changes, by, { keep, between: answer });
  }
  if (!room.state) return;
  room.house.policies.configured(room, before, by.toBare());
  if (config.membersOnly && !before.membersOnly) await removeStrangers(room);
  // whose presence was told before and is not any more, or the other way round (muc#roomconfig_presencebroadcast)
  const other = [...shown].filter(
    ([occupant, was]) => room.occupants.named(occupant.nick) === occupant && was !== isBroadcast(room, occupant.role),
  );
  await inOrder(other, ([occupant, was]) => tellGiven(room, occupant, was, {}));
  await tellCodes(room, changeCodes(before, config));
  await room.left();
}

/** 10.2: nobody is in a members-only room who is no member of it. */
function removeStrangers(room: Room): MaybePromise<void> {
  const strangers = [...room.occupants.all()].filter(({ affiliation }) => affiliation === 'none');
  return remove(
    room,
    strangers.map(occupant => ({ occupant, remarks: { codes: [322] } })),
  );
}

/** 10.2.1: everybody in the room is told that it has changed, and how that touches their privacy. */
export function tellCodes(room: Room, codes: readonly number[]): MaybePromise<void> {
  if (codes.length === 0) return undefined;
  const inner = codes.map(code => `<status code='${code}'/>`).join('');
  const wire = `<message type='groupchat'><x xmlns='${NS.mucUser}'>${inner}</x></message>`;
  const packet = Packet.fromWire(wire, room.jid, undefined);
  return tellEach(room.occupants.sessions(), to => room.send(packet, to));
}
