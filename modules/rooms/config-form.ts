import type { Jid } from '../../src/jid/index.ts';
import { defineForm, field, type FormValues, refuse, StanzaError } from '../../src/protocol/index.ts';
import type { Element } from '../../src/xml/index.ts';
import type { RoomConfig } from './config.ts';

const ROOM_CONFIG = 'http://jabber.org/protocol/muc#roomconfig';
const ROOM_INFO = 'http://jabber.org/protocol/muc#roominfo';
/** XEP-0068 3.3: where fields are that no XEP has. */
const OWN = '{urn:posthouse:rooms:0}';

/** The longest slow mode, in seconds: a day. */
const SLOWEST = 86_400;
/** Admins and owners that a form may name. */
const MOST_ADDRESSES = 1000;

/** What the service allows its rooms. */
export interface ConfigLimits {
  /** Most occupants of a room. */
  readonly occupants: number;
  /** Most messages of history for somebody who enters. */
  readonly history: number;
}

const ROLES = { moderator: 'Moderators', participant: 'Participants', visitor: 'Visitors' } as const;
const SUGGESTED = [10, 20, 30, 50, 100, 200, 500, 1000, 5000];

/** muc#roomconfig (XEP-0045 15.5.3) in the limits of a service. */
function configForm({ occupants, history }: ConfigLimits) {
  return defineForm(ROOM_CONFIG, {
    name: field.text('muc#roomconfig_roomname', { label: 'Name of the room', most: 100 }),
    description: field.text('muc#roomconfig_roomdesc', { label: 'Short description of the room', most: 1000 }),
    language: field.text('muc#roomconfig_lang', { label: 'Language of the discussions', most: 35 }),
    persistent: field.boolean('muc#roomconfig_persistentroom', { label: 'The room stays when nobody is in it' }),
    listed: field.boolean('muc#roomconfig_publicroom', { label: 'The room is listed and can be found' }),
    membersOnly: field.boolean('muc#roomconfig_membersonly', { label: 'Only members may enter' }),
    passwordProtected: field.boolean('muc#roomconfig_passwordprotectedroom', {
      label: 'A password is needed to enter',
    }),
    password: field.secret('muc#roomconfig_roomsecret', { label: 'Password', most: 200 }),
    mostOccupants: field.integer('muc#roomconfig_maxusers', {
      label: 'Most occupants',
      minimum: 1,
      maximum: occupants,
      words: { none: 0 },
      suggested: SUGGESTED.filter(number => number <= occupants),
    }),
    whois: field.choice(
      'muc#roomconfig_whois',
      { moderators: 'Moderators', anyone: 'Everybody' },
      { label: 'Who sees the addresses of occupants' },
    ),
    moderated: field.boolean('muc#roomconfig_moderatedroom', { label: 'Only those with voice may speak' }),
    voiceRequests: field.boolean('muc#roomconfig_allow_voice_requests', { label: 'Visitors may ask for voice' }),
    changeSubject: field.boolean('muc#roomconfig_changesubject', { label: 'Participants may change the subject' }),
    allowInvites: field.boolean('muc#roomconfig_allowinvites', {
      label: 'Members may invite to a members-only room',
      desc: 'Who is invited to a members-only room becomes a member. To other rooms every occupant may invite.',
    }),
    allowPrivate: field.choice(
      'muc#roomconfig_allowpm',
      { anyone: 'Everybody', participants: 'Those with voice', moderators: 'Moderators', none: 'Nobody' },
      { label: 'Who may send private messages' },
    ),
    presenceBroadcast: field.choices('muc#roomconfig_presencebroadcast', ROLES, {
      label: 'Whose presence is shown to all',
    }),
    memberList: field.choices('muc#roomconfig_getmemberlist', ROLES, {
      label: 'Who may retrieve the list of members',
      desc: 'Where addresses are shown to moderators only, nobody else retrieves it.',
    }),
    registration: field.choice(
      `${OWN}registration`,
      { closed: 'Nobody', approval: 'Who is approved by an admin', open: 'Everybody' },
      { label: 'Who may become a member by registering' },
    ),
    lockNicks: field.boolean(`${OWN}lock_nicks`, { label: 'Who has a reserved nickname uses no other' }),
    logging: field.boolean('muc#roomconfig_enablelogging', { label: 'Messages are kept in the archive of the room' }),
    maxHistory: field.integer('muc#maxhistoryfetch', {
      label: 'Most messages of history for who enters',
      minimum: 0,
      maximum: history,
    }),
    slowMode: field.integer('muc#roomconfig_slow_mode_duration', {
      label: 'Slow mode',
      desc: 'Seconds that a user has to wait between two messages; 0 for none.',
      minimum: 0,
      maximum: SLOWEST,
    }),
    pubsub: field.text('muc#roomconfig_pubsub', { label: 'Address of a PubSub node of the room', most: 1000 }),
    admins: field.jids('muc#roomconfig_roomadmins', { label: 'Admins', bare: true, most: MOST_ADDRESSES }),
    owners: field.jids('muc#roomconfig_roomowners', { label: 'Owners', bare: true, most: MOST_ADDRESSES }),
  });
}

