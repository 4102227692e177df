import type { Connection, StreamHandler } from '../../src/api/connection.ts';

/**
 * A connection that is none: a test reads what was written, says what the kernel has taken, and cuts it. While it is frozen
 * the kernel takes nothing.
 */
export class FakeConnection implements Connection {
  readonly transport: string;
  readonly address: string = '192.0.2.1';
  readonly framed: boolean;
  secured: boolean;
  serverName: string | undefined;
  /** What it binds to, by type. */
  readonly bindings: Record<string, Buffer> = {};
  written = 0;
  backlog = 0;
  frozen = false;
  paused = false;
  ended = false;
  destroyed = false;
  /** The host that TLS was begun for. */
  startedTls: string | undefined;
  handler: StreamHandler | undefined;
  /** Every call of `write`. */
  readonly writes: string[] = [];
  #read = 0;

  constructor(options: { framed?: boolean; secured?: boolean } = {}) {
    this.framed = options.framed ?? false;
    this.secured = options.secured ?? false;
    this.transport = this.framed ? 'websocket' : this.secured ? 'tls' : 'tcp';
  }

  write(wire: string): void {
    if (this.ended || this.destroyed) return;
    this.writes.push(wire);
    this.written += wire.length;
    if (this.frozen) this.backlog += wire.length;
  }

  flush(): void {}

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  startTls(host: string): void {
    this.startedTls = host;
  }

  channelBinding(type: string): Buffer | undefined {
    return this.bindings[type];
  }

  // ---- what a test does to it -----------------------------------------------------------------------------------------------

  /** What has been written since the last look, as text. */
  said(): string {
    const text = this.writes.slice(this.#read).join('');
    this.#read = this.writes.length;
    return Buffer.from(text, 'latin1').toString();
  }

  /** The kernel takes so many of the bytes that wait. */
  take(bytes = this.backlog): void {
    this.backlog -= bytes;
    if (this.backlog === 0) this.handler?.onDrain();
  }

  /** Bytes come. */
  receive(markup: string | Uint8Array): void {
    const bytes = typeof markup === 'string' ? Buffer.from(markup) : markup;
    this.handler?.onBytes(bytes, 0, bytes.length);
  }

  /** TLS is established. */
  secure(): void {
    this.secured = true;
    this.handler?.onSecured?.();
  }

  /** It is gone. */
  cut(): void {
    const { handler } = this;
    this.handler = undefined;
    handler?.onDisconnect();
  }
}
