/* What members, admins and the owner of a group do by ad-hoc command: leave, transfer, end, mute, announce. docs/groups.md */
import { andThen, Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { defineForm, field, NS, refuse, type StanzaError } from '../../src/protocol/index.ts';
import { escapeXml, toWire, xml, serialize } from '../../src/xml/index.ts';
import { accountKey, type Affiliation, atLeast, type RoomPolicy } from '../rooms/contract.ts';
import type { GroupCommand, Place } from './commands.ts';
import type { Endings } from './endings.ts';
import { GROUPS, refuseBy } from './errors.ts';
import type { Groups } from './groups.ts';
import { FOREVER } from './rules.ts';

/** The longest time that somebody is muted for, in minutes: a year. */
const LONGEST = 366 * 24 * 60;
const LONGEST_TEXT = 4000;

const transferForm = defineForm(`${GROUPS}#transfer`, {
  to: field.jid('to', { label: 'The member who is the new owner', bare: true, required: true }),
});
const endForm = defineForm(`${GROUPS}#dissolve`, {
  reason: field.text('reason', { label: 'Why, for its members', most: 1000 }),
});
const muteForm = defineForm(`${GROUPS}#mute`, {
  member: field.jid('member', { label: 'Who is not to speak', bare: true, required: true }),
  minutes: field.integer('minutes', {
    label: 'For how many minutes (0: not any more)',
    minimum: 0,
    maximum: LONGEST,
    words: { forever: -1 },
    required: true,
  }),
});
const muteAllForm = defineForm(`${GROUPS}#mute-all`, {
  minutes: field.integer('minutes', {
    label: 'For how many minutes only admins and the owner speak (0: all do)',
    minimum: 0,
    maximum: LONGEST,
    words: { forever: -1 },
    required: true,
  }),
});
const announceForm = defineForm(`${GROUPS}#announce`, {
  text: field.lines('text', { label: 'What everybody is to know (empty: nothing any more)', most: LONGEST_TEXT }),
});

const decideForm = defineForm(`${GROUPS}#decide`, {
  applicant: field.jid('applicant', { label: 'Who asks to become a member', bare: true, required: true }),
  allow: field.boolean('allow', { label: 'Let this person become a member?', required: true }),
  reason: field.text('reason', { label: 'Why not, for them', most: 1000 }),
});

type Form<T> = T extends { readonly fields: infer F } ? F : never;

const needs =
  (least: Affiliation, text: string) =>
  ({ room }: Place, from: Jid): StanzaError | undefined =>
    atLeast(room.actor(from).affiliation, least) ? undefined : refuse('forbidden', text);
const ofAdmins = needs('admin', 'Only admins and the owner do that.');
const ofOwner = needs('owner', 'Only the owner does that.');

export interface GroupCommandParts {
  readonly groups: Groups;
  readonly endings: Endings;
  readonly rules: RoomPolicy;
  /** Sends what the group itself says to those who hear of it without having entered. */
  announce(room: Place['room'], inner: string): void;
}

export function groupCommands({
  groups,
  endings,
  rules,
  announce: tellLive,
}: GroupCommandParts): GroupCommand<never>[] {
  const { store, options, now, node } = groups.parts;

  const leave: GroupCommand = {
    node: `${GROUPS}#leave`,
    name: 'Leave the group',
    instructions: '',
    refused: ({ room }, from) =>
      atLeast(room.affiliationOf(from), 'member') ? undefined : refuse('forbidden', 'You are no member.'),
    run: ({ room }, _, from) => {
      const member = from.toBare();
      const name = room.config.name || room.jid.bare;
      return andThen(rules.mayLeave!(room, member), async refused => {
        if (refused) return refused;
        if (room.isThere) await room.affiliate([{ jid: member, affiliation: 'none' }], member);
        return { note: `You have left ${name}.` };
      });
    },
  };

  const transfer: GroupCommand<Form<typeof transferForm>> = {
    node: transferForm.formType,
    name: 'Transfer the group',
    instructions: 'The member you name owns the group from then on.',
    form: transferForm,
    refused: ofOwner,
    run: async ({ room }, { to }, from) => {
      const owner = from.toBare();
      const heir = to!;
      const own = room.affiliationOf(owner) === 'owner';
      const before = room.affiliationOf(heir);
      if (!atLeast(before, 'member'))
        return refuseBy('not-allowed', 'not-a-member', `'${heir.bare}' is no member of the group.`);
      if (before === 'owner') return refuse('conflict', `'${heir.bare}' owns the group already.`);
      const given = { jid: heir, affiliation: 'owner' } as const;
      const { afterTransfer } = options(room.host);
      // administrators of the host take nobody's place
      const previous = own
        ? [owner]
        : [...room.affiliated()].filter(({ affiliation }) => affiliation === 'owner').map(({ jid }) => jid);
      await room.affiliate([given, ...previous.map(jid => ({ jid, affiliation: afterTransfer }) as const)], owner);
      return { note: `The group is ${heir.bare}'s now.` };
    },
  };

  const end: GroupCommand<Form<typeof endForm>> = {
    node: endForm.formType,
    name: 'End the group',
    instructions: 'The group is gone then, with all that was said in it. Its members are told.',
    form: endForm,
    refused: ofOwner,
    run: async ({ room, group }, { reason }, from) => {
      const name = room.config.name || room.jid.bare;
      await endings.end(room, group, from.toBare(), reason ? { reason } : {});
      return { note: `${name} was ended.` };
    },
  };

  const untilOf = (minutes: number): number => (minutes < 0 ? FOREVER : minutes === 0 ? 0 : now() + minutes * 60_000);

  const mute: GroupCommand<Form<typeof muteForm>> = {
    node: muteForm.formType,
    name: 'Mute a member',
    instructions: 'Whoever is muted stays in the group and reads, but does not speak.',
    form: muteForm,
    refused: ofAdmins,
    run: async ({ room, group }, { member, minutes }, from) => {
      const account = member!;
      const affiliation = room.affiliationOf(account);
      if (minutes !== 0 && !atLeast(affiliation, 'member') && !room.hasInside(account))
        return refuseBy('item-not-found', 'not-a-member', `'${account.bare}' is no member of the group.`);
      if (atLeast(affiliation, 'admin') && (affiliation === 'owner' || room.actor(from).affiliation !== 'owner'))
        return refuse('not-allowed', 'Nobody mutes those of the same or a higher affiliation.');
      if (atLeast(affiliation, 'admin'))
        return refuse('not-allowed', 'Admins speak always: make a member of them first.');
      const until = untilOf(minutes!);
      await store.mute(room.jid, account, until);
      const key = accountKey(account.bare);
      if (until === 0) group.mutes.delete(key);
      else group.mutes.set(key, until);
      const time = until === 0 || until >= FOREVER ? undefined : new Date(until).toISOString();
      tell(room, until === 0 ? 'unmuted' : 'muted', { nick: room.nickOf(account) || undefined, until: time });
      return { note: until === 0 ? `${account.bare} speaks again.` : `${account.bare} is muted.` };
    },
  };

  const muteAll: GroupCommand<Form<typeof muteAllForm>> = {
    node: muteAllForm.formType,
    name: 'Mute everybody',
    instructions: 'Only admins and the owner speak.',
    form: muteAllForm,
    refused: ofAdmins,
    run: async ({ room, group }, { minutes }) => {
      const until = untilOf(minutes!);
      await store.muteAll(room.jid, until);
      group.mutedUntil = until;
      const time = until === 0 || until >= FOREVER ? undefined : new Date(until).toISOString();
      tell(room, until === 0 ? 'everybody-unmuted' : 'everybody-muted', { until: time });
      return { note: until === 0 ? 'All speak again.' : 'Only admins and the owner speak.' };
    },
  };

  const decide: GroupCommand<Form<typeof decideForm>> = {
    node: decideForm.formType,
    name: 'Decide on an application',
    instructions: 'Who is refused is told, and may apply again.',
    form: decideForm,
    refused: ofAdmins,
    // who waits longest
    values: ({ room }) => ({ applicant: room.applications[0]?.jid, allow: false }),
    run: async ({ room }, { applicant, allow, reason = '' }, from) => {
      const jid = applicant!;
      const application = room.applications.find(each => each.jid.bare === jid.bare);
      if (!application) return refuse('item-not-found', `'${jid.bare}' does not ask to become a member.`);
      const by = from.toBare();
      if (!allow) {
        await room.deny(jid);
        tellRefused(room, jid, reason);
        return { note: `${jid.bare} was refused.` };
      }
      const refused = await rules.mayAffiliate!(room, by, [{ jid, before: 'none', after: 'member' }]);
      if (refused) return refused;
      const { nick } = application.form;
      await room.affiliate([{ jid, affiliation: 'member', ...(nick && !isTaken(room, nick, jid) && { nick }) }], by);
      room.invite(jid, by);
      return { note: `${jid.bare} is a member.` };
    },
  };

  function isTaken(room: Place['room'], nick: string, by: Jid): boolean {
    for (const each of room.affiliated()) if (each.nick === nick && each.jid.bare !== by.bare) return true;
    return false;
  }

  function tellRefused(room: Place['room'], jid: Jid, reason: string): void {
    const called = room.config.name || room.jid.bare;
    const body = `You were not let in to '${called}'${reason === '' ? '.' : `: ${reason}`}`;
    const refused = xml('refused', { xmlns: GROUPS }, reason !== '' && xml('reason', {}, reason));
    const message = xml(
      'message',
      { type: 'normal' },
      xml('body', {}, body),
      refused,
      xml('store', { xmlns: NS.hints }),
    );
    void node.route(Packet.of(message, room.jid, jid));
  }

  function tell(room: Place['room'], name: string, attributes: Record<string, string | undefined>): void {
    const element = serialize(xml(name, { xmlns: GROUPS, ...attributes }), NS.client);
    room.announce(element);
    tellLive(room, element);
  }

  const announce: GroupCommand<Form<typeof announceForm>> = {
    node: announceForm.formType,
    name: 'Announce something',
    instructions: 'All who are in the group are told. It is kept, and shown to who changes it.',
    form: announceForm,
    refused: ofAdmins,
    values: ({ group }) => ({ text: group.announcement?.text ?? '' }),
    run: async ({ room, group }, { text = '' }, from) => {
      const announcement = text === '' ? undefined : { text, by: from.bare, at: now() };
      await store.announce(room.jid, announcement);
      group.announcement = announcement;
      const by = room.nickOf(from.toBare()) || undefined;
      const element = serialize(xml('announcement', { xmlns: GROUPS, by }), NS.client);
      const inner = text === '' ? element : toWire(`<body>${escapeXml(text)}</body>`) + element;
      room.announce(inner);
      tellLive(room, inner);
      return { note: text === '' ? 'There is no announcement any more.' : 'It is announced.' };
    },
  };

  return [leave, transfer, end, decide, mute, muteAll, announce] as unknown as GroupCommand<never>[];
}
