import assert from 'node:assert/strict';
import type { Storage } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
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

  let made = 0;
  /** Ids ascend, as those of the module `stanza-id`. */
  const next = () => String(++made).padStart(21, '0');
  const add = (account: Jid, wire: string, stanzaId = next()) => store.add(account, { stanzaId, at: 1000, wire });

  it('gives messages back in the order of their stanza ids', async () => {
    const order = Array.from({ length: 3000 }, (_, i) => i).sort(() => Math.random() - 0.5);
    const written = new Map<number, number>();
    await Promise.all(
      order.map(async i =>
        written.set(i, await add(romeo, `<message id='${i}'/>`, `01${String(i).padStart(19, '0')}`)),
      ),
    );
    const ids = Array.from({ length: 3000 }, (_, i) => written.get(i));
    const page = await store.page(romeo, '', 5000, 1e9);
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
    for (let i = 0; i < 5; i++) await add(romeo, 'x'.repeat(100));
    const first = await store.page(romeo, '', 2, 1e6);
    assert.equal(first.length, 2);
    assert.equal((await store.page(romeo, first[1]!.stanzaId, 10, 1e6)).length, 3);
    assert.equal((await store.page(romeo, '', 10, 250)).length, 2);
    assert.equal((await store.page(romeo, '', 10, 1)).length, 1);
    assert.deepEqual(await store.page(juliet, '', 10, 1e6), []);
  });

  it('keeps no text of what an archive has, and takes that away at once', async () => {
    const wire = "<message id='a'/>";
    await store.add(romeo, { stanzaId: next(), at: 7, wire, archived: true });
    await add(romeo, "<message id='b'/>");
    await store.add(juliet, { stanzaId: next(), at: 7, wire, archived: true });
    const [first, second] = await store.page(romeo, '', 10, 1e6);
    assert.deepEqual([first!.wire, first!.archived, first!.at, first!.bytes], ['', true, 7, wire.length]);
    assert.deepEqual([second!.wire, second!.archived], ["<message id='b'/>", false]);
    assert.deepEqual(await store.totals(romeo), { messages: 2, bytes: wire.length * 2 });
    const last = next();
    await store.add(romeo, { stanzaId: next(), at: 7, wire, archived: true });
    assert.deepEqual(await store.clear(romeo, last), { messages: 1, bytes: wire.length });
    assert.equal((await store.page(romeo, '', 10, 1e6)).length, 2);
    assert.equal((await store.page(juliet, '', 10, 1e6)).length, 1);
  });

  it('forgets a message by its stanza id', async () => {
    const id = next();
    await add(romeo, '<message/>', id);
    await add(juliet, '<message/>', id);
    store.forget(romeo, id);
    await store.settled();
    assert.equal((await store.totals(romeo)).messages, 0);
    assert.equal((await store.totals(juliet)).messages, 1);
  });

  it('keeps every character', async () => {
    const text = `<message><body>“Ay me!” 罗密欧 🌹 \u{10fffd} &amp; &#xD;</body></message>`;
    await add(romeo, toWire(text));
    assert.equal((await store.page(romeo, '', 1, 1e6))[0]!.wire, toWire(text));
  });

  it('counts messages and their bytes, by account', async () => {
    assert.deepEqual(await store.totals(romeo), { messages: 0, bytes: 0 });
    await Promise.all([add(romeo, 'abc'), add(romeo, 'de'), add(juliet, 'f')]);
    assert.deepEqual(await store.totals(romeo), { messages: 2, bytes: 5 });
    assert.deepEqual(await store.totals(juliet), { messages: 1, bytes: 1 });
  });

  it('removes single messages, and all of an account, those being written included', async () => {
    const id = await add(romeo, 'a');
    await add(romeo, 'b');
    await store.remove(id);
    assert.deepEqual(
      (await store.page(romeo, '', 9, 99)).map(({ wire }) => wire),
      ['b'],
    );
    await add(juliet, 'c');
    void add(romeo, 'late');
    await store.removeAll(romeo);
    assert.deepEqual(await store.totals(romeo), { messages: 0, bytes: 0 });
    assert.equal((await store.totals(juliet)).messages, 1);
  });

  it('never gives a number twice', async () => {
    const id = await add(romeo, 'a');
    await store.remove(id);
    assert.ok((await add(romeo, 'b')) > id);
  });

  it('keeps a message once', async () => {
    await add(romeo, 'a', 'same');
    await assert.rejects(add(romeo, 'a', 'same'), { kind: 'constraint' });
    await add(juliet, 'a', 'same');
    assert.deepEqual(await store.totals(romeo), { messages: 1, bytes: 1 });
  });

  it('knows whether an account has a message, and finds it, by its stanza id', async () => {
    const id = await add(romeo, '<message>1</message>', 'Same');
    await add(juliet, '<message>2</message>', 'other');
    assert.equal(await store.has(romeo, 'Same'), true);
    for (const unknown of ['same', 'other', '']) assert.equal(await store.has(romeo, unknown), false, unknown);
    assert.equal(await store.has(juliet, 'Same'), false);
    await store.remove(id);
    assert.equal(await store.has(romeo, 'Same'), false);
    assert.equal(await store.has(juliet, 'other'), true);
  });
}
