import assert from 'node:assert/strict';
import { existsSync, globSync, mkdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { get, put, slot, type SlotUrls, upload } from '../plays/uploading.ts';

const MIB = 1024 ** 2;
const PATIENCE = 15_000; // ms

/** A connection to the HTTP listener, and what came over it. */
class Wire {
  readonly socket: net.Socket;
  text = '';
  bytes = 0;
  closed = false;

  constructor(port: number) {
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.on('data', chunk => {
      this.bytes += chunk.length;
      if (this.text.length < 10_000) this.text += chunk.toString('latin1');
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  write(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** The status of the n-th answer, as soon as its head is there. */
  async status(n = 0): Promise<number> {
    const heads = () =>
      [...this.text.matchAll(/^HTTP\/1\.1 (\d+) [^]*?\r\n\r\n/gm)].map(([, status]) => Number(status));
    return until(() => heads()[n], `an answer; there is: ${this.text}`, PATIENCE);
  }
}

describe('uploads over raw sockets (XEP-0363 7)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  const wires: Wire[] = [];

  before(async () => {
    stage = await TestNode.start({
      users: ['romeo'],
      yaml: 'modules: { uploads: { idle: 2 s, disk: { free: 0 } } }\n',
    });
    romeo = await stage.login('romeo@localhost/orchard');
  });
  after(() => stage.stop());
  afterEach(() => wires.splice(0).forEach(({ socket }) => socket.destroy()));

  const connect = (): Wire => {
    const wire = new Wire(stage.httpPort);
    wires.push(wire);
    return wire;
  };
  const pathOf = (url: string): string => new URL(url).pathname;
  /** The head of a PUT. */
  const head = ({ put: url }: SlotUrls, ...headers: string[]): string =>
    [`PUT ${pathOf(url)} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
  const coming = (): string[] => globSync('uploads/incoming/*', { cwd: stage.folder });
  const isThere = async ({ get: url }: SlotUrls): Promise<boolean> => (await get(stage, url)).status === 200;

  it('a slow writer: the file is there when its last byte has come, and not before', async () => {
    const urls = await slot(romeo, { size: 100 });
    const wire = connect();
    wire.write(head(urls, 'Content-Length: 100'));
    for (let i = 0; i < 10; i++) {
      assert.equal(await isThere(urls), false);
      assert.equal(wire.text, '');
      wire.write('0123456789');
      // slower altogether than one may be silent
      await new Promise(resolve => setTimeout(resolve, 250));
    }
    assert.equal(await wire.status(), 201);
    assert.equal((await (await get(stage, urls.get)).text()).length, 100);
  });

  it('a writer that falls silent is cut, and nothing is left of what it wrote', async () => {
    const urls = await slot(romeo, { size: 1000 });
    const wire = connect();
    wire.write(`${head(urls, 'Content-Length: 1000')}half`);
    await until(() => wire.closed, 'the cut', PATIENCE);
    await until(() => coming().length === 0, 'nothing to be left', PATIENCE);
    assert.equal(await isThere(urls), false);
    // and may begin anew while the slot holds
    assert.equal((await put(stage, urls.put, 'x'.repeat(1000))).status, 201);
  });

  it('fewer bytes, then a cut: no file, and the same slot takes it whole', async () => {
    const urls = await slot(romeo, { size: 300_000 });
    const wire = connect();
    wire.write(head(urls, 'Content-Length: 300000'));
    wire.write(Buffer.alloc(200_000));
    await until(() => coming().length === 1, 'the upload to begin', PATIENCE);
    // meanwhile nobody else has the slot
    assert.equal((await put(stage, urls.put, 'x'.repeat(300_000))).status, 409);
    wire.socket.destroy();
    await until(() => coming().length === 0, 'nothing to be left', PATIENCE);
    assert.equal(await isThere(urls), false);
    await until(
      async () => (await put(stage, urls.put, 'y'.repeat(300_000))).status === 201,
      'the slot to be free',
      PATIENCE,
    );
    assert.ok(await isThere(urls));
  });

  it('more bytes than were said are none of the file', async () => {
    const urls = await slot(romeo, { size: 4 });
    const wire = connect();
    wire.write(`${head(urls, 'Content-Length: 4')}roseNOT OF IT`);
    // what is behind the body is a request, and none that can be read
    await until(() => wire.closed, 'the end of the connection', PATIENCE);
    assert.match(wire.text, /^HTTP\/1\.1 400 /m);
    await until(() => coming().length === 0, 'the upload to end', PATIENCE);
    const answer = await get(stage, urls.get);
    if (answer.status !== 404) assert.equal(await answer.text(), 'rose');
  });

  it('without a length, in chunks or with two lengths: refused', async () => {
    const urls = await slot(romeo, { size: 4 });
    const chunked = connect();
    chunked.write(`${head(urls, 'Transfer-Encoding: chunked')}4\r\nrose\r\n0\r\n\r\n`);
    assert.equal(await chunked.status(), 411);
    const both = connect();
    both.write(`${head(urls, 'Transfer-Encoding: chunked', 'Content-Length: 4')}4\r\nrose\r\n0\r\n\r\n`);
    assert.ok([400, 411].includes(await both.status()));
    const two = connect();
    two.write(`${head(urls, 'Content-Length: 4', 'Content-Length: 5')}rose`);
    assert.equal(await two.status(), 400);
    const none = connect();
    none.write(head(urls));
    assert.equal(await none.status(), 411);
    for (const length of ['-4', '4x', '0x4', '']) {
      const wire = connect();
      wire.write(`${head(urls, `Content-Length: ${length}`)}rose`);
      assert.ok([400, 411].includes(await wire.status()), length);
    }
    assert.equal(await isThere(urls), false);
  });

  it('who is refused comes to read why, though it was writing; and is not read for ever', async () => {
    const urls = await slot(romeo, { size: 100 });
    const wire = connect();
    wire.write(head(urls, `Content-Length: ${40 * MIB}`));
    let blocked = false;
    const piece = Buffer.alloc(65_536);
    // as fast as it goes, without looking at the answer
    for (let i = 0; i < 640 && !wire.closed; i++) {
      if (wire.socket.write(piece)) continue;
      blocked = true;
      await new Promise<void>(resolve => {
        wire.socket.once('drain', resolve);
        wire.socket.once('close', resolve);
      });
    }
    assert.ok(blocked);
    assert.equal(await wire.status(), 413);
    assert.match(wire.text, /The slot is for 100 bytes/);
    await until(() => wire.closed, 'the end of the connection', PATIENCE);
    assert.ok(wire.socket.bytesWritten < 40 * MIB);
  });

  it('a connection goes on behind a refusal that has been read', async () => {
    const urls = await slot(romeo, { size: 4 });
    const wire = connect();
    wire.write(`${head(urls, 'Content-Length: 5')}roses`);
    assert.equal(await wire.status(), 413);
    const again = connect();
    again.write(`${head(urls, 'Content-Length: 4', 'Expect: 100-continue')}rose`);
    assert.equal(await again.status(), 100);
    assert.equal(await again.status(1), 201);
    again.write(`GET ${pathOf(urls.get)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    assert.equal(await again.status(2), 200);
  });

  it('paths: there is no way to another file', async () => {
    mkdirSync(path.join(stage.folder, 'uploads'), { recursive: true });
    const urls = await upload(stage, romeo, 'rose');
    const [, top, name] = pathOf(urls.get).split('/');
    const tricks = [
      `/upload/../test.yaml`,
      `/upload/${name}/../../test.yaml`,
      `/upload/%2e%2e/test.yaml`,
      `/upload/..%2f..%2ftest.yaml/x`,
      `/upload/${name}/..%2f..%2ftest.yaml`,
      `/upload/${name}%00/file.bin`,
      `/upload/${name}/file.bin%00`,
      `/upload/${name}/file.bin/`,
      `/upload/${name}//file.bin`,
      `/upload//${name}/file.bin`,
      `/upload/${name}`,
      `/upload/${name}/`,
      `/upload/`,
      `/upload/incoming/x`,
      `/upload/${name!.toUpperCase()}x/file.bin`,
      `/upload/${name}/%`,
      `/upload/${name}/%ff`,
      `/upload/%/x`,
      `/upload/${'a'.repeat(5000)}/x`,
      `//etc/passwd`,
      `/${top}x/${name}/file.bin`,
    ];
    for (const method of ['GET', 'PUT', 'HEAD']) {
      for (const trick of tricks) {
        const wire = connect();
        wire.write(`${method} ${trick} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        const status = await wire.status();
        assert.ok([400, 404, 414].includes(status), `${method} ${trick}: ${status}`);
      }
    }
    assert.ok(await isThere(urls));
    assert.ok(existsSync(path.join(stage.folder, 'test.yaml')));
  });

  it('a header that is broken into two adds no header', async () => {
    const urls = await upload(stage, romeo, 'rose', { filename: 'a\r\nSet-Cookie: x=1.txt' });
    const answer = await get(stage, urls.get);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('set-cookie'), null);
  });

  it('readers that stop keep little in memory, and are cut; one that reads slowly is not', async function () {
    this.timeout(60_000);
    const size = 30 * MIB;
    const urls = await slot(romeo, { size });
    assert.equal((await put(stage, urls.put, new Uint8Array(size))).status, 201);
    const request = `GET ${pathOf(urls.get)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const before = process.memoryUsage().rss;
    const slow = connect();
    slow.write(request);
    const stopped = Array.from({ length: 20 }, () => {
      const wire = connect();
      wire.socket.once('data', () => wire.socket.pause());
      wire.write(request);
      return wire;
    });
    // the slow one reads, a little now and then, for longer than one may be silent
    for (let i = 0; i < 25; i++) {
      slow.socket.pause();
      await new Promise(resolve => setTimeout(resolve, 100));
      slow.socket.resume();
      await new Promise(resolve => setImmediate(resolve));
    }
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 200 * MIB, `${grown / MIB} MiB for 20 readers of 30 MiB, in one process with them`);
    // the time of a socket begins anew as long as the kernel takes something
    await new Promise(resolve => setTimeout(resolve, 6_000));
    // a socket that does not read does not learn of its end: the server has none of them any more
    await until(
      async () => {
        for (const { socket } of stopped) socket.resume();
        return stopped.every(({ closed }) => closed);
      },
      'the end of those that stopped',
      PATIENCE,
    );
    for (const { bytes } of stopped) assert.ok(bytes < size, 'cut before the end');
    await until(() => slow.bytes > size, `the slow one to have all; it has ${slow.bytes}`, PATIENCE);
  });

  it('many at once, each with its own bytes', async () => {
    const texts = Array.from({ length: 30 }, (_, i) => String(i).padEnd(50_000 + i, String(i)));
    const all = await Promise.all(texts.map(text => upload(stage, romeo, text)));
    for (const [i, urls] of all.entries()) assert.equal(await (await get(stage, urls.get)).text(), texts[i]);
  });
});
