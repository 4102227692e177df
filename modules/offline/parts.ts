import { BARE, FULL, type MaybePromise, Packet, type SessionView } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { OfflineStore, StoredRow } from './store.ts';

/** A message as it is handed over. */
export interface Waiting extends Omit<StoredRow, 'wire'> {
  /** Undefined where it cannot be read now, empty where it is no more. */
  readonly wire: string | undefined;
}

/** What mailboxes need of the node. */
export interface MailboxParts {
  readonly store: OfflineStore;
  /** What waits behind a stanza id, as `OfflineStore.page` has it, whole. */
  page(account: Jid, after: string, limit: number, bytes: number): MaybePromise<readonly Waiting[]>;
  /** The sessions of an account, best first or not. */
  sessions(account: Jid): readonly SessionView[];
  /** Resolved when what ended sessions of the account left has come here. */
  passing(account: Jid): Promise<void> | undefined;
  deliver(packet: Packet, session: SessionView, taken: (taken: boolean) => void): void | Promise<void>;
  /** Whether a session's client has had the message otherwise: as a copy (XEP-0280), or out of its archive. */
  has(session: SessionView, message: Pick<Waiting, 'stanzaId' | 'archived'>): boolean;
  /** Whether the account does not want to hear that address any more (XEP-0191 3.3). */
  unwanted(account: Jid, from: Jid): MaybePromise<boolean>;
  failed(error: unknown, account: Jid): void;
}

export function isEligible(session: SessionView): boolean {
  return session.alive && session.presence !== undefined && session.priority >= 0;
}

/** A stored message as a packet. Undefined when the row holds none. */
export function restored(wire: string, account: Jid): Packet | undefined {
  const packet = Packet.fromWire(wire, account, account);
  const from = parseJid(packet.stanza.attr('from') ?? '');
  const to = parseJid(packet.stanza.attr('to') ?? '') ?? account;
  if (!from) return undefined;
  const own = packet.readdressed(to, from);
  own.address = to.isBare ? BARE : FULL;
  return own;
}
