import { Lru } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { Mailbox } from './mailbox.ts';
import type { MailboxParts } from './parts.ts';

/** The mailboxes in use; of the others the totals are kept for a while. */
export class Mailboxes {
  private readonly parts: MailboxParts;
  private readonly active = new Map<string, Mailbox>();
  private readonly idle: Lru<string, Mailbox>;

  constructor(parts: MailboxParts, cached: number) {
    this.parts = parts;
    this.idle = new Lru(cached);
  }

  /** Whether nothing is going on in any. */
  get quiet(): boolean {
    return this.active.size === 0;
  }

  /** The mailbox if something is going on in it. */
  busy(account: Jid): Mailbox | undefined {
    return this.active.get(account.bare);
  }

  of(account: Jid): Mailbox {
    const known = this.active.get(account.bare) ?? this.idle.get(account.bare);
    if (known) return known;
    const box = new Mailbox(this.parts, account.toBare(), (mailbox, busy) => this.moved(mailbox, busy));
    this.idle.set(account.bare, box);
    return box;
  }

  private moved(box: Mailbox, busy: boolean): void {
    const { bare } = box.account;
    if (busy) this.active.set(bare, box);
    else if (this.active.delete(bare)) this.idle.set(bare, box);
  }

  forget(account: Jid): void {
    this.active.delete(account.bare);
    this.idle.delete(account.bare);
  }
}
