/*
 * Bookmarks are written behind the change that they follow from. What is to be written is noted before that change is kept, and the note
 * goes when it is done: what a kill, or a failure, cuts off in between is made good at the next start.
 */
import type { Logger } from 'pino';
import type { Jid } from '../../src/jid/index.ts';
import type { RoomChange, RoomsService } from '../rooms/contract.ts';
import type { Bookmarks } from './bookmarks.ts';
import type { Membership } from './membership.ts';
import type { DueStore } from './due-store.ts';

/** Notes that are read in one go. */
const SLICE = 100;

export interface DueParts {
  readonly store: DueStore;
  readonly rooms: RoomsService;
  readonly bookmarks: Bookmarks;
  readonly membership: Membership;
  readonly log: Logger;
  /** Whether a host has groups. */
  enabled(host: string): boolean;
}

export class DueBookmarks {
  private readonly parts: DueParts;
  /** Notes of changes that are not kept yet, by fact and room. */
  private readonly noted = new Map<string, Promise<number | undefined>[]>();
  private readonly working = new Set<Promise<void>>();

  constructor(parts: DueParts) {
    this.parts = parts;
  }

  /** In the same go as the change is handed to the database. */
  changing({ jid, host, fact, persistent, accounts }: RoomChange): void {
    const { store, bookmarks, log, enabled } = this.parts;
    if (!persistent || !enabled(host) || !bookmarks.there) return;
    const own = accounts?.filter(account => bookmarks.keptFor(account));
    if (own?.length === 0) return;
    const note = store.note(jid, own).catch((error: unknown) => {
      log.error({ err: error }, 'bookmarks of members may not be written if the program is killed now');
      return undefined;
    });
    const key = keyOf(jid, fact);
    this.noted.set(key, [...(this.noted.get(key) ?? []), note]);
  }

  /** It is kept, and what follows from it is being done. */
  followed(room: Jid, fact: RoomChange['fact'], work: Promise<boolean>): void {
    const key = keyOf(room, fact);
    const notes = this.noted.get(key);
    if (!notes) return;
    this.noted.delete(key);
    const settling = this.settle(notes, work)
      .catch((error: unknown) => this.parts.log.error({ err: error }, 'bookmarks of members may be written again'))
      .finally(() => this.working.delete(settling));
    this.working.add(settling);
  }

  private async settle(notes: readonly Promise<number | undefined>[], work: Promise<boolean>): Promise<void> {
    if (!(await work)) return;
    const ids = (await Promise.all(notes)).filter(id => id !== undefined);
    await this.parts.store.settled(ids);
  }

  /** What was not done when the program ended. */
  async catchUp(): Promise<void> {
    const { store, rooms, bookmarks, membership, enabled } = this.parts;
    if (!bookmarks.there) return;
    for (let after = 0; ;) {
      const notes = await store.after(after, SLICE);
      for (const { id, room: jid, accounts } of notes) {
        const host = rooms.hostOf(jid.domain);
        if (host === undefined || !enabled(host)) continue;
        // in the room's order: a change that is being kept is kept by then; writing them keeps nobody waiting
        const { done } = await rooms.with(jid, room => ({ done: membership.agree(jid, room, accounts) }));
        if (await done) await store.settled([id]);
      }
      if (notes.length < SLICE) return;
      after = notes.at(-1)!.id;
    }
  }

  /** Resolved when nothing is under way. */
  async done(): Promise<void> {
    await Promise.all(this.working);
  }
}

const keyOf = ({ bare }: Jid, fact: RoomChange['fact']): string => `${fact} ${bare}`;
