import { type MaybePromise, type NodeView, type Packet, serviceKey, type SessionView } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

/** Addresses, matched as XEP-0191 5 says. */
export interface BlockedAddresses {
  matches(jid: Jid): boolean;
}

/** Who has blocked whom, for modules that send in an account's name. */
export interface BlockingService {
  /** Whether an account has blocked an address; nearly always known at once. */
  blocks(account: Jid, other: Jid): MaybePromise<boolean>;
  /** Those of some accounts (bare addresses) who have blocked an address; for lists that are shown to it. */
  blockers(accounts: readonly Jid[], other: Jid): Promise<ReadonlySet<string>>;
  /**
   * What the account of a session has blocked, for those who send one stanza to very many: undefined where that is nothing. It is a promise
   * the first time at most; behind that it is known at once as long as the session lasts.
   */
  blockedBy(session: SessionView): MaybePromise<BlockedAddresses | undefined>;
  /** What an account has blocked. */
  list(account: Jid): MaybePromise<readonly Jid[]>;
  /** As the account's own client does it: told to its sessions, its contacts and the store. 'full': the list is at its bound. */
  block(account: Jid, jids: readonly Jid[]): Promise<'blocked' | 'full'>;
  /** Without addresses: all of them. */
  unblock(account: Jid, jids?: readonly Jid[]): Promise<void>;
}

export const Blocking = serviceKey<BlockingService>('blocking');

/**
 * Hands a session what somebody sends to all of a kind (a room to those in it, a node to those who want it), unless its account has blocked the sender: XEP-0191 3.3. Nobody
 * is told where it has: the sender would take that for the recipient's departure.
 */
export function deliverUnblocked(
  blocking: BlockingService | undefined,
  node: Pick<NodeView, 'deliver' | 'route'>,
  packet: Packet,
  session: SessionView,
): void | Promise<void> {
  const blocked = blocking?.blockedBy(session);
  // by the way on which its list is waited for
  if (blocked instanceof Promise) return node.route(packet);
  return blocked?.matches(packet.from) ? undefined : node.deliver(packet, session);
}
