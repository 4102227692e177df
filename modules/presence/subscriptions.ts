import { DONE, type NodeView, Packet, type SessionView, type Verdict } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { RosterItem, RosterService } from '../roster/contract.ts';
import type { Broadcast } from './broadcast.ts';
import { type Change, inbound, itemOf, outbound, type State, stateOf, type SubscriptionType } from './states.ts';
import type { RequestStore } from './store.ts';

/** Asks for subscriptions, grants them, ends them: RFC 6121 3. */
export class Subscriptions {
  private readonly node: NodeView;
  private readonly roster: RosterService;
  private readonly requests: RequestStore;
  private readonly broadcast: Broadcast;

  constructor(node: NodeView, roster: RosterService, requests: RequestStore, broadcast: Broadcast) {
    this.node = node;
    this.roster = roster;
    this.requests = requests;
    this.broadcast = broadcast;
  }

  /** A client's subscription stanza. It goes on with bare addresses (3.1.2), if it goes on. */
  async sent(packet: Packet, session: SessionView, type: SubscriptionType): Promise<Verdict> {
    const account = session.user.jid;
    const contact = packet.to!.toBare();
    if (contact.bare === account.bare) return DONE;
    const { change, before } = await this.apply(account, contact, state => outbound(state, type));
    if (change.pass) await this.node.route(packet.readdressed(contact, account));
    // 3.1.5, 3.2.2: who was let in sees, who was turned out sees no more
    if (type === 'subscribed' && change.pass) await this.broadcast.showTo(account, contact, true);
    if (type === 'unsubscribed' && seesPresence(before)) await this.broadcast.showTo(account, contact, false);
    return DONE;
  }

  /** A subscription stanza that came for an account. */
  async came(packet: Packet, type: SubscriptionType): Promise<Verdict> {
    const account = packet.to!.toBare();
    const contact = packet.from.toBare();
    if (contact.bare === account.bare) return DONE;
    const request = type === 'subscribe' ? packet : undefined;
    const { change, before } = await this.apply(account, contact, state => inbound(state, type), request);
    if (change.reply) {
      await this.node.route(Packet.fromWire(`<presence type='${change.reply}'/>`, account, contact));
      if (!seesPresence(before)) await this.broadcast.showTo(account, contact, true);
    }
    if (change.pass) for (const session of this.available(account)) await this.node.deliver(packet, session);
    // 3.1.6: the presence itself follows from the contact's server; 3.3.3: what was shown is shown no more
    if (type === 'unsubscribe' && seesPresence(before)) await this.broadcast.showTo(account, contact, false);
    return DONE;
  }

  /** Changes the state between two addresses; a request that waits is kept with its text. */
  private async apply(account: Jid, contact: Jid, step: (state: State) => Change, request?: Packet) {
    let change!: Change;
    let before!: State;
    await this.roster.change(account, contact, item => {
      before = stateOf(item, this.requests.has(account.bare, contact.bare));
      change = step(before);
      return itemOf(change.state, item, this.roster.blank(contact));
    });
    const { pendingIn } = change.state;
    if (pendingIn && request && !before.pendingIn) await this.requests.put(account.bare, contact.bare, request.wire());
    else if (!pendingIn && before.pendingIn) await this.requests.remove(account.bare, contact.bare);
    return { change, before };
  }

  private available(account: Jid): readonly SessionView[] {
    return (this.node.user(account)?.sessions ?? []).filter(session => session.presence !== undefined);
  }

  /** Requests that were not answered yet are shown again to every resource that comes: 3.1.3. */
  remind(session: SessionView): void {
    for (const { stanza, contact, ignored } of this.requests.list(session.user.jid.bare)) {
      const from = parseJid(contact);
      if (from && !ignored) void this.node.deliver(Packet.fromWire(stanza, from, session.user.jid), session);
    }
  }

  /** Subscription stanzas and probes are for accounts, not for resources (8.5.3.1). */
  toBare(packet: Packet): Promise<Verdict> {
    return Promise.resolve(this.node.route(packet.readdressed(packet.to!.toBare()))).then(() => DONE);
  }

  /** Somebody asks for an account's presence: 4.3.2. */
  async probed(packet: Packet): Promise<Verdict> {
    const account = packet.to!.toBare();
    const { from } = packet;
    if (from.bare !== account.bare && !(await this.roster.hasSubscriptionFrom(account, from))) {
      await this.node.route(Packet.fromWire("<presence type='unsubscribed'/>", account, from.toBare()));
      return DONE;
    }
    const sessions = this.available(account);
    for (const session of sessions) await this.node.route(session.presence!.readdressed(from));
    if (sessions.length === 0) await this.node.route(Packet.fromWire("<presence type='unavailable'/>", account, from));
    return DONE;
  }

  /** A contact is removed from a roster: 2.5.2. */
  async cancel(account: Jid, item: RosterItem): Promise<void> {
    const contact = parseJid(item.jid);
    if (!contact) return;
    const { subscription, ask } = item;
    const pendingIn = this.requests.has(account.bare, contact.bare);
    if (pendingIn) await this.requests.remove(account.bare, contact.bare);
    if (subscription === 'to' || subscription === 'both' || ask) await this.say('unsubscribe', account, contact);
    if (subscription === 'from' || subscription === 'both' || pendingIn) {
      if (subscription !== 'to' && subscription !== 'none') await this.broadcast.showTo(account, contact, false);
      await this.say('unsubscribed', account, contact);
    }
  }

  /** An account is removed: its contacts are told as if it had removed them. */
  async cancelAll(account: Jid): Promise<void> {
    for (const item of [...(await this.roster.get(account)).values()]) await this.cancel(account, item);
  }

  private async say(type: SubscriptionType, account: Jid, contact: Jid): Promise<void> {
    await this.node.route(Packet.fromWire(`<presence type='${type}'/>`, account, contact));
  }
}

function seesPresence(state: State): boolean {
  return state.subscription === 'from' || state.subscription === 'both';
}
