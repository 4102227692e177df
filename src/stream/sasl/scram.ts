// SCRAM, the server's side: RFC 5802, with the hashes of RFC 7677 and its SHA-512 sibling.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { andThen } from '../../util/maybe.ts';
import { isOwnJid, localOf, saslPrep } from './prepare.ts';
import { messageText, parseClientFinal, parseClientFirst } from './scram-grammar.ts';
import type { ClientFirst } from './scram-grammar.ts';
import { digestLength, hmac, sum } from './scram-keys.ts';
import { failure } from './types.ts';
import type { SaslContext, SaslExchange, SaslStep, ScramCredential, ScramHash } from './types.ts';

export interface ScramVariant {
  mechanism: string;
  hash: ScramHash;
  /** Does the name end in -PLUS, so that the channel is bound? */
  plus: boolean;
}

/** What the second step needs of the first. */
interface Opened {
  local: string;
  credential: ScramCredential;
  nonce: string;
  /** What `c=` must decode to. */
  binding: Buffer;
  /** AuthMessage up to and with its second comma. */
  authMessageHead: string;
}

/** 144 random bits; base64 has no comma, so it is a nonce as it stands. */
function freshNonce(): string {
  return randomBytes(18).toString('base64');
}

export class ScramExchange implements SaslExchange {
  readonly mechanism: string;
  readonly #variant: ScramVariant;
  readonly #ctx: SaslContext;
  readonly #serverNonce: string;
  #state: 'start' | 'first' | 'busy' | 'final' | 'over' = 'start';
  #opened: Opened | undefined;

  /** `serverNonce` is for the RFCs' examples; left out, it is random. */
  constructor(variant: ScramVariant, ctx: SaslContext, serverNonce: string = freshNonce()) {
    this.mechanism = variant.mechanism;
    this.#variant = variant;
    this.#ctx = ctx;
    this.#serverNonce = serverNonce;
  }

  step(data: Buffer | undefined): SaslStep | Promise<SaslStep> {
    const state = this.#state;
    this.#state = 'over'; // unless the step leads on
    if (!data) {
      if (state !== 'start') return failure('malformed-request');
      this.#state = 'first';
      return { kind: 'challenge', data: Buffer.alloc(0) }; // RFC 4422 5: the client has the first word
    }
    if (state === 'over' || state === 'busy') return failure('malformed-request');
    const text = messageText(data);
    if (text === undefined) return failure('malformed-request', 'not text');
    return state === 'final' ? this.#final(text) : this.#first(text);
  }

  #first(text: string): SaslStep | Promise<SaslStep> {
    const first = parseClientFirst(text);
    if (typeof first === 'string') return failure('malformed-request', first);

    const binding = this.#binding(first);
    if (!Buffer.isBuffer(binding)) return binding;

    // RFC 5802 5.1: a name that cannot be prepared, or of which nothing is left, ends the exchange.
    if (saslPrep(first.username) === undefined) return failure('malformed-request', 'bad username');
    const local = localOf(first.username);
    if (local === undefined) return failure('not-authorized');
    if (first.authzid !== undefined && !isOwnJid(first.authzid, local, this.#ctx)) {
      return failure('invalid-authzid');
    }

    const credential = this.#ctx.backend.scram(local, this.#variant.hash);
    if (!(credential instanceof Promise)) return this.#challenge(first, binding, local, credential);
    this.#state = 'busy';
    return credential.then(
      found => this.#challenge(first, binding, local, found),
      (error: unknown) => {
        this.#state = 'over';
        throw error;
      },
    );
  }

