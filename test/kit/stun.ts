/* A little of STUN (RFC 8489) and TURN (RFC 8656): a client that asks for its address, allocates, and sends through the relay. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';

const COOKIE = 0x2112a442;
const BINDING = 0x001;
const ALLOCATE = 0x003;
const REFRESH = 0x004;
const SEND = 0x006;
const DATA = 0x007;
const CREATE_PERMISSION = 0x008;
const REQUEST = 0x000;
const INDICATION = 0x010;
const SUCCESS = 0x100;
const ERROR = 0x110;
const ATTRIBUTES = {
  username: 0x0006,
  integrity: 0x0008,
  error: 0x0009,
  lifetime: 0x000d,
  peer: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  relayed: 0x0016,
  transport: 0x0019,
  mapped: 0x0020,
} as const;
type Name = keyof typeof ATTRIBUTES;
const UDP = 17;
const PATIENCE = 5000; // ms
const AGAIN = 500; // ms, as RFC 8489 6.2.1 has it

export interface Address {
  readonly host: string;
  readonly port: number;
}

interface Message {
  readonly type: number;
  readonly id: Buffer;
  readonly attributes: ReadonlyMap<number, Buffer>;
}

/** What a server refused, and why. */
export class StunError extends Error {
  readonly code: number;

  constructor(code: number, reason: string) {
    super(`${code} ${reason}`);
    this.code = code;
  }
}

/** A client of a STUN or TURN server, over UDP or TCP. */
export class StunClient {
  private readonly send: (message: Buffer) => void;
  private readonly end: () => void;
  private readonly credentials: { readonly username: string; readonly password: string } | undefined;
  private readonly waiting = new Map<string, (message: Message) => void>();
  private readonly datagrams: Buffer[] = [];
  private woken: (() => void) | undefined;
  private realm: Buffer | undefined;
  private nonce: Buffer | undefined;

  private constructor(send: (message: Buffer) => void, end: () => void, credentials: StunClient['credentials']) {
    this.send = send;
    this.end = end;
    this.credentials = credentials;
  }