type Submitted = FormValues<ReturnType<typeof configForm>['fields']>;

/** Who a configuration form names. */
export interface Officers {
  readonly admins: readonly Jid[];
  readonly owners: readonly Jid[];
}

/** The form that an owner gets (XEP-0045 10.1.3, 10.2). */
export function writeConfigForm(
  config: RoomConfig,
  officers: Officers,
  limits: ConfigLimits,
  title: string,
  instructions: string,
): Element {
  // the operator may allow less than when it was chosen
  const mostOccupants = Math.min(config.mostOccupants, limits.occupants);
  const maxHistory = Math.min(config.maxHistory, limits.history);
  return configForm(limits).form({ ...config, mostOccupants, maxHistory, ...officers }, { title, instructions });
}

/** A submitted configuration: what the form does not name is as before. Who is not told of is undefined. */
export interface NewConfig extends Partial<Officers> {
  readonly config: RoomConfig;
}

/** Reads a submitted form. Errors: bad-request, and not-acceptable where it violates what the service allows (XEP-0045 10.1.3). */
export function readConfigForm(x: Element, before: RoomConfig, limits: ConfigLimits): NewConfig | StanzaError {
  const submitted: Partial<Submitted> | StanzaError = configForm(limits).read(x);
  if (submitted instanceof StanzaError) return submitted;
  const { admins, owners, ...changes } = submitted;
  const config: RoomConfig = { ...before, ...changes };
  if (config.passwordProtected && config.password === '')
    return refuse('not-acceptable', 'A room that a password protects needs one: muc#roomconfig_roomsecret is empty.');
  return { config, admins, owners };
}

/** muc#roominfo (XEP-0045 15.5.4, XEP-0317 3, XEP-0486 4.2, XEP-0500 5.2). */
const infoForm = defineForm(ROOM_INFO, {
  description: field.text('muc#roominfo_description', { label: 'Description' }),
  subject: field.text('muc#roominfo_subject', { label: 'Subject' }),
  changeSubject: field.boolean('muc#roomconfig_changesubject', { label: 'Participants may change the subject' }),
  subjectModifiable: field.boolean('muc#roominfo_subjectmod', { label: 'Participants may change the subject' }),
  occupants: field.integer('muc#roominfo_occupants', { label: 'Occupants', minimum: 0, maximum: 1_000_000 }),
  language: field.text('muc#roominfo_lang', { label: 'Language of the discussions' }),
  maxHistory: field.integer('muc#maxhistoryfetch', { label: 'Most messages of history', minimum: 0, maximum: 10_000 }),
  allowInvites: field.boolean('muc#roomconfig_allowinvites', { label: 'Members may invite' }),
  allowPrivate: field.text('muc#roomconfig_allowpm', { label: 'Who may send private messages' }),
  pubsub: field.text('muc#roomconfig_pubsub', { label: 'PubSub node of the room' }),
  slowMode: field.integer('muc#roominfo_slow_mode_duration', { label: 'Slow mode', minimum: 0, maximum: SLOWEST }),
  avatarHashes: field.texts('muc#roominfo_avatarhash', { label: 'Avatar', most: 10 }),
  hats: field.text('hats#hash', { label: 'Hats' }),
});

/** What of a room changes from hour to hour, for everybody to see. */
export interface RoomState {
  readonly subject: string;
  readonly occupants: number;
  /** SHA-1 of each picture (XEP-0153 4.1), in hexadecimal digits. */
  readonly avatarHashes: readonly string[];
  /** Another one for other hats (XEP-0317); undefined where there are none. */
  readonly hatsHash?: string | undefined;
}

/** What everybody who asks a room is told of it (XEP-0128). */
export function roomInfo(config: RoomConfig, { subject, occupants, avatarHashes, hatsHash }: RoomState): Element {
  const { description, language, pubsub, changeSubject, maxHistory, allowInvites, allowPrivate, slowMode } = config;
  const said = (text: string): string | undefined => (text === '' ? undefined : text);
  return infoForm.result({
    description: said(description),
    subject: said(subject),
    changeSubject,
    subjectModifiable: changeSubject,
    occupants,
    language: said(language),
    maxHistory,
    allowInvites,
    allowPrivate,
    pubsub: said(pubsub),
    slowMode,
    // XEP-0486 5: no field without an avatar
    avatarHashes: avatarHashes.length > 0 ? avatarHashes : undefined,
    hats: hatsHash,
  });
}
