import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import { type KeyPair, TlsContexts } from './tls-contexts.ts';

describe('TLS contexts before a server of Node', () => {
  let pairs: KeyPair[];

  before(async () => {
    pairs = [];
    for (const name of ['capulet.example', 'montague.example', 'verona.example']) {
      const { cert, private: key } = await generate([{ name: 'commonName', value: name }], { keyType: 'ec' });
      pairs.push({ certificate: cert, key });
    }
  });

  it('a client that names no host gets the certificate of the first, also a renewed one', async () => {
    const [capulet, montague, verona] = pairs as [KeyPair, KeyPair, KeyPair];
    const contexts = new TlsContexts();
    contexts.set('capulet.example', capulet);
    const server = tls.createServer({ SNICallback: (name, done) => done(null, contexts.get(name)) });
    contexts.serve(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const shown = async (servername = ''): Promise<string> => {
      const socket = tls.connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
      try {
        await once(socket, 'secureConnect');
        return String(socket.getPeerCertificate().subject.CN);
      } finally {
        socket.destroy();
      }
    };
    try {
      assert.equal(await shown(), 'capulet.example');
      contexts.set('montague.example', montague);
      assert.equal(await shown(), 'capulet.example');
      assert.equal(await shown('montague.example'), 'montague.example');
      contexts.set('capulet.example', verona);
      assert.equal(await shown(), 'verona.example');
      contexts.delete('capulet.example');
      assert.equal(await shown(), 'montague.example');
    } finally {
      server.close();
      await once(server, 'close');
    }
  });
});
