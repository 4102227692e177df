/* The rules of a chat platform for groups: what modules/rooms asks before something happens. docs/groups.md */
import { andThen, type MaybePromise } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { StanzaError } from '../../src/protocol/index.ts';
import { accountKey, type AffiliationStep, atLeast, type RoomPolicy, type RoomView } from '../rooms/contract.ts';
import type { Endings } from './endings.ts';
import { refuseBy } from './errors.ts';
import { countMembers, type Group, type Groups, heirOf, kindOf, ownersOf } from './groups.ts';

export function groupRules(groups: Groups, endings: Endings): RoomPolicy {
  const { node, options, now, enabled } = groups.parts;

  /** Asks a rule of rooms that are groups. */
  const ofGroup = (
    room: RoomView,
    rule: (group: Group) => MaybePromise<StanzaError | undefined>,
  ): MaybePromise<StanzaError | undefined> => andThen(groups.of(room), group => group && rule(group));

  return {
    mayCreate: ({ creator, room, host, config }) =>
      config.persistent && enabled(host) ? groups.claim(room, host, kindOf(config), creator) : undefined,

    mayConfigure: (room, by, after) => {
      if (!after.persistent || !enabled(room.host)) return undefined;
      return andThen(groups.of(room), group => {
        const kind = group?.kind === 'group' ? 'group' : kindOf(after);
        if (group?.kind === kind) return undefined;
        return andThen(groups.claim(room.jid, room.host, kind, by), refused => {
          if (!refused) groups.forget(room);
          return refused;
        });
      });
    },

    mayAffiliate: (room, by, steps) =>
      ofGroup(room, group => {
        if (node.isAdmin(by, room.host)) return undefined;
        return refusedOwner(steps) ?? refusedSize(groups, room, group, steps);
      }),

    mayEnter: room => ofGroup(room, () => undefined),

    mayApply: (room, from) =>
      ofGroup(room, group => {
        if (group.kind === 'discussion')
          return refuseBy('not-allowed', 'discussion', 'Nobody applies to a discussion group: its members invite.');
        return refusedSize(groups, room, group, [{ jid: from, before: 'none', after: 'member' }]);
      }),

    officersLeave: room => room.config.persistent,

    mayLeave: (room, member) =>
      ofGroup(room, group => {
        const owners = ownersOf(room);
        if (owners.length > 1 || owners[0]?.jid.bare !== member.bare) return undefined;
        return lastOwner(room, group, member);
      }),

    mayDestroy: (room, by, farewell) =>
      ofGroup(room, group => endings.begin(room, group, by, farewell).then(() => undefined)),

    abandoned: (room, last) =>
      andThen(groups.of(room), group => {
        // whoever has that name next never belonged to it
        return group && endings.end(room, group, last, { reason: 'Nobody belongs to it any more.' }, []);
      }),

    maySpeak: (room, from) => ofGroup(room, group => refusedSpeech(room, group, from)),
  };

  /** Its only owner wants to leave. */
  async function lastOwner(room: RoomView, group: Group, owner: Jid): Promise<StanzaError | undefined> {
    const { transfer, discussionLeaves } = options(room.host);
    const heir = heirOf(room, owner);
    if (group.kind === 'group' && (transfer || !heir))
      return refuseBy(
        'not-allowed',
        'owner-must-transfer',
        heir ? 'Transfer the group to a member before you leave it.' : 'There is nobody to leave it to: end the group.',
      );
    if (!heir || (group.kind === 'discussion' && discussionLeaves === 'end')) await endings.end(room, group, owner);
    else await room.affiliate([{ jid: heir.jid, affiliation: 'owner' }], owner);
    return undefined;
  }

  function refusedSpeech(room: RoomView, group: Group, from: Jid): StanzaError | undefined {
    if (group.mutedUntil === 0 && group.mutes.size === 0) return undefined;
    if (atLeast(room.actor(from).affiliation, 'admin')) return undefined;
    const own = group.mutes.get(accountKey(from.bare)) ?? 0;
    if (own > now()) return mutedError('muted', 'You are muted', own);
    if (group.mutedUntil > now())
      return mutedError('everybody-muted', 'Only admins and the owner speak', group.mutedUntil);
    return undefined;
  }
}

/** As a time that never comes. */
export const FOREVER = 253_402_300_799_000; // the year 9999

function mutedError(name: 'everybody-muted' | 'muted', what: string, until: number): StanzaError {
  const time = new Date(until).toISOString();
  return until >= FOREVER
    ? refuseBy('forbidden', name, `${what} in this group.`)
    : refuseBy('forbidden', name, `${what} in this group until ${time}.`, { until: time });
}

/** R109: a group is given to somebody who belongs to it. */
function refusedOwner(steps: readonly AffiliationStep[]): StanzaError | undefined {
  const stranger = steps.find(({ before, after }) => after === 'owner' && !atLeast(before, 'member'));
  return (
    stranger &&
    refuseBy(
      'not-allowed',
      'not-a-member',
      `'${stranger.jid.bare}' is no member, and only members come to own a group.`,
    )
  );
}

function refusedSize(
  groups: Groups,
  room: RoomView,
  group: Group,
  steps: readonly AffiliationStep[],
): StanzaError | undefined {
  let more = 0;
  for (const { before, after } of steps) more += Number(atLeast(after, 'member')) - Number(atLeast(before, 'member'));
  const most = groups.size(room, group);
  // banned ones are counted in the first place
  if (more <= 0 || room.affiliatedCount + more <= most) return undefined;
  const there = countMembers(room);
  if (there + more <= most) return undefined;
  return refuseBy('resource-constraint', 'group-full', `The group has ${there} members, and may have ${most}.`, {
    type: 'wait',
    there,
    most,
  });
}
