import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { tempFolder } from '../../test/kit/temp.ts';
import { DiskFiles } from './disk.ts';
import { filesContract } from './files.contract.ts';

const NAME = 'ab'.padEnd(32, '1');
const GIVEN = { type: 'image/png', disposition: 'inline' };

describe('uploads: files on the disk', () => {
  filesContract(async () => new DiskFiles(path.join(tempFolder(), 'uploads'), () => 0));

  let files: DiskFiles;
  beforeEach(() => {
    files = new DiskFiles(path.join(tempFolder(), 'uploads'), () => 0);
  });
  const put = (name = NAME) =>
    files.put(name, Readable.from([Buffer.from('rose')]), 4, GIVEN, new AbortController().signal);

  it('are for nobody else on the machine', async () => {
    await put();
    assert.equal(statSync(files.folder).mode & 0o777, 0o700);
    assert.equal(statSync(path.join(files.folder, 'ab')).mode & 0o777, 0o700);
    assert.equal(statSync(path.join(files.folder, 'ab', NAME)).mode & 0o777, 0o600);
  });

  it('what is left of uploads that came to no end goes when it is old', async () => {
    await put();
    const incoming = path.join(files.folder, 'incoming');
    for (const name of ['old', 'new']) writeFileSync(path.join(incoming, name), 'half');
    utimesSync(path.join(incoming, 'old'), 1, 1);
    await files.tidy(Date.now() - 60_000);
    assert.deepEqual(readdirSync(incoming), ['new']);
  });

  it('have no room where less stays free than is wanted', async () => {
    assert.equal(await new DiskFiles(files.folder, () => Number.MAX_SAFE_INTEGER).hasRoom(1), false);
    assert.equal(await files.hasRoom(2 ** 52), false);
  });

  it('take no name but their own', async () => {
    for (const name of ['../../etc/passwd', 'AB'.repeat(16), '', 'ab']) {
      await assert.rejects(put(name), /no name of a file/);
      await assert.rejects(files.get(name), /no name of a file/);
      await assert.rejects(files.remove(name), /no name of a file/);
    }
  });

  it('say what is wrong with their folder', async () => {
    mkdirSync(path.dirname(files.folder), { recursive: true });
    writeFileSync(files.folder, '');
    assert.match((await files.problem())!, /is a file$/);
    const locked = tempFolder();
    chmodSync(locked, 0o500);
    // root may write everywhere
    if (process.getuid?.() !== 0)
      assert.match((await new DiskFiles(path.join(locked, 'x'), () => 0).problem())!, /may not write/);
  });
});
