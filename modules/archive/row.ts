import { fromWire } from '../../src/xml/index.ts';
import type { Address } from './addresses.ts';
import { tailOf } from './key.ts';
import { MESSAGES } from './schema.ts';

/** A message that is to be kept. */
export interface NewMessage {
  /** Its stanza id (modules/stanza-id); later calls bring greater ones. */
  readonly id: string;
  /** Of its id. */
  readonly key: number;
  readonly sender: Address;
  readonly recipient: Address;
  /** SENT, RECEIVED, TEXT, CORRECTS. */
  readonly flags: number;
  /** Of the client's own id (key.ts). */
  readonly mark: number;
  /** A wire string (src/xml/escape.ts). */
  readonly stanza: string;
}

export const COLUMNS = ['id', 'tail', 'sender', 'recipient', 'flags', 'mark', 'stanza'];
export const INSERT = `insert into ${MESSAGES} (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')})`;

export function valuesOf({ id, key, sender, recipient, flags, mark, stanza }: NewMessage): readonly unknown[] {
  return [key, tailOf(id), sender.id, recipient.id, flags, mark, fromWire(stanza)];
}
