import net from 'node:net';
import tls from 'node:tls';
import type { Connection, StreamHandler } from '../api/connection.ts';
import { writeTo, type Writer } from './direct-write.ts';
import { type Reader, readInto } from './shared-buffer.ts';
import type { TlsContexts } from './tls-contexts.ts';

/** Milliseconds that a peer has to close its side once ours is closed. */
const LINGER = 5_000;
/** Milliseconds that a peer that closed its stream has to close the connection. */
const FAREWELL = 2_000;

/**
 * Bytes of one write under TLS while a connection is young. Node keeps a buffer of 16 KB for good with each connection that ever
 * wrote more than about this at once; most of them are logged in, silent, and never do.
 */
const PIECE = 1000;
/** Bytes that a connection has written when it is not young any more. */
const EARLY = 16 * 1024;

/**
 * Characters that are gathered for one write. A text longer than V8's ordinary pages (128 KB) is a block of its own each time, from the
 * system and back to it: 165 KB took half as much again.
 */
const GATHERED = 60 * 1024;

/** A TCP connection, plain or under TLS, with one write a flush; a few for what is long. */
export class TcpConnection implements Connection, Reader, Writer {
  readonly framed = false;
  readonly address: string;
  written = 0;
  private socket: net.Socket;
  private encrypted: boolean;
  private readonly contexts: TlsContexts;
  private handler: StreamHandler | undefined;
  private out = '';
  /** Bytes of the write that is under way. */
  private pending = 0;
  private ending = false;
  /** Whether the socket ends once the last write is done. */
  private finishing = false;
  /** Of `written`, what the kernel is known to have taken. */
  private taken = 0;
  private finalBacklog = -1;

  constructor(socket: net.Socket, contexts: TlsContexts) {
    this.socket = socket;
    this.encrypted = socket instanceof tls.TLSSocket;
    this.contexts = contexts;
    this.address = plainAddress(socket.remoteAddress ?? '');
    this.listen(socket);
  }

  /** Joins the stream that speaks through this connection. */
  attach(handler: StreamHandler): void {
    this.handler = handler;
  }

  private listen(socket: net.Socket): void {
    readInto(socket, this);
    (socket as Owned)[OWNER] = this;
    if (socket instanceof tls.TLSSocket) {
      const failed = (error: Error): void => {
        this.handler?.onTlsError?.(error);
        socket.destroy();
      };
      socket.on('error', failed);
      // Node tells a server's own TLS sockets only so of a broken record, and leaves them open
      socket.on('_tlsError', failed);
    } else {
      socket.on('error', ignore);
      socket.on('end', onEnd);
    }
    socket.on('close', onClose);
  }

  heard(bytes: Buffer, start: number, end: number): void {
    this.handler?.onBytes(bytes, start, end);
  }

  get transport(): string {
    return this.secured ? 'tls' : 'tcp';
  }

  get secured(): boolean {
    return this.encrypted;
  }

  get serverName(): string | undefined {
    return this.socket instanceof tls.TLSSocket && typeof this.socket.servername === 'string'
      ? this.socket.servername
      : undefined;
  }

  get backlog(): number {
    return this.out.length + this.unsent();
  }

  /** Bytes of the write under way that the kernel has not taken; of TLS it is not known how many it has. */
  private unsent(): number {
    if (this.finalBacklog >= 0) return this.finalBacklog;
    if (this.pending === 0 || this.secured) return this.pending;
    return (this.socket as unknown as { _handle?: { writeQueueSize: number } })._handle?.writeQueueSize ?? this.pending;
  }

  write(wire: string): void {
    this.out = this.out === '' ? wire : this.out + wire;
    this.written += wire.length;
    if (this.out.length >= GATHERED) this.flush();
  }

  flush(): void {
    const { socket } = this;
    let { out } = this;
    if (out === '' || this.pending > 0 || !socket.writable) return;
    if (this.encrypted && out.length > PIECE && this.taken < EARLY) {
      this.out = out.slice(PIECE);
      out = out.slice(0, PIECE);
    } else this.out = '';
    this.pending = out.length;
    const outcome = writeTo(socket, out, this.encrypted, this);
    if (outcome === 'pending') return;
    if (outcome === 'failed') {
      socket.destroy();
      return;
    }
    this.pending = 0;
    this.taken = this.written - this.out.length;
    this.flush();
  }

