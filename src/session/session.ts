import { IQ, type Kind, KINDS, MESSAGE, Packet, type Safety, type SessionView, stanzaType } from '../bus/index.ts';
import { type Jid, parseJid } from '../jid/index.ts';
import { NS, type StreamError } from '../protocol/index.ts';
import { currentUnit, enterUnit, leaveUnit, Unit, type UnitListener } from '../util/unit.ts';
import { type Stanza, toWire } from '../xml/index.ts';
import { Deferred } from './deferred.ts';
import { ACK_REQUEST, Inbox, type InboxOwner, type Item } from './inbox.ts';
import { Outbox, type OutboxItem, type OutboxOwner } from './outbox.ts';
import type { Resumption, SessionOwner, SessionStream } from './owner.ts';
import { priorityOf, problemOf, streamErrorOf } from './incoming.ts';
import { SentNote } from './journal.ts';
import { InputProgress } from './progress.ts';
import type { FormerSession } from './state.ts';
import type { User } from './users.ts';

/** Text that means the same escaped and unescaped, as bytes and as characters. */
const PLAIN = /^[\x20-\x25\x28-\x3b\x3d-\x7e]+$/;

/** ms that a client waits for the safety of what it sent before it is resumed or closed. */
const PATIENCE = 3_000;

const REQUEST = `<r xmlns='${NS.sm}'/>`;
/** Unacknowledged stanzas, if none is a message, after which the client is asked at once, not at the next round. */
const ASK_AFTER = 16;

/**
 * A connected resource: in order and one at a time its stanzas go in, at any time stanzas for it go out. It belongs to no
 * connection: with stream management it waits for the next one.
 */
export class Session implements SessionView, InboxOwner, OutboxOwner, UnitListener {
  readonly id: string;
  readonly jid: Jid;
  readonly user: User;
  since = Date.now();
  readonly anonymous: boolean;
  readonly slots: unknown[] = [];
  lang: string | undefined;
  transport = '';
  address = '';
  presence: Packet | undefined;
  priority = 0;
  takesSince = Infinity;
  alive = true;
  /** Milliseconds since 1970 when bytes last came. */
  heard = Date.now();
  /** When it was asked whether it is still there; 0 when it was not. */
  probed = 0;
  /** When it lost its connection; 0 while it has one. */
  detachedAt = 0;
  /** The client that it is a session of, where that said who it is (see stream/clients.ts). */
  client: string | undefined;
  /** Whether the owner has noted it for a flush. */
  dirty = false;
  resumption: Resumption | undefined;
  /** Whether the journal notes it. */
  journaled = false;
  /** Stanzas of the client that the journal says are handled, modulo 2^32. */
  recorded = 0;
  outbox = new Outbox(this);
  private readonly owner: SessionOwner;
  private stream: SessionStream | undefined;
  /** What came while a stanza waits; undefined while none does. */
  private inbox: Inbox | undefined;
  /** Whether its stream is not read because the inbox is full. */
  private held = false;
  private progress: InputProgress | undefined;
  private asked = false;
  /** Whether a message entered the outbox since the client was asked: it is asked with it, so that little comes twice. */
  private owing = false;
  private deferred: Deferred | undefined;
  /** Whom it wrote to last, if that address is the same raw and prepared: people write to the same person again. */
  private peer: Jid | undefined;
  /** The session that it wrote to last; the router's note. */
  target: Session | undefined;
  inactiveSince = 0;

  constructor(id: string, jid: Jid, user: User, owner: SessionOwner, anonymous: boolean) {
    this.id = id;
    this.jid = jid;
    this.user = user;
    this.owner = owner;
    this.anonymous = anonymous;
  }

  get connected(): boolean {
    return this.stream !== undefined;
  }

  get acknowledged(): boolean {
    return this.resumption !== undefined;
  }

  get backlog(): number {
    return this.outbox.bytes;
  }

  /** Takes up where the program ended: it waits for its client. */
  restore({ state, items }: FormerSession): void {
    this.since = state.since;
    this.transport = state.transport;
    this.address = state.address;
    this.lang = state.lang;
    this.client = state.client;
    this.resumption = { id: state.resumption, timeout: state.timeout };
    if (state.presence !== undefined)
      this.presence = Packet.fromWire(toWire(state.presence), this.jid, undefined, this);
    this.priority = state.priority;
    this.takesSince = state.takesSince ?? Infinity;
    this.outbox = new Outbox(this, state.acks);
    this.outbox.restore(items);
    this.recorded = state.h;
    this.progress = new InputProgress(state.h);
    this.journaled = true;
    this.detachedAt = Date.now();
  }

