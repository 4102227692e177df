/* Web Push: browsers, and apps of UnifiedPush. RFC 8030, encrypted by RFC 8291, with the server's identity by RFC 8292. */
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
import type { Https } from './https.ts';
import type { VapidKeys, WebPushLibrary } from './vapid.ts';

/** Characters of an endpoint. */
const LONGEST = 2048;
/** Seconds that a token may be used, of the twelve hours that it holds. */
const TOKEN_LIFE = 6 * 3600;
/** Push services whose tokens are kept. */
const SERVICES = 1000;

export interface WebPushOptions {
  readonly contact: string;
  /** Names of push services; '*' in the place of the first labels, or alone: every public one. */
  readonly hosts: readonly string[];
}

export class WebPush implements PushChannel {
  readonly name = 'web';
  private readonly options: WebPushOptions;
  private readonly keys: VapidKeys;
  private readonly https: Https;
  private readonly library: WebPushLibrary;
  private readonly tokens = new Map<string, { readonly header: string; readonly until: number }>();

  constructor(options: WebPushOptions, keys: VapidKeys, https: Https, library: WebPushLibrary) {
    this.options = options;
    this.keys = keys;
    this.https = https;
    this.library = library;
  }

  problem({ endpoint = '', p256dh = '', auth = '' }: Target): string | undefined {
    const url = endpoint.length <= LONGEST && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
    if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '')
      return `The endpoint is an https URL of at most ${LONGEST} characters.`;
    if (this.trust(url) === undefined) return `This gateway sends nothing to ${url.hostname}.`;
    // RFC 8291 2: a point of P-256, uncompressed, and 16 bytes
    const key = bytesOf(p256dh);
    if (key?.length !== 65 || key[0] !== 4) return 'The key p256dh is a public key of 65 bytes in base64url.';
    if (bytesOf(auth)?.length !== 16) return 'The secret auth has 16 bytes in base64url.';
    return undefined;
  }

  /** Whether a push service is named, or one of all; undefined: it is not to be used. */
  private trust({ hostname }: URL): 'all' | 'named' | undefined {
    const { hosts } = this.options;
    const named = hosts.some(host => host === hostname || (host.startsWith('*.') && hostname.endsWith(host.slice(1))));
    if (named) return 'named';
    return hosts.includes('*') && !/^[\d.]+$|^\[/.test(hostname) ? 'all' : undefined;
  }

  async send({ endpoint = '', p256dh = '', auth = '' }: Target, payload: Payload): Promise<Outcome> {
    const url = new URL(endpoint);
    const trust = this.trust(url);
    if (!trust) return { is: 'gone', why: 'the push service is not used any more' };
    let body: Buffer;
    try {
      body = this.library.encrypt(p256dh, auth, JSON.stringify(fieldsOf(payload)), 'aes128gcm').cipherText;
    } catch {
      return { is: 'gone', why: 'the keys of the device are none' };
    }
    const headers = {
      Authorization: this.token(url.origin),
      'Content-Encoding': 'aes128gcm',
      'Content-Type': 'application/octet-stream',
      TTL: String(payload.isCall ? CALL_LIFE : MESSAGE_LIFE),
      Urgency: 'high',
      // RFC 8030 5.4: the newest takes the place of those that were not delivered
      ...(!payload.isCall && { Topic: 'messages' }),
    };
    try {
      const answer = await this.https.send({ url: endpoint, headers, body, publicOnly: trust === 'all' });
      return outcomeOf(answer.status, retryAfter(answer.headers['retry-after'] as string | undefined));
    } catch (error) {
      return { is: 'retry', why: (error as Error).message };
    }
  }

  /** RFC 8292 4.2: one token serves for a push service as long as it holds. */
  private token(audience: string): string {
    const now = Date.now() / 1000;
    const known = this.tokens.get(audience);
    if (known && known.until > now) return known.header;
    const { publicKey, privateKey } = this.keys;
    const { Authorization: header } = this.library.getVapidHeaders(
      audience,
      this.options.contact,
      publicKey,
      privateKey,
      'aes128gcm',
    );
    if (this.tokens.size >= SERVICES) this.tokens.clear();
    this.tokens.set(audience, { header, until: now + TOKEN_LIFE });
    return header;
  }

  close(): void {}
}

function outcomeOf(status: number, after: number | undefined): Outcome {
  const why = `status ${status}`;
  if (status >= 200 && status < 300) return ACCEPTED;
  // RFC 8030 5.3, 7.3
  if (status === 404 || status === 410) return { is: 'gone', why };
  if (status === 429 || status >= 500) return { is: 'retry', why, ...(after !== undefined && { after }) };
  return { is: 'refused', why };
}

function bytesOf(text: string): Buffer | undefined {
  return /^[\w-]{1,200}=*$/.test(text) ? Buffer.from(text, 'base64url') : undefined;
}
