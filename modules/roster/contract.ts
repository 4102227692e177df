import { type MaybePromise, serviceKey, type SessionView } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

export type Subscription = 'none' | 'to' | 'from' | 'both';

/** A contact: RFC 6121 2.1.2. Immutable; a changed contact is another object. */
export interface RosterItem {
  /** Bare address of the contact. */
  readonly jid: string;
  /** The same, parsed. */
  readonly address: Jid;
  readonly name: string | undefined;
  readonly subscription: Subscription;
  /** A subscription request of ours waits for the contact (2.1.2.2). */
  readonly ask: boolean;
  /** A subscription of theirs is approved before they ask (3.4). */
  readonly approved: boolean;
  readonly groups: readonly string[];
}

/** Contacts by bare address. It is the living one: it shows later changes. */
export type RosterMap = ReadonlyMap<string, RosterItem>;

/** What a change made of an item; undefined where there is none. */
export interface RosterChange {
  readonly before: RosterItem | undefined;
  readonly after: RosterItem | undefined;
}

/** The rosters of accounts. Accounts and contacts are given by address; resources do not matter. */
export interface RosterService {
  /** All contacts; at once unless it is a large roster that is not in memory. */
  get(account: Jid): RosterMap | Promise<RosterMap>;
  /** One contact. */
  item(account: Jid, contact: Jid): RosterItem | undefined | Promise<RosterItem | undefined>;
  /** Whether the contact may see the account's presence: 'from' or 'both'. */
  hasSubscriptionFrom(account: Jid, contact: Jid): boolean | Promise<boolean>;
  /** Whether the account may see the contact's presence: 'to' or 'both'. */
  hasSubscriptionTo(account: Jid, contact: Jid): boolean | Promise<boolean>;
  /** Whether the contact is in the roster or may be added to it: its size has a bound. */
  hasRoomFor(account: Jid, contact: Jid): boolean | Promise<boolean>;
  /**
   * Changes an item, one change of an account at a time, stores it and pushes it to the account's interested sessions.
   * `change` gets the item as it is (undefined when there is none) and returns it as it shall be: undefined to remove it, the same
   * object to leave it. `meanwhile` runs in the account's turn, after the item is stored and before it is pushed; nothing in it
   * may wait for another change of this account. Rejects with a StorageError when nothing was changed.
   */
  change(
    account: Jid,
    contact: Jid,
    change: (item: RosterItem | undefined) => MaybePromise<RosterItem | undefined>,
    meanwhile?: (change: RosterChange) => void | Promise<void>,
  ): Promise<RosterChange>;
  /** An item of a contact that is not in the roster. */
  blank(contact: Jid): RosterItem;
  /** The account's sessions that asked for the roster: "interested resources" (RFC 6121 2.2). */
  interested(account: Jid): readonly SessionView[];
  /** Tells of every change once it is stored. The function returned ends that. */
  onChange(listener: (account: Jid, change: RosterChange) => void): () => void;
  /** Tells when the account itself removed a contact, before the answer to it. One listener: the module presence. */
  onRemoval(listener: (account: Jid, item: RosterItem) => Promise<void>): () => void;
}

export const Roster = serviceKey<RosterService>('roster');
