import { DONE, inOrder, type NodeView, Packet, type SessionView, type Verdict } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { wireAttribute } from '../../src/xml/index.ts';
import type { RosterService } from '../roster/contract.ts';
import { available } from './broadcast.ts';
import type { Shown } from './shown.ts';

/** Answers those who ask for an account's presence: RFC 6121 4.3.2, 4.6.6. */
export class Probes {
  private readonly node: NodeView;
  private readonly roster: RosterService;
  private readonly shown: Shown;

  constructor(node: NodeView, roster: RosterService, shown: Shown) {
    this.node = node;
    this.roster = roster;
    this.shown = shown;
  }

  /** A probe for an account, or for one of its resources. */
  came(packet: Packet): Verdict | Promise<Verdict> {
    const { from } = packet;
    const to = packet.to!;
    const allowed = from.bare === to.bare || this.roster.hasSubscriptionFrom(to, from);
    return allowed instanceof Promise ? allowed.then(yes => this.answer(packet, yes)) : this.answer(packet, allowed);
  }

  private answer(packet: Packet, allowed: boolean): Verdict | Promise<Verdict> {
    const to = packet.to!;
    const step =
      to.resource === '' ? this.ofAccount(packet, allowed) : this.ofResource(packet, this.node.session(to), allowed);
    return step ? step.then(() => DONE) : DONE;
  }

  private ofAccount(packet: Packet, allowed: boolean): void | Promise<void> {
    const account = packet.to!;
    if (!allowed) return this.ofShown(packet, account);
    const sessions = available(this.node, account);
    // rule 4
    if (sessions.length > 0)
      return inOrder(sessions, session => this.node.route(session.presence!.readdressed(packet.from)));
    return this.absent(packet, account);
  }

  /** 4.6.6: who was shown resources directly learns of these; 4.3.2, rule 1: others learn nothing. */
  private ofShown(packet: Packet, account: Jid): void | Promise<void> {
    const shown =
      this.node.user(account)?.sessions.filter(session => this.shown.hasDirected(session, packet.from)) ?? [];
    if (shown.length === 0) return this.reply(packet, 'unsubscribed', account);
    return inOrder(shown, session => this.node.route(Packet.fromWire('<presence/>', session.jid, packet.from)));
  }

  /** Rule 3: since when the account is not there. */
  private async absent(packet: Packet, account: Jid): Promise<void> {
    const since = (await this.node.accounts.get(account))?.lastLogin;
    const delay = since === undefined ? '' : `<delay xmlns='${NS.delay}' stamp='${new Date(since).toISOString()}'/>`;
    await this.reply(packet, 'unavailable', account, delay);
  }

  /** Only that it is there, or is not; and nothing of other resources. */
  private ofResource(packet: Packet, session: SessionView | undefined, allowed: boolean): void | Promise<void> {
    const to = packet.to!;
    if (allowed) {
      if (!session?.presence) return this.reply(packet, 'unavailable', to);
    } else if (!session || !this.shown.hasDirected(session, packet.from)) {
      // a full address would tell that there is such a resource
      return this.reply(packet, 'unsubscribed', to.toBare());
    }
    return this.node.route(Packet.fromWire('<presence/>', to, packet.from));
  }

  /** 4.3.2.1: with the 'id' of the probe. */
  private reply(packet: Packet, type: 'unavailable' | 'unsubscribed', from: Jid, content = ''): void | Promise<void> {
    const id = packet.id === undefined ? '' : wireAttribute('id', packet.id);
    return this.node.route(Packet.fromWire(`<presence type='${type}'${id}>${content}</presence>`, from, packet.from));
  }
}
