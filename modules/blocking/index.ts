/*
 * The blocking command (XEP-0191): an account's list of addresses that it neither hears nor talks to. "Polite blocking": the
 * subscriptions stay, and the account looks offline to those it has blocked.
 */
import { defineModule, defineOptions, Empty, option, plain, type SessionView, andThen } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, serialize, wireAttribute, xml } from '../../src/xml/index.ts';
import { Archive } from '../archive/contract.ts';
import { PresenceService } from '../presence/contract.ts';
import { Roster, type Subscription } from '../roster/contract.ts';
import { Blocking } from './contract.ts';
import { incomingGate, outgoingGate, presenceGate } from './gates.ts';
import { Blocklists } from './lists.ts';
import { SessionLists } from './session-lists.ts';
import { blockStore } from './store.ts';

const BLOCKING = 'urn:xmpp:blocking';
const REPORTING = 'urn:xmpp:reporting:1'; // XEP-0377
/** Addresses that are exported in one go. */
const PAGE = 500;

export default defineModule({
  name: 'blocking',
  doc: 'Lets an account block addresses: nothing comes from them, nothing goes to them.',
  xeps: [
    { number: 191, version: '1.3' },
    { number: 377, version: '0.4.1', note: 'Reports that come with a block are logged.' },
  ],
  after: ['archive', 'presence', 'roster'],
  // XEP-0191 3.1 asks the host, some clients their account
  features: { host: [BLOCKING], account: [BLOCKING] },
  options: defineOptions({
    answer: option.choice(['error', 'silent'], {
      default: 'error',
      doc: 'Whether the sender of a blocked message is told service-unavailable, or nothing. Blocked IQ requests are always answered.',
      reload: 'live',
    }),
    entries: option.integer({
      default: 1000,
      minimum: 1,
      maximum: 100_000,
      doc: 'Addresses that an account may block.',
      reload: 'live',
    }),
    cached: option.integer({
      default: 65_536,
      minimum: 16,
      maximum: 10_000_000,
      doc: 'Accounts whose lists are kept in memory.',
    }),
  }),
  stores: { addresses: blockStore },
  setup(mod) {
    const lists: Blocklists = new Blocklists(mod.stores.addresses, mod.options().cached, (account, list) => {
      for (const session of mod.node.user(account)?.sessions ?? []) ofSessions.changed(session, list);
    });
    const ofSessions = new SessionLists(mod, lists);
    const listOf = (account: Jid) => lists.of(account);
    /** Sessions that have asked for the list are told of changes. */
    const interested = mod.perSession<boolean>(() => false, plain());
    const reports = mod.count('reports', 'Reports of abuse that came with a block (XEP-0377).');
    let pushes = 0;
    /** Accounts that are about to look offline to those they block, and how many times at once. */
    const hiding = new Map<string, number>();

    mod.on('received', 'gate', { to: ['host', 'bare', 'full', 'foreign'] }, outgoingGate(listOf));
    mod.on(
      'arriving',
      'gate',
      { to: ['bare', 'full'] },
      incomingGate(
        listOf,
        host => mod.options(host).answer === 'error',
        packet => mod.maybe(Archive)?.dropped(packet),
      ),
    );

    mod.on(
      'arriving',
      'gate',
      { kind: 'presence', to: ['bare', 'full'] },
      presenceGate(
        listOf,
        domain => mod.node.hosts.has(domain),
        account => hiding.has(account.bare),
      ),
    );

    // XEP-0191 3.2
    mod.iq({ xmlns: BLOCKING, name: 'blocklist', type: 'get', to: 'account' }, request => {
      if (request.session) interested.set(request.session, true);
      return andThen(lists.of(request.to), ({ jids }) => xml('blocklist', { xmlns: BLOCKING }, ...jids.map(item)));
    });
    // XEP-0191 3.3
    mod.iq({ xmlns: BLOCKING, name: 'block', type: 'set', to: 'account' }, async request => {
      const jids = jidsIn(request.payload);
      if (jids instanceof StanzaError) return jids;
      if (jids.length === 0) return refuse('bad-request', 'Whom to block?');
      if ((await block(request.to, jids)) === 'full') {
        return refuse(
          'resource-constraint',
          `At most ${mod.options(request.to.domain).entries} addresses can be blocked.`,
        );
      }
      noteReports(request.payload, request.from);
      return Empty;
    });
    // XEP-0191 3.4
    mod.iq({ xmlns: BLOCKING, name: 'unblock', type: 'set', to: 'account' }, async request => {
      const jids = jidsIn(request.payload);
      if (jids instanceof StanzaError) return jids;
      await unblock(request.to, jids.length > 0 ? jids : undefined);
      return Empty;
    });

    async function block(account: Jid, jids: readonly Jid[]): Promise<'blocked' | 'full'> {
      const before = await lists.of(account);
      const after = await lists.add(account, jids, mod.options(account.domain).entries);
      if (!after) return 'full';
      push(account, xml('block', { xmlns: BLOCKING }, ...jids.map(item)));
      // XEP-0191 3.3: whoever sees the account sees it go; nobody else learns that it is there
      const hidden = jids.filter(jid => !before.matches(jid));
      const friends = await contacts(account, hidden, ['from', 'both']);
      const isHidden = (address: Jid): boolean =>
        after.matches(address) && !before.matches(address) && address.bare !== account.bare;
      const { bare } = account;
      hiding.set(bare, (hiding.get(bare) ?? 0) + 1);
      try {
        await mod.maybe(PresenceService)?.hide(account, friends, isHidden);
      } finally {
        const others = hiding.get(bare)! - 1;
        if (others > 0) hiding.set(bare, others);
        else hiding.delete(bare);
      }
      return 'blocked';
    }

    async function unblock(account: Jid, jids?: readonly Jid[]): Promise<void> {
      const before = await lists.of(account);
      await lists.remove(account, jids);
      const after = await lists.of(account);
      push(account, xml('unblock', { xmlns: BLOCKING }, ...(jids ?? []).map(item)));
      // XEP-0191 3.4
      const shown = (jids ?? before.jids).filter(jid => before.matches(jid) && !after.matches(jid));
      const friends = await contacts(account, shown, ['from', 'to', 'both']);
      await mod.maybe(PresenceService)?.show(
        account,
        friends.filter(contact => !after.matches(contact)),
      );
    }

    /** Those among these addresses, or at them when they are domains, who have to do with the account's presence. */
    async function contacts(account: Jid, jids: readonly Jid[], ways: readonly Subscription[]): Promise<Jid[]> {
      const roster = await mod.maybe(Roster)?.get(account);
      const bares = new Map<string, Jid[]>();
      for (const jid of jids) bares.set(jid.bare, [...(bares.get(jid.bare) ?? []), jid]);
      const found = new Map<string, Jid>();
      for (const { address: contact, subscription } of roster?.values() ?? []) {
        if (!ways.includes(subscription)) continue;
        for (const jid of bares.get(contact.bare) ?? []) found.set(jid.full, jid);
        if (bares.get(contact.domain)?.some(jid => jid.isDomain && jid.resource === ''))
          found.set(contact.full, contact);
      }
      return [...found.values()];
    }

    function push(account: Jid, payload: Element): void {
      const inner = serialize(payload, 'jabber:client');
      for (const session of mod.node.user(account)?.sessions ?? []) if (interested.get(session)) pushTo(session, inner);
    }

    function pushTo(session: SessionView, inner: string): void {
      const addresses = wireAttribute('from', session.jid.bare) + wireAttribute('to', session.jid.full);
      session.sendWire(`<iq type='set' id='block-${++pushes}'${addresses}>${inner}</iq>`);
    }

    /** XEP-0377 4: a report goes to the operator's log; what the person wrote does not. */
    function noteReports(payload: Element, from: Jid): void {
      for (const child of payload.getChildren('item', BLOCKING)) {
        const report = child.getChild('report', REPORTING);
        if (!report) continue;
        reports.inc();
        mod.log.warn(
          { from: from.bare, about: child.attrs.jid as string, reason: String(report.attrs.reason) },
          'abuse reported',
        );
      }
    }

    mod.provide(Blocking, {
      blocks: (account, other) => andThen(lists.of(account), list => list.matches(other)),
      blockers: (accounts, other) =>
        mod.stores.addresses.having(
          accounts.filter(({ domain }) => mod.enabled(domain)).map(({ bare }) => bare),
          // XEP-0191 5
          [other.full, other.bare, other.domain],
        ),
      blockedBy: session => ofSessions.get(session),
      list: account => andThen(lists.of(account), list => list.jids),
      block,
      unblock,
    });
    // no part of XEP-0227, whose privacy lists say more than these can; written as the account's clients see it
    mod.add('portable', {
      name: 'blocked addresses',
      container: { name: 'blocklist', xmlns: BLOCKING },
      entry: { name: 'item', xmlns: BLOCKING },
      export: async (account, after) => {
        const { jids } = await lists.of(account);
        const from = Number(after);
        const entries = jids.slice(from, from + PAGE).map(jid => serialize(item(jid), BLOCKING));
        return { entries, ...(jids.length > from + PAGE && { next: String(from + PAGE) }) };
      },
      import: async (account, entry) => {
        const jid = parseJid(String(entry.attrs.jid ?? ''));
        if (!jid) return { refused: `'${String(entry.attrs.jid)}' is not an address` };
        if ((await lists.of(account)).jids.some(known => known.full === jid.full)) return 'known';
        return (await block(account, [jid])) === 'full' ? { refused: 'the list is full' } : 'imported';
      },
    });
    mod.when('accountRemoved', async jid => {
      await lists.remove(jid);
      lists.forget(jid);
    });
  },
});

function item(jid: Jid): Element {
  return xml('item', { jid: jid.full });
}

function jidsIn(payload: Element): Jid[] | StanzaError {
  const jids: Jid[] = [];
  for (const child of payload.getChildren('item', BLOCKING)) {
    if (child.attrs.jid === undefined) return refuse('bad-request', 'An item needs an address.');
    const jid = parseJid(String(child.attrs.jid));
    if (!jid) return refuse('jid-malformed', 'An item holds no address.');
    if (!jids.some(other => other.equals(jid))) jids.push(jid);
  }
  return jids;
}
