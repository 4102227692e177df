import { type Answer, Empty, type IqRequest } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import type { Rosters } from './rosters.ts';

export interface RosterLimits {
  readonly items: number;
  /** Characters of a name of a contact or group. */
  readonly name: number;
  readonly groups: number;
}

/** A client changes its roster: RFC 6121 2.3 to 2.5. */
export async function set(rosters: Rosters, request: IqRequest, limits: RosterLimits): Promise<Answer> {
  // 2.3.3: another's roster
  if (!request.own) return refuse('forbidden', 'A roster is changed by its account only.');
  const items = request.payload.getChildElements();
  if (items.length !== 1 || !items[0]!.is('item', NS.roster))
    return refuse('bad-request', 'A roster set holds exactly one item.');
  const { attrs } = items[0]!;
  if (attrs.jid === undefined) return refuse('bad-request', 'The item needs the address of a contact.');
  // 2.1.2.3: a contact is a bare address
  const contact = parseJid(attrs.jid)?.toBare();
  if (!contact) return refuse('jid-malformed', 'The address of the contact is none (RFC 7622).');
  if (attrs.subscription === 'remove') return remove(rosters, request.to, contact);

  const name = attrs.name as string | undefined;
  const groups = items[0]!.getChildren('group', NS.roster).map(group => group.getText());
  const problem = check(name, groups, limits);
  if (problem) return problem;
  const roster = await rosters.get(request.to);
  if (!roster.has(contact.bare) && roster.size >= limits.items) {
    return new StanzaError('resource-constraint', {
      type: 'cancel',
      text: `A roster has at most ${limits.items} contacts.`,
    });
  }
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
  if (new Set(groups).size !== groups.length) return refuse('bad-request', 'A group stands twice.');
  if (groups.some(group => group.length > limits.name))
    return refuse('not-acceptable', `A group's name has at most ${limits.name} characters.`);
  if (groups.length > limits.groups)
    return refuse('not-acceptable', `A contact is in at most ${limits.groups} groups.`);
  return undefined;
}

/** 2.5. */
async function remove(rosters: Rosters, account: Jid, contact: Jid): Promise<Answer> {
  const { before } = await rosters.change(account, contact, () => undefined);
  if (!before) return refuse('item-not-found', 'There is no such contact.');
  await rosters.removed(account, before);
  return Empty;
}
