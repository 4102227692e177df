import { setTimeout as pause } from 'node:timers/promises';
import type { IncomingMessage } from 'node:http';
import { Readable, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Body, type Files, type Given, type Lying, NoRoom, Unreachable, WrongLength } from './files.ts';
import type { Span } from './ranges.ts';
import { Exchanges } from './s3-http.ts';

export interface S3Settings {
  /** https://s3.eu-central-1.amazonaws.com */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** What the keys of all files begin with. */
  readonly prefix: string;
  /** Whether the bucket stands in the path of an address, or before its host. */
  readonly style: 'path' | 'host';
  /** Whether clients download from there. */
  readonly redirect: boolean;
}

interface Call {
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

const PATIENCE = 30_000; // ms
const AGAIN = 200; // ms
/** Key of what is put there to see that it can be. */
const PROBE = 'probe';

/** Files as objects of a bucket: whatever speaks S3 with signatures of version 4. */
export class S3Files implements Files {
  private readonly settings: S3Settings;
  private readonly base: string;
  /** Keys of signatures, each for a day. */
  private readonly keys = new Map<string, ArrayBuffer>();
  private readonly exchanges = new Exchanges();

  constructor(settings: S3Settings) {
    this.settings = settings;
    // what is not said is complained of (`problem`)
    const url = new URL(settings.endpoint === '' ? 'https://none.invalid' : settings.endpoint);
    const folder = url.pathname.replace(/\/$/, '');
    this.base =
      settings.style === 'host'
        ? `${url.protocol}//${settings.bucket}.${url.host}${folder}`
        : `${url.protocol}//${url.host}${folder}/${settings.bucket}`;
  }

  private keyOf(name: string): string {
    if (!/^[\da-f]{32}$/.test(name)) throw new Error(`${name} is no name of a file`);
    return this.settings.prefix + name;
  }

  private async signed(method: string, call: Call, signQuery = false) {
    // loaded where the configuration names S3
    const { AwsV4Signer } = await import('aws4fetch');
    const { accessKey: accessKeyId, secretKey: secretAccessKey, region } = this.settings;
    const url = new URL(`${this.base}/${(call.key ?? '').split('/').map(encodeURIComponent).join('/')}`);
    // what stands in it has one form for all who check a signature
    url.search = Object.entries(call.query ?? {})
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
      .join('&');
    return new AwsV4Signer({
      method,
      url: url.href,
      headers: call.headers,
      accessKeyId,
      secretAccessKey,
      service: 's3',
      region,
      cache: this.keys,
      signQuery,
    }).sign();
  }

