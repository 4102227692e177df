import assert from 'node:assert/strict';
import { existsSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import pino from 'pino';
import { openStorage, type Storage } from '../../src/storage/index.ts';
import { tempFolder } from '../../test/kit/temp.ts';
import { DiskFiles } from './disk.ts';
import { Purging } from './purging.ts';
import { NEVER, type Slot, uploadStore, type UploadStore } from './store.ts';

const DAY = 86_400_000; // ms
const NONE = { bytes: 0, files: 0 };

describe('uploads: what is over is removed', () => {
  let storage: Storage;
  let store: UploadStore;
  let files: DiskFiles;
  let purging: Purging;
  let count: number;

  beforeEach(async () => {
    const folder = tempFolder();
    storage = await openStorage({ dataDir: folder });
    await storage.migrate('uploads/uploads', uploadStore.migrations);
    store = await uploadStore.open(storage);
    files = new DiskFiles(path.join(folder, 'files'), () => 0);
    const mod = { log: pino({ level: 'silent' }), signal: new AbortController().signal };
    purging = new Purging({ store, files, mod });
    count = 0;
  });
  afterEach(() => storage.close());

  const write = (name: string) =>
    files.put(
      name,
      Readable.from([Buffer.from('rose')]),
      4,
      { type: '', disposition: '' },
      new AbortController().signal,
    );
  const place = (name: string): string => path.join(files.folder, name.slice(0, 2), name);
  const reserve = async (ends: number, created = Date.now()): Promise<string> => {
    const name = `00${(++count).toString(16).padStart(30, '0')}`;
    const slot: Slot = {
      name,
      secret: `s${name.slice(1)}`,
      owner: 'romeo@localhost',
      purpose: 'message',
      filename: 'x',
      type: '',
      size: 4,
      created,
      keep: 1,
      expires: NEVER,
      ends,
    };
    await store.reserve(slot, { purpose: NONE, daily: NONE, day: DAY });
    return name;
  };
  const kept = async (ends: number): Promise<string> => {
    const name = await reserve(Date.now() + 300_000);
    await write(name);
    await store.keep(name, { type: 'a/b', stored: Date.now(), ends });
    return name;
  };

  it('files whose time is over go, others stay', async () => {
    const over = await Promise.all(Array.from({ length: 250 }, () => kept(Date.now() - 1)));
    const still = await kept(Date.now() + DAY);
    await purging.expire(DAY);
    for (const name of over) assert.ok(!existsSync(place(name)));
    assert.deepEqual(await store.remains(1000), []);
    assert.ok(existsSync(place(still)));
    assert.ok(await store.file(still, Date.now()));
  });

  it('of a slot that was not used nothing is left, also when its file came to the disk and no further', async () => {
    const name = await reserve(Date.now() - 1);
    await write(name);
    await purging.expire(DAY);
    assert.ok(!existsSync(place(name)));
    assert.deepEqual(await store.known([name]), new Set());
  });

  it('what could not be removed is removed later', async () => {
    const name = await kept(Date.now() - 1);
    const { remove } = files;
    files.remove = () => Promise.reject(new Error('not now'));
    await assert.rejects(purging.expire(DAY));
    assert.equal(await store.file(name, 0), undefined, 'nobody finds it all the same');
    files.remove = remove.bind(files);
    await purging.expire(DAY);
    assert.ok(!existsSync(place(name)));
    assert.deepEqual(await store.remains(10), []);
  });

  it('what lies there and is nobody’s goes when it is old enough; in parts, until all was looked at', async () => {
    const known = await kept(NEVER);
    const stray = 'ff'.padEnd(32, '1');
    const fresh = 'ff'.padEnd(32, '2');
    for (const name of [stray, fresh]) await write(name);
    for (const name of [stray, known]) utimesSync(place(name), new Date(0), new Date(0));
    for (let part = 0; part < 255; part++) await purging.sweep();
    assert.ok(existsSync(place(stray)), 'its part comes last');
    await purging.sweep();
    assert.ok(!existsSync(place(stray)));
    assert.ok(existsSync(place(fresh)));
    assert.ok(existsSync(place(known)));
  });
});