  /** Joins it to a stream: at bind, at resumption. */
  attach(stream: SessionStream, lang: string | undefined): void {
    this.stream = stream;
    this.lang = lang;
    this.transport = stream.connection.transport;
    this.address = stream.connection.address;
    this.heard = Date.now();
    this.probed = 0;
    this.detachedAt = 0;
  }

  // ---- from the client ------------------------------------------------------------------------------------------------------

  /** Takes a stanza of the client. Returns the condition of a stream error when it is none (RFC 6120 4.9.3). */
  receive(stanza: Stanza): StreamError | undefined {
    const error = streamErrorOf(stanza, this.jid);
    if (!error) this.enqueue(stanza);
    return error;
  }

  private enqueue(item: Item): void {
    const { inbox } = this;
    if (inbox) {
      if (inbox.push(item) >= this.owner.inboxLimit && !this.held) {
        this.held = true;
        this.stream?.hold();
      }
      return;
    }
    const waiting = this.handle(item);
    if (waiting) this.inbox = new Inbox(waiting, this);
  }

  /** All that came in so far has been handled. */
  handled(): void {
    this.inbox = undefined;
    if (!this.held) return;
    this.held = false;
    this.stream?.release();
  }

  handle(item: Item): Promise<void> | undefined {
    if (item === ACK_REQUEST) {
      this.answerRequest();
      return undefined;
    }
    const kind = KINDS.indexOf(item.name as 'message') as Kind;
    const { peer } = this;
    let to = peer;
    let toText: string | undefined;
    if (!peer || !item.attrIs('to', peer.full)) {
      toText = item.attr('to');
      to = toText === undefined ? undefined : parseJid(toText);
      if (to && to.full === toText && PLAIN.test(toText)) this.peer = to;
    }
    const type = item.type;
    const packet = new Packet(kind, item, stanzaType(kind, type), this.jid, to, this);
    const problem = problemOf(packet, type, toText);
    if (problem) {
      this.owner.bounce(packet, problem);
      this.progress?.done(undefined);
      return undefined;
    }
    if (kind === MESSAGE) return this.handleTogether(packet);
    if (kind === IQ && to && (type === 'result' || type === 'error')) this.outbox.answered(to, packet.id);
    return this.counted(packet, this.owner.received(packet, this));
  }

  /** What a message causes at once is committed at once. */
  private handleTogether(packet: Packet): Promise<void> | undefined {
    const unit = new Unit();
    const outer = enterUnit(unit);
    let handled: Promise<void> | undefined;
    try {
      handled = this.counted(packet, this.owner.received(packet, this), unit);
      if (unit.notes || this.isNoted()) this.owner.journal!.handled(unit, this);
    } finally {
      leaveUnit(outer);
      unit.close();
    }
    if (unit.slow && unit.pending) return handled ? handled.then(() => unit.done()) : unit.done();
    return handled;
  }

  private counted(packet: Packet, waiting: void | Promise<void>, unit?: Unit): Promise<void> | undefined {
    if (waiting) return waiting.finally(() => this.progress?.done(packet.held, unit));
    this.progress?.done(packet.held, unit);
    return undefined;
  }

  /** Resolved when all that came in has been handled and counts; undefined when that is so already. */
  settled(): Promise<void> | undefined {
    return this.inbox ? this.inbox.empty().then(() => this.settled()) : this.progress?.settled();
  }

  /** Resolved when all that came in has been handled; undefined when that is so already. */
  idle(): Promise<void> | undefined {
    return this.inbox?.empty();
  }

  /**
   * As `settled`, for a client that waits on the line: what is not safe in good time counts nevertheless, since it is in this node's
   * hands.
   */
  settledSoon(): Promise<void> | undefined {
    const { inbox, progress } = this;
    if (inbox) return inbox.empty().then(() => this.settledSoon());
    const waiting = progress?.settled();
    if (!waiting) return this.noted()?.then(() => this.settledSoon());
    const timer = setTimeout(() => progress!.waive(), PATIENCE).unref();
    return waiting.finally(() => clearTimeout(timer)).then(() => this.settledSoon());
  }

