import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { keyOf } from './registration.ts';
import { pushStore, type PushStore } from './store.ts';

const ROMEO = parseJid('romeo@example.org')!;
const JULIET = parseJid('juliet@example.org')!;
const SERVICE = parseJid('push.example.net')!;
const OTHER = parseJid('Push@other.example.net/x')!;

/** What the store has to do on every database. `open` gives a new, empty one. */
export function pushStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: PushStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('push/registrations', pushStore.migrations);
    store = await pushStore.open(storage);
  });
  afterEach(() => storage.close());

  const put = (node: string, at = 1, account = ROMEO, service = SERVICE, most = 10) =>
    store.put({ account, service, node, device: 'phone', options: [], settings: {}, enabledAt: at }, most);
  const nodes = async (account = ROMEO) => (await store.all(account)).map(({ node }) => node);

  it('knows nothing of what nobody enabled', async () => {
    assert.deepEqual(await nodes(), []);
    assert.equal((await store.many([ROMEO.bare])).size, 0);
    assert.equal(await store.remove(ROMEO, SERVICE, 'a'), 0);
    assert.equal(await store.remove(ROMEO, SERVICE, undefined), 0);
  });

  it('gives back what was put, also what is long or in other scripts', async () => {
    const node = `${'n'.repeat(1000)} 🌹`;
    const options = [['secret', ['Юлия 🌹', '']] as const, ['x'.repeat(2000), []] as const];
    const settings = { away: false, content: 'sender', groups: 'never', identity: 'tablet' } as const;
    await store.put(
      { account: ROMEO, service: OTHER, node, device: 'Ätna', options, settings, enabledAt: 1_790_000_000_000 },
      10,
    );
    const [found, ...others] = await store.all(ROMEO);
    assert.deepEqual(others, []);
    assert.deepEqual(
      { ...found, account: found!.account.full, service: found!.service.full },
      {
        key: keyOf(ROMEO, OTHER, node),
        account: ROMEO.bare,
        service: OTHER.full,
        node,
        device: 'Ätna',
        options,
        settings,
        enabledAt: 1_790_000_000_000,
      },
    );
  });

  it('the last request counts of an account, service and node, told apart also in their case', async () => {
    await put('a', 1);
    await put('A', 2);
    await put('a', 3, ROMEO, OTHER);
    await put('a', 4, JULIET);
    assert.deepEqual(await nodes(), ['a', 'A', 'a']);
    await put('a', 5);
    // behind the others: it was enabled last
    assert.deepEqual(await nodes(), ['A', 'a', 'a']);
    assert.deepEqual((await store.all(ROMEO)).at(-1)!.service.full, SERVICE.full);
    assert.deepEqual(await nodes(JULIET), ['a']);
  });

  it('keeps no more than so many of an account: those that were enabled last', async () => {
    for (const [index, node] of ['a', 'b', 'c'].entries()) await put(node, index, ROMEO, SERVICE, 3);
    await put('j', 0, JULIET, SERVICE, 1);
    await put('b', 7, ROMEO, SERVICE, 3);
    assert.deepEqual(await nodes(), ['a', 'c', 'b']);
    await put('d', 8, ROMEO, SERVICE, 3);
    assert.deepEqual(await nodes(), ['c', 'b', 'd']);
    await put('e', 9, ROMEO, SERVICE, 1);
    assert.deepEqual(await nodes(), ['e']);
    assert.deepEqual(await nodes(JULIET), ['j']);
  });

  it('takes away one node of a service, or all of it', async () => {
    for (const node of ['', 'a', 'b']) await put(node);
    await put('a', 2, ROMEO, OTHER);
    await put('a', 2, JULIET);
    assert.equal(await store.remove(ROMEO, SERVICE, 'a'), 1);
    assert.deepEqual((await nodes()).toSorted(), ['', 'a', 'b']);
    assert.equal(await store.remove(ROMEO, SERVICE, ''), 1);
    assert.equal(await store.remove(ROMEO, SERVICE, undefined), 1);
    assert.deepEqual(
      (await store.all(ROMEO)).map(({ service }) => service.full),
      [OTHER.full],
    );
    assert.deepEqual(await nodes(JULIET), ['a']);
  });

  it('gives those of many accounts at once', async () => {
    await put('a', 2);
    await put('b', 1);
    await put('c', 1, JULIET);
    const many = [...Array.from({ length: 1200 }, (_, i) => `nobody${i}@example.org`), ROMEO.bare, JULIET.bare];
    const found = await store.many(many);
    assert.equal(found.size, 2);
    const nodesOf = (account: string) => found.get(account)?.map(({ node }) => node);
    assert.deepEqual([nodesOf(ROMEO.bare), nodesOf(JULIET.bare)], [['b', 'a'], ['c']]);
  });

  it('goes with its account, and no other', async () => {
    await put('a');
    await put('a', 1, JULIET);
    await store.removeAll(ROMEO);
    assert.deepEqual([await nodes(), await nodes(JULIET)], [[], ['a']]);
  });
}
