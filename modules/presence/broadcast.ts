import {
  andThen,
  eachInSlices,
  FULL,
  inOrder,
  type MaybePromise,
  type NodeView,
  Packet,
  type SessionView,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { RosterItem, RosterMap, RosterService } from '../roster/contract.ts';
import type { Shown } from './shown.ts';

type Step = void | Promise<void>;
/** Whether an account has blocked an address (XEP-0191). */
export type Blocks = (account: Jid, address: Jid) => MaybePromise<boolean>;

const UNAVAILABLE = "<presence type='unavailable'/>";
const PROBE = "<presence type='probe'/>";

/** Costs of an item (slices.ts): a contact who is told, and one who is not there. */
const TOLD = 10;
const PASSED = 1;

/** Tells contacts of presence, in slices, so that somebody with ten thousand of them holds nobody up. */
export class Broadcast {
  private readonly node: NodeView;
  private readonly roster: RosterService;
  private readonly shown: Shown;
  private readonly blocks: Blocks;
  /** Whether anything is known of a domain that is not served here: an error for each contact at each presence is of no use. */
  private readonly reaches: (domain: string) => boolean;

  constructor(
    node: NodeView,
    roster: RosterService,
    shown: Shown,
    blocks: Blocks,
    reaches: (domain: string) => boolean,
  ) {
    this.node = node;
    this.roster = roster;
    this.shown = shown;
    this.blocks = blocks;
    this.reaches = reaches;
  }

  /** RFC 6121 4.2.2, 4.4.2. `first` runs after the first available presence. */
  available(packet: Packet, session: SessionView, first: () => Step): Step {
    const initial = !this.shown.isAvailable(session);
    this.shown.setAvailable(session, true);
    const roster = this.roster.get(session.user.jid);
    const step = andThen(roster, items => this.tell(packet, session, items, initial));
    const after = step && initial ? step.then(first) : initial ? first() : step;
    return after && this.shown.during(session, after);
  }

  private tell(packet: Packet, session: SessionView, roster: RosterMap, initial: boolean): Step {
    // what is behind the addresses is made once, for all
    packet.wire();
    const own = inOrder(availableOf(session), other => this.node.deliver(packet.readdressed(session.user.jid), other));
    if (!initial) return andThen(own, () => this.toContacts(packet, session, roster));
    return andThen(own, () =>
      andThen(this.others(session), () =>
        andThen(this.toContacts(packet, session, roster), () => this.probe(session, roster)),
      ),
    );
  }

  /** The presence of the account's other resources, for one that is new: it is subscribed to itself (RFC 6121 4.2.2). */
  private others(session: SessionView): Step {
    return inOrder(availableOf(session), other =>
      other === session ? undefined : this.node.deliver(other.presence!.readdressed(session.user.jid), session),
    );
  }

  /** To those who are subscribed. */
  private toContacts(packet: Packet, session: SessionView, roster: RosterMap): Step {
    return eachInSlices(roster.values(), item => {
      if (item.subscription !== 'from' && item.subscription !== 'both') return PASSED;
      if (!this.isThere(item)) return PASSED;
      return this.ifMaySee(session.user.jid, item, () => this.node.route(packet.readdressed(item.address)));
    });
  }

  /** Asks for the presence of those whom the account is subscribed to: RFC 6121 4.3.1. */
  private probe(session: SessionView, roster: RosterMap): Step {
    const probe = Packet.fromWire(PROBE, session.jid, undefined);
    return eachInSlices(roster.values(), item => this.ask(session, item, probe));
  }

  private ask(session: SessionView, item: RosterItem, probe?: Packet): number | Promise<void> {
    if (item.subscription !== 'to' && item.subscription !== 'both') return PASSED;
    if (!this.isThere(item)) return PASSED;
    return this.ifMaySee(session.user.jid, item, () => {
      // a session that ended meanwhile asks for nothing
      if (!session.alive) return undefined;
      // elsewhere subscriptions are looked up by the bare address; here the others of the account know it already
      const from = this.node.hosts.has(item.address.domain) ? session.jid : session.user.jid;
      const packet = probe ? probe.readdressed(item.address, from) : Packet.fromWire(PROBE, from, item.address);
      return this.node.route(packet);
    });
  }

  /** After a start of the program its client learns who is there now: others who are gone could not say so. */
  refresh(session: SessionView): Step {
    return andThen(this.roster.get(session.user.jid), roster =>
      eachInSlices(roster.values(), item => {
        if (item.subscription !== 'to' && item.subscription !== 'both') return PASSED;
        if (this.isThere(item) || !session.presence) return this.ask(session, item);
        const gone = Packet.fromWire(UNAVAILABLE, item.address, session.jid);
        gone.address = FULL;
        return this.node.deliver(gone, session) ?? TOLD;
      }),
    );
  }

  /** Whether a contact can be reached at all: of the accounts served here, only those who have sessions. */
  private isThere({ address }: RosterItem): boolean {
    if (!this.node.hosts.has(address.domain)) return this.reaches(address.domain);
    return address.local === '' || this.node.user(address) !== undefined;
  }

  /** XEP-0191 3.3; for accounts of this node the module blocking sees to it. What the telling has cost, as slices.ts counts. */
  private ifMaySee(account: Jid, { address }: RosterItem, tell: () => Step): number | Promise<void> {
    const blocked = !this.node.hosts.has(address.domain) && this.blocks(account, address);
    if (blocked instanceof Promise) return blocked.then(yes => (yes ? undefined : tell()));
    return blocked ? PASSED : (tell() ?? TOLD);
  }

  /** RFC 6121 4.5.2. */
  unavailable(packet: Packet, session: SessionView): Step {
    if (!this.shown.isAvailable(session) && !this.shown.hasAnyDirected(session)) return undefined;
    const step = this.leave(packet, session);
    return step && this.shown.during(session, step);
  }

  /** A session is over that may not have said so: RFC 6121 4.5.2. */
  ended(session: SessionView, presence: Packet | undefined): Step {
    if (presence) this.shown.setAvailable(session, true);
    if (!this.shown.isAvailable(session) && !this.shown.hasAnyDirected(session)) return undefined;
    const leave = (): Step => this.leave(Packet.fromWire(UNAVAILABLE, session.jid, undefined), session);
    // those who are being told that it is there have to hear that first
    return this.shown.telling(session)?.then(leave, leave) ?? leave();
  }

  private leave(packet: Packet, session: SessionView): Step {
    const available = this.shown.isAvailable(session);
    const directed = this.shown.takeDirected(session);
    this.shown.setAvailable(session, false);
    const told = available ? this.roster.get(session.user.jid) : undefined;
    return told instanceof Promise
      ? told.then(roster => this.tellLeaving(packet, session, roster, directed))
      : this.tellLeaving(packet, session, told, directed);
  }

  /** Without a roster: it was not available, only those are told whom it showed itself to directly (RFC 6121 4.6.3). */
  private tellLeaving(
    packet: Packet,
    session: SessionView,
    roster: RosterMap | undefined,
    directed: readonly Jid[],
  ): Step {
    packet.wire();
    const direct = (): Step =>
      inOrder(directed, to => {
        const item = roster?.get(to.bare);
        if (item && (item.subscription === 'from' || item.subscription === 'both')) return undefined;
        return this.node.route(packet.readdressed(to));
      });
    if (!roster) return direct();
    const account = session.user.jid;
    // 4.5.2: itself among them, if it is still there
    const own = session.alive ? new Set([...availableOf(session), session]) : availableOf(session);
    const step = inOrder(own, other => this.node.deliver(packet.readdressed(account), other));
    return andThen(step, () => andThen(this.toContacts(packet, session, roster), direct));
  }

  /** Shows, or hides, an account's available resources to one address. */
  showTo(account: Jid, contact: Jid, visible: boolean): Step {
    return inOrder(available(this.node, account), session =>
      this.node.route(
        visible ? session.presence!.readdressed(contact) : Packet.fromWire(UNAVAILABLE, session.jid, contact),
      ),
    );
  }

  /** Shows an account to contacts that it was hidden from, as far as they may see it, and asks for their presence. */
  async showAgain(account: Jid, contacts: readonly Jid[], roster: RosterMap): Promise<void> {
    await eachInSlices(contacts, async contact => {
      const item = roster.get(contact.bare);
      if (item?.subscription === 'from' || item?.subscription === 'both') await this.showTo(account, contact, true);
      if (item) for (const session of available(this.node, account)) await this.ask(session, item);
    });
  }

  /** Hides an account from addresses that see it: `contacts` by subscription, others because a resource showed itself to them. */
  async hideFrom(account: Jid, contacts: readonly Jid[], others: (address: Jid) => boolean): Promise<void> {
    for (const session of this.node.user(account)?.sessions ?? []) {
      const told = new Map(this.shown.takeDirected(session, others).map(to => [to.full, to]));
      if (session.presence) for (const contact of contacts) told.set(contact.full, contact);
      await eachInSlices(told.values(), to => this.node.route(Packet.fromWire(UNAVAILABLE, session.jid, to)) ?? TOLD);
    }
  }
}

/** The available resources of an account. */
export function available(node: NodeView, account: Jid): readonly SessionView[] {
  const user = node.user(account);
  return user ? user.sessions.filter(isAvailable) : [];
}

function availableOf(session: SessionView): readonly SessionView[] {
  return session.user.sessions.filter(isAvailable);
}

function isAvailable(session: SessionView): boolean {
  return session.presence !== undefined;
}
