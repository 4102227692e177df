import assert from 'node:assert/strict';
import type { Storage } from '../../src/api/index.ts';
import { toWire } from '../../src/xml/index.ts';
import { requestStore, type RequestStore } from './store.ts';

const JULIET = 'juliet@example.org';

/** What the store has to do on every database. `open` gives a new, empty one. */
export function requestStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: RequestStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('presence/requests', requestStore.migrations);
    store = await requestStore.open(storage);
  });
  afterEach(() => storage.close());

  const list = async () =>
    (await store.list(JULIET)).map(({ contact, stanza, ignored }) => ({ contact, stanza, ignored }));

  it('keeps requests whole, in the order in which they came', async () => {
    const stanza = toWire("<presence type='subscribe'><status>It is I, Ромео 🌹 &amp; co.</status></presence>");
    const before = Date.now();
    await store.add(JULIET, 'romeo@example.org', stanza);
    await store.add(JULIET, 'paris@example.org', '<presence/>');
    assert.deepEqual(await list(), [
      { contact: 'romeo@example.org', stanza, ignored: false },
      { contact: 'paris@example.org', stanza: '<presence/>', ignored: false },
    ]);
    for (const { since } of await store.list(JULIET)) assert.ok(since >= before && since <= Date.now());
    assert.ok(await store.has(JULIET, 'paris@example.org'));
    assert.ok(!(await store.has(JULIET, 'tybalt@example.org')));
    assert.ok(!(await store.has('paris@example.org', JULIET)));
    assert.equal(await store.count(JULIET), 2);
    assert.equal(await store.count('nobody@example.org'), 0);
  });

  it('takes an answered one away', async () => {
    await store.add(JULIET, 'romeo@example.org', '<presence/>');
    await store.add(JULIET, 'paris@example.org', '<presence/>');
    await store.remove(JULIET, 'paris@example.org');
    assert.deepEqual(await list(), [{ contact: 'romeo@example.org', stanza: '<presence/>', ignored: false }]);
  });

  it('an ignored one stays ignored in its new words', async () => {
    await store.add(JULIET, 'romeo@example.org', '<presence/>');
    await store.setIgnored(JULIET, 'romeo@example.org', true);
    await store.renew(JULIET, 'romeo@example.org', "<presence id='2'/>");
    assert.deepEqual(await list(), [{ contact: 'romeo@example.org', stanza: "<presence id='2'/>", ignored: true }]);
    await store.setIgnored(JULIET, 'romeo@example.org', false);
    assert.equal((await list())[0]!.ignored, false);
  });

  it('goes with its account, and no other', async () => {
    await store.add(JULIET, 'romeo@example.org', '<presence/>');
    await store.add('nurse@example.org', 'romeo@example.org', '<presence/>');
    await store.removeAll(JULIET);
    assert.deepEqual(await list(), []);
    assert.equal(await store.count('nurse@example.org'), 1);
  });
}
