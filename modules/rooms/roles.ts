/*
 * Roles and affiliations (XEP-0045 5), and the one place that says who may change or list which of them. The refusals are those that the
 * text of each use case names.
 */
import { refuse, type StanzaError } from '../../src/protocol/index.ts';
import type { OccupantRole, RoomConfig } from './config.ts';

export type { OccupantRole } from './config.ts';
/** XEP-0045 5.2, in the order of power. */
export type Affiliation = 'outcast' | 'none' | 'member' | 'admin' | 'owner';
/** XEP-0045 5.1; 'none' is of those who are not in the room. */
export type Role = OccupantRole | 'none';

export const AFFILIATIONS: readonly Affiliation[] = ['outcast', 'none', 'member', 'admin', 'owner'];

const rank = (affiliation: Affiliation): number => AFFILIATIONS.indexOf(affiliation);

export function isAffiliation(text: string | undefined): text is Affiliation {
  return (AFFILIATIONS as readonly (string | undefined)[]).includes(text);
}

export function isRole(text: string | undefined): text is Role {
  return text === 'none' || text === 'visitor' || text === 'participant' || text === 'moderator';
}

export function atLeast(affiliation: Affiliation, least: Affiliation): boolean {
  return rank(affiliation) >= rank(least);
}

type Moderated = Pick<RoomConfig, 'moderated'>;

/** The role that somebody enters with: XEP-0045 5.1.2. */
export function initialRole(config: Moderated, affiliation: Affiliation): OccupantRole {
  if (atLeast(affiliation, 'admin')) return 'moderator';
  return config.moderated && affiliation !== 'member' ? 'visitor' : 'participant';
}

/** The role that an occupant has after another affiliation was given: XEP-0045 5.1.3. */
export function roleAfter(
  config: Moderated,
  role: OccupantRole,
  before: Affiliation,
  after: Affiliation,
): OccupantRole {
  if (atLeast(after, 'admin')) return 'moderator';
  // a moderator without an affiliation for it was made one, and remains it
  if (role === 'moderator' && !atLeast(before, 'admin')) return role;
  return initialRole(config, after);
}

/** Who asks for a change. */
export interface Actor {
  readonly affiliation: Affiliation;
  /** The highest role that they have in the room; undefined where they are not in it. */
  readonly role: OccupantRole | undefined;
}

/** An occupant whose role is to be another. */
export interface RoleTarget {
  readonly affiliation: Affiliation;
  readonly role: OccupantRole;
  /** Whether the actor has the same account. */
  readonly self: boolean;
}

/** Whether an actor may give an occupant that role: XEP-0045 8.2 to 8.5, 9.6 to 9.8. */
export function refusedRole(actor: Actor, target: RoleTarget, after: Role): StanzaError | undefined {
  const administers = atLeast(actor.affiliation, 'admin');
  if (!administers && actor.role !== 'moderator') return refuse('forbidden', 'Only moderators do that.');
  if (after === 'none') return refusedKick(actor, target);
  // 9.6
  if (after === 'moderator')
    return administers || target.role === 'moderator'
      ? undefined
      : refuse('forbidden', 'Only admins and owners make moderators.');
  // 8.4, 9.7: nobody takes them from an admin or owner
  if (atLeast(target.affiliation, 'admin'))
    return refuse('not-allowed', 'Admins and owners are always moderators of the room.');
  if (target.role === 'moderator')
    return administers ? undefined : refuse('forbidden', 'Only admins and owners unmake moderators.');
  // 8.4: nor a moderator from those who are at or above it; as those who are nothing would be above nobody, they are among themselves
  const above = administers ? rank(actor.affiliation) : Math.max(rank(actor.affiliation), rank('none') + 1);
  if (after === 'visitor' && target.role === 'participant' && rank(target.affiliation) >= above)
    return refuse('not-allowed', 'Voice is not taken from somebody of the same or a higher affiliation.');
  return undefined;
}

/** 8.2, and 5.1.3 for moderators. */
function refusedKick(actor: Actor, target: RoleTarget): StanzaError | undefined {
  if (target.self) return refuse('conflict', 'Leave the room instead.');
  if (rank(target.affiliation) > rank(actor.affiliation))
    return refuse('not-allowed', 'Nobody of a higher affiliation is kicked.');
  if (target.role === 'moderator' && !atLeast(actor.affiliation, 'admin'))
    return refuse('not-allowed', 'Only admins and owners kick moderators.');
  return undefined;
}

/**
 * Whether somebody of the affiliation `actor` may change that of another (or of themselves) from `before` to `after`: XEP-0045 9.1 to
 * 9.5, 10.3 to 10.8. That a room keeps an owner is for the room to say.
 */
export function refusedAffiliation(
  actor: Affiliation,
  self: boolean,
  before: Affiliation,
  after: Affiliation,
): StanzaError | undefined {
  if (!atLeast(actor, 'admin')) return refuse('forbidden', 'Only admins and owners do that.');
  // 9.1
  if (after === 'outcast' && self) return refuse('conflict', 'Nobody bans themselves.');
  if (actor === 'owner') return undefined;
  if (after === 'outcast' && atLeast(before, 'admin'))
    return refuse('not-allowed', 'Only owners ban admins and owners.');
  // 10.5, 10.8: also their own
  if (before !== after && (atLeast(before, 'admin') || atLeast(after, 'admin')))
    return refuse('forbidden', 'Only owners change the lists of admins and of owners.');
  return undefined;
}

/** Whether an actor may have the list of a role: XEP-0045 8.5, 9.8. */
export function refusedRoleList(actor: Actor, role: Role): StanzaError | undefined {
  if (role === 'none') return refuse('bad-request', 'Nobody in the room has no role.');
  if (atLeast(actor.affiliation, 'admin')) return undefined;
  if (role === 'moderator') return refuse('forbidden', 'Only admins and owners have the list of moderators.');
  return actor.role === 'moderator' ? undefined : refuse('forbidden', 'Only moderators have that list.');
}

/** Whether an actor may have the list of an affiliation: XEP-0045 5.2.1, 9.2, 9.5, 10.5, 10.8. */
export function refusedAffiliationList(
  actor: Actor,
  affiliation: Affiliation,
  config: Pick<RoomConfig, 'memberList' | 'whois'>,
): StanzaError | undefined {
  if (affiliation === 'none') return refuse('bad-request', "There is no list of those who are 'none'.");
  if (actor.affiliation === 'owner') return undefined;
  if (affiliation === 'outcast' || affiliation === 'member') {
    if (actor.affiliation === 'admin') return undefined;
    if (affiliation === 'outcast') return refuse('forbidden', 'Only admins and owners have the list of bans.');
  }
  const known = config.whois === 'anyone' || actor.role === 'moderator';
  const listed = actor.role ? config.memberList.includes(actor.role) : atLeast(actor.affiliation, 'member');
  // 10.5, 10.8: where addresses are hidden these lists are the owners' own
  const open = affiliation === 'member' ? known : config.whois === 'anyone';
  return open && listed ? undefined : refuse('forbidden', 'The list is not for everybody.');
}
