/* Requests to vendors: HTTPS over connections that are kept, bounded in time and in what is read of an answer. */
import { lookup as resolve } from 'node:dns';
import { Agent, request } from 'node:https';
import { createSecureContext, rootCertificates } from 'node:tls';
import { isPublic } from './addresses.ts';

/** Most of an answer that is read. */
const LONGEST = 64 * 1024;

export interface HttpsRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** Whether only addresses are connected to that the whole world reaches. */
  readonly publicOnly?: boolean;
}

export interface HttpsAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** Certificate authorities: those of the system, and more where there are any. */
export function authorities(more: string): string[] | undefined {
  return more === '' ? undefined : [...rootCertificates, more];
}

export class Https {
  private readonly agent: Agent;
  private readonly timeout: () => number;

  /** `timeout`: milliseconds for a whole exchange. */
  constructor(timeout: () => number, connections: number, ca: string[] | undefined) {
    this.timeout = timeout;
    // one for all connections: made of authorities for each, and compared with those of each, it would cost more than all else
    const secureContext = createSecureContext(ca ? { ca } : {});
    const kept = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections, timeout: 60_000 };
    this.agent = new Agent({ ...kept, secureContext });
  }

  /** Rejects when there is no whole answer. */
  send({ url, method = 'POST', headers = {}, body, publicOnly = false }: HttpsRequest): Promise<HttpsAnswer> {
    return new Promise((settle, reject) => {
      const content = typeof body === 'string' ? Buffer.from(body) : body;
      const asked = request(
        url,
        {
          agent: this.agent,
          method,
          headers: { ...headers, 'Content-Length': content.length },
          signal: AbortSignal.timeout(this.timeout()),
          ...(publicOnly && { lookup: lookupPublic }),
        },
        answer => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (part: string) => {
            if (text.length < LONGEST) text += part.slice(0, LONGEST - text.length);
            else answer.destroy();
          });
          answer.on('error', reject);
          answer.on('close', () => settle({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
        },
      );
      asked.on('error', reject);
      asked.end(content);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/** As dns.lookup, without addresses of networks that only some reach. */
const lookupPublic: typeof resolve = ((host: string, options: object, done: (...args: unknown[]) => void) => {
  resolve(host, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error);
    const found = addresses.filter(({ address }) => isPublic(address));
    if (found.length === 0) return done(new Error(`${host} has no public address`));
    if ((options as { all?: boolean }).all) done(null, found);
    else done(null, found[0]!.address, found[0]!.family);
  });
}) as typeof resolve;
