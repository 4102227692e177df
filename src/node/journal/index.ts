/*
 * Sessions that outlive the program (XEP-0198 5). Whatever happens to one that can be resumed is noted in the transaction that the stanza
 * is stored in, as one row for all sessions; at the next start they are as they were, and wait for their clients.
 */
import type { Logger } from 'pino';
import type { Storage } from '../../api/storage.ts';
import {
  ackRecord,
  handledRecord,
  leftRecord,
  overRecord,
  type SessionJournal,
  stateRecord,
  sentRecord,
} from '../../session/journal.ts';
import type { Session } from '../../session/session.ts';
import { type FormerSession, stateJson } from '../../session/state.ts';
import { inUnit, Unit } from '../../util/unit.ts';
import { Replay } from './replay.ts';
import { JournalStore } from './store.ts';

/** ms after a failure when writing is tried again, if nobody else writes. */
const AGAIN = 1_000;
/** ms that a client waits to be told what was handled while that cannot be written. */
const PATIENCE = 3_000;
/** Octets of a whole rewriting that go into one transaction. */
const PORTION = 256 * 1024;
/** Octets after which the journal is written anew, if what it says takes less than a quarter of that. */
const ENOUGH = 4 * 1024 * 1024;

interface Row {
  readonly unit: Unit | undefined;
  /** Of which a stanza has been handled. */
  readonly session: Session | undefined;
  /** What a client has acknowledged: not before what was written because of it. */
  readonly acks?: { readonly session: Session; readonly upTo: number };
}

interface Parts {
  readonly log: Logger;
  /** What modules keep of a session. */
  kept(session: Session): Record<string, unknown>;
}

/** What is composed for a transaction, until its outcome is known. */
interface Flight {
  readonly handled: Map<Session, number>;
  readonly changed: Set<Session>;
  readonly whole: Set<Session>;
  readonly fresh: Set<Session>;
  readonly over: string;
}

export class Journal implements SessionJournal {
  private readonly parts: Parts;
  private store!: JournalStore<Row>;
  /** Sessions of which something new is to be noted. */
  private readonly acks = new Set<Session>();
  private states = new Set<Session>();
  private counts = new Set<Session>();
  /** Sessions that are to be noted whole, some because all are. */
  private wholes = new Set<Session>();
  /** Those among them of which nothing is noted yet. */
  private fresh = new Set<Session>();
  private overs = '';
  /** What waits for a session to be noted whole. */
  private readonly rewriting = new Map<Session, Unit>();
  private readonly sessions = new Set<Session>();
  private flight: Flight | undefined;
  /** Whether something is queued that has no row of its own. */
  private queued = false;
  /** While all is written anew: rows up to this one are to be forgotten then. */
  private forgetting: number | undefined;
  private begunAt = 0;
  private live = 0;
  /** Since when nothing could be written; milliseconds of `performance.now()`. */
  private failing: number | undefined;
  private stopped = false;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  async open(storage: Storage): Promise<void> {
    this.store = await JournalStore.open<Row>(storage, {
      compose: rows => this.compose(rows),
      settled: error => this.settled(error),
    });
  }

  /** The sessions that the program had when it ended. */
  async former(): Promise<FormerSession[]> {
    const replay = new Replay();
    for await (const data of this.store.read()) replay.add(data);
    return replay.result();
  }

  /** Sessions that came back are noted anew, and what was noted before is forgotten. */
  restored(sessions: Iterable<Session>): void {
    for (const session of sessions) this.sessions.add(session);
    this.renew();
  }

  // ---- what sessions tell ---------------------------------------------------------------------------------------------------

  begin(session: Session): void {
    this.sessions.add(session);
    this.wholes.add(session);
    this.fresh.add(session);
    this.soon();
  }

  changed(session: Session): void {
    this.states.add(session);
    this.soon();
  }

  acknowledged(session: Session): void {
    const upTo = session.outbox.acks;
    this.acks.add(session);
    this.store.write({ unit: undefined, session: undefined, acks: { session, upTo } }).then(
      () => {
        if (session.outbox.acks === upTo) this.acks.delete(session);
      },
      // it is in what is noted anew
      () => this.acks.delete(session),
    );
  }

  acknowledgedNoted(session: Session): Promise<void> | undefined {
    // what was written before is committed before
    return this.acks.has(session)
      ? this.store.write({ unit: undefined, session: undefined }).catch(() => {})
      : undefined;
  }

  handled(unit: Unit, session: Session): void {
    if (!unit.notes && !(session.journaled && unit.hasRows)) return;
    this.put({ unit, session: session.journaled ? session : undefined });
  }

  commit(unit: Unit): void {
    if (unit.notes) inUnit(unit, () => this.put({ unit, session: undefined }));
    unit.close();
  }

  rewrite(session: Session): Unit {
    const unit = new Unit();
    this.wholes.add(session);
    this.rewriting.set(session, unit);
    unit.whenSettled({ unitSettled: () => this.rewriting.delete(session) });
    inUnit(unit, () => this.put({ unit, session }));
    unit.close();
    return unit;
  }

  recorded(session: Session): Promise<void> | undefined {
    // of one that has ended, or behind the last that is written, nothing more will be noted
    if (session.recorded === session.handledCount || !session.alive || this.stopped) return undefined;
    this.counts.add(session);
    return this.record(session);
  }

