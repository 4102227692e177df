import type { Connection, StreamHandler } from '../api/connection.ts';
import { type Jid, prepareDomain } from '../jid/index.ts';
import { NS, type StreamError, streamErrorWire } from '../protocol/index.ts';
import type { Session, SessionStream } from '../session/session.ts';
import { Scanner, type ScannerSink, type Stanza, type StreamHeader, type XmlFault } from '../xml/index.ts';
import { answerBeforeLogin } from './before-login.ts';
import { onBindRequest } from './binding.ts';
import type { StreamEnvironment, StreamHost } from './environment.ts';
import { loginFeatures, sessionFeatures, tlsFeatures } from './features.ts';
import { Frames } from './frames.ts';
import {
  closeWire,
  headerWire,
  languageTag,
  type Opening,
  readHeader,
  readOpen,
  streamId,
  versionSupported,
} from './header.ts';
import { HOLD_INBOX, HOLD_OUTPUT, HOLD_RATE, HOLD_TURN } from './holds.ts';
import { Login } from './login.ts';
import { onEarlyManagement, onManagement, onResume } from './management.ts';
import { portionTaken } from './portion.ts';
import { RateGauge } from './rate.ts';
import { channelBindingTypes, offer } from './sasl/index.ts';

/** How far the negotiation is (RFC 6120 4.3). */
export type StreamState =
  | 'opening' // waiting for the client's header
  | 'securing' // TLS is on its way
  | 'login' // waiting for SASL, or STARTTLS before it
  | 'binding' // logged in; waiting for bind or resume
  | 'session'
  | 'closed';

/** The first byte of a TLS handshake. */
const TLS_RECORD = 0x16;
/** Bytes of answers that a client may leave unread before it is read no more itself. */
const UNREAD = 64 * 1024;

/**
 * A client's stream, from its header to its end: RFC 6120 4, over any connection. One method for each thing that can come;
 * what belongs to login, binding and stream management is in the files of these names.
 */
export class ClientStream implements StreamHandler, ScannerSink, SessionStream {
  readonly connection: Connection;
  readonly env: StreamEnvironment;
  /** Whether logins without TLS are allowed here: loopback listeners that say so. */
  readonly allowPlaintext: boolean;
  readonly openedAt = Date.now();
  state: StreamState = 'opening';
  id = '';
  host: StreamHost | undefined;
  lang: string | undefined;
  /** The bare JID that logged in. */
  account: Jid | undefined;
  anonymous = false;
  session: Session | undefined;
  offered: readonly string[] = [];
  readonly login = new Login(this);
  private scanner: Scanner;
  private readonly frames: Frames | undefined;
  private headerSent = false;
  private opening: Opening | undefined;
  private bytes = 0;
  private holds = 0;
  private rate: RateGauge | undefined;
  private turn = 0;

  constructor(connection: Connection, env: StreamEnvironment, allowPlaintext = false) {
    this.connection = connection;
    this.env = env;
    this.allowPlaintext = allowPlaintext;
    this.frames = connection.framed ? new Frames(this) : undefined;
    this.scanner = new Scanner(this.frames ?? this, env.limits.beforeLogin, connection.framed);
    env.opened(this);
  }

  // ---- the connection's events ----------------------------------------------------------------------------------------------

  onBytes(bytes: Uint8Array, start: number, end: number): void {
    const { session } = this;
    if (session) {
      session.hear(Date.now());
      if (this.rate?.take(end - start)) this.pauseFor(this.rate.pause);
    } else {
      if (this.bytes === 0 && bytes[start] === TLS_RECORD && !this.connection.secured) {
        this.fail({
          condition: 'not-well-formed',
          text: 'This is TLS, which begins here with STARTTLS; direct TLS has a port of its own.',
        });
        return;
      }
      this.bytes += end - start;
      if (this.bytes > this.env.limits.unauthenticatedBytes && !this.account) {
        this.fail({ condition: 'policy-violation', text: 'Too many bytes before login.' });
        return;
      }
    }
    this.turn = 0;
    if (this.frames) this.frames.take(this.scanner, bytes, start, end);
    else this.scanner.push(bytes, start, end);
  }

  onDrain(): void {
    this.releaseFrom(HOLD_OUTPUT);
    this.session?.drained();
  }

  onTlsError(error: Error): void {
    this.env.tlsFailed(this, error);
  }

  onSecured(): void {
    if (this.state !== 'securing') return;
    this.restart();
  }

  onDisconnect(): void {
    if (this.state !== 'closed') this.shut();
    const { session } = this;
    this.session = undefined;
    session?.disconnect(this);
    this.env.closed(this);
  }

  // ---- what the scanner finds -----------------------------------------------------------------------------------------------

  onHeader(header: StreamHeader): void {
    this.open(readHeader(header));
  }

