import { option } from '../../../api/options.ts';

/** What is done with sessions: conflicts, silence, resumption. */
export const sessions = option.object({
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
  durable: option.boolean({
    default: true,
    doc: 'Whether sessions that can be resumed outlive the program: after a crash their clients go on where they were. What is sent to them is written to the database first.',
  }),
  resumptionMax: option.duration({
    default: 1800,
    minimum: 0,
    maximum: 604_800,
    doc: 'The most that a client may ask for.',
    reload: 'new-sessions',
  }),
});
