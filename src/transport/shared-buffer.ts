import net from 'node:net';

/** Bytes of one read; as much as libuv asks for. */
const SIZE = 64 * 1024;
const buffer = Buffer.allocUnsafeSlow(SIZE);

interface Internals {
  [key: symbol]: unknown;
  _handle?: { useUserBuffer?: (buffer: Buffer) => void } | null;
}

/**
 * Where a socket keeps what `net.connect({ onread })` gave it. Node has no such option for the sockets of a server, but what it
 * does for its own is the same: two properties and a call of the handle. Undefined on a Node that does otherwise.
 */
const keys = ((): { buffer: symbol; callback: symbol } | undefined => {
  const callback = (): boolean => true;
  const probe = new net.Socket({ onread: { buffer, callback } }) as net.Socket & Internals;
  const keyOf = (value: unknown): symbol | undefined =>
    Object.getOwnPropertySymbols(probe).find(key => probe[key] === value);
  const [ofBuffer, ofCallback] = [keyOf(buffer), keyOf(callback)];
  probe.destroy();
  return ofBuffer && ofCallback ? { buffer: ofBuffer, callback: ofCallback } : undefined;
})();

/**
 * Lets all that a socket reads go to `read`, through one buffer that all sockets share: it is the socket's no longer than the
 * call lasts. Nothing is allocated for a read, and no stream machinery stands between.
 */
export function readInto(socket: net.Socket, read: (bytes: Buffer, start: number, end: number) => void): void {
  const internals = socket as net.Socket & Internals;
  const handle = internals._handle;
  if (!keys || !handle?.useUserBuffer) {
    socket.on('data', (chunk: Buffer) => read(chunk, 0, chunk.length));
    return;
  }
  internals[keys.buffer] = buffer;
  internals[keys.callback] = (length: number): boolean => {
    read(buffer, 0, length);
    return true;
  };
  handle.useUserBuffer(buffer);
}