  onStanza(stanza: Stanza): void {
    switch (this.state) {
      case 'session':
        this.onSessionStanza(stanza);
        return;
      case 'opening':
        // only frames come before the header
        this.open(readOpen(stanza));
        return;
      case 'login':
        this.onLoginStanza(stanza);
        return;
      case 'binding':
        if (stanza.name === 'iq' && stanza.xmlns === NS.client) onBindRequest(this, stanza);
        else if (stanza.xmlns === NS.sm) onResume(this, stanza);
        else if (this.isEnd(stanza)) this.farewell();
        // RFC 6120 7.1
        else this.fail({ condition: 'not-authorized', text: 'Bind a resource first.' });
        this.mindUnread();
    }
  }

  onClose(): void {
    this.farewell();
  }

  onFault(fault: XmlFault): void {
    this.fail(fault);
  }

  private onSessionStanza(stanza: Stanza): void {
    const session = this.session!;
    if (stanza.xmlns === NS.client) {
      if (portionTaken(++this.turn)) this.yieldTurn();
      if (this.rate?.takeStanza()) this.pauseFor(this.rate.pause);
      const error = session.receive(stanza);
      if (error) this.fail(error);
    } else if (stanza.xmlns === NS.sm) {
      onManagement(this, session, stanza);
      this.mindUnread();
    } else if (stanza.xmlns === NS.csi && (stanza.name === 'active' || stanza.name === 'inactive')) {
      session.setActive(stanza.name === 'active');
    } else if (this.isEnd(stanza)) this.farewell();
    else
      this.fail({
        condition: 'unsupported-stanza-type',
        text: `Nothing here understands <${stanza.name} xmlns='${stanza.xmlns}'/>.`,
      });
  }

  private onLoginStanza(stanza: Stanza): void {
    const { connection } = this;
    if (
      stanza.xmlns === NS.tls &&
      stanza.name === 'starttls' &&
      !connection.secured &&
      this.host!.tls &&
      !connection.framed
    ) {
      this.state = 'securing';
      // what came behind <starttls/> came unprotected: it is dropped (RFC 6120 5.4.3.3)
      this.scanner.stop();
      connection.write(`<proceed xmlns='${NS.tls}'/>`);
      connection.startTls(this.host!.domain);
    } else if (stanza.xmlns === NS.sasl) this.login.onStanza(stanza);
    else if (stanza.name === 'iq' && stanza.xmlns === NS.client && answerBeforeLogin(this, stanza)) return;
    else if (stanza.xmlns === NS.sm && (stanza.name === 'enable' || stanza.name === 'resume')) onEarlyManagement(this);
    else if (this.isEnd(stanza)) this.farewell();
    // RFC 6120 4.9.3.12
    else this.fail({ condition: 'not-authorized', text: 'Log in first.' });
  }

  /** <close/> of a framed stream, or a stream error of the client's: it closes its stream with that (RFC 6120 4.9.1.1). */
  private isEnd(stanza: Stanza): boolean {
    return stanza.name === 'close'
      ? stanza.xmlns === NS.framing && this.connection.framed
      : stanza.name === 'error' && stanza.xmlns === NS.streams;
  }

  // ---- opening --------------------------------------------------------------------------------------------------------------

  private open(opening: Opening | StreamError): void {
    if ('condition' in opening) {
      this.fail(opening);
      return;
    }
    this.opening = opening;
    const domain = opening.to === undefined ? undefined : prepareDomain(opening.to);
    const host = domain === undefined ? undefined : this.env.host(domain);
    if (!host) {
      this.fail({
        condition: 'host-unknown',
        text:
          opening.to === undefined ? "The header has no 'to'." : `'${opening.to.slice(0, 255)}' is not served here.`,
      });
      return;
    }
    if (this.account && this.account.domain !== host.domain) {
      this.fail({ condition: 'host-unknown', text: `This stream logged in to ${this.account.domain}.` });
      return;
    }
    if (!versionSupported(opening.version)) {
      this.fail({ condition: 'unsupported-version', text: "A stream's version is 1.0." });
      return;
    }
    this.host = host;
    this.lang = languageTag(opening.lang);
    this.sendHeader();
    if (host.seeOtherHost && !this.account) {
      this.fail({ condition: 'see-other-host', value: host.seeOtherHost });
      return;
    }
    this.sendFeatures(host);
  }

  private sendHeader(): void {
    if (this.headerSent) return;
    this.headerSent = true;
    this.id = streamId();
    // RFC 6120 4.9.1.2: a name of the server's own where none of its hosts was asked for
    const from = this.host?.domain ?? this.env.domain;
    this.connection.write(headerWire(this.connection.framed, this.id, from, this.opening));
  }

