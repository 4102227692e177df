/* What is kept of rooms. */
import type { Jid } from '../../src/jid/index.ts';
import type { RoomConfig } from './config.ts';
import type { Hat, Wearer } from './hats.ts';

export type KeptAffiliation = 'admin' | 'member' | 'outcast' | 'owner';

/** Somebody that a room knows (XEP-0045 5.2). */
export interface Affiliated {
  /** Bare. */
  readonly jid: Jid;
  readonly affiliation: KeptAffiliation;
  /** The nickname that is reserved for this user (XEP-0045 7.10). */
  readonly nick?: string;
  readonly reason?: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Somebody whose affiliation is none from now on. */
export interface Unaffiliated {
  readonly jid: Jid;
  readonly affiliation: 'none';
}

/** Somebody who asks to become a member (XEP-0045 7.10). */
export interface Application {
  readonly jid: Jid;
  /** What was filled in, by the names of registration.ts. */
  readonly form: Readonly<Record<string, string>>;
  readonly applied: number;
}

export interface Subject {
  readonly text: string;
  /** The nickname of who set it. */
  readonly nick: string;
  /** Their occupant id (XEP-0421); '' where it is not known. */
  readonly by: string;
  readonly at: number;
}

/** A room as it is kept. */
export interface StoredRoom {
  /** No other room has or had it. */
  readonly id: number;
  readonly jid: Jid;
  /** `configFromJson` reads it. */
  readonly config: string;
  readonly locked: boolean;
  readonly subject: Subject | undefined;
  readonly created: number;
  /** SHA-1 of each picture (XEP-0486). */
  readonly avatarHashes: readonly string[];
  readonly affiliated: readonly Affiliated[];
  readonly applications: readonly Application[];
  /** XEP-0317: those that there are, and who has which. */
  readonly hats: readonly Hat[];
  readonly wearers: readonly Wearer[];
}

export interface NewRoom {
  readonly jid: Jid;
  readonly creator: Jid;
  readonly config: RoomConfig;
  readonly locked: boolean;
  readonly created: number;
}
