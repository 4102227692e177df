import {
  DONE,
  inOrder,
  InTurn,
  type NodeView,
  Packet,
  type SessionView,
  andThen,
  type Verdict,
} from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { refuse, StanzaError } from '../../src/protocol/index.ts';
import type { RosterItem, RosterService } from '../roster/contract.ts';
import { available, type Blocks, type Broadcast } from './broadcast.ts';
import { type Change, inbound, itemOf, outbound, type State, stateOf, type SubscriptionType } from './states.ts';
import type { Request, RequestStore } from './store.ts';

export interface RequestLimits {
  readonly requests: number;
  /** Bytes of one. */
  readonly requestSize: number;
}

/** Contacts of a removed account that are told at the same time. */
const TOGETHER = 100;

/** Asks for subscriptions, grants them, ends them: RFC 6121 3. */
export class Subscriptions {
  private readonly node: NodeView;
  private readonly roster: RosterService;
  private readonly requests: RequestStore;
  private readonly broadcast: Broadcast;
  private readonly blocks: Blocks;
  private readonly limits: (host: string) => RequestLimits;
  private readonly listeners = new Set<(account: Jid, contact: Jid) => void>();
  private readonly turns = new InTurn();

  constructor(
    node: NodeView,
    roster: RosterService,
    requests: RequestStore,
    broadcast: Broadcast,
    blocks: Blocks,
    limits: (host: string) => RequestLimits,
  ) {
    this.node = node;
    this.roster = roster;
    this.requests = requests;
    this.broadcast = broadcast;
    this.blocks = blocks;
    this.limits = limits;
  }

