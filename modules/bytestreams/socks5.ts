import type { Connection, StreamHandler } from '../../src/api/index.ts';
import type { End, Transfers } from './transfers.ts';

// RFC 1928 3, 4, 6
const VERSION = 5;
const NO_AUTHENTICATION = 0;
const NO_ACCEPTABLE_METHOD = 0xff;
const CONNECT = 1;
const DOMAIN_NAME = 3;
const SUCCEEDED = 0;
const NOT_ALLOWED = 2;
const COMMAND_NOT_SUPPORTED = 7;
const ADDRESS_TYPE_NOT_SUPPORTED = 8;

const HASH = /^[0-9a-f]{40}$/i;
/** The longest greeting or request. */
const LONGEST = 262;

/** One client's connection to the proxy: it says which transfer it is for, in the words of SOCKS5 (RFC 1928) as XEP-0065 uses them. */
export class Socks5Connection implements StreamHandler, End {
  readonly connection: Connection;
  private readonly transfers: Transfers;
  private state: 'greeting' | 'request' | 'joined' | 'closed' = 'greeting';
  private read = Buffer.alloc(0);

  constructor(connection: Connection, transfers: Transfers) {
    this.connection = connection;
    this.transfers = transfers;
    transfers.arrived(this);
  }

  onBytes(bytes: Uint8Array, start: number, end: number): void {
    if (this.state === 'closed') return;
    if (this.state === 'joined') {
      this.transfers.pass(this, latin1(bytes.subarray(start, end)));
      return;
    }
    this.read = Buffer.concat([this.read, bytes.subarray(start, end)]);
    if (this.state === 'greeting') this.greeting();
    if (this.state === 'request') this.request();
    if ((this.state === 'greeting' || this.state === 'request') && this.read.length > LONGEST) this.end();
  }

  /** RFC 1928 3: the methods that the client knows. */
  private greeting(): void {
    const { read } = this;
    if (read.length > 0 && read[0] !== VERSION) {
      this.end();
      return;
    }
    const length = 2 + (read[1] ?? 0);
    if (read.length < 2 || read.length < length) return;
    const known = read.subarray(2, length).includes(NO_AUTHENTICATION);
    this.read = read.subarray(length);
    this.say(VERSION, known ? NO_AUTHENTICATION : NO_ACCEPTABLE_METHOD);
    if (known) this.state = 'request';
    else this.end();
  }

  /** RFC 1928 4: which transfer it is for, as a name of 40 hexadecimal digits (XEP-0065 6.3.2). */
  private request(): void {
    const { read } = this;
    if (read.length < 5) return;
    const [version, command, , type, length = 0] = read;
    if (version !== VERSION) {
      this.end();
      return;
    }
    if (command !== CONNECT || type !== DOMAIN_NAME) {
      this.refuse(command === CONNECT ? ADDRESS_TYPE_NOT_SUPPORTED : COMMAND_NOT_SUPPORTED);
      return;
    }
    if (read.length < 7 + length) return;
    const name = latin1(read.subarray(5, 5 + length));
    const early = latin1(read.subarray(7 + length));
    if (!HASH.test(name) || !this.transfers.join(name.toLowerCase(), this, early)) {
      this.refuse(NOT_ALLOWED);
      return;
    }
    this.state = 'joined';
    this.read = Buffer.alloc(0);
    // XEP-0065 6.3.2: the address and port are those of the request
    this.say(VERSION, SUCCEEDED, 0, ...read.subarray(3, 7 + length));
  }

  /** RFC 1928 6 */
  private refuse(reply: number): void {
    this.say(VERSION, reply, 0, 1, 0, 0, 0, 0, 0, 0);
    this.end();
  }

  private say(...bytes: number[]): void {
    this.connection.write(String.fromCharCode(...bytes));
    this.connection.flush();
  }

  onDrain(): void {
    this.transfers.drained(this);
  }

  onDisconnect(): void {
    this.state = 'closed';
    this.transfers.left(this);
  }

  /** Sends what has been written, then closes. */
  end(): void {
    this.state = 'closed';
    this.connection.end();
  }

  destroy(): void {
    this.state = 'closed';
    this.connection.destroy();
  }
}

/** Bytes as the characters of a wire string. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).latin1Slice();
}
