import { serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

/** A subscription request that its receiver has not answered. */
export interface SubscriptionRequest {
  /** Bare address of who asks. */
  readonly contact: string;
  /** What they wrote (<status/>), and the name they gave themselves (XEP-0172). */
  readonly text: string | undefined;
  readonly nick: string | undefined;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Kept apart: not shown again until the receiver looks for it. */
  readonly ignored: boolean;
}

export interface PresenceApi {
  /**
   * Makes an account look offline (XEP-0191 3.3): to `contacts`, who may see its presence, and to those among the others that were
   * shown it directly. Nobody else learns anything.
   */
  hide(account: Jid, contacts: readonly Jid[], others: (address: Jid) => boolean): Promise<void>;
  /** Shows an account's presence to those of these who may see it (XEP-0191 3.4), and asks for what it has missed of theirs. */
  show(account: Jid, contacts: readonly Jid[]): Promise<void>;
  /** Requests that an account has not answered, ignored ones too, oldest first. */
  requests(account: Jid): Promise<readonly SubscriptionRequest[]>;
  /** Calls the listener when a request is kept that was not there before; returns how to stop that. */
  onRequest(listener: (account: Jid, contact: Jid) => void): () => void;
  /** Marks a request as ignored, or not; one that is ignored no more is shown to the account's clients again. False when there is none. */
  ignore(account: Jid, contact: Jid, ignored: boolean): Promise<boolean>;
}

export const PresenceService = serviceKey<PresenceApi>('presence');