  static async open(
    { host, port }: Address,
    transport: 'udp' | 'tcp' = 'udp',
    credentials?: StunClient['credentials'],
  ): Promise<StunClient> {
    if (transport === 'udp') {
      const socket = dgram.createSocket('udp4');
      socket.connect(port, host);
      await once(socket, 'connect');
      const client = new StunClient(
        message => socket.send(message),
        () => socket.close(),
        credentials,
      );
      socket.on('message', message => client.read(message));
      return client;
    }
    const socket = net.connect(port, host);
    await once(socket, 'connect');
    const client = new StunClient(
      message => socket.write(message),
      () => socket.destroy(),
      credentials,
    );
    let rest = Buffer.alloc(0);
    socket.on('data', chunk => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 20 && rest.length >= 20 + rest.readUInt16BE(2)) {
        const end = 20 + rest.readUInt16BE(2);
        client.read(rest.subarray(0, end));
        rest = rest.subarray(end);
      }
    });
    return client;
  }

  close(): void {
    this.end();
  }

  /** The address that the server sees: RFC 8489 2. */
  async binding(): Promise<Address> {
    const { attributes } = await this.request(BINDING, [], false);
    return readAddress(attributes.get(ATTRIBUTES.mapped)!);
  }

  /**
   * An address at the relay, with the credentials: the server asks for them by its first answer (RFC 8656 7.2, RFC 8489 9.2).
   * @throws StunError
   */
  async allocate(): Promise<{ relayed: Address; lifetime: number }> {
    const wanted: [Name, Buffer][] = [['transport', Buffer.from([UDP, 0, 0, 0])]];
    const { attributes } = await this.request(ALLOCATE, wanted);
    return {
      relayed: readAddress(attributes.get(ATTRIBUTES.relayed)!),
      lifetime: attributes.get(ATTRIBUTES.lifetime)!.readUInt32BE(),
    };
  }

  /** Lets somebody send to the relayed address: RFC 8656 9. */
  async permit(peer: Address): Promise<void> {
    await this.request(CREATE_PERMISSION, [['peer', writeAddress(peer)]]);
  }

  /** Sends from the relayed address: RFC 8656 11.1. */
  relay(peer: Address, data: Buffer): void {
    const id = randomBytes(12);
    this.send(
      write(SEND | INDICATION, id, [
        ['peer', writeAddress(peer)],
        ['data', data],
      ]),
    );
  }

  /** What came to the relayed address next: RFC 8656 11.4. */
  async relayed(): Promise<Buffer> {
    const end = Date.now() + PATIENCE;
    while (this.datagrams.length === 0) {
      if (Date.now() > end) throw new Error('nothing came through the relay');
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, 100);
        this.woken = () => (clearTimeout(timer), resolve());
      });
    }
    return this.datagrams.shift()!;
  }

  /** Gives the relayed address back: RFC 8656 7.1. */
  async release(): Promise<void> {
    await this.request(REFRESH, [['lifetime', Buffer.alloc(4)]]);
  }

  private async request(method: number, attributes: readonly [Name, Buffer][], secured = true): Promise<Message> {
    for (let tries = 0; ; tries++) {
      const id = randomBytes(12);
      const answer = await this.ask(id, this.write(method | REQUEST, id, attributes, secured));
      if (answer.type === (method | SUCCESS)) return answer;
      if (answer.type !== (method | ERROR)) throw new Error(`this is no answer: ${answer.type}`);
      const error = answer.attributes.get(ATTRIBUTES.error)!;
      const code = error[2]! * 100 + error[3]!;
      const first = this.realm === undefined;
      this.realm = answer.attributes.get(ATTRIBUTES.realm);
      this.nonce = answer.attributes.get(ATTRIBUTES.nonce);
      // RFC 8489 9.2.5: the first time one is asked for credentials, or the nonce is too old
      const again = this.credentials && this.realm && ((code === 401 && first) || code === 438);
      if (!again || tries > 3) throw new StunError(code, error.subarray(4).toString());
    }
  }

  private write(type: number, id: Buffer, attributes: readonly [Name, Buffer][], secured: boolean): Buffer {
    if (!secured || !this.credentials || !this.realm || !this.nonce) return write(type, id, attributes);
    const { username, password } = this.credentials;
    const named: [Name, Buffer][] = [
      ...attributes,
      ['username', Buffer.from(username)],
      ['realm', this.realm],
      ['nonce', this.nonce],
    ];
    // RFC 8489 9.2.2, 14.5: the length counts the attribute that is still to come
    const key = createHash('md5').update(`${username}:${this.realm.toString()}:${password}`).digest();
    const begun = write(type, id, named);
    begun.writeUInt16BE(begun.length - 20 + 24, 2);
    return write(type, id, [...named, ['integrity', createHmac('sha1', key).update(begun).digest()]]);
  }

  private ask(id: Buffer, message: Buffer): Promise<Message> {
    const key = id.toString('hex');
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearInterval(again);
        clearTimeout(timer);
        this.waiting.delete(key);
      };
      const again = setInterval(() => this.send(message), AGAIN);
      const timer = setTimeout(() => (end(), reject(new Error('no answer of the server'))), PATIENCE);
      this.waiting.set(key, answer => (end(), resolve(answer)));
      this.send(message);
    });
  }

  private read(bytes: Buffer): void {
    const message = read(bytes);
    if (!message) return;
    if (message.type !== (DATA | INDICATION)) return this.waiting.get(message.id.toString('hex'))?.(message);
    this.datagrams.push(message.attributes.get(ATTRIBUTES.data)!);
    this.woken?.();
  }
}

function write(type: number, id: Buffer, attributes: readonly (readonly [Name, Buffer])[]): Buffer {
  const parts = attributes.flatMap(([name, value]) => {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(ATTRIBUTES[name], 0);
    head.writeUInt16BE(value.length, 2);
    return [head, value, Buffer.alloc((4 - (value.length % 4)) % 4)];
  });
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(8);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(body.length, 2);
  header.writeUInt32BE(COOKIE, 4);
  return Buffer.concat([header, id, body]);
}

function read(bytes: Buffer): Message | undefined {
  if (bytes.length < 20 || bytes.readUInt32BE(4) !== COOKIE) return undefined;
  const attributes = new Map<number, Buffer>();
  for (let at = 20; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16BE(at + 2);
    attributes.set(bytes.readUInt16BE(at), Buffer.from(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { type: bytes.readUInt16BE(0), id: Buffer.from(bytes.subarray(8, 20)), attributes };
}

/** RFC 8489 14.2, of IPv4. */
function readAddress(value: Buffer): Address {
  const mask = Buffer.alloc(4);
  mask.writeUInt32BE(COOKIE);
  return {
    port: value.readUInt16BE(2) ^ (COOKIE >>> 16),
    host: [0, 1, 2, 3].map(i => value[4 + i]! ^ mask[i]!).join('.'),
  };
}

function writeAddress({ host, port }: Address): Buffer {
  const value = Buffer.alloc(8);
  value[1] = 1;
  value.writeUInt16BE(port ^ (COOKIE >>> 16), 2);
  const mask = Buffer.alloc(4);
  mask.writeUInt32BE(COOKIE);
  for (const [i, part] of host.split('.').entries()) value[4 + i] = Number(part) ^ mask[i]!;
  return value;
}
