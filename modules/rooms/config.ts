/** How a room is: what its owners choose (XEP-0045 10.2), and what follows from it. */

/** The roles that occupants have (XEP-0045 5.1). */
export type OccupantRole = 'moderator' | 'participant' | 'visitor';

export const OCCUPANT_ROLES: readonly OccupantRole[] = ['moderator', 'participant', 'visitor'];

/** What owners choose for a room. Kept as JSON. */
export interface RoomConfig {
  readonly name: string;
  readonly description: string;
  /** A language tag, or ''. */
  readonly language: string;
  /** Whether it is listed and found (`muc_public`); otherwise hidden. */
  readonly listed: boolean;
  /** Whether it stays when the last occupant has left. */
  readonly persistent: boolean;
  /** Whether only those with voice speak. */
  readonly moderated: boolean;
  readonly membersOnly: boolean;
  readonly passwordProtected: boolean;
  /** Kept also while it is not asked for. */
  readonly password: string;
  /** Who sees the addresses of occupants: 'anyone' makes it non-anonymous, 'moderators' semi-anonymous. */
  readonly whois: 'anyone' | 'moderators';
  /** Most occupants at a time, of those below admin; 0 for as many as the service allows. */
  readonly mostOccupants: number;
  /** Whether in a members-only room members may invite, which makes the invited members. In other rooms every occupant may invite. */
  readonly allowInvites: boolean;
  /** Who may send private messages; 'participants' are those with voice. */
  readonly allowPrivate: 'anyone' | 'moderators' | 'none' | 'participants';
  /** Whether participants may change the subject. */
  readonly changeSubject: boolean;
  /** Roles of which presence is broadcast. */
  readonly presenceBroadcast: readonly OccupantRole[];
  /** Roles that may retrieve the list of members; where addresses are hidden only moderators do (XEP-0045 5.2.1). */
  readonly memberList: readonly OccupantRole[];
  /** Whether messages are kept in the room's archive, which those who enter are told (status 170). */
  readonly logging: boolean;
  /** Most messages of history that somebody who enters gets. */
  readonly maxHistory: number;
  /** Address of a pubsub node that belongs to the room, or ''. */
  readonly pubsub: string;
  /** Whether visitors may ask for voice. */
  readonly voiceRequests: boolean;
  /** Seconds that a user waits between two messages (XEP-0500); 0 for none. */
  readonly slowMode: number;
  /** Who may become a member by registering: nobody, who is approved by an admin, anybody. */
  readonly registration: 'approval' | 'closed' | 'open';
  /** Whether who has a reserved nickname may use only that one. */
  readonly lockNicks: boolean;
}

/** How a new room is where the service says nothing else. */
export const DEFAULTS: RoomConfig = {
  name: '',
  description: '',
  language: '',
  listed: true,
  persistent: false,
  moderated: false,
  membersOnly: false,
  passwordProtected: false,
  password: '',
  whois: 'moderators',
  mostOccupants: 0,
  allowInvites: false,
  allowPrivate: 'anyone',
  changeSubject: false,
  presenceBroadcast: OCCUPANT_ROLES,
  memberList: OCCUPANT_ROLES,
  logging: true,
  maxHistory: 20,
  pubsub: '',
  voiceRequests: true,
  slowMode: 0,
  registration: 'approval',
  lockNicks: false,
};

const KEYS = Object.keys(DEFAULTS) as (keyof RoomConfig)[];

/** A configuration as it was kept. What an older version did not know is as in `defaults`. */
export function configFromJson(json: string, defaults: RoomConfig): RoomConfig {
  const kept = JSON.parse(json) as Partial<RoomConfig>;
  return Object.fromEntries(KEYS.map(key => [key, kept[key] ?? defaults[key]])) as unknown as RoomConfig;
}

/** The keys that two configurations differ in. */
function changedKeys(before: RoomConfig, after: RoomConfig): (keyof RoomConfig)[] {
  return KEYS.filter(key => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}

/** Changes that have codes of their own. */
const TOLD_BY_CODE: ReadonlySet<keyof RoomConfig> = new Set(['logging', 'whois']);

/** The status codes that occupants are told of a change (XEP-0045 10.2.1); none where nothing changed. */
export function changeCodes(before: RoomConfig, after: RoomConfig): number[] {
  const codes: number[] = [];
  if (changedKeys(before, after).some(key => !TOLD_BY_CODE.has(key))) codes.push(104);
  if (before.logging !== after.logging) codes.push(after.logging ? 170 : 171);
  if (before.whois !== after.whois) codes.push(after.whois === 'anyone' ? 172 : 173);
  return codes;
}

/** What a room says of its kind in disco#info (XEP-0045 6.4, 15.3). */
export function configFeatures(config: RoomConfig): string[] {
  return [
    config.listed ? 'muc_public' : 'muc_hidden',
    config.persistent ? 'muc_persistent' : 'muc_temporary',
    config.membersOnly ? 'muc_membersonly' : 'muc_open',
    config.moderated ? 'muc_moderated' : 'muc_unmoderated',
    config.passwordProtected ? 'muc_passwordprotected' : 'muc_unsecured',
    config.whois === 'anyone' ? 'muc_nonanonymous' : 'muc_semianonymous',
  ];
}
