/*
 * The roster: RFC 6121 2, with versions (2.6) and pre-approved subscriptions (3.4; the subscriptions themselves are the business
 * of the module presence). Every change is stored before it is pushed. Reading it is in get.ts, changing it in set.ts, what is in
 * memory in rosters.ts.
 */
import { defineModule, defineOptions, option, plain } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';
import { Roster } from './contract.ts';
import { push, RosterGet } from './get.ts';
import { portableRoster } from './portable.ts';
import { Rosters } from './rosters.ts';
import { FORBIDDEN, set } from './set.ts';
import { rosterStore } from './store.ts';
import { pushWire } from './wire.ts';

export default defineModule({
  name: 'roster',
  doc: "Keeps each account's contacts.",
  rfcs: ['RFC 6121 2', 'RFC 6121 3.4'],
  xeps: [{ number: 237, version: '1.3' }],
  features: { account: [NS.roster] },
  options: defineOptions({
    items: option.integer({
      default: 10_000,
      minimum: 1,
      maximum: 1_000_000,
      doc: 'Contacts that an account may have.',
      reload: 'live',
    }),
    size: option.integer({
      default: 2_000_000,
      minimum: 10_000,
      maximum: 1_000_000_000,
      unit: 'characters',
      doc: 'What the addresses, names and groups of a whole roster may come to. It is sent in one piece, so it has to fit into limits.outboxBytes.',
      reload: 'live',
    }),
    name: option.integer({
      default: 1023,
      minimum: 1,
      maximum: 65_536,
      unit: 'characters',
      doc: 'The longest name of a contact or group.',
      reload: 'live',
    }),
    groups: option.integer({
      default: 100,
      minimum: 0,
      maximum: 10_000,
      doc: 'Groups that a contact may be in.',
      reload: 'live',
    }),
    cached: option.integer({
      default: 20_000,
      minimum: 16,
      maximum: 10_000_000,
      doc: 'Accounts whose rosters are kept in memory.',
    }),
  }),
  stores: { items: rosterStore },
  setup(mod) {
    // loaded while clients are there: they may have asked already, and a push too many harms nobody
    const before = new WeakSet([...mod.node.users()].flatMap(user => user.sessions));
    const interested = mod.perSession<boolean>(session => before.has(session), plain());

    const audience = {
      most: (host: string) => mod.options(host),
      interested: (account: Jid) => mod.node.user(account)?.sessions.filter(session => interested.get(session)) ?? [],
      push: (account: Jid, ...change: Parameters<typeof pushWire>) => {
        const sessions = audience.interested(account);
        if (sessions.length === 0) return;
        const query = pushWire(...change);
        for (const session of sessions) push(session, query);
      },
    };
    const rosters = new Rosters(mod.stores.items, mod.options().cached, audience);
    const get = new RosterGet(rosters, interested);
    mod.provide(Roster, rosters);

    // RFC 6121 2.6.1, 3.4
    mod.add('streamFeatures', { when: 'after-login', feature: () => xml('ver', { xmlns: NS.rosterVersioning }) });
    mod.add('streamFeatures', { when: 'after-login', feature: () => xml('sub', { xmlns: NS.preApproval }) });

    mod.on('received', 'work', { kind: 'iq', to: ['nowhere', 'bare'] }, (packet, session) =>
      get.large(packet, session),
    );
    mod.iq({ xmlns: NS.roster, name: 'query', type: 'get', to: 'account' }, request => get.answer(request));
    // whether there is such an account is not told
    const absent = { bare: FORBIDDEN };
    mod.iq({ xmlns: NS.roster, name: 'query', type: 'set', to: 'account', from: 'anyone', absent }, request =>
      set(rosters, request, mod.options(request.to.domain)),
    );
    mod.add('portable', portableRoster(rosters));
    mod.when('accountRemoved', jid => rosters.forget(jid));
  },
});
