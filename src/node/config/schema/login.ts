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

/** How people log in, and how failures are braked. */
export const login = option.object({
  mechanisms: option.list(option.choice(MECHANISMS, { doc: 'A mechanism.' }), {
    default: [...MECHANISMS],
    doc: 'SASL mechanisms; -PLUS ones are offered over TCP with TLS (not over WebSocket), PLAIN under TLS only.',
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
