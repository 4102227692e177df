/* Lists of roles and affiliations, and their modification (muc#admin): XEP-0045 8.2 to 8.5, 9.1 to 9.8, 10.3 to 10.8. */
import type { Answer, Answered, IqRequest, MaybePromise } from '../../src/api/index.ts';
import { type Jid, parseJid, prepareResource } from '../../src/jid/index.ts';
import { refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { changeAffiliations, type NewAffiliation } from './affiliating.ts';
import { changeRoles, type NewRole } from './granting.ts';
import type { RoomIq } from './hooks.ts';
import { MUC_ADMIN } from './namespaces.ts';
import { isAffiliation, isRole, refusedAffiliationList, refusedRoleList, type Role } from './roles.ts';
import type { Room } from './room.ts';

/** Items of one request. */
const MOST_ITEMS = 1000;
const LONGEST_REASON = 1000;

function list(room: Room, { payload, from }: IqRequest): Answer {
  const [item, more] = payload.getChildren('item', MUC_ADMIN);
  if (!item || more) return refuse('bad-request', 'A list is asked for by one item.');
  const { role, affiliation } = item.attrs as { role?: string; affiliation?: string };
  if (role !== undefined && affiliation !== undefined)
    return refuse('bad-request', 'A list is one of a role or one of an affiliation.');
  const actor = room.actor(from);
  if (isRole(role)) {
    return refusedRoleList(actor, role) ?? query(roleItems(room, role));
  }
  if (isAffiliation(affiliation)) {
    return refusedAffiliationList(actor, affiliation, room.config) ?? query(affiliationItems(room, affiliation));
  }
  return refuse('bad-request', 'There is no such role or affiliation.');
}

/** 17.4, rule 5. */
function roleItems(room: Room, role: Role): Element[] {
  return [...room.occupants.all()]
    .filter(occupant => occupant.role === role)
    .map(({ affiliation, nick, shown }) => xml('item', { affiliation, jid: shown.jid.full, nick, role }));
}

/** 17.4, rule 6; and 9.2 for the reasons. */
function affiliationItems(room: Room, affiliation: string): Element[] {
  return room
    .state!.affiliations.list(affiliation as 'member')
    .map(({ jid, nick, reason }) =>
      xml('item', { affiliation, jid: jid.bare, nick }, reason !== undefined && xml('reason', {}, reason)),
    );
}

function query(items: Element[]): Element {
  return xml('query', { xmlns: MUC_ADMIN }, ...items);
}

function modify(room: Room, request: IqRequest): MaybePromise<Answer | typeof Answered> {
  const items = request.payload.getChildren('item', MUC_ADMIN);
  if (items.length === 0 || items.length > MOST_ITEMS)
    return refuse('bad-request', `A modification has 1 to ${MOST_ITEMS} items.`);
  const affiliations: NewAffiliation[] = [];
  const roles: NewRole[] = [];
  for (const item of items) {
    const read = readItem(room, item);
    if (read instanceof StanzaError) return read;
    if ('jid' in read) affiliations.push(read);
    else roles.push(read);
  }
  if (affiliations.length > 0 && roles.length > 0)
    return refuse('bad-request', 'Roles and affiliations are modified by requests of their own.');
  return roles.length > 0 ? changeRoles(room, request, roles) : changeAffiliations(room, request, affiliations);
}

/** 17.4, rule 4 to 6. */
function readItem(room: Room, item: Element): NewAffiliation | NewRole | StanzaError {
  const { role, affiliation, jid, nick } = item.attrs as Record<string, string | undefined>;
  const reason = (item.getChildText('reason', MUC_ADMIN) ?? '').slice(0, LONGEST_REASON);
  if ((role === undefined) === (affiliation === undefined))
    return refuse('bad-request', 'An item gives a role or an affiliation, and not both.');
  if (affiliation !== undefined) {
    if (!isAffiliation(affiliation)) return refuse('bad-request', 'There is no such affiliation.');
    const address = jid === undefined ? accountOf(room, nick) : parseJid(jid);
    if (!address) {
      return jid === undefined
        ? refuse('bad-request', 'An affiliation is given to an address.')
        : refuse('jid-malformed', `'${jid.slice(0, 100)}' is no address.`);
    }
    const reserved = jid === undefined || nick === undefined || nick === '' ? nick : prepareResource(nick);
    if (nick !== undefined && reserved === undefined) return refuse('jid-malformed', 'This is no nickname.');
    return { jid: address.toBare(), affiliation, nick: jid === undefined ? undefined : reserved, reason };
  }
  if (!isRole(role)) return refuse('bad-request', 'There is no such role.');
  if (nick === undefined) return refuse('bad-request', 'A role is given to a nickname.');
  const occupant = room.occupants.named(nick) ?? room.occupants.named(prepareResource(nick) ?? '');
  if (!occupant) return refuse('item-not-found', `Nobody in the room has the nickname '${nick.slice(0, 100)}'.`);
  return { occupant, role, reason };
}

/** Clients that know no address name who is in the room. */
function accountOf(room: Room, nick: string | undefined): Jid | undefined {
  return nick === undefined ? undefined : room.occupants.named(nick)?.account;
}

export const adminIqs: readonly RoomIq[] = [
  { xmlns: MUC_ADMIN, name: 'query', type: 'get', answer: list },
  { xmlns: MUC_ADMIN, name: 'query', type: 'set', answer: modify },
];