  /** A write that was not done at once is done. */
  wrote(failed: boolean): void {
    if (failed) {
      this.socket.destroy();
      return;
    }
    this.pending = 0;
    this.taken = this.written - this.out.length;
    this.flush();
    if (this.pending > 0) return;
    if (this.finishing) this.socket.end();
    else if (!this.ending) this.handler?.onDrain();
  }

  end(answering = false): void {
    if (this.ending) return;
    this.flush();
    this.ending = true;
    // what still comes is read and dropped, or the peer would see a reset before our last words
    this.socket.resume();
    // RFC 6120 4.4: who closed its stream first closes the connection. Some clients lose our last words when the end of the
    // connection comes along with them: COMPAT Smack's modular connections, under TLS
    if (answering) setTimeout(() => this.finish(), FAREWELL).unref();
    else this.finish();
  }

  private finish(): void {
    const { socket } = this;
    // without a handshake there is nobody to say it to
    if (socket instanceof tls.TLSSocket && socket.getFinished() === undefined) {
      socket.destroy();
      return;
    }
    this.finishing = true;
    if (this.pending === 0) socket.end();
    setTimeout(() => socket.destroy(), LINGER).unref();
  }

  destroy(): void {
    this.finalBacklog = this.unsent();
    this.socket.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  startTls(host: string): void {
    this.flush();
    const plain = this.socket;
    plain.off('close', onClose);
    const secure = new tls.TLSSocket(plain, this.contexts.serverOptions(host));
    plain.on('close', () => secure.destroy());
    this.socket = secure;
    this.encrypted = true;
    this.listen(secure);
    secure.once('secure', () => this.handler?.onSecured?.());
  }

  channelBinding(type: 'tls-exporter' | 'tls-unique' | 'tls-server-end-point'): Buffer | undefined {
    return this.socket instanceof tls.TLSSocket ? this.contexts.binding(this.socket, type) : undefined;
  }

  /** The peer has closed its side: Node would close ours now, wait until that is done, and only then let go of the socket. */
  ended(socket: net.Socket): void {
    // below TLS that is for the TLS to say
    if (socket === this.socket && this.pending === 0 && !this.finishing) socket.destroy();
  }

  /** The socket is gone. */
  closed(): void {
    const { handler } = this;
    // a peer that cut the connection: what was not known to be taken was not
    if (this.finalBacklog < 0) this.finalBacklog = this.written - this.out.length - this.taken;
    this.handler = undefined;
    handler?.onDisconnect();
  }
}

/** Sockets know their connection, so that one listener serves all. */
const OWNER = Symbol('connection');
type Owned = net.Socket & { [OWNER]?: TcpConnection };

function onClose(this: Owned): void {
  this[OWNER]?.closed();
}

function onEnd(this: Owned): void {
  this[OWNER]?.ended(this);
}

function ignore(): void {
  // 'close' follows
}

/** IPv4 peers of an IPv6 socket in their own form. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

export interface TcpListenerOptions {
  readonly port: number;
  readonly address: string;
  /** TLS from the first byte (XEP-0368). */
  readonly directTls: boolean;
  readonly contexts: TlsContexts;
  /** Asked for each new connection; false closes it at once. */
  admit(address: string): boolean;
  /** Gives the stream for a new connection. */
  accept(connection: TcpConnection): StreamHandler;
  /** Told when an admitted connection is gone. */
  left(address: string): void;
}

/** Listens. Rejects with the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL) when it cannot. */
export function listenTcp(options: TcpListenerOptions): Promise<net.Server> {
  const onSocket = (socket: net.Socket): void => {
    const connection = new TcpConnection(socket, options.contexts);
    connection.attach(options.accept(connection));
  };
  const onLeft = function (this: net.Socket): void {
    options.left(plainAddress(this.remoteAddress ?? (this as Owned)[OWNER]?.address ?? ''));
  };
  const server = net.createServer({ noDelay: true, pauseOnConnect: options.directTls });
  server.on('connection', socket => {
    const address = plainAddress(socket.remoteAddress ?? '');
    if (socket.remoteAddress === undefined || !options.admit(address)) {
      socket.destroy();
      return;
    }
    socket.on('close', onLeft);
    if (!options.directTls) {
      onSocket(socket);
      return;
    }
    const secure = new tls.TLSSocket(socket, options.contexts.serverOptions(undefined));
    socket.on('close', () => secure.destroy());
    socket.on('error', ignore);
    onSocket(secure);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: options.port, host: options.address, backlog: 1024 }, () => {
      server.off('error', reject);
      server.on('error', ignore);
      resolve(server);
    });
  });
}
