// PLAIN, RFC 4616.
import { isUtf8 } from 'node:buffer';
import { isOwnJid, localOf, saslPrep } from './prepare.ts';
import { failure } from './types.ts';
import type { SaslContext, SaslExchange, SaslStep } from './types.ts';

const maxMessage = 8192; // octets

export class PlainExchange implements SaslExchange {
  readonly mechanism = 'PLAIN';
  readonly #ctx: SaslContext;
  #state: 'start' | 'asked' | 'over' = 'start';

  constructor(ctx: SaslContext) {
    this.#ctx = ctx;
  }

  step(data: Buffer | undefined): SaslStep | Promise<SaslStep> {
    const state = this.#state;
    this.#state = 'over';
    if (state === 'over') return failure('malformed-request');
    if (!data) {
      if (state === 'asked') return failure('malformed-request');
      this.#state = 'asked';
      return { kind: 'challenge', data: Buffer.alloc(0) };
    }
    if (!this.#ctx.secured && !this.#ctx.offered.includes('PLAIN')) return failure('encryption-required');
    if (data.length > maxMessage || !isUtf8(data)) return failure('malformed-request', 'not text');

    // RFC 4616 2: [authzid] NUL authcid NUL passwd
    const fields = data.toString('utf8').split('\0');
    const [authzid = '', authcid = '', passwd = ''] = fields;
    if (fields.length !== 3 || authcid === '' || passwd === '') return failure('malformed-request');

    const local = localOf(authcid);
    if (local === undefined) return failure('not-authorized');
    if (authzid !== '' && !isOwnJid(authzid, local, this.#ctx)) return failure('invalid-authzid');
    const password = saslPrep(passwd);
    if (password === undefined) return failure('not-authorized'); // RFC 4616 2: verification shall fail

    if (this.#ctx.gate?.refuses(local)) return failure('temporary-auth-failure', undefined, local);
    return this.#verify(local, password);
  }

  async #verify(local: string, password: string): Promise<SaslStep> {
    const found = await this.#ctx.backend.plain(local, password);
    const verdict = found === 'ok' ? this.#ctx.gate?.succeeded(local) : this.#ctx.gate?.failed(local);
    if (verdict?.refused) return failure('temporary-auth-failure', undefined, local);
    const delay = verdict?.delay;
    if (found === 'ok') return { kind: 'success', local, delay };
    const condition = found === 'disabled' ? 'account-disabled' : 'not-authorized';
    return { kind: 'failure', condition, local, delay };
  }
}
