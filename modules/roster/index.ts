/*
 * The roster: RFC 6121 2, with versions (2.6) and pre-approved subscriptions (3.4; the subscriptions themselves are the business
 * of the module presence). Every change is stored before it is pushed.
 */
import { type Answer, defineModule, defineOptions, Empty, type IqRequest, type Mod, option, type SessionView } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, serialize, wireAttribute, xml } from '../../src/xml/index.ts';
import { Roster, type RosterItem } from './contract.ts';
import { Rosters } from './rosters.ts';
import { rosterStore } from './store.ts';

const options = defineOptions({
  items: option.integer({ default: 10_000, minimum: 1, maximum: 1_000_000, doc: 'Contacts of one account.', reload: 'live' }),
  name: option.integer({ default: 1023, minimum: 1, maximum: 65_536, unit: 'characters', doc: "Longest name of a contact or group.", reload: 'live' }),
  groups: option.integer({ default: 100, minimum: 0, maximum: 10_000, doc: 'Groups of one contact.', reload: 'live' }),
  cached: option.integer({ default: 20_000, minimum: 16, maximum: 10_000_000, doc: 'Rosters that are kept in memory.' }),
});

export default defineModule({
  name: 'roster',
  doc: "Keeps each account's contacts.",
  rfcs: ['RFC 6121 2'],
  features: { account: [NS.roster] },
  options,
  stores: { items: rosterStore },
  setup(mod) {
    /** Resources that asked for the roster are told of its changes (RFC 6121 2.2). */
    const interested = mod.perSession<boolean>(() => false);
    let pushes = 0;

    const rosters = new Rosters(mod.stores.items, mod.options().cached, (account, contact, item, version) => {
      const element = item ? itemElement(item) : xml('item', { jid: contact, subscription: 'remove' });
      const query = serialize(xml('query', { xmlns: NS.roster, ver: version }, element), NS.client);
      for (const session of mod.node.user(account)?.sessions ?? []) {
        if (interested.get(session)) push(session, query, `push${++pushes}`);
      }
    });
    mod.provide(Roster, rosters);

    mod.add('streamFeatures', { when: 'after-login', feature: () => xml('ver', { xmlns: NS.rosterVersioning }) });
    mod.add('streamFeatures', { when: 'after-login', feature: () => xml('sub', { xmlns: NS.preApproval }) });

    mod.iq({ xmlns: NS.roster, name: 'query', type: 'get', to: 'account' }, async request => {
      if (request.payload.getChildElements().length > 0) return refuse('bad-request', 'A request for the roster is empty.');
      const { items, version } = await rosters.withVersion(request.to);
      if (request.session) interested.set(request.session, true);
      // RFC 6121 2.6.2: nothing has changed
      if (request.payload.attrs.ver === version) return Empty;
      return xml('query', { xmlns: NS.roster, ver: version }, [...items.values()].map(itemElement));
    });
    mod.iq({ xmlns: NS.roster, name: 'query', type: 'set', to: 'account', from: 'anyone' }, request => set(mod, rosters, request));
    mod.when('accountRemoved', jid => rosters.forget(jid));
  },
});

function push(session: SessionView, query: string, id: string): void {
  session.sendWire(`<iq type='set' id='${id}'${wireAttribute('to', session.jid.full)}>${query}</iq>`);
}

/** RFC 6121 2.1.2. */
function itemElement({ jid, name, subscription, ask, approved, groups }: RosterItem): Element {
  return xml(
    'item',
    { jid, name, subscription, ask: ask ? 'subscribe' : undefined, approved: approved ? 'true' : undefined },
    ...groups.map(group => xml('group', {}, group)),
  );
}

/** RFC 6121 2.3 to 2.5. */
async function set(mod: Mod<typeof options>, rosters: Rosters, request: IqRequest): Promise<Answer> {
  // 2.3.3: another's roster
  if (!request.own) return refuse('forbidden', 'A roster is changed by its account only.');
  const items = request.payload.getChildElements();
  if (items.length !== 1 || items[0]!.name !== 'item') return refuse('bad-request', 'A roster set holds exactly one item.');
  const item = items[0]!;
  const contact = parseJid(item.attrs.jid ?? '')?.toBare();
  if (!contact) return refuse(item.attrs.jid === undefined ? 'bad-request' : 'jid-malformed', 'The item needs the address of a contact.');
  if (item.attrs.subscription === 'remove') return remove(rosters, request.to, contact);

  const limits = mod.options(request.to.domain);
  const groups = item.getChildren('group', NS.roster).map(group => group.getText());
  const { name } = item.attrs;
  const problem = check(name, groups, limits);
  if (problem) return problem;
  const roster = await rosters.get(request.to);
  if (!roster.has(contact.bare) && roster.size >= limits.items) {
    return new StanzaError('resource-constraint', { type: 'cancel', text: `A roster has at most ${limits.items} contacts.` });
  }
  // 2.1.2.5: what the client says of subscriptions counts for nothing
  await rosters.change(request.to, contact, before => ({ ...(before ?? rosters.blank(contact)), name: name === '' ? undefined : name, groups }));
  return Empty;
}

/** RFC 6121 2.3.3. */
function check(name: string | undefined, groups: readonly string[], limits: { name: number; groups: number }): StanzaError | undefined {
  if (name !== undefined && name.length > limits.name) return refuse('not-acceptable', `A name has at most ${limits.name} characters.`);
  if (groups.some(group => group === '')) return refuse('not-acceptable', 'A group has a name.');
  if (new Set(groups).size !== groups.length) return refuse('bad-request', 'A group stands twice.');
  if (groups.some(group => group.length > limits.name)) return refuse('not-acceptable', `A group's name has at most ${limits.name} characters.`);
  if (groups.length > limits.groups) return refuse('not-acceptable', `A contact is in at most ${limits.groups} groups.`);
  return undefined;
}

/** RFC 6121 2.5. */
async function remove(rosters: Rosters, account: Jid, contact: Jid): Promise<Answer> {
  const roster = await rosters.get(account);
  const item = roster.get(contact.bare);
  if (!item) return refuse('item-not-found', 'There is no such contact.');
  // 2.5.2: the subscriptions end first
  await rosters.removing(account, item);
  await rosters.change(account, contact, () => undefined);
  return Empty;
}
