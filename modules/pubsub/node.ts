import type { Jid } from '../../src/jid/index.ts';
import type { NodeConfig } from './config.ts';

/** XEP-0060 4.1. */
export const AFFILIATIONS = ['owner', 'publisher', 'publish-only', 'member', 'none', 'outcast'] as const;
export type Affiliation = (typeof AFFILIATIONS)[number];

/** XEP-0060 4.2; nothing has to be configured before a subscription counts, so there is no 'unconfigured'. */
export type SubscriptionState = 'pending' | 'subscribed';

/** What a subscriber has chosen: XEP-0060 6.3. */
export interface SubscriptionOptions {
  /** Whether anything is sent. */
  readonly deliver: boolean;
  /** The states of presence in which it is sent (RFC 6121 4.7.2.1, 'online' for none of them). */
  readonly showValues: readonly string[];
}

export interface Subscription {
  /** The subscribed JID, bare or full. */
  readonly jid: Jid;
  readonly state: SubscriptionState;
  readonly options: SubscriptionOptions;
}

/** A node's rules, as they are in memory. Its items are in the database alone. Changed only in the turn of its owner (nodes.ts). */
export interface PubsubNode {
  readonly id: number;
  /** The account, or the domain. */
  readonly service: Jid;
  readonly name: string;
  /** Bare JID; '' where that account is gone. */
  creator: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  config: NodeConfig;
  /** By bare JID; 'none' is left out, and so is an account as the owner of its own nodes. */
  readonly affiliations: Map<string, Affiliation>;
  /** By the subscribed JID: one each. */
  readonly subscriptions: Map<string, Subscription>;
  /** When items were published last, so far as it is known: a moment of the engine. */
  published: number;
  /** What is being told of it: what happens next is told behind that. */
  telling: Promise<void> | undefined;
}

/** Whether it is one of an account's own nodes (XEP-0163). */
export function isPersonal({ service }: Pick<PubsubNode, 'service'>): boolean {
  return service.local !== '';
}

/** Who owns a node, by bare JID. */
export function ownersOf(node: PubsubNode): string[] {
  const owners = isPersonal(node) ? [node.service.bare] : [];
  for (const [jid, affiliation] of node.affiliations) if (affiliation === 'owner') owners.push(jid);
  return owners;
}

/** An item as it is kept (XEP-0060 7.1). */
export interface Item {
  readonly id: string;
  /** Bare JID of its publisher. */
  readonly publisher: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The payload as a wire string that stands alone; '' for none. */
  readonly payload: string;
}
