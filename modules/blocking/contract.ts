import { type MaybePromise, serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

/** Who has blocked whom, for modules that send in an account's name. */
export interface BlockingService {
  /** Whether an account has blocked an address; nearly always known at once. */
  blocks(account: Jid, other: Jid): MaybePromise<boolean>;
  /** What an account has blocked. */
  list(account: Jid): MaybePromise<readonly Jid[]>;
  /** As the account's own client does it: told to its sessions, its contacts and the store. 'full': the list is at its bound. */
  block(account: Jid, jids: readonly Jid[]): Promise<'blocked' | 'full'>;
  /** Without addresses: all of them. */
  unblock(account: Jid, jids?: readonly Jid[]): Promise<void>;
}

export const Blocking = serviceKey<BlockingService>('blocking');
