// ANONYMOUS, RFC 4505, as XEP-0175 uses it.
import { isUtf8 } from 'node:buffer';
import { failure } from './types.ts';
import type { SaslContext, SaslExchange, SaslStep } from './types.ts';

const maxTrace = 255; // characters, RFC 4505 2
const control = /\p{Cc}/u; // RFC 4505 3

export class AnonymousExchange implements SaslExchange {
  readonly mechanism = 'ANONYMOUS';
  readonly #ctx: SaslContext;
  #over = false;

  constructor(ctx: SaslContext) {
    this.#ctx = ctx;
  }

  step(data: Buffer | undefined): SaslStep {
    if (this.#over) return failure('malformed-request');
    this.#over = true;
    // The trace is nobody's business here: checked, then forgotten. XEP-0175 2: without one, no challenge is needed.
    if (data && !isTrace(data)) return failure('malformed-request', 'bad trace');
    return { kind: 'success', local: this.#ctx.backend.anonymous(), anonymous: true };
  }
}

function isTrace(data: Buffer): boolean {
  if (data.length > maxTrace * 4 || !isUtf8(data)) return false;
  const trace = data.toString('utf8');
  return Array.from(trace).length <= maxTrace && !control.test(trace);
}
