import assert from 'node:assert/strict';
import type { Storage } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { type BlockStore, blockStore } from './store.ts';

const romeo = parseJid('romeo@example.org')!;
const juliet = parseJid('juliet@example.org')!;
const jids = (...texts: string[]): Jid[] => texts.map(text => parseJid(text)!);
const texts = (list: readonly Jid[] | undefined) => list?.map(String);

/** What the store has to do on every database. `open` gives a new, empty one. */
export function blockStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: BlockStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('blocking/addresses', blockStore.migrations);
    store = await blockStore.open(storage);
  });
  afterEach(() => storage.close());

  it('keeps addresses by account, in the order in which they were blocked, each once', async () => {
    assert.deepEqual(await store.get(romeo), []);
    await store.add(romeo, jids('tybalt@example.org', 'paris@example.org'), 10);
    const list = await store.add(romeo, jids('tybalt@example.org', 'example.com', 'example.com'), 10);
    assert.deepEqual(texts(list), ['tybalt@example.org', 'paris@example.org', 'example.com']);
    assert.deepEqual(texts(await store.get(romeo)), texts(list));
    assert.deepEqual(await store.get(juliet), []);
  });

  it('adds none when they would be too many', async () => {
    await store.add(romeo, jids('a@b'), 2);
    assert.equal(await store.add(romeo, jids('c@d', 'e@f'), 2), undefined);
    assert.deepEqual(texts(await store.get(romeo)), ['a@b']);
    assert.deepEqual(texts(await store.add(romeo, jids('a@b'), 1)), ['a@b']);
  });

  it('removes some, or all, and tells what is left', async () => {
    await store.add(juliet, jids('a@b'), 9);
    await store.add(romeo, jids('a@b', 'c@d', 'e@f'), 9);
    assert.deepEqual(texts(await store.remove(romeo, jids('c@d', 'x@y'))), ['a@b', 'e@f']);
    assert.deepEqual(await store.remove(romeo), []);
    assert.deepEqual(await store.get(romeo), []);
    assert.deepEqual(texts(await store.get(juliet)), ['a@b']);
  });

  it('tells who of many has one of some addresses', async () => {
    await store.add(romeo, jids('a@b/c', 'x@y'), 9);
    await store.add(juliet, jids('b'), 9);
    const many = [...Array.from({ length: 450 }, (_, i) => `user${i}@example.org`), romeo.bare, juliet.bare];
    const having = async (...addresses: [string, string, string]) =>
      [...(await store.having(many, addresses))].toSorted();
    assert.deepEqual(await having('a@b/c', 'a@b', 'b'), [juliet.bare, romeo.bare]);
    assert.deepEqual(await having('a@b', 'x@y', 'x@y'), [romeo.bare]);
    assert.deepEqual(await having('A@b', 'a@b', 'y'), []);
    assert.deepEqual([...(await store.having([juliet.bare], ['x@y', 'x@y', 'y']))], []);
    assert.deepEqual([...(await store.having([], ['x@y', 'x@y', 'y']))], []);
  });

  it('keeps many at once', async () => {
    const many = jids(...Array.from({ length: 1000 }, (_, i) => `user${i}@example.org`));
    await store.add(romeo, many, 1000);
    assert.deepEqual(texts(await store.get(romeo)), texts(many));
    assert.equal((await store.remove(romeo, many.slice(0, 999))).length, 1);
  });
}
