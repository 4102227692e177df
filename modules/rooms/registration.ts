/* Registering with a room, and letting in who has: XEP-0045 7.10, 9.9. */
import { type Answer, type Answered, Empty, type IqRequest, type MaybePromise, Packet } from '../../src/api/index.ts';
import { type Jid, prepareResource } from '../../src/jid/index.ts';
import { defineForm, field, formTypeOf, NS, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, serialize, xml } from '../../src/xml/index.ts';
import { affiliate } from './affiliating.ts';
import type { RoomIq, RoomMessage } from './hooks.ts';
import { MUC_REGISTER } from './namespaces.ts';
import { nickProblem } from './nicknames.ts';
import { nickKey } from './occupants.ts';
import { atLeast } from './roles.ts';
import type { Room } from './room.ts';
import type { Application } from './stored.ts';

/** Who waits to become a member of one room. */
const MOST_APPLICATIONS = 1000;

const fields = {
  first: field.text('muc#register_first', { label: 'Given name', most: 100 }),
  last: field.text('muc#register_last', { label: 'Family name', most: 100 }),
  nick: field.text('muc#register_roomnick', { label: 'Nickname', most: 1023, required: true }),
  url: field.text('muc#register_url', { label: 'Web page', most: 1000 }),
  email: field.text('muc#register_email', { label: 'E-mail address', most: 300 }),
  faq: field.lines('muc#register_faqentry', { label: 'About you', most: 2000 }),
} as const;
const registerForm = defineForm(MUC_REGISTER, fields);
/** What admins get: XEP-0045 9.9, and who it is that asks. */
const approvalForm = defineForm(MUC_REGISTER, {
  ...fields,
  nick: field.text('muc#register_roomnick', { label: 'Nickname', most: 1023 }),
  jid: field.jid('{urn:posthouse:rooms:0}jid', { label: 'Address', bare: true }),
  allow: field.boolean('muc#register_allow', { label: 'Let this person become a member?' }),
});

function ask(room: Room, { from }: IqRequest): Answer {
  const { config, affiliations, applications } = room.state!;
  const affiliation = room.affiliationOf(from);
  const member = atLeast(affiliation, 'member');
  if (!member && (affiliation === 'outcast' || config.registration === 'closed')) return NOT_ALLOWED;
  const nick = affiliations.nickOf(from);
  const application = applications.find(({ jid }) => jid.bare === from.bare);
  const x = registerForm.form(application?.form ?? (nick === '' ? {} : { nick }), {
    title: `Registration with ${config.name || room.jid.bare}`,
    instructions: application ? 'You have asked, and are not a member yet.' : 'A nickname is reserved for members.',
  });
  return xml(
    'query',
    { xmlns: NS.register },
    member && xml('registered'),
    member && nick !== '' && xml('username', {}, nick),
    xml('instructions', {}, 'Fill in the form.'),
    x,
  );
}

const NOT_ALLOWED = refuse('not-allowed', 'Nobody becomes a member of this room by registering.');

function register(room: Room, { payload, from }: IqRequest): MaybePromise<Answer | typeof Answered> {
  const account = from.toBare();
  if (payload.getChild('remove', NS.register)) return unregister(room, account);
  const affiliation = room.affiliationOf(account);
  const { config } = room.state!;
  const member = atLeast(affiliation, 'member');
  if (!member && (affiliation === 'outcast' || config.registration === 'closed')) return NOT_ALLOWED;
  const x = payload.getChild('x', NS.dataForms);
  if (!x) return refuse('bad-request', 'A form is missing.');
  // XEP-0077 3.1: nothing is asked for
  if (x.attrs.type === 'cancel') return Empty;
  const form = registerForm.read(x);
  // 7.10
  if (form instanceof StanzaError) return refuse('bad-request', form.text);
  const nick = prepareResource(form.nick!);
  if (nick === undefined) return refuse('jid-malformed', 'This is no nickname (RFC 7622).');
  const refused = nickProblem(nick, room.house.limits(room.host).nickLength) ?? takenNick(room, account, nick);
  if (refused) return refused;
  if (member) return give(room, account, affiliation as 'member', nick);
  return config.registration === 'open'
    ? join(room, account, nick)
    : apply(room, { jid: account, form: { ...form, nick }, applied: Date.now() });
}

/** Why a nickname cannot be reserved: somebody else has it, or asked for it before. */
function takenNick(room: Room, account: Jid, nick: string): StanzaError | undefined {
  const { affiliations, applications } = room.state!;
  const key = nickKey(nick);
  const holder = affiliations.holderOf(nick) ?? applications.find(({ form }) => nickKey(form.nick ?? '') === key)?.jid;
  const user = room.occupants.like(nick)?.account;
  return [holder, user].some(other => other !== undefined && other.bare !== account.bare)
    ? refuse('conflict', 'Somebody else has that nickname.')
    : undefined;
}

function give(room: Room, jid: Jid, affiliation: 'member', nick: string): Promise<Answer> {
  return affiliate(room, [{ jid, affiliation, nick, reason: '' }], jid, { invite: false }).then(() => Empty);
}

async function join(room: Room, jid: Jid, nick: string): Promise<Answer> {
  const change = { jid, affiliation: 'member', nick, reason: '' } as const;
  return (await room.house.policies.mayAffiliate(room, jid, [change])) ?? give(room, jid, 'member', nick);
}

