import { type MaybePromise, type Packet, serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

/** A message that waits for its recipient, safe on disk. */
export interface StoredMessage {
  readonly packet: Packet;
  /** The recipient's bare JID. */
  readonly account: Jid;
  /** When it was taken in; milliseconds since 1970. */
  readonly at: number;
}

/** Offline storage for other modules. */
export interface OfflineService {
  /** Calls the listener for each message that has been committed for an absent recipient; returns how to stop that. */
  onStored(listener: (message: StoredMessage) => void): () => void;
  /** Since when a message waits for an account, by its stanza id there, in milliseconds since 1970, and as it waits: empty where the archive has it. */
  find(account: Jid, stanzaId: string): MaybePromise<{ readonly at: number; readonly wire: string } | undefined>;
  /** What waits for an account. */
  waiting(account: Jid): MaybePromise<{ readonly messages: number; readonly bytes: number }>;
}

export const Offline = serviceKey<OfflineService>('offline');
