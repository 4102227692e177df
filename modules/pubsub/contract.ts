import { type MaybePromise, serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { StanzaError } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';
import type { NodeConfig } from './config.ts';
import type { Item } from './node.ts';

export { MAX, type NodeConfig } from './config.ts';
export type { Item } from './node.ts';

/** What has happened at a node, once it is stored. */
export interface NodeEvent {
  /** The account whose node it is. */
  readonly account: Jid;
  readonly node: string;
  /** Who did it: a client of the account, somebody else, or the account itself where a module did. */
  readonly by: Jid;
  readonly published: readonly Item[];
  /** Ids of items that are gone. */
  readonly retracted: readonly string[];
  /** All items are gone: the node was purged or deleted. */
  readonly emptied: boolean;
}

/** The nodes of accounts (XEP-0163) for other modules, which act in the account's name. */
export interface PubsubApi {
  /**
   * Publishes, each item in the place of one with its id, and tells those who are to know. A node that is not there is made, with `config`
   * beside what nodes of accounts begin with; one that is there stays as it is, but keeps as many items as that says before any goes, and is
   * the account's own affair ('whitelist') where that says so. Rejects with a StorageError.
   */
  publish(
    account: Jid,
    node: string,
    items: readonly { readonly id: string; readonly payload: Element }[],
    config?: Partial<NodeConfig>,
  ): Promise<readonly Item[] | StanzaError>;
  /** Takes items away; those that are not there are none. The ids of those that were. */
  retract(account: Jid, node: string, ids: readonly string[]): Promise<readonly string[]>;
  /** The items of a node, the newest first; none where there is no such node. */
  items(account: Jid, node: string): Promise<readonly Item[]>;
  item(account: Jid, node: string, id: string): Promise<Item | undefined>;
  /** Whether an account has such a node. */
  has(account: Jid, node: string): Promise<boolean>;
  /** Whether somebody may read a node of an account; false where there is none. */
  mayRead(account: Jid, node: string, who: Jid): Promise<boolean>;
  /** Tells of what happens at nodes of accounts. The function returned ends that. */
  onEvent(listener: (event: NodeEvent) => MaybePromise<void>): () => void;
}

export const Pubsub = serviceKey<PubsubApi>('pubsub');
