/*
 * How far members have read their groups: their displayed markers (XEP-0333) are kept and counted, handed out to who asks, and not sent to
 * everybody. What is unread follows from that and the group's archive. docs/groups.md
 */
import { type Answer, Empty, type IqRequest, type MaybePromise, type Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS, refuse } from '../../src/protocol/index.ts';
import { xml } from '../../src/xml/index.ts';
import { type ArchiveService, keyOf, type RoomUnread } from '../archive/contract.ts';
import type { Beside, BesideSource } from '../inbox/contract.ts';
import { atLeast, type Belonging, type RoomsService, type RoomView } from '../rooms/contract.ts';
import { GROUPS } from './errors.ts';
import type { Groups } from './groups.ts';

/** Cursors of one answer. */
const MOST = 1000;

export interface CursorsParts {
  readonly groups: Groups;
  readonly rooms: RoomsService;
  archive(): ArchiveService | undefined;
  /** An account has read more of a group. */
  moved(account: Jid, room: Jid): void;
}

/** A group of an account, with what it has not read of it. */
export interface Own extends Belonging {
  readonly kind: string;
  readonly number: number;
  readonly cursor: string | undefined;
  readonly unread: RoomUnread | undefined;
}

export class Cursors implements BesideSource {
  private readonly parts: CursorsParts;

  constructor(parts: CursorsParts) {
    this.parts = parts;
  }

  /** A marker of a member that says no more goes no further than here. */
  takes(room: RoomView, packet: Packet): boolean {
    const { groups } = this.parts;
    const { stanza, from } = packet;
    if (!stanza.hasNamespace(NS.chatMarkers) || packet.hasBody || !room.config.persistent || room.locked) return false;
    const kid = stanza.child('displayed', NS.chatMarkers);
    const { enabled, options } = groups.parts;
    if (kid === undefined || !enabled(room.host) || !options(room.host).cursors) return false;
    if (!atLeast(room.affiliationOf(from), 'member')) return false;
    const { id } = stanza.kidElement(kid).attrs as { id?: string };
    // it is acknowledged when it is kept
    if (id !== undefined) packet.hold(this.read(room, from.toBare(), id));
    return true;
  }

  /** Never moves back; what is no message of the group changes nothing. */
  async read({ jid }: RoomView, account: Jid, id: string): Promise<boolean> {
    const archive = this.parts.archive();
    if (!archive || keyOf(id) === undefined || !(await archive.rooms.find(jid, id, account))) return false;
    const { store, now } = this.parts.groups.parts;
    if (await store.cursors.move(jid, account, id, now())) this.parts.moved(account, jid);
    return true;
  }

  /** By a request to a group. */
  note(request: IqRequest): MaybePromise<Answer> {
    const { id } = request.payload.attrs as { id?: string };
    const account = request.from.toBare();
    return this.parts.rooms.with<Answer>(request.to, async room => {
      if (!room || !(await this.parts.groups.of(room))) return refuse('service-unavailable', 'This is no group.');
      if (!atLeast(room.affiliationOf(account), 'member'))
        return refuse('forbidden', 'Only members have read something.');
      if (id === undefined) return refuse('bad-request', "A message is named: <read id='...'/>");
      return (await this.read(room, account, id))
        ? Empty
        : refuse('item-not-found', 'The group has no message of that id.');
    });
  }

  /** Who has read up to where; or with an id, how many have read that message, and who. */
  list(request: IqRequest): MaybePromise<Answer> {
    const { id } = request.payload.attrs as { id?: string };
    const { rooms, groups } = this.parts;
    return rooms.with<Answer>(request.to, async room => {
      if (!room || !(await groups.of(room))) return refuse('service-unavailable', 'This is no group.');
      const actor = room.actor(request.from);
      if (!atLeast(actor.affiliation, 'member')) return refuse('forbidden', 'Only members are told who has read what.');
      const cursors = await groups.parts.store.cursors.of(room.jid, id ?? '');
      const members = cursors.filter(({ account }) => atLeast(room.affiliationOf(account), 'member'));
      const open = room.config.whois === 'anyone' || actor.role === 'moderator' || atLeast(actor.affiliation, 'admin');
      const named = members.slice(0, MOST).map(({ account, cursor, at }) => ({
        // who they are is told as it is of occupants
        ...(open ? { jid: account.bare } : { nick: room.nickOf(account) || undefined }),
        id: cursor,
        stamp: new Date(at).toISOString(),
      }));
      return xml('cursors', { xmlns: GROUPS, id, count: members.length }, ...named.map(each => xml('cursor', each)));
    });
  }

  /** The groups of an account, with what is unread in them. */
  async own(account: Jid, host: string): Promise<Own[]> {
    const { rooms, groups, archive } = this.parts;
    const { store, enabled } = groups.parts;
    const belongings = await rooms.belonging(account);
    const found = await Promise.all(
      belongings.map(async (each): Promise<Own | undefined> => {
        const owner = rooms.hostOf(each.jid.domain);
        if (owner === undefined || !enabled(owner) || !each.config.persistent) return undefined;
        const kept = await store.load(each.jid);
        if (!kept) return undefined;
        const cursor = await store.cursors.get(each.jid, account);
        const unread = await archive()?.rooms.unread(each.jid, account, { host, after: cursor, since: each.since });
        return { ...each, kind: kept.group.kind, number: kept.group.number, cursor, unread };
      }),
    );
    return found.filter(each => each !== undefined);
  }

  /** The same as conversations of the account's inbox. */
  async all(account: Jid): Promise<Beside[]> {
    const own = await this.own(account, account.domain);
    return own.flatMap(({ jid, unread }) => (unread ? { jid, ...unread } : []));
  }

  /** One of them; undefined where the account does not belong to such a group. */
  async one(account: Jid, jid: Jid): Promise<Beside | undefined> {
    const { rooms, groups, archive } = this.parts;
    const since = await rooms.with(jid, room => {
      if (!room?.config.persistent || room.locked || !groups.parts.enabled(room.host)) return undefined;
      return atLeast(room.affiliationOf(account), 'member') ? room.sinceOf(account) : undefined;
    });
    if (since === undefined) return undefined;
    const after = await groups.parts.store.cursors.get(jid, account);
    const unread = await archive()?.rooms.unread(jid, account, { host: account.domain, after, since });
    return unread && { jid, ...unread };
  }

  /** R89: by a request of an account. */
  async groupsOf({ to }: IqRequest): Promise<Answer> {
    const own = await this.own(to.toBare(), to.domain);
    return xml(
      'groups',
      { xmlns: GROUPS },
      ...own.map(({ jid, affiliation, config, kind, number, cursor, unread }) =>
        xml('group', {
          jid: jid.bare,
          name: config.name || undefined,
          kind,
          number,
          affiliation,
          unread: unread?.unread ?? 0,
          last: unread?.id,
          read: cursor,
        }),
      ),
    );
  }
}
