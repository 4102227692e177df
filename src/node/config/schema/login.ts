import { option } from '../../../api/options.ts';

/** Names of the SASL mechanisms that can be on, strongest first. */
const MECHANISMS = [
  'SCRAM-SHA-512-PLUS',
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-512',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1',
  'PLAIN',
] as const;

const DAY = 86_400; // seconds

/** How people log in, and how failures are braked. */
export const login = option.object({
  mechanisms: option.list(option.choice(MECHANISMS, { doc: 'A mechanism.' }), {
    default: [...MECHANISMS],
    doc: 'SASL mechanisms; -PLUS ones are offered over TCP with TLS (not over WebSocket and BOSH), PLAIN under TLS only.',
    reload: 'live',
  }),
  sasl2: option.boolean({
    default: true,
    doc: 'Whether SASL2 (XEP-0388) is offered too, and with it Bind 2 (XEP-0386): fewer round trips until a client is there.',
    reload: 'new-sessions',
  }),
  fast: option.boolean({
    default: true,
    doc: 'Whether clients may log in with tokens that they were given (FAST, XEP-0484); needs `sasl2`.',
    reload: 'new-sessions',
  }),
  tokenLifetime: option.duration({
    default: 30 * DAY,
    minimum: 60,
    maximum: 366 * DAY,
    doc: 'How long a token is good for. A client that was away for longer needs the password again.',
    reload: 'live',
  }),
  tokenRenewal: option.duration({
    default: DAY,
    minimum: 0,
    maximum: 366 * DAY,
    doc: 'Age of a token at which its client is given another one when it logs in; 0: each time.',
    reload: 'live',
  }),
  clientsKept: option.duration({
    default: 60 * DAY,
    minimum: 0,
    maximum: 3660 * DAY,
    doc: 'How long it is remembered that a client was here, for its user to see (XEP-0494); at least `tokenLifetime`.',
    reload: 'live',
  }),
  clientsPerAccount: option.integer({
    default: 50,
    minimum: 1,
    maximum: 10_000,
    doc: 'Clients of one account that are remembered; those that were not here for the longest time make room.',
    reload: 'live',
  }),
  iterations: option.integer({
    default: 10_000,
    minimum: 10_000,
    maximum: 10_000_000,
    doc: 'PBKDF2 iterations of stored credentials; raised for an account at its next login with PLAIN.',
    reload: 'live',
  }),
  attempts: option.integer({
    default: 5,
    minimum: 1,
    maximum: 100,
    doc: 'Failed logins of one connection.',
    reload: 'live',
  }),
  throttle: option.boolean({
    default: true,
    doc: 'Whether failed logins are braked, by account and by address.',
    reload: 'live',
  }),
  // COMPAT libstrophe (Profanity): one wrong password is three failures, for it tries each mechanism in turn
  failuresPerAccount: option.integer({
    default: 20,
    minimum: 1,
    maximum: 10_000,
    doc: 'Failures of one account from one network within `window`.',
    reload: 'live',
  }),
  failuresPerAddress: option.integer({
    default: 50,
    minimum: 1,
    maximum: 1_000_000,
    doc: 'Failures from one network within `window`.',
    reload: 'live',
  }),
  window: option.duration({
    default: 300,
    minimum: 1,
    maximum: 86_400,
    doc: 'Time in which failures are forgotten.',
    reload: 'live',
  }),
});
