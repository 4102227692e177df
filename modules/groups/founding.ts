/* How groups are made and found by ad-hoc commands of the service (R79, R83, R105): one form each. docs/groups.md */
import { randomBytes } from 'node:crypto';
import type { IqRequest } from '../../src/api/index.ts';
import { type Jid, parseJid, prepareResource } from '../../src/jid/index.ts';
import { defineForm, field, refuse, type StanzaError } from '../../src/protocol/index.ts';
import type { NewRoom, RoomConfig, RoomsService } from '../rooms/contract.ts';
import type { RosterService } from '../roster/contract.ts';
import type { Done, ServiceCommand } from './commands.ts';
import { GROUPS, refuseBy } from './errors.ts';
import { countMembers, type Groups } from './groups.ts';
import type { GroupKind } from './store.ts';

/** Friends that a form names. */
const MOST_FRIENDS = 1000;

const name = field.text('name', { label: 'Name', most: 100, required: true });
const nick = field.text('nick', { label: 'Your nickname in it', most: 64 });

const foundForm = defineForm(`${GROUPS}#found`, {
  name,
  description: field.text('description', { label: 'What it is about', most: 1000 }),
  registration: field.choice(
    'registration',
    { approval: 'Who is let in', open: 'Whoever wants to', closed: 'Who is invited' },
    { label: 'Who becomes a member' },
  ),
  nick,
});
const discussForm = defineForm(`${GROUPS}#discuss`, {
  name: field.text('name', { label: 'Name', most: 100 }),
  friends: field.jids('friends', { label: 'With whom', bare: true, most: MOST_FRIENDS }),
  nick,
});
const findForm = defineForm(`${GROUPS}#find`, {
  number: field.integer('number', {
    label: 'Number of the group',
    minimum: 1,
    maximum: 999_999_999_999,
    required: true,
  }),
});
/** What is told of a group. */
const groupForm = defineForm(GROUPS, {
  jid: field.jid('jid', { label: 'Address' }),
  number: field.integer('number', { label: 'Number', minimum: 1, maximum: 999_999_999_999 }),
  kind: field.choice('kind', { group: 'Group', discussion: 'Discussion group' }, { label: 'Kind' }),
  name,
  description: field.text('description', { label: 'What it is about', most: 1000 }),
  members: field.integer('members', { label: 'Members', minimum: 0, maximum: 1_000_000 }),
  most: field.integer('most', { label: 'Most members', minimum: 0, maximum: 1_000_000 }),
  registration: field.choice(
    'registration',
    { approval: 'Who is let in', open: 'Whoever wants to', closed: 'Who is invited' },
    { label: 'Who becomes a member' },
  ),
});

type Form<T> = T extends { readonly fields: infer F } ? F : never;

export interface FoundingParts {
  readonly groups: Groups;
  readonly rooms: RoomsService;
  roster(): RosterService | undefined;
}

export function serviceCommands({ groups, rooms, roster }: FoundingParts): ServiceCommand<never>[] {
  const { node, options, store } = groups.parts;

  const found: ServiceCommand<Form<typeof foundForm>> = {
    node: foundForm.formType,
    name: 'Found a group',
    instructions: 'You own the group. Others find it by its name or its number, and ask you to be let in.',
    form: foundForm,
    run: (values, request, host) => {
      const config = {
        name: values.name!,
        description: values.description ?? '',
        persistent: true,
        listed: true,
        membersOnly: true,
        registration: values.registration ?? 'approval',
        whois: 'anyone',
      } as const;
      return make(request, host, 'group', config, [], values.nick);
    },
  };

  const discuss: ServiceCommand<Form<typeof discussForm>> = {
    node: discussForm.formType,
    name: 'Begin a discussion group',
    instructions: 'With friends of yours, who belong to it at once. Nobody else finds it.',
    form: discussForm,
    run: async (values, request, host) => {
      const { discussionInvites, discussionSize, discussionFriends } = options(host);
      const own = request.from.toBare();
      const friends = (values.friends ?? []).filter(({ bare }) => bare !== own.bare);
      if (friends.length + 1 > discussionSize)
        return refuseBy(
          'resource-constraint',
          'group-full',
          `A discussion group has at most ${discussionSize} members.`,
          {
            type: 'cancel',
            most: discussionSize,
          },
        );
      const stranger = await firstStranger(own, friends, discussionFriends);
      if (stranger)
        return refuseBy('not-acceptable', 'not-a-friend', `'${stranger.bare}' is no contact of yours.`, {
          jid: stranger.bare,
        });
      const config = {
        name: values.name ?? '',
        persistent: true,
        listed: false,
        membersOnly: true,
        registration: 'closed',
        allowInvites: discussionInvites,
        whois: 'anyone',
      } as const;
      return make(request, host, 'discussion', config, friends, values.nick);
    },
  };

  const find: ServiceCommand<Form<typeof findForm>> = {
    node: findForm.formType,
    name: 'Find a group by its number',
    instructions: 'Groups are found by name with channel search (XEP-0433).',
    form: findForm,
    run: async ({ number }, request) => {
      const jid = parseJid((await store.numbered(number!)) ?? '');
      const told = jid && jid.domain === request.to.domain ? await tell(jid) : undefined;
      return told ?? refuse('item-not-found', 'No group has that number.');
    },
  };

  /** The first of them that is no contact, or no account of this server. */
  async function firstStranger(own: Jid, friends: readonly Jid[], contacts: boolean): Promise<Jid | undefined> {
    const service = roster();
    for (const friend of friends) {
      if (contacts && service) {
        const item = await service.item(own, friend);
        if (item?.subscription !== 'both') return friend;
      } else if (!node.hosts.has(friend.domain) || !(await node.accounts.exists(friend))) return friend;
    }
    return undefined;
  }

  async function make(
    { from, to, session }: IqRequest,
    host: string,
    kind: GroupKind,
    config: Partial<RoomConfig>,
    members: readonly Jid[],
    nickname: string | undefined,
  ): Promise<Done | StanzaError> {
    const creator = from.toBare();
    if (!node.hosts.has(creator.domain) || session?.anonymous)
      return refuse('not-allowed', 'Only accounts of this server have groups.');
    const nick = nickname ? prepareResource(nickname) : undefined;
    if (nickname && nick === undefined) return refuse('not-acceptable', 'This is no nickname (RFC 7622).');
    const jid = parseJid(`${kind === 'group' ? 'g' : 'd'}${randomBytes(10).toString('hex')}@${to.domain}`)!;
    const affiliated = members.map(member => ({ jid: member, affiliation: 'member' }) as const);
    const room: NewRoom = {
      jid,
      creator,
      config,
      affiliated,
      ...(nick !== undefined && { nick }),
      unless: () => groups.claim(jid, host, kind, creator),
    };
    const refused = await rooms.create(room);
    if (refused) return refused;
    await rooms.with(jid, view => {
      for (const member of members) view?.invite(member, creator);
    });
    return (await tell(jid)) ?? refuse('item-not-found', 'The group has ended already.');
  }

  async function tell(jid: Jid): Promise<Done | undefined> {
    return rooms.with(jid, async room => {
      const group = room && (await groups.of(room));
      if (!room || !group) return undefined;
      const { name, description, registration } = room.config;
      const result = groupForm.result({
        jid,
        number: group.number,
        kind: group.kind,
        name,
        description,
        members: countMembers(room),
        most: groups.size(room, group),
        registration,
      });
      return { note: `${name || jid.bare}: number ${group.number}.`, result };
    });
  }

  return [found, discuss, find] as unknown as ServiceCommand<never>[];
}
