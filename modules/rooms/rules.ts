/* What an operator decides for all rooms of a service: who makes them, by what names, how many, and how they are at first. */
import { andThen, type MaybePromise, type NodeView, option, type OptionsOf } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { refuse, type StanzaError } from '../../src/protocol/index.ts';
import { DEFAULTS, type RoomConfig } from './config.ts';
import type { RoomLists } from './lists.ts';
import { LONGEST_ADDRESS } from './schema.ts';

const reload = 'live';
const { boolean, choice, integer, string } = option;

export const ruleOptions = {
  create: choice(['everybody', 'accounts', 'admins'], {
    default: 'accounts',
    doc: 'Who may make rooms: everybody, also from other servers; accounts of this server; administrators of the host.',
    reload,
  }),
  names: string({
    doc: 'A regular expression that the names of rooms match as a whole (what is before the @); empty for any. Administrators may use others.',
    reload,
  }),
  roomsPerUser: integer({
    default: 200,
    maximum: 1_000_000,
    doc: 'Rooms that a user may have made; 0 for any number.',
    reload,
  }),
  occupants: integer({
    default: 10_000,
    minimum: 1,
    maximum: 100_000,
    doc: 'Most occupants of a room; its owners may choose less.',
    reload,
  }),
  history: integer({
    default: 100,
    maximum: 1000,
    unit: 'messages',
    doc: 'Most messages of history that somebody gets who enters; owners may choose less.',
    reload,
  }),
  cardSize: option.size({
    default: 131_072,
    minimum: 1024,
    maximum: 1_048_576,
    doc: 'Largest vCard of a room, with its avatar.',
    reload,
  }),
  applications: option.duration({
    default: 2_592_000,
    minimum: 60,
    doc: 'How long it waits for an admin to decide that somebody wants to become a member.',
    reload,
  }),
  defaults: option.object(
    {
      listed: boolean({ default: DEFAULTS.listed, doc: 'Listed, and found.', reload }),
      persistent: boolean({ default: DEFAULTS.persistent, doc: 'Stays when nobody is in it.', reload }),
      membersOnly: boolean({ default: DEFAULTS.membersOnly, doc: 'Only members enter.', reload }),
      moderated: boolean({ default: DEFAULTS.moderated, doc: 'Only those with voice speak.', reload }),
      anonymous: boolean({
        default: DEFAULTS.whois === 'moderators',
        doc: 'Only moderators see the addresses of occupants.',
        reload,
      }),
      changeSubject: boolean({ default: DEFAULTS.changeSubject, doc: 'Participants change the subject.', reload }),
      allowInvites: boolean({
        default: DEFAULTS.allowInvites,
        doc: 'Members invite to members-only rooms.',
        reload,
      }),
      logging: boolean({ default: DEFAULTS.logging, doc: 'Messages are kept in the archive.', reload }),
      history: integer({
        default: DEFAULTS.maxHistory,
        maximum: 1000,
        unit: 'messages',
        doc: 'Most messages of history for who enters.',
        reload,
      }),
      registration: choice(['closed', 'approval', 'open'], {
        default: DEFAULTS.registration,
        doc: 'Whether users become members by registering: not, when an admin approves it, at once.',
        reload,
      }),
      language: string({ doc: 'The language of the discussions, as a language tag.', reload }),
    },
    { doc: 'How a new room is, until its owner chooses otherwise.' },
  ),
} as const;

export type Rules = OptionsOf<typeof ruleOptions>;

/** How a new room is. */
export function newConfig({ defaults, history }: Rules): RoomConfig {
  const { anonymous, history: maxHistory, ...same } = defaults;
  return {
    ...DEFAULTS,
    ...same,
    maxHistory: Math.min(maxHistory, history),
    whois: anonymous ? 'moderators' : 'anyone',
  };
}

/** Who wants to make which room. */
export interface Making {
  readonly creator: Jid;
  readonly room: Jid;
  /** The host that the service belongs to. */
  readonly host: string;
}

/** Why somebody may not make a room (XEP-0045 10.1.1); undefined when they may. */
export function refusedMaking(
  { creator, room, host }: Making,
  rules: Rules,
  node: Pick<NodeView, 'hosts' | 'isAdmin' | 'session'>,
  lists: Pick<RoomLists, 'made'>,
): MaybePromise<StanzaError | undefined> {
  if (room.bare.length > LONGEST_ADDRESS)
    return refuse('not-acceptable', `The address of a room has at most ${LONGEST_ADDRESS} characters.`);
  if (node.isAdmin(creator.toBare(), host)) return undefined;
  if (rules.create === 'admins') return refuse('not-allowed', 'Only administrators make rooms here.');
  const isAccount = node.hosts.has(creator.domain) && node.session(creator)?.anonymous !== true;
  if (rules.create === 'accounts' && !isAccount)
    return refuse('not-allowed', 'Only accounts of this server make rooms.');
  if (!matches(room.local, rules.names)) return refuse('not-acceptable', 'Rooms here have other names.');
  if (rules.roomsPerUser === 0) return undefined;
  return andThen(lists.made(creator, room.domain), made =>
    made < rules.roomsPerUser
      ? undefined
      : refuse('resource-constraint', `You have made ${made} rooms, and may have ${rules.roomsPerUser}.`),
  );
}

/** The last expressions that were used, compiled. */
const compiled = new Map<string, RegExp | undefined>();

/** Whether a name is allowed. By an expression that is none, no name is. */
function matches(name: string, pattern: string): boolean {
  if (pattern === '') return true;
  if (!compiled.has(pattern)) {
    if (compiled.size > 100) compiled.clear();
    compiled.set(pattern, compile(pattern));
  }
  return compiled.get(pattern)?.test(name) ?? false;
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    return undefined;
  }
}

/** What is wrong with the rules, for the log; undefined when nothing is. */
export function ruleProblem({ names }: Rules): string | undefined {
  return names !== '' && compile(names) === undefined
    ? `'names' is no regular expression, so nobody can make a room: ${names}`
    : undefined;
}