  private sendFeatures(host: StreamHost): void {
    const { connection, env } = this;
    const { framed, secured, address } = connection;
    if (this.account) {
      this.state = 'binding';
      connection.write(sessionFeatures(env, host, { framed, secured, address }));
    } else if (!secured && !this.allowPlaintext) {
      this.state = 'login';
      this.offered = [];
      connection.write(tlsFeatures());
    } else {
      this.state = 'login';
      const bindings = channelBindingTypes.filter(type => connection.channelBinding(type) !== undefined);
      this.offered = offer({
        mechanisms: host.mechanisms,
        secured,
        plainWithoutTls: this.allowPlaintext,
        anonymous: host.anonymous,
        bindings,
      });
      const startTls = !secured && host.tls && !framed;
      connection.write(loginFeatures(env, host, { framed, secured, address, startTls }, this.offered, bindings));
    }
    connection.flush();
  }

  /** The client opens a new stream on the same connection: after TLS, after login (RFC 6120 4.3.3). */
  restart(): void {
    const limits = this.account ? this.env.limits.afterLogin : this.env.limits.beforeLogin;
    this.state = 'opening';
    this.headerSent = false;
    this.opening = undefined;
    if (this.account) {
      this.scanner.limits = limits;
      this.scanner.reset();
    } else this.scanner = new Scanner(this.frames ?? this, limits, this.connection.framed);
  }

  /** The account is known: a session may begin. */
  authenticated(account: Jid, anonymous: boolean, mechanism: string): void {
    this.account = account;
    this.anonymous = anonymous;
    this.env.authenticated(this, mechanism);
    this.restart();
  }

  /** A session speaks through this stream from now on. */
  begin(session: Session): void {
    this.session = session;
    this.state = 'session';
    this.renewRate();
  }

  /** Its session may send as much as the limits say now. */
  renewRate(): void {
    if (this.session) this.rate = RateGauge.of(this.env.limits);
  }

  // ---- reading and not reading ----------------------------------------------------------------------------------------------

  /** Whether it is not read at the moment. */
  get held(): boolean {
    return this.holds !== 0;
  }

  hold(): void {
    this.holdFor(HOLD_INBOX);
  }

  release(): void {
    this.releaseFrom(HOLD_INBOX);
  }

  holdFor(reason: number): void {
    if (this.holds === 0) {
      this.scanner.hold();
      this.connection.pause();
    }
    this.holds |= reason;
  }

  releaseFrom(reason: number): void {
    if ((this.holds & reason) === 0) return;
    this.holds &= ~reason;
    if (this.holds !== 0 || this.state === 'closed') return;
    this.connection.resume();
    this.scanner.release();
    this.frames?.resume(this.scanner);
  }

  /** What a client asks for and does not read is not kept without bound: it is not read until it reads. */
  private mindUnread(): void {
    if (this.connection.backlog > UNREAD && this.state !== 'closed') this.holdFor(HOLD_OUTPUT);
  }

  /** A flood is read in portions, so that nobody waits for the end of it. */
  private yieldTurn(): void {
    if ((this.holds & HOLD_TURN) !== 0) return;
    this.holdFor(HOLD_TURN);
    setImmediate(() => {
      this.turn = 0;
      this.releaseFrom(HOLD_TURN);
    });
  }

  /** A sender above its rate is not refused: it is read later. */
  private pauseFor(milliseconds: number): void {
    if ((this.holds & HOLD_RATE) !== 0) return;
    this.holdFor(HOLD_RATE);
    setTimeout(() => this.releaseFrom(HOLD_RATE), milliseconds).unref();
  }

  // ---- the end --------------------------------------------------------------------------------------------------------------

  /** Sends a stream error and closes (RFC 6120 4.9.1). */
  fail(error: StreamError): void {
    if (this.state === 'closed') return;
    const { connection, session } = this;
    this.env.streamError(this, error);
    this.shut();
    this.session = undefined;
    // what waits is written before the stream's last word
    session?.flush();
    session?.finish();
    // an error needs a header before it (RFC 6120 4.9.1.2)
    this.sendHeader();
    connection.write(streamErrorWire(error, !connection.framed));
    connection.write(closeWire(connection.framed));
    connection.end();
  }

  /** The client closed its stream (RFC 6120 4.4): it gets its answers, then the same. */
  private farewell(): void {
    if (this.state === 'closed') return;
    const { connection, session } = this;
    this.shut();
    const finish = (): void => {
      if (this.session) session!.farewell();
      // the connection went first; another one that has resumed the session keeps it
      else if (session && !session.connected) session.finish();
      this.session = undefined;
      this.sendHeader();
      connection.write(closeWire(connection.framed));
      connection.end(true);
    };
    const waiting = session?.settled();
    if (waiting) void waiting.then(finish);
    else finish();
  }

  /** Another stream has taken over. */
  abandon(): void {
    this.session = undefined;
    this.fail({ condition: 'conflict', text: 'The session was resumed on another connection.' });
  }

  private shut(): void {
    this.state = 'closed';
    this.scanner.stop();
    this.login.cancel();
  }
}
