/* Firebase Cloud Messaging, HTTP v1: data messages for Android, with tokens of a service account (RFC 7523). */
import type { KeyObject } from 'node:crypto';
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
import type { Https, HttpsAnswer } from './https.ts';
import { jwt, readKey } from './jwt.ts';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** Seconds before its end that a token is renewed. */
const EARLY = 300;
/** Seconds to wait where Google asks for that and says no time: what it recommends for 429. */
const MINUTE = 60;
const LONGEST = 4096;

/** What is used of the file of a service account. */
interface ServiceAccount {
  readonly project_id: string;
  readonly client_email: string;
  readonly private_key: string;
  readonly private_key_id?: string;
  readonly token_uri: string;
}

export class Fcm implements PushChannel {
  readonly name = 'fcm';
  private readonly account: ServiceAccount;
  private readonly key: KeyObject;
  private readonly url: string;
  private readonly https: Https;
  private token: { readonly text: string; readonly until: number } | undefined;
  private renewing: Promise<string> | undefined;

  /** `json`: the file of the service account. Throws a sentence when it is none. */
  constructor(json: string, server: string, https: Https) {
    this.account = readAccount(json);
    this.key = readKey(this.account.private_key, 'rsa');
    this.url = `${server.replace(/\/+$/, '')}/v1/projects/${encodeURIComponent(this.account.project_id)}/messages:send`;
    this.https = https;
  }

  problem({ token = '' }: Target): string | undefined {
    return /^[\x21-\x7e]+$/.test(token) && token.length <= LONGEST ? undefined : 'A token of FCM is needed.';
  }

  async send({ token = '' }: Target, payload: Payload): Promise<Outcome> {
    const message = {
      token,
      data: fieldsOf(payload),
      android: {
        priority: 'HIGH',
        ttl: `${payload.isCall ? CALL_LIFE : MESSAGE_LIFE}s`,
        ...(!payload.isCall && { collapse_key: 'messages' }),
      },
    };
    const body = JSON.stringify({ message });
    try {
      let answer = await this.post(await this.bearer(), body);
      if (answer.status === 401) {
        this.token = undefined;
        answer = await this.post(await this.bearer(), body);
      }
      return outcomeOf(answer);
    } catch (error) {
      if (error instanceof NoToken) return error.outcome;
      return { is: 'retry', why: (error as Error).message };
    }
  }

  private post(bearer: string, body: string): Promise<HttpsAnswer> {
    const headers = { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json; charset=utf-8' };
    return this.https.send({ url: this.url, headers, body });
  }

  /** The token that holds; it is asked for once at a time. */
  private async bearer(): Promise<string> {
    const { token } = this;
    if (token && token.until > Date.now()) return token.text;
    this.renewing ??= this.renew().finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  private async renew(): Promise<string> {
    const { client_email: iss, token_uri: aud, private_key_id: kid } = this.account;
    const iat = Math.floor(Date.now() / 1000);
    const assertion = jwt('RS256', this.key, { iss, scope: SCOPE, aud, iat, exp: iat + 3600 }, kid);
    const answer = await this.https.send({
      url: aud,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: GRANT, assertion }).toString(),
    });
    if (answer.status !== 200) throw new NoToken(answer);
    const granted = parsed(answer.text) as { access_token?: unknown; expires_in?: unknown };
    if (typeof granted.access_token !== 'string') throw new NoToken(answer);
    const seconds = Number(granted.expires_in ?? 3600);
    this.token = { text: granted.access_token, until: Date.now() + Math.max(1, seconds - EARLY) * 1000 };
    return granted.access_token;
  }

  close(): void {}
}

/** Google gives no token: nothing can be sent. */
class NoToken extends Error {
  readonly outcome: Outcome;

  constructor({ status, text, headers }: HttpsAnswer) {
    super('no token');
    const { error } = parsed(text) as { error?: unknown };
    const why = `no token from Google: status ${status}${typeof error === 'string' ? `, ${error}` : ''}`;
    // it is the account that is wrong, not the device: it may be put right
    const after = retryAfter(headers['retry-after'] as string | undefined) ?? MINUTE;
    this.outcome = { is: 'retry', why, after, all: true };
  }
}

interface FcmError {
  readonly status?: string;
  readonly details?: readonly { readonly '@type'?: string; readonly errorCode?: string }[];
}

function outcomeOf({ status, text, headers }: HttpsAnswer): Outcome {
  if (status === 200) return ACCEPTED;
  const { error = {} } = parsed(text) as { error?: FcmError };
  const details = error.details ?? [];
  const code = details.find(({ errorCode }) => errorCode !== undefined)?.errorCode ?? error.status ?? '';
  const why = `status ${status} ${code}`.trim();
  const after = retryAfter(headers['retry-after'] as string | undefined);
  if (status === 404 || code === 'UNREGISTERED' || code === 'SENDER_ID_MISMATCH') return { is: 'gone', why };
  // a token that is none is told by FCM itself, a field that is wrong by google.rpc.BadRequest
  if (code === 'INVALID_ARGUMENT' && !details.some(detail => detail['@type']?.endsWith('google.rpc.BadRequest')))
    return details.length > 0 ? { is: 'gone', why } : { is: 'refused', why };
  if (status === 429) return { is: 'retry', why, after: after ?? MINUTE, all: true };
  if (status === 401 || status >= 500) return { is: 'retry', why, ...(after !== undefined && { after, all: true }) };
  return { is: 'refused', why };
}

function parsed(text: string): object {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? json : {};
  } catch {
    return {};
  }
}

function readAccount(json: string): ServiceAccount {
  const account = parsed(json) as Partial<Record<keyof ServiceAccount, unknown>>;
  for (const name of ['project_id', 'client_email', 'private_key', 'token_uri'] as const)
    if (typeof account[name] !== 'string') throw new Error(`the file of the service account has no '${name}'`);
  if (!String(account.token_uri).startsWith('https://')) throw new Error("its 'token_uri' is no https URL");
  return account as unknown as ServiceAccount;
}
