import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Storage } from '../../api/storage.ts';
import { type ClientLogin, ClientStore, type StoredToken } from './store.ts';

const HOST = 'example.org';

/** What the store of clients has to do on every database. `makeStorage` gives a new, empty one. */
export function clientsContract(makeStorage: () => Promise<Storage>): void {
  let storage: Storage;
  let store: ClientStore;

  beforeEach(async () => {
    storage = await makeStorage();
    store = await ClientStore.open(storage);
  });
  afterEach(() => storage.close());

  const token = (changes: Partial<StoredToken> = {}): StoredToken => ({
    mechanism: 'HT-SHA-256-NONE',
    sealed: randomBytes(70),
    issuedAt: 1000,
    expiry: 9000,
    count: 0,
    ...changes,
  });
  const login = (id: string, changes: Partial<ClientLogin> = {}): Promise<boolean> =>
    store.login({
      id,
      host: HOST,
      local: 'juliet',
      software: 'AwesomeXMPP',
      device: 'phone',
      at: 1000,
      used: undefined,
      invalidate: false,
      issued: undefined,
      most: 10,
      here: [],
      ...changes,
    });
  const use = (one: StoredToken, count?: number) => ({ token: one, count });
  const ids = async (local = 'juliet') => (await store.list(HOST, local)).map(client => client.id);

  it('gives a client back as it came', async () => {
    const issued = token();
    assert.equal(await login('a', { issued, device: 'Kiva’s 📱' }), true);
    assert.deepEqual(await store.get('a'), {
      id: 'a',
      host: HOST,
      local: 'juliet',
      software: 'AwesomeXMPP',
      device: 'Kiva’s 📱',
      firstSeen: 1000,
      lastSeen: 1000,
      passwordAt: 1000,
      current: undefined,
      next: issued,
    });
    assert.equal(await store.get('b'), undefined);
  });

  it('notes a later login with what is new, and when it was first', async () => {
    const issued = token();
    await login('a', { issued });
    await login('a', { at: 2000, software: 'Other', device: '' });
    const { firstSeen, lastSeen, passwordAt, software, device, next } = (await store.get('a'))!;
    assert.deepEqual([firstSeen, lastSeen, passwordAt, software, device], [1000, 2000, 2000, 'Other', '']);
    assert.deepEqual(next, issued);
  });

  it('a token that is used becomes the current one, and the one before it is of no use any more', async () => {
    const first = token();
    const second = token();
    await login('a', { issued: first });
    assert.equal(await login('a', { used: use(first), issued: second, at: 2000 }), true);
    assert.deepEqual([(await store.get('a'))!.current, (await store.get('a'))!.next], [first, second]);
    // as long as the new one was not used, the old one is good: its client may never have heard of the other
    assert.equal(await login('a', { used: use(first), at: 3000 }), true);
    assert.equal(await login('a', { used: use(second), at: 4000 }), true);
    assert.deepEqual([(await store.get('a'))!.current, (await store.get('a'))!.next], [second, undefined]);
    assert.equal(await login('a', { used: use(first), at: 5000 }), false);
    assert.equal((await store.get('a'))!.lastSeen, 4000);
    assert.equal((await store.get('a'))!.passwordAt, 1000);
  });

  it('one that is issued takes the place of one that was not used', async () => {
    const first = token();
    const second = token();
    await login('a', { issued: first });
    await login('a', { issued: second });
    assert.equal(await login('a', { used: use(first) }), false);
    assert.equal(await login('a', { used: use(second) }), true);
  });

  it('takes no count that was there before, of those who come at once neither', async () => {
    const one = token();
    await login('a', { issued: one });
    assert.equal(await login('a', { used: use(one, 5) }), true);
    assert.equal(await login('a', { used: use(one, 5) }), false);
    assert.equal(await login('a', { used: use(one, 4) }), false);
    const race = await Promise.all([6, 6, 6].map(count => login('a', { used: use(one, count) })));
    assert.equal(race.filter(Boolean).length, 1);
    assert.equal(await login('a', { used: use(one) }), true);
    assert.equal((await store.get('a'))!.current!.count, 6);
  });

  it('a client can have its tokens invalidated, and ask for another', async () => {
    const one = token();
    const two = token();
    const three = token();
    await login('a', { issued: one });
    await login('a', { used: use(one), issued: two });
    await login('a', { used: use(one), invalidate: true });
    assert.deepEqual([(await store.get('a'))!.current, (await store.get('a'))!.next], [undefined, undefined]);
    assert.equal(await login('a', { used: use(two) }), false);
    await login('a', { invalidate: true, issued: three });
    assert.deepEqual([(await store.get('a'))!.current, (await store.get('a'))!.next], [undefined, three]);
  });

  it('revokes the tokens of one client, and forgets it', async () => {
    const one = token();
    const two = token();
    await login('a', { issued: one });
    await login('b', { issued: two });
    assert.equal(await store.revoke('a'), true);
    assert.equal(await store.revoke('c'), false);
    assert.equal(await login('a', { used: use(one) }), false);
    assert.equal((await store.get('a'))!.passwordAt, 1000);
    assert.deepEqual((await store.get('b'))!.next, two);
    assert.equal(await store.forget('a'), true);
    assert.equal(await store.forget('a'), false);
    assert.equal(await store.get('a'), undefined);
  });

  it('a login with a token that is gone makes no client', async () => {
    assert.equal(await login('a', { used: use(token()) }), false);
    assert.equal(await store.get('a'), undefined);
  });

  it('with another password no client of the account knows it, and none has a token', async () => {
    const one = token();
    await login('a', { issued: one });
    await login('b');
    await login('c', { local: 'romeo', issued: one });
    await store.passwordChanged(HOST, 'juliet');
    for (const id of ['a', 'b'])
      assert.deepEqual([(await store.get(id))!.passwordAt, (await store.get(id))!.next], [undefined, undefined]);
    assert.deepEqual([(await store.get('c'))!.passwordAt, (await store.get('c'))!.next], [1000, one]);
    // but the one that has set it
    await store.passwordChanged(HOST, 'juliet', { id: 'b', at: 2000 });
    assert.deepEqual([(await store.get('a'))!.passwordAt, (await store.get('b'))!.passwordAt], [undefined, 2000]);
  });

  it('lists the clients of one account, the last seen first, and removes them with it', async () => {
    await login('a');
    await login('b', { at: 3000 });
    await login('c', { at: 2000 });
    await login('d', { local: 'Juliet' });
    await login('e', { host: 'example.com' });
    assert.deepEqual(await ids(), ['b', 'c', 'a']);
    await store.seen('a', 4000);
    await store.seen('b', 500);
    await store.seen('nobody', 500);
    assert.deepEqual(await ids(), ['a', 'b', 'c']);
    await store.removeAccount(HOST, 'juliet');
    assert.deepEqual(await ids(), []);
    assert.deepEqual(await ids('Juliet'), ['d']);
    assert.notEqual(await store.get('e'), undefined);
  });

  it('keeps the newest of an account, so many and no more', async () => {
    for (let n = 0; n < 5; n++) await login(`c${n}`, { at: 1000 + n, most: 3 });
    await login('other', { local: 'romeo', at: 1, most: 3 });
    assert.deepEqual(await ids(), ['c4', 'c3', 'c2']);
    assert.deepEqual(await ids('romeo'), ['other']);
  });

  it('those that are here do not make room for those that come and go, unless all of them are', async () => {
    const issued = token();
    await login('desktop', { issued });
    const here = ['desktop'];
    for (let n = 0; n < 5; n++) await login(`c${n}`, { at: 2000 + 10 * n, most: 3, here });
    assert.deepEqual(await ids(), ['c4', 'desktop', 'c3']);
    assert.equal((await store.get('desktop'))!.lastSeen, 2039);
    assert.equal(await login('desktop', { used: use(issued), at: 3000 }), true);
    await login('last', { at: 4000, most: 1, here: ['desktop', 'c4', 'c3'] });
    assert.deepEqual(await ids(), ['last']);
  });

  it('forgets those that were not seen for long, in portions', async () => {
    for (let n = 0; n < 5; n++) await login(`c${n}`, { at: 1000 + n });
    assert.equal(await store.purge(1003, 2), 2);
    assert.equal(await store.purge(1003, 2), 1);
    assert.equal(await store.purge(1003, 2), 0);
    assert.deepEqual(await ids(), ['c4', 'c3']);
  });

  it('remembers clients as long as nothing is written of them, and not longer', async () => {
    const one = token();
    const all = ['a', 'b', 'c', 'd'];
    // as they are there, and once they are remembered
    const same = async (what: string): Promise<void> => {
      const other = await ClientStore.open(storage); // which remembers nothing
      for (const id of [...all, ...all])
        assert.deepEqual(await store.get(id), await other.get(id), `${id} after ${what}`);
      const known = await store.get('b');
      assert.equal(await store.get('b'), known, `b after ${what}`);
    };
    const steps: Record<string, () => Promise<unknown>> = {
      logins: async () => {
        for (const id of all) await login(id, { issued: one });
      },
      'a login by token': () => login('a', { used: use(one), at: 2000 }),
      'a count': () => login('a', { used: use(one, 7), at: 2000 }),
      'one that is refused': () => login('a', { used: use(one, 7), at: 3000 }),
      'an end': () => store.seen('c', 4000),
      'a revocation': () => store.revoke('c'),
      'a revocation while it was read': async () => {
        const reading = store.get('a');
        await store.revoke('a');
        await reading;
      },
      'another that made room': () => login('e', { at: 5000, most: 4 }),
      'another password': () => store.passwordChanged(HOST, 'juliet'),
      'having been forgotten': () => store.forget('d'),
      'not having been seen': () => store.purge(2500, 10),
      'the end of the account': () => store.removeAccount(HOST, 'juliet'),
    };
    for (const [what, step] of Object.entries(steps)) {
      await step();
      await same(what);
    }
  });
}
