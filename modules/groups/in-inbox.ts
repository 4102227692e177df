/* Groups in the inboxes of their members (XEP-0430), and who is told that something was said. docs/inbox.md */
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { BesideSource, InboxService } from '../inbox/contract.ts';
import { atLeast, type RoomView } from '../rooms/contract.ts';
import { membersOf } from './groups.ts';

interface Cached {
  readonly version: number;
  readonly accounts: readonly Jid[];
}

export class InInbox {
  private readonly source: BesideSource;
  private readonly current: () => InboxService | undefined;
  private inbox: InboxService | undefined;
  private end = (): void => {};
  /** Members of a group of whom a client is to be told. */
  private cached = new WeakMap<RoomView, Cached>();

  constructor(source: BesideSource, current: () => InboxService | undefined) {
    this.source = source;
    this.current = current;
  }

  /** The module inbox may be loaded, or again, later than this one. */
  look(): void {
    const now = this.current();
    if (now === this.inbox) return;
    this.end();
    this.inbox = now;
    this.cached = new WeakMap();
    this.end = now?.beside(this.source) ?? (() => {});
  }

  /** Who belongs to a group is another now. */
  affiliated(room: RoomView): void {
    this.cached.delete(room);
  }

  said(room: RoomView): void {
    const { inbox } = this;
    if (!inbox || inbox.watching.size === 0) return;
    for (const account of this.toldOf(room, inbox)) inbox.changed(account, room.jid);
  }

  /** An account has read more of a group, or belongs to it no more. */
  changed(account: Jid, room: Jid): void {
    this.inbox?.changed(account, room);
  }

  private toldOf(room: RoomView, { watching }: InboxService): readonly Jid[] {
    const known = this.cached.get(room);
    if (known?.version === watching.version) return known.accounts;
    const accounts: Jid[] = [];
    if (watching.size > room.affiliatedCount) {
      for (const { jid } of membersOf(room)) if (watching.has(jid.bare)) accounts.push(jid);
    } else {
      for (const bare of watching.accounts()) {
        const jid = parseJid(bare)!;
        if (atLeast(room.affiliationOf(jid), 'member')) accounts.push(jid);
      }
    }
    this.cached.set(room, { version: watching.version, accounts });
    return accounts;
  }

  stop(): void {
    this.end();
  }
}
