import { option } from '../../src/api/index.ts';

const status = option.integer({ default: 0, minimum: 100, maximum: 599, doc: 'An HTTP status.', reload: 'restart' });
const template = option.object({
  url: option.string({ required: true, doc: 'Where the request goes, with placeholders behind the host.' }),
  method: option.choice(['POST', 'PUT', 'GET'], { default: 'POST', doc: 'The method of the request.' }),
  headers: option.map(option.string({ doc: 'A header, with placeholders.' }), {
    keys: 'a name of a header',
    doc: 'Headers of the request.',
  }),
  format: option.choice(['json', 'form', 'xml', 'text'], {
    default: 'json',
    doc: 'What the body is: how placeholders in it are escaped, and its Content-Type.',
  }),
  body: option.string({ doc: 'The body, with placeholders.' }),
  secrets: option.map(option.secret({ doc: 'A secret, for {secret:NAME}.' }), {
    doc: 'Secrets that placeholders may name.',
  }),
  gone: option.list(status, { default: [404, 410], doc: 'Statuses that say that the device is known no more.' }),
  goneText: option.string({ doc: 'A text in an answer that says so, whatever its status.' }),
  retry: option.list(status, { default: [429, 500, 502, 503, 504], doc: 'Statuses that say that it may go later.' }),
  retryText: option.string({ doc: 'A text in an answer that says so, whatever its status.' }),
  acceptedText: option.string({ doc: 'A text without which an answer is a refusal.' }),
});

export const gatewayOptions = {
  domain: option.string({
    default: 'push.{host}',
    doc: "The domain of the gateway; '{host}' stands for the host.",
    reload: 'live',
  }),
  access: option.choice(['local', 'anybody'], {
    default: 'local',
    doc: 'Who may register a device: accounts of this server, or of any.',
    reload: 'live',
  }),
  perUser: option.integer({
    default: 50,
    minimum: 1,
    maximum: 10_000,
    doc: 'Devices of one account; one more takes the place of the one that was registered longest ago.',
    reload: 'live',
  }),
  webPush: option.object({
    enabled: option.boolean({ default: true, doc: 'Whether browsers and apps of Web Push may register.' }),
    contact: option.string({
      default: 'https://{host}/',
      pattern: '^(mailto:.+@.+|https://.+)$',
      doc: "Where push services reach the operator (RFC 8292 2.1); '{host}' stands for the first host.",
    }),
    hosts: option.list(option.string({ doc: 'A name.', pattern: '^(\\*|(\\*\\.)?[A-Za-z0-9.-]+)$' }), {
      default: ['fcm.googleapis.com', '*.push.services.mozilla.com', '*.notify.windows.com', '*.push.apple.com'],
      doc: "The push services that are used, by name; '*.' for all below a name, '*' for every one with a public address.",
    }),
  }),
  fcm: option.object({
    account: option.secret({ doc: 'The file of a service account of Firebase (JSON): { file: PATH }.' }),
    server: option.string({ default: 'https://fcm.googleapis.com', pattern: '^https://', doc: 'The server of FCM.' }),
  }),
  apns: option.object({
    key: option.secret({ doc: 'The signing key that Apple gives (.p8): { file: PATH }.' }),
    keyId: option.string({ doc: 'The name of the key, ten characters.' }),
    teamId: option.string({ doc: 'The name of the team, ten characters.' }),
    topic: option.string({ doc: 'The bundle id of the app.' }),
    server: option.string({
      default: 'https://api.push.apple.com',
      pattern: '^https://',
      doc: 'The server of APNs; https://api.sandbox.push.apple.com for apps under development.',
    }),
    alert: option.string({ default: 'New message', doc: 'What a phone shows where the app does not change it.' }),
  }),
  templates: option.map(template, {
    keys: 'a name of a channel',
    doc: 'Other vendors, each by one HTTP request (docs/push.md).',
  }),
  ca: option.string({
    doc: 'A file (PEM) of certificate authorities that are trusted beside those of the system.',
  }),
  atOnce: option.integer({
    default: 100,
    minimum: 1,
    maximum: 10_000,
    doc: 'Notifications on their way over one channel at a time.',
    reload: 'live',
  }),
  timeout: option.duration({
    default: 30,
    minimum: 1,
    maximum: 600,
    doc: 'How long a vendor may take to answer.',
    reload: 'live',
  }),
  attempts: option.integer({
    default: 8,
    minimum: 1,
    maximum: 100,
    doc: 'How often a notification is tried, later and later, before it is given up.',
    reload: 'live',
  }),
  queue: option.integer({
    default: 100_000,
    minimum: 1,
    maximum: 10_000_000,
    doc: 'Devices that may have something under way; publishers are told to wait beyond that.',
    reload: 'live',
  }),
} as const;
