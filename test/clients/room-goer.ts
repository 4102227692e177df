import type { Need } from '../kit/needs.ts';
import type { Login, Mailbox } from './person.ts';

/** Something that was said in a room, or to one of its occupants alone. */
export interface Said {
  readonly room: string;
  readonly nick: string;
  readonly body: string;
  /** Of before: XEP-0045 7.2.14. */
  readonly delayed: boolean;
  /** XEP-0045 7.5. */
  readonly alone: boolean;
}

/** A presence of an occupant. */
export interface Seen {
  readonly room: string;
  readonly nick: string;
  readonly gone: boolean;
  readonly affiliation: string;
  readonly role: string;
  /** Status codes, in order of their numbers. */
  readonly codes: readonly number[];
  /** How it is called from now on (7.6). */
  readonly newNick?: string | undefined;
  readonly reason?: string | undefined;
  /** The room is gone, and talk goes on in this one (10.9); '' where none is named. */
  readonly destroyed?: string | undefined;
}

export interface Subject {
  readonly room: string;
  readonly subject: string;
}

/** A mediated invitation (7.8.2), or that one was declined. */
export interface Invitation {
  readonly room: string;
  /** A bare address. */
  readonly from: string;
  readonly reason: string;
}

/** What the plays of rooms need of a client, whoever wrote it. Its own presence comes to `seen` as well, with code 110. */
export interface RoomGoer {
  readonly jid: string;
  readonly said: Mailbox<Said>;
  readonly seen: Mailbox<Seen>;
  readonly subjects: Mailbox<Subject>;
  readonly invitations: Mailbox<Invitation>;
  readonly declined: Mailbox<Invitation>;
  /** @throws with the condition of the error in the message when it is not let in */
  enter(room: string, nick: string, options?: { password?: string; history?: number }): Promise<void>;
  sayIn(room: string, body: string): Promise<void>;
  whisper(room: string, nick: string, body: string): Promise<void>;
  changeNick(room: string, nick: string): Promise<void>;
  setSubject(room: string, subject: string): Promise<void>;
  /** The configuration as its form has it: the first value of each field, '0' and '1' for booleans. */
  configuration(room: string): Promise<Record<string, string>>;
  /** Sets some fields of the configuration; none: the room is opened as it is by default (10.1.2). */
  configure(room: string, fields: Record<string, string>): Promise<void>;
  kick(room: string, nick: string, reason: string): Promise<void>;
  affiliate(room: string, jid: string, affiliation: 'outcast' | 'none' | 'member' | 'admin' | 'owner'): Promise<void>;
  invite(room: string, jid: string, reason: string): Promise<void>;
  decline(room: string, jid: string, reason: string): Promise<void>;
  leaveRoom(room: string, nick: string): Promise<void>;
  destroy(room: string, reason: string, instead: string): Promise<void>;
  /** Bare addresses with an affiliation. */
  affiliated?(room: string, affiliation: 'outcast' | 'member' | 'admin' | 'owner'): Promise<string[]>;
  /** Ends the session. */
  leave(): Promise<void>;
}

/** A client that the plays are given with, by how it logs in. */
export interface RoomClient {
  readonly name: string;
  readonly arrive: (login: Login) => Promise<RoomGoer>;
  readonly way: Login['way'];
  /** What has to be installed for it. */
  readonly need?: Need;
  /** It loses the reasons that it is told to give. */
  readonly unreasonable?: boolean;
  /** It knows nothing of invitations that are declined. */
  readonly undeclining?: boolean;
}
