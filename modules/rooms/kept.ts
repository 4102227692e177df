/* What of a room is kept: the terms in which a room and its store speak. */
import type { MaybePromise } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { Affiliated } from './affiliations.ts';
import type { RoomConfig } from './config.ts';

/** The last subject that was set (XEP-0045 8.1); its text is '' when it was taken away. */
export interface KeptSubject {
  readonly text: string;
  /** The nickname of who set it. */
  readonly nick: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A room. */
export interface KeptRoom {
  readonly config: RoomConfig;
  /** Undefined when there never was one. */
  readonly subject: KeptSubject | undefined;
  /** Whether its creator has not said how it is to be yet (XEP-0045 10.1): nobody else can enter. */
  readonly locked: boolean;
  /** Random: what the occupant ids (XEP-0421) depend on. */
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface KeptRoomWithAffiliations extends KeptRoom {
  readonly affiliations: readonly Affiliated[];
}

/** A change of who belongs to a room; undefined: no affiliation any more. */
export interface AffiliationChange {
  readonly jid: string;
  readonly to: Affiliated | undefined;
}

/** Where rooms are kept. Everything but `load` is resolved when it is committed. */
export interface RoomKeeper {
  load(room: Jid): MaybePromise<KeptRoomWithAffiliations | undefined>;
  create(room: Jid, kept: KeptRoomWithAffiliations): Promise<void>;
  /** The configuration, and whether it is locked. */
  configure(room: Jid, config: RoomConfig, locked: boolean): Promise<void>;
  setSubject(room: Jid, subject: KeptSubject): Promise<void>;
  /** All of them or none. */
  affiliate(room: Jid, changes: readonly AffiliationChange[]): Promise<void>;
  /** Everything that is kept of it. */
  remove(room: Jid): Promise<void>;
}
