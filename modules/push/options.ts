import { option } from '../../src/api/index.ts';

export const pushOptions = {
  perUser: option.integer({
    default: 20,
    minimum: 1,
    maximum: 1000,
    doc: 'Registrations of one account; one more takes the place of the one that was enabled longest ago.',
    reload: 'live',
  }),
  content: option.choice(['none', 'sender', 'body'], {
    default: 'none',
    doc: 'The most that a notification says of the last message: nothing, who sent it, or its text as well. A device may ask for less.',
    reload: 'live',
  }),
  away: option.boolean({
    default: true,
    doc: 'Whether a device is left alone while another one of its user is in use, where it does not say so itself.',
    reload: 'live',
  }),
  inactive: option.boolean({
    default: true,
    doc: 'Whether a device is told that is connected, but says that nobody looks at it (XEP-0352): many sleep and read nothing.',
    reload: 'live',
  }),
  groups: option.boolean({
    default: true,
    doc: 'Whether devices are told of what is said in persistent rooms that their users belong to.',
    reload: 'live',
  }),
  pause: option.duration({
    default: 1,
    minimum: 0,
    maximum: 3600,
    doc: 'Time between two notifications of one device; what comes meanwhile is in the next one. Calls do not wait.',
    reload: 'live',
  }),
  timeout: option.duration({
    default: 30,
    minimum: 1,
    maximum: 600,
    doc: 'How long a push service may take to answer.',
    reload: 'live',
  }),
  failures: option.integer({
    default: 10,
    minimum: 1,
    maximum: 1000,
    doc: 'Failures in a row that may pass by themselves (a service that is away, or overloaded) after which a registration ends.',
    reload: 'live',
  }),
  atOnce: option.integer({
    default: 64,
    minimum: 1,
    maximum: 10_000,
    doc: 'Notifications on their way to one push service at a time.',
    reload: 'live',
  }),
  queue: option.integer({
    default: 100_000,
    minimum: 1,
    maximum: 10_000_000,
    doc: 'Accounts and devices that may wait for their turn each; what comes beyond that is counted as dropped.',
    reload: 'live',
  }),
} as const;
