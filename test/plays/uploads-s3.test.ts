import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { parseJid } from '../../src/jid/index.ts';
import { S3Files, type S3Settings } from '../../modules/uploads/s3.ts';
import type { TestClient } from '../kit/client.ts';
import { needs } from '../kit/needs.ts';
import { TestNode } from '../kit/node.ts';
import { S3_CLIENT, S3_SERVER, S3Server } from '../kit/s3.ts';
import { until } from '../kit/wait.ts';
import { askSlot, get, plain, put, slot, upload } from './uploading.ts';

const MIB = 1024 ** 2;

describe('play: files are kept in S3 (XEP-0363)', () => {
  let server: S3Server;
  let settings: S3Settings;
  let stage: TestNode;
  let romeo: TestClient;

  before(async function () {
    needs(this, S3_SERVER);
    needs(this, S3_CLIENT);
    this.timeout(60_000);
    server = await S3Server.start();
    settings = await server.bucket({ prefix: 'files/' });
    stage = await TestNode.start({
      users: ['romeo'],
      yaml: `modules: { uploads: { store: s3, s3: ${JSON.stringify(settings)} } }\n`,
    });
    romeo = await stage.login('romeo@localhost/orchard');
  });
  after(async () => {
    await stage?.stop();
    await server?.stop();
  });

  const names = async (): Promise<string[]> => {
    const found: string[] = [];
    for (let i = 0; i < 256; i++) {
      const prefix = i.toString(16).padStart(2, '0');
      for await (const { name } of new S3Files(settings).lying(prefix)) found.push(name);
    }
    return found;
  };

  it('uploads go there and downloads come from there, whole and in parts', async () => {
    const bytes = randomBytes(5 * MIB);
    const urls = await slot(romeo, { size: bytes.length, type: 'video/mp4' });
    assert.equal((await put(stage, urls.put, bytes, { 'Content-Type': 'video/mp4' })).status, 201);
    const answer = await get(stage, urls.get);
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'video/mp4']);
    assert.ok(Buffer.from(await answer.bytes()).equals(bytes));
    const part = await get(stage, urls.get, { Range: 'bytes=1000000-' });
    assert.equal(part.status, 206);
    assert.ok(Buffer.from(await part.bytes()).equals(bytes.subarray(1_000_000)));
    assert.ok((await names()).includes(new URL(urls.get).pathname.split('/')[2]!));
  });

  it('an upload that is cut leaves nothing there', async () => {
    const urls = await slot(romeo, { size: MIB });
    const stop = new AbortController();
    const body = new ReadableStream({
      start: controller => controller.enqueue(new Uint8Array(MIB / 2)),
    });
    const cut = fetch(plain(stage, urls.put), {
      method: 'PUT',
      headers: { 'Content-Length': String(MIB) },
      body,
      duplex: 'half',
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(), 200);
    await assert.rejects(cut);
    await until(
      async () => (await put(stage, urls.put, new Uint8Array(MIB))).status === 201,
      'the slot to take the file whole',
    );
    assert.equal((await (await get(stage, urls.get)).bytes()).length, MIB);
  });

  it('goes with its account', async () => {
    await stage.addUser('paris');
    const paris = await stage.login('paris@localhost/x');
    const urls = await upload(stage, paris, 'from paris');
    await paris.end();
    await stage.node.accounts.remove(parseJid('paris@localhost')!);
    assert.equal((await get(stage, urls.get)).status, 404);
    const name = new URL(urls.get).pathname.split('/')[2]!;
    await until(async () => (await new S3Files(settings).get(name)) === undefined, 'the object to go');
  });

  it('clients are sent there where it is wanted', async () => {
    const other = await TestNode.start({
      users: ['romeo'],
      yaml: `modules: { uploads: { store: s3, s3: ${JSON.stringify({ ...settings, redirect: true })} } }\n`,
    });
    try {
      const client = await other.login('romeo@localhost/x');
      const urls = await upload(other, client, '<svg/>', { type: 'image/svg+xml', filename: 'a.svg' });
      const answer = await get(other, urls.get);
      assert.equal(answer.status, 307);
      const there = new URL(answer.headers.get('location')!);
      assert.equal(there.origin, settings.endpoint);
      assert.equal(there.searchParams.get('response-content-disposition')!.split(';')[0], 'attachment');
      assert.match(answer.headers.get('cache-control')!, /^private, max-age=\d+$/);
      const head = await get(other, urls.get, {}, 'HEAD');
      assert.deepEqual([head.status, head.headers.get('content-length')], [200, '6']);
    } finally {
      await other.stop();
    }
  });

  it('when it does not answer, who uploads or downloads learns that it is for a while; the rest goes on', async () => {
    const urls = await upload(stage, romeo, 'rose');
    await server.stop();
    const wanted = await slot(romeo, { size: 4 });
    const refused = await put(stage, wanted.put, 'rose');
    assert.equal(refused.status, 503);
    assert.ok(refused.headers.get('retry-after'));
    const down = await get(stage, urls.get);
    assert.equal(down.status, 503);
    assert.equal(down.headers.get('access-control-allow-origin'), '*');
    assert.equal((await askSlot(romeo)).attrs.type, 'result');
    assert.equal((await romeo.iq('get', "<ping xmlns='urn:xmpp:ping'/>", 'localhost')).attrs.type, 'result');
  });
});