  /** The decoded `c=` that must follow, or why the client's choice of binding cannot be (RFC 5802 6). */
  #binding(first: ClientFirst): Buffer | SaslStep {
    const { flag, binding } = first;
    if (this.#variant.plus !== (flag === 'p')) {
      return failure(
        'malformed-request',
        this.#variant.plus ? 'channel binding expected' : 'channel binding unexpected',
      );
    }
    // Someone between us took the -PLUS mechanisms out of the features.
    if (flag === 'y' && this.#ctx.offered.some(name => name.endsWith('-PLUS'))) {
      return {
        kind: 'failure',
        condition: 'not-authorized',
        text: 'server-does-support-channel-binding',
        unbound: true,
      };
    }
    const header = Buffer.from(first.gs2Header, 'utf8');
    if (flag !== 'p') return header;
    const supported = binding === 'tls-exporter' || binding === 'tls-server-end-point';
    const data = supported ? this.#ctx.channelBinding(binding) : undefined;
    if (!data)
      return {
        kind: 'failure',
        condition: 'malformed-request',
        text: 'unsupported-channel-binding-type',
        unbound: true,
      };
    return Buffer.concat([header, data]);
  }

  #challenge(first: ClientFirst, binding: Buffer, local: string, credential: ScramCredential): SaslStep {
    const nonce = first.nonce + this.#serverNonce;
    const { announced } = this.#ctx;
    // XEP-0474 5: whoever changed the announcement on its way is found out
    const protection = announced === undefined ? '' : `,h=${hash(this.#variant.hash, announced, 'base64')}`;
    const serverFirst = `r=${nonce},s=${credential.salt.toString('base64')},i=${credential.iterations}${protection}`;
    this.#opened = { local, credential, nonce, binding, authMessageHead: `${first.bare},${serverFirst},` };
    this.#state = 'final';
    return { kind: 'challenge', data: Buffer.from(serverFirst, 'utf8') };
  }

  #final(text: string): SaslStep | Promise<SaslStep> {
    const opened = this.#opened;
    if (!opened) throw new Error('SCRAM: the last step came before the first');
    const { hash: digest } = this.#variant;
    const final = parseClientFinal(text);
    if (typeof final === 'string') return failure('malformed-request', final);
    if (final.proof.length !== digestLength[digest]) return failure('malformed-request', 'bad proof');
    if (final.nonce !== opened.nonce) return failure('not-authorized', 'other nonce');
    // Also the proof that nobody changed the gs2-header on its way.
    if (!final.channelBinding.equals(opened.binding)) return failure('not-authorized', 'channel-bindings-dont-match');

    const { local, credential } = opened;
    const gate = this.#ctx.gate;
    if (gate?.refuses(local)) return failure('temporary-auth-failure', undefined, local);

    const authMessage = opened.authMessageHead + final.withoutProof;
    const clientKey = hmac(digest, credential.storedKey, authMessage);
    for (let i = 0; i < clientKey.length; i++) clientKey[i]! ^= final.proof[i]!;
    const proven = timingSafeEqual(sum(digest, clientKey), credential.storedKey);

    if (!proven || credential.status !== 'active') {
      const verdict = gate?.failed(local);
      if (verdict?.refused) return failure('temporary-auth-failure', undefined, local);
      const disabled = proven && credential.status === 'disabled';
      const condition = disabled ? 'account-disabled' : 'not-authorized';
      return { kind: 'failure', condition, local, delay: verdict?.delay };
    }
    // the client takes its time for the last step, and the password may be another one by now, or the account its next owner's
    return andThen(this.#ctx.backend.scram(local, digest), now =>
      now.status === credential.status && now.storedKey.equals(credential.storedKey)
        ? this.#proven(opened, authMessage)
        : failure('temporary-auth-failure', 'The account has changed meanwhile.', local),
    );
  }

  #proven({ local, credential }: Opened, authMessage: string): SaslStep {
    const verdict = this.#ctx.gate?.succeeded(local);
    if (verdict?.refused) return failure('temporary-auth-failure', undefined, local);
    const signature = hmac(this.#variant.hash, credential.serverKey, authMessage);
    const data = Buffer.from(`v=${signature.toString('base64')}`, 'latin1');
    return { kind: 'success', local, data, delay: verdict?.delay };
  }
}
