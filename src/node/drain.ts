import type { Logger } from 'pino';
import type { StreamError } from '../protocol/index.ts';

/** What is ended, and how. */
interface Parts {
  readonly log: Logger;
  /** Accepts no more connections. */
  close(): void;
  readonly hub: { closeAll(error: StreamError): void; settled(): Promise<void> };
  readonly streams: { closeAll(error: StreamError): void; readonly size: number; destroyAll(): void };
  readonly http: { close(): Promise<void> };
  readonly modules: { unloadAll(): Promise<unknown> };
}

const LOOK = 10; // ms
/** The part of the time that clients may take; the rest is for what has to be stored. */
const FOR_CLIENTS = 0.6;
/** Seconds for what has to be stored, when the operator does not want to wait. */
const AT_LEAST = 2;

/**
 * Ends what a node does for others, in order: no new connections, clients told, what they left stored, modules unloaded. Clients
 * that do not go are cut; `hurry` cuts them at once.
 */
export async function drain(parts: Parts, reason: string, seconds: number, hurry: AbortSignal): Promise<void> {
  const { log, hub, streams, http, modules } = parts;
  const began = performance.now();
  const left = (): number => began + seconds * 1000 - performance.now();
  parts.close();
  // RFC 6120 4.9.3.20
  const error: StreamError = { condition: 'system-shutdown', text: reason };
  hub.closeAll(error);
  streams.closeAll(error);
  while (streams.size > 0 && !hurry.aborted && left() > seconds * 1000 * (1 - FOR_CLIENTS)) await pause(LOOK);
  if (streams.size > 0) log.warn({ clients: streams.size }, 'clients that did not close their streams are cut');
  streams.destroyAll();
  const store = async (): Promise<void> => {
    await hub.settled();
    await http.close();
    await modules.unloadAll();
  };
  const done = await Promise.race([
    store().then(() => true),
    pause(Math.max(left(), AT_LEAST * 1000)).then(() => false),
  ]);
  if (!done) log.error('not everything could be finished in time');
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds).unref());
}
