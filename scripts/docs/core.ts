import type { XepClaim } from '../../src/api/index.ts';

/** What the house itself implements, below all modules. A test sees to it that the code cites each of them. */
export const CORE: { readonly xeps: readonly XepClaim[]; readonly rfcs: readonly string[] } = {
  xeps: [
    { number: 106, version: '1.1.1' },
    { number: 124, version: '1.11.2', note: 'at /http-bind; a session holds one stream' },
    { number: 156, version: '1.4.0', note: 'host-meta and host-meta.json' },
    { number: 175, version: '1.2', note: 'for hosts that allow it' },
    { number: 198, version: '1.6.3', note: 'with resumption, over any transport' },
    { number: 206, version: '1.4' },
    { number: 227, version: '1.1', note: 'accounts, credentials and what modules keep, archives and nodes too' },
    { number: 352, version: '1.0.0' },
    { number: 368, version: '1.1.0', status: 'partial', note: 'direct TLS for clients; none between servers' },
    { number: 386, version: '1.1.0' },
    { number: 388, version: '1.0.4', note: 'offered beside the profile of RFC 6120' },
    { number: 440, version: '1.0.0', note: 'tls-exporter and tls-server-end-point' },
    { number: 474, version: '0.5.0', note: 'in both SASL profiles' },
    { number: 484, version: '0.2.0', note: 'HT-SHA-256 with EXPR, UNIQ, ENDP and NONE; no TLS 0-RTT' },
  ],
  rfcs: [
    'RFC 4505',
    'RFC 4616',
    'RFC 5802',
    'RFC 5929',
    'RFC 6120',
    'RFC 7395',
    'RFC 7590',
    'RFC 7622',
    'RFC 7677',
    'RFC 8265',
    'RFC 9266',
  ],
};
