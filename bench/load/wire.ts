import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (XEP-0368), 1.3 only, so that every server is measured with the same one. */
  readonly tls: boolean;
  /** Another loopback address to come from, such as 127.0.0.2. */
  readonly from?: string;
}

// One buffer for all sockets: what arrives is turned into a string before the next read.
const shared = Buffer.allocUnsafe(256 * 1024);

/**
 * A socket that hands over text. Everything the benches send and expect is ASCII, so latin1 is exact and cheap.
 * `onText` may be replaced at any time; text that arrives while nobody listens waits.
 */
export class Wire {
  readonly socket: Socket | TLSSocket;
  closed = false;
  error: Error | undefined;
  /** Characters received so far. */
  received = 0;
  onText: ((text: string) => void) | undefined;
  onClose: (() => void) | undefined;
  private waiting = '';

  private constructor(socket: Socket | TLSSocket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', error => (this.error = error));
    socket.on('close', () => {
      this.closed = true;
      this.onClose?.();
    });
  }

  static open(address: Address): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const onread = {
        buffer: shared,
        callback: (length: number, buffer: Uint8Array): boolean => {
          wire.take((buffer as Buffer).latin1Slice(0, length));
          return true;
        },
      };
      const { host, port, from: localAddress } = address;
      const socket = address.tls
        ? connectTls({ host, port, localAddress, onread, rejectUnauthorized: false, minVersion: 'TLSv1.3' } as object)
        : connect({ host, port, localAddress, onread });
      const wire = new Wire(socket);
      socket.once('error', reject);
      socket.once(address.tls ? 'secureConnect' : 'connect', () => {
        socket.off('error', reject);
        resolve(wire);
      });
    });
  }

  write(text: string): boolean {
    return this.socket.write(text, 'latin1');
  }

  /** Ends without a goodbye, as a lost network does (RST). */
  cut(): void {
    if (this.socket.destroyed) return;
    if ('resetAndDestroy' in this.socket && !('encrypted' in this.socket)) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  /**
   * Resolves with the first match of the pattern in what has arrived since the last one; rejects when the
   * connection ends or the time (milliseconds) passes without it.
   */
  until(pattern: RegExp, time = 30_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        done();
        reject(new Error(`${why} while waiting for ${pattern}; received: ${this.waiting.slice(-300)}`));
      };
      const look = (): void => {
        const match = pattern.exec(this.waiting);
        if (!match) return;
        this.waiting = this.waiting.slice(match.index + match[0].length);
        done();
        resolve(match);
      };
      const timer = setTimeout(() => fail(`${time} ms passed`), time);
      const done = (): void => {
        clearTimeout(timer);
        this.onText = undefined;
        this.onClose = undefined;
      };
      this.onText = text => {
        this.waiting += text;
        look();
      };
      this.onClose = () => fail(`connection closed (${this.error?.message ?? 'by the server'})`);
      look();
      if (this.closed) this.onClose?.();
    });
  }

  /** Hands what waits, and all that comes, to the reader. */
  readBy(reader: (text: string) => void): void {
    this.onText = reader;
    const text = this.waiting;
    this.waiting = '';
    if (text) reader(text);
  }

  private take(text: string): void {
    this.received += text.length;
    if (this.onText) this.onText(text);
    else this.waiting += text;
  }
}
