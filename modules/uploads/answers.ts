import type { FastifyReply } from 'fastify';

export const PATH = '/upload';

/** Methods of an address, for CORS and for `Allow`. */
const METHODS = 'OPTIONS, HEAD, GET, PUT';

/** What every answer has: pages of clients may come from anywhere, and nothing that is answered runs. */
export const COMMON = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers':
    'Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Retry-After',
  // XEP-0363 9.1; `sandbox`: no script whatever it is shown in
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Robots-Tag': 'none',
} as const;

/** The answer to OPTIONS, before a page of somewhere else may PUT: XEP-0363 8. */
export const PREFLIGHT = {
  ...COMMON,
  Allow: METHODS,
  'Access-Control-Allow-Methods': METHODS,
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, Range, If-Range, If-None-Match, If-Modified-Since',
  'Access-Control-Max-Age': '86400',
} as const;

/** RFC 9110 15. */
const TITLES = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
} as const;
export type RefusalStatus = keyof typeof TITLES;

/** Why something is not done, as a status and a sentence. */
export class Refusal extends Error {
  readonly status: RefusalStatus;
  /** Seconds. */
  readonly retryAfter: number | undefined;

  constructor(status: RefusalStatus, text: string, retryAfter?: number) {
    super(text);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  headers(): Record<string, string> {
    return {
      ...COMMON,
      'Cache-Control': 'no-store',
      ...(this.status === 405 && { Allow: METHODS }),
      ...(this.retryAfter !== undefined && { 'Retry-After': String(this.retryAfter) }),
    };
  }

  /** RFC 9457. */
  body(): string {
    const { status, message: detail } = this;
    return JSON.stringify({ type: 'about:blank', title: TITLES[status], status, detail });
  }
}

/** Answers a request whose body, if it has one, was read or will be read by the server. */
export function answerRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  return reply
    .code(refusal.status)
    .headers({ ...refusal.headers(), 'Content-Type': 'application/problem+json' })
    .send(refusal.body());
}
