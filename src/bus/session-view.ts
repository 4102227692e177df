import type { Jid } from '../jid/index.ts';
import type { StreamError } from '../protocol/index.ts';
import type { Packet } from './packet.ts';

/** What modules see of a connected resource (RFC 6120 7). It outlives its connection while it can be resumed (XEP-0198). */
export interface SessionView {
  /** Short name in logs and in `posthouse session list`. */
  readonly id: string;
  /** The full JID. */
  readonly jid: Jid;
  readonly user: UserView;
  /** xml:lang of the client's stream. */
  readonly lang: string | undefined;
  /** Whether its account lasts no longer than the session (SASL ANONYMOUS). */
  readonly anonymous: boolean;
  /** 'tcp', 'tls' or 'websocket'; that of the last connection while it is away. */
  readonly transport: string;
  /** Address of the client, without port. */
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** The last available presence without 'to' that it sent; undefined before that and after it became unavailable. */
  readonly presence: Packet | undefined;
  /** RFC 6121 4.7.2.3; 0 when unavailable. */
  readonly priority: number;
  /**
   * Since when it takes what comes for its account: available, and of no negative priority (RFC 6121 8.5.2). Milliseconds since 1970;
   * Infinity while it does not.
   */
  readonly takesSince: number;
  /** Whether it has a connection now (not waiting for resumption). */
  readonly connected: boolean;
  /** Since when its client says that nobody looks at it (XEP-0352), in milliseconds since 1970; 0 while it does not. */
  readonly inactiveSince: number;
  /** Whether its client is told what of its stanzas is safe (XEP-0198). */
  readonly acknowledged: boolean;
  /** Bytes in its outbox: not written yet, or not acknowledged. */
  readonly backlog: number;
  /** False when it is over: nothing can be sent to it any more. */
  readonly alive: boolean;

  /**
   * Puts a stanza in its outbox; never waits. `taken` is called once, with true when the client has it (acknowledged by XEP-0198,
   * or taken by its connection where the client does not acknowledge), with false when it went another way instead: to another
   * session, to offline storage.
   */
  send(packet: Packet, taken?: (taken: boolean) => void): void;
  /** The same for markup of the server's own that nobody needs to see again if the client never gets it: IQ answers, pushes. */
  sendWire(wire: string, taken?: (taken: boolean) => void): void;
  /**
   * Calls `keep` for each message in its outbox whose sender still waits to hear that it is safe, with its markup and when it came
   * (milliseconds since 1970). Whoever answers with a `Kept` keeps it from then on, and `taken` is told as by `send`; for what is
   * not for later its sender need not wait; and undefined leaves all as it is.
   */
  entrust(keep: (wire: string, since: number) => Kept | 'not for later' | undefined): void;
  /** The stories (Packet.story) of the messages in its outbox that have one, in order. */
  stories(): number[];
  /** Calls `look` with the markup of each message in its outbox that outlives the program. */
  eachNoted(look: (wire: string) => void): void;
  /** Something that has to be known of it when the program ends is another now. */
  changed(): void;
  /** Ends the session, with a stream error for its client. */
  close(error: StreamError): void;

  /** What modules keep here; see `mod.perSession`. */
  readonly slots: unknown[];
}

/** A message that is being stored while it waits in an outbox. */
export interface Kept {
  /** Resolved when it is committed; rejects when it could not be. */
  readonly committed: Promise<void>;
  taken(taken: boolean): void;
}

/** An account with at least one session. */
export interface UserView {
  /** The bare JID. */
  readonly jid: Jid;
  readonly sessions: readonly SessionView[];
}
