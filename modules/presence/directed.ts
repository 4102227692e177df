import type { NodeView, Packet, SessionView, Verdict } from '../../src/api/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import type { RosterService } from '../roster/contract.ts';
import type { Shown } from './shown.ts';

/** Presence that a client sends to somebody: RFC 6121 4.6. It is routed as any stanza; here it is noted. */
export class Directed {
  private readonly node: NodeView;
  private readonly roster: RosterService;
  private readonly shown: Shown;

  constructor(node: NodeView, roster: RosterService, shown: Shown) {
    this.node = node;
    this.roster = roster;
    this.shown = shown;
  }

  /** A client shows itself to somebody, or takes that back. */
  sent(packet: Packet, session: SessionView): Verdict | Promise<Verdict> {
    const to = packet.to!;
    if (packet.type === 'unavailable') this.shown.removeDirected(session, to);
    if (packet.type !== '') return undefined;
    // 4.6.3, rule 1: whoever is subscribed is told anyway when a session leaves that is available
    const subscribed = this.shown.isAvailable(session) && this.roster.hasSubscriptionFrom(session.user.jid, to);
    return subscribed instanceof Promise
      ? subscribed.then(yes => this.note(packet, session, yes))
      : this.note(packet, session, subscribed);
  }

  private note(packet: Packet, session: SessionView, subscribed: boolean): Verdict {
    if (subscribed || this.shown.addDirected(session, packet.to!)) return undefined;
    return refuse('resource-constraint', 'It was shown to too many already.');
  }

  /** Whoever is not there, or cannot be reached, need not be told when the session leaves (4.6.1). */
  came(packet: Packet): undefined {
    if (packet.type !== 'unavailable' && packet.type !== 'error') return undefined;
    // a client that is still there may only have hidden itself: it goes on seeing the session
    if (packet.type === 'unavailable' && this.node.session(packet.from)?.alive) return undefined;
    const to = packet.to!;
    const session = to.isBare ? undefined : this.node.session(to);
    const sessions = session ? [session] : (to.isBare && this.node.user(to)?.sessions) || [];
    for (const each of sessions) this.shown.removeDirected(each, packet.from);
    return undefined;
  }
}
