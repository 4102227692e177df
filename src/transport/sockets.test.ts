import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { generate } from 'selfsigned';
import { writeThrough, writeTo } from './direct-write.ts';
import { readInto } from './shared-buffer.ts';

/** Both ends of a connection over the loopback: a server's socket and its client's. */
async function pair(secure: boolean): Promise<{ server: net.Socket; client: net.Socket; close(): void }> {
  const pems = secure ? await generate([{ name: 'commonName', value: 'localhost' }]) : undefined;
  const accepted: net.Socket[] = [];
  const listener = pems
    ? tls.createServer({ cert: pems.cert, key: pems.private }, socket => accepted.push(socket))
    : net.createServer(socket => accepted.push(socket));
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as net.AddressInfo;
  const client = pems
    ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : net.connect(port, '127.0.0.1');
  await once(client, pems ? 'secureConnect' : 'connect');
  while (accepted.length === 0) await new Promise(resolve => setTimeout(resolve, 1));
  const server = accepted[0]!;
  for (const socket of [server, client]) socket.on('error', () => undefined);
  const close = (): void => {
    server.destroy();
    client.destroy();
    listener.close();
  };
  return { server, client, close };
}

for (const secure of [false, true]) {
  const kind = secure ? 'TLS' : 'plain TCP';

  for (const [name, write] of Object.entries({ writeTo, writeThrough })) {
    describe(`${name} over ${kind}`, () => {
      it('writes all, in order, one piece after the other, to a reader who is slow', async () => {
        const { server, client, close } = await pair(secure);
        const piece = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i))
          .join('')
          .repeat(4096);
        const wanted = 8 * piece.length;
        let got = 0;
        let wrong = 0;
        client.on('data', (chunk: Buffer) => {
          for (const byte of chunk) if (byte !== (got++ & 255)) wrong++;
          client.pause();
          setTimeout(() => client.resume(), 1);
        });
        let pending = 0;
        for (let i = 0; i < 8; i++) {
          const done = Promise.withResolvers<boolean>();
          const outcome = write(server, piece, secure, { wrote: done.resolve });
          assert.notEqual(outcome, 'failed');
          if (outcome === 'done') continue;
          pending++;
          assert.equal(await done.promise, false);
        }
        assert.ok(pending > 0, 'a megabyte does not fit into the kernel');
        while (got < wanted) await once(client, 'data');
        assert.deepEqual([got, wrong], [wanted, 0]);
        close();
      });

      it('tells of a peer that is gone', async () => {
        const { server, client, close } = await pair(secure);
        readInto(server, { heard: () => undefined });
        client.destroy();
        const outcomes = new Set<string>();
        for (let i = 0; i < 200 && !server.destroyed && !outcomes.has('failed'); i++) {
          const done = Promise.withResolvers<boolean>();
          const outcome = write(server, 'x'.repeat(4096), secure, {
            wrote: failed => {
              if (failed) outcomes.add('failed');
              done.resolve(failed);
            },
          });
          if (outcome === 'failed') outcomes.add('failed');
          await new Promise(resolve => setTimeout(resolve, 2));
        }
        assert.ok(server.destroyed || outcomes.has('failed'));
        close();
      });
    });
  }

  describe(`readInto over ${kind}`, () => {
    it('gives each socket its own bytes, though all share one buffer', async () => {
      const ends = await Promise.all([pair(secure), pair(secure), pair(secure)]);
      const got = ends.map(() => '');
      ends.forEach(({ server }, i) =>
        readInto(server, { heard: (bytes, start, end) => void (got[i] += bytes.latin1Slice(start, end)) }),
      );
      const texts = ends.map((_, i) => `${i}:${String(i).repeat(100_000)}.`);
      ends.forEach(({ client }, i) => client.write(texts[i]!));
      while (got.some((text, i) => text.length < texts[i]!.length))
        await new Promise(resolve => setTimeout(resolve, 1));
      assert.deepEqual(got, texts);
      for (const { close } of ends) close();
    });

    it('reads nothing while the socket is paused, and all of it afterwards', async () => {
      const { server, client, close } = await pair(secure);
      let got = 0;
      readInto(server, { heard: (_, start, end) => void (got += end - start) });
      client.write('a');
      while (got === 0) await new Promise(resolve => setTimeout(resolve, 1));
      server.pause();
      client.write('b'.repeat(1000));
      await new Promise(resolve => setTimeout(resolve, 50));
      assert.equal(got, 1);
      server.resume();
      while (got < 1001) await new Promise(resolve => setTimeout(resolve, 1));
      close();
    });

    it('tells of the end', async () => {
      const { server, client, close } = await pair(secure);
      readInto(server, { heard: () => undefined });
      client.end();
      await once(server, 'close');
      close();
    });
  });
}
