import type { Connection, StreamHandler } from '../api/connection.ts';
import { NS } from '../protocol/index.ts';
import { wireAttribute } from '../xml/index.ts';
import {
  type BodyBounds,
  type BodyHead,
  bodyWire,
  numberOf,
  RECOVERABLE,
  type Terminal,
  terminalWire,
} from './bosh-body.ts';
import { Input } from './bosh-input.ts';
import { KeySequence } from './bosh-keys.ts';
import { Output } from './bosh-output.ts';
import { type Asker, type BoshRequest, refuse } from './bosh-request.ts';
import type { Terms } from './bosh-terms.ts';
import { RequestWindow } from './bosh-window.ts';

/** Milliseconds between two looks at all sessions: so much earlier than agreed a request may be answered. */
export const SWEEP = 1000;
/** Milliseconds that a request is held behind a response that the client may have missed: its next request tells. */
const PROMPT = 3000;
/** How often a request may come again (XEP-0124 14.3). */
const REPEATS = 10;

/** A stream's last word, which has no place in a <body/>: the frame of RFC 7395. */
const CLOSE = Buffer.from(`<close xmlns='${NS.framing}'/>`);
/** An empty request is a sign of life, as white space between stanzas is (RFC 6120 4.6.1). */
const SPACE = Buffer.from(' ');

/** What a session needs of the gate that it came through. */
export interface BoshOwner {
  /** Whether the node stops. */
  readonly closing: boolean;
  /** Asks for a call of `settle` behind what sessions have to write in this turn. */
  soon(session: BoshSession): void;
  /** It is over and has nothing more to say. */
  forget(session: BoshSession): void;
}

/**
 * A BOSH session: a connection made of HTTP requests (XEP-0124). To the stream it is a framed one, as a WebSocket is.
 *
 * Requests are processed and answered in the order of their rids. What the stream writes leaves with the oldest request that is open.
 * While there is none, it waits here up to the window of an outbox, and behind that in the outbox. It counts as taken when the client
 * is known to have the response, not when the kernel has it: what a client that does not come back has missed goes another way.
 */
export class BoshSession implements Connection {
  readonly framed = true;
  readonly transport = 'bosh';
  readonly keepsTime = true;
  readonly serverName = undefined;
  readonly address: string;
  readonly secured: boolean;
  readonly sid: string;
  readonly terms: Terms;
  written = 0;
  /** Whether the gate has noted it for `settle`. */
  noted = false;
  /** The one that was asked for. */
  private readonly domain: string;
  private readonly owner: BoshOwner;
  private readonly keys: KeySequence;
  private readonly window: RequestWindow;
  private readonly input: Input;
  private readonly output: Output;
  private handler: StreamHandler | undefined;
  private bounds: (() => BodyBounds) | undefined;
  /** The request processed last. */
  private before: BoshRequest | undefined;
  /** Whether the client leaves: its last request takes what is written from now on. */
  private leaving = false;
  private ended = false;
  /** What is left to say once it is over, to the next request. */
  private final: string | undefined;
  /** Since when there is no request to answer; 0 while there is one. */
  private absentSince = 0;
  /** Seconds that the client said it would be away. */
  private away = 0;

  constructor(parts: {
    owner: BoshOwner;
    sid: string;
    terms: Terms;
    creation: BodyHead;
    address: string;
    secured: boolean;
  }) {
    const { owner, sid, terms, creation, address, secured } = parts;
    this.owner = owner;
    this.sid = sid;
    this.terms = terms;
    this.address = address;
    this.secured = secured;
    this.domain = creation.attrs.get('to') ?? '';
    this.keys = new KeySequence(creation.attrs.get('newkey'));
    this.window = new RequestWindow(terms, creation.rid);
    this.output = new Output(sid, terms);
    this.input = new Input(frame => this.read(frame));
  }

  /** Joins the stream that speaks through it; `bounds` tells what a request may hold. */
  attach(handler: StreamHandler, bounds: () => BodyBounds): void {
    this.handler = handler;
    this.bounds = bounds;
  }

  get limits(): BodyBounds {
    return this.bounds!();
  }

  // ---- requests -------------------------------------------------------------------------------------------------------------

