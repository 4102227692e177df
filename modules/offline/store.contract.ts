import assert from 'node:assert/strict';
import type { Storage } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { toWire } from '../../src/xml/index.ts';
import { type OfflineStore, offlineStore } from './store.ts';

const romeo = parseJid('romeo@example.org')!;
const juliet = parseJid('juliet@example.org')!;

/** What the store has to do on every database. `open` gives a new, empty one. */
export function offlineStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: OfflineStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('offline/messages', offlineStore.migrations);
    store = await offlineStore.open(storage);
  });
  afterEach(() => storage.close());

  it('gives messages back in the order of the calls, also when they were written at once', async () => {
    const ids = await Promise.all(
      Array.from({ length: 3000 }, (_, i) => store.add(romeo, 1000 + i, `<message id='${i}'/>`)),
    );
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
    const page = await store.page(romeo, 0, 5000, 1e9);
    assert.deepEqual(
      page.map(({ wire }) => wire),
      Array.from({ length: 3000 }, (_, i) => `<message id='${i}'/>`),
    );
    assert.deepEqual(
      page.map(({ id }) => id),
      ids,
    );
  });

  it('reads in pages, bounded by number and by bytes, but one message at least', async () => {
    for (let i = 0; i < 5; i++) await store.add(romeo, 0, 'x'.repeat(100));
    const first = await store.page(romeo, 0, 2, 1e6);
    assert.equal(first.length, 2);
    assert.equal((await store.page(romeo, first[1]!.id, 10, 1e6)).length, 3);
    assert.equal((await store.page(romeo, 0, 10, 250)).length, 2);
    assert.equal((await store.page(romeo, 0, 10, 1)).length, 1);
    assert.deepEqual(await store.page(juliet, 0, 10, 1e6), []);
  });

  it('keeps every character', async () => {
    const text = `<message><body>“Ay me!” 罗密欧 🌹 \u{10fffd} &amp; &#xD;</body></message>`;
    await store.add(romeo, 0, toWire(text));
    assert.equal((await store.page(romeo, 0, 1, 1e6))[0]!.wire, toWire(text));
  });

  it('counts messages and their bytes, by account', async () => {
    assert.deepEqual(await store.totals(romeo), { messages: 0, bytes: 0 });
    await Promise.all([store.add(romeo, 0, 'abc'), store.add(romeo, 0, 'de'), store.add(juliet, 0, 'f')]);
    assert.deepEqual(await store.totals(romeo), { messages: 2, bytes: 5 });
    assert.deepEqual(await store.totals(juliet), { messages: 1, bytes: 1 });
  });

  it('removes single messages, and all of an account, those being written included', async () => {
    const id = await store.add(romeo, 0, 'a');
    await store.add(romeo, 0, 'b');
    await store.remove(id);
    assert.deepEqual(
      (await store.page(romeo, 0, 9, 99)).map(({ wire }) => wire),
      ['b'],
    );
    await store.add(juliet, 0, 'c');
    void store.add(romeo, 0, 'late');
    await store.removeAll(romeo);
    assert.deepEqual(await store.totals(romeo), { messages: 0, bytes: 0 });
    assert.equal((await store.totals(juliet)).messages, 1);
  });

  it('never gives an id twice, so that a reader that is behind misses nothing', async () => {
    const id = await store.add(romeo, 0, 'a');
    await store.remove(id);
    assert.ok((await store.add(romeo, 0, 'b')) > id);
  });
}
