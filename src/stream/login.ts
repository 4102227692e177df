import { Jid } from '../jid/index.ts';
import { NS } from '../protocol/index.ts';
import { escapeXml, type Stanza } from '../xml/index.ts';
import type { ClientStream } from './client-stream.ts';
import { HOLD_ANSWER } from './reading.ts';
import {
  begin,
  decodeAuth,
  decodeResponse,
  encodeSuccess,
  type SaslContext,
  type SaslExchange,
  type SaslFailure,
  type SaslStep,
} from './sasl/index.ts';

/**
 * What a channel binding that does not fit counts beside a wrong password. COMPAT slixmpp, which goes through all six SCRAM mechanisms
 * in vain before it comes to PLAIN: it speaks tls-unique only, also with TLS 1.3, which has none.
 */
const UNBOUND = 1 / 4;

/** SASL on a stream: RFC 6120 6. The mechanisms themselves are in sasl/. */
export class Login {
  private readonly stream: ClientStream;
  private exchange: SaslExchange | undefined;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private over = false;

  constructor(stream: ClientStream) {
    this.stream = stream;
  }

  /** Stops what is under way: the stream is gone. */
  cancel(): void {
    this.over = true;
    this.exchange = undefined;
    clearTimeout(this.timer);
  }

  onStanza(stanza: Stanza): void {
    switch (stanza.name) {
      case 'auth': {
        if (this.exchange) return this.fail('malformed-request', 'An exchange is under way.');
        const { stream } = this;
        if (stream.offered.length === 0) return this.fail('encryption-required', 'STARTTLS comes first.');
        const mechanism = stanza.attr('mechanism');
        if (mechanism === undefined) return this.fail('malformed-request', 'Which mechanism?');
        this.exchange = begin(mechanism, this.context());
        if (!this.exchange) return this.fail('invalid-mechanism');
        const decoded = decodeAuth(text(stanza));
        if (!decoded) return this.fail('incorrect-encoding');
        this.step(decoded.data);
        return;
      }
      case 'response': {
        if (!this.exchange) return this.fail('malformed-request', 'No exchange is under way.');
        const decoded = decodeResponse(text(stanza));
        if (!decoded) return this.fail('incorrect-encoding');
        this.step(decoded.data);
        return;
      }
      case 'abort':
        return this.fail('aborted');
      default:
        return this.fail('malformed-request');
    }
  }

  private context(): SaslContext {
    const { connection, env, host, offered } = this.stream;
    return {
      host: host!.domain,
      secured: connection.secured,
      channelBinding: type => connection.channelBinding(type),
      backend: host!.backend,
      offered,
      gate: env.throttle?.gate(connection.address, host!.domain),
    };
  }

  private step(data: Buffer | undefined): void {
    const { stream } = this;
    let answer: SaslStep | Promise<SaslStep>;
    try {
      answer = this.exchange!.step(data);
    } catch (error) {
      return this.broken(error);
    }
    if (!(answer instanceof Promise)) return this.answer(answer);
    // nothing else is looked at until the answer is there
    stream.reading.hold(HOLD_ANSWER);
    answer.then(
      result => this.answer(result),
      (error: unknown) => this.broken(error),
    );
  }

  private broken(error: unknown): void {
    this.stream.env.log.error({ err: error, stream: this.stream.id }, 'login: the accounts could not be asked');
    this.fail('temporary-auth-failure', 'Try again later.');
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
    const { connection } = stream;
    if (step.kind === 'failure') return this.fail(step.condition, step.text, step.local, step.unbound ? UNBOUND : 1);
    if (step.kind === 'challenge')
      connection.write(`<challenge xmlns='${NS.sasl}'>${encodeSuccess(step.data)}</challenge>`);
    else {
      const mechanism = this.exchange!.mechanism;
      this.exchange = undefined;
      const data = encodeSuccess(step.data);
      connection.write(data ? `<success xmlns='${NS.sasl}'>${data}</success>` : `<success xmlns='${NS.sasl}'/>`);
      stream.authenticated(new Jid(step.local, stream.host!.domain, ''), step.anonymous ?? false, mechanism);
    }
    connection.flush();
    stream.reading.release(HOLD_ANSWER);
  }

  private fail(condition: SaslFailure, message?: string, local?: string, weight = 1): void {
    const { stream } = this;
    if (this.over) return;
    stream.env.loginFailed(stream, this.exchange?.mechanism ?? '', condition, local);
    this.exchange = undefined;
    const explanation = message ? `<text xml:lang='en'>${escapeXml(message)}</text>` : '';
    stream.connection.write(`<failure xmlns='${NS.sasl}'><${condition}/>${explanation}</failure>`);
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

/** The character data of <auth/> or <response/>. */
function text(stanza: Stanza): string {
  return stanza.inner;
}
