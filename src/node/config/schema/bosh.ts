import { option } from '../../../api/options.ts';

/** Clients that have nothing but HTTP requests (XEP-0124), at /http-bind of the https and http listeners. */
export const bosh = option.object({
  enabled: option.boolean({
    default: true,
    doc: 'Whether sessions may begin at /http-bind of the https and http listeners.',
    reload: 'live',
  }),
  wait: option.duration({
    default: 60,
    minimum: 1,
    maximum: 600,
    doc: 'How long a request is held until there is something to answer; proxies in front must allow more.',
    reload: 'new-sessions',
  }),
  hold: option.integer({
    default: 1,
    minimum: 1,
    maximum: 10,
    unit: 'requests',
    doc: 'Requests of a session that are held at once; it may have one more open.',
    reload: 'new-sessions',
  }),
  inactivity: option.duration({
    default: 60,
    minimum: 5,
    maximum: 3600,
    doc: 'How long a client may be without a request before its session ends.',
    reload: 'new-sessions',
  }),
  polling: option.duration({
    default: 5,
    minimum: 0,
    maximum: 60,
    doc: 'The shortest time between two empty requests; 0: any.',
    reload: 'new-sessions',
  }),
  pause: option.duration({
    default: 120,
    minimum: 0,
    maximum: 3600,
    doc: 'How long a client may say that it will be away, from one page to the next; 0: not at all.',
    reload: 'new-sessions',
  }),
  body: option.size({
    default: 1_048_576,
    minimum: 65_536,
    maximum: 33_554_432,
    doc: 'Largest request of a client that has logged in; before login it is limits.unauthenticatedBytes.',
    reload: 'live',
  }),
  sessions: option.integer({
    default: 20_000,
    minimum: 1,
    maximum: 1_000_000,
    doc: 'Sessions of the node; of one address as many as limits.connectionsPerAddress.',
    reload: 'live',
  }),
});
