/* Inviting to a room: XEP-0045 7.8, 7.9, 9.5. */
import { randomBytes } from 'node:crypto';
import { Lru, type MaybePromise, Packet } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, serialize, wireAttribute, xml } from '../../src/xml/index.ts';
import { affiliate, type NewAffiliation } from './affiliating.ts';
import type { RoomMessage } from './hooks.ts';
import { atLeast } from './roles.ts';
import type { Room } from './room.ts';

/** Invitations of one message. */
const MOST = 50;
const LONGEST_REASON = 1000;

/** A message to a room that invites somebody, or by which somebody declines. */
export const invitationCame: RoomMessage = (room, packet) => {
  const { stanza } = packet;
  const kid = stanza.child('x', NS.mucUser);
  const x = kid === undefined ? undefined : stanza.kidElement(kid);
  const invites = x?.getChildren('invite', NS.mucUser) ?? [];
  const decline = x?.getChild('decline', NS.mucUser);
  if (invites.length > 0)
    return invite(room, packet, invites).then(refused => {
      if (refused) room.refuse(packet, refused);
      return true;
    });
  if (!decline) return false;
  const refused = passDecline(room, packet, decline);
  if (refused) room.refuse(packet, refused);
  return true;
};

/** 7.8.2: all of them or none. */
async function invite(room: Room, packet: Packet, invites: readonly Element[]): Promise<StanzaError | undefined> {
  const { from, id } = packet;
  const refused = mayInvite(room, from);
  if (refused) return refused;
  if (invites.length > MOST) return refuse('bad-request', `A message invites at most ${MOST} people.`);
  const invited: { to: Jid; invite: Element }[] = [];
  for (const element of invites) {
    const to = await invitedBy(room, element);
    if (to instanceof StanzaError) return to;
    invited.push({ to, invite: element });
  }
  const no = await makeMembers(
    room,
    invited.map(({ to }) => to),
    from,
  );
  if (no) return no;
  for (const { to, invite } of invited) {
    const own = invites.length === 1 && id !== undefined ? id : newId();
    sent.set(keyOf(room, to, own), { by: from, id });
    sendInvitation(room, to, { by: from, invite, id: own });
  }
  return undefined;
}

/** Who sent invitations lately, in a message of which id: for those that come back. */
const sent = new Lru<string, { readonly by: Jid; readonly id: string | undefined }>(10_000);
const keyOf = (room: Room, to: Jid, id: string): string => `${room.jid.bare} ${to.full} ${id}`;
const newId = (): string => randomBytes(12).toString('base64url');

/** An error for the room. Where it answers an invitation, the inviter gets it (7.8.2: somebody who is not there elsewhere). */
export function invitationFailed(room: Room, { stanza, from, id }: Packet): void {
  const kid = stanza.child('error', stanza.xmlns);
  const invitation = id === undefined ? undefined : sent.get(keyOf(room, from, id));
  if (kid === undefined || !invitation) return;
  sent.delete(keyOf(room, from, id!));
  const head = ` type='error'${invitation.id === undefined ? '' : wireAttribute('id', invitation.id)}`;
  const invite = xml('x', { xmlns: NS.mucUser }, xml('invite', { to: from.full }));
  const wire = `<message${head}>${serialize(invite, NS.client)}${stanza.kidRaw(kid)}</message>`;
  void room.house.node.route(Packet.fromWire(wire, room.jid, invitation.by));
}

/** Who may invite: who is in the room or administers it; to a members-only room those that may make members, or who it lets do so. */
function mayInvite(room: Room, from: Jid): StanzaError | undefined {
  const { affiliation, role } = room.actor(from);
  if (atLeast(affiliation, 'admin')) return undefined;
  if (role === undefined) return refuse('not-acceptable', 'Only who is in the room invites to it.');
  const { membersOnly, allowInvites } = room.config;
  if (!membersOnly || (allowInvites && atLeast(affiliation, 'member'))) return undefined;
  return refuse('forbidden', 'Only admins and owners invite to this room.');
}

