/* A vendor that is spoken to by one HTTP request, as the configuration describes it. */
import {
  ACCEPTED,
  CALL_LIFE,
  MESSAGE_LIFE,
  type Outcome,
  type Payload,
  type PushChannel,
  retryAfter,
  type Target,
} from './channel.ts';
import type { Https } from './https.ts';

export type Format = 'form' | 'json' | 'text' | 'xml';

export interface TemplateOptions {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly format: Format;
  readonly body: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** Statuses, and texts in the answer, that say what became of it. */
  readonly gone: readonly number[];
  readonly goneText: string;
  readonly retry: readonly number[];
  readonly retryText: string;
  readonly acceptedText: string;
}

const LONGEST = 4096;
const PLACEHOLDER = /\{([a-z]+(?::[\w-]+)?)\}/g;
const NAMES: ReadonlySet<string> = new Set([
  'token',
  'node',
  'count',
  'requests',
  'sender',
  'body',
  'call',
  'life',
  'now',
]);
const TYPES: Readonly<Record<Format, string>> = {
  form: 'application/x-www-form-urlencoded',
  json: 'application/json; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
};

type Escape = (value: string) => string;

const XML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
/** What a placeholder may become where it stands: it never ends what it is a part of. */
const ESCAPES: Readonly<Record<Format | 'header' | 'url', Escape>> = {
  url: encodeURIComponent,
  form: encodeURIComponent,
  json: value => JSON.stringify(value).slice(1, -1),
  xml: value => value.replace(/[&<>"']/g, each => XML[each]!),
  text: value => value,
  // RFC 9110 5.5
  header: value => value.replace(/[^\x20-\x7e]/g, ''),
};

export class Template implements PushChannel {
  readonly name: string;
  private readonly options: TemplateOptions;
  private readonly https: Https;

  /** Throws a sentence when the options cannot be. */
  constructor(name: string, options: TemplateOptions, https: Https) {
    this.name = name;
    this.options = options;
    this.https = https;
    const { url, headers, body, secrets, format } = options;
    for (const text of [url, body, ...Object.values(headers)])
      for (const [whole, placeholder = ''] of text.matchAll(PLACEHOLDER)) {
        const secret = /^secret:(.*)$/.exec(placeholder)?.[1];
        if (secret === undefined ? !NAMES.has(placeholder) : !Object.hasOwn(secrets, secret))
          throw new Error(`nothing is known of ${whole}`);
      }
    const filled = this.fill(url, ESCAPES.url, {}, SAMPLE);
    // the host is not for anybody else to choose
    if (!/^https:\/\/[^/{}?#]+(\/|$)/.test(url) || !URL.canParse(filled)) throw new Error("'url' is no https URL");
    if (format === 'json' && body !== '') {
      try {
        JSON.parse(this.fill(body, ESCAPES.json, {}, SAMPLE));
      } catch {
        throw new Error("'body' is no JSON when its placeholders are filled");
      }
    }
  }

  problem({ token = '' }: Target): string | undefined {
    return token !== '' && token.length <= LONGEST ? undefined : `A token of at most ${LONGEST} characters is needed.`;
  }

  async send(target: Target, payload: Payload): Promise<Outcome> {
    const { url, method, headers, format, body } = this.options;
    const filled = Object.entries(headers).map(
      ([name, value]) => [name, this.fill(value, ESCAPES.header, target, payload)] as const,
    );
    try {
      const {
        status,
        text,
        headers: answered,
      } = await this.https.send({
        url: this.fill(url, ESCAPES.url, target, payload),
        method,
        headers: { 'Content-Type': TYPES[format], ...Object.fromEntries(filled) },
        body: this.fill(body, ESCAPES[format], target, payload),
      });
      return this.outcomeOf(status, text, retryAfter(answered['retry-after'] as string | undefined));
    } catch (error) {
      return { is: 'retry', why: (error as Error).message };
    }
  }

  private outcomeOf(status: number, text: string, after: number | undefined): Outcome {
    const { gone, goneText, retry, retryText, acceptedText } = this.options;
    const why = `status ${status}`;
    const says = (wanted: string): boolean => wanted !== '' && text.includes(wanted);
    if (gone.includes(status) || says(goneText)) return { is: 'gone', why };
    if (retry.includes(status) || says(retryText)) return { is: 'retry', why, ...(after !== undefined && { after }) };
    const isAccepted = status >= 200 && status < 300 && (acceptedText === '' || text.includes(acceptedText));
    return isAccepted ? ACCEPTED : { is: 'refused', why };
  }

  private fill(text: string, escape: Escape, { token = '' }: Target, payload: Payload): string {
    const { node, messages, requests, sender = '', body = '', isCall } = payload;
    const values: Readonly<Record<string, string>> = {
      token,
      node,
      sender,
      body,
      count: String(messages),
      requests: String(requests),
      call: isCall ? '1' : '0',
      life: String(isCall ? CALL_LIFE : MESSAGE_LIFE),
      now: String(Date.now()),
    };
    return text.replace(PLACEHOLDER, (whole, name: string) => {
      const secret = /^secret:(.*)$/.exec(name)?.[1];
      const value = secret === undefined ? values[name] : this.options.secrets[secret];
      return value === undefined ? whole : escape(value);
    });
  }

  close(): void {}
}

const SAMPLE: Payload = { node: 'node', messages: 1, requests: 0, sender: 'a', body: 'b', isCall: false };