  /** Resolved when what has been handled will still be known when the program ends; undefined when that is so already. */
  private noted(): Promise<void> | undefined {
    return this.journaled ? this.owner.journal?.recorded(this) : undefined;
  }

  /** Notes its own presence (no 'to'). False when the priority is none (RFC 6121 4.7.2.3). */
  setPresence(packet: Packet): boolean {
    if (packet.type === 'unavailable') {
      this.presence = undefined;
      this.priority = 0;
    } else {
      const priority = priorityOf(packet);
      if (priority === undefined) return false;
      this.presence = packet;
      this.priority = priority;
    }
    if (this.presence === undefined || this.priority < 0) this.takesSince = Infinity;
    else if (this.takesSince === Infinity) this.takesSince = Date.now();
    this.changed();
    return true;
  }

  /** Something that has to be known of it when the program ends is another now. */
  changed(): void {
    if (this.journaled) this.owner.journal?.changed(this);
  }

  // ---- to the client --------------------------------------------------------------------------------------------------------

  send(packet: Packet, taken?: (taken: boolean) => void): void {
    if (!this.alive) {
      taken?.(false);
      return;
    }
    if (this.inactiveSince !== 0 && !taken && (this.deferred ??= new Deferred()).keep(packet)) return;
    if (this.deferred && this.deferred.size > 0) this.flushDeferred();
    if (packet.kind !== MESSAGE) {
      this.push(packet.wire(), taken, false);
      return;
    }
    this.owing = true;
    const unit = currentUnit();
    if (this.isNoted() && !packet.isChatState && !packet.hint('no-store')) {
      this.sendNoted(packet, taken, unit);
      return;
    }
    // what was given by whoever keeps it is safe there
    const safety = taken ? undefined : packet.safety();
    this.push(packet.wire(), taken, false, safety, packet.story, unit);
    if (safety) this.owner.watched(this);
  }

  /** Whether it outlives the program, with all that its client has not acknowledged. The journal begins when that is first so. */
  private isNoted(): boolean {
    if (this.journaled) return true;
    const { journal } = this.owner;
    if (!journal || this.anonymous || !this.resumption || this.resumption.timeout === 0 || !this.outbox.counts)
      return false;
    this.journaled = true;
    journal.begin(this);
    return true;
  }

  /** A message is safe when it is noted. */
  private sendNoted(packet: Packet, taken: ((taken: boolean) => void) | undefined, outer: Unit | undefined): void {
    const wire = packet.wire();
    const unit = outer ?? new Unit();
    // too much for it may end it at once; what it leaves is noted until it has found its place
    unit.note(new SentNote(this, this.push(wire, taken, false, undefined, packet.story, unit, true)));
    if (outer) return;
    this.owner.journal!.commit(unit);
    if (!taken && packet.isAwaited) packet.hold(unit.safe());
  }

  /** What was sent as part of a unit may be written now; or it is withdrawn; or its senders wait for the client. */
  unitSettled(unit: Unit, error: unknown): void {
    if (error !== undefined) {
      if (unit.required) this.outbox.withdraw(unit, this.filler);
      else if (this.outbox.unkept(unit)) this.owner.watched(this);
    }
    if (this.alive && !this.dirty) this.owner.soon(this, unit);
  }

  /** Says nothing, and takes the number of a stanza that does not come after all. */
  private get filler(): string {
    return `<message type='headline' from='${toWire(this.jid.domain)}'/>`;
  }

  entrust(keep: Parameters<SessionView['entrust']>[0]): void {
    this.outbox.entrust(keep);
  }

  stories(): number[] {
    return this.outbox.stories();
  }

  /** The client has a message that has a story. */
  told(story: number): void {
    this.owner.acknowledged(this, story);
  }

  eachNoted(look: (wire: string) => void): void {
    for (const { wire } of this.outbox.kept()) look(wire);
  }

  sendWire(wire: string, taken?: (taken: boolean) => void): void {
    if (!this.alive) {
      taken?.(false);
      return;
    }
    if (this.deferred && this.deferred.size > 0) this.flushDeferred();
    // somebody waits to hear of it
    if (taken) this.owing = true;
    this.push(wire, taken, true);
  }

