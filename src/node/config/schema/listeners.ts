import { defineOptions, option } from '../../../api/options.ts';

/** One listener. */
export const listener = defineOptions({
  type: option.choice(['c2s', 'c2s-tls', 'https', 'http', 'component', 'socks5'], {
    default: 'c2s',
    doc: 'What is spoken there: XMPP with STARTTLS, XMPP in TLS, HTTPS (WebSocket at /xmpp-websocket, BOSH at /http-bind), HTTP (the same, loopback only), components (XEP-0114), SOCKS5 for file transfers (XEP-0065).',
  }),
  port: option.integer({ default: 5222, minimum: 1, maximum: 65_535, doc: 'TCP port.' }),
  addresses: option.list(option.string({ doc: 'An address of this machine.' }), {
    default: ['::'],
    doc: "Addresses to listen on; '::' is all, IPv4 too.",
  }),
  allowPlaintext: option.boolean({
    default: false,
    doc: 'Lets clients log in without TLS: for tests and benches, on loopback addresses only.',
  }),
});

/** Listeners that are there unless the configuration says `name: false`. */
export const DEFAULT_LISTENERS = {
  xmpp: { type: 'c2s', port: 5222, addresses: ['::'], allowPlaintext: false },
  xmpps: { type: 'c2s-tls', port: 5223, addresses: ['::'], allowPlaintext: false },
  https: { type: 'https', port: 5443, addresses: ['::'], allowPlaintext: false },
  http: { type: 'http', port: 5280, addresses: ['127.0.0.1'], allowPlaintext: false },
} as const;
