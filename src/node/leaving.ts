import type { Logger } from 'pino';
import type { SessionJournal } from '../session/journal.ts';
import type { Leftover } from '../session/outbox.ts';
import type { Session } from '../session/session.ts';
import { inUnit, Unit } from '../util/unit.ts';

interface Parts {
  readonly log: Logger;
  /** Accounts for which leftovers are on their way (Router.passing). */
  readonly passing: Map<string, Promise<void>>;
  /** Finds another place for a stanza. */
  leftover(item: Leftover, session: Session): void | Promise<void>;
  journal(): SessionJournal | undefined;
}

/** What sessions leave is passed on in portions of so many; then it is the others' turn. */
const PORTION = 64;

/** What sessions leave that are over: it goes another way, in order, account by account. */
export class Leaving {
  private readonly parts: Parts;
  private readonly ending = new Set<Promise<void>>();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Passes on what the session's client never took, behind what earlier sessions of the account left; `then` runs afterwards. */
  begin(session: Session, then: () => void | Promise<void>): void {
    const { passing } = this.parts;
    const { bare } = session.user.jid;
    const before = passing.get(bare);
    const passed = before ? before.then(() => this.passOn(session)) : this.passOn(session);
    passing.set(bare, passed);
    const done = passed.then(() => {
      if (session.journaled) this.parts.journal()?.over(session);
      if (passing.get(bare) === passed) passing.delete(bare);
      return then();
    });
    this.ending.add(done);
    void done.then(() => this.ending.delete(done));
  }

  /** Resolved when all of it found its place. */
  async settled(): Promise<void> {
    while (this.ending.size > 0) await Promise.all(this.ending);
  }

  private async passOn(session: Session): Promise<void> {
    let handled = 0;
    let last: Unit | undefined;
    for (const item of session.outbox.leave()) {
      if (++handled % PORTION === 0) await new Promise(resolve => setImmediate(resolve));
      try {
        if (item.storing) await item.storing;
        if (item.unit?.pending) await item.unit.done();
        const waiting = this.move((last = new Unit()), item, session);
        if (waiting) await waiting;
      } catch (error) {
        this.parts.log.error(
          { err: error, session: session.id },
          'a stanza that a session left could not be passed on',
        );
      }
    }
    // whoever is given what waits from now on is given all of it, in order
    if (last?.pending) await last.done();
  }

  /** What takes it in and the journal, which has it no more, change together. */
  private move(unit: Unit, item: Leftover, session: Session): void | Promise<void> {
    const journal = this.parts.journal();
    try {
      const waiting = inUnit(unit, () => this.parts.leftover(item, session));
      if (item.number !== undefined) journal?.left(unit, session, item.number);
      return waiting;
    } finally {
      if (journal) journal.commit(unit);
      else unit.close();
    }
  }
}
