import type { IncomingMessage } from 'node:http';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route takes bodies for as long as they take, and sees to it itself that they come to an end. */
    slowBody?: boolean;
  }
}

/** ms within which the body of a request is there. */
const PATIENCE = 30_000;
/** ms between two looks. */
const LOOK = 5_000;

/** Cuts requests whose bodies do not come: nothing waits for them but memory. */
export class SlowBodies {
  private readonly since = new Map<IncomingMessage, number>();
  private timer: NodeJS.Timeout | undefined;
  /** One for all requests; `this` is the request. */
  private readonly ended: (this: IncomingMessage) => void;

  constructor() {
    const { since } = this;
    this.ended = function () {
      since.delete(this);
    };
  }

  /** Looks after a request that has begun, if it has a body. */
  watch(request: IncomingMessage): void {
    const { headers } = request;
    if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;
    this.since.set(request, performance.now());
    request.once('end', this.ended);
    this.timer ??= setInterval(() => this.look(), LOOK).unref();
  }

  /** Leaves a request to its route. */
  spare(request: IncomingMessage): void {
    this.since.delete(request);
  }

  private look(): void {
    const now = performance.now();
    for (const [request, since] of this.since) {
      if (request.destroyed) this.since.delete(request);
      else if (now - since > PATIENCE) {
        this.since.delete(request);
        // RFC 9110 15.5.9, where nothing was answered
        if (request.socket.bytesWritten === 0)
          request.socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
        request.socket.destroySoon();
      }
    }
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.since.clear();
  }
}
