import type { Hmac } from '../../util/hmac.ts';

/** A hash that SCRAM runs on, named as node:crypto names it. */
export type ScramHash = 'sha1' | 'sha256' | 'sha512';

/** The channel binding types that this server can check: RFC 9266, RFC 5929 3, 4. */
export type ChannelBindingType = 'tls-exporter' | 'tls-unique' | 'tls-server-end-point';

/** SASL error conditions, RFC 6120 6.5. */
export type SaslFailure =
  | 'aborted'
  | 'account-disabled'
  | 'credentials-expired'
  | 'encryption-required'
  | 'incorrect-encoding'
  | 'invalid-authzid'
  | 'invalid-mechanism'
  | 'malformed-request'
  | 'mechanism-too-weak'
  | 'not-authorized'
  | 'temporary-auth-failure';

/**
 * What is stored of a password for one hash (RFC 5802 3). `storedKey` and `serverKey` are as long as the hash's digest.
 * `unknown` marks a made-up credential (see `inventCredential`): the exchange runs whole and fails like a wrong password.
 */
export interface ScramCredential {
  salt: Buffer;
  iterations: number;
  storedKey: Buffer;
  serverKey: Buffer;
  status: AccountStatus;
}

/**
 * One host's accounts. Localparts arrive prepared (RFC 7622), passwords SASLprepared and not empty. A rejection means that
 * the accounts could not be asked; it passes through `step` unchanged, and the stream answers `temporary-auth-failure`.
 */
export interface SaslBackend {
  scram(local: string, hash: ScramHash): ScramCredential | Promise<ScramCredential>;
  /** Must take as long for an unknown account as for a wrong password; `disabled` only when the password was right. */
  plain(local: string, password: string): Promise<'ok' | 'disabled' | 'wrong'>;
  /** Whether an account may log in. */
  status(local: string): AccountStatus | Promise<AccountStatus>;
  /** A fresh localpart, prepared, that no account has. */
  anonymous(): string;
}

export type AccountStatus = 'active' | 'disabled' | 'unknown';

/** A token that one client of an account may log in with (XEP-0484). */
export interface LoginToken {
  /** The only mechanism that it may be used with. */
  readonly mechanism: string;
  /** As it was given to the client. */
  readonly secret: string;
  /** The same as a key. */
  readonly mac: Hmac;
  /** Milliseconds since 1970. */
  readonly expiry: number;
}

/** The tokens of the client that logs in to an account, the newest first. */
export type TokensOf = (local: string) => readonly LoginToken[] | Promise<readonly LoginToken[]>;

/** What the login brake says about one tested credential: refuse to answer, or answer after `delay` ms (0 or more). */
export interface LoginVerdict {
  refused: boolean;
  delay: number;
}

/** The login brake as one exchange sees it: for one host, from one address. `LoginThrottle.gate` makes it. */
export interface LoginGate {
  /** Asked before the work of testing a password is done. */
  refuses(local: string): boolean;
  /** Told of each credential that proved wrong. */
  failed(local: string): LoginVerdict;
  /** Told of each credential that proved right; may still refuse. */
  succeeded(local: string): LoginVerdict;
}

export interface SaslContext {
  /** The domainpart that is logged in to, prepared. */
  host: string;
  /** Is TLS in force? */
  secured: boolean;
  /** This connection's binding data, undefined where its TLS cannot give that type. */
  channelBinding(type: ChannelBindingType): Buffer | undefined;
  backend: SaslBackend;
  /** The mechanisms as they were announced on this stream. */
  offered: readonly string[];
  /** Left out, logins are not braked. */
  gate?: LoginGate;
  /** What was announced, in the form that SCRAM protects (XEP-0474); left out, it is not protected. */
  announced?: string;
  /** The bare JID that the stream's header names; an authorization identity must be the same (XEP-0388 2.3). */
  from?: string;
}

/**
 * One step's answer. `success.data` is the mechanism's additional data (RFC 6120 6.4.6). `failure.local` is there only where
 * a credential of that account was tested, or not tested because of the brake. `failure.unbound`: the client's channel binding does not
 * fit, whoever it is. `delay`: ms to wait before answering. `token`: what the client logged in with.
 */
export type SaslStep =
  | { kind: 'challenge'; data: Buffer }
  | SaslSuccess
  | { kind: 'failure'; condition: SaslFailure; text?: string; local?: string; unbound?: true; delay?: number };

export interface SaslSuccess {
  kind: 'success';
  local: string;
  data?: Buffer;
  anonymous?: boolean;
  delay?: number;
  token?: LoginToken;
}

/**
 * A login under way, as a state machine. `step` takes the decoded data of <auth/> or <response/>, undefined for an <auth/>
 * without initial response. It throws and rejects only where the backend does. After `success` or `failure` it is
 * over: each further step fails with `malformed-request`.
 */
export interface SaslExchange {
  readonly mechanism: string;
  step(data: Buffer | undefined): SaslStep | Promise<SaslStep>;
}

export function failure(condition: SaslFailure, text?: string, local?: string): SaslStep {
  return { kind: 'failure', condition, text, local };
}
