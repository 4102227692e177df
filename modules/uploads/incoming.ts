import type { IncomingMessage } from 'node:http';

/** Bytes that wait in memory before the sender is made to wait. */
const WAITING = 262_144;

/**
 * The body of a request, each chunk as it came. Whoever stops in the midst of it leaves the request alive, so that it can be answered.
 * @throws when the connection breaks before the end
 */
export async function* incoming(request: IncomingMessage): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let waiting = 0;
  let ended = false;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const take = (chunk: Buffer): void => {
    chunks.push(chunk);
    waiting += chunk.length;
    if (waiting >= WAITING) request.pause();
    wake?.();
  };
  const end = (): void => {
    ended = true;
    wake?.();
  };
  const fail = (error?: Error): void => {
    // 'close' comes behind the end as well
    if (!ended) failure ??= error ?? new Error('the connection was closed');
    wake?.();
  };
  const close = (): void => fail();
  request.on('data', take).once('end', end).once('error', fail).once('close', close);
  if (request.destroyed && !request.readableEnded) fail();
  try {
    for (;;) {
      const now = chunks;
      chunks = [];
      waiting = 0;
      for (const chunk of now) yield chunk;
      if (chunks.length > 0) continue;
      if (failure) throw failure;
      if (ended) return;
      if (request.isPaused()) request.resume();
      await new Promise<void>(resolve => {
        wake = resolve;
      });
      wake = undefined;
    }
  } finally {
    request
      .off('data', take)
      .off('end', end)
      .off('close', close)
      .off('error', fail)
      .on('error', () => {});
  }
}
