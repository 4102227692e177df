import type { Collections } from '../api/collections.ts';
import {
  BARE,
  DONE,
  FOREIGN,
  FULL,
  HOST,
  IQ,
  type IqTable,
  KINDS,
  type Kind,
  MESSAGE,
  NOWHERE,
  Packet,
  type Points,
  PRESENCE,
  type SessionView,
  stanzaType,
  type Verdict,
} from '../bus/index.ts';
import { type Jid, parseJid } from '../jid/index.ts';
import { NS, refuse, type StanzaError } from '../protocol/index.ts';
import type { Leftover } from '../session/outbox.ts';
import type { Session } from '../session/session.ts';
import type { Users } from '../session/users.ts';
import { currentUnit } from '../util/unit.ts';
import { indexed, type Stanza } from '../xml/index.ts';
import { IqAnswers } from './iq-answers.ts';
import { Questions } from './questions.ts';

export interface RouterParts {
  readonly points: Points;
  readonly iqs: IqTable;
  readonly collections: Collections;
  readonly users: Users;
  readonly hosts: { has(domain: string): boolean };
  /** Whether an account is there; a promise when that has to be looked up. */
  accountExists(bare: Jid): boolean | Promise<boolean>;
  /** Runs work whose rows are committed together, as far as it does not wait; the packet's acknowledgement waits for that. */
  together<T>(packet: Packet, work: () => T): T;
  /** What a failure of the server's own is answered with, and logged. */
  failure(error: unknown, packet: Packet): StanzaError;
}

type Step = void | Promise<void>;

/**
 * Where stanzas go: RFC 6120 8.1 and 10, RFC 6121 8. Nothing here waits unless a handler does, and then only the stanza's own
 * sender waits with it.
 */
export class Router {
  private readonly parts: RouterParts;
  private readonly answers: IqAnswers;
  /** Requests of the server's own. */
  readonly questions = new Questions(packet => this.route(packet));
  /** Accounts, by their bare JIDs, for which leftovers are on their way: what comes for them takes its place behind. */
  readonly passing = new Map<string, Promise<void>>();
  private readonly incoming = [0, 0, 0];
  private readonly outgoing = [0, 0, 0];

  constructor(parts: RouterParts) {
    this.parts = parts;
    this.answers = new IqAnswers(
      parts.iqs,
      (packet, error) => this.bounce(packet, error),
      parts.failure,
      wire => this.routeWire(wire),
      this.questions,
    );
  }

  /** Stanzas so far, by kind and direction. */
  counts(): { labels: Record<string, string>; value: number }[] {
    return KINDS.flatMap((kind, index) => [
      { labels: { kind, direction: 'in' }, value: this.incoming[index]! },
      { labels: { kind, direction: 'out' }, value: this.outgoing[index]! },
    ]);
  }

  private classify(to: Jid | undefined): Packet['address'] {
    if (!to) return NOWHERE;
    if (!this.parts.hosts.has(to.domain)) return FOREIGN;
    if (to.local === '') return HOST;
    return to.resource === '' ? BARE : FULL;
  }

  /** A stanza of a client of this node. */
  received(packet: Packet, session: Session): Step {
    this.incoming[packet.kind]!++;
    packet.address = this.classify(packet.to);
    const verdict = this.parts.points.received.run(packet, session);
    if (verdict instanceof Promise)
      return this.guarded(verdict, packet, passed => this.accepted(passed, packet, session));
    return this.accepted(verdict, packet, session);
  }

  private accepted(verdict: Verdict, packet: Packet, session: Session): Step {
    if (verdict !== undefined) {
      if (verdict !== DONE) this.bounce(packet, verdict);
      return undefined;
    }
    this.parts.points.sent.tell(packet, session);
    if (packet.address === NOWHERE) return this.toSelf(packet, session);
    return this.together(packet, () => this.place(packet));
  }

  /** No 'to': RFC 6120 10.3. */
  private toSelf(packet: Packet, session: Session): Step {
    if (packet.kind === IQ) return this.answers.answer(packet, 'account', session.user.jid);
    if (packet.kind === MESSAGE) {
      const copy = packet.readdressed(session.user.jid);
      copy.address = BARE;
      const step = this.place(copy);
      const { held } = copy;
      if (held) packet.hold(held);
      return step;
    }
    if (packet.type !== '' && packet.type !== 'unavailable') {
      this.bounce(packet, refuse('bad-request', `Presence of type '${packet.type}' needs a 'to'.`));
      return undefined;
    }
    if (!session.setPresence(packet)) {
      this.bounce(packet, refuse('bad-request', 'A priority is a number from -128 to 127 (RFC 6121 4.7.2.3).'));
      return undefined;
    }
    return this.run(this.parts.points.presence.run(packet, session), packet, undefined);
  }

  /** A stanza from anywhere: modules, components, other nodes. */
  route(packet: Packet): Step {
    packet.address = this.classify(packet.to);
    if (packet.address === NOWHERE) return undefined;
    return this.together(packet, () => this.place(packet));
  }