  /** Calls the listener when a request is kept that was not there before; returns how to stop that. */
  onRequest(listener: (account: Jid, contact: Jid) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** A client's subscription stanza. It goes on with bare addresses (3.1.2), if it goes on. */
  sent(packet: Packet, session: SessionView, type: SubscriptionType): Verdict | Promise<Verdict> {
    const account = session.user.jid;
    const contact = packet.to!.toBare();
    // everybody is subscribed to himself (4.2.2)
    if (contact.bare === account.bare) return DONE;
    return this.inTurn(account, contact, () => this.send(packet, type, account, contact));
  }

  private async send(packet: Packet, type: SubscriptionType, account: Jid, contact: Jid): Promise<Verdict> {
    // asking and approving in advance add contacts
    if ((type === 'subscribe' || type === 'subscribed') && !(await this.roster.hasRoomFor(account, contact)))
      return new StanzaError('resource-constraint', { type: 'cancel', text: 'The roster is full.' });
    const { change, before } = await this.apply(account, contact, state => outbound(state, type));
    // 3.2.2: who is turned out sees everybody leave first
    if (type === 'unsubscribed' && seesPresence(before)) await this.broadcast.showTo(account, contact, false);
    if (change.pass) await this.node.route(packet.readdressed(contact, account));
    // 3.1.5: who was let in sees who is there
    if (type === 'subscribed' && change.pass) await this.broadcast.showTo(account, contact, true);
    return DONE;
  }

  /**
   * What is said between two addresses is said one after the other, to its end: what both say at once, or two devices of one, would
   * cross on the way, and leave the two in states that do not belong together.
   */
  private inTurn<T>(account: Jid, contact: Jid, work: () => Promise<T>): Promise<T> {
    const pair = [account.bare, contact.bare].sort().join(' ');
    return this.turns.run(pair, work);
  }

  /** A subscription stanza that came for an account. */
  async came(packet: Packet, type: SubscriptionType): Promise<Verdict> {
    const account = packet.to!.toBare();
    const contact = packet.from.toBare();
    if (contact.bare === account.bare) return DONE;
    // whatever the sender's server did, the stanza is of the account, not of a resource
    const stanza = packet.readdressed(account, contact);
    const { change, before, refused } = await this.apply(account, contact, state => inbound(state, type), stanza);
    if (refused) return refused;
    // 3.3.3: who leaves sees everybody leave first, as who is turned out (3.2.2)
    if (type === 'unsubscribe' && seesPresence(before)) await this.broadcast.showTo(account, contact, false);
    if (change.reply) await this.say(change.reply, account, contact);
    // 3.1.3, 3.4.2
    if (change.reply === 'subscribed') await this.broadcast.showTo(account, contact, true);
    return DONE;
  }

  /**
   * Changes the state between two addresses. What came is stored, then delivered, before the roster push that it leads to
   * (3.1.6, 3.2.3, 3.3.3).
   */
  private async apply(account: Jid, contact: Jid, step: (state: State) => Change, came?: Packet) {
    let change!: Change;
    let before!: State;
    let refused: StanzaError | undefined;
    await this.roster.change(
      account,
      contact,
      item =>
        andThen(this.requests.has(account.bare, contact.bare), pendingIn => {
          before = stateOf(item, pendingIn);
          change = step(before);
          return itemOf(change.state, item, this.roster.blank(contact));
        }),
      async () => {
        refused = await this.keepRequest(account, contact, before, change, came);
        if (came && change.pass && !refused) await this.give(came, account);
      },
    );
    return { change, before, refused };
  }

  /** 3.1.3: a request is kept whole until it is answered, the last one of who asks more than once. */
  private async keepRequest(account: Jid, contact: Jid, before: State, { state }: Change, came: Packet | undefined) {
    if (!state.pendingIn) {
      if (before.pendingIn) await this.requests.remove(account.bare, contact.bare);
      return undefined;
    }
    if (came?.type !== 'subscribe') return undefined;
    const { requests, requestSize } = this.limits(account.domain);
    const stanza = came.wire();
    if (stanza.length > requestSize)
      return refuse('policy-violation', `A subscription request has at most ${requestSize} bytes.`);
    if (before.pendingIn) await this.requests.renew(account.bare, contact.bare, stanza);
    else if ((await this.requests.count(account.bare)) >= requests)
      return refuse('resource-constraint', 'Too many requests wait there.');
    else {
      await this.requests.add(account.bare, contact.bare, stanza);
      for (const listener of this.listeners) listener(account, contact);
    }
    return undefined;
  }

  /**
   * Requests are for all available resources (3.1.3). What changes the roster is for all that know it (3.1.6, 3.2.3, 3.3.3), and no
   * less for an available one that never asked for it.
   */
  private give(packet: Packet, account: Jid): void | Promise<void> {
    let sessions = available(this.node, account);
    if (packet.type !== 'subscribe') {
      const knowing = this.roster.interested(account).filter(session => !sessions.includes(session));
      if (knowing.length > 0) sessions = [...sessions, ...knowing];
    }
    return inOrder(sessions, session => this.node.deliver(packet, session));
  }

  /** Requests that were not answered are shown again to every resource that comes: 3.1.3. */
  remind(session: SessionView): void | Promise<void> {
    return andThen(this.requests.list(session.user.jid.bare), requests =>
      requests.length === 0
        ? undefined
        : inOrder(requests, request => (request.ignored ? undefined : this.show(request, session))),
    );
  }

  private show({ contact, stanza }: Request, session: SessionView): void | Promise<void> {
    const from = parseJid(contact);
    // XEP-0191 3.3: who asked before he was blocked is not heard either
    if (!from) return undefined;
    return andThen(this.blocks(session.user.jid, from), blocked =>
      blocked ? undefined : this.node.deliver(Packet.fromWire(stanza, from, session.user.jid), session),
    );
  }

  /** Puts a request among the ignored ones, or back: then the account's resources see it again. */
  async ignore(account: Jid, contact: Jid, ignored: boolean): Promise<boolean> {
    const request = (await this.requests.list(account.bare)).find(known => known.contact === contact.bare);
    if (!request) return false;
    if (request.ignored === ignored) return true;
    await this.requests.setIgnored(account.bare, contact.bare, ignored);
    if (!ignored) await inOrder(available(this.node, account), session => this.show(request, session));
    return true;
  }

  /** A contact was removed from a roster: 2.5.2. */
  cancel(account: Jid, item: RosterItem): Promise<void> {
    return this.inTurn(account, item.address, () => this.end(account, item));
  }

  private async end(account: Jid, item: RosterItem): Promise<void> {
    const contact = item.address;
    const pendingIn = await this.requests.has(account.bare, contact.bare);
    if (pendingIn) await this.requests.remove(account.bare, contact.bare);
    const state = stateOf(item, pendingIn);
    if (seesPresence(state)) await this.broadcast.showTo(account, contact, false);
    if (state.pendingOut || state.subscription === 'to' || state.subscription === 'both')
      await this.say('unsubscribe', account, contact);
    if (pendingIn || seesPresence(state)) await this.say('unsubscribed', account, contact);
  }

  /** An account is removed: its contacts, and those who asked for it, are told as if it had removed them. */
  async cancelAll(account: Jid): Promise<void> {
    const items = [...(await this.roster.get(account)).values()];
    // many together, so that what they lead to is committed together
    for (let i = 0; i < items.length; i += TOGETHER)
      await Promise.all(items.slice(i, i + TOGETHER).map(item => this.cancel(account, item)));
    for (const { contact } of await this.requests.list(account.bare)) {
      const address = parseJid(contact);
      if (address) await this.say('unsubscribed', account, address);
    }
    await this.requests.removeAll(account.bare);
  }

  private async say(type: SubscriptionType, account: Jid, contact: Jid): Promise<void> {
    await this.node.route(Packet.fromWire(`<presence type='${type}'/>`, account, contact));
  }
}

function seesPresence(state: State): boolean {
  return state.subscription === 'from' || state.subscription === 'both';
}