  private push(
    wire: string,
    taken: ((taken: boolean) => void) | undefined,
    disposable: boolean,
    safety?: Safety,
    story = 0,
    unit?: Unit,
    kept = false,
  ): OutboxItem {
    const { outbox } = this;
    const item = outbox.push(wire, Date.now(), taken, disposable, safety, story, unit, kept);
    // once it may be written
    if (unit) unit.whenSettled(this);
    else if (!this.dirty) this.owner.soon(this);
    if (outbox.exceeds(this.owner.outboxLimits)) this.owner.slow(this, 'bytes');
    return item;
  }

  private flushDeferred(): void {
    for (const packet of this.deferred!.take()) this.push(packet.wire(), undefined, false);
  }

  /** Writes what waits. The owner calls it once a tick. */
  flush(): void {
    const { stream, outbox } = this;
    if (!stream) return;
    // many clients do not acknowledge before they close (XEP-0198 4), and would get their last messages again
    const ask = this.owing && !this.asked && this.resumption !== undefined;
    const any = outbox.flush(stream.connection, ask ? REQUEST : '');
    if (any && ask) {
      this.asked = true;
      this.owing = outbox.unwritten > 0;
    }
    // more than a window: the rest in the next tick, after the others
    if (outbox.isOpen && !this.dirty && stream.connection.backlog === 0) this.owner.soon(this);
    if (any && this.resumption && !this.asked && outbox.unacknowledged >= ASK_AFTER) this.ask();
  }

  drained(): void {
    this.outbox.drained();
    this.flush();
  }

  // ---- stream management (XEP-0198) -----------------------------------------------------------------------------------------

  /** Begins to count. False when that was done before. */
  enable(resumption: Resumption): boolean {
    if (this.resumption) return false;
    if (this.stream) this.outbox.flush(this.stream.connection);
    this.resumption = resumption;
    this.outbox.acknowledge();
    this.progress = new InputProgress();
    this.isNoted();
    return true;
  }

  /** Stanzas of the client that are handled and safe. */
  get handledCount(): number {
    return this.progress?.h ?? 0;
  }

  /** Those that will have been when what is being written now is committed. */
  get handledAhead(): number {
    return this.progress?.ahead ?? 0;
  }

  /** What its client is told of that (XEP-0198 4). */
  get h(): number {
    return this.journaled ? this.recorded : this.handledCount;
  }

  /** The client asks what has been handled (<r/>). */
  onRequest(): void {
    if (this.resumption) this.enqueue(ACK_REQUEST);
  }

  private answerRequest(): void {
    const { stream } = this;
    const answer = (): void => {
      // a stream that came since then has been told by <resumed/>
      if (!this.alive || this.stream !== stream || !stream) return;
      this.flush();
      stream.connection.write(`<a xmlns='${NS.sm}' h='${this.h}'/>`);
      stream.connection.flush();
    };
    const note = (): void => {
      const waiting = this.noted();
      if (waiting) void waiting.then(answer);
      else answer();
    };
    const waiting = this.progress!.settled();
    if (waiting) void waiting.then(note);
    else note();
  }

  /** The client tells what it has handled (<a/>). Returns a stream error when it cannot be. */
  onAck(h: number): boolean {
    this.asked = false;
    this.probed = 0;
    const before = this.outbox.acks;
    if (!this.outbox.ack(h)) return false;
    if (this.journaled && this.outbox.acks !== before) this.owner.journal?.acknowledged(this);
    if (this.outbox.unacknowledged >= (this.owing ? 1 : ASK_AFTER)) this.ask();
    return true;
  }

  /** Asks the client what it has handled, once at a time. */
  ask(): void {
    if (!this.stream || this.asked) return;
    this.asked = true;
    this.owing = this.outbox.unwritten > 0;
    this.stream.connection.write(REQUEST);
    this.stream.connection.flush();
  }

  /** Asks a silent client whether it is still there: by <r/>, or by a ping, which every client answers, if with an error. */
  probe(now: number): void {
    this.probed = now;
    if (this.resumption) {
      this.asked = false;
      this.ask();
    } else {
      const { domain } = this.jid;
      this.sendWire(`<iq type='get' id='alive' from='${domain}'><ping xmlns='${NS.ping}'/></iq>`);
    }
  }

