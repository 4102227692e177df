import assert from 'node:assert/strict';
import type { Storage } from '../../src/storage/index.ts';
import { displayedStore, type DisplayedStore } from './store.ts';

const [ROMEO, JULIET, NURSE] = [1, 2, 3];
/** As large as keys of this century are. */
const KEY = 2_000_000_000_000 * 1024;

/** What the store has to do on every database. `open` gives a new, empty one. */
export function displayedStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: DisplayedStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('inbox/displayed', displayedStore.migrations);
    store = await displayedStore.open(storage);
  });
  afterEach(() => storage.close());

  it('nothing is displayed at first', async () => {
    assert.equal(await store.get(ROMEO, JULIET), 0);
    assert.deepEqual(await store.of(ROMEO, [JULIET, NURSE]), new Map());
  });

  it('moves on, and tells whether it did', async () => {
    assert.equal(await store.move(ROMEO, JULIET, KEY), true);
    assert.equal(await store.move(ROMEO, JULIET, KEY), false);
    assert.equal(await store.move(ROMEO, JULIET, KEY + 1), true);
    assert.equal(await store.get(ROMEO, JULIET), KEY + 1);
  });

  it('never moves back, in whatever order marks come, nor those of one transaction', async () => {
    const keys = [3, 9, 1, 7, 8, 2, 10, 4];
    const moved = await Promise.all(keys.map(key => store.move(ROMEO, JULIET, KEY + key)));
    assert.deepEqual(moved, [true, true, false, false, false, false, true, false]);
    assert.equal(await store.get(ROMEO, JULIET), KEY + 10);
  });

  it('keeps owners and conversations apart', async () => {
    await Promise.all([
      store.move(ROMEO, JULIET, KEY + 1),
      store.move(ROMEO, NURSE, KEY + 2),
      store.move(JULIET, ROMEO, KEY + 3),
    ]);
    assert.deepEqual(
      [...(await store.of(ROMEO, [JULIET, NURSE]))].toSorted(([a], [b]) => a - b),
      [
        [JULIET, KEY + 1],
        [NURSE, KEY + 2],
      ],
    );
    assert.deepEqual([...(await store.of(JULIET, [ROMEO, NURSE]))], [[ROMEO, KEY + 3]]);
    assert.equal(await store.get(NURSE, ROMEO), 0);
    assert.deepEqual(await store.of(ROMEO, [NURSE]), new Map([[NURSE, KEY + 2]]));
    assert.deepEqual(await store.of(ROMEO, []), new Map());
    const many = Array.from({ length: 120 }, (_, i) => 100 + i);
    await Promise.all(many.map(peer => store.move(ROMEO, peer, KEY + peer)));
    assert.deepEqual(
      new Map([...(await store.of(ROMEO, [...many, 7]))].toSorted(([a], [b]) => a - b)),
      new Map(many.map(peer => [peer, KEY + peer])),
    );
  });

  it('goes with its account, and no other', async () => {
    await store.move(ROMEO, JULIET, KEY);
    await store.move(JULIET, ROMEO, KEY);
    await store.remove(ROMEO);
    assert.deepEqual(await store.of(ROMEO, [JULIET, NURSE]), new Map());
    assert.equal(await store.get(JULIET, ROMEO), KEY);
    const again = await displayedStore.open(storage);
    assert.equal(await again.get(ROMEO, JULIET), 0);
    assert.equal(await again.get(JULIET, ROMEO), KEY);
  });
}
