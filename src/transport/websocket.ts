import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Connection, StreamHandler } from '../api/connection.ts';
import { withNamespace } from './frames.ts';
import { plainAddress } from './tcp.ts';
import { refuseUpgrade } from './upgrade.ts';

/** Milliseconds that a peer has to answer our close frame. */
const LINGER = 5_000;

/** RFC 7395: each stanza in a text frame of its own, with a namespace of its own. */
export class WebSocketConnection implements Connection {
  readonly framed = true;
  readonly transport = 'websocket';
  readonly address: string;
  readonly secured: boolean;
  written = 0;
  private readonly socket: WebSocket;
  private readonly raw: Duplex;
  private handler: StreamHandler | undefined;
  private corked = false;
  private awaitingDrain = false;
  /** Of `written`, what the kernel is known to have taken. */
  private taken = 0;
  /** Of `written`, what came when nothing could be sent any more. */
  private late = 0;
  private finalBacklog = -1;

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.socket = socket;
    this.raw = request.socket;
    this.address = plainAddress(request.socket.remoteAddress ?? '');
    this.secured = request.socket instanceof tls.TLSSocket;
    socket.on('message', (data: Buffer, binary: boolean) => {
      // RFC 7395 3.2
      if (binary) socket.close(1003, 'text frames only');
      else this.handler?.onBytes(data, 0, data.length);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      const { handler } = this;
      this.handler = undefined;
      if (this.finalBacklog < 0) this.finalBacklog = this.written - this.late - this.taken;
      handler?.onDisconnect();
    });
  }

  attach(handler: StreamHandler): void {
    this.handler = handler;
  }

  get serverName(): string | undefined {
    return this.raw instanceof tls.TLSSocket && typeof this.raw.servername === 'string'
      ? this.raw.servername
      : undefined;
  }

  get backlog(): number {
    return this.late + (this.finalBacklog >= 0 ? this.finalBacklog : this.socket.bufferedAmount);
  }

  write(wire: string): void {
    this.written += wire.length;
    if (this.socket.readyState !== this.socket.OPEN) {
      this.late += wire.length;
      return;
    }
    if (!this.corked) {
      this.corked = true;
      this.raw.cork();
    }
    this.socket.send(Buffer.from(withNamespace(wire), 'latin1'), { binary: false }, this.drained);
  }

  flush(): void {
    if (!this.corked) return;
    this.corked = false;
    this.raw.uncork();
    this.awaitingDrain = this.backlog > 0;
    if (!this.awaitingDrain) this.taken = this.written;
  }

  private readonly drained = (error?: Error | null): void => {
    if (error || !this.awaitingDrain || this.backlog > 0) return;
    this.awaitingDrain = false;
    this.taken = this.written;
    this.handler?.onDrain();
  };

  end(): void {
    this.flush();
    this.socket.close(1000);
    setTimeout(() => this.socket.terminate(), LINGER).unref();
  }

  destroy(): void {
    this.finalBacklog = this.socket.bufferedAmount;
    this.socket.terminate();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  startTls(): void {
    throw new Error('a WebSocket is protected by HTTPS, not by STARTTLS');
  }

  /** None: a browser shows its pages nothing of the TLS below a WebSocket, and some clients pick -PLUS wherever it is offered. */
  channelBinding(): undefined {
    return undefined;
  }
}

/** Turns upgrade requests into streams. `maxBytes` bounds a frame; it is asked for each connection. */
export class WebSocketGate {
  private readonly server: WebSocketServer;
  private readonly maxBytes: () => number;
  private readonly accept: (connection: WebSocketConnection) => StreamHandler;

  constructor(maxBytes: () => number, accept: (connection: WebSocketConnection) => StreamHandler) {
    this.maxBytes = maxBytes;
    this.accept = accept;
    this.server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // compressing secrets with an attacker's text beside them leaks them
      perMessageDeflate: false,
      // RFC 7395 3.1
      handleProtocols: protocols => (protocols.has('xmpp') ? 'xmpp' : false),
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim());
    if (!offered.includes('xmpp')) {
      refuseUpgrade(socket, '400 Bad Request', "The WebSocket subprotocol here is 'xmpp' (RFC 7395).\n");
      return;
    }
    this.server.options.maxPayload = this.maxBytes();
    this.server.handleUpgrade(request, socket, head, websocket => {
      const connection = new WebSocketConnection(websocket, request);
      connection.attach(this.accept(connection));
    });
  }
}
