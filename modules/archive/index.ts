/*
 * The archive (XEP-0313): what an account's conversations were, for each of its devices. A message is in it before it is delivered: what
 * an acknowledgement promised is there after a crash, once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  andThen,
  BARE,
  defineModule,
  defineOptions,
  DONE,
  FULL,
  MESSAGE,
  NOWHERE,
  option,
  type Packet,
  plain,
} from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { indexed } from '../../src/xml/index.ts';
import { Roster } from '../roster/contract.ts';
import { StanzaIds, stanzaIdBy } from '../stanza-id/contract.ts';
import { Trace } from '../trace/contract.ts';
import { Answering, type Shelf } from './answering.ts';
import { Archive, type ArchiveService, RoomDomains } from './contract.ts';
import { isKeepable } from './keepable.ts';
import { Keeping } from './keeping.ts';
import { firstKeyAt, timeOf } from './key.ts';
import { Origins } from './origins.ts';
import { Passage } from './passage.ts';
import { portableArchive } from './portable.ts';
import { preferencesElement, readPreferences, wanted } from './preferences.ts';
import { preferencesStore } from './preferences-store.ts';
import { queryForm, readQuery } from './query.ts';
import { paces } from './results.ts';
import { authorOf, Rooms } from './rooms.ts';
import { AHEAD } from './schema.ts';
import { archiveStore } from './store.ts';
import { lookingUp } from './tracing.ts';

/** Milliseconds between two sweeps. */
const SWEEP = 600_000;
/** Milliseconds that a sweep leaves to others after each portion. */
const REST = 20;
/** Messages of an earlier run that are looked through for origin ids. */
const REMEMBERED = 5000;
const EMPTY: ReadonlySet<string> = new Set();

