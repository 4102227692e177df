import { type Answer, Empty, type IqRequest } from '../../src/api/index.ts';
import { type Jid, parseJid, prepareResource } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import type { Rosters } from './rosters.ts';

/** 2.3.3: another's roster. */
export const FORBIDDEN = refuse('forbidden', 'A roster is changed by its account only.');

export interface RosterLimits {
  /** Characters of a name of a contact or group. */
  readonly name: number;
  readonly groups: number;
}

/**
 * A client changes its roster: RFC 6121 2.3 to 2.5. The answer says that it is done: it is written after the pushes, and after what
 * contacts are told, and not in one piece with them (COMPAT Smack, which takes up pushes beside its answers).
 */
export async function set(rosters: Rosters, request: IqRequest, limits: RosterLimits): Promise<Answer> {
  const answer = await change(rosters, request, limits);
  // what has been put into outboxes by now is written before this comes back
  await new Promise(resolve => setImmediate(resolve));
  return answer;
}

async function change(rosters: Rosters, request: IqRequest, limits: RosterLimits): Promise<Answer> {
  if (!request.own) return FORBIDDEN;
  const [item, ...more] = request.payload.getChildren('item', NS.roster);
  if (!item || more.length > 0) return refuse('bad-request', 'A roster set holds exactly one item.');
  const { attrs } = item;
  if (attrs.jid === undefined) return refuse('bad-request', 'The item needs the address of a contact.');
  // 2.1.2.3: a contact is a bare address
  const contact = parseJid(attrs.jid)?.toBare();
  if (!contact) return refuse('jid-malformed', 'The address of the contact is none (RFC 7622).');
  if (attrs.subscription === 'remove') return remove(rosters, request.to, contact);
  // 2.3.3, last note: everybody sees his own presence anyway
  if (contact.bare === request.to.bare) return refuse('not-allowed', 'Nobody is a contact of his own.');

  const name = attrs.name as string | undefined;
  const groups = item.getChildren('group', NS.roster).map(group => group.getText());
  const problem = check(name, groups, limits);
  if (problem) return problem;
  if (!(await rosters.hasRoomFor(request.to, contact, { name, groups })))
    return new StanzaError('resource-constraint', { type: 'cancel', text: 'The roster is full.' });
  // 2.1.2.5: what the client says of subscriptions counts for nothing; 2.4.1: an empty name is none
  await rosters.change(request.to, contact, before => ({
    ...(before ?? rosters.blank(contact)),
    name: name || undefined,
    groups,
  }));
  return Empty;
}

/** 2.3.3. */
function check(name: string | undefined, groups: readonly string[], limits: RosterLimits): StanzaError | undefined {
  if (name !== undefined && name.length > limits.name)
    return refuse('not-acceptable', `A name has at most ${limits.name} characters.`);
  if (groups.includes('')) return refuse('not-acceptable', 'A group has a name.');
  if (new Set(groups.map(comparable)).size !== groups.length) return refuse('bad-request', 'A group stands twice.');
  if (groups.some(group => group.length > limits.name))
    return refuse('not-acceptable', `A group's name has at most ${limits.name} characters.`);
  if (groups.length > limits.groups)
    return refuse('not-acceptable', `A contact is in at most ${limits.groups} groups.`);
  return undefined;
}

/** Groups are the same if they were the same as resourceparts (2.1.2.6); what could not be one is only like itself. */
function comparable(group: string): string {
  return prepareResource(group) ?? group;
}

/** 2.5. */
async function remove(rosters: Rosters, account: Jid, contact: Jid): Promise<Answer> {
  const { before } = await rosters.change(account, contact, () => undefined);
  if (!before) return refuse('item-not-found', 'There is no such contact.');
  await rosters.removed(account, before);
  return Empty;
}
