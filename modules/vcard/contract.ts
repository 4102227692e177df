import { type MaybePromise, serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';

/** What somebody gets of an account's card; undefined for none. */
export type VcardView = (account: Jid, who: Jid, card: Element | undefined) => MaybePromise<Element | undefined>;
/** Told of the card that an account has set, and of the one before. */
export type VcardListener = (account: Jid, card: Element, before: Element | undefined) => MaybePromise<void>;

/** The cards of accounts (XEP-0054) for other modules. */
export interface VcardService {
  /** The card as it was set. */
  get(account: Jid): Promise<Element | undefined>;
  /** Whoever asks for a card gets what the view makes of it. The function returned ends that. */
  addView(view: VcardView): () => void;
  /** Called before the request is answered. */
  onSet(listener: VcardListener): () => void;
  /** Told of each account whose card was set, or carried here from another server. */
  onChange(listener: (account: Jid) => MaybePromise<void>): () => void;
}

export const Vcards = serviceKey<VcardService>('vcard');
