/* Which services there are, and with what credentials somebody uses them. */
import { createHmac } from 'node:crypto';
import { defineOptions, option, type OptionsOf } from '../../src/api/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';

const service = option.object({
  type: option.string({
    default: 'turn',
    doc: 'Kind of service: stun, stuns, turn, turns, or another by its name (ftp, http).',
    reload: 'live',
    pattern: '^[a-z][a-z0-9._-]*$',
  }),
  host: option.string({ required: true, doc: 'Name or address of the server.', reload: 'live', pattern: '^[^\\s/]+$' }),
  port: option.integer({
    default: 0,
    minimum: 0,
    maximum: 65_535,
    doc: 'Its port; 0: the usual one of its type (3478, with TLS 5349), or none is told.',
    reload: 'live',
  }),
  transport: option.choice(['udp', 'tcp'], { default: 'udp', doc: 'Transport protocol.', reload: 'live' }),
  secret: option.secret({
    doc: 'The secret shared with the TURN server (static-auth-secret of coturn), of which each user gets credentials of their own for a time.',
    reload: 'live',
  }),
  username: option.string({
    doc: 'A name at the service that all users share, where there is no secret.',
    reload: 'live',
  }),
  password: option.secret({ doc: 'The password of that name.', reload: 'live' }),
  name: option.string({ default: '', doc: 'A name for people.', reload: 'live' }),
});

export const options = defineOptions({
  services: option.list(service, {
    default: [],
    doc: 'The services, in the order in which they are offered.',
    reload: 'live',
  }),
  lifetime: option.duration({
    default: 86_400,
    minimum: 60,
    maximum: 604_800,
    doc: 'How long credentials that are made of a secret hold.',
    reload: 'live',
  }),
});

export type Options = OptionsOf<typeof options>;
export type Service = Options['services'][number];

/** RFC 5389 18.4, RFC 8656 18. */
const USUAL: Readonly<Record<string, number>> = { stun: 3478, turn: 3478, stuns: 5349, turns: 5349 };

export function portOf({ type, port }: Service): number | undefined {
  return port === 0 ? USUAL[type] : port;
}

/** Whether nobody uses a service without credentials. */
export function isRestricted({ secret, username }: Service): boolean {
  return secret !== '' || username !== '';
}

/** XEP-0215 2: a service as one account may use it. `now` in milliseconds since 1970. */
export function serviceElement(one: Service, account: string, lifetime: number, now = Date.now()): Element {
  const { type, host, transport, name } = one;
  return xml('service', {
    type,
    host,
    port: portOf(one),
    transport,
    name: name || undefined,
    restricted: isRestricted(one) ? 'true' : undefined,
    ...credentials(one, account, Math.floor(now / 1000) + lifetime),
  });
}

/** What tells one service from another. */
export function keyOf(one: Service): string {
  return [one.type, one.host, portOf(one), one.transport].join(' ');
}

function credentials({ secret, username, password }: Service, account: string, expires: number) {
  if (secret !== '') {
    const own = turnCredentials(secret, `${expires}:${account}`);
    return { ...own, expires: `${new Date(expires * 1000).toISOString().slice(0, 19)}Z` };
  }
  return username === '' ? {} : { username, password };
}

/**
 * Name and password for a TURN server that shares the secret: the name begins with the time at which they expire, and the password is a
 * MAC of the name (draft-uberti-behave-turn-rest 2.2).
 */
export function turnCredentials(secret: string, username: string): { username: string; password: string } {
  return { username, password: createHmac('sha1', secret).update(username).digest('base64') };
}
