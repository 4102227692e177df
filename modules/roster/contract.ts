import { serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

export type Subscription = 'none' | 'to' | 'from' | 'both';

/** A contact: RFC 6121 2.1.2. */
export interface RosterItem {
  /** Bare address of the contact. */
  readonly jid: string;
  readonly name: string | undefined;
  readonly subscription: Subscription;
  /** A subscription request of ours waits for the contact (2.1.2.2). */
  readonly ask: boolean;
  /** A subscription of theirs is approved before they ask (3.4). */
  readonly approved: boolean;
  readonly groups: readonly string[];
}

export type RosterMap = ReadonlyMap<string, RosterItem>;

/** The rosters of accounts. Accounts and contacts are given by address; resources do not matter. */
export interface RosterService {
  /** All contacts by bare address; at once when it is in memory. */
  get(account: Jid): RosterMap | Promise<RosterMap>;
  /** Whether the contact may see the account's presence: 'from' or 'both'. */
  hasSubscriptionFrom(account: Jid, contact: Jid): boolean | Promise<boolean>;
  /**
   * Changes an item, one change of an account at a time, stores it and pushes it to the account's interested sessions.
   * `change` gets the item as it is (undefined when there is none) and returns it as it shall be: undefined to remove it, the same
   * object to leave it. Returns the item before and after.
   */
  change(
    account: Jid,
    contact: Jid,
    change: (item: RosterItem | undefined) => RosterItem | undefined,
  ): Promise<{ before: RosterItem | undefined; after: RosterItem | undefined }>;
  /** An item of a contact that is not in the roster. */
  blank(contact: Jid): RosterItem;
  /** Tells when the account itself removed a contact, before the answer to it. One listener: the module presence. */
  onRemoval(listener: (account: Jid, item: RosterItem) => Promise<void>): () => void;
}

export const Roster = serviceKey<RosterService>('roster');