/** Whom an <invite/> means. */
async function invitedBy(room: Room, { attrs }: Element): Promise<Jid | StanzaError> {
  const { to } = attrs;
  if (to === undefined) return refuse('bad-request', 'An invitation is for somebody.');
  const jid = parseJid(to);
  if (!jid) return refuse('jid-malformed', `'${to.slice(0, 100)}' is no address.`);
  const { node } = room.house;
  // somebody in a room is invited by their own address
  if (jid.domain === room.jid.domain) return refuse('item-not-found', `${jid.bare} is a room.`);
  const isThere = !node.hosts.has(jid.domain) || (jid.local !== '' && (await node.accounts.exists(jid.toBare())));
  if (!isThere) return refuse('item-not-found', `There is no ${jid.bare}.`);
  // 9.1: a ban is lifted by those who may, and in the open
  return room.affiliationOf(jid) === 'outcast' ? refuse('not-allowed', `${jid.bare} is banned from the room.`) : jid;
}

/** 7.8.2: who is invited to a members-only room becomes a member. */
async function makeMembers(room: Room, jids: readonly Jid[], by: Jid): Promise<StanzaError | undefined> {
  if (!room.config.membersOnly) return undefined;
  const members = new Map<string, NewAffiliation>();
  for (const jid of jids) {
    const bare = jid.toBare();
    if (room.affiliationOf(bare) === 'none')
      members.set(bare.full, { jid: bare, affiliation: 'member', nick: undefined, reason: '' });
  }
  const changes = [...members.values()];
  if (changes.length === 0) return undefined;
  const refused = await room.house.policies.mayAffiliate(room, by.toBare(), changes);
  if (!refused) await affiliate(room, changes, by, { invite: false });
  return refused;
}

export interface Invitation {
  readonly by: Jid;
  /** What its sender said: a reason, and whether it continues another discussion. */
  readonly invite?: Element;
  readonly id?: string | undefined;
}

/** The room invites somebody in the name of another. */
export function sendInvitation(room: Room, to: Jid, { by, invite, id }: Invitation): void {
  const { passwordProtected, password } = room.config;
  const go = invite?.getChild('continue', NS.mucUser);
  const x = xml(
    'x',
    { xmlns: NS.mucUser },
    xml(
      'invite',
      { from: by.bare },
      reasonOf(invite),
      // 7.9
      go && xml('continue', { thread: go.attrs.thread }),
    ),
    passwordProtected && xml('password', {}, password),
  );
  send(room, to, x, id);
}

/** 7.8.2: the room tells the inviter: somebody who is in the room, or belongs to it. Of others nothing is said: that would tell who those are. */
function passDecline(room: Room, { from, id }: Packet, decline: Element): StanzaError | undefined {
  const to = parseJid(decline.attrs.to ?? '');
  if (!to) return refuse('jid-malformed', 'It is declined to the address of who invited.');
  const account = to.bare === room.jid.bare ? room.occupants.named(to.resource)?.account : to;
  const client = account && room.occupants.client(account);
  if (!account || !(client || room.occupants.of(account).length > 0 || atLeast(room.affiliationOf(account), 'member')))
    return undefined;
  const x = xml('x', { xmlns: NS.mucUser }, xml('decline', { from: from.bare }, reasonOf(decline)));
  const inside = room.occupants.of(account).at(0)?.shown.jid;
  send(room, client?.jid ?? inside ?? account.toBare(), x, id);
  return undefined;
}

function reasonOf(element: Element | undefined): Element | undefined {
  const reason = element?.getChildText('reason', NS.mucUser)?.slice(0, LONGEST_REASON) ?? '';
  return reason === '' ? undefined : xml('reason', {}, reason);
}

function send(room: Room, to: Jid, x: Element, id: string | undefined): void {
  const head = id === undefined ? '' : wireAttribute('id', id);
  const wire = `<message${head}>${serialize(x, NS.client)}</message>`;
  void room.house.node.route(Packet.fromWire(wire, room.jid, to));
}

/** XEP-0249: a client has invited somebody by itself; to a members-only room it may make them a member by that. */
export function invitedDirectly(room: Room, by: Jid, invited: Jid): MaybePromise<void> {
  if (!room.state || room.state.locked || !room.config.membersOnly) return undefined;
  if (mayInvite(room, by) || room.affiliationOf(invited) !== 'none') return undefined;
  return makeMembers(room, [invited], by).then(() => undefined);
}
