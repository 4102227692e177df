import type { Connection, StreamHandler } from '../api/connection.ts';
import type { Jid } from '../jid/index.ts';
import { NS, type StreamError, streamErrorWire } from '../protocol/index.ts';
import type { SessionStream } from '../session/owner.ts';
import type { Session } from '../session/session.ts';
import { Scanner, type ScannerSink, type Stanza, type StreamHeader, type XmlFault } from '../xml/index.ts';
import type { StreamEnvironment, StreamHost } from './environment.ts';
import { Frames } from './frames.ts';
import { closeWire, type Opening, readHeader, readOpen } from './header.ts';
import { Login } from './login.ts';
import { onManagement } from './management.ts';
import { isEnd, onBindingStanza, onLoginStanza } from './negotiation.ts';
import { openStream, sendHeader } from './opening.ts';
import { HOLD_INBOX, Reading } from './reading.ts';

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

/**
 * A client's stream, from its header to its end: RFC 6120 4, over any connection. One method for each thing that can come; what belongs
 * to a step of the negotiation is in the file of its name, and when it is read in reading.ts.
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
  /** The client that logged in, where that said who it is (XEP-0388). */
  client: string | undefined;
  session: Session | undefined;
  /** The SASL mechanisms that it was offered, and the channel bindings that were announced with them. */
  offered: readonly string[] = [];
  bindings: readonly string[] = [];
  /** Whether SASL2 is offered (XEP-0388), and the mechanisms for tokens that are (XEP-0484). */
  sasl2 = false;
  fast: readonly string[] = [];
  /** The client's header. */
  opening: Opening | undefined;
  headerSent = false;
  readonly login = new Login(this);
  readonly reading = new Reading(this);
  readonly frames: Frames | undefined;
  scanner: Scanner;
  /** Bytes that came without a session. */
  private bytes = 0;

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
      this.reading.received(end - start);
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
      this.reading.receivedEarly();
    }
    if (this.frames) this.frames.take(this.scanner, bytes, start, end);
    else this.scanner.push(bytes, start, end);
    // a header and what came along with it are answered in one write
    if (!session) this.connection.flush();
  }

  onDrain(): void {
    this.reading.drained();
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
    openStream(this, readHeader(header));
  }

  onStanza(stanza: Stanza): void {
    switch (this.state) {
      case 'session':
        this.onSessionStanza(stanza);
        return;
      case 'opening':
        // only frames come before the header
        openStream(this, readOpen(stanza));
        return;
      case 'login':
        onLoginStanza(this, stanza);
        return;
      case 'binding':
        onBindingStanza(this, stanza);
        this.reading.answered();
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
      this.reading.receivedStanza(stanza.raw.length);
      const error = session.receive(stanza);
      if (error) this.fail(error);
    } else if (stanza.xmlns === NS.sm) {
      onManagement(this, session, stanza);
      this.reading.answered();
    } else if (stanza.xmlns === NS.csi && (stanza.name === 'active' || stanza.name === 'inactive')) {
      session.setActive(stanza.name === 'active');
    } else if (isEnd(this, stanza)) this.farewell();
    else
      this.fail({
        condition: 'unsupported-stanza-type',
        text: `Nothing here understands <${stanza.name} xmlns='${stanza.xmlns}'/>.`,
      });
  }

  // ---- the steps of the negotiation ---------------------------------------------------------------------------------------------

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
    this.scanner.limits = this.env.limits.afterLogin;
    this.env.authenticated(this, mechanism);
  }

  /** A session speaks through this stream from now on. */
  begin(session: Session): void {
    this.session = session;
    this.state = 'session';
    this.reading.limit();
  }

  /** Its session may send as much as the limits say now. */
  renewRate(): void {
    if (this.session) this.reading.limit();
  }

  /** The session's inbox is full. */
  hold(): void {
    this.reading.hold(HOLD_INBOX);
  }

  release(): void {
    this.reading.release(HOLD_INBOX);
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
    sendHeader(this);
    connection.write(streamErrorWire(error, !connection.framed));
    connection.write(closeWire(connection.framed));
    connection.end();
  }

  /** The client closed its stream (RFC 6120 4.4): it gets its answers, then the same. */
  farewell(): void {
    if (this.state === 'closed') return;
    const { connection, session } = this;
    this.shut();
    const finish = (): void => {
      if (this.session) session!.farewell();
      // the connection went first; another one that has resumed the session keeps it
      else if (session && !session.connected) session.finish();
      this.session = undefined;
      sendHeader(this);
      connection.write(closeWire(connection.framed));
      connection.end(true);
    };
    session?.closing();
    const waiting = session?.lastWords();
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
