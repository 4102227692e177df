import type { Packet, SessionView, UserView } from '../bus/index.ts';
import type { Jid } from '../jid/index.ts';
import type { StanzaError, StreamError } from '../protocol/index.ts';
import type { Element } from '../xml/index.ts';

export interface AccountView {
  readonly jid: Jid;
  readonly status: 'active' | 'disabled';
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** The last time it logged in or a session of it ended; undefined when never. */
  readonly lastLogin: number | undefined;
}

/** The accounts of this installation. Addresses are bare. */
export interface AccountsView {
  /** A value when it is known at once (it usually is), a promise otherwise. */
  exists(jid: Jid): boolean | Promise<boolean>;
  get(jid: Jid): Promise<AccountView | undefined>;
  /**
   * Passwords are checked against OpaqueString (RFC 8265); 'invalid' says that one is not acceptable. 'too-long': the name has more than
   * 110 characters or the domain more than 80, which databases do not take.
   */
  create(jid: Jid, password: string): Promise<'created' | 'exists' | 'invalid' | 'too-long'>;
  /** `by`: the session whose client knows it too. */
  setPassword(jid: Jid, password: string, by?: SessionView): Promise<'set' | 'unknown' | 'invalid'>;
  setStatus(jid: Jid, status: 'active' | 'disabled'): Promise<boolean>;
  /** Ends its sessions, tells modules (accountRemoved), removes it. False when there is none. */
  remove(jid: Jid): Promise<boolean>;
  /** In the order of local parts, after one, at most `limit`. */
  list(host: string, after?: string, limit?: number): Promise<AccountView[]>;
  count(host: string): Promise<number>;
}

/** A client of an account: an installation of a program that has access to it. */
export interface ClientView {
  /** Opaque; for `revoke`. */
  readonly id: string;
  /** Its sessions on this node. */
  readonly sessions: readonly SessionView[];
  /** Milliseconds since 1970. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** What it says of itself (XEP-0388 2.2): its program and where that runs; '' where it does not. */
  readonly software: string;
  readonly device: string;
  /** Whether it has logged in with the password that the account has now. */
  readonly password: boolean;
  /** Until when it can log in with a token (XEP-0484), in milliseconds since 1970; undefined when it cannot. */
  readonly tokenUntil: number | undefined;
}

/** The clients that have access to accounts. Addresses are bare. */
export interface ClientsView {
  /** Those that say who they are (XEP-0388 2.2), and the sessions of others. */
  list(account: Jid): Promise<ClientView[]>;
  /** Takes a client its tokens and ends its sessions. 'knows-password': that was done, but it can log in again with the password. */
  revoke(account: Jid, id: string): Promise<'revoked' | 'knows-password' | 'unknown'>;
}

/** A request (RFC 6120 8.2.3) of the server's own. */
export interface Question {
  readonly type: 'get' | 'set';
  /** A host, or an account of one. */
  readonly from: Jid;
  readonly to: Jid;
  readonly payload: Element;
}

/** What modules see of the node they run in. */
export interface NodeView {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The data folder: a module that keeps files has a folder of its name there. */
  readonly folder: string;
  /** The port of HTTPS for the world; undefined where no listener speaks it. */
  readonly httpsPort: number | undefined;
  /** The domains served here. */
  readonly hosts: ReadonlySet<string>;
  readonly accounts: AccountsView;
  readonly clients: ClientsView;
  /** Whether a module is on for a host. */
  moduleEnabled(module: string, host: string): boolean;
  /** Whether a module is on for every host. */
  moduleEverywhere(module: string): boolean;
  /** Whether an address administers that host (or all). */
  isAdmin(jid: Jid, host: string): boolean;
  /** The addresses that administer a host. */
  admins(host: string): readonly Jid[];
  /** An account with sessions on this node. */
  user(bare: Jid): UserView | undefined;
  users(): Iterable<UserView>;
  /** The session with that full JID. */
  session(full: Jid): SessionView | undefined;
  /** Resolved when what ended sessions of an account left has found its place; undefined when nothing is on its way. */
  passing(bare: Jid): Promise<void> | undefined;
  /** Number of sessions, waiting ones included. */
  readonly sessionCount: number;
  /** Sends a stanza on its way: to an account's rules, a session, a component, the host. Resolved when it has found its place. */
  route(packet: Packet): void | Promise<void>;
  /**
   * Goes on with a stanza that a handler of `arriving` has kept back by DONE: to the session that is named, or to the account's rules.
   * Never throws or rejects: what fails is answered.
   */
  proceed(packet: Packet): void | Promise<void>;
  /**
   * What the work causes before it waits is one unit (src/util/unit.ts): all its rows are in one transaction, and what it puts into outboxes
   * is written behind that; the packet's acknowledgement waits for it. Part of the unit that is under way, where there is one: modules
   * call it behind something that they waited for.
   */
  together<T>(packet: Packet, work: () => T): T;
  /** Puts a stanza into a session's outbox, through the deliver chain. */
  deliver(packet: Packet, session: SessionView, taken?: (taken: boolean) => void): void | Promise<void>;
  /**
   * Asks somebody, and waits for the answer: an IQ of the type 'result' or 'error'. Undefined: none came in so many milliseconds. Never
   * rejects.
   */
  ask(question: Question, patience: number): Promise<Packet | undefined>;
  /** Answers the sender with an error, unless it is an error itself (RFC 6120 8.3.1). */
  bounce(packet: Packet, error: StanzaError): void;
  /** Ends all sessions of an account. */
  closeSessions(bare: Jid, error: StreamError): void;
  /** Begins an orderly stop of the node (`posthouse` and XEP-0133 use it). */
  shutdown(reason: string, afterSeconds?: number): void;
}
