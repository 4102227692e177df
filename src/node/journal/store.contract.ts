import assert from 'node:assert/strict';
import type { Storage } from '../../api/storage.ts';
import { JournalStore } from './store.ts';

/** What every database keeps of the journal of sessions. */
export function journalContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: JournalStore<string>;
  let outcomes: unknown[];

  beforeEach(async () => {
    storage = await open();
    outcomes = [];
    store = await JournalStore.open<string>(storage, {
      compose: rows => rows.join(''),
      settled: error => void outcomes.push(error),
    });
  });
  afterEach(() => storage.close());

  async function all(): Promise<string> {
    let text = '';
    for await (const piece of store.read()) text += piece;
    return text;
  }

  it('gives octets back as they were written, in order', async () => {
    const octets = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
    await store.write(octets);
    await Promise.all(['b', 'c', 'd'].map(row => store.write(row)));
    assert.equal(await all(), `${octets}bcd`);
    assert.ok(outcomes.length >= 2 && outcomes.every(error => error === undefined));
  });

  it('cuts what is long into rows', async () => {
    const long = 'wherefore art thou '.repeat(100_000);
    await store.write(long);
    assert.equal(await all(), long);
  });

  it('nothing to say is no row', async () => {
    await store.write('');
    assert.equal(await all(), '');
    assert.equal(store.newest, 0);
  });

  it('forgets what came before', async () => {
    for (let i = 0; i < 250; i++) await store.write(`${i} `);
    const upTo = store.newest;
    await store.write('last');
    await store.forget(upTo);
    assert.equal(await all(), 'last');
  });
}
