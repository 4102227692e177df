import {
  DONE,
  HOST,
  IQ,
  type MaybePromise,
  MESSAGE,
  type Packet,
  type SessionView,
  type Verdict,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { refuse, StanzaError } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';
import { Blocklist } from './blocklist.ts';

const BLOCKING_ERRORS = 'urn:xmpp:blocking:errors';

type ListOf = (account: Jid) => MaybePromise<Blocklist>;
/** Answers at once where the list is known: lists are looked at for each stanza. */
type Answer = MaybePromise<Verdict>;

/** XEP-0191 3.5: the sender learns that it is itself who blocks. */
const BLOCKED = new StanzaError('not-acceptable', {
  type: 'cancel',
  text: 'You have blocked this address.',
  application: xml('blocked', { xmlns: BLOCKING_ERRORS }),
});

/** What a client sends to an address that its account has blocked goes back. */
export function outgoingGate(listOf: ListOf): (packet: Packet, session: SessionView) => Answer {
  return (packet, session) => {
    const list = listOf(session.user.jid);
    return list instanceof Promise
      ? list.then(found => verdict(found, packet, session))
      : verdict(list, packet, session);
  };
  function verdict(list: Blocklist, packet: Packet, session: SessionView): Verdict {
    if (list === Blocklist.NONE || !list.matches(packet.to!)) return undefined;
    // nobody shuts himself out of his own account or server
    if (packet.to!.bare === session.user.jid.bare) return undefined;
    if (packet.address === HOST && packet.to!.domain === session.jid.domain) return undefined;
    return BLOCKED;
  }
}

/** What comes from an address that the recipient has blocked is kept out. */
export function incomingGate(
  listOf: ListOf,
  answers: (host: string) => boolean,
  dropped: (packet: Packet) => Promise<void> | undefined,
): (packet: Packet) => Answer {
  return packet => {
    const list = listOf(packet.to!);
    return list instanceof Promise ? list.then(found => verdict(found, packet)) : verdict(list, packet);
  };
  function verdict(list: Blocklist, packet: Packet): Answer {
    if (list === Blocklist.NONE) return undefined;
    const { from, type } = packet;
    const to = packet.to!;
    if (!list.matches(from) || from.bare === to.bare || from.full === to.domain) return undefined;
    if (packet.kind === IQ) {
      // XEP-0191 3.5: get and set must be answered, the others must not
      return type === 'get' || type === 'set' ? refuse('service-unavailable') : DONE;
    }
    // presence is never answered; nor rooms, which would take an error for a departure
    if (packet.kind === MESSAGE && (type === 'chat' || type === 'normal') && answers(to.domain))
      return refuse('service-unavailable');
    const kept = packet.kind === MESSAGE ? dropped(packet) : undefined;
    return kept ? kept.then(() => DONE) : DONE;
  }
}

/**
 * XEP-0191 3.3, for accounts of this node: what the server sends of an account's presence does not reach those whom it has
 * blocked, neither that somebody comes nor that he goes; but those who are blocked see the account go (`hiding`).
 */
export function presenceGate(
  listOf: ListOf,
  isLocal: (domain: string) => boolean,
  hiding: (account: Jid) => boolean,
): (packet: Packet) => Answer {
  return packet => {
    const { from, type } = packet;
    // that subscriptions end is told; a client's own words were stopped before (outgoingGate)
    if (type === 'unsubscribe' || type === 'unsubscribed') return undefined;
    if (from.local === '' || !isLocal(from.domain)) return undefined;
    if (from.bare === packet.to!.bare || (type === 'unavailable' && hiding(from))) return undefined;
    const list = listOf(from);
    return list instanceof Promise ? list.then(found => verdict(found, packet)) : verdict(list, packet);
  };
  function verdict(list: Blocklist, packet: Packet): Verdict {
    return list.matches(packet.to!) ? DONE : undefined;
  }
}