  /** What a message causes at once is one unit, also behind something that it had to wait for. */
  together<T>(packet: Packet, work: () => T): T {
    return packet.kind !== MESSAGE || currentUnit() ? work() : this.parts.together(packet, work);
  }

  private routeWire(wire: string): void {
    const stanza = indexed(wire);
    const from = parseJid(stanza.attr('from') ?? '');
    const to = parseJid(stanza.attr('to') ?? '');
    if (from && to) void this.route(Packet.fromWire(wire, from, to));
  }

  private place(packet: Packet): Step {
    switch (packet.address) {
      case BARE:
      case FULL:
        return this.arrive(packet);
      case HOST:
        if (packet.kind === IQ) return this.answers.answer(packet, 'host', packet.to!);
        return this.run(this.parts.points.host.run(packet, undefined), packet, () => {
          if (packet.kind === MESSAGE) this.bounce(packet, refuse('service-unavailable'));
        });
      default:
        return this.leave(packet);
    }
  }

  /** To a domain that is not served here: a module's, or (later) another server's. */
  private leave(packet: Packet): Step {
    const { domain } = packet.to!;
    for (const item of this.parts.collections.domains.items()) {
      if (!item.serves(domain)) continue;
      const step = item.receive(packet);
      return step instanceof Promise ? this.guarded(step, packet, () => undefined) : undefined;
    }
    this.bounce(
      packet,
      refuse('remote-server-not-found', `'${domain}' is not served here, and this server talks to no other.`),
    );
    return undefined;
  }

  /** To an account of this node, RFC 6121 8.5. */
  private arrive(packet: Packet): Step {
    const to = packet.to!;
    if (!(packet.address === FULL && this.bound(packet)) && !this.parts.users.get(to.bare)) {
      let exists: boolean | Promise<boolean>;
      try {
        exists = this.parts.accountExists(to.toBare());
      } catch (error) {
        return this.bounce(packet, this.parts.failure(error, packet));
      }
      if (exists instanceof Promise)
        return this.guarded(exists, packet, yes => (yes ? this.arriveAt(packet) : this.unknownAccount(packet)));
      if (!exists) return this.unknownAccount(packet);
    }
    return this.arriveAt(packet);
  }

  /** The session that is named, if it is there. Who writes to the same one again is not looked up again. */
  private bound({ to, sender }: Packet): Session | undefined {
    const last = (sender as Session | undefined)?.target;
    if (last !== undefined && last.alive && last.jid.full === to!.full) return last;
    const found = this.parts.users.session(to!.full);
    if (!found?.alive) return undefined;
    if (sender) (sender as Session).target = found;
    return found;
  }

  /** RFC 6121 8.5.1. */
  private unknownAccount(packet: Packet): void {
    if (packet.kind === IQ) this.answers.answerAbsent(packet);
    // 8.5.4: a headline is ignored as by an account that is away
    else if (packet.kind === MESSAGE && packet.type !== 'headline') this.bounce(packet, refuse('service-unavailable'));
  }

  private arriveAt(packet: Packet): Step {
    return this.together(packet, () =>
      this.run(this.parts.points.arriving.run(packet, undefined), packet, () =>
        this.together(packet, () => this.choose(packet)),
      ),
    );
  }

  /** Goes on with what a handler of `arriving` has kept back. */
  proceed(packet: Packet): Step {
    try {
      const step = this.together(packet, () => this.choose(packet));
      return step && this.guarded(step, packet, () => undefined);
    } catch (error) {
      return this.bounce(packet, this.parts.failure(error, packet));
    }
  }

  /** The session that is named, or the account's rules. */
  private choose(packet: Packet): Step {
    const to = packet.to!;
    if (packet.address === FULL) {
      const session = this.bound(packet);
      if (session) {
        const step = this.deliver(packet, session);
        if (packet.kind === MESSAGE) {
          // the fact is told in the order of delivery
          if (step) return step.then(() => this.parts.points.taken.tell(packet, [session]));
          if (session.user.sessions.length > 1 || this.parts.points.taken.listeners.length > 1) {
            this.parts.points.taken.tell(packet, [session]);
          }
        }
        return step;
      }
    }
    if (packet.kind === IQ) {
      if (packet.address === BARE) return this.answers.answer(packet, 'account', to);
      if (packet.type === 'get' || packet.type === 'set') this.bounce(packet, refuse('service-unavailable'));
      return undefined;
    }
    return this.byRules(packet);
  }

  private byRules(packet: Packet): Step {
    const passing = this.passing.size > 0 ? this.passing.get(packet.to!.bare) : undefined;
    // RFC 6120 10.1: older ones of the same sender may be among them
    return passing ? passing.then(() => this.rules(packet)) : this.rules(packet);
  }

  private rules(packet: Packet): Step {
    return this.run(this.parts.points.account.run(packet, undefined), packet, () => {
      if (packet.kind !== MESSAGE) return undefined;
      return this.run(this.parts.points.absent.run(packet, undefined), packet, () => {
        // RFC 6121 8.5.2.2: errors and headlines go silently
        if (packet.type !== 'headline') this.bounce(packet, refuse('service-unavailable'));
      });
    });
  }

