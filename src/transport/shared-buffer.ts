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

const READER = Symbol('reader');

/** Who takes what a socket reads. */
export interface Reader {
  /** The bytes are the socket's again after the call. */
  heard(bytes: Buffer, start: number, end: number): void;
}

/**
 * Lets all that a socket reads go to its reader, through one buffer that all sockets share. Nothing is allocated for a socket or a
 * read, and no stream machinery stands between.
 */
export function readInto(socket: net.Socket, reader: Reader): void {
  const internals = socket as net.Socket & Internals;
  const handle = internals._handle;
  internals[READER] = reader;
  if (!keys || !handle?.useUserBuffer) {
    socket.on('data', onData);
    return;
  }
  internals[keys.buffer] = buffer;
  internals[keys.callback] = onRead;
  handle.useUserBuffer(buffer);
}

function onRead(this: Internals, length: number): boolean {
  (this[READER] as Reader).heard(buffer, 0, length);
  return true;
}

function onData(this: net.Socket, chunk: Buffer): void {
  ((this as net.Socket & Internals)[READER] as Reader).heard(chunk, 0, chunk.length);
}
