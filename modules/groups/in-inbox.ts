/* Groups in the inboxes of their members (XEP-0430), and who is told that something was said. docs/inbox.md */
import type { Jid } from '../../src/jid/index.ts';
import type { BesideSource, InboxService } from '../inbox/contract.ts';
import type { RoomView } from '../rooms/contract.ts';
import { membersAmong } from './groups.ts';

interface Cached {
  readonly version: number;
  readonly accounts: readonly Jid[];
}

export class InInbox {
  private readonly source: BesideSource;
  private inbox: InboxService | undefined;
  /** Members of a group of whom a client is to be told. */
  private cached = new WeakMap<RoomView, Cached>();

  constructor(source: BesideSource) {
    this.source = source;
  }

  /** Has to do with an inbox until what is returned is called. */
  attach(inbox: InboxService): () => void {
    this.inbox = inbox;
    this.cached = new WeakMap();
    const end = inbox.beside(this.source);
    return () => {
      this.inbox = undefined;
      end();
    };
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
    const accounts = membersAmong(room, watching);
    this.cached.set(room, { version: watching.version, accounts });
    return accounts;
  }
}