  /** Cuts a connection that leads nowhere; the session waits for another if it may. */
  drop(): void {
    this.stream?.connection.destroy();
  }

  /** Since when the client has taken nothing of what waits for it; undefined when nothing does. */
  stuckSince(now: number): number | undefined {
    if (!this.stream || this.stream.connection.keepsTime) return undefined;
    return this.outbox.stuckSince(this.stream.connection, now);
  }

  /** Bytes of the client came. */
  hear(now: number): void {
    this.heard = now;
    this.probed = 0;
  }

  // ---- client state (XEP-0352) ----------------------------------------------------------------------------------------------

  setActive(active: boolean): void {
    this.inactiveSince = active ? 0 : Date.now();
    if (active && this.deferred && this.deferred.size > 0) this.flushDeferred();
  }

  // ---- comings and goings ---------------------------------------------------------------------------------------------------

  /** The connection is gone. */
  disconnect(stream: SessionStream): void {
    if (this.stream !== stream) return;
    this.stream = undefined;
    this.outbox.disconnected(stream.connection);
    if (!this.alive) return;
    if (!this.resumption || this.resumption.timeout === 0) {
      this.finish();
      return;
    }
    this.wait();
  }

  /** Without a connection it waits for the next one. */
  private wait(): void {
    this.detachedAt = Date.now();
    this.asked = false;
    this.inactiveSince = 0;
    this.held = false;
    this.owner.detached(this);
  }

  /** A new connection takes the session over. The client has handled `h` stanzas. False when that cannot be. */
  takeOver(stream: SessionStream, h: number, lang: string | undefined): boolean {
    const { outbox } = this;
    if (outbox.isRestored) {
      // what it has not handled is written when its new numbers are known to outlive the program
      const unit = this.owner.journal!.rewrite(this);
      if (!outbox.resumeAt(h, unit)) return false;
      unit.whenSettled(this);
    } else {
      const before = outbox.acks;
      if (!outbox.ack(h)) return false;
      if (this.journaled && outbox.acks !== before) this.owner.journal?.acknowledged(this);
    }
    this.attach(stream, lang);
    this.owing = true;
    // XEP-0352 5: a resumed client is active
    if (this.deferred && this.deferred.size > 0) this.flushDeferred();
    return true;
  }

  /** Lets go of the present stream, whose input counts no more. */
  leaveStream(): void {
    const { stream } = this;
    if (!stream) return;
    this.stream = undefined;
    this.outbox.disconnected(stream.connection);
    this.wait();
    stream.abandon();
  }

  close(error: StreamError): void {
    const { stream } = this;
    // what waits is written before the stream's last word
    if (stream) this.outbox.flush(stream.connection);
    this.finish();
    stream?.fail(error);
  }

  /** The client closes its stream, and will acknowledge nothing more: what others wait for need not wait for the end. */
  closing(): void {
    if (this.outbox.unsafeSince !== undefined) this.owner.stalled(this);
  }

  /** Resolved when all that the client sent on its stream is safe, and all that it acknowledged is known; undefined when it is. */
  lastWords(): Promise<void> | undefined {
    const waiting = this.settledSoon();
    const noted = (): Promise<void> | undefined =>
      this.journaled ? this.owner.journal?.acknowledgedNoted(this) : undefined;
    return waiting ? waiting.then(noted) : noted();
  }

  /** The client closed its stream: it gets its answers, and what it needs to know of its own stanzas (XEP-0198 4). */
  farewell(): void {
    const { stream } = this;
    this.flush();
    if (stream && this.resumption) stream.connection.write(`<a xmlns='${NS.sm}' h='${this.h}'/>`);
    this.finish();
  }

  /** Ends it: nothing more goes in or out; what its client never took goes elsewhere. */
  finish(): void {
    if (!this.alive) return;
    this.alive = false;
    this.target = undefined;
    const { presence, stream, deferred } = this;
    this.presence = undefined;
    this.priority = 0;
    if (stream) {
      this.stream = undefined;
      this.outbox.disconnected(stream.connection);
    }
    deferred?.take();
    void this.owner.ended(this, presence);
  }
}
