import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';

export const HTTPBIND = 'http://jabber.org/protocol/httpbind';
const XBOSH = 'urn:xmpp:xbosh';
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const BIND = 'urn:ietf:params:xml:ns:xmpp-bind';

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** A request that is under way. */
export interface Asked extends Promise<Reply> {
  readonly request: http.ClientRequest;
  readonly rid: number;
}

/** One HTTP request, byte for byte. */
export function ask(
  url: string,
  body: string | Buffer,
  options: { method?: string; headers?: http.OutgoingHttpHeaders; agent?: http.Agent; rid?: number } = {},
): Asked {
  const { resolve, reject, promise } = Promise.withResolvers<Reply>();
  const client = url.startsWith('https:') ? https : http;
  const request = client.request(
    url,
    {
      method: options.method ?? 'POST',
      headers: {
        'Content-Type': 'text/xml; charset=utf-8',
        'Content-Length': Buffer.byteLength(body),
        ...options.headers,
      },
      agent: options.agent,
      rejectUnauthorized: false,
    } as https.RequestOptions,
    response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() });
      });
    },
  );
  request.on('error', reject);
  request.end(body);
  // a test that cuts a request does not wait for its end
  promise.catch(() => {});
  return Object.assign(promise, { request, rid: options.rid ?? 0 });
}

/** Attributes of the <body/> of a response. */
export function attributes({ text }: Reply): Record<string, string> {
  const tag = /^<body [^>]*>/.exec(text)?.[0] ?? assert.fail(`no body: ${text}`);
  return Object.fromEntries([...tag.matchAll(/ ([\w:]+)='([^']*)'/g)].map(match => [match[1]!, match[2]!]));
}

/** What ended a session: the condition of a response that ends one. */
export function ending(reply: Reply): string {
  const { type, condition } = attributes(reply);
  assert.equal(type, 'terminate', reply.text);
  return condition ?? 'in order';
}

/** A client over BOSH that sends what it is told, when it is told. */
export class Bosh {
  readonly url: string;
  rid = randomInt(1_000_000, 1_000_000_000);
  sid = '';
  jid = '';
  session: Record<string, string> = {};
  private readonly agent: http.Agent;

  constructor(node: TestNode, tls = false) {
    this.url = tls ? `https://127.0.0.1:${node.httpsPort}/http-bind` : `http://127.0.0.1:${node.httpPort}/http-bind`;
    this.agent = new (tls ? https : http).Agent({ keepAlive: true });
  }

  /** Closes its connections. */
  cut(): void {
    this.agent.destroy();
  }

  /** Sends a <body/> as it stands. */
  raw(body: string | Buffer, options: { headers?: http.OutgoingHttpHeaders; rid?: number } = {}): Asked {
    return ask(this.url, body, { agent: this.agent, ...options });
  }

  /** Asks for a session. */
  async create(attrs = "ver='1.11' wait='10' hold='1'", to = 'localhost'): Promise<Reply> {
    const reply = await this.raw(
      `<body xmlns='${HTTPBIND}' xmlns:xmpp='${XBOSH}' xmpp:version='1.0' rid='${++this.rid}' to='${to}' ${attrs}/>`,
    );
    if (reply.text.includes(' sid=')) {
      this.session = attributes(reply);
      this.sid = this.session.sid!;
    }
    return reply;
  }

  /** The text of a request. */
  body(payloads = '', attrs = '', rid = ++this.rid): string {
    return `<body xmlns='${HTTPBIND}' xmlns:xmpp='${XBOSH}' rid='${rid}' sid='${this.sid}' ${attrs}>${payloads}</body>`;
  }

  /** The next request, or one with this rid. */
  send(payloads = '', attrs = '', rid = ++this.rid): Asked {
    return this.raw(this.body(payloads, attrs, rid), { rid });
  }

  /** Sends, and asks on until what is answered matches. */
  async until(pattern: RegExp, payloads = '', attrs = ''): Promise<RegExpExecArray> {
    let text = '';
    let next: Asked | undefined = this.send(payloads, attrs);
    return until(
      async () => {
        next ??= this.send();
        const reply = await next;
        next = undefined;
        text += reply.text;
        return (
          pattern.exec(text) ?? (reply.text.includes("type='terminate'") ? assert.fail(`${pattern} in ${text}`) : false)
        );
      },
      () => `${pattern} in ${text}`,
    );
  }

  async authenticate(name: string, password = name): Promise<void> {
    const data = Buffer.from(`\0${name}\0${password}`).toString('base64');
    await this.until(/<success [^>]*\/>/, `<auth xmlns='${SASL}' mechanism='PLAIN'>${data}</auth>`);
    await this.until(/<stream:features.*<bind /, '', "to='localhost' xmpp:restart='true'");
  }

  async bind(resource: string): Promise<this> {
    const iq = `<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='${BIND}'><resource>${resource}</resource></bind></iq>`;
    this.jid = (await this.until(/<jid>([^<]+)<\/jid>/, iq))[1]!;
    return this;
  }

  /** A session with a resource; nothing is asked for at the end. */
  async login(name: string, resource: string, attrs?: string): Promise<this> {
    assert.match((await this.create(attrs)).text, /<stream:features/);
    await this.authenticate(name);
    return this.bind(resource);
  }
}
