import type net from 'node:net';

/** Who writes: one write at a time, and told of those that were not done at once. */
export interface Writer {
  wrote(failed: boolean): void;
}

/** The kernel (or TLS) has it all; it will, and `wrote` tells; the connection is broken. */
export type Outcome = 'done' | 'pending' | 'failed';

/** A write under way, as Node's own streams make one (lib/internal/stream_base_commons.js). */
interface WriteRequest {
  oncomplete: typeof complete;
  handle: Handle;
  writer: Writer;
  /** What the collector may not take until the write is done. */
  buffer: Uint8Array | undefined;
}

/** A socket's libuv handle, or the TLS one in front of it. */
interface Handle {
  writeLatin1String(request: WriteRequest, text: string): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
}

interface Binding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

/** Node's own parts for writing to a handle; undefined on a Node that does not give them. */
const binding = ((): Binding | undefined => {
  try {
    const load = (process as unknown as { binding?: (name: string) => Partial<Binding> }).binding;
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = load?.call(process, 'stream_wrap') ?? {};
    return WriteWrap && streamBaseState instanceof Int32Array && typeof kLastWriteWasAsync === 'number'
      ? { WriteWrap, streamBaseState, kLastWriteWasAsync }
      : undefined;
  } catch {
    return undefined;
  }
})();

/**
 * Writes a wire string to a socket. Where Node lets us, to its handle, without the machinery of a Writable: a connection has a
 * queue of its own, and no use for another one with a callback and a `nextTick` for each write. `asBytes`: TLS copies a text
 * before it encrypts it, a buffer it does not.
 */
export function writeTo(socket: net.Socket, wire: string, asBytes: boolean, writer: Writer): Outcome {
  const handle = (socket as unknown as { _handle?: Handle | null })._handle;
  if (!binding || !handle?.writeLatin1String) return writeThrough(socket, wire, asBytes, writer);
  const request = new binding.WriteWrap();
  request.oncomplete = complete;
  request.handle = handle;
  request.writer = writer;
  let status: number;
  if (asBytes) {
    request.buffer = Buffer.from(wire, 'latin1');
    status = handle.writeBuffer(request, request.buffer);
  } else {
    request.buffer = undefined;
    status = handle.writeLatin1String(request, wire);
  }
  if (status !== 0) return 'failed';
  return binding.streamBaseState[binding.kLastWriteWasAsync] === 0 ? 'done' : 'pending';
}

function complete(this: WriteRequest, status: number): void {
  this.writer.wrote(status < 0);
}

/** The same by the socket's public side. */
export function writeThrough(socket: net.Socket, wire: string, asBytes: boolean, writer: Writer): Outcome {
  let outcome: Outcome = 'done';
  const done = (error?: Error | null): void => {
    if (outcome === 'pending') writer.wrote(!!error);
  };
  if (asBytes) socket.write(Buffer.from(wire, 'latin1'), done);
  else socket.write(wire, 'latin1', done);
  if (socket.writableLength > 0) outcome = 'pending';
  return outcome;
}
