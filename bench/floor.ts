/**
 * The floor: what a Node process needs at least to pass chat messages on between pairs of sockets, without XMPP.
 *
 *   node bench/floor.ts PORT [--tls CERT KEY]
 *
 * A client says `HELLO <pair>\n`; the two that say the same are each other's peers and get `READY\n`. From then on each
 * complete message, which ends at `</message>`, is written to the peer as it is. An ordinary program: `net.createServer`
 * or `tls.createServer`, 'data' events, one `write` a message; nothing is parsed, checked, queued or changed.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

const END = Buffer.from('</message>');
const waiting = new Map<string, Relay>();

class Relay {
  readonly socket: Socket;
  peer: Relay | undefined;
  private rest: Buffer | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', chunk => this.read(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.peer?.socket.destroy());
  }

  private read(chunk: Buffer): void {
    const data = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    this.rest = undefined;
    let from = this.peer ? 0 : this.hello(data);
    for (;;) {
      const at = data.indexOf(END, from);
      if (at < 0) break;
      this.peer?.socket.write(data.subarray(from, at + END.length));
      from = at + END.length;
    }
    if (from < data.length) this.rest = data.subarray(from);
  }

  /** Reads the first line, and returns where the messages begin. */
  private hello(data: Buffer): number {
    const end = data.indexOf(10);
    if (end < 0) return 0;
    const pair = data.latin1Slice(0, end);
    const peer = waiting.get(pair);
    if (peer) {
      waiting.delete(pair);
      this.peer = peer;
      peer.peer = this;
      this.socket.write('READY\n');
      peer.socket.write('READY\n');
    } else {
      waiting.set(pair, this);
    }
    return end + 1;
  }
}

const accept = (socket: Socket): void => void new Relay(socket);
const [port, tls, cert, key] = process.argv.slice(2);
const server =
  tls === '--tls' && cert && key
    ? createTlsServer({ cert: readFileSync(cert), key: readFileSync(key), minVersion: 'TLSv1.3' }, accept)
    : createServer(accept);
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 }, () => console.log('listening'));
