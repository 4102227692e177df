import type { Jid } from '../jid/index.ts';
import type { MaybePromise } from '../util/maybe.ts';
import type { LoginToken } from './sasl/index.ts';

/** What a client says of itself: <user-agent/> of XEP-0388 2.2. */
export interface UserAgent {
  /** Of the installation, the same each time. */
  readonly id: string;
  readonly software: string;
  readonly device: string;
}

/** A login of a client that said who it is. */
export interface LoginOfClient {
  /** See Clients.idOf. */
  readonly id: string;
  readonly account: Jid;
  readonly agent: UserAgent;
  /** What it logged in with; undefined: its password. */
  readonly token: LoginToken | undefined;
  /** XEP-0484 3.3: how many times it has used the token, if it says so. */
  readonly count: number | undefined;
  /** XEP-0484 3.5: its tokens are to be of no use any more. */
  readonly invalidate: boolean;
  /** The mechanism that it wants a token for (XEP-0484 3.2). */
  readonly request: string | undefined;
}

/** A token to be given to a client. */
export interface GivenToken {
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly expiry: number;
}

/** 'refused': the token was revoked or replayed while the login was under way. */
export type LoginNoted = GivenToken | 'refused' | undefined;

/** The clients of accounts, as streams see them. */
export interface Clients {
  /** Names a client of an account in sessions and lists; tells nothing of the user agent's id. */
  idOf(account: Jid, agent: string): string;
  /** The resource of a client, always the same for the same tag (XEP-0386 4.1). */
  resourceOf(id: string, tag: string): string;
  /** The tokens that it may log in with, the newest first. */
  tokensOf(id: string): MaybePromise<readonly LoginToken[]>;
  /** Notes a login, and gives a token where one was asked for or is due. What the client must be able to rely on is safe then. */
  loggedIn(login: LoginOfClient): MaybePromise<LoginNoted>;
}
