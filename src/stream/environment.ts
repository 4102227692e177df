import type { Logger } from 'pino';
import type { Collections } from '../api/collections.ts';
import type { Jid } from '../jid/index.ts';
import type { StanzaError, StreamError } from '../protocol/index.ts';
import type { Session } from '../session/session.ts';
import type { XmlLimits } from '../xml/index.ts';
import type { Portions } from '../util/portions.ts';
import type { ClientStream } from './client-stream.ts';
import type { Clients } from './clients.ts';
import type { LoginThrottle, SaslBackend } from './sasl/index.ts';

/** Bounds and rates of streams; read at each use, so that they change live. */
export interface StreamLimits {
  readonly beforeLogin: XmlLimits;
  readonly afterLogin: XmlLimits;
  /** Bytes of a whole stream before it is authenticated. */
  readonly unauthenticatedBytes: number;
  /** Failed logins of one stream before it is closed (RFC 6120 6.4.5). */
  readonly loginAttempts: number;
  /** Bytes a second that a session may send on average, and how many at once; 0: any. */
  readonly bytesPerSecond: number;
  readonly bytesBurst: number;
  /** Stanzas a second, and at once; 0: any. */
  readonly stanzasPerSecond: number;
  readonly stanzasBurst: number;
}

/** A domain as its streams see it. */
export interface StreamHost {
  readonly domain: string;
  readonly tls: boolean;
  /** Names of the SASL mechanisms that are on. */
  readonly mechanisms: readonly string[];
  readonly anonymous: boolean;
  readonly backend: SaslBackend;
  /** Where clients are sent instead (RFC 6120 4.9.3.19); undefined as a rule. */
  readonly seeOtherHost: string | undefined;
  /** Whether SASL2 is offered beside the profile of RFC 6120 (XEP-0388), and tokens with it (XEP-0484). */
  readonly sasl2: boolean;
  readonly fast: boolean;
  /** Whether a module is on for this host. */
  enabled(module: string): boolean;
}

/** What stream management is offered (XEP-0198). */
export interface SmPolicy {
  readonly enabled: boolean;
  /** Seconds that a session waits when its client does not ask for less. */
  readonly timeout: number;
  readonly maxTimeout: number;
}

/** What streams need of their node. */
export interface StreamEnvironment {
  readonly log: Logger;
  /** The first of the domains served here: the server's name where a client asked for none of them. */
  readonly domain: string;
  readonly limits: StreamLimits;
  readonly sm: SmPolicy;
  readonly collections: Collections;
  readonly throttle: LoginThrottle | undefined;
  readonly clients: Clients;
  /** What streams do before they have a session is done in these. */
  readonly logins: Portions;
  host(domain: string): StreamHost | undefined;
  /**
   * Makes the session of an account's resource; `resource` is prepared, undefined for one of the server's choice. Earlier sessions of the
   * `client` end (XEP-0386 4).
   */
  bind(
    stream: ClientStream,
    account: Jid,
    resource: string | undefined,
    anonymous: boolean,
    client?: string,
  ): Session | StanzaError | Promise<Session | StanzaError>;
  /** The session that this resumption id stands for, if it is this account's. */
  resumable(id: string, account: Jid): Session | undefined;
  /** How many stanzas a session of this account that could be resumed, and is over, had handled; undefined where that is forgotten. */
  handledBefore(id: string, account: Jid): number | undefined;
  /** Notes that a session can be found by this id. */
  enableResumption(session: Session, id: string): void;
  /** Told of every stream's first and last moment, and of the end of its login. */
  opened(stream: ClientStream): void;
  authenticated(stream: ClientStream, mechanism: string): void;
  loginFailed(stream: ClientStream, mechanism: string, condition: string, local: string | undefined): void;
  closed(stream: ClientStream): void;
  streamError(stream: ClientStream, error: StreamError): void;
  tlsFailed(stream: ClientStream, error: Error): void;
  resumed(stream: ClientStream, session: Session): void;
  /** A session was bound and its client knows. */
  begun(stream: ClientStream, session: Session): void;
}
