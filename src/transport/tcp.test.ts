import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { listenTcp, type TcpConnection } from './tcp.ts';
import type { TlsContexts } from './tls-contexts.ts';

const open: { destroy(): unknown }[] = [];

/** A client that closes its side by itself, and the server's end of it; resolved when the server is connected. */
async function connected() {
  const accepted = Promise.withResolvers<TcpConnection>();
  const gone = Promise.withResolvers<void>();
  const listener = await listenTcp({
    port: 0,
    address: '127.0.0.1',
    directTls: false,
    // without TLS nobody asks for it
    contexts: {} as TlsContexts,
    admit: () => true,
    accept: connection => {
      accepted.resolve(connection);
      return { onBytes: () => {}, onDrain: () => {}, onDisconnect: gone.resolve };
    },
    left: () => {},
  });
  const { port } = listener.address() as net.AddressInfo;
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(client, 'connect');
  const connection = await accepted.promise;
  open.push(client, { destroy: () => listener.close() });
  return { client, connection, gone: gone.promise };
}

describe('TcpConnection, when its peer has closed its side', () => {
  afterEach(() => open.splice(0).forEach(one => one.destroy()));

  it('is closed too', async () => {
    const { client, gone } = await connected();
    client.resume();
    client.end();
    await Promise.all([once(client, 'end'), gone]);
  });

  it('has the write that is under way end first', async () => {
    const { client, connection, gone } = await connected();
    const length = 16 * 1024 * 1024;
    connection.write('x'.repeat(length));
    assert.ok(connection.backlog > 0, 'so much does not fit into the kernel');
    client.end();
    // the server reads the end while the client reads nothing
    await delay(100);
    let got = 0;
    client.on('data', (chunk: Buffer) => (got += chunk.length));
    await Promise.all([once(client, 'end'), gone]);
    assert.equal(got, length);
  });
});
