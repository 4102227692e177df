import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyError, FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Collections, HttpRoutes } from '../api/collections.ts';
import type { TlsContexts } from '../transport/tls-contexts.ts';
import { plainAddress } from '../transport/tcp.ts';
import { tlsTrouble } from '../transport/tls-trouble.ts';
import { asksForWebSocket, refuseUpgrade } from '../transport/upgrade.ts';
import { SlowBodies } from './slow-bodies.ts';

export const WEBSOCKET_PATH = '/xmpp-websocket';
export const BOSH_PATH = '/http-bind';

export interface HttpParts {
  readonly log: Logger;
  readonly contexts: TlsContexts;
  readonly collections: Collections;
  /** Routes of the house's own, before those of modules. */
  readonly routes: readonly HttpRoutes[];
  /** Takes WebSocket upgrades on WEBSOCKET_PATH. */
  upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Takes requests for BOSH_PATH. */
  bosh(request: http.IncomingMessage, response: http.ServerResponse): void;
  admit(address: string): boolean;
  left(address: string): void;
}

type Face = 'public' | 'private';

/**
 * The HTTP side of a node: any number of listeners before two sets of routes, those for the world and those for the machine
 * itself. The routes are built anew when modules come and go; connections do not notice.
 */
export class HttpServers {
  private readonly parts: HttpParts;
  private readonly servers: http.Server[] = [];
  /** The sets of routes that somebody can ask for. */
  private readonly faces = new Set<Face>();
  private readonly apps = new Map<Face, Promise<FastifyInstance>>();
  private readonly bodies = new SlowBodies();
  private version = -1;

  constructor(parts: HttpParts) {
    this.parts = parts;
  }

  /** The routes as they are now. */
  private app(face: Face): Promise<FastifyInstance> {
    const { collections } = this.parts;
    if (collections.http.version !== this.version) {
      this.version = collections.http.version;
      for (const old of this.apps.values()) void old.then(app => app.close());
      this.apps.clear();
    }
    let app = this.apps.get(face);
    if (!app) this.apps.set(face, (app = this.build(face)));
    return app;
  }

  private async build(face: Face): Promise<FastifyInstance> {
    const { fastify } = await import('fastify');
    const app = fastify({ logger: false, bodyLimit: 1024 * 1024 });
    app.setErrorHandler((error: FastifyError, request, reply) => {
      const status = error.statusCode ?? 500;
      if (status >= 500) this.parts.log.error({ err: error, url: request.url }, 'an HTTP request failed');
      // RFC 9457; no detail of faults of our own
      void reply
        .code(status)
        .type('application/problem+json')
        .send({
          type: 'about:blank',
          title: http.STATUS_CODES[status] ?? 'Error',
          status,
          detail: status >= 500 ? undefined : error.message,
        });
    });
    app.setNotFoundHandler((_request, reply) => {
      void reply
        .code(404)
        .type('application/problem+json')
        .send({ type: 'about:blank', title: 'Not Found', status: 404 });
    });
    app.addHook('onRequest', async request => {
      if (request.routeOptions.config.slowBody === true) this.bodies.spare(request.raw);
    });
    app.addHook('onSend', async (_request, reply) => {
      reply.header('X-Content-Type-Options', 'nosniff');
      // a route may have a stricter one
      if (!reply.hasHeader('Content-Security-Policy'))
        reply.header('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
    });
    for (const { on, register } of [...this.parts.routes, ...this.parts.collections.http.items()]) {
      if (on === face || on === 'both') await register(app);
    }
    await app.ready();
    return app;
  }

  /** Listens; rejects with the system's error. */
  async listen(settings: { port: number; address: string; tls: boolean; face: Face }): Promise<void> {
    const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      this.bodies.watch(request);
      if (isAt(request, BOSH_PATH)) {
        this.parts.bosh(request, response);
        return;
      }
      this.app(settings.face).then(
        app => app.routing(request, response),
        (error: unknown) => {
          this.parts.log.error({ err: error }, 'the HTTP routes cannot be built');
          response.writeHead(500).end();
        },
      );
    };
    // bodies have a time of their own, which routes may lift
    const options = {
      requestTimeout: 0,
      headersTimeout: 20_000,
      keepAliveTimeout: 60_000,
      noDelay: true,
      shouldUpgradeCallback: asksForWebSocket,
    };
    const server = settings.tls
      ? https.createServer(
          {
            ...options,
            ALPNProtocols: ['http/1.1'],
            SNICallback: (name, done) => done(null, this.parts.contexts.get(name)),
          },
          onRequest,
        )
      : http.createServer(options, onRequest);
    if (server instanceof https.Server) {
      this.parts.contexts.serve(server);
      server.on('tlsClientError', (error: Error, socket: Socket) => {
        const reason = tlsTrouble(error);
        const address = plainAddress(socket.remoteAddress ?? '');
        if (reason !== undefined) this.parts.log.info({ address, reason }, 'TLS failed');
      });
    }
    server.on('connection', (socket: Socket) => {
      const address = plainAddress(socket.remoteAddress ?? '');
      if (!this.parts.admit(address)) {
        socket.destroy();
        return;
      }
      socket.on('close', () => this.parts.left(address));
    });
    server.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => {});
      if (isAt(request, WEBSOCKET_PATH)) this.parts.upgrade(request, socket, head);
      else refuseUpgrade(socket, '404 Not Found');
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: settings.port, host: settings.address }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.servers.push(server);
    this.faces.add(settings.face);
  }

  /** Builds the routes that are listened for before the first request needs them. */
  async warm(): Promise<void> {
    for (const face of this.faces) await this.app(face);
  }

  acceptNoMore(): void {
    for (const server of this.servers) {
      server.close();
      server.closeIdleConnections();
    }
  }

  async close(): Promise<void> {
    this.acceptNoMore();
    for (const server of this.servers.splice(0)) server.closeAllConnections();
    this.bodies.close();
    for (const app of this.apps.values()) await (await app).close();
  }
}

function isAt(request: http.IncomingMessage, path: string): boolean {
  const url = request.url ?? '';
  if (!url.startsWith(path)) return false;
  const rest = url.slice(path.length);
  return rest === '' || rest === '/' || rest.startsWith('?') || rest.startsWith('/?');
}
