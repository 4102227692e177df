/*
 * Offline messages (XEP-0160): what nobody is there to take waits in the database and is handed over at the next login, in
 * order, each with the time it came (XEP-0203).
 */
import {
  BARE,
  currentUnit,
  DONE,
  type MaybePromise,
  defineModule,
  defineOptions,
  option,
  type Packet,
  plain,
  type SessionView,
  StorageError,
  andThen,
  type Verdict,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { Blocking } from '../blocking/contract.ts';
import { StanzaIds, stanzaIdBy } from '../stanza-id/contract.ts';
import { Trace } from '../trace/contract.ts';
import { Offline, type StoredMessage } from './contract.ts';
import { Archive } from '../archive/contract.ts';
import { Carbons } from '../carbons/contract.ts';
import type { Mailbox } from './mailbox.ts';
import { Mailboxes } from './mailboxes.ts';
import { isEligible, restored } from './parts.ts';
import { portableMessages } from './portable.ts';
import { cameAt, fateOf, removeForgedStamps, stamped } from './storable.ts';
import { type Arrival, offlineStore } from './store.ts';
import { complete } from './view.ts';

/** Uncommitted messages above which senders are read more slowly. */
const BACKLOG = 200;
/** Bytes that wait in a session's outbox above which what comes for it waits in storage instead: its client does not keep up. */
const OVERFLOW = 1024 * 1024;
/** Accounts whose totals are kept in memory. */
const CACHED = 4096;

export default defineModule({
  name: 'offline',
  doc: 'Keeps messages for accounts that are not there, and hands them over at the next login.',
  xeps: [
    { number: 160, version: '1.0.1' },
    { number: 203, version: '2.0' },
    {
      number: 334,
      version: '1.0.0',
      status: 'partial',
      note: 'store and no-store; no-permanent-store does not keep a message from waiting here.',
    },
  ],
  rfcs: ['RFC 6121 8.5.2.2.1'],
  needs: ['stanza-id'],
  features: { host: ['msgoffline'] },
  options: defineOptions({
    limit: option.integer({
      default: 100_000,
      minimum: 0,
      maximum: 10_000_000,
      doc: 'Messages that may wait for one account; more are refused.',
      reload: 'live',
    }),
    size: option.size({
      default: 256 * 1024 * 1024,
      minimum: 0,
      doc: 'Size of all that may wait for one account; more is refused.',
      reload: 'live',
    }),
  }),
  stores: { messages: offlineStore },
  setup(mod) {
    const { node } = mod;
    const store = mod.stores.messages;
    const ids = mod.use(StanzaIds);
    const stored = mod.count('stored', 'Messages stored for absent accounts.');
    const refused = mod.count('refused', 'Messages refused because too many wait for their recipient.');
    const listeners = new Set<(message: StoredMessage) => void>();
    /** Sessions that have been given what waited since they became available. */
    const served = mod.perSession<boolean>(() => false, plain());
    /** Sessions that became available while it is being looked up what waits for them. */
    const opening = new Map<SessionView, Promise<void>>();
    const page = (account: Jid, ...rest: [after: string, limit: number, bytes: number]) =>
      andThen(store.page(account, ...rest), rows => complete(account, rows, mod.maybe(Archive)));
    const boxes = new Mailboxes(
      {
        store,
        page,
        sessions: account => node.user(account)?.sessions ?? [],
        passing: account => node.passing(account),
        deliver: (packet, session, taken) => node.deliver(packet, session, taken),
        has: (session, { stanzaId, archived }) =>
          (mod.maybe(Carbons)?.has(session, stanzaId) ?? false) || (archived && askedUpTo(session) >= stanzaId),
        unwanted: (account, from) => mod.maybe(Blocking)?.blocks(account, from) ?? false,
        failed: (error, account) =>
          mod.log.error({ err: error, account: account.bare }, 'offline messages could not be handed over'),
      },
      CACHED,
    );

    mod.on('arriving', 'work', { kind: 'message', to: ['bare', 'full'] }, packet => {
      if (packet.stanza.has('delay', NS.delay)) removeForgedStamps(packet);
    });

    mod.on('absent', 'work', { kind: 'message' }, packet => {
      const fate = fateOf(packet);
      if (fate !== 'store') return fate === 'drop' ? DONE : undefined;
      const account = packet.to!.toBare();
      return andThen(whole(packet, account), arrival =>
        andThen(boxes.of(account), box => {
          if (!hasRoom(box, arrival)) {
            refused.inc();
            return refuse('service-unavailable', 'Too many messages wait for this account.'); // XEP-0160 2
          }
          const kept = keep(packet, box, arrival);
          // what comes back one by one, since it is asked for, has its place before whoever comes is given what waits
          return ids.of(packet) === undefined && !currentUnit() ? kept.then(() => DONE) : held(packet, kept);
        }),
      );
    });

    function arrived(packet: Packet, account: Jid, at = cameAt(packet)): Arrival {
      // what comes back from a session that has ended keeps its place
      const stanzaId = ids.of(packet) ?? stanzaIdBy(account, packet) ?? ids.next();
      return { stanzaId, at, wire: stamped(packet, at), archived: packet.archived };
    }

    /** The same; of what comes back it is asked whether the archive has it. */
    function whole(packet: Packet, account: Jid, at?: number): MaybePromise<Arrival> {
      const arrival = arrived(packet, account, at);
      const archive = mod.maybe(Archive);
      if (!archive || ids.of(packet) !== undefined || stanzaIdBy(account, packet) === undefined) return arrival;
      return andThen(archive.arrivals(account, [arrival.stanzaId]), ([found]) => ({
        ...arrival,
        archived: found !== undefined,
      }));
    }

    function hasRoom(box: Mailbox, { wire }: Arrival): boolean {
      const { limit, size } = mod.options(box.account.domain);
      return box.messages < limit && box.bytes + wire.length <= size;
    }

    async function keep(packet: Packet, box: Mailbox, arrival: Arrival): Promise<void> {
      const { account } = box;
      const { at } = arrival;
      try {
        await box.add(arrival);
      } catch (error) {
        node.bounce(packet, refusal(error));
        return;
      }
      stored.inc();
      mod.maybe(Trace)?.stored(packet, account, arrival.stanzaId);
      for (const listener of listeners) listener({ packet, account, at });
    }

    const askedUpTo = (session: SessionView): string => mod.maybe(Archive)?.askedUpTo(session) ?? '';

    function serve(session: SessionView, box: Mailbox | undefined): void | Promise<void> {
      if (!isEligible(session)) return undefined;
      served.set(session, true);
      // XEP-0313 (business rules): who fetches from the archive what came is not given it here as well
      const asked = askedUpTo(session);
      if (!box || box.messages === 0 || asked === '') return box?.serve(session);
      return box.clear(asked).then(() => (isEligible(session) ? box.serve(session) : undefined));
    }

    // before the broadcast, which takes its time: what comes from now on has its place behind what waits
    mod.on(
      'presence',
      'work',
      { kind: 'presence' },
      (_, session) => {
        const { jid } = session.user;
        if (!isEligible(session)) {
          if (!served.get(session)) return;
          served.set(session, false);
          boxes.busy(jid)?.left(session);
        } else if (!served.get(session)) {
          const serving = andThen(boxes.filled(jid), box => serve(session, box));
          if (!(serving instanceof Promise)) return;
          opening.set(
            session,
            serving.catch(() => {}).finally(() => opening.delete(session)),
          );
          return serving;
        }
      },
      { before: ['presence'] },
    );
    // what the outbox of a session has that came back needs no second place; behind that it is given the rest
    mod.when('restored', async session => {
      const { jid } = session.user;
      session.eachNoted(wire => {
        const packet = restored(wire, jid);
        const id = packet && stanzaIdBy(jid, packet);
        if (id !== undefined) store.forget(jid, id);
      });
      await store.settled();
      if (served.get(session)) await serve(session, await boxes.filled(jid));
    });
    mod.when('ended', session => boxes.busy(session.user.jid)?.left(session));

    // What comes while a long queue is being handed over takes its place at the end of it; so does what comes for a client that
    // reads more slowly than others write
    mod.on('deliver', 'gate', { kind: 'message' }, (packet, session) => {
      if (boxes.quiet && opening.size === 0 && session.backlog <= OVERFLOW) return;
      const first = opening.get(session);
      return first ? first.then(() => behind(packet, session)) : behind(packet, session);
    });

    function behind(packet: Packet, session: SessionView): MaybePromise<Verdict> {
      const box = boxes.busy(session.user.jid);
      if (box?.hands(packet)) return undefined;
      const serves = box?.serves(session);
      if (!serves && session.backlog <= OVERFLOW) return undefined;
      // copies and chat states are of the moment
      if (fateOf(packet) !== 'store' || packet.stanza.hasNamespace(NS.carbons)) return undefined;
      if (serves) return queue(packet, session, box!);
      if (!isEligible(session)) return undefined;
      return andThen(boxes.of(session.user.jid), own => (own.begin(session) ? queue(packet, session, own) : undefined));
    }

    function queue(packet: Packet, session: SessionView, box: Mailbox): MaybePromise<Verdict> {
      const arrival = arrived(packet, box.account);
      if (!hasRoom(box, arrival)) return undefined;
      const others =
        packet.address === BARE ? session.user.sessions.filter(other => other !== session && isEligible(other)) : [];
      // what is part of a unit is given back with it
      const unit = currentUnit();
      const kept = box.add(arrival, others).then(
        () => mod.maybe(Trace)?.stored(packet, box.account, arrival.stanzaId),
        (error: unknown) => {
          if (unit) return;
          if (session.alive) session.send(packet);
          else node.bounce(packet, refusal(error));
        },
      );
      return held(packet, kept);
    }

    /** Nobody waits here, only the sender's acknowledgement does: unless the disk cannot keep up. */
    function held(packet: Packet, kept: Promise<void>): MaybePromise<Verdict> {
      const unit = currentUnit();
      if (unit) {
        // its row is one of the unit's, for which the acknowledgement waits anyway
        if (store.pending > BACKLOG) unit.slow = true;
        // and its error comes before that
        unit.whenSettled({
          unitSettled: (_, error) => {
            if (error !== undefined) node.bounce(packet, refusal(error));
          },
        });
        return DONE;
      }
      packet.hold(kept);
      return store.pending > BACKLOG ? kept.then(() => DONE) : DONE;
    }

    // A sender's acknowledgement does not wait for a client that is away or says nothing: what that one has not acknowledged is
    // stored as well, until it does
    mod.when('stalled', session =>
      andThen(boxes.of(session.user.jid), box => {
        session.entrust((wire, since) => {
          const others = session.user.sessions.filter(other => other !== session && other.takesSince < since);
          const packet = restored(wire, box.account);
          if (!packet || fateOf(packet) !== 'store') return 'not for later';
          // where that takes a question to a database behind a network it is kept a second time
          const asked = whole(packet, box.account, since);
          const arrival = asked instanceof Promise ? arrived(packet, box.account, since) : asked;
          if (!hasRoom(box, arrival)) return undefined;
          const kept = box.adopt(arrival, packet.address === BARE ? others : []);
          const trace = mod.maybe(Trace);
          if (trace) kept.committed.then(() => trace.stored(packet, box.account, arrival.stanzaId)).catch(() => {});
          return kept;
        });
      }),
    );

    mod.provide(Offline, {
      onStored(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      find: (account, stanzaId) => store.find(account, stanzaId),
      waiting: account => store.totals(account),
    });
    mod.add(
      'portable',
      portableMessages({ store, page }, boxes, async (account, arrival) => hasRoom(await boxes.of(account), arrival)),
    );
    mod.when('accountRemoved', async jid => {
      await store.removeAll(jid);
      boxes.forget(jid);
    });
    mod.cleanup(() => store.settled());
  },
});

/** The storage has said in the log what it is. */
function refusal(error: unknown): StanzaError {
  const text = 'The server cannot store it now. Try again later.';
  if (error instanceof StorageError && error.kind === 'full')
    return new StanzaError('resource-constraint', { type: 'wait', text });
  return new StanzaError('internal-server-error', { type: 'wait', text });
}
