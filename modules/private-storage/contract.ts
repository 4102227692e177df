import { type MaybePromise, serviceKey } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';

/** A document that another module has a say in: what it gives its readers, and what it makes of what is stored. */
export interface SharedDocument {
  readonly name: string;
  readonly xmlns: string;
  /** Whether it is so for accounts of that host. */
  serves(host: string): boolean;
  /** What a reader gets, where `stored` is what was put there last. */
  read(account: Jid, stored: Element | undefined): MaybePromise<Element | undefined>;
  /** Called when a client has put it there. */
  stored(account: Jid, document: Element): MaybePromise<void>;
}

export interface PrivateStorageService {
  /** One module for each document. The function returned ends that. */
  share(document: SharedDocument): () => void;
  /** What was put there last. */
  get(account: Jid, name: string, xmlns: string): Promise<Element | undefined>;
}

export const PrivateStorage = serviceKey<PrivateStorageService>('private-storage');
