import { serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';

/** A conversation that is in another archive than the account's own: of a group. Keys are those of the archive. */
export interface Beside {
  /** A bare address. */
  readonly jid: Jid;
  /** Key and stanza id of its last message. */
  readonly last: number;
  readonly id: string;
  /** Key of its last text; 0 for none. */
  readonly text: number;
  /** Key of what shows that text now: itself, or its last correction (XEP-0308). */
  readonly shown: number;
  /** Texts that are not read, and the key of the first of them. */
  readonly unread: number;
  readonly first: number;
}

/** Who has conversations in other archives than their own. */
export interface BesideSource {
  all(account: Jid): Promise<readonly Beside[]>;
  /** The one of that address; undefined where the account has it not, or no more. */
  one(account: Jid, jid: Jid): Promise<Beside | undefined>;
}

/** The accounts of which a client is told what changes in its inbox. */
export interface Watching {
  /** Another one each time that there are others. */
  readonly version: number;
  readonly size: number;
  has(bare: string): boolean;
  /** Bare addresses. */
  keys(): Iterable<string>;
}

/** What accounts have read, for other modules. */
export interface InboxService {
  /**
   * An account has displayed the message of that id, which it gave it (XEP-0359), in its conversation with somebody, and all before it.
   * Never moves back; an id that is none of that conversation's changes nothing.
   */
  displayed(account: Jid, correspondent: Jid, stanzaId: string): Promise<void>;
  /** Asked for conversations of accounts whose clients ask for their inbox, or are told what changes in it. The function returned ends that. */
  beside(source: BesideSource): () => void;
  /** Whom it is worth telling so. */
  readonly watching: Watching;
  /** Something was said in such a conversation, or the account has read more of it, or has it no more. */
  changed(account: Jid, jid: Jid): void;
}

export const Inbox = serviceKey<InboxService>('inbox');
