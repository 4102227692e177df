import {
  type Answer,
  type IqRequest,
  type MaybePromise,
  type Packet,
  serviceKey,
  type SessionView,
} from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { Conversations } from './conversations.ts';
import type { Kept, Lookups } from './lookups.ts';

export type { Conversation, Conversations, Displayed } from './conversations.ts';
export { firstKeyAt, idOf, keyOf, markOf } from './key.ts';
export type { Kept } from './lookups.ts';
export { type Pace, paces, Results } from './results.ts';
export { withoutItem } from './rooms.ts';

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

/** A message in a room's archive. */
export interface RoomMessage {
  /** Its stanza id. */
  readonly id: string;
  /** When it was said; milliseconds since 1970. */
  readonly at: number;
  readonly retracted: boolean;
  /** A wire string, as the room sent it, without a recipient and without the real address of who said it. */
  readonly stanza: string;
}

/** What somebody may see of a room's archive. */
export interface RoomView {
  /** A host whose options count for the room. */
  readonly host: string;
  /** Whether they may know who occupants are (XEP-0045 4.2). */
  readonly addresses: boolean;
}

/** Where messages of an account in a room are kept. */
export interface RoomPlace {
  readonly room: Jid;
  readonly author: Jid;
}

/**
 * The archives of rooms (XEP-0313 5.1.2): `room` is a bare JID, `author` the bare JID of an account. Who may do what is for the room to
 * say.
 */
/** What an account has not read of a room: keys of messages are 0 for none. */
export interface RoomUnread {
  /** Texts behind what it has read that it did not write; of more than 10,000, so many. */
  readonly unread: number;
  /** Key of the first of them. */
  readonly first: number;
  /** Key and stanza id of the last message of any kind. */
  readonly last: number;
  readonly id: string;
  /** Key of the last text that stands. */
  readonly text: number;
  /** What shows that text now: itself, or its last correction (XEP-0308). */
  readonly shown: number;
}

export interface RoomArchives {
  /** Waits only where a database has to be asked first; the caller keeps the room's order. To be used at once. */
  place(room: Jid, author: Jid): MaybePromise<RoomPlace>;
  /**
   * For a message as the room is about to send it, `packet`: from an occupant, to nobody. Where it is one for archives it gets the room's
   * stanza id and is written with what else the unit of work does; `original` is what its author sent, who is answered when that fails. ''
   * for one that is not: clients take an id for one of the archive (XEP-0313 3.4). Undefined: the room has had it before (by its origin id,
   * XEP-0359), and need not send it.
   */
  keep(place: RoomPlace, packet: Packet, original: Packet): string | undefined | Promise<undefined>;
  /** As `keep`, of a retraction (XEP-0424, XEP-0425): the message of that stanza id becomes a tombstone, with `retracted` (markup) in it. */
  bury(
    place: RoomPlace,
    packet: Packet,
    buried: string,
    retracted: string,
  ): Promise<{ id: string; kept: Promise<void> }>;
  /** The message of a stanza id, and whether that account said it; undefined where the archive has it not, or no more. */
  find(room: Jid, id: string, author: Jid): Promise<(RoomMessage & { readonly own: boolean }) | undefined>;
  /** The last messages that are text to read or were retracted, the oldest first: at most so many, none older than a time (milliseconds since 1970). */
  history(room: Jid, host: string, most: number, since: number): Promise<RoomMessage[]>;
  /** Answers <query/> and <metadata/> (get or set). */
  answer(request: IqRequest, room: Jid, view: RoomView): Answer | Promise<Answer>;
  /**
   * What of a room an account has not read, which belongs to it `since` a time (milliseconds since 1970) and has read up to the message
   * with the stanza id `after`; undefined: nothing was said there. Counted from the archive each time.
   */
  unread(
    room: Jid,
    account: Jid,
    from: { readonly host: string; readonly after: string | undefined; readonly since: number },
  ): Promise<RoomUnread | undefined>;
  /** The room is no more, and what it had is gone. */
  forget(room: Jid): Promise<void>;
}

/** Provided by whoever has rooms: the host whose options count for the archives of a domain's rooms. */
export interface RoomDomainsService {
  hostOf(domain: string): string | undefined;
}

export const RoomDomains = serviceKey<RoomDomainsService>('room-domains');

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
  /**
   * The stanza id up to which the session's client has asked what is in its archive: it fetches what it missed up to there. '' when it has
   * not asked.
   */
  askedUpTo(session: SessionView): string;
  /** The message of an id, in whosever archive it is. */
  find(id: string): Promise<Filed | undefined>;
  /** Messages with a client's own id (the attribute), the newest first: those of one correspondent to another, or of one to or from anybody. */
  named(id: string, from: Jid | undefined, to: Jid | undefined): Promise<Filed[]>;
  /** What followed a message in its conversation, in order, at most so many. */
  following(id: string, most: number): AsyncIterable<Filed>;
  /** The last messages of all archives, the oldest first. */
  recent(most: number): Promise<readonly Pick<Kept, 'key' | 'stanza'>[]>;
  /** Calls the listener after each message that is imported into its sender's archive, and waits for it; returns how to stop that. */
  onImported(listener: (message: Pick<Kept, 'key' | 'stanza'>) => Promise<void>): () => void;
  /** The conversations of all archives. */
  readonly conversations: Conversations;
  /** Messages by their keys, addresses by their numbers. */
  readonly lookups: Lookups;
  /** The number by which archives know an address; undefined for one that none knows. */
  numberOf(address: Jid): Promise<number | undefined>;
  /** An account's archive: its number, and the key up to which nothing is there any more. */
  shelf(account: Jid): Promise<Shelf>;
  readonly rooms: RoomArchives;
}

export const Archive = serviceKey<ArchiveService>('archive');