  /** A request with its sid came. */
  take(request: BoshRequest): void {
    const { asker, rid } = request;
    const { window, terms } = this;
    const again = window.find(rid);
    if (this.final !== undefined) {
      asker.answer(this.final, terms.content);
      this.owner.forget(this);
    } else if (again) this.repeat(again, request);
    else if (rid <= window.top) this.answerAgain(request);
    else if (window.beyond(request)) this.fail('item-not-found', request);
    else if (window.tooMany(request)) this.fail('policy-violation', request);
    // more than a whole window that is not read: whoever asks for answers all the same
    else if (this.input.bytes + request.size > (terms.requests + 1) * this.limits.bytes)
      this.fail('policy-violation', request);
    else this.receive(request);
  }

  private receive(request: BoshRequest): void {
    const { window } = this;
    this.hear(request);
    window.add(request);
    for (let next = window.next(); next; next = window.next()) {
      this.process(next);
      if (this.ended) return;
    }
    this.owner.soon(this);
  }

  private hear(request: BoshRequest): void {
    this.absentSince = 0;
    request.asker.onGone = () => {
      if (!this.window.present) this.absentSince ||= Date.now();
    };
  }

  /** XEP-0124 14.3: it came before, and was not answered. */
  private repeat(request: BoshRequest, again: BoshRequest): void {
    if (request.key !== again.key) this.fail('item-not-found', again);
    else if (++request.repeats > REPEATS) this.fail('policy-violation', again);
    else {
      request.asker.answer(RECOVERABLE, this.terms.content);
      request.asker = again.asker;
      this.hear(request);
      this.owner.soon(this);
    }
  }

  /** The same, and was answered. */
  private answerAgain(request: BoshRequest): void {
    const given = this.output.given(request.rid);
    if (!given || given.key !== request.key) {
      this.fail('item-not-found', request);
      return;
    }
    request.asker.answer(given.wire, this.terms.content);
    // XEP-0124 10: its client is away since the last response, which is this one
    if (this.absentSince > 0) this.absentSince = Date.now();
  }

  /** Takes the next request in order. */
  private process(request: BoshRequest): void {
    const { head, purpose } = request;
    const { input } = this;
    if (purpose !== 'creation' && !this.keys.accept(request.key, head.attrs.get('newkey'))) {
      this.fail('item-not-found', request);
      return;
    }
    if (this.tooOften(request)) {
      this.fail('policy-violation', request);
      return;
    }
    this.before = request;
    this.away = 0;
    this.window.opened(request);
    this.acknowledge(request);
    if (purpose === 'creation' || purpose === 'restart') input.add(request, openFrame(head, this.domain));
    // XEP-0206 5: what comes with a restart is ignored
    if (purpose !== 'restart') for (const frame of request.payloads) input.add(request, frame);
    if (purpose === 'terminate') input.add(request, CLOSE);
    if (request.empty && input.empty) input.add(request, SPACE);
    input.drive();
    if (purpose === 'pause') this.pauseFor(numberOf(head.attrs.get('pause'), 65_535) ?? 0);
  }

  /** XEP-0124 11 and 12: empty requests that come sooner than was agreed. */
  private tooOften(request: BoshRequest): boolean {
    const { before } = this;
    const { polling, polls } = this.terms;
    if (!before || !request.empty || request.arrived - before.arrived >= polling * 1000) return false;
    return polls ? before.empty && this.output.given(before.rid)?.bytes === 0 : this.window.tooSoon();
  }

  private acknowledge(request: BoshRequest): void {
    const before = this.backlog;
    this.output.acknowledge(request);
    if (before > 0 && this.backlog === 0) this.handler?.onDrain();
  }

  private read(frame: Buffer): void {
    if (frame === CLOSE) this.leaving = true;
    this.handler?.onBytes(frame, 0, frame.length);
  }

  /** XEP-0124 10: everything is answered, and the client is away for a while. */
  private pauseFor(seconds: number): void {
    if (this.terms.pause === 0 || this.ended) return;
    this.settle(Date.now());
    while (this.window.open.length > 0) this.answerOldest(false);
    this.away = Math.min(seconds, this.terms.pause);
  }

  // ---- responses ------------------------------------------------------------------------------------------------------------

  /** Answers what is to be answered now. */
  settle(now: number): void {
    const { open } = this.window;
    while (!this.ended && open.length > 0) {
      const live = this.output.waiting ? open.findIndex(({ asker, extra }) => asker.live && !extra) : -1;
      if (live >= 0) {
        // those before it lost their connection: whoever asks for them again gets nothing, and this behind it
        for (let n = 0; n < live; n++) this.answerOldest(false);
        this.answerOldest(true);
      } else if (this.due(open[0]!, now)) this.answerOldest(false);
      else return;
    }
  }

