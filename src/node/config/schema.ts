import { defineOptions, option } from '../../api/options.ts';

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

export const listener = defineOptions({
  type: option.choice(['c2s', 'c2s-tls', 'https', 'http', 'component', 'socks5'], {
    default: 'c2s',
    doc: 'What is spoken there: XMPP with STARTTLS, XMPP in TLS, HTTPS, HTTP (loopback only), components (XEP-0114), SOCKS5 for file transfers (XEP-0065).',
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

/** The configuration of a node, but for `hosts` and `modules`, whose keys are the operator's. */
export const core = defineOptions({
  admins: option.list(option.jid({ doc: 'An address.' }), {
    default: [],
    doc: 'Who administers all hosts.',
    reload: 'live',
  }),
  storage: option.object({
    folder: option.string({
      default: './data',
      doc: 'Folder of the database, the certificates and the control socket.',
    }),
    synchronous: option.choice(['NORMAL', 'FULL'], {
      default: 'NORMAL',
      doc: 'FULL waits for the disk at each commit; with NORMAL a power cut (not a crash) can cost the last commits.',
    }),
  }),
  limits: option.object({
    stanza: option.size({
      default: 262_144,
      minimum: 10_000,
      maximum: 16_777_216,
      doc: 'Largest stanza of a client that has logged in.',
      reload: 'new-sessions',
    }),
    stanzaBeforeLogin: option.size({
      default: 8192,
      minimum: 1024,
      maximum: 65_536,
      doc: 'Largest element before login.',
      reload: 'new-sessions',
    }),
    depth: option.integer({
      default: 64,
      minimum: 16,
      maximum: 1000,
      unit: 'levels',
      doc: 'Deepest nesting of elements.',
      reload: 'new-sessions',
    }),
    attributes: option.integer({
      default: 64,
      minimum: 16,
      maximum: 1000,
      doc: 'Attributes of one element.',
      reload: 'new-sessions',
    }),
    elements: option.integer({
      default: 10_000,
      minimum: 100,
      maximum: 1_000_000,
      doc: 'Elements of one stanza.',
      reload: 'new-sessions',
    }),
    bytesPerSecond: option.size({
      default: 1_048_576,
      minimum: 0,
      doc: 'What a session may send a second, on average; 0 for any. Above it the client is read more slowly.',
      reload: 'live',
    }),
    bytesBurst: option.size({ default: 4_194_304, minimum: 65_536, doc: 'What it may send at once.', reload: 'live' }),
    stanzasPerSecond: option.integer({
      default: 1000,
      minimum: 0,
      unit: 'stanzas',
      doc: 'Stanzas a second, on average; 0 for any.',
      reload: 'live',
    }),
    stanzasBurst: option.integer({
      default: 5000,
      minimum: 10,
      unit: 'stanzas',
      doc: 'Stanzas at once.',
      reload: 'live',
    }),
    connectionsPerAddress: option.integer({
      default: 1000,
      minimum: 0,
      doc: 'Connections of one address; 0 for any.',
      reload: 'live',
    }),
    unauthenticatedTime: option.duration({
      default: 20,
      minimum: 1,
      maximum: 600,
      doc: 'How long a connection may take to log in.',
      reload: 'live',
    }),
    unauthenticatedBytes: option.size({
      default: 32_768,
      minimum: 4096,
      maximum: 1_048_576,
      doc: 'What it may send until then.',
      reload: 'live',
    }),
    inbox: option.integer({
      default: 100,
      minimum: 1,
      maximum: 100_000,
      unit: 'stanzas',
      doc: 'Stanzas of a session that may wait for their turn before it is read no more.',
      reload: 'live',
    }),
    outboxBytes: option.size({
      default: 8_388_608,
      minimum: 65_536,
      doc: 'What may wait for one client; a slower reader is closed, and nothing of it lost.',
      reload: 'live',
    }),
    outboxStanzas: option.integer({
      default: 20_000,
      minimum: 100,
      unit: 'stanzas',
      doc: 'The same in stanzas.',
      reload: 'live',
    }),
    outboxTime: option.duration({
      default: 60,
      minimum: 5,
      maximum: 3600,
      doc: 'How long a reader may take nothing.',
      reload: 'live',
    }),
  }),
  login: option.object({
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
    failuresPerAccount: option.integer({
      default: 10,
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
  }),
  sessions: option.object({
    conflict: option.choice(['replace', 'refuse', 'rename'], {
      default: 'replace',
      doc: 'When a client binds a resource that is in use: the old session ends, the new one is refused, or gets another resource.',
      reload: 'live',
    }),
    maxPerUser: option.integer({
      default: 50,
      minimum: 1,
      maximum: 100_000,
      doc: 'Sessions of one account.',
      reload: 'live',
    }),
    silence: option.duration({
      default: 300,
      minimum: 0,
      maximum: 86_400,
      doc: 'Silence after which a client is asked whether it is still there; 0: never.',
      reload: 'live',
    }),
    answer: option.duration({
      default: 60,
      minimum: 5,
      maximum: 600,
      doc: 'How long it has to answer.',
      reload: 'live',
    }),
    resumption: option.duration({
      default: 300,
      minimum: 0,
      maximum: 86_400,
      doc: 'How long a session waits for its client to come back (XEP-0198); 0: not at all.',
      reload: 'new-sessions',
    }),
    resumptionMax: option.duration({
      default: 1800,
      minimum: 0,
      maximum: 604_800,
      doc: 'The most that a client may ask for.',
      reload: 'new-sessions',
    }),
  }),
  log: option.object({
    level: option.choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace'], {
      default: 'info',
      doc: 'The least that is logged.',
    }),
    format: option.choice(['auto', 'pretty', 'json'], {
      default: 'auto',
      doc: 'For people or for programs; auto: for people at a terminal.',
    }),
    file: option.string({ doc: 'A file instead of standard output.' }),
  }),
  shutdown: option.object({
    time: option.duration({
      default: 15,
      minimum: 1,
      maximum: 600,
      doc: 'How long an orderly stop may take.',
      reload: 'live',
    }),
  }),
});

/** Listeners that are there unless the configuration says `name: false`. */
export const DEFAULT_LISTENERS = {
  xmpp: { type: 'c2s', port: 5222, addresses: ['::'], allowPlaintext: false },
  xmpps: { type: 'c2s-tls', port: 5223, addresses: ['::'], allowPlaintext: false },
  https: { type: 'https', port: 5443, addresses: ['::'], allowPlaintext: false },
  http: { type: 'http', port: 5280, addresses: ['127.0.0.1'], allowPlaintext: false },
} as const;

/** Modules that are on unless the configuration says `name: false`. */
export const DEFAULT_MODULES = [
  'administration',
  'blocking',
  'carbons',
  'commands',
  'contact',
  'disco',
  'external-services',
  'friend-requests',
  'last-activity',
  'messages',
  'offline',
  'ping',
  'presence',
  'private-storage',
  'registration',
  'roster',
  'stanza-id',
  'stored',
  'time',
  'vcard',
  'version',
] as const;