export default defineModule({
  name: 'archive',
  doc: 'Keeps the messages of each account, for all of its devices to catch up with.',
  xeps: [
    {
      number: 313,
      version: '1.1.3',
      note: 'Archives of accounts and of rooms; messages of rooms are in those of the rooms alone.',
    },
    { number: 441, version: '0.2.0' },
    { number: 59, version: '1.0', note: 'Without pages by index.' },
    { number: 297, version: '1.0' },
    { number: 424, version: '0.4.2', note: 'Tombstones.' },
    { number: 334, version: '1.0.0', note: 'store, no-store, no-permanent-store.' },
    {
      number: 359,
      version: '0.7.0',
      note: 'A message with an origin id that this run of the server knows is acknowledged and not delivered again.',
    },
  ],
  needs: ['stanza-id'],
  after: ['roster'],
  features: {
    account: [NS.mam, `${NS.mam}#extended`, NS.retract, `${NS.retract}#tombstone`],
    // XEP-0424 2
    host: [NS.retract, `${NS.retract}#tombstone`],
  },
  options: defineOptions({
    keep: option.duration({
      default: 0,
      minimum: 0,
      doc: 'How long messages stay in archives; 0: as long as the account does. What is older is taken away in the background.',
      reload: 'live',
    }),
    page: option.integer({
      default: 250,
      minimum: 1,
      maximum: 5000,
      doc: 'Messages of one page of results; clients that ask for more get so many.',
      reload: 'live',
    }),
    default: option.choice(['always', 'roster', 'never'], {
      default: 'always',
      doc: 'What is kept for an account that has not said anything else (XEP-0441): what it exchanges with everybody, with its contacts, or nothing.',
      reload: 'live',
    }),
    preferences: option.integer({
      default: 500,
      minimum: 0,
      maximum: 10_000,
      doc: 'Addresses in each of the two lists of an account, of those to be archived always and never.',
      reload: 'live',
    }),
    once: option.boolean({
      default: true,
      doc: 'Whether a message is delivered once only when its client sends it again with the same origin id (XEP-0359), because its acknowledgement was lost.',
      reload: 'live',
    }),
    remembered: option.integer({
      default: 50_000,
      minimum: 1000,
      maximum: 10_000_000,
      doc: 'Messages of the node that are known by their origin ids.',
    }),
  }),
  stores: { messages: archiveStore, preferences: preferencesStore },
  async setup(mod) {
    const { node } = mod;
    const store = mod.stores.messages;
    const { preferences } = mod.stores;
    const ids = mod.use(StanzaIds);
    // ids go on behind those that are kept, whatever the clock says
    ids.after(timeOf(store.newestKey));

    const preferencesOf = (account: Jid) =>
      preferences.of(account) ?? { default: mod.options(account.domain).default, always: EMPTY, never: EMPTY };

    function wants(account: Jid, contact: Jid): boolean | Promise<boolean> {
      const set = preferences.of(account);
      const behaviour = set ? wanted(set, contact) : mod.options(account.domain).default;
      if (behaviour !== 'roster') return behaviour === 'always';
      if (account.bare === contact.bare) return true;
      const item = mod.maybe(Roster)?.item(account, contact);
      return item instanceof Promise ? item.then(found => found !== undefined) : item !== undefined;
    }

    const origins = new Origins(mod.options().remembered);
    // those that were kept before they went on may not have gone on when the program ended: when they come again they do, with their ids
    for (const { id, flags, stanza: wire } of (await store.recent(REMEMBERED)).reverse()) {
      const stanza = indexed(wire);
      const [from, to] = ['from', 'to'].map(name => parseJid(stanza.attr(name) ?? ''));
      const said = authorOf(wire);
      const key = said
        ? origins.keyOf(said.author.bare, said.room.bare, stanza)
        : from && to && origins.keyOf(from.bare, to.bare, stanza);
      if (key !== undefined) origins.add(key, (flags & AHEAD) === 0 ? true : id);
    }

    const passage = new Passage(
      node,
      mod.perSession<Promise<void> | undefined>(() => undefined),
      packet => keeping.committed(packet),
    );
    const keeping: Keeping = new Keeping({
      store,
      ids,
      wants,
      origins: host => (mod.options(host).once ? origins : undefined),
      now: () => Date.now(),
      passage,
      committed: (packet, id) => mod.maybe(Trace)?.committed(packet, id),
    });

    /** Whether an account of this server has an archive. */
    const hasArchive = ({ sender, from }: Packet): boolean =>
      sender !== undefined && !sender.anonymous && mod.enabled(from.domain);
    const isAnonymous = (account: Jid): boolean => node.user(account)?.sessions[0]?.anonymous ?? false;
    const arrives = ({ address, to }: Packet): boolean =>
      (address === BARE || address === FULL) && mod.enabled(to!.domain);

    const mayArrive = (packet: Packet): boolean => packet.address === NOWHERE || arrives(packet);

    // what is not kept waits until its sender's messages that are have gone on
    mod.on('received', 'gate', {}, packet => {
      const before = passage.before(packet);
      if (!before || (packet.kind === MESSAGE && isKeepable(packet) && mayArrive(packet))) return undefined;
      return before.then(() => undefined);
    });
    mod.on('arriving', 'gate', {}, packet => {
      if (packet.sender) return undefined;
      const before = passage.before(packet);
      if (!before || (packet.kind === MESSAGE && isKeepable(packet))) return undefined;
      return before.then(() => undefined);
    });
    // behind all who change a message, before the copies for its sender's other sessions
    mod.on(
      'received',
      'work',
      { kind: 'message', to: ['host', 'bare', 'full', 'foreign'] },
      packet => (arrives(packet) || packet.sender!.anonymous ? undefined : keeping.leaving(packet)),
      { after: ['stored'] },
    );
    mod.on(
      'arriving',
      'work',
      { kind: 'message', to: ['bare', 'full'] },
      packet => {
        const verdict = keeping.arriving(packet, hasArchive(packet), !isAnonymous(packet.to!));
        // it is not kept after all, or was before: it has its place behind those that are
        return verdict ?? passage.before(packet)?.then(() => undefined);
      },
      { after: ['offline'], before: ['stanza-id'] },
    );

    mod.when('refused', packet => keeping.refused(packet));

    const asked = mod.perSession<string>(() => '', plain());
    // what a session never took, and another one that is there has fetched
    mod.on('returning', 'gate', { kind: 'message', to: 'bare' }, packet => {
      const account = packet.to!.toBare();
      const id = stanzaIdBy(account, packet);
      const sessions = node.user(account)?.sessions ?? [];
      if (id === undefined || !sessions.some(other => other.takesSince !== Infinity && asked.get(other) > id))
        return undefined;
      return andThen(store.arrivals(account.bare, [id]), ([found]) => (found === undefined ? undefined : DONE));
    });
    /** The key before which an archive keeps nothing. */
    const floorOf = (host: string): number => {
      const { keep } = mod.options(host);
      return keep === 0 ? 0 : firstKeyAt(Date.now() - keep * 1000);
    };
    const answering = new Answering(store, paces(mod));
    const pageOf = (host: string): number => mod.options(host).page;
    const rooms = new Rooms({
      store,
      ids,
      answering,
      floorOf,
      pageOf,
      origins: host => (mod.node.hosts.has(host) && mod.options(host).once ? origins : undefined),
      refuse: (packet, error) => passage.refuse(packet, error),
    });
    const importListeners = new Set<Parameters<ArchiveService['onImported']>[0]>();
    mod.provide(Archive, {
      whenSent: (packet, done) => (hasArchive(packet) ? keeping.whenSent(packet, arrives(packet), done) : undefined),
      dropped: packet => {
        const kept = hasArchive(packet) && packet.from.bare !== packet.to!.bare && keeping.leaving(packet);
        return kept instanceof Promise ? kept.then(() => undefined) : undefined;
      },
      arrivals: (account, messages) => store.arrivals(account.bare, messages),
      askedUpTo: session => asked.get(session),
      ...lookingUp(store),
      recent: async most => (await store.recent(most)).reverse(),
      onImported: listener => {
        importListeners.add(listener);
        return () => void importListeners.delete(listener);
      },
      conversations: store.conversations,
      lookups: store.lookups,
      numberOf: async address => (await store.addresses.find(address.bare))?.id,
      shelf: async account => {
        await store.upToNow();
        const { id, goneBefore } = await store.addresses.of(account.bare);
        return { owner: id, lowest: Math.max(floorOf(account.domain), goneBefore) - 1 };
      },
      rooms,
    });

    // ---- what clients ask -----------------------------------------------------------------------------------------------------

    const shelf = (owner: Jid): Shelf => ({ owner: owner.toBare(), floor: floorOf(owner.domain) });

    mod.iq({ xmlns: NS.mam, name: 'query', type: 'get', to: 'account' }, () => queryForm());
    mod.iq({ xmlns: NS.mam, name: 'query', type: 'set', to: 'account' }, request => {
      if (!request.session) return refuse('not-allowed');
      const query = readQuery(request.payload);
      if (query instanceof StanzaError) return query;
      // one conversation that is opened later is no catching up
      if (request.session.takesSince === Infinity || (query.with === undefined && query.ids === undefined))
        asked.set(request.session, ids.next());
      return answering.query(query, shelf(request.to), request.session, pageOf(request.to.domain));
    });
    mod.iq({ xmlns: NS.mam, name: 'metadata', type: 'get', to: 'account' }, request => {
      if (request.session) asked.set(request.session, ids.next());
      return answering.metadata(shelf(request.to));
    });
    // XEP-0386 4: so the client knows what it missed before it asks
    mod.add('bindFeatures', {
      xmlns: NS.mam,
      asked: false,
      bound: session => answering.metadata(shelf(session.user.jid)),
    });
    mod.iq({ xmlns: NS.mam, name: 'prefs', type: 'get', to: 'account' }, request =>
      preferencesElement(preferencesOf(request.to)),
    );
    mod.iq({ xmlns: NS.mam, name: 'prefs', type: 'set', to: 'account' }, async request => {
      const asked = readPreferences(request.payload, mod.options(request.to.domain).preferences);
      if (asked instanceof StanzaError) return asked;
      await preferences.set(request.to.toBare(), asked);
      return preferencesElement(asked);
    });

    mod.add(
      'portable',
      portableArchive({
        store,
        ids,
        floor: account => floorOf(account.domain),
        now: () => Date.now(),
        imported: async message => {
          for (const listener of importListeners) await listener(message);
        },
      }),
    );

    // ---- what goes ------------------------------------------------------------------------------------------------------------

    const swept = mod.count(
      'swept',
      'Messages taken out of archives because of their age or because an account was removed.',
    );
    /** Whether accounts that are no more may have left something. */
    let left = true;
    let sweeping: Promise<void> | undefined;

    async function sweep(): Promise<void> {
      const floors = new Map([...node.hosts].filter(mod.enabled, mod).map(host => [host, floorOf(host)]));
      const highest = Math.max(0, ...floors.values());
      if (!left && highest === 0 && !store.reaps) return;
      const oldest = left ? Infinity : highest;
      left = false;
      const floor = (jid: string): number => {
        const domain = jid.slice(jid.indexOf('@') + 1);
        return floors.get(mod.maybe(RoomDomains)?.hostOf(domain) ?? domain) ?? 0;
      };
      const rest = (): Promise<void> => delay(REST, undefined, { signal: mod.signal });
      try {
        swept.inc(await store.sweep(floor, oldest, rest));
        await store.reap(rest);
      } catch (error) {
        left = true;
        if (!mod.signal.aborted) throw error;
      }
    }
    const sweepOnce = (): Promise<void> =>
      (sweeping ??= sweep().finally(() => {
        sweeping = undefined;
      }));

    mod.every(SWEEP, sweepOnce);
    mod.when('accountRemoved', async account => {
      await preferences.remove(account);
      await store.forget(account.bare);
      left = true;
      // it takes its time, and nobody waits for it: the archive is empty already
      sweepOnce().catch((error: unknown) => mod.log.error({ err: error }, 'an archive could not be taken away yet'));
    });
    mod.cleanup(async () => {
      await sweeping?.catch(() => undefined);
      await store.settled();
    });
  },
});
