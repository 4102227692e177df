import type { Server } from 'node:net';
import type { Collections, ListenerProtocol } from '../api/collections.ts';
import type { StreamHandler } from '../api/connection.ts';
import { ClientStream } from '../stream/client-stream.ts';
import type { StreamEnvironment } from '../stream/environment.ts';
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

/** The XMPP listeners of a node. */
export class Listeners {
  readonly #servers: { settings: ListenerSettings; address: string; server: Server }[] = [];
  private readonly environment: StreamEnvironment;
  private readonly contexts: TlsContexts;
  private readonly collections: Collections;
  private readonly gate: AddressGate;

  constructor(parts: {
    environment: StreamEnvironment;
    contexts: TlsContexts;
    collections: Collections;
    gate: AddressGate;
  }) {
    this.environment = parts.environment;
    this.contexts = parts.contexts;
    this.collections = parts.collections;
    this.gate = parts.gate;
  }

  get open(): readonly { settings: ListenerSettings; address: string; server: Server }[] {
    return this.#servers;
  }

  /** Rejects with a ListenError that names the listener's port and option. */
  async listen(settings: ListenerSettings): Promise<void> {
    for (const address of settings.addresses) {
      try {
        const server = await listenTcp({
          port: settings.port,
          address,
          directTls: settings.type === 'c2s-tls',
          contexts: this.contexts,
          admit: peer => this.gate.admit(peer),
          left: peer => this.gate.left(peer),
          accept: connection => this.accept(connection, settings),
        });
        this.#servers.push({ settings, address, server });
      } catch (error) {
        throw new ListenError(listenProblem(error as NodeJS.ErrnoException, settings, address), { cause: error });
      }
    }
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
    for (const { server } of this.#servers.splice(0)) server.close();
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
