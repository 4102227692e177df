import { serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

/** What accounts have read, for other modules. */
export interface InboxService {
  /**
   * An account has displayed the message of that id, which it gave it (XEP-0359), in its conversation with somebody, and all before it.
   * Never moves back; an id that is none of this server's changes nothing.
   */
  displayed(account: Jid, correspondent: Jid, stanzaId: string): Promise<void>;
}

export const Inbox = serviceKey<InboxService>('inbox');
