import { createHash } from 'node:crypto';
import type { Jid } from '../../src/jid/index.ts';
import { defineForm, field, type FormValues } from '../../src/protocol/index.ts';
import { OWN } from './namespaces.ts';

/** How a device wants to be told (docs/protocol.md); what is not there is as the host has it. */
export const settingsForm = defineForm(OWN, {
  away: field.boolean('away', { label: 'Only while no other device is in use' }),
  content: field.choice(
    'content',
    { none: 'Nothing of the message', sender: 'Who sent it', body: 'Who sent it, and the text' },
    { label: 'What a notification says' },
  ),
  groups: field.choice(
    'groups',
    { always: 'Every message', 'on-mention': 'Where one is mentioned', never: 'Nothing' },
    { label: 'Groups without settings of their own' },
  ),
  identity: field.text('identity-type', { label: 'Kind of client (XEP-0492 2.2)', most: 64 }),
});

export type Settings = Partial<FormValues<typeof settingsForm.fields>>;

/** A field of what is given back with each notification: its name and values (XEP-0357 4). */
export type PublishOption = readonly [name: string, values: readonly string[]];

/** A device, or several, of an account that are told through a push service. */
export interface Registration {
  /** The account, the service and its node in one. */
  readonly key: string;
  readonly account: Jid;
  readonly service: Jid;
  /** '' where none was given. */
  readonly node: string;
  /** The resource of the session that enabled it last. */
  readonly device: string;
  readonly options: readonly PublishOption[];
  readonly settings: Settings;
  /** Milliseconds since 1970. */
  readonly enabledAt: number;
}

/** Addresses and nodes may be longer than what every database can index. */
export function keyOf(account: Jid, service: Jid, node: string): string {
  return createHash('sha256').update(`${account.bare}\0${service.full}\0${node}`).digest('base64url');
}
