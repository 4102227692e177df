/* What of a room is kept: the terms in which a room and its store speak. */
import type { RoomConfig } from './config.ts';

/** Somebody that a room knows (XEP-0045 5.2). */
export interface Affiliated {
  /** Bare; an outcast may be a whole domain (XEP-0045 9.2). */
  readonly jid: string;
  readonly affiliation: 'admin' | 'member' | 'outcast' | 'owner';
  /** The reserved nickname (XEP-0045 7.12), or ''. */
  readonly nick: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** A change of who belongs to a room; undefined: no affiliation any more. */
export interface AffiliationChange {
  readonly jid: string;
  readonly to: Affiliated | undefined;
}

/** Somebody who asks to become a member (XEP-0045 7.10). */
export interface Application {
  /** Bare. */
  readonly jid: string;
  /** What was filled in, by the names of registration.ts. */
  readonly form: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly applied: number;
}

/** The last subject that was set (XEP-0045 8.1); its text is '' when it was taken away. */
export interface KeptSubject {
  readonly text: string;
  /** The nickname of who set it. */
  readonly nick: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A room as it is made. */
export interface NewRoom {
  readonly config: RoomConfig;
  /** Undefined when there never was one. */
  readonly subject: KeptSubject | undefined;
  /** Whether its creator has not said how it is to be yet (XEP-0045 10.1): nobody else can enter. */
  readonly locked: boolean;
  /** Random: what the occupant ids (XEP-0421) depend on. At most 64 characters. */
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** The first owner among them is who made it. */
  readonly affiliations: readonly Affiliated[];
}

/** A room as it is kept. */
export interface KeptRoom extends NewRoom {
  /** Who waits to become a member, the longest first. */
  readonly applications: readonly Application[];
  /** SHA-1 of each picture (XEP-0486). */
  readonly avatarHashes: readonly string[];
}
