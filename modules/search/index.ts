/*
 * A directory of the people of a host, at a domain of its own (XEP-0055): found by number is one, found by nickname are several. Who may be
 * found says so (own-entry.ts); what people are called follows their card and their nickname.
 */
import {
  type Answer,
  attached,
  defineModule,
  Empty,
  InTurn,
  type IqRequest,
  ServiceDomain,
} from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { parseElement } from '../../src/xml/index.ts';
import { Blocking } from '../blocking/contract.ts';
import { Pubsub } from '../pubsub/contract.ts';
import { Vcards } from '../vcard/contract.ts';
import { Allowance, type Bounds } from './allowance.ts';
import { numberCommand, numberOperation } from './assigning.ts';
import { Finder } from './finding.ts';
import { Gathering } from './gathering.ts';
import { gatherOperation } from './gather-operation.ts';
import { namesOf } from './names.ts';
import { options } from './options.ts';
import { changeEntry, DIRECTORY, entryCommand, entryElement, type EntryParts, readEntry } from './own-entry.ts';
import { portableEntry } from './portable.ts';
import { fieldsAnswer, pageOf, readRequest, resultAnswer, SEARCH } from './requests.ts';
import { directoryStore } from './store.ts';

const NICK = 'http://jabber.org/protocol/nick'; // XEP-0172
/** Searches at the same time: each may look through some thousand entries. */
const AT_ONCE = 8;
const MINUTE = 60_000;

const TOO_MANY: Readonly<Record<keyof Bounds, string>> = {
  searchesPerMinute: 'Too many searches. Try again in a minute.',
  searchesPerDay: 'Too many searches for one day. Try again tomorrow.',
  peoplePerDay: 'You have been shown enough people for one day. Try again tomorrow.',
};

