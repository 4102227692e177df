import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { privateStore, type PrivateStore } from './store.ts';

const ROMEO = parseJid('romeo@example.org')!;
const JULIET = parseJid('juliet@example.org')!;
/** As it is on the wire: bytes as characters. */
const wire = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** What the store has to do on every database. `open` gives a new, empty one. */
export function privateStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: PrivateStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('private-storage/documents', privateStore.migrations);
    store = await privateStore.open(storage);
  });
  afterEach(() => storage.close());

  const put = (account = ROMEO, name = 'a', xmlns = 'urn:a', text = '<a xmlns="urn:a"/>', most = 3) =>
    store.set(account, [{ name, xmlns, wire: text }], most);

  it('knows nothing of what nobody put', async () => {
    assert.equal(await store.get(ROMEO, 'a', 'urn:a'), undefined);
  });

  it('gives back what was put, byte for byte', async () => {
    const text = wire('<a xmlns="urn:a">Юлия 🌹 &amp; \' " &#10;</a>');
    assert.equal(await put(ROMEO, 'a', 'urn:a', text), true);
    assert.equal(await store.get(ROMEO, 'a', 'urn:a'), text);
  });

  it('tells apart accounts, names and namespaces, also in their case', async () => {
    await put(ROMEO, 'a', 'urn:a', '<a>1</a>');
    await put(ROMEO, 'A', 'urn:a', '<A>2</A>');
    await put(ROMEO, 'a', 'urn:A', '<a>3</a>');
    await put(JULIET, 'a', 'urn:a', '<a>4</a>');
    assert.equal(await store.get(ROMEO, 'a', 'urn:a'), '<a>1</a>');
    assert.equal(await store.get(ROMEO, 'A', 'urn:a'), '<A>2</A>');
    assert.equal(await store.get(ROMEO, 'a', 'urn:A'), '<a>3</a>');
    assert.equal(await store.get(JULIET, 'a', 'urn:a'), '<a>4</a>');
    assert.equal(await store.get(JULIET, 'A', 'urn:a'), undefined);
  });

  it('replaces what is there, which takes no more room', async () => {
    for (const n of [1, 2, 3, 4, 5]) assert.equal(await put(ROMEO, 'a', 'urn:a', `<a>${n}</a>`, 1), true);
    assert.equal(await store.get(ROMEO, 'a', 'urn:a'), '<a>5</a>');
  });

  it('keeps no more than so many of an account, and of a request all or none', async () => {
    for (const name of ['a', 'b']) await put(ROMEO, name);
    const two = ['c', 'd'].map(name => ({ name, xmlns: 'urn:a', wire: `<${name}/>` }));
    assert.equal(await store.set(ROMEO, [{ name: 'a', xmlns: 'urn:a', wire: '<a>new</a>' }, ...two], 3), false);
    assert.equal(await store.get(ROMEO, 'a', 'urn:a'), '<a xmlns="urn:a"/>');
    assert.equal(await store.get(ROMEO, 'c', 'urn:a'), undefined);
    assert.equal(await put(ROMEO, 'c'), true);
    assert.equal(await put(ROMEO, 'd'), false);
    assert.equal(await put(JULIET, 'd'), true);
  });

  it('keeps a large document', async () => {
    const large = `<a>${'x'.repeat(1_000_000)}</a>`;
    await put(ROMEO, 'a', 'urn:a', large);
    assert.equal((await store.get(ROMEO, 'a', 'urn:a'))!.length, large.length);
  });

  it('goes with its account, and no other', async () => {
    await put(ROMEO);
    await put(JULIET);
    await store.removeAll(ROMEO);
    assert.equal(await store.get(ROMEO, 'a', 'urn:a'), undefined);
    assert.ok(await store.get(JULIET, 'a', 'urn:a'));
  });

  it('gives the documents of an account one after the other, and no other’s', async () => {
    const text = wire('<b xmlns="urn:a">Ä 🌹</b>');
    await put(ROMEO, 'a');
    await put(JULIET, 'j');
    await put(ROMEO, 'b', 'urn:a', text);
    await put(ROMEO, 'a', 'urn:a', '<a xmlns="urn:a">new</a>');
    const found: string[] = [];
    for (let after = 0; ;) {
      const next = await store.next(ROMEO, after);
      if (!next) break;
      assert.ok(next.id > after);
      after = next.id;
      found.push(next.wire);
    }
    assert.deepEqual(found.toSorted(), ['<a xmlns="urn:a">new</a>', text].toSorted());
    assert.equal(await store.next(JULIET, 1_000_000), undefined);
    await store.removeAll(ROMEO);
    assert.equal(await store.next(ROMEO, 0), undefined);
  });
}
