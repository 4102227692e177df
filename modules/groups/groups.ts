import { andThen, type MaybePromise, type NodeView } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { StanzaError } from '../../src/protocol/index.ts';
import { accountKey, atLeast, type Affiliated, type RoomConfig, type RoomView } from '../rooms/contract.ts';
import { refuseBy } from './errors.ts';
import type { GroupOptions } from './options.ts';
import type { Announcement, GroupKind, GroupStore, StoredGroup } from './store.ts';

/** A group in memory, as long as its room is awake; changed in the room's order only. */
export interface Group {
  kind: GroupKind;
  readonly number: number;
  mutedUntil: number;
  announcement: Announcement | undefined;
  /** Until when somebody cannot speak, by `accountKey`. */
  readonly mutes: Map<string, number>;
}

export interface GroupsParts {
  readonly node: NodeView;
  readonly store: GroupStore;
  options(host: string): GroupOptions;
  /** Whether a host has groups. */
  enabled(host: string): boolean;
  now(): number;
}

/** The groups of rooms: what belongs to a room that is persistent. */
export class Groups {
  readonly parts: GroupsParts;
  /** A room that falls asleep has another view when it is awake again. */
  private known = new WeakMap<RoomView, Group>();

  constructor(parts: GroupsParts) {
    this.parts = parts;
  }

  /** The group of a room; undefined of one that is not to stay, or is being made. At once where it is in memory. */
  of(room: RoomView): MaybePromise<Group | undefined> {
    if (!room.isThere || !room.config.persistent || room.locked || !this.parts.enabled(room.host)) return undefined;
    const known = this.known.get(room);
    if (known) return known;
    return andThen(this.parts.store.load(room.jid), found => (found ? this.take(room, found) : this.adopt(room)));
  }

  /** Of what kind the group of a room is, where it is in memory. */
  knownKind(room: RoomView): GroupKind | undefined {
    return this.known.get(room)?.kind;
  }

  private take(room: RoomView, { group, mutes }: { group: StoredGroup; mutes: Map<string, number> }): Group {
    const { kind, number, mutedUntil, announcement } = group;
    const taken: Group = { kind, number, mutedUntil, announcement, mutes };
    this.known.set(room, taken);
    return taken;
  }

  /** A room that was made while there were no groups is one from now on, whoever has how many. */
  private async adopt(room: RoomView): Promise<Group | undefined> {
    const { store, now } = this.parts;
    const founder = accountKey(ownersOf(room)[0]?.jid.bare ?? '');
    await store.claim({ room: room.jid, kind: 'group', founder, most: undefined, now: now() });
    const found = await store.load(room.jid);
    return found && this.take(room, found);
  }

  /** Whoever has that name next is not muted. */
  unmute(room: RoomView, account: Jid): void {
    this.known.get(room)?.mutes.delete(accountKey(account.bare));
  }

  forget(room: RoomView): void {
    this.known.delete(room);
  }

  /** Makes a room a group of somebody, or a group one of another kind; why that cannot be. */
  async claim(room: Jid, host: string, kind: GroupKind, founder: Jid): Promise<StanzaError | undefined> {
    const { store, now } = this.parts;
    const most = await this.allowed(founder, host, kind);
    const there = await store.claim({ room, kind, founder: accountKey(founder.bare), most, now: now() });
    if (there < 0) return undefined;
    const what = kind === 'group' ? 'groups' : 'discussion groups';
    return refuseBy('resource-constraint', 'groups-used-up', `You have ${there} ${what}, and may have ${most}.`, {
      type: 'cancel',
      kind,
      there,
      most,
    });
  }

  /** How many somebody may have; undefined: any number. */
  allowed(founder: Jid, host: string, kind: GroupKind): MaybePromise<number | undefined> {
    const { node, store, options } = this.parts;
    if (node.isAdmin(founder, host)) return undefined;
    if (kind === 'discussion') return options(host).discussionsPerUser;
    return andThen(store.allowances.get(founder), most => most ?? options(host).perUser);
  }

  size(room: RoomView, { kind }: Group): number {
    const { size, discussionSize } = this.parts.options(room.host);
    return kind === 'group' ? size : discussionSize;
  }
}

/** A room that is hidden and for members only is for a discussion, when it is made so. */
export function kindOf({ listed, membersOnly }: RoomConfig): GroupKind {
  return !listed && membersOnly ? 'discussion' : 'group';
}

export function* membersOf(room: RoomView): Generator<Affiliated> {
  for (const each of room.affiliated()) if (each.affiliation !== 'outcast') yield each;
}

/** Those of some accounts, by bare addresses, who belong to a room: the fewer of both are gone through. */
export function membersAmong(
  room: RoomView,
  accounts: { readonly size: number; has(bare: string): boolean; keys(): Iterable<string> },
): Jid[] {
  if (accounts.size > room.affiliatedCount)
    return [...membersOf(room)].flatMap(({ jid }) => (accounts.has(jid.bare) ? jid : []));
  return [...accounts.keys()].map(bare => parseJid(bare)!).filter(jid => atLeast(room.affiliationOf(jid), 'member'));
}

export function countMembers(room: RoomView): number {
  let count = 0;
  for (const _ of membersOf(room)) count++;
  return count;
}

export function ownersOf(room: RoomView): Affiliated[] {
  return [...room.affiliated()].filter(({ affiliation }) => affiliation === 'owner').sort(bySeniority);
}

/** Who owns a group next: admins first, and among equals who belongs to it longest. */
export function heirOf(room: RoomView, owner: Jid): Affiliated | undefined {
  const others = [...membersOf(room)].filter(({ jid }) => jid.bare !== owner.bare);
  const rank = ({ affiliation }: Affiliated): number => (atLeast(affiliation, 'admin') ? 0 : 1);
  return others.sort((a, b) => rank(a) - rank(b) || bySeniority(a, b))[0];
}

function bySeniority(a: Affiliated, b: Affiliated): number {
  return a.since - b.since || (a.jid.bare < b.jid.bare ? -1 : 1);
}
