// The HT mechanisms, draft-schmaus-kitten-sasl-ht: a token proves itself in one message, and the server in its answer.
import { timingSafeEqual } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { andThen } from '../../util/maybe.ts';
import { localOf } from './prepare.ts';
import { failure } from './types.ts';
import type {
  AccountStatus,
  ChannelBindingType,
  LoginToken,
  SaslContext,
  SaslExchange,
  SaslStep,
  TokensOf,
} from './types.ts';

const PROOF = 32; // octets of HMAC-SHA-256
const maxName = 8192; // octets
const INITIATOR = Buffer.from('Initiator');
const RESPONDER = Buffer.from('Responder');
const NONE = Buffer.alloc(0);

/** Each mechanism, and what it binds to. */
const BINDINGS = new Map<string, ChannelBindingType | undefined>([
  ['HT-SHA-256-EXPR', 'tls-exporter'],
  ['HT-SHA-256-UNIQ', 'tls-unique'],
  ['HT-SHA-256-ENDP', 'tls-server-end-point'],
  ['HT-SHA-256-NONE', undefined],
]);

/** Those that a connection has, strongest first. */
export function hashedTokenMechanisms(binds: (type: ChannelBindingType) => boolean): string[] {
  return [...BINDINGS].filter(([, type]) => type === undefined || binds(type)).map(([name]) => name);
}

/**
 * A login by token. Tokens cannot be guessed, so it is not braked; who has none, or another one, or an account that is not there is
 * told the same: `not-authorized`. A right one that is too old is `credentials-expired` (XEP-0484 4).
 */
export class HashedTokenExchange implements SaslExchange {
  readonly mechanism: string;
  readonly #ctx: SaslContext;
  readonly #tokensOf: TokensOf;
  readonly #now: number;
  #over = false;

  constructor(mechanism: string, ctx: SaslContext, tokensOf: TokensOf, now = Date.now()) {
    this.mechanism = mechanism;
    this.#ctx = ctx;
    this.#tokensOf = tokensOf;
    this.#now = now;
  }

  step(data: Buffer | undefined): SaslStep | Promise<SaslStep> {
    if (this.#over) return failure('malformed-request');
    this.#over = true;
    // XEP-0484 3.1: one round trip and no more, so the client has said all
    if (!data) return failure('malformed-request', 'the initial response is missing');
    const end = data.indexOf(0);
    if (end < 1 || end > maxName || data.length !== end + 1 + PROOF) return failure('malformed-request');
    const name = data.subarray(0, end);
    if (!isUtf8(name)) return failure('malformed-request', 'not text');
    const local = localOf(name.toString('utf8'));
    if (local === undefined) return failure('not-authorized');

    const type = BINDINGS.get(this.mechanism);
    const binding = type === undefined ? NONE : this.#ctx.channelBinding(type);
    if (!binding) return { kind: 'failure', condition: 'malformed-request', unbound: true };
    const proof = data.subarray(end + 1);
    const tokens = this.#tokensOf(local);
    const status = this.#ctx.backend.status(local);
    return andThen(tokens, found => andThen(status, is => this.#verify(local, proof, binding, found, is)));
  }

  #verify(
    local: string,
    proof: Buffer,
    binding: Buffer,
    tokens: readonly LoginToken[],
    status: AccountStatus,
  ): SaslStep {
    for (const token of tokens) {
      if (token.mechanism !== this.mechanism) continue;
      const { mac } = token;
      if (!timingSafeEqual(proof, mac.digest(INITIATOR, binding))) continue;
      if (token.expiry <= this.#now) return failure('credentials-expired', undefined, local);
      if (status !== 'active') {
        return failure(status === 'disabled' ? 'account-disabled' : 'not-authorized', undefined, local);
      }
      return { kind: 'success', local, token, data: mac.digest(RESPONDER, binding) };
    }
    return failure('not-authorized', undefined, local);
  }
}
