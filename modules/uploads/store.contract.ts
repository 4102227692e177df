import assert from 'node:assert/strict';
import type { Storage } from '../../src/storage/index.ts';
import type { Limits } from './quota.ts';
import { NEVER, type Slot, uploadStore, type UploadStore } from './store.ts';

const NOW = Date.UTC(2026, 5, 1);
const SECOND = 1000;
const DAY = 86_400 * SECOND;
const NONE = { bytes: 0, files: 0 };
const FREE: Limits = { purpose: NONE, daily: NONE, day: DAY };

/** What the store has to do on every database. `open` gives a new, empty one. */
export function uploadStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: UploadStore;
  let count: number;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('uploads/uploads', uploadStore.migrations);
    store = await uploadStore.open(storage);
    count = 0;
  });
  afterEach(() => storage.close());

  const slotOf = (given: Partial<Slot> = {}): Slot => {
    const name = (++count).toString(16).padStart(32, '0');
    return {
      name,
      secret: `s${name.slice(1)}`,
      owner: 'romeo@example.org',
      purpose: 'message',
      filename: 'rose.png',
      type: 'image/png',
      size: 100,
      created: NOW,
      keep: 3600,
      expires: NEVER,
      ends: NOW + 300 * SECOND,
      ...given,
    };
  };
  const reserve = async (given: Partial<Slot> = {}, limits = FREE) => {
    const slot = slotOf(given);
    return { slot, refused: await store.reserve(slot, limits) };
  };
  /** A file that is there. */
  const kept = async (given: Partial<Slot> = {}, ends = NOW + 3600 * SECOND) => {
    const { slot } = await reserve(given);
    assert.equal(await store.keep(slot.name, { type: 'image/png', stored: NOW, ends }), true);
    return slot;
  };

  it('gives a slot back by its secret, as it was, in any script and size', async () => {
    const { slot } = await reserve({ filename: '花 🌹.png', size: 5 * 2 ** 40, type: '' });
    assert.deepEqual({ ...(await store.slot(slot.secret)) }, { ...slot, state: 0, stored: 0 });
    assert.equal(await store.slot(slot.name), undefined);
    assert.equal(await store.slot('s'), undefined);
  });

  it('a slot is no file before it is kept, and is kept once', async () => {
    const { slot } = await reserve();
    assert.equal(await store.file(slot.name, NOW), undefined);
    const file = { type: 'image/gif', stored: NOW + 1, ends: NOW + 10 * SECOND };
    assert.equal(await store.keep(slot.name, file), true);
    assert.equal(await store.keep(slot.name, file), false);
    const found = (await store.file(slot.name, NOW))!;
    assert.deepEqual([found.type, found.stored, found.ends, found.size], ['image/gif', NOW + 1, file.ends, 100]);
    assert.equal(await store.file(slot.name, file.ends), undefined, 'when its time is over');
    assert.equal((await store.slot(slot.secret))!.state, 1);
  });

  it('keeps the place of an upload that is under way, and of no other', async () => {
    const { slot } = await reserve();
    assert.equal(await store.extend(slot.name, NOW + DAY), true);
    assert.equal((await store.slot(slot.secret))!.ends, NOW + DAY);
    assert.equal(await store.extend('f'.repeat(32), NOW), false);
    const file = await kept();
    assert.equal(await store.extend(file.name, NOW), false);
  });

  it('counts bytes and files of an owner and a purpose, slots that wait for their file too', async () => {
    const limits = { ...FREE, purpose: { bytes: 250, files: 3 } };
    await kept();
    await reserve();
    assert.deepEqual((await reserve({ size: 51 }, limits)).refused, {
      limit: 'purpose',
      of: 'bytes',
      retry: NOW + 300 * SECOND,
    });
    assert.equal((await reserve({ size: 50 }, limits)).refused, undefined);
    assert.deepEqual((await reserve({ size: 1 }, { ...FREE, purpose: { bytes: 0, files: 3 } })).refused, {
      limit: 'purpose',
      of: 'files',
      retry: NOW + 300 * SECOND,
    });
    assert.equal((await reserve({ owner: 'juliet@example.org' }, limits)).refused, undefined);
    assert.equal((await reserve({ purpose: 'profile' }, limits)).refused, undefined);
    // slots that were not used, and files that are over, have no place any more
    assert.equal((await reserve({ created: NOW + 400 * SECOND }, limits)).refused, undefined);
    assert.equal((await reserve({ created: NOW + DAY, size: 250 }, limits)).refused, undefined);
  });

  it('says when there is room again: when enough of what is there is over', async () => {
    const limits = { ...FREE, purpose: { bytes: 300, files: 0 } };
    await kept({}, NEVER);
    await kept({}, NOW + 50 * SECOND);
    await kept({}, NOW + 20 * SECOND);
    const retry = async (size: number) => (await reserve({ size }, limits)).refused?.retry;
    assert.equal(await retry(100), NOW + 20 * SECOND);
    assert.equal(await retry(200), NOW + 50 * SECOND);
    assert.equal(await retry(300), NEVER);
    assert.equal(await retry(301), undefined, 'never');
  });

  it('counts what was uploaded within a day, also what is gone since', async () => {
    const limits = { ...FREE, daily: { bytes: 250, files: 0 } };
    await kept({ purpose: 'ephemeral' }, NOW + SECOND);
    await kept({ created: NOW + 10 * SECOND }, NOW + 20 * SECOND);
    assert.equal(await store.expire(NOW + 60 * SECOND, DAY, 100), 2);
    const refused = { limit: 'daily', of: 'bytes', retry: NOW + DAY } as const;
    assert.deepEqual((await reserve({ created: NOW + 70 * SECOND }, limits)).refused, refused);
    assert.equal((await reserve({ created: NOW + 70 * SECOND, size: 50 }, limits)).refused, undefined);
    // an unused slot does not count when it is over
    assert.equal((await reserve({ created: NOW + DAY, size: 150 }, limits)).refused, undefined);
    // and the rows go when they do not count any more
    assert.ok((await store.expire(NOW + 3 * DAY, DAY, 100)) > 0);
    assert.equal(await store.expire(NOW + 3 * DAY, DAY, 100), 0);
  });

  it('gives two who ask at once no more than there is', async () => {
    const limits = { ...FREE, purpose: { bytes: 0, files: 3 } };
    const all = await Promise.all(Array.from({ length: 10 }, () => reserve({}, limits)));
    assert.equal(all.filter(({ refused }) => refused === undefined).length, 3);
  });

  it('ends what is over, in steps, and leaves the names of its files', async () => {
    const over = [await kept({}, NOW + SECOND), await kept({}, NOW + SECOND), (await reserve()).slot];
    const still = await kept({}, NOW + DAY);
    const later = NOW + 600 * SECOND;
    assert.equal(await store.expire(later, DAY, 2), 2);
    assert.equal(await store.expire(later, DAY, 2), 1);
    assert.equal(await store.expire(later, DAY, 2), 0);
    const remains = await store.remains(100);
    assert.deepEqual(remains.toSorted(), over.map(({ name }) => name).toSorted());
    for (const { name } of over) assert.equal(await store.file(name, NOW), undefined);
    assert.ok(await store.file(still.name, NOW));
    await store.removed(remains.slice(0, 2));
    assert.deepEqual(await store.remains(100), remains.slice(2));
    await store.removed([]);
    await store.removed(remains);
    // those that only count have no file a second time
    await store.expire(NOW + 3 * DAY, DAY, 100);
    assert.deepEqual(await store.remains(100), [still.name]);
  });

  it('all of an owner goes, and the names of its files are left', async () => {
    const files = [await kept(), (await reserve()).slot];
    const others = await kept({ owner: 'juliet@example.org' });
    await kept({}, NOW + SECOND);
    await store.expire(NOW + 2 * SECOND, DAY, 100);
    await store.removed(await store.remains(100));
    await store.removeAll('romeo@example.org');
    for (const { secret } of files) assert.equal(await store.slot(secret), undefined);
    assert.deepEqual((await store.remains(100)).toSorted(), files.map(({ name }) => name).toSorted());
    assert.ok(await store.file(others.name, NOW));
    assert.equal(await store.keep(files[1]!.name, { type: '', stored: NOW, ends: NEVER }), false);
    await store.removeAll('romeo@example.org');
  });

  it('removes one file', async () => {
    const { name } = await kept();
    assert.equal(await store.remove(name), true);
    assert.equal(await store.remove(name), false);
    assert.equal(await store.file(name, NOW), undefined);
    assert.deepEqual(await store.remains(10), [name]);
  });

  it('knows which names stand for something', async () => {
    const [a, b] = [await kept(), (await reserve()).slot];
    const known = await store.known([a.name, b.name, 'f'.repeat(32)]);
    assert.deepEqual([...known].toSorted(), [a.name, b.name]);
  });

  it('removes an owner with very many files', async () => {
    for (let i = 0; i < 450; i++) await reserve();
    await store.removeAll('romeo@example.org');
    assert.equal((await store.remains(1000)).length, 450);
  }).timeout(60_000);
}
