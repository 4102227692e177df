import { DONE, type Mod, type NodeView, Packet, type SessionView, type Slot } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { Blocking } from '../blocking/contract.ts';
import type { RosterItem, RosterMap, RosterService } from '../roster/contract.ts';

/** Contacts told before others get their turn. */
const SLICE = 100;
const UNAVAILABLE = "<presence type='unavailable'/>";
const PROBE = "<presence type='probe'/>";
/** Addresses beside the roster that a session may show itself to. */
const DIRECTED_MOST = 10_000;

interface Shown {
  /** Whether it has sent available presence. */
  available: boolean;
  /** Whom it showed itself to by directed presence (RFC 6121 4.6.3), by full text of the address. */
  directed: Map<string, Jid> | undefined;
}

/** Tells contacts of presence, in slices, so that somebody with ten thousand of them holds nobody up. */
export class Broadcast {
  private readonly node: NodeView;
  private readonly roster: RosterService;
  private readonly shown: Slot<Shown>;
  private readonly blocked: (account: Jid, contact: Jid) => boolean;

  constructor(mod: Pick<Mod, 'node' | 'perSession' | 'maybe'>, roster: RosterService) {
    this.blocked = (account, contact) => mod.maybe(Blocking)?.blocks(account, contact) ?? false;
    this.node = mod.node;
    this.roster = roster;
    this.shown = mod.perSession<Shown>(() => ({ available: false, directed: undefined }));
  }

  /** RFC 6121 4.2.2, 4.4.2. `first` runs after the first available presence. */
  available(packet: Packet, session: SessionView, first: () => void | Promise<void>): Promise<undefined> | undefined {
    const shown = this.shown.get(session);
    const initial = !shown.available;
    shown.available = true;
    const roster = this.roster.get(session.user.jid);
    if (!(roster instanceof Promise) && roster.size === 0) {
      this.toOwn(packet, session);
      if (initial) this.others(session);
      const waiting = initial ? first() : undefined;
      return waiting?.then(() => undefined);
    }
    return this.tellAll(packet, session, roster, initial, first);
  }

  private async tellAll(
    packet: Packet,
    session: SessionView,
    loading: RosterMap | Promise<RosterMap>,
    initial: boolean,
    first: () => void | Promise<void>,
  ): Promise<undefined> {
    const roster = await loading;
    this.toOwn(packet, session);
    if (initial) this.others(session);
    const probe = initial ? Packet.fromWire(PROBE, session.jid, undefined) : undefined;
    await this.eachOnline(session.user.jid, roster, async (item, contact) => {
      if (item.subscription !== 'to') await this.node.route(packet.readdressed(contact));
      // RFC 6121 4.3.1
      if (probe && item.subscription !== 'from') await this.node.route(probe.readdressed(contact));
    });
    if (initial) await first();
    return undefined;
  }

  /** Contacts with a subscription that can be reached at all: of those served here, only the ones who are there. */
  private async eachOnline(
    account: Jid,
    roster: RosterMap,
    tell: (item: RosterItem, contact: Jid) => void | Promise<void>,
  ): Promise<void> {
    let told = 0;
    for (const item of [...roster.values()]) {
      if (item.subscription === 'none') continue;
      const contact = parseJid(item.jid);
      if (!contact) continue;
      const here = this.node.hosts.has(contact.domain);
      // elsewhere, no gate of ours stands before what is blocked
      if (here ? contact.local !== '' && !this.node.user(contact) : this.blocked(account, contact)) continue;
      const waiting = tell(item, contact);
      if (waiting) await waiting;
      if (++told % SLICE === 0) await new Promise(resolve => setImmediate(resolve));
    }
  }

  /** RFC 6121 4.2.2: the account's own resources, itself among them. */
  private toOwn(packet: Packet, session: SessionView): void {
    const own = packet.readdressed(session.user.jid);
    for (const other of session.user.sessions)
      if (other.presence !== undefined || other === session) void this.node.deliver(own, other);
  }

  /** The presence of the account's other resources, for one that is new. */
  private others(session: SessionView): void {
    for (const other of session.user.sessions) {
      if (other !== session && other.presence)
        void this.node.deliver(other.presence.readdressed(session.user.jid), session);
    }
  }

  /** RFC 6121 4.5.2. */
  unavailable(packet: Packet, session: SessionView): Promise<undefined> | undefined {
    const shown = this.shown.get(session);
    if (!shown.available && !shown.directed) return undefined;
    return this.leave(packet, session);
  }

  /** A session ended: RFC 6121 4.5.3. */
  async ended(session: SessionView, presence: Packet | undefined): Promise<void> {
    if (!presence && !this.shown.get(session).directed) return;
    await this.leave(Packet.fromWire(UNAVAILABLE, session.jid, undefined), session);
  }

  private async leave(packet: Packet, session: SessionView): Promise<undefined> {
    const shown = this.shown.get(session);
    const { available, directed } = shown;
    shown.available = false;
    shown.directed = undefined;
    if (available) {
      this.toOwn(packet, session);
      await this.eachOnline(session.user.jid, await this.roster.get(session.user.jid), (item, contact) =>
        item.subscription === 'to' ? undefined : this.node.route(packet.readdressed(contact)),
      );
    }
    // RFC 6121 4.6.3
    for (const to of directed?.values() ?? []) await this.node.route(packet.readdressed(to));
    return undefined;
  }

  /** Notes whom a client shows itself to beyond its roster: RFC 6121 4.6.3. */
  directed(packet: Packet, session: SessionView): undefined {
    const to = packet.to!;
    const shown = this.shown.get(session);
    if (packet.type === '') {
      const roster = this.roster.get(session.user.jid);
      const subscribed =
        !(roster instanceof Promise) &&
        (roster.get(to.bare)?.subscription === 'from' || roster.get(to.bare)?.subscription === 'both');
      if (subscribed && shown.available) return undefined;
      shown.directed ??= new Map();
      if (shown.directed.size < DIRECTED_MOST) shown.directed.set(to.full, to);
    } else if (packet.type === 'unavailable') shown.directed?.delete(to.full);
    return undefined;
  }

  /** Presence that came for an account goes to all its available resources: RFC 6121 8.5.2.1.2. */
  toSessions(packet: Packet): typeof DONE {
    for (const session of this.node.user(packet.to!)?.sessions ?? []) {
      if (session.presence !== undefined) void this.node.deliver(packet, session);
    }
    return DONE;
  }

  /** Shows, or hides, an account's resources to one address. */
  async showTo(account: Jid, contact: Jid, visible: boolean): Promise<void> {
    for (const session of this.node.user(account)?.sessions ?? []) {
      if (!session.presence) continue;
      const packet = visible
        ? session.presence.readdressed(contact)
        : Packet.fromWire(UNAVAILABLE, session.jid, contact);
      await this.node.route(packet);
    }
  }
}