  /** Whether a request is answered though there is nothing to say. */
  private due(request: BoshRequest, now: number): boolean {
    const { wait, hold } = this.terms;
    if (this.leaving) return false;
    if (this.output.reports) return true;
    if (request.purpose === 'creation' || wait === 0 || this.window.open.length > hold) {
      // a client that sends more than is read has to wait
      return this.input.done(request);
    }
    const age = now - request.arrived;
    return age >= wait * 1000 - SWEEP || (age >= PROMPT && this.output.doubtful && request.asker.live);
  }

  private answerOldest(full: boolean): void {
    const { window } = this;
    const request = window.open.shift()!;
    request.asker.answer(this.output.respond(request, full, window.top), this.terms.content);
    if (!window.present) this.absentSince = Date.now();
  }

  // ---- Connection -----------------------------------------------------------------------------------------------------------

  get backlog(): number {
    return this.leaving ? 0 : this.output.untaken;
  }

  write(wire: string): void {
    this.written += wire.length;
    this.output.write(wire);
  }

  flush(): void {
    if (this.output.waiting) this.settle(Date.now());
  }

  pause(): void {
    this.input.paused = true;
  }

  resume(): void {
    this.input.paused = false;
    // the stream reads again when it has returned
    process.nextTick(() => {
      this.input.drive();
      this.owner.soon(this);
    });
  }

  startTls(): void {
    throw new Error('BOSH is protected by HTTPS, not by STARTTLS');
  }

  /** None: a browser shows its pages nothing of the TLS below, and each request may come over a connection of its own. */
  channelBinding(): undefined {
    return undefined;
  }

  // ---- the end --------------------------------------------------------------------------------------------------------------

  /** The stream is over: its last words leave with the oldest request, or with the next that comes (XEP-0124 13, XEP-0206 6). */
  end(): void {
    if (this.ended) return;
    // what is due goes before it where there is a request more. COMPAT stanza, which breaks on anything in a response that ends a session
    if (this.leaving) this.settle(Date.now());
    const asked = this.window.present;
    const wire = this.output.last(!asked && !this.leaving);
    if (asked) this.finish(wire, bodyWire(''));
    else {
      this.final = wire;
      this.absentSince ||= Date.now();
      this.finish();
    }
  }

  /** Cut off by its stream. */
  destroy(): void {
    this.cut(this.owner.closing ? 'system-shutdown' : 'remote-connection-failed');
  }

  /** Ends without the stream's last words. */
  cut(condition: Terminal): void {
    if (!this.ended) this.finish(terminalWire(condition), terminalWire(condition));
  }

  /** XEP-0124 17.2: a request that ends the session. */
  fail(condition: Terminal, { asker }: { asker: Asker }): void {
    refuse(asker, condition, this.terms);
    this.cut('other-request');
  }

  /** Answers what is open, the oldest in a way of its own, and lets the stream go. */
  private finish(oldest?: string, others?: string): void {
    this.ended = true;
    let wire = oldest;
    for (const { asker } of this.window.clear()) {
      if (!asker.live || wire === undefined) continue;
      asker.answer(wire, this.terms.content);
      wire = others;
    }
    this.input.drop();
    const { handler } = this;
    this.handler = undefined;
    if (this.final === undefined) this.owner.forget(this);
    process.nextTick(() => handler?.onDisconnect());
  }

  /** What time has done to it. */
  sweep(now: number): void {
    const patience = (this.away > 0 ? this.away : this.terms.inactivity) * 1000;
    if (this.absentSince > 0 && now - this.absentSince > patience) {
      // XEP-0124 10: the client is gone, and is not told
      if (this.ended) this.owner.forget(this);
      else this.finish();
      return;
    }
    const stranded = this.window.stranded(now - patience);
    if (stranded) this.fail('item-not-found', stranded);
    else this.settle(now);
  }
}

/** What a stream begins with: the frame of RFC 7395. */
function openFrame({ attrs, xmpp }: BodyHead, domain: string): Buffer {
  // XEP-0206 5: restarts should say it, too
  let out = `<open xmlns='${NS.framing}'${wireAttribute('to', attrs.get('to') ?? domain)}`;
  for (const name of ['from', 'xml:lang']) {
    const value = attrs.get(name);
    if (value !== undefined) out += wireAttribute(name, value);
  }
  // XEP-0206 3: clients should say it; the streams of those that do not are no older for it
  out += wireAttribute('version', xmpp('version') ?? '1.0');
  return Buffer.from(`${out}/>`, 'latin1');
}
