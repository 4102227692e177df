import type { IncomingMessage, ServerResponse } from 'node:http';
import tls from 'node:tls';
import type { Asker } from './bosh-request.ts';

/** XEP-0124 6: a client's pages may come from anywhere; it has no cookies or other credentials of theirs. */
const CORS = { 'Access-Control-Allow-Origin': '*' };
const PREFLIGHT = {
  ...CORS,
  'Access-Control-Allow-Methods': 'POST, OPTIONS',
  'Access-Control-Allow-Headers': 'Content-Type, Content-Encoding',
  'Access-Control-Max-Age': '86400',
  'Content-Length': '0',
};
const ANSWER = {
  ...CORS,
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  // clients choose the Content-Type (XEP-0124 7.1), and others what stands in it: it must not become a page of this origin
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
};

const TEXT = `XMPP clients connect here by BOSH (XEP-0124), with POST requests. There is nothing for a browser to show.
Whoever came to accept the certificate has done so.
`;

/** The HTTP side of a request (XEP-0124 5). */
export class HttpAsker implements Asker {
  onGone: (() => void) | undefined;
  private readonly response: ServerResponse;
  private answered = false;
  private gone = false;

  constructor(response: ServerResponse) {
    this.response = response;
    response.on('close', () => {
      this.gone = true;
      if (!this.answered) this.onGone?.();
    });
    response.on('error', () => {});
  }

  get live(): boolean {
    return !this.answered && !this.gone;
  }

  answer(wire: string, content: string, status = 200): void {
    if (!this.live) return;
    this.answered = true;
    const body = Buffer.from(wire, 'latin1');
    this.response.writeHead(status, { ...ANSWER, 'Content-Type': content, 'Content-Length': body.length });
    this.response.end(body);
  }
}

/** Answers what is no POST. False when it is one. */
export function answerOthers(request: IncomingMessage, response: ServerResponse): boolean {
  switch (request.method) {
    case 'POST':
      return false;
    case 'OPTIONS':
      response.writeHead(204, PREFLIGHT).end();
      return true;
    case 'GET':
    case 'HEAD':
      response.writeHead(200, {
        ...ANSWER,
        'Content-Type': 'text/plain; charset=utf-8',
        'Content-Length': TEXT.length,
      });
      response.end(request.method === 'GET' ? TEXT : undefined);
      return true;
    default:
      response.writeHead(405, { ...ANSWER, Allow: 'POST, GET, HEAD, OPTIONS', 'Content-Length': '0' }).end();
      return true;
  }
}

/** XEP-0124 7.2: no encodings are accepted, for none were announced. */
export function encoded({ headers }: IncomingMessage): boolean {
  const encoding = headers['content-encoding'];
  return encoding !== undefined && encoding.toLowerCase() !== 'identity';
}

export function isSecured(request: IncomingMessage): boolean {
  return request.socket instanceof tls.TLSSocket;
}
