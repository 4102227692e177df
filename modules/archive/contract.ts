import { type MaybePromise, type Packet, serviceKey, type SessionView } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { Conversations } from './conversations.ts';

export type { Conversation, Conversations } from './conversations.ts';
export { idOf, keyOf, markOf } from './key.ts';
export { type Paging, readPaging } from './query.ts';
export type { Kept } from './reading.ts';
export { Pace, Results } from './results.ts';

export interface Shelf {
  readonly owner: number;
  readonly lowest: number;
}

/** A message in an archive, whoever it is of. */
export interface Filed {
  readonly id: string;
  /** When it was taken in; milliseconds since 1970. */
  readonly at: number;
  /** Whether it is in its sender's archive, and in its recipient's. */
  readonly sent: boolean;
  readonly received: boolean;
  readonly retracted: boolean;
  /** A wire string. */
  readonly stanza: string;
}

/** The archive for other modules. */
export interface ArchiveService {
  /**
   * For a message that a client of this node has just sent: `done` is called once it is safe in its sender's archive, with its id there,
   * or with undefined when it turns out that it is not kept; never, when the message is refused on its way. 'told': that was at once;
   * undefined: it is no message for archives, and `done` is not called.
   */
  whenSent(packet: Packet, done: (id: string | undefined) => void): 'told' | 'later' | undefined;
  /**
   * A client's message ends on its way without its sender being told: in the sender's archive it is as any other. Resolved when it is
   * safe there; undefined where that has nothing to keep.
   */
  dropped(packet: Packet): Promise<void> | undefined;
  /** Messages that came for an account, by the ids that it gave them: wire strings; undefined for what its archive has not, or no more. */
  arrivals(account: Jid, ids: readonly string[]): MaybePromise<readonly (string | undefined)[]>;
  /** Whether the session's client has asked what is in its archive: it fetches what it missed. */
  isAsked(session: SessionView): boolean;
  /** The message of an id, in whosever archive it is. */
  find(id: string): Promise<Filed | undefined>;
  /** Messages with a client's own id (the attribute), the newest first: those of one correspondent to another, or of one to or from anybody. */
  named(id: string, from: Jid | undefined, to: Jid | undefined): Promise<Filed[]>;
  /** What followed a message in its conversation, in order, at most so many. */
  following(id: string, most: number): AsyncIterable<Filed>;
  /** The last messages of all archives, the oldest first: wire strings. */
  recent(most: number): Promise<readonly string[]>;
  /** The conversations of all archives. */
  readonly conversations: Conversations;
  /** The number by which archives know an address; undefined for one that none knows. */
  numberOf(address: Jid): Promise<number | undefined>;
  /** An account's archive: its number, and the key up to which nothing is there any more. */
  shelf(account: Jid): Promise<Shelf>;
}

export const Archive = serviceKey<ArchiveService>('archive');
