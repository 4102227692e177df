import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StreamHandler } from '../api/connection.ts';
import { prepareDomain } from '../jid/index.ts';
import { NS, streamErrorWire } from '../protocol/index.ts';
import { type BodyBounds, type BodyHead, BodyReader, bodyWire, type Terminal } from './bosh-body.ts';
import { answerOthers, encoded, HttpAsker, isSecured } from './bosh-http.ts';
import { BoshRequest, refuse } from './bosh-request.ts';
import { type BoshOwner, BoshSession, SWEEP } from './bosh-session.ts';
import { agree, type BoshPolicy, CONTENT } from './bosh-terms.ts';
import { plainAddress } from './tcp.ts';

export type { BoshPolicy } from './bosh-terms.ts';

/** What the gate needs of its node. */
export interface BoshParts {
  policy(): BoshPolicy;
  /** What a request may hold that begins a session. */
  firstBounds(): BodyBounds;
  /** Whether a domain is served here. */
  serves(domain: string): boolean;
  /** Counts sessions by address: whether there may be one more, and that one is gone. */
  admit(address: string): boolean;
  left(address: string): void;
  /** Gives the stream for a new session, and what requests may hold at the time of each. */
  accept(session: BoshSession): { handler: StreamHandler; bounds(): BodyBounds };
  /** Told of sessions that could not begin. */
  refused(address: string, condition: string, reason: string): void;
  /** Told of errors that are ours. */
  bug(error: unknown): void;
}

/** Turns POST requests into sessions (XEP-0124), and keeps these. One timer looks after all of them. */
export class BoshGate implements BoshOwner {
  closing = false;
  private readonly parts: BoshParts;
  private readonly sessions = new Map<string, BoshSession>();
  private noted: BoshSession[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(parts: BoshParts) {
    this.parts = parts;
  }

  /** Sessions, those included that are over and have not told their clients. */
  get size(): number {
    return this.sessions.size;
  }

  /** Takes a request of any method. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    if (answerOthers(request, response)) return;
    const asker = new HttpAsker(response);
    if (encoded(request)) refuse(asker, 'bad-request');
    else this.read(request, asker);
  }

  private read(request: IncomingMessage, asker: HttpAsker): void {
    const { firstBounds } = this.parts;
    // the session is looked up when it is known, and again when all has come
    const reader = new BodyReader(firstBounds(), ({ sid }) => this.session(sid)?.limits ?? firstBounds());
    const dispatch = (): void => {
      try {
        this.dispatch(reader, request, asker);
      } catch (error) {
        this.parts.bug(error);
        const session = this.session(reader.head?.sid);
        if (session) session.fail('internal-server-error', { asker });
        else refuse(asker, 'internal-server-error');
      }
    };
    request.on('data', (chunk: Buffer) => {
      if (reader.fault) return;
      reader.push(chunk);
      // told at once; what still comes is dropped
      if (reader.fault) dispatch();
    });
    request.on('end', () => {
      if (reader.fault) return;
      reader.end();
      dispatch();
    });
    request.on('error', () => {});
  }

  private session(sid: string | undefined): BoshSession | undefined {
    return sid === undefined ? undefined : this.sessions.get(sid);
  }

  /** A request has come, or what makes it none. */
  private dispatch(reader: BodyReader, request: IncomingMessage, asker: HttpAsker): void {
    const { head, fault } = reader;
    const session = this.session(head?.sid);
    if (session && session.secured && !isSecured(request)) {
      // XEP-0124 19.1: whoever this is does not end the session
      request.socket.destroy();
    } else if (!session && !this.parts.policy().enabled) {
      asker.answer('', 'text/plain', 404);
    } else if (fault || !head) {
      if (session) session.fail(fault ?? 'bad-request', { asker });
      else refuse(asker, fault ?? 'bad-request');
    } else if (session) session.take(new BoshRequest(reader, head, asker, Date.now()));
    else if (head.sid !== undefined) refuse(asker, 'item-not-found');
    else this.create(reader, head, request, asker);
  }

  // ---- how sessions begin (XEP-0124 7) --------------------------------------------------------------------------------------

  private create(reader: BodyReader, head: BodyHead, request: IncomingMessage, asker: HttpAsker): void {
    const { parts } = this;
    const policy = parts.policy();
    const address = plainAddress(request.socket.remoteAddress ?? '');
    const terms = agree(head, policy);
    const problem = this.problem(head) ?? (terms ? undefined : 'bad-request');
    if (problem || !terms) {
      parts.refused(address, problem ?? 'bad-request', `a BOSH session for '${head.attrs.get('to') ?? ''}'`);
      refuse(asker, problem ?? 'bad-request', terms);
      return;
    }
    if (this.sessions.size >= policy.sessions || !parts.admit(address)) {
      parts.refused(address, 'resource-constraint', 'too many BOSH sessions');
      asker.answer(CROWDED, CONTENT);
      return;
    }
    const sid = randomBytes(18).toString('base64url');
    const secured = isSecured(request);
    const session = new BoshSession({ owner: this, sid, terms, creation: head, address, secured });
    this.sessions.set(sid, session);
    this.timer ??= setInterval(() => this.sweep(Date.now()), SWEEP).unref();
    const { handler, bounds } = parts.accept(session);
    session.attach(handler, bounds);
    session.take(new BoshRequest(reader, head, asker, Date.now()));
  }

  private problem({ attrs }: BodyHead): Terminal | undefined {
    if (this.closing) return 'system-shutdown';
    const to = attrs.get('to');
    if (!to) return 'improper-addressing';
    const domain = prepareDomain(to);
    return domain !== undefined && this.parts.serves(domain) ? undefined : 'host-unknown';
  }

  // ---- how they live and end ------------------------------------------------------------------------------------------------

  soon(session: BoshSession): void {
    if (session.noted) return;
    session.noted = true;
    if (this.noted.push(session) === 1) setImmediate(this.settle);
  }

  private readonly settle = (): void => {
    const { noted } = this;
    this.noted = [];
    const now = Date.now();
    for (const session of noted) {
      session.noted = false;
      session.settle(now);
    }
  };

  forget(session: BoshSession): void {
    if (!this.sessions.delete(session.sid)) return;
    this.parts.left(session.address);
    if (this.sessions.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  sweep(now: number): void {
    for (const session of this.sessions.values()) session.sweep(now);
  }

  /** No more sessions begin; those that are there end with their streams. */
  close(): void {
    this.closing = true;
  }

  /** Ends those whose streams have not. */
  stop(): void {
    this.closing = true;
    for (const session of this.sessions.values()) session.cut('system-shutdown');
    this.sessions.clear();
    clearInterval(this.timer);
  }
}

/** The node has too many of them: of XEP-0124's own conditions none says it, of the streams' one does. */
const CROWDED = bodyWire(
  ` type='terminate' condition='remote-stream-error' xmlns:stream='${NS.streams}'`,
  streamErrorWire({ condition: 'resource-constraint', text: 'Too many sessions.' }, true),
);