  /** An answer, whatever its status. Rejects with Unreachable, or with why `signal` is aborted. */
  private async ask(method: string, call: Call): Promise<IncomingMessage> {
    try {
      const { url, headers } = await this.signed(method, call);
      const { body, signal } = call;
      return await this.exchanges.ask({ method, url, headers: Object.fromEntries(headers), body, signal });
    } catch (error) {
      call.signal?.throwIfAborted();
      throw new Unreachable(`${this.base} does not answer: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** The same for what may be asked twice: a connection may have gone since it was used last. */
  private async askAgain(method: string, call: Call): Promise<IncomingMessage> {
    try {
      const response = await this.ask(method, call);
      if (response.statusCode! < 500) return response;
      response.resume();
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
    await pause(AGAIN);
    return this.ask(method, call);
  }

  async put(
    name: string,
    body: AsyncIterable<Uint8Array>,
    size: number,
    given: Given,
    signal: AbortSignal,
  ): Promise<void> {
    let failure: unknown;
    async function* counted(): AsyncIterable<Uint8Array> {
      let bytes = 0;
      try {
        for await (const chunk of body) {
          bytes += chunk.length;
          if (bytes > size) throw new WrongLength(`more than ${size} bytes came`);
          yield chunk;
        }
        if (bytes < size) throw new WrongLength(`${bytes} bytes came instead of ${size}`);
      } catch (error) {
        failure = error;
        throw error;
      }
    }
    const headers = {
      'Content-Length': String(size),
      'Content-Type': given.type,
      'Content-Disposition': given.disposition,
    };
    let response: IncomingMessage;
    try {
      response = await this.ask('PUT', { key: this.keyOf(name), headers, body: counted(), signal });
    } catch (error) {
      throw failure ?? error;
    }
    try {
      await this.expect(response, 'PUT');
    } finally {
      // it may have been answered before all was sent
      response.destroy();
    }
  }

  /** @throws Unreachable or NoRoom unless it was done */
  private async expect(response: IncomingMessage, method: string): Promise<void> {
    const status = response.statusCode!;
    if (isGood(status)) {
      response.resume();
      return;
    }
    const code = codeOf(await text(response).catch(() => ''));
    const said = `${method} at ${this.base} was answered ${status} ${code}`.trim();
    if (status === 507 || code === 'XMinioStorageFull' || code === 'QuotaExceeded') throw new NoRoom(said);
    throw new Unreachable(said);
  }

  async get(name: string, span?: Span): Promise<Body | undefined> {
    const headers = span ? { Range: `bytes=${span.start}-${span.end}` } : undefined;
    const response = await this.askAgain('GET', { key: this.keyOf(name), headers });
    const status = response.statusCode!;
    if (status === 404) {
      const code = codeOf(await text(response).catch(() => ''));
      if (code !== 'NoSuchBucket') return undefined;
      throw new Unreachable(`there is no bucket ${this.settings.bucket}`);
    }
    if (status !== (span ? 206 : 200)) {
      await this.expect(response, 'GET');
      throw new Unreachable(`GET at ${this.base} was answered ${status}`);
    }
    return { sendTo: (to: Writable) => pipeline(response, to), destroy: () => void response.destroy() };
  }

  link(name: string, given: Given, seconds: number): Promise<string> | undefined {
    if (!this.settings.redirect) return undefined;
    const query = {
      'response-content-type': given.type,
      'response-content-disposition': given.disposition,
      'X-Amz-Expires': String(seconds),
    };
    return this.signed('GET', { key: this.keyOf(name), query }, true).then(({ url }) => url.href);
  }

  async remove(name: string): Promise<void> {
    await this.removeKey(this.keyOf(name));
  }

  private async removeKey(key: string): Promise<void> {
    const response = await this.askAgain('DELETE', { key });
    if (response.statusCode === 404) response.resume();
    else await this.expect(response, 'DELETE');
  }

  hasRoom(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async *lying(prefix: string): AsyncIterable<Lying> {
    const start = this.settings.prefix;
    let token: string | undefined;
    do {
      const page = await this.page(start + prefix, token);
      for (const [, key, time] of page.matchAll(/<Contents>.*?<Key>([^<]*)<\/Key>.*?<LastModified>([^<]*)</gs)) {
        const name = unescape(key!).slice(start.length);
        if (/^[\da-f]{32}$/.test(name)) yield { name, since: Date.parse(time!) };
      }
      const next = /<NextContinuationToken>([^<]*)</.exec(page)?.[1];
      token = next === undefined ? undefined : unescape(next);
    } while (token !== undefined);
  }

  private async page(prefix: string, token: string | undefined, most?: number): Promise<string> {
    const query = {
      'list-type': '2',
      prefix,
      ...(token !== undefined && { 'continuation-token': token }),
      ...(most !== undefined && { 'max-keys': String(most) }),
    };
    const response = await this.askAgain('GET', { query });
    if (!isGood(response.statusCode!)) await this.expect(response, 'GET');
    return text(response);
  }

  async tidy(): Promise<void> {
    // an object is there whole or not at all
  }

  close(): void {
    this.exchanges.close();
  }

  async problem(): Promise<string | undefined> {
    const { endpoint, bucket, accessKey, secretKey, prefix } = this.settings;
    if (endpoint === '' || bucket === '') return "'s3' needs an endpoint and a bucket";
    if (accessKey === '' || secretKey === '') return "'s3' needs an accessKey and a secretKey";
    const headers = { 'Content-Length': '1', 'Content-Type': 'text/plain' };
    try {
      await this.page(`${prefix}00`, undefined, 1);
      const key = prefix + PROBE;
      const body = Readable.from([Buffer.from('.')]);
      await this.expect(await this.ask('PUT', { key, headers, body, signal: AbortSignal.timeout(PATIENCE) }), 'PUT');
      await this.removeKey(key);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
}

const isGood = (status: number): boolean => status >= 200 && status < 300;

function codeOf(xml: string): string {
  return /<Code>([\w.]{1,100})<\/Code>/.exec(xml)?.[1] ?? '';
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return message === undefined || message === '' ? (code ?? String(error)) : message;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescape(xml: string): string {
  return xml.replaceAll(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name]!);
}
