import { StorageError } from '../api/index.ts';
import { parseJid } from '../jid/index.ts';
import type { ClientStream } from './client-stream.ts';
import { HOLD_ANSWER } from './reading.ts';
import {
  announcement,
  type SaslContext,
  type SaslExchange,
  type SaslFailure,
  type SaslStep,
  type SaslSuccess,
} from './sasl/index.ts';

/** How a login is written: as RFC 6120 6 or as XEP-0388 has it. */
export interface SaslProfile {
  challenge(stream: ClientStream, data: Buffer): void;
  /** The credentials were right: does what follows, and says so. False when it had to refuse all the same, and said that. */
  success(stream: ClientStream, step: SaslSuccess, mechanism: string): boolean | Promise<boolean>;
  failure(stream: ClientStream, condition: SaslFailure, message: string | undefined): void;
}

/**
 * What a channel binding that does not fit counts beside a wrong password. COMPAT slixmpp, which goes through all six SCRAM mechanisms
 * in vain before it comes to PLAIN: it speaks tls-unique only, also with TLS 1.3, which has none.
 */
const UNBOUND = 1 / 4;

/** SASL on a stream, in whichever profile: one exchange at a time. The mechanisms themselves are in sasl/. */
export class Login {
  private readonly stream: ClientStream;
  private exchange: SaslExchange | undefined;
  private profile: SaslProfile | undefined;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private over = false;

  constructor(stream: ClientStream) {
    this.stream = stream;
  }

  /** The profile of the exchange that is under way. */
  get speaks(): SaslProfile | undefined {
    return this.exchange && this.profile;
  }

  /** Stops what is under way: the stream is gone. */
  cancel(): void {
    this.over = true;
    this.exchange = undefined;
    clearTimeout(this.timer);
  }

  begin(exchange: SaslExchange, profile: SaslProfile): void {
    this.exchange = exchange;
    this.profile = profile;
  }

  /** What the mechanisms need to know of the stream. */
  context(): SaslContext {
    const { connection, env, host, offered, bindings, opening } = this.stream;
    return {
      host: host!.domain,
      secured: connection.secured,
      channelBinding: type => connection.channelBinding(type),
      backend: host!.backend,
      offered,
      gate: env.throttle?.gate(connection.address, host!.domain),
      announced: announcement(offered, bindings),
      from: opening?.from === undefined ? undefined : parseJid(opening.from)?.bare,
    };
  }

  /** The client's next message; undefined where its first request has none. */
  step(data: Buffer | undefined): void {
    let answer: SaslStep | Promise<SaslStep>;
    try {
      answer = this.exchange!.step(data);
    } catch (error) {
      return this.broken(error);
    }
    if (!(answer instanceof Promise)) return this.answer(answer);
    // nothing else is looked at until the answer is there
    this.stream.reading.hold(HOLD_ANSWER);
    answer.then(
      result => this.answer(result),
      (error: unknown) => this.broken(error),
    );
  }

  private broken(error: unknown): void {
    // an outage the storage tells of itself, once for all who come meanwhile
    const level = error instanceof StorageError && error.told ? 'debug' : 'error';
    this.stream.env.log[level]({ err: error, stream: this.stream.id }, 'login: the accounts could not be asked');
    this.fail(this.profile!, 'temporary-auth-failure', 'Try again later.');
  }

  private answer(step: SaslStep): void {
    if (this.over) return;
    const delay = step.kind === 'challenge' ? 0 : (step.delay ?? 0);
    if (delay > 0) {
      this.stream.reading.hold(HOLD_ANSWER);
      this.timer = setTimeout(() => this.finish(step), delay);
    } else this.finish(step);
  }

  private finish(step: SaslStep): void {
    const { stream } = this;
    const profile = this.profile!;
    if (step.kind === 'failure') {
      return this.fail(profile, step.condition, step.text, step.local, step.unbound ? UNBOUND : 1);
    }
    if (step.kind === 'challenge') {
      profile.challenge(stream, step.data);
      return this.proceed();
    }
    const { mechanism } = this.exchange!;
    let done: boolean | Promise<boolean>;
    try {
      done = profile.success(stream, step, mechanism);
    } catch (error) {
      return this.broken(error);
    }
    if (!(done instanceof Promise)) return this.succeeded(done);
    stream.reading.hold(HOLD_ANSWER);
    done.then(
      result => this.succeeded(result),
      (error: unknown) => this.broken(error),
    );
  }

  private succeeded(done: boolean): void {
    if (!done) return;
    this.exchange = undefined;
    this.proceed();
  }

  /** What was said goes out, and the stream is read again. */
  private proceed(): void {
    this.stream.connection.flush();
    this.stream.reading.release(HOLD_ANSWER);
  }

  /** Ends the exchange without success. */
  fail(profile: SaslProfile, condition: SaslFailure, message?: string, local?: string, weight = 1): void {
    const { stream } = this;
    if (this.over) return;
    stream.env.loginFailed(stream, this.exchange?.mechanism ?? '', condition, local);
    this.exchange = undefined;
    profile.failure(stream, condition, message);
    stream.connection.flush();
    this.failures += weight;
    if (this.failures >= stream.env.limits.loginAttempts) {
      // RFC 6120 6.4.5
      stream.fail({ condition: 'policy-violation', text: 'Too many failed logins.' });
      return;
    }
    stream.reading.release(HOLD_ANSWER);
  }
}
