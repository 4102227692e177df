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
  /** Makes an account look offline to an address, whatever it may see otherwise (XEP-0191 3.3). */
  sendUnavailableTo(account: Jid, contact: Jid): Promise<void>;
  /** Shows an account's presence to an address, if it may see it (XEP-0191 3.4). */
  sendPresenceTo(account: Jid, contact: Jid): Promise<void>;
  /** Requests that an account has not answered, ignored ones too. */
  requests(account: Jid): Promise<SubscriptionRequest[]>;
  /** Marks a request as ignored, or not. False when there is none. */
  ignore(account: Jid, contact: Jid, ignored: boolean): Promise<boolean>;
}

export const PresenceService = serviceKey<PresenceApi>('presence');
