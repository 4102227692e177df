import { NS } from '../protocol/index.ts';
import { type Answer, Answers } from './bosh-answers.ts';
import { bodyWire, numberOf } from './bosh-body.ts';
import type { BoshRequest } from './bosh-request.ts';
import type { Terms } from './bosh-terms.ts';
import { withNamespace } from './frames.ts';

/** XEP-0124 9.2: milliseconds after which a client is told of a response that it seems to have missed. */
const MISSED = 2000;
const STANZA = /^<(?:message|presence)[ />]/;

/** What a stream writes to a session's client: waiting for a request, or in responses of which some may be lost. */
export class Output {
  /** Whether something waits for a request. */
  waiting = false;
  private readonly sid: string;
  private readonly terms: Terms;
  private readonly answers: Answers;
  private frames: string[] = [];
  private bytes = 0;
  /** What the stream said of itself: attributes of the first response. */
  private greeting = '';
  private report = '';

  constructor(sid: string, terms: Terms) {
    this.sid = sid;
    this.terms = terms;
    this.answers = new Answers(terms.requests);
  }

  write(wire: string): void {
    if (wire.startsWith(`<open xmlns='${NS.framing}'`)) {
      // the stream's id and name are attributes of the response (XEP-0206 4)
      const id = / id='([^']*)'/.exec(wire)?.[1] ?? '';
      const from = / from='([^']*)'/.exec(wire)?.[1] ?? '';
      this.greeting = ` from='${from}' authid='${id}'`;
    } else if (!wire.startsWith(`<close xmlns='${NS.framing}'`)) {
      this.frames.push(withNamespace(wire));
      this.bytes += wire.length;
      this.waiting = true;
    }
  }

  /** Bytes written that the client is not known to have. */
  get untaken(): number {
    return this.bytes + this.answers.unreceived;
  }

  /** Whether a response is out of which it is not known whether the client has it. */
  get doubtful(): boolean {
    return this.answers.unreceived > 0;
  }

  /** Whether the client is to be told that it missed a response. */
  get reports(): boolean {
    return this.report !== '';
  }

  /** The response that was given to the request with this rid. */
  given(rid: number): Answer | undefined {
    return this.answers.find(rid);
  }

  /** What a new request tells of the responses before it. Without acknowledgements: what it could not have come without. */
  acknowledge(request: BoshRequest): void {
    const { acks, requests, hold } = this.terms;
    const { answers } = this;
    const last = answers.last?.rid ?? 0;
    // more than it may have open cannot be
    answers.receivedUpTo(Math.min(request.rid - requests, last));
    if (request.purpose === 'terminate') answers.receivedUpTo(last);
    else if (acks && request.purpose !== 'creation') {
      // XEP-0124 9.2: nothing said means all
      const ack = numberOf(request.head.attrs.get('ack'), Number.MAX_SAFE_INTEGER) ?? last;
      answers.receivedUpTo(Math.min(ack, last));
      const missed = ack < last ? answers.find(ack + 1) : undefined;
      const age = missed ? request.arrived - missed.at : 0;
      if (age > MISSED) this.report = ` report='${ack + 1}' time='${age}'`;
    } else if (request.empty && hold <= 1) {
      // who may have no more than one held sends an empty one when it has none at all
      answers.receivedUpTo(last);
    }
  }

  /** Makes the response to a request; `full`: with what waits. */
  respond(request: BoshRequest, full: boolean, top: number): string {
    const payloads = full ? this.take() : [];
    const bytes = full ? this.bytes : 0;
    if (full) this.bytes = 0;
    let attributes = this.report;
    this.report = '';
    if (request.purpose === 'creation') attributes += this.sessionAttributes(request);
    // XEP-0124 9.1
    else if (this.terms.acks && top > request.rid) attributes += ` ack='${top}'`;
    const wire = responseWire(attributes, payloads);
    this.answers.give({ rid: request.rid, key: request.key, wire, bytes, at: Date.now() });
    return wire;
  }

  /** The last response; `alone`: nobody asked for it, and the stanzas in it were passed on by the session. */
  last(alone: boolean): string {
    const frames = this.take();
    const failed = frames.some(frame => frame.startsWith('<stream:error'));
    return responseWire(
      ` type='terminate'${failed ? " condition='remote-stream-error'" : ''}`,
      alone ? frames.filter(frame => !STANZA.test(frame)) : frames,
    );
  }

  private take(): string[] {
    const { frames } = this;
    this.frames = [];
    this.waiting = false;
    return frames;
  }

  /** XEP-0124 7.2, XEP-0206 4. */
  private sessionAttributes({ rid }: BoshRequest): string {
    const { wait, hold, requests, inactivity, polling, pause, ver, acks } = this.terms;
    return (
      ` sid='${this.sid}' wait='${wait}' requests='${requests}' hold='${hold}' inactivity='${inactivity}'` +
      (polling > 0 ? ` polling='${polling}'` : '') +
      (pause > 0 ? ` maxpause='${pause}'` : '') +
      (ver === undefined ? '' : ` ver='${ver}'`) +
      (acks ? ` ack='${rid}'` : '') +
      `${this.greeting} xmlns:xmpp='${NS.xbosh}' xmpp:version='1.0' xmpp:restartlogic='true'`
    );
  }
}

/** XEP-0206 2: features and errors need the prefix of streams. */
function responseWire(attributes: string, payloads: readonly string[]): string {
  const prefix = payloads.some(frame => frame.startsWith('<stream:')) ? ` xmlns:stream='${NS.streams}'` : '';
  return bodyWire(attributes + prefix, payloads.join(''));
}
