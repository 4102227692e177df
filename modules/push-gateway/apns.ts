/* Apple Push Notification service: HTTP/2 with tokens (ES256), over one connection that is kept. */
import type { KeyObject } from 'node:crypto';
import { type ClientHttp2Session, connect } from 'node:http2';
import {
  ACCEPTED,
  CALL_LIFE,
  fieldsOf,
  MESSAGE_LIFE,
  type Outcome,
  type Payload,
  type PushChannel,
  retryAfter,
  type Target,
} from './channel.ts';
import { jwt, readKey } from './jwt.ts';

/** Seconds after which a token is another: Apple takes none that is older than an hour, and no two within 20 minutes. */
const TOKEN_LIFE = 45 * 60;
const TOKEN_PAUSE = 20 * 60;
const LONGEST = 64 * 1024;

export interface ApnsOptions {
  /** The private key (.p8), and its name. */
  readonly key: string;
  readonly keyId: string;
  readonly teamId: string;
  /** The bundle id of the app. */
  readonly topic: string;
  readonly server: string;
  /** What the phone shows where the app does not change it. */
  readonly alert: string;
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly after: number | undefined;
}

export class Apns implements PushChannel {
  readonly name = 'apns';
  private readonly options: ApnsOptions;
  private readonly key: KeyObject;
  private readonly timeout: () => number;
  private readonly ca: string[] | undefined;
  private session: ClientHttp2Session | undefined;
  private token: { readonly text: string; readonly made: number } | undefined;
  private isClosed = false;

  /** Throws a sentence when the options cannot be. `timeout`: milliseconds. */
  constructor(options: ApnsOptions, timeout: () => number, ca: string[] | undefined) {
    this.options = options;
    for (const name of ['keyId', 'teamId', 'topic'] as const)
      if (options[name] === '') throw new Error(`'${name}' is not given`);
    this.key = readKey(options.key, 'ec');
    this.timeout = timeout;
    this.ca = ca;
  }

  problem({ token = '', voip = '' }: Target): string | undefined {
    const isToken = (text: string): boolean => /^[0-9a-f]{16,200}$/i.test(text);
    return isToken(token) && (voip === '' || isToken(voip)) ? undefined : 'A token of APNs is needed, in hexadecimal.';
  }

  async send(target: Target, payload: Payload): Promise<Outcome> {
    try {
      const answer = await this.post(target, payload);
      return this.outcomeOf(answer, target, payload);
    } catch (error) {
      return { is: 'retry', why: (error as Error).message };
    }
  }

  private outcomeOf({ status, reason, after }: Answer, target: Target, payload: Payload): Outcome {
    const why = `status ${status} ${reason}`.trim();
    const later = after !== undefined && { after };
    if (status === 200) return ACCEPTED;
    // without a token of its own for calls, the device is called as it is told of messages
    const isDevice = reason === 'BadDeviceToken' || reason === 'DeviceTokenNotForTopic' || status === 410;
    if (isDevice && isVoip(target, payload)) return { is: 'refused', why };
    if (isDevice) return { is: 'gone', why };
    if (reason === 'ExpiredProviderToken') {
      // the clock here may differ from theirs; a young token is not made anew, which they would not have
      const age = Date.now() / 1000 - (this.token?.made ?? 0);
      if (age >= TOKEN_PAUSE) this.token = undefined;
      return { is: 'retry', why, after: age >= TOKEN_PAUSE ? 0 : TOKEN_PAUSE - age, all: true };
    }
    if (reason === 'TooManyProviderTokenUpdates') return { is: 'retry', why, after: after ?? TOKEN_PAUSE, all: true };
    if (status === 429) return { is: 'retry', why, ...later };
    if (status >= 500) return { is: 'retry', why, ...later };
    return { is: 'refused', why };
  }

  private post(target: Target, payload: Payload): Promise<Answer> {
    const voip = isVoip(target, payload);
    const { topic } = this.options;
    const life = payload.isCall ? CALL_LIFE : MESSAGE_LIFE;
    const headers = {
      ':method': 'POST',
      ':path': `/3/device/${voip ? target.voip : target.token}`,
      authorization: `bearer ${this.bearer()}`,
      'apns-topic': voip ? `${topic}.voip` : topic,
      'apns-push-type': voip ? 'voip' : 'alert',
      'apns-priority': '10',
      'apns-expiration': String(Math.floor(Date.now() / 1000) + life),
      ...(!payload.isCall && { 'apns-collapse-id': `messages-${payload.node}`.slice(0, 64) }),
    };
    return this.exchange(headers, JSON.stringify(this.body(payload, voip)));
  }

  private body(payload: Payload, voip: boolean): object {
    const { sender, body, messages } = payload;
    const alert =
      sender === undefined ? { body: this.options.alert } : { title: sender, body: body ?? this.options.alert };
    // the app may say what it is before it is shown
    const aps = voip ? {} : { alert, badge: messages, sound: 'default', 'mutable-content': 1, 'content-available': 1 };
    return { aps, ...fieldsOf(payload) };
  }

  private exchange(headers: Record<string, string>, body: string): Promise<Answer> {
    return new Promise((settle, reject) => {
      const session = this.connected();
      const stream = session.request(headers);
      let status = 0;
      let after: number | undefined;
      let text = '';
      // a connection on which nothing comes any more is of no use to the others either
      const timer = setTimeout(() => {
        stream.close();
        this.leave(session);
        session.destroy();
        reject(new Error('no answer'));
      }, this.timeout());
      stream.setEncoding('utf8');
      stream.on('response', answer => {
        status = Number(answer[':status']);
        after = retryAfter(answer['retry-after']);
      });
      stream.on('data', (part: string) => {
        if (text.length < LONGEST) text += part;
      });
      stream.on('error', () => {});
      stream.on('close', () => {
        clearTimeout(timer);
        if (status === 0) reject(new Error('the connection ended'));
        else settle({ status, reason: reasonOf(text), after });
      });
      stream.end(body);
    });
  }

  /** The connection, made when there is none that takes requests. */
  private connected(): ClientHttp2Session {
    const { session } = this;
    if (session && !session.destroyed && !session.closed) return session;
    if (this.isClosed) throw new Error('the gateway ends');
    const fresh = connect(this.options.server, this.ca ? { ca: this.ca } : {});
    fresh.on('error', () => this.leave(fresh));
    fresh.on('close', () => this.leave(fresh));
    // RFC 9113 6.8: what is under way may end there, everything else goes over another connection
    fresh.on('goaway', () => this.leave(fresh));
    fresh.unref();
    this.session = fresh;
    return fresh;
  }

  private leave(session: ClientHttp2Session): void {
    if (this.session === session) this.session = undefined;
    if (!session.destroyed && !session.closed) session.close();
  }

  private bearer(): string {
    const now = Math.floor(Date.now() / 1000);
    if (!this.token || now - this.token.made >= TOKEN_LIFE) {
      const { teamId: iss, keyId } = this.options;
      this.token = { text: jwt('ES256', this.key, { iss, iat: now }, keyId), made: now };
    }
    return this.token.text;
  }

  close(): void {
    this.isClosed = true;
    this.session?.destroy();
  }
}

function isVoip({ voip = '' }: Target, { isCall }: Payload): boolean {
  return isCall && voip !== '';
}

function reasonOf(text: string): string {
  try {
    const { reason } = JSON.parse(text) as { reason?: unknown };
    return typeof reason === 'string' ? reason : '';
  } catch {
    return '';
  }
}