  /** Into the outbox of a session. */
  deliver(packet: Packet, session: SessionView, taken?: (taken: boolean) => void): Step {
    this.outgoing[packet.kind]!++;
    const verdict = this.parts.points.deliver.run(packet, session);
    if (verdict === undefined) {
      session.send(packet, taken);
      return undefined;
    }
    const finish = (passed: Verdict): void => {
      if (passed === undefined) session.send(packet, taken);
      else {
        taken?.(true);
        if (passed !== DONE) this.bounce(packet, passed);
      }
    };
    if (verdict instanceof Promise) return this.guarded(verdict, packet, finish);
    finish(verdict);
    return undefined;
  }

  /** Sends an error back, unless the stanza is one or answers something (RFC 6120 8.3.1). */
  bounce(packet: Packet, error: StanzaError): void {
    // of all that fails with a stanza its sender hears once
    if (packet.type === 'error' || packet.type === 'result' || packet.bounced) return;
    packet.bounced = true;
    this.parts.points.refused.tell(packet, error);
    const { sender } = packet;
    if (sender) {
      const wire = packet.errorWire(error);
      sender.sendWire(wire);
      // XEP-0280 6.1: the other sessions of its account may have a copy of what failed
      if (packet.kind === MESSAGE && packet.to && sender.user.sessions.length > 1)
        this.parts.points.taken.tell(Packet.fromWire(wire, packet.to, sender.jid), [sender]);
    } else if (packet.to) this.routeWire(packet.errorWire(error));
  }

  /** A stanza that a client of this node was to have and never took (XEP-0198 8, RFC 6121 8.5.3.2). */
  leftover(item: Leftover, session: Session): Step {
    if (item.taken) {
      // whoever gave it keeps it
      item.taken(false);
      return undefined;
    }
    const { safety } = item;
    if (item.disposable) return undefined;
    const stanza = indexed(item.wire);
    const kind = KINDS.indexOf(stanza.name as 'message') as Kind;
    const from = parseJid(stanza.attr('from') ?? '');
    if (!from || kind === PRESENCE) return undefined;
    const to = parseJid(stanza.attr('to') ?? '') ?? session.jid;
    const packet = new Packet(kind, stanza, stanzaType(kind, stanza.type), from, to);
    // its resource is no more: what follows is for the account
    packet.address = BARE;
    if (kind === IQ) {
      if (packet.type === 'get' || packet.type === 'set') this.bounce(packet, refuse('recipient-unavailable'));
      return undefined;
    }
    // a copy: the account's other sessions have their own
    if (stanza.hasNamespace(NS.carbons)) return undefined;
    // what came for the account the others have that were there then
    if (to.full !== session.jid.full && session.user.sessions.some(other => other.takesSince < item.since)) {
      safety?.reach();
      return undefined;
    }
    const verdict = this.parts.points.returning.run(packet, item.since);
    const pass = (passed: Verdict): Step => {
      if (passed === undefined) return this.giveBack(packet, item, session);
      safety?.reach();
      return passed === DONE ? undefined : this.bounce(packet, passed);
    };
    return verdict instanceof Promise ? this.guarded(verdict, packet, pass) : pass(verdict);
  }

  private giveBack(packet: Packet, { since, safety }: Leftover, session: Session): Step {
    if (!isStampedBy(packet.stanza, session.jid.domain)) {
      const stamp = new Date(since).toISOString();
      packet.append(`<delay xmlns='${NS.delay}' from='${session.jid.domain}' stamp='${stamp}'/>`);
    }
    if (!safety || safety.isReached) return this.rules(packet);
    packet.vouch();
    const passed = this.rules(packet);
    // safe is what another session took, or storage
    const settle = (): void => void (packet.held ?? Promise.resolve()).then(() => safety.reach());
    if (passed) return passed.then(settle);
    settle();
    return undefined;
  }

  /** Goes on with `next` when nothing stopped the stanza. */
  private run(verdict: Verdict | Promise<Verdict>, packet: Packet, next: (() => Step) | undefined): Step {
    if (verdict === undefined) return next?.();
    if (verdict instanceof Promise) {
      return this.guarded(verdict, packet, passed => this.run(passed, packet, next));
    }
    if (verdict !== DONE) this.bounce(packet, verdict);
    return undefined;
  }

  /** Waits; what fails is answered in this one place. */
  private async guarded<T>(waiting: T | Promise<T>, packet: Packet, then: (value: T) => Step): Promise<void> {
    try {
      await then(await waiting);
    } catch (error) {
      this.bounce(packet, this.parts.failure(error, packet));
    }
  }
}

function isStampedBy(stanza: Stanza, host: string): boolean {
  if (!stanza.has('delay', NS.delay)) return false;
  for (const kid of stanza.children())
    if (stanza.isKid(kid, 'delay', NS.delay) && stanza.kidElement(kid).attrs.from === host) return true;
  return false;
}
