import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { needs } from '../../test/kit/needs.ts';
import { freePort } from '../../test/kit/ports.ts';
import { isSigned, S3_CLIENT, S3_SERVER, S3Server } from '../../test/kit/s3.ts';
import { Unreachable } from './files.ts';
import { filesContract } from './files.contract.ts';
import { disposition } from './names.ts';
import { S3Files } from './s3.ts';

const GIVEN = { type: 'image/png', disposition: 'inline; filename="a b.png"' };
const NAME = 'ab'.padEnd(32, '1');

describe('uploads: files in S3 (moto, which checks signatures by botocore)', () => {
  let server: S3Server;
  before(async function () {
    needs(this, S3_SERVER);
    needs(this, S3_CLIENT);
    this.timeout(60_000);
    server = await S3Server.start();
  });
  after(() => server?.stop());

  describe('without a prefix', () => {
    filesContract(async () => new S3Files(await server.bucket()));
  });
  describe('below a prefix', () => {
    filesContract(async () => new S3Files(await server.bucket({ prefix: 'chat files/müll+&=/' })));
  });

  const put = (files: S3Files): Promise<void> =>
    files.put(NAME, Readable.from([Buffer.from('rose')]), 4, GIVEN, new AbortController().signal);

  it('two prefixes in one bucket do not see each other', async () => {
    const settings = await server.bucket({ prefix: 'a/' });
    const [a, b] = [new S3Files(settings), new S3Files({ ...settings, prefix: 'b/' })];
    await put(a);
    assert.equal(await b.get(NAME), undefined);
    for await (const { name } of b.lying('ab')) assert.fail(name);
  });

  it('lists more than one page holds', async function () {
    this.timeout(120_000);
    const files = new S3Files(await server.bucket());
    const names = Array.from({ length: 1010 }, (_, i) => `ab${i.toString(16).padStart(30, '0')}`);
    for (let i = 0; i < names.length; i += 10)
      await Promise.all(
        names
          .slice(i, i + 10)
          .map(name => files.put(name, Readable.from([Buffer.from('x')]), 1, GIVEN, new AbortController().signal)),
      );
    const found: string[] = [];
    for await (const { name } of files.lying('ab')) found.push(name);
    assert.deepEqual(found.toSorted(), names);
  });

  it('gives addresses at which clients download for a while, with the type and the name that we say', async () => {
    // moto checks no signature of an address, so that it has to be looked at otherwise: below
    const open = await S3Server.start({ open: true });
    try {
      const settings = await open.bucket();
      await put(new S3Files(settings));
      assert.equal(new S3Files(settings).link(NAME, GIVEN, 60), undefined, 'unless it is wanted');
      const link = (await new S3Files({ ...settings, redirect: true }).link(NAME, GIVEN, 60))!;
      const answer = await fetch(link);
      const type = answer.headers.get('content-type');
      assert.deepEqual([answer.status, await answer.text(), type], [200, 'rose', 'image/png']);
      assert.equal(answer.headers.get('content-disposition'), GIVEN.disposition);
      const part = await fetch(link, { headers: { Range: 'bytes=1-2' } });
      assert.deepEqual([part.status, await part.text()], [206, 'os']);
    } finally {
      await open.stop();
    }
  }).timeout(60_000);

  it('says what is wrong: a bucket that is not there, a wrong key, nobody who answers, nothing said', async () => {
    const settings = await server.bucket();
    const problem = (given: object) => new S3Files({ ...settings, ...given }).problem();
    assert.equal(await problem({}), undefined);
    assert.match((await problem({ bucket: 'nowhere' }))!, /was answered 404 NoSuchBucket/);
    assert.match((await problem({ secretKey: 'wrong' }))!, /was answered 403 SignatureDoesNotMatch/);
    assert.match((await problem({ accessKey: 'nobody' }))!, /was answered 403 InvalidAccessKeyId/);
    assert.match(
      (await problem({ endpoint: `http://127.0.0.1:${await freePort()}` }))!,
      /does not answer: .*ECONNREFUSED/,
    );
    assert.match((await problem({ endpoint: '' }))!, /needs an endpoint/);
    assert.match((await problem({ secretKey: '' }))!, /needs an accessKey/);
  });

  it('what cannot be reached is Unreachable, whatever is asked', async () => {
    const settings = await server.bucket();
    for (const files of [
      new S3Files({ ...settings, endpoint: `http://127.0.0.1:${await freePort()}` }),
      new S3Files({ ...settings, secretKey: 'wrong' }),
      new S3Files({ ...settings, bucket: 'nowhere' }),
    ]) {
      await assert.rejects(put(files), Unreachable);
      await assert.rejects(files.get(NAME), Unreachable);
    }
  });

  it('an address has the signature that AWS wants', async () => {
    const aws =
      'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';
    const secretKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
    assert.ok(isSigned(aws, secretKey), 'the example of their documentation');
    const files = new S3Files(server.settings({ prefix: "a b/'(ü)/", secretKey, redirect: true }));
    const link = (await files.link(
      NAME,
      { ...GIVEN, disposition: disposition('attachment', "it's (ü) & 花.txt") },
      60,
    ))!;
    assert.ok(isSigned(link, secretKey), link);
    assert.ok(!isSigned(link.replace('image%2Fpng', 'text%2Fhtml'), secretKey));
  });

  it('an address has the bucket where it is wanted', async () => {
    const settings = server.settings({ endpoint: 'https://s3.example.org/x/', bucket: 'files', redirect: true });
    const at = async (style: 'path' | 'host') =>
      new URL((await new S3Files({ ...settings, style }).link(NAME, GIVEN, 60))!);
    assert.equal((await at('path')).href.split('?')[0], `https://s3.example.org/x/files/${NAME}`);
    assert.equal((await at('host')).href.split('?')[0], `https://files.s3.example.org/x/${NAME}`);
    assert.equal((await at('path')).searchParams.get('X-Amz-Expires'), '60');
  });
});
