import { defineOptions, option } from '../../../api/options.ts';

/** One domain, but for `modules`. */
export const host = defineOptions({
  certificate: option.string({
    doc: 'File with the certificate chain (PEM). Without it a self-signed one is made.',
    reload: 'live',
  }),
  key: option.string({ doc: 'File with the private key (PEM).', reload: 'live' }),
  anonymous: option.boolean({
    default: false,
    doc: 'Whether people without an account may log in (SASL ANONYMOUS).',
    reload: 'live',
  }),
  admins: option.list(option.jid({ doc: 'An address.' }), {
    default: [],
    doc: 'Who administers this host.',
    reload: 'live',
  }),
  seeOtherHost: option.string({ doc: 'Sends every client to another host (RFC 6120 4.9.3.19).', reload: 'live' }),
});
