import type { IncomingMessage } from 'node:http';

/** What is read of a body that nobody wants, so that its sender comes to reading the answer. */
const BYTES = 8 * 1024 * 1024;
const TIME = 5_000; // ms

/**
 * Resolved when a body is at its end, or when enough of it was thrown away. To close a connection that has bytes nobody read resets it, and
 * takes the answer away from who was to read it.
 */
export function linger(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) {
    request.resume();
    return Promise.resolve();
  }
  return new Promise(resolve => {
    let bytes = 0;
    const read = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > BYTES) done();
    };
    const done = (): void => {
      clearTimeout(timer);
      request.off('data', read).off('end', done).off('close', done);
      resolve();
    };
    const timer = setTimeout(done, TIME).unref();
    request
      .on('data', read)
      .on('end', done)
      .on('close', done)
      .on('error', () => {});
    request.resume();
  });
}
