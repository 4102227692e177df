/*
 * Message carbons (XEP-0280): each of an account's sessions that asks for it sees the conversations of the others.
 */
import { defineModule, DONE, Empty, FULL, Lru, Packet, plain, type SessionView } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS, refuse } from '../../src/protocol/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';
import { Archive } from '../archive/contract.ts';
import { StanzaIds, stanzaIdBy } from '../stanza-id/contract.ts';
import { Carbons } from './contract.ts';
import { isEligible } from './eligible.ts';
import { SentIds } from './sent-ids.ts';

/** Messages that a session's client has as copies, of which that is known. */
const COPIED = 256;

export default defineModule({
  name: 'carbons',
  doc: 'Copies messages that one session of an account sends or receives to its other sessions.',
  xeps: [{ number: 280, version: '1.0.1' }],
  // XEP-0280 4 asks the host, most clients ask their account
  features: { host: [NS.carbons], account: [NS.carbons] },
  after: ['archive', 'stanza-id'],
  setup(mod) {
    const enabled = mod.perSession<boolean>(() => false, plain());
    /** Copies that wait for their messages to be in an archive; of those that are dropped without a word the last are known. */
    const waiting = new Lru<string, () => void>(256);
    const copied = mod.perSession<Lru<string, true> | undefined>(() => undefined);
    const has = (session: SessionView, stanzaId: string): boolean => copied.get(session)?.get(stanzaId) ?? false;
    mod.provide(Carbons, { has });
    const sentIds = mod.perSession<SentIds | undefined>(() => undefined);

    // XEP-0280 5; asking twice is no error (10.1)
    for (const name of ['enable', 'disable'] as const) {
      mod.iq({ xmlns: NS.carbons, name, type: 'set', to: 'account' }, request => {
        if (!request.session) return refuse('not-allowed');
        enabled.set(request.session, name === 'enable');
        return Empty;
      });
    }

    // XEP-0386 4.2
    mod.add('bindFeatures', {
      xmlns: NS.carbons,
      asked: true,
      bound: (session, request) => {
        enabled.set(session, request?.name === 'enable');
        return undefined;
      },
    });

    // XEP-0280 8. A message to one's own account is no more than received: one copy is enough
    mod.on('received', 'tap', { kind: 'message', to: ['host', 'bare', 'full', 'foreign'] }, (packet, session) => {
      const { sessions } = session.user;
      if (sessions.length === 1) return;
      if (packet.to!.bare === session.user.jid.bare || !isEligible(packet, 'sent')) return;
      const { jid } = session.user;
      const others = sessions.filter(other => other !== session && enabled.get(other));
      if (others.length === 0) return;
      // as it is now: what is added on the way is for its recipient
      const sent = packet.readdressed(packet.to);
      if (packet.stanza.has('stanza-id', NS.stanzaIds)) mod.maybe(StanzaIds)?.clean(sent, jid);
      const tell = (id?: string): void => {
        note(session, packet);
        if (id !== undefined)
          sent.append(`<stanza-id xmlns='${NS.stanzaIds}' id='${id}'${wireAttribute('by', jid.bare)}/>`);
        copy('sent', sent, jid, others, other => !other.alive);
      };
      // what an archive keeps is shown when it is safe, with its id there (XEP-0313 3.4); or with the error that it meets before
      const waits = untold(session, packet.id, packet.to!);
      const kept = mod.maybe(Archive)?.whenSent(packet, id => {
        if (waiting.get(waits) === tell) waiting.delete(waits);
        tell(id);
      });
      if (kept === undefined) tell();
      else if (kept === 'later') waiting.set(waits, tell);
    });

    function untold(session: SessionView, id: string | undefined, to: Jid): string {
      return `${session.id} ${to.bare} ${id}`;
    }

    function note(session: SessionView, { id, to }: Packet): void {
      if (id === undefined) return;
      let ids = sentIds.get(session);
      if (!ids) sentIds.set(session, (ids = new SentIds()));
      ids.add(id, to!.bare);
    }

    // XEP-0280 7
    mod.when('taken', (packet, takers) => {
      const user = takers[0]?.user;
      if (!user || user.sessions.length === takers.length) return;
      if (packet.type === 'error' ? !answersEligible(packet, takers) : !isEligible(packet, 'received')) return;
      const { sender } = packet;
      // a chat state waits for a client that nobody looks at (XEP-0352): whether it has that is not asked
      const id = packet.hasBody ? packet.stanzaId : undefined;
      copy('received', packet, user.jid, user.sessions, other => other === sender || takers.includes(other), id);
    });

    // what a session never took, and a client that is there has as a copy, is at its account
    mod.on('returning', 'gate', { kind: 'message', to: 'bare' }, packet => {
      const id = stanzaIdBy(packet.to!.toBare(), packet);
      const sessions = mod.node.user(packet.to!)?.sessions ?? [];
      const isThere = (other: SessionView): boolean => other.takesSince !== Infinity && has(other, id!);
      return id !== undefined && sessions.some(isThere) ? DONE : undefined;
    });

    // XEP-0280 7: who is there but takes no messages gets a copy of what waits; what came back from a session was copied before
    mod.on(
      'absent',
      'work',
      { kind: 'message' },
      packet => {
        const user = mod.node.user(packet.to!);
        if (!user || cameBack(packet) || !isEligible(packet, 'received')) return;
        copy('received', packet, user.jid, user.sessions, other => other === packet.sender, packet.stanzaId);
      },
      { before: ['offline'] },
    );

    /** A client's message comes with its session the first time, and without it when it comes back. */
    function cameBack({ sender, from }: Packet): boolean {
      return sender === undefined && from.local !== '' && mod.node.hosts.has(from.domain);
    }

    function answersEligible(packet: Packet, takers: readonly SessionView[]): boolean {
      const { id } = packet;
      for (const session of takers) {
        const key = untold(session, id, packet.from);
        const tell = waiting.get(key);
        waiting.delete(key);
        tell?.();
      }
      return id !== undefined && takers.some(session => sentIds.get(session)?.has(id, packet.from.bare));
    }

    function copy(
      direction: 'sent' | 'received',
      packet: Packet,
      account: Jid,
      sessions: readonly SessionView[],
      leftOut: (session: SessionView) => boolean,
      noted?: string,
    ): void {
      let made: Packet | undefined;
      for (const session of sessions) {
        if (!enabled.get(session) || leftOut(session)) continue;
        made ??= wrap(direction, packet, account);
        const own = made.readdressed(session.jid);
        own.address = FULL;
        void mod.node.deliver(
          own,
          session,
          noted === undefined ? undefined : taken => taken && noteCopy(session, noted),
        );
      }
    }

    /** A client that has it is given no second one: when it becomes available, or when the session ends that never took it. */
    function noteCopy(session: SessionView, stanzaId: string): void {
      const known = copied.get(session) ?? new Lru<string, true>(COPIED);
      known.set(stanzaId, true);
      copied.set(session, known);
    }
  },
});

/** The copy, without an address: XEP-0280 7, 8, and XEP-0297. */
function wrap(direction: 'sent' | 'received', packet: Packet, account: Jid): Packet {
  const type = packet.type === 'normal' ? '' : ` type='${packet.type}'`;
  const forwarded = `<forwarded xmlns='${NS.forward}'>${packet.wireInside()}</forwarded>`;
  const wire = `<message${type}><${direction} xmlns='${NS.carbons}'>${forwarded}</${direction}></message>`;
  return Packet.fromWire(wire, account, undefined);
}
