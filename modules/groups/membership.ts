/* What follows for accounts from belonging to a group: their bookmarks, and what live sessions are told. */
import type { Logger } from 'pino';
import { andThen } from '../../src/api/index.ts';
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

  /** All who belong to a group that is new, or has another name. */
  all(room: RoomView, isNew: boolean): void {
    this.inGroup(room, group => {
      for (const { jid } of membersOf(room)) {
        this.bookmark(room, group, jid);
        if (isNew) this.live.tell(jid, room.jid, 'joined');
      }
    });
  }

  steps(room: RoomView, steps: readonly AffiliationStep[]): void {
    this.inGroup(room, group => {
      for (const { jid, before, after } of steps) {
        const [was, is] = [atLeast(before, 'member'), atLeast(after, 'member')];
        if (is && !was) {
          this.bookmark(room, group, jid);
          this.live.tell(jid, room.jid, 'joined');
        } else if (was && !is) this.left(room.jid, jid);
      }
    });
  }

  gone(room: Jid, affiliated: Iterable<Affiliated>): void {
    for (const { jid, affiliation } of affiliated) if (atLeast(affiliation, 'member')) this.left(room, jid);
  }

  private bookmark(room: RoomView, group: Group, account: Jid): void {
    this.bookmarks.add(account, room.nickOf(account), { room: room.jid, name: room.config.name, group });
  }

  private left(room: Jid, account: Jid): void {
    this.bookmarks.remove(account, room);
    this.live.tell(account, room, 'left');
  }

  private inGroup(room: RoomView, job: (group: Group) => void): void {
    const group = this.groups.of(room);
    const done = andThen(group, found => {
      if (found && room.isThere) job(found);
    });
    if (done instanceof Promise)
      done.catch((error: unknown) => this.log.error({ err: error }, 'what follows from a membership may not be done'));
  }
}
