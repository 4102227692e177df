import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Storage } from '../../api/storage.ts';
import { AccountStore, type Credentials } from './store.ts';

function keys(length: number) {
  return { storedKey: randomBytes(length), serverKey: randomBytes(length) };
}

function credentials(iterations = 10_000): Credentials {
  return { salt: randomBytes(16), iterations, keys: { sha1: keys(20), sha256: keys(32), sha512: keys(64) } };
}

/** What the store of accounts has to do on every database. `makeStorage` gives a new, empty one. */
export function accountsContract(makeStorage: () => Promise<Storage>): void {
  let storage: Storage;
  let store: AccountStore;

  beforeEach(async () => {
    storage = await makeStorage();
    store = await AccountStore.open(storage);
  });
  afterEach(() => storage.close());

  const add = (local: string, host = 'example.org', what = credentials()) => store.insert(host, local, what, 1000);
  const names = async (after: string, limit: number) =>
    (await store.list('example.org', after, limit)).map(account => account.local);

  it('gives an account back as it was put in, each key under its own hash', async () => {
    const what = credentials(12_345);
    assert.equal(await add('juliet', 'example.org', what), true);
    assert.deepEqual(await store.get('example.org', 'juliet'), {
      local: 'juliet',
      host: 'example.org',
      status: 'active',
      createdAt: 1000,
      lastLogin: undefined,
      credentials: what,
    });
  });

  it('keeps keys of some hashes only, and the longest salt', async () => {
    for (const [n, kept] of [{ sha1: keys(20) }, { sha256: keys(32), sha512: keys(64) }].entries()) {
      const what = { salt: randomBytes(64), iterations: 4096, keys: kept };
      await add(`juliet${n}`, 'example.org', what);
      assert.deepEqual((await store.get('example.org', `juliet${n}`))!.credentials, what);
    }
  });

  it('knows an account by its whole address', async () => {
    await add('juliet');
    assert.equal(await store.get('example.org', 'romeo'), undefined);
    assert.equal(await store.get('example.com', 'juliet'), undefined);
    assert.equal(await store.get('juliet', 'example.org'), undefined);
    assert.equal(await add('juliet', 'example.com'), true);
    assert.equal(await store.count('example.org'), 1);
  });

  it('takes no second account of a name, and leaves the first as it is', async () => {
    const first = credentials();
    await add('juliet', 'example.org', first);
    assert.equal(await add('juliet'), false);
    assert.deepEqual((await store.get('example.org', 'juliet'))!.credentials, first);
  });

  it('takes one of those who ask for a name at once', async () => {
    const results = await Promise.all(Array.from({ length: 5 }, () => add('juliet')));
    assert.equal(results.filter(Boolean).length, 1);
    assert.equal(await store.count('example.org'), 1);
  });

  it('tells names apart that differ by case or accent, and takes them as text, not as SQL', async () => {
    for (const local of ['ä', 'a', 'A', "o'hara", '%', '💌']) assert.equal(await add(local), true, local);
    for (const local of ['ä', 'a', 'A', "o'hara", '%', '💌']) {
      assert.equal((await store.get('example.org', local))?.local, local);
    }
    assert.equal(await store.remove('example.org', '%'), true);
    assert.equal(await store.count('example.org'), 5);
  });

  it('changes the credentials of one account only, and of none that is not there', async () => {
    await add('juliet');
    await add('romeo');
    const romeos = (await store.get('example.org', 'romeo'))!.credentials;
    const next = credentials(20_000);
    assert.equal(await store.setCredentials('example.org', 'juliet', next), true);
    assert.deepEqual((await store.get('example.org', 'juliet'))!.credentials, next);
    assert.deepEqual((await store.get('example.org', 'romeo'))!.credentials, romeos);
    assert.equal(await store.setCredentials('example.org', 'nobody', next), false);
    assert.equal(await store.get('example.org', 'nobody'), undefined);
  });

  it('replaces the credentials that were seen, but not those of a password set meanwhile', async () => {
    const old = credentials();
    await add('juliet', 'example.org', old);
    const raised = credentials(20_000);
    assert.equal(await store.replaceCredentials('example.org', 'juliet', old, raised), true);
    assert.deepEqual((await store.get('example.org', 'juliet'))!.credentials, raised);

    const changed = credentials();
    await store.setCredentials('example.org', 'juliet', changed);
    assert.equal(await store.replaceCredentials('example.org', 'juliet', raised, credentials()), false);
    assert.deepEqual((await store.get('example.org', 'juliet'))!.credentials, changed);
    await store.remove('example.org', 'juliet');
    assert.equal(await store.replaceCredentials('example.org', 'juliet', changed, credentials()), false);
    assert.equal(await store.get('example.org', 'juliet'), undefined);
  });

  it('disables and enables', async () => {
    await add('juliet');
    assert.equal(await store.setStatus('example.org', 'juliet', 'disabled'), true);
    assert.equal((await store.get('example.org', 'juliet'))!.status, 'disabled');
    assert.equal(await store.status('example.org', 'juliet'), 'disabled');
    assert.equal(await store.status('example.org', 'nobody'), undefined);
    await store.setStatus('example.org', 'juliet', 'active');
    assert.equal((await store.get('example.org', 'juliet'))!.status, 'active');
    assert.equal(await store.setStatus('example.org', 'nobody', 'disabled'), false);
    // as often as it is asked for, and of accounts that are gone and come back
    const status = async () => [
      await store.status('example.org', 'juliet'),
      await store.status('example.org', 'juliet'),
      await store.status('example.com', 'juliet'),
    ];
    assert.deepEqual(await status(), ['active', 'active', undefined]);
    await store.remove('example.org', 'juliet');
    assert.deepEqual(await status(), [undefined, undefined, undefined]);
    await add('juliet');
    assert.deepEqual(await status(), ['active', 'active', undefined]);
  });

  it('removes, and gives the name to the next', async () => {
    await add('juliet');
    assert.equal(await store.remove('example.org', 'juliet'), true);
    assert.equal(await store.get('example.org', 'juliet'), undefined);
    assert.equal(await store.remove('example.org', 'juliet'), false);
    assert.equal(await add('juliet'), true);
  });

  it('lists a host in pages, in order, each account once', async () => {
    for (const local of ['d', 'b', 'e', 'a', 'c']) await add(local);
    await add('b2', 'example.com');
    assert.deepEqual(await names('', 2), ['a', 'b']);
    assert.deepEqual(await names('b', 2), ['c', 'd']);
    assert.deepEqual(await names('d', 2), ['e']);
    assert.deepEqual(await names('e', 2), []);
    assert.equal(await store.count('example.org'), 5);
    assert.equal(await store.count('nowhere'), 0);
  });

  it('notes logins, many in one transaction, also of accounts that are gone', async () => {
    await add('juliet');
    await add('romeo');
    const before = storage.counts().batches;
    await Promise.all([
      store.noteLogin('example.org', 'juliet', 5000),
      store.noteLogin('example.org', 'nobody', 5500),
      store.noteLogin('example.org', 'juliet', 6000),
    ]);
    // one, or two where the first row took its time
    assert.ok(storage.counts().batches - before < 3);
    assert.equal((await store.get('example.org', 'juliet'))!.lastLogin, 6000);
    assert.equal((await store.get('example.org', 'romeo'))!.lastLogin, undefined);
    assert.equal(await store.get('example.org', 'nobody'), undefined);
  });

  it('keeps secrets, one for each name, the same for whoever asks', async () => {
    const [first, second] = await Promise.all([store.secret('a'), store.secret('a')]);
    assert.equal(first.length, 32);
    assert.deepEqual(second, first);
    assert.notDeepEqual(await store.secret('b'), first);
    const again = await AccountStore.open(storage);
    assert.deepEqual(await again.secret('a'), first);
  });
}
