import { Loaded, type MaybePromise, andThen } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { Mailbox } from './mailbox.ts';
import type { MailboxParts } from './parts.ts';
import type { Totals } from './store.ts';

/** The mailboxes in use; of the others the totals are kept for a while. */
export class Mailboxes {
  private readonly parts: MailboxParts;
  private readonly active = new Map<string, Mailbox>();
  private readonly idle: Loaded<Mailbox>;

  constructor(parts: MailboxParts, cached: number) {
    this.parts = parts;
    this.idle = new Loaded(cached);
  }

  /** Whether nothing is going on in any. */
  get quiet(): boolean {
    return this.active.size === 0;
  }

  /** The mailbox if something is going on in it. */
  busy(account: Jid): Mailbox | undefined {
    return this.active.get(account.bare);
  }

  of(account: Jid): MaybePromise<Mailbox> {
    return (
      this.known(account) ??
      this.idle.load(
        account.bare,
        andThen(this.parts.store.totals(account), totals => this.made(account, totals)),
      )
    );
  }

  /** The mailbox if something is in it, on its way to it or going on in it. */
  filled(account: Jid): MaybePromise<Mailbox | undefined> {
    return (
      this.known(account) ??
      andThen(this.parts.store.totals(account), totals => {
        if (totals.messages === 0 && !this.parts.passing(account)) return undefined;
        return this.known(account) ?? this.idle.load(account.bare, this.made(account, totals));
      })
    );
  }

  private known(account: Jid): MaybePromise<Mailbox> | undefined {
    return this.active.get(account.bare) ?? this.idle.get(account.bare);
  }

  private made(account: Jid, totals: Totals): Mailbox {
    return new Mailbox(this.parts, account.toBare(), totals, (mailbox, busy) => this.moved(mailbox, busy));
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
