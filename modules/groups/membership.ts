/* What follows for accounts from belonging to a group: their bookmarks, and what live sessions are told. */
import type { Logger } from 'pino';
import type { Jid } from '../../src/jid/index.ts';
import { type Affiliated, type AffiliationStep, atLeast, type RoomView } from '../rooms/contract.ts';
import type { Bookmarks } from './bookmarks.ts';
import { type Group, type Groups, membersOf } from './groups.ts';
import type { Live } from './live.ts';

export class Membership {
  private readonly groups: Groups;
  private readonly bookmarks: Bookmarks;
  private readonly live: Live;
  private readonly log: Logger;

  constructor(groups: Groups, bookmarks: Bookmarks, live: Live, log: Logger) {
    this.groups = groups;
    this.bookmarks = bookmarks;
    this.live = live;
    this.log = log;
  }

  /** All who belong to a group that is new, or has another name. Whether their bookmarks are as they should be, as all here. */
  all(room: RoomView, isNew: boolean): Promise<boolean> {
    return this.inGroup(room, group =>
      [...membersOf(room)].map(({ jid }) => {
        if (isNew) this.live.tell(jid, room.jid, 'joined');
        return this.bookmark(room, group, jid);
      }),
    );
  }

  steps(room: RoomView, steps: readonly AffiliationStep[]): Promise<boolean> {
    return this.inGroup(room, group =>
      steps.map(({ jid, before, after }) => {
        const [was, is] = [atLeast(before, 'member'), atLeast(after, 'member')];
        if (was === is) return DONE;
        if (was) return this.left(room.jid, jid);
        this.live.tell(jid, room.jid, 'joined');
        return this.bookmark(room, group, jid);
      }),
    );
  }

  gone(room: Jid, affiliated: Iterable<Affiliated>): Promise<boolean> {
    const members = [...affiliated].filter(({ affiliation }) => atLeast(affiliation, 'member'));
    return all(members.map(({ jid }) => this.left(room, jid)));
  }

  /** Brings bookmarks in line with who belongs to a room; `accounts`: undefined: of all who do. `room`: undefined where there is none. */
  agree(jid: Jid, room: RoomView | undefined, accounts: readonly Jid[] | undefined): Promise<boolean> {
    if (!room) return all((accounts ?? []).map(account => this.bookmarks.remove(account, jid)));
    return this.inGroup(
      room,
      group =>
        (accounts ?? [...membersOf(room)].map(member => member.jid)).map(account =>
          atLeast(room.affiliationOf(account), 'member')
            ? this.bookmark(room, group, account)
            : this.bookmarks.remove(account, jid),
        ),
      () => (accounts ?? []).map(account => this.bookmarks.remove(account, jid)),
    );
  }

  private bookmark(room: RoomView, group: Group, account: Jid): Promise<boolean> {
    return this.bookmarks.add(account, room.nickOf(account), { room: room.jid, name: room.config.name, group });
  }

  private left(room: Jid, account: Jid): Promise<boolean> {
    this.live.tell(account, room, 'left');
    return this.bookmarks.remove(account, room);
  }

  private async inGroup(
    room: RoomView,
    job: (group: Group) => Work,
    otherwise: () => Work = () => [],
  ): Promise<boolean> {
    try {
      const group = this.groups.of(room);
      const found = group instanceof Promise ? await group : group;
      return await all(found && room.isThere ? job(found) : otherwise());
    } catch (error) {
      this.log.error({ err: error }, 'what follows from a membership may not be done');
      return false;
    }
  }
}

type Work = readonly Promise<boolean>[];
const DONE = Promise.resolve(true);

async function all(work: Work): Promise<boolean> {
  return (await Promise.all(work)).every(Boolean);
}
