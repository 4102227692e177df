import type { Server } from 'node:net';
import type { Collections, ListenerProtocol } from '../api/collections.ts';
import type { StreamHandler } from '../api/connection.ts';
import { ClientStream } from '../stream/client-stream.ts';
import type { StreamEnvironment } from '../stream/environment.ts';
import type { HttpServers } from '../http/server.ts';
import { listenTcp, type TcpConnection } from '../transport/tcp.ts';
import type { TlsContexts } from '../transport/tls-contexts.ts';

export interface ListenerSettings {
  /** Its name in the configuration. */
  readonly name: string;
  readonly type: string;
  readonly port: number;
  readonly addresses: readonly string[];
  readonly allowPlaintext: boolean;
}

/** A sentence for the operator, with the option that helps. */
export class ListenError extends Error {}

/** Counts connections by address, so that one address cannot take all. */
export class AddressGate {
  readonly #counts = new Map<string, number>();
  private readonly limit: () => number;
  refused = 0;

  constructor(limit: () => number) {
    this.limit = limit;
  }

  admit(address: string): boolean {
    const count = this.#counts.get(address) ?? 0;
    const limit = this.limit();
    if (limit > 0 && count >= limit) {
      this.refused++;
      return false;
    }
    this.#counts.set(address, count + 1);
    return true;
  }

  left(address: string): void {
    const count = this.#counts.get(address) ?? 0;
    if (count <= 1) this.#counts.delete(address);
    else this.#counts.set(address, count - 1);
  }
}

/** A listener that is open at an address. */
export interface OpenListener {
  readonly settings: ListenerSettings;
  readonly address: string;
}

/** The listeners of a node. */
export class Listeners {
  readonly #open: OpenListener[] = [];
  readonly #servers: Server[] = [];
  private readonly environment: StreamEnvironment;
  private readonly contexts: TlsContexts;
  private readonly collections: Collections;
  private readonly gate: AddressGate;
  private readonly http: HttpServers;

  constructor(parts: {
    environment: StreamEnvironment;
    contexts: TlsContexts;
    collections: Collections;
    gate: AddressGate;
    http: HttpServers;
  }) {
    this.environment = parts.environment;
    this.contexts = parts.contexts;
    this.collections = parts.collections;
    this.gate = parts.gate;
    this.http = parts.http;
  }

  get open(): readonly OpenListener[] {
    return this.#open;
  }

  /** The port where WebSockets are spoken under TLS. */
  get httpsPort(): number | undefined {
    return this.#open.find(({ settings }) => settings.type === 'https')?.settings.port;
  }

  /** Rejects with a ListenError that names the listener's port and option. */
  async listen(settings: ListenerSettings): Promise<void> {
    for (const address of settings.addresses) {
      try {
        await this.listenAt(settings, address);
        this.#open.push({ settings, address });
      } catch (error) {
        throw new ListenError(listenProblem(error as NodeJS.ErrnoException, settings, address), { cause: error });
      }
    }
  }

  private async listenAt(settings: ListenerSettings, address: string): Promise<void> {
    const { port, type } = settings;
    if (type === 'http' || type === 'https') {
      const tls = type === 'https';
      await this.http.listen({ port, address, tls, face: tls ? 'public' : 'private' });
      return;
    }
    const server = await listenTcp({
      port,
      address,
      directTls: type === 'c2s-tls',
      contexts: this.contexts,
      admit: peer => this.gate.admit(peer),
      left: peer => this.gate.left(peer),
      accept: connection => this.accept(connection, settings),
    });
    this.#servers.push(server);
  }

  private accept(connection: TcpConnection, settings: ListenerSettings): StreamHandler {
    if (settings.type === 'c2s' || settings.type === 'c2s-tls') {
      return new ClientStream(connection, this.environment, settings.allowPlaintext);
    }
    const protocol = this.protocol(settings.type);
    if (protocol) return protocol.accept(connection);
    connection.destroy();
    return closed;
  }

  private protocol(type: string): ListenerProtocol | undefined {
    for (const item of this.collections.listeners.items()) if (item.type === type) return item;
    return undefined;
  }

  /** Accepts no more. */
  close(): void {
    for (const server of this.#servers.splice(0)) server.close();
    this.#open.length = 0;
    this.http.acceptNoMore();
  }
}

const closed: StreamHandler = { onBytes: () => {}, onDrain: () => {}, onDisconnect: () => {} };

export function listenProblem(
  error: NodeJS.ErrnoException,
  settings: { name: string; port: number },
  address: string,
): string {
  const where = `${address} port ${settings.port}`;
  const option = `listeners.${settings.name}.port`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `${where} is taken by another program. Set ${option} in the configuration to a free one, or stop that program.`;
    case 'EACCES':
      return `${where} may not be opened by this user. Set ${option} to a port above 1023, or give the program the right (CAP_NET_BIND_SERVICE).`;
    case 'EADDRNOTAVAIL':
      return `${address} is not an address of this machine. Correct listeners.${settings.name}.addresses.`;
    default:
      return `${where} cannot be opened: ${error.message}. See listeners.${settings.name} in the configuration.`;
  }
}
