import { DONE, FULL, type Packet, type SessionView, type UserView, type Verdict } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { refuse } from '../../src/protocol/index.ts';

/** What the rules need of the node. */
export interface RulesParts {
  /** The sessions of an account; its address may have a resource. */
  user(account: Jid): UserView | undefined;
  deliver(packet: Packet, session: SessionView): void | Promise<void>;
  taken(packet: Packet, sessions: readonly SessionView[]): void;
  /** Whether a message was on its way to a session before, which ended without having taken it. */
  returned(packet: Packet): boolean;
  /** Whether chat and normal messages go to the sessions of the highest priority only. */
  mostAvailable(host: string): boolean;
}

/**
 * The handler of the `account` chain for messages: RFC 6121 8.5.4. `packet.address` is FULL when a resource was named that is
 * not there. Undefined when nobody took the message and it may wait for its recipient.
 */
export function accountRules(parts: RulesParts): (packet: Packet) => Verdict | Promise<Verdict> {
  return packet => {
    const { type } = packet;
    // RFC 6121 8.5.2.1.1, 8.5.2.2.1, 8.5.3.2.1: silently ignored, everywhere
    if (type === 'error') return DONE;
    // RFC 6121 8.5.2.1.1, 8.5.3.2.1; a room learns by the error that its occupant has left
    if (type === 'groupchat') return refuse('service-unavailable');
    if (packet.address === FULL && type !== 'chat') {
      // RFC 6121 8.5.3.2.1: a resource that is not there gets neither headlines nor normal messages in another's place; of
      // "silently ignore" and "return an error" the second, since a person may have written it. What was accepted for a
      // resource that has gone since then (XEP-0198 8) waits for its recipient instead
      if (type === 'headline') return DONE;
      return parts.returned(packet) ? undefined : refuse('service-unavailable');
    }
    const user = parts.user(packet.to!);
    const sessions = user && eligible(user.sessions);
    if (!sessions) return type === 'headline' ? DONE : undefined; // RFC 6121 8.5.2.2.1
    // RFC 6121 8.5.2.1.1: a headline is for all of them in any case
    if (sessions.length > 1 && type !== 'headline' && parts.mostAvailable(packet.to!.domain)) {
      return give(parts, packet, highest(sessions));
    }
    return give(parts, packet, sessions);
  };
}

function isEligible(session: SessionView): boolean {
  return session.presence !== undefined && session.priority >= 0;
}

/** The available sessions but those of negative priority (RFC 6121 8.5.2.1.1); undefined when there is none. */
function eligible(sessions: readonly SessionView[]): readonly SessionView[] | undefined {
  for (const session of sessions) {
    if (isEligible(session)) continue;
    const rest = sessions.filter(isEligible);
    return rest.length > 0 ? rest : undefined;
  }
  return sessions.length > 0 ? sessions : undefined;
}

function highest(sessions: readonly SessionView[]): readonly SessionView[] {
  let top = 0;
  for (const { priority } of sessions) if (priority > top) top = priority;
  return sessions.filter(session => session.priority === top);
}

function give(parts: RulesParts, packet: Packet, sessions: readonly SessionView[]): Verdict | Promise<Verdict> {
  let waiting: Promise<void>[] | undefined;
  for (const session of sessions) {
    const step = parts.deliver(packet, session);
    if (step) (waiting ??= []).push(step);
  }
  if (waiting) {
    return Promise.all(waiting).then(() => {
      parts.taken(packet, sessions);
      return DONE;
    });
  }
  parts.taken(packet, sessions);
  return DONE;
}
