import type { Logger } from 'pino';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { RoomsService } from '../rooms/contract.ts';
import type { Endings } from './endings.ts';
import { type Groups, membersOf, ownersOf } from './groups.ts';

/** Groups that are looked at in one go. */
const SLICE = 100;

/** What is done for groups now and then, in the background. */
export class Sweeping {
  private readonly rooms: RoomsService;
  private readonly groups: Groups;
  private readonly endings: Endings;
  private readonly log: Logger;
  /** Groups in which something was said since it was last written down. */
  private active = new Set<string>();

  constructor(parts: { rooms: RoomsService; groups: Groups; endings: Endings; log: Logger }) {
    this.rooms = parts.rooms;
    this.groups = parts.groups;
    this.endings = parts.endings;
    this.log = parts.log;
  }

  said({ bare }: Jid): void {
    this.active.add(bare);
  }

  async writeActive(): Promise<void> {
    if (this.active.size === 0) return;
    const rooms = [...this.active];
    this.active = new Set();
    await this.groups.parts.store.touch(rooms, this.groups.parts.now());
  }

  /** Ends discussions in which nothing was said for too long, as the options of their hosts say. */
  async endIdle(hosts: Iterable<string>): Promise<void> {
    await this.writeActive();
    const { options, now, store } = this.groups.parts;
    for (const host of hosts) {
      const { discussionIdle } = options(host);
      const domain = this.rooms.domainOf(host);
      if (discussionIdle === 0 || domain === undefined) continue;
      for (const text of await store.idle(domain, now() - discussionIdle * 1000, SLICE)) {
        const jid = parseJid(text);
        if (jid) await this.endIfIdle(jid, discussionIdle);
      }
    }
  }

  private async endIfIdle(jid: Jid, idle: number): Promise<void> {
    const { now, store } = this.groups.parts;
    await this.rooms.with(jid, async room => {
      if (!room || this.active.has(jid.bare)) return;
      const group = await this.groups.of(room);
      const kept = await store.load(jid);
      if (group?.kind !== 'discussion' || !kept) return;
      if (now() - kept.group.active < idle * 1000) return;
      this.log.info({ room: jid.bare }, 'a discussion group ends: nothing was said for too long');
      const by = ownersOf(room)[0]?.jid ?? [...membersOf(room)][0]?.jid ?? jid;
      await this.endings.end(room, group, by, { reason: 'Nothing was said in it for a long time.' });
    });
  }

  /** Rooms that came to be persistent while there were no groups are groups; what has no room any more is forgotten. */
  async agree(): Promise<void> {
    const { store } = this.groups.parts;
    for (let after = ''; ;) {
      const kept = await store.after(after, SLICE);
      for (const text of kept) {
        const jid = parseJid(text);
        if (!jid || this.rooms.hostOf(jid.domain) === undefined) continue;
        await this.rooms.with(jid, room => (room?.config.persistent ? undefined : store.remove(jid)));
      }
      if (kept.length < SLICE) break;
      after = kept.at(-1)!;
    }
    for (let after = ''; ;) {
      const kept = await this.rooms.persistent(after, SLICE);
      for (const jid of kept) {
        if ((await store.load(jid)) || this.rooms.hostOf(jid.domain) === undefined) continue;
        await this.rooms.with(jid, async room => {
          if (room) await this.groups.of(room);
        });
      }
      if (kept.length < SLICE) break;
      after = kept.at(-1)!.bare;
    }
  }
}
