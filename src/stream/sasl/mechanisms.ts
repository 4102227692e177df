import { AnonymousExchange } from './anonymous.ts';
import { PlainExchange } from './plain.ts';
import { ScramExchange } from './scram.ts';
import type { ScramVariant } from './scram.ts';
import type { ChannelBindingType, SaslContext, SaslExchange, ScramHash } from './types.ts';

/**
 * Those of SCRAM, strongest first, as they are announced (XEP-0440 2). Which of them a connection has, its TLS says. tls-unique is not
 * among them: SCRAM clients that know no other speak it with TLS 1.3 too, which has none.
 */
export const channelBindingTypes: readonly ChannelBindingType[] = ['tls-exporter', 'tls-server-end-point'];

function variant(hash: ScramHash, name: string, plus: boolean): ScramVariant {
  return { mechanism: plus ? `${name}-PLUS` : name, hash, plus };
}

const scrams = new Map<string, ScramVariant>(
  [true, false]
    .flatMap(plus => [
      variant('sha512', 'SCRAM-SHA-512', plus),
      variant('sha256', 'SCRAM-SHA-256', plus),
      variant('sha1', 'SCRAM-SHA-1', plus),
    ])
    .map(each => [each.mechanism, each]),
);

/** Every mechanism there is, strongest first. */
export const mechanisms: readonly string[] = [...scrams.keys(), 'PLAIN', 'ANONYMOUS'];

export interface OfferOptions {
  /** The names that the host allows. A -PLUS form is a name of its own; ANONYMOUS need not be among them. */
  mechanisms: readonly string[];
  secured: boolean;
  /** Is PLAIN allowed without TLS? For tests and benches on a loopback address. */
  plainWithoutTls: boolean;
  /** Does the host let anybody in? */
  anonymous: boolean;
  /** The channel binding types that this connection has. */
  bindings: readonly string[];
}

/** What to announce on a stream, strongest first. */
export function offer(options: OfferOptions): string[] {
  return mechanisms.filter(name => {
    if (name === 'ANONYMOUS') return options.anonymous;
    if (!options.mechanisms.includes(name)) return false;
    if (name === 'PLAIN') return options.secured || options.plainWithoutTls; // RFC 6120 13.8.3
    return !name.endsWith('-PLUS') || (options.secured && options.bindings.length > 0);
  });
}

/**
 * Starts a login. Undefined is `invalid-mechanism`: unknown, or not announced here. PLAIN that wants for TLS starts all the
 * same, to fail with `encryption-required`.
 */
export function begin(mechanism: string, ctx: SaslContext): SaslExchange | undefined {
  if (mechanism === 'PLAIN' && !ctx.secured) return new PlainExchange(ctx);
  if (!ctx.offered.includes(mechanism)) return undefined;
  if (mechanism === 'PLAIN') return new PlainExchange(ctx);
  if (mechanism === 'ANONYMOUS') return new AnonymousExchange(ctx);
  const scram = scrams.get(mechanism);
  return scram && new ScramExchange(scram, ctx);
}