/** It waits until an admin decides. */
async function apply(room: Room, application: Application): Promise<Answer> {
  const state = room.state!;
  const others = state.applications.filter(({ jid }) => jid.bare !== application.jid.bare);
  if (others.length >= MOST_APPLICATIONS)
    return refuse('resource-constraint', 'Too many wait to become members. Try again later.');
  const refused = await room.house.policies.mayApply(room, application.jid);
  if (refused) return refused;
  await room.house.store.apply(state.id, application);
  state.applications = [...others, application];
  askAdmins(room, application);
  return Empty;
}

/** 9.9: admins and owners get a form: by the clients that they are in the room with, or as others write to them. */
function askAdmins(room: Room, { jid, form }: Application): void {
  const x = approvalForm.form(
    { ...form, jid, allow: false },
    { title: 'Request for membership', instructions: `${jid.bare} asks to become a member of ${room.jid.bare}.` },
  );
  const wire = serialize(xml('message', {}, x), NS.client);
  const packet = Packet.fromWire(wire, room.jid, undefined);
  const { affiliations } = room.state!;
  for (const officer of [...affiliations.list('owner'), ...affiliations.list('admin')]) {
    const clients = room.occupants.of(officer.jid).flatMap(({ sessions }) => sessions);
    for (const client of clients) room.send(packet, client);
    if (clients.length === 0) void room.house.node.route(Packet.fromWire(wire, room.jid, officer.jid));
  }
}

/** A form by which an admin decides. */
export const decisionCame: RoomMessage = (room, packet) => {
  const { stanza, from } = packet;
  const kid = stanza.child('x', NS.dataForms);
  const x = kid === undefined ? undefined : stanza.kidElement(kid);
  if (!x || formTypeOf(x) !== MUC_REGISTER) return false;
  // who cancels leaves it to others
  if (x.attrs.type === 'cancel') return true;
  return decide(room, from, x).then(refused => {
    if (refused) room.refuse(packet, refused);
    return true;
  });
};

async function decide(room: Room, by: Jid, x: Element): Promise<StanzaError | undefined> {
  if (!atLeast(room.actor(by).affiliation, 'admin')) return refuse('forbidden', 'Only admins and owners decide.');
  const values = approvalForm.read(x);
  if (values instanceof StanzaError) return values;
  const { jid, nick, allow } = values;
  if (allow === undefined) return refuse('bad-request', 'Nothing is decided.');
  // clients may leave out what they do not know
  const application = room.state!.applications.find(each =>
    jid ? each.jid.bare === jid.bare : each.form.nick === nick,
  );
  if (!application) return refuse('item-not-found', 'Nobody asks for that any more.');
  if (allow) return approve(room, application, by);
  await forgetApplication(room, application);
  tellRefused(room, application, 'denied');
  return undefined;
}

async function approve(room: Room, { jid, form }: Application, by: Jid): Promise<StanzaError | undefined> {
  // it may be reserved for somebody else by now
  const nick = takenNick(room, jid, form.nick ?? '') ? undefined : form.nick;
  const change = { jid, affiliation: 'member', nick, reason: '' } as const;
  const refused = await room.house.policies.mayAffiliate(room, by.toBare(), [change]);
  if (!refused) await affiliate(room, [change], by);
  return refused;
}

/** It is forgotten: who asked may ask again. */
export async function forgetApplication(room: Room, { jid }: Application): Promise<void> {
  const state = room.state!;
  await room.house.store.forgetApplication(state.id, jid);
  state.applications = state.applications.filter(each => each.jid.bare !== jid.bare);
}

const WHY = {
  denied: 'was denied',
  expired: 'was not decided upon in time',
} as const;

/** Who asked is told that it was in vain, in words and by a form for clients: as an admin answers it, with 'muc#register_allow' false. */
function tellRefused(room: Room, { jid, form }: Application, why: keyof typeof WHY): void {
  const name = room.config.name || room.jid.bare;
  const text = `Your request to become a member of ${name} ${WHY[why]}.`;
  const x = approvalForm.result({ nick: form.nick, allow: false });
  const wire = serialize(xml('message', {}, xml('body', {}, text), x), NS.client);
  void room.house.node.route(Packet.fromWire(wire, room.jid, jid));
}

/** XEP-0077 3.2: a member is none any more; an officer has no nickname reserved; who asked does not. */
async function unregister(room: Room, account: Jid): Promise<Answer> {
  const state = room.state!;
  const affiliation = room.affiliationOf(account);
  const { policies } = room.house;
  if (affiliation === 'member' || (atLeast(affiliation, 'admin') && policies.officersLeave(room))) {
    const refused = await policies.mayLeave(room, account);
    if (refused) return refused;
    if (!room.state) return Empty;
    await affiliate(room, [{ jid: account, affiliation: 'none', nick: '', reason: '' }], account);
    return Empty;
  }
  if (atLeast(affiliation, 'admin')) return give(room, account, affiliation as 'member', '');
  const application = state.applications.find(({ jid }) => jid.bare === account.bare);
  if (!application) return refuse('registration-required', 'You are not registered with this room.');
  await forgetApplication(room, application);
  return Empty;
}

/** Forgets what nobody decided for too long. */
export async function expireApplications(room: Room, before: number): Promise<void> {
  for (const application of room.state?.applications ?? [])
    if (application.applied < before) {
      await forgetApplication(room, application);
      tellRefused(room, application, 'expired');
    }
}

export const registrationIqs: readonly RoomIq[] = [
  { xmlns: NS.register, name: 'query', type: 'get', answer: ask },
  { xmlns: NS.register, name: 'query', type: 'set', answer: register },
];

/** What disco says of it. */
export function registrationFeatures(room: Room): string[] {
  return room.config.registration === 'closed' ? [] : [NS.register, MUC_REGISTER];
}
