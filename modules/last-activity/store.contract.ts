import assert from 'node:assert/strict';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { lastActivityStore, type LastActivityStore } from './store.ts';

const ROMEO = parseJid('romeo@example.org')!;
const JULIET = parseJid('juliet@example.org')!;

/** What the store has to do on every database. `open` gives a new, empty one. */
export function lastActivityStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: LastActivityStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('last-activity/departures', lastActivityStore.migrations);
    store = await lastActivityStore.open(storage);
  });
  afterEach(() => storage.close());

  /** What another one finds in the database. */
  const written = async (account: Jid) => (await lastActivityStore.open(storage)).get(account);

  it('knows nothing of who was never there', async () => {
    assert.equal(await store.get(ROMEO), undefined);
  });

  it('knows at once what is noted, and has it written soon', async () => {
    const at = Date.UTC(2026, 0, 1) + 123;
    const noted = store.note(ROMEO, at, 'Ромео 🌹');
    assert.deepEqual(await store.get(ROMEO), { at, status: 'Ромео 🌹' });
    await noted;
    assert.deepEqual(await written(ROMEO), { at, status: 'Ромео 🌹' });
    assert.equal(await written(JULIET), undefined);
  });

  it('the last note counts, however many there were meanwhile', async () => {
    for (let i = 0; i < 50; i++) void store.note(ROMEO, i, `${i}`);
    await store.settled();
    assert.deepEqual(await written(ROMEO), { at: 49, status: '49' });
    await store.note(ROMEO, 50, '');
    assert.deepEqual(await written(ROMEO), { at: 50, status: '' });
  });

  it('writes many accounts', async () => {
    const accounts = Array.from({ length: 450 }, (_, i) => parseJid(`a${i}@example.org`)!);
    for (const [i, account] of accounts.entries()) void store.note(account, i, '');
    await store.settled();
    for (const i of [0, 199, 200, 449]) assert.equal((await written(accounts[i]!))?.at, i);
  });

  it('cuts a long status', async () => {
    await store.note(ROMEO, 1, 'x'.repeat(5000));
    assert.equal((await written(ROMEO))!.status.length, 1024);
  });

  it('goes with its account, also what is not written yet, and no other', async () => {
    await store.note(ROMEO, 1, '');
    await store.note(JULIET, 1, '');
    void store.note(ROMEO, 2, '');
    await store.remove(ROMEO);
    await store.settled();
    assert.equal(await store.get(ROMEO), undefined);
    assert.equal(await written(ROMEO), undefined);
    assert.equal((await written(JULIET))?.at, 1);
  });

  it('tells when it cannot write, and writes it with the next note', async () => {
    const { transact } = storage;
    storage.transact = () => Promise.reject(new Error('full'));
    await assert.rejects(store.note(ROMEO, 1, 'one'), /full/);
    assert.deepEqual(await store.get(ROMEO), { at: 1, status: 'one' });
    storage.transact = transact;
    await store.note(JULIET, 2, '');
    assert.deepEqual(await written(ROMEO), { at: 1, status: 'one' });
  });
}
