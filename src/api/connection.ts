/** Bytes in, bytes out: what a transport gives to a stream. Strings are wire strings (src/xml/escape.ts). */
export interface Connection {
  /** 'tcp', 'tls', 'websocket' or 'bosh'. */
  readonly transport: string;
  /** Peer address without port, IPv4 in its own form. */
  readonly address: string;
  /** Whether TLS protects it, here or (for a WebSocket behind a trusted proxy) before it. */
  readonly secured: boolean;
  /** Whether each stanza travels in a frame of its own (RFC 7395). */
  readonly framed: boolean;
  /** Bytes given to `write` that the kernel has not taken yet; over BOSH: that the client is not known to have. */
  readonly backlog: number;
  /** Whether it ends by itself when its client takes nothing for too long (BOSH: XEP-0124 10), so that nobody else has to look. */
  readonly keepsTime?: boolean;
  /** Bytes given to `write` so far. */
  readonly written: number;
  /** Appends; what one tick writes leaves in one piece. On framed connections each call is one frame. */
  write(wire: string): void;
  /** Writes what has been appended now. */
  flush(): void;
  /** Flushes, then closes in order. `answering`: where there are no frames, the peer has a moment to close first (RFC 6120 4.4). */
  end(answering?: boolean): void;
  /** Closes at once. */
  destroy(): void;
  /** Stops and goes on reading. */
  pause(): void;
  resume(): void;
  /** Begins TLS as the server, after what was written (RFC 6120 5.4.3.3). Only on plain TCP. */
  startTls(host: string): void;
  /** Data that binds an authentication to this TLS channel (RFC 5929, RFC 9266); undefined where its TLS has none of that type. */
  channelBinding(type: 'tls-exporter' | 'tls-unique' | 'tls-server-end-point'): Buffer | undefined;
  /** The host that TLS SNI asked for. */
  readonly serverName: string | undefined;
}

/** What a stream does with a connection's events. */
export interface StreamHandler {
  /** Bytes are the transport's own again after the call. */
  onBytes(bytes: Uint8Array, start: number, end: number): void;
  /** All that was written has been taken by the kernel; called after a write that could not be taken at once. */
  onDrain(): void;
  /** TLS has been established after startTls. */
  onSecured?(): void;
  /** TLS failed, in its handshake or later; the connection ends. */
  onTlsError?(error: Error): void;
  /** The connection is gone, for whatever reason. Called once, last. */
  onDisconnect(): void;
}
