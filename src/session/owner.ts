import type { Connection } from '../api/connection.ts';
import type { Packet } from '../bus/index.ts';
import type { refuse, StreamError } from '../protocol/index.ts';
import type { Unit } from '../util/unit.ts';
import type { SessionJournal } from './journal.ts';
import type { OutboxLimits } from './outbox.ts';
import type { Session } from './session.ts';

/** What a session needs of its node. */
export interface SessionOwner {
  /** Runs a stanza through the received chain and routes it. */
  received(packet: Packet, session: Session): void | Promise<void>;
  bounce(packet: Packet, error: ReturnType<typeof refuse>): void;
  /** Its client has a message that has a story (Packet.story). */
  acknowledged(session: Session, story: number): void;
  detached(session: Session): void;
  resumed(session: Session): void;
  ended(session: Session, presence: Packet | undefined): void | Promise<void>;
  /** A message entered its outbox whose sender waits to hear that it is safe. */
  watched(session: Session): void;
  /** Its client will acknowledge nothing for now. */
  stalled(session: Session): void;
  /** Asks for a call of `flush` at the end of this tick, or soon after it where very many ask for one. `unit`: because of it. */
  soon(session: Session, unit?: Unit): void;
  /** An outbox grew past its bounds, or its reader was too slow. */
  slow(session: Session, reason: 'bytes' | 'time'): void;
  readonly outboxLimits: OutboxLimits;
  /** Stanzas that may wait for their turn before the connection is not read any more. */
  readonly inboxLimit: number;
  /** Where sessions that can be resumed are noted, so that they outlive the program; undefined where they are not. */
  readonly journal: SessionJournal | undefined;
}

/** The stream that a session speaks through at the moment. */
export interface SessionStream {
  readonly connection: Connection;
  /** Sends a stream error and closes. */
  fail(error: StreamError): void;
  /** Closes without a word (the stream is another's now). */
  abandon(): void;
  /** Stops and goes on reading from the connection. */
  hold(): void;
  release(): void;
}

/** Stream management agreed (XEP-0198). */
export interface Resumption {
  readonly id: string;
  /** Seconds that it waits for a new connection; 0: it cannot be resumed. */
  readonly timeout: number;
}
