import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { globSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { condition, type TestClient } from '../kit/client.ts';
import { until } from '../kit/wait.ts';
import { askSlot, type SlotUrls, urlsOf } from '../plays/uploading.ts';
import { Operated } from './program.ts';
import { SmallDisk } from './small-disk.ts';

const PATIENCE = 15_000; // ms
const MIB = 1024 ** 2;

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A node, and somebody who uploads there over the listener for this machine. */
class Place {
  readonly node: Operated;
  client!: TestClient;

  constructor(node: Operated) {
    this.node = node;
  }

  async login(): Promise<void> {
    this.client = await this.node.login('romeo@localhost/orchard');
  }

  address(url: string): string {
    return `http://127.0.0.1:${this.node.ports.http}${new URL(url).pathname}`;
  }

  async slot(size: number): Promise<SlotUrls> {
    return urlsOf(await askSlot(this.client, { size }));
  }

  put(urls: SlotUrls, bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
    return fetch(this.address(urls.put), { method: 'PUT', body: bytes });
  }

  /** The hash of what is there; undefined for nothing. */
  async get(urls: SlotUrls): Promise<string | undefined> {
    const answer = await fetch(this.address(urls.get));
    const bytes = await answer.bytes();
    return answer.status === 200 ? hash(bytes) : undefined;
  }

  files(folder: string): string[] {
    return globSync('uploads/*/*', { cwd: folder });
  }
}

describe('operator: uploads when the program is killed', () => {
  let node: Operated;
  let place: Place;
  before(async () => {
    node = await Operated.start('modules: { uploads: { disk: { free: 0 } } }\n');
    await node.add('romeo');
    place = new Place(node);
    await place.login();
  });
  after(() => node.remove());

  it('what was answered 201 is there, of what was on its way there is nothing, and the slot can be used again', async function () {
    this.timeout(60_000);
    const kept: [SlotUrls, string][] = [];
    for (let i = 0; i < 3; i++) {
      const bytes = randomBytes(300_000);
      const urls = await place.slot(bytes.length);
      assert.equal((await place.put(urls, bytes)).status, 201);
      kept.push([urls, hash(bytes)]);
    }
    const half = await place.slot(2 * MIB);
    const socket = net.connect(node.ports.http, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`PUT ${new URL(half.put).pathname} HTTP/1.1\r\nHost: x\r\nContent-Length: ${2 * MIB}\r\n\r\n`);
    socket.write(Buffer.alloc(MIB));
    await until(() => globSync('uploads/incoming/*', { cwd: node.data }).length === 1, 'the upload to begin', PATIENCE);
    // and some that are at their end just then
    const racing = await Promise.all(Array.from({ length: 8 }, () => place.slot(100_000)));
    const bytes = randomBytes(100_000);
    const answered = racing.map(urls =>
      place.put(urls, bytes).then(
        ({ status }) => status,
        () => 0,
      ),
    );
    await Promise.race(answered);
    await node.kill();
    const said = await Promise.all(answered);
    socket.destroy();

    await node.start();
    await place.login();
    for (const [urls, wanted] of kept) assert.equal(await place.get(urls), wanted);
    for (const [i, urls] of racing.entries()) {
      const found = await place.get(urls);
      if (said[i] === 201) assert.equal(found, hash(bytes), 'what was answered 201');
      else assert.ok(found === undefined || found === hash(bytes), 'whole or not at all');
    }
    assert.equal(await place.get(half), undefined);
    const whole = randomBytes(2 * MIB);
    assert.equal((await place.put(half, whole)).status, 201);
    assert.equal(await place.get(half), hash(whole));
  });
});

describe('operator: uploads when the disk is full', () => {
  let disk: SmallDisk | undefined;
  let node: Operated;
  let place: Place;
  before(async function () {
    disk = SmallDisk.make();
    if (!disk) {
      if (process.env.POSTHOUSE_TEST_ALL) throw new Error('no file system that can be filled: run as root');
      this.skip();
    }
    // the database is elsewhere, and goes on
    const folder = path.join(disk.folder, 'files');
    node = await Operated.start(`modules: { uploads: { disk: { free: 0, folder: '${folder}' } } }\n`);
    await node.add('romeo');
    place = new Place(node);
    await place.login();
  });
  after(async () => {
    await node?.remove();
    disk?.remove();
  });

  it('is 507 to who uploads, a wait error to who asks, and a line of the log; nothing half is left; and it ends when there is room', async () => {
    const bytes = randomBytes(2 * MIB);
    const first = await place.slot(bytes.length);
    assert.equal((await place.put(first, bytes)).status, 201);
    const second = await place.slot(bytes.length);
    const third = await place.slot(bytes.length);

    // full in the middle of an upload
    const socket = net.connect(node.ports.http, '127.0.0.1');
    let heard = '';
    socket.on('error', () => {}).on('data', chunk => (heard += String(chunk)));
    socket.write(`PUT ${new URL(second.put).pathname} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`);
    socket.write(bytes.subarray(0, MIB));
    await until(
      () => globSync('files/incoming/*', { cwd: disk!.folder }).length === 1,
      'the upload to begin',
      PATIENCE,
    );
    disk!.fill();
    socket.write(bytes.subarray(MIB));
    await until(() => heard.includes('\r\n\r\n'), 'an answer', PATIENCE);
    assert.match(heard, /^HTTP\/1\.1 507 /);
    assert.match(heard, /\r\nRetry-After: \d+\r\n/i);
    await node.logged('there is no room where files are kept');
    await until(
      () => globSync('files/incoming/*', { cwd: disk!.folder }).length === 0,
      'the half to be gone',
      PATIENCE,
    );
    socket.destroy();
    // what it had is free again; the rest of the disk is full all the same
    disk!.fill();
    const refused = await place.put(third, bytes);
    assert.equal(refused.status, 507);
    assert.equal(await place.get(second), undefined);
    const answer = await askSlot(place.client, { size: bytes.length });
    assert.equal(condition(answer), 'resource-constraint');
    assert.equal(answer.getChild('error')!.attrs.type, 'wait');
    // what is there is given
    assert.equal(await place.get(first), hash(bytes));

    disk!.empty();
    assert.equal((await place.put(second, bytes)).status, 201);
    assert.equal(await place.get(second), hash(bytes));
  });
});