  /**
   * While that cannot be written its client is told nothing: it would be told less after the next start. Where the database is away
   * for longer it is told what is so as long as the program runs: it must not wait for that.
   */
  private async record(session: Session): Promise<void> {
    const until = (this.failing ?? performance.now()) + PATIENCE;
    while (session.alive && !this.stopped) {
      try {
        await this.store.write({ unit: undefined, session });
        return;
      } catch {
        if (performance.now() >= until) session.recorded = session.handledCount;
        if (session.recorded === session.handledCount) return;
        await new Promise(resolve => setTimeout(resolve, AGAIN / 2).unref());
      }
    }
  }

  left(unit: Unit, session: Session, number: number): void {
    unit.note({ record: () => leftRecord(session.id, number) });
  }

  over(session: Session): void {
    if (!this.sessions.delete(session)) return;
    for (const set of [this.acks, this.states, this.counts, this.wholes, this.fresh]) set.delete(session);
    this.overs += overRecord(session.id);
    this.soon();
  }

  /** Writes what nobody waits for. */
  async settle(): Promise<void> {
    this.stopped = true;
    await this.store.write({ unit: undefined, session: undefined }).catch(() => {
      // the storage has said so
    });
  }

  // ---- how it is written ----------------------------------------------------------------------------------------------------

  private put(row: Row): void {
    this.store.write(row).catch(() => {
      // its unit is told
    });
  }

  /** Has written what has no row of its own. `after`: in so many milliseconds, unless something else is written before. */
  private soon(after = 0): void {
    if (this.stopped || this.queued) return;
    this.queued = true;
    const write = (): void => this.put({ unit: undefined, session: undefined });
    if (after === 0) write();
    else setTimeout(write, after).unref();
  }

  private compose(rows: readonly Row[]): string {
    this.takeBack();
    this.queued = false;
    const flight: Flight = {
      handled: new Map(),
      changed: this.states,
      whole: new Set(),
      fresh: this.fresh,
      over: this.overs,
    };
    this.flight = flight;
    this.states = new Set();
    this.fresh = new Set();
    this.overs = '';
    let data = this.composeWholes(flight);
    for (const session of flight.changed) {
      if (!flight.whole.has(session)) data += stateRecord(session.id, this.stateOf(session), false);
    }
    for (const { unit, acks } of rows) {
      if (acks) data += ackRecord(acks.session.id, acks.upTo);
      if (!unit) continue;
      unit.writing = true;
      let before: string | undefined;
      for (const note of unit.notes ?? []) {
        data += note.record(before);
        before = note.wire;
      }
    }
    const { counts } = this;
    this.counts = new Set();
    for (const { session } of rows) if (session) counts.add(session);
    for (const session of counts) {
      const h = session.handledAhead;
      flight.handled.set(session, h);
      if (h !== session.recorded) data += handledRecord(session.id, h);
    }
    return data + flight.over;
  }

  /** Sessions that somebody waits for, and of the others as many as there is room for. */
  private composeWholes({ whole, fresh }: Flight): string {
    let data = '';
    const add = (session: Session): void => {
      this.wholes.delete(session);
      whole.add(session);
      data += stateRecord(session.id, this.stateOf(session), true);
      for (const { number, since, wire } of session.outbox.kept(this.rewriting.get(session)))
        data += sentRecord(session.id, number, since, wire);
    };
    // what is noted of a session has to stand behind it
    for (const session of fresh) add(session);
    for (const session of this.rewriting.keys()) if (this.wholes.has(session)) add(session);
    for (const session of this.wholes) {
      if (data.length > PORTION) break;
      add(session);
    }
    if (this.forgetting !== undefined) this.live += data.length;
    return data;
  }

  private stateOf(session: Session): string {
    return stateJson(session, this.parts.kept(session));
  }

  private settled(error: unknown): void {
    const { flight } = this;
    if (!flight) return;
    if (error !== undefined) {
      this.takeBack();
      this.failing ??= performance.now();
      // something that was noted of sessions is not there
      this.queued = false;
      this.renew(AGAIN);
      return;
    }
    this.flight = undefined;
    this.failing = undefined;
    for (const [session, h] of flight.handled) session.recorded = h;
    if (this.wholes.size > 0) this.soon();
    else if (this.forgetting !== undefined) this.forget(this.forgetting);
    else if (this.store.written - this.begunAt > Math.max(ENOUGH, this.live * 4)) this.renew();
  }

  /** What was composed is not there: it is to be noted again. */
  private takeBack(): void {
    const { flight } = this;
    if (!flight) return;
    this.flight = undefined;
    const back = (from: Iterable<Session>, to: Set<Session>): void => {
      for (const session of from) if (this.sessions.has(session)) to.add(session);
    };
    back(flight.changed, this.states);
    back(flight.whole, this.wholes);
    back(flight.fresh, this.fresh);
    back(flight.handled.keys(), this.counts);
    this.overs = flight.over + this.overs;
  }

  /** Has all sessions noted anew, and forgets what was noted before. */
  private renew(after = 0): void {
    for (const session of this.sessions) this.wholes.add(session);
    this.forgetting = this.store.newest;
    this.live = 0;
    this.soon(after);
  }

  private forget(upTo: number): void {
    this.forgetting = undefined;
    this.begunAt = this.store.written;
    this.store.forget(upTo).catch((error: unknown) => {
      this.parts.log.warn({ err: error }, 'what the journal of sessions needs no more could not be taken away yet');
    });
  }
}