export default defineModule({
  name: 'search',
  doc: 'Finds people of the host by number and by nickname, where they may be found.',
  xeps: [
    { number: 55, version: '1.3' },
    { number: 59, version: '1.0', note: 'Without pages by index.' },
    { number: 172, version: '1.1', note: 'Published nicknames are what people are found by.' },
  ],
  needs: ['commands'],
  after: ['blocking', 'pubsub', 'vcard'],
  features: { account: [DIRECTORY] },
  options,
  stores: { directory: directoryStore },

  setup(mod) {
    const { directory: store } = mod.stores;
    const { accounts } = mod.node;
    const searches = mod.count('searches', 'Searches that were answered.');
    const refusals = mod.count('refused', 'Searches that were refused because of their number.');
    const allowance = new Allowance();
    mod.every(MINUTE, () => allowance.forget());

    const finder = new Finder({
      store,
      options: host => mod.options(host),
      active,
      blockers: (people, who) => mod.maybe(Blocking)?.blockers(people, who) ?? new Set(),
    });

    async function active(account: Jid): Promise<boolean> {
      return (await accounts.get(account))?.status === 'active';
    }

    // ---- searching ------------------------------------------------------------------------------------------------------------

    const service = new ServiceDomain(mod, {
      identity: { category: 'directory', type: 'user', name: 'People' },
      domain: host => mod.options(host).domain,
      features: () => [SEARCH, NS.rsm],
    });
    let running = 0;

    service.iq(
      { xmlns: SEARCH, name: 'query', type: 'get', to: 'service' },
      request => mayNotSearch(request) ?? fieldsAnswer(),
    );
    service.iq({ xmlns: SEARCH, name: 'query', type: 'set', to: 'service' }, async request => {
      const refused = mayNotSearch(request);
      if (refused) return refused;
      const host = service.hostOf(request.to.domain)!;
      if (running >= AT_ONCE) return refuse('resource-constraint', 'Others are searching. Try again in a while.');
      running++;
      try {
        return await search(host, request);
      } finally {
        running--;
      }
    });

    /** Only accounts search: nobody counts what strangers see. */
    function mayNotSearch({ from, to, session }: IqRequest): StanzaError | undefined {
      const host = service.hostOf(to.domain)!;
      const known = mod.options(host).searchers === 'host' ? from.domain === host : mod.node.hosts.has(from.domain);
      return known && from.local !== '' && session?.anonymous !== true
        ? undefined
        : refuse('forbidden', `The directory is for accounts of ${host}.`);
    }

    async function search(host: string, { from, payload }: IqRequest): Promise<Answer> {
      const bounds = mod.options(host);
      const request = readRequest(payload, bounds.number);
      if (request instanceof StanzaError) return request;
      const spent = allowance.search(from.bare, bounds);
      if (spent !== undefined) {
        refusals.inc();
        return new StanzaError('resource-constraint', { type: 'wait', text: TOO_MANY[spent] });
      }
      searches.inc();
      const found = await finder.find(host, from, request.wanted);
      const page = pageOf(found, request.paging, Math.min(bounds.page, allowance.left(from.bare, bounds)));
      if (page instanceof StanzaError) return page;
      const there = await Promise.all(page.people.map(({ account }) => active(parseJid(account)!)));
      const people = page.people.filter((_, i) => there[i]);
      allowance.show(from.bare, people.length);
      return resultAnswer(request, { ...page, people });
    }

    service.open();

    // ---- what people are called -----------------------------------------------------------------------------------------------

    // of one account one after the other: what was read last is written last
    const turns = new InTurn();
    const follow = (account: Jid): Promise<void> => {
      const own = account.toBare();
      if (!mod.enabled(own.domain)) return Promise.resolve();
      return turns.run(own.bare, async () => {
        await store.change(own.domain, [[own, { names: await names(own) }]]);
      });
    };
    const cards = attached(mod, Vcards, vcards => vcards.onChange(follow));
    const nodes = attached(mod, Pubsub, pubsub =>
      pubsub.onEvent(({ account, node }) => (node === NICK ? follow(account) : undefined)),
    );

    async function names(account: Jid) {
      const [nick] = (await nodes()?.items(account, NICK)) ?? [];
      const nickname = nick && nick.payload !== '' ? parseElement(nick.payload, '').getText() : undefined;
      return namesOf(await cards()?.get(account), nickname);
    }

    const gathering = new Gathering({ store, accounts, follow, signal: mod.signal });
    const gathered = (host: string, count: number): void => {
      if (count > 0) mod.log.info({ host, accounts: count }, 'the names of accounts are in the directory');
    };
    mod.every(1000, async () => {
      for (const host of mod.node.hosts) if (mod.enabled(host)) gathered(host, await gathering.gather(host));
    });
    const anew = (host: string): void => {
      gathering.anew(host).then(
        count => gathered(host, count),
        (error: unknown) => mod.log.error({ err: error, host }, 'the names of accounts could not be read'),
      );
    };
    mod.add('operations', gatherOperation(mod, anew));

    // ---- what they say of being found -----------------------------------------------------------------------------------------

    const parts: EntryParts = { mod, store, domainOf: host => service.domainOf(host) };
    mod.iq({ xmlns: DIRECTORY, name: 'entry', type: 'get', to: 'account' }, ({ to }) =>
      entryElement(parts, to.toBare()),
    );
    mod.iq({ xmlns: DIRECTORY, name: 'entry', type: 'set', to: 'account' }, async ({ to, payload }) => {
      const account = to.toBare();
      const change = readEntry(payload, mod.options(account.domain).number);
      if (change instanceof StanzaError) return change;
      return (await changeEntry(parts, account, change)) ?? Empty;
    });
    mod.add('commands', entryCommand(parts));
    mod.add('commands', numberCommand(parts));
    mod.add('operations', numberOperation(parts));

    mod.add('portable', portableEntry(parts));
    mod.when('accountRemoved', account => turns.run(account.bare, () => store.remove(account)));
  },
});
