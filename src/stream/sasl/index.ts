/** SASL, the server's side (RFC 6120 6): mechanisms as state machines, and the login brake. No socket and no XML in it. */
export { decodeAuth, decodeResponse, encodeSuccess } from './base64.ts';
export { announcement } from './announcement.ts';
export { HashedTokenExchange, hashedTokenMechanisms } from './hashed-token.ts';
export { begin, channelBindingTypes, mechanisms, offer } from './mechanisms.ts';
export type { OfferOptions } from './mechanisms.ts';
export { saslPrep, saslPrepStored } from './prepare.ts';
export { deriveScramKeys, inventCredential, scramKeys } from './scram-keys.ts';
export { LoginThrottle } from './throttle.ts';
export type { LoginLimit, LoginThrottleOptions } from './throttle.ts';
export type {
  AccountStatus,
  ChannelBindingType,
  LoginGate,
  LoginToken,
  LoginVerdict,
  SaslBackend,
  SaslContext,
  SaslExchange,
  SaslFailure,
  SaslStep,
  SaslSuccess,
  ScramCredential,
  ScramHash,
  TokensOf,
} from './types.ts';
