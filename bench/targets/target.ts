import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Started } from '../measure/process.ts';

export interface StartOptions {
  /** A folder of the bench's own for configuration, data and logs; a later start on the same folder finds its accounts. */
  readonly folder: string;
  /** Let SIGUSR2 force a collection, where the server is a Node program. */
  readonly collectable?: boolean;
  /** Defaults as shipped instead of no limits: for the rough rows. */
  readonly guarded?: boolean;
  /** History on for all, where the server is ours: for the archive rows. */
  readonly archived?: boolean;
  /** A directory of people on, where the server is ours: for the search row. */
  readonly searched?: boolean;
  /** Uploads over HTTP at the port behind the two, where the server is ours: for the upload row. */
  readonly uploaded?: boolean;
  /** Another port than the run's, and the next one for TLS, where the server is ours: for two of them beside each other. */
  readonly port?: number;
  /** Another configuration than the row's, where the server is ours. */
  readonly conf?: string;
  /** What stands at `storage:` in the configuration; SQLite in the folder when absent. */
  readonly storage?: string;
}

/** A server that runs and accepts connections. */
export interface Server {
  readonly target: Target;
  readonly pid: number;
  readonly port: number;
  /** Direct TLS (XEP-0368). */
  readonly tlsPort: number;
  stop(): Promise<void>;
  /** Forces a collection, where that can be done. */
  collect(): void;
}

export interface Target {
  readonly name: string;
  readonly protocol: 'xmpp' | 'floor';
  /** Name and version as the program tells them, or undefined when it is not installed. */
  version(): string | undefined;
  /** Rejects when the program does not come up within 30 seconds; the message has the end of its log. */
  start(options: StartOptions): Promise<Server>;
}

/** Resolves when the port accepts a connection; rejects when the process ends or the time (milliseconds) passes. */
export async function accepting(port: number, started: Started, time = 30_000): Promise<void> {
  const deadline = performance.now() + time;
  while (!(await accepts(port))) {
    if (started.hasExited) throw new Error(`the process ended before it listened on port ${port}`);
    if (performance.now() > deadline) throw new Error(`nothing listened on port ${port} within ${time} ms`);
    await sleep(5);
  }
}

/** Throws when another program listens there already, lest that be measured. */
export async function assertFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) if (await accepts(port)) throw new Error(`another program listens on port ${port} already`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A port of the loopback that was free just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}
