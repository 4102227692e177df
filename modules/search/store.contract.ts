import assert from 'node:assert/strict';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { FOLD, fold } from './fold.ts';
import { HOSTS, PEOPLE, TERMS } from './schema.ts';
import { directoryStore, type DirectoryStore, type Names } from './store.ts';

const HOST = 'example.org';
const jid = (name: string, host = HOST): Jid => parseJid(`${name}@${host}`)!;
const named = (...all: string[]): Names => ({ nick: all[0] ?? '', first: '', last: '', all });

/** What the store has to do on every database. `open` gives a new, empty one. */
export function directoryStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: DirectoryStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('search/directory', directoryStore.migrations);
    store = await directoryStore.open(storage);
  });
  afterEach(() => storage.close());

  const add = (name: string, ...names: string[]) =>
    store.change(HOST, [[jid(name), { names: named(...names), byName: true }]]);
  /** Whom a text finds in the ranks, those who said yes first. */
  const find = async (text: string, { host = HOST, said = true, whole = false, limit = 100, offset = 0 } = {}) => {
    const found: string[] = [];
    for (const rank of ['name', 'word', 'inside'] as const) {
      for (const { person } of await store.matching(host, { rank, said, text: fold(text), whole, limit, offset }))
        if (!found.includes(person.account)) found.push(person.account);
    }
    return found.map(account => account.split('@')[0]);
  };
  const count = async (table: string): Promise<number> =>
    Number((await storage.read(q => q(table).count({ n: '*' }).first()))!.n);

  it('knows nothing of whom nothing was said', async () => {
    assert.equal(await store.get(jid('romeo')), undefined);
    assert.equal(await store.withNumber(HOST, '1'), undefined);
    assert.deepEqual(await find('romeo'), []);
  });

  it('keeps what was said, and changes a part of it', async () => {
    const names = { nick: '王小明🌹', first: '小明', last: '王', all: ['王小明🌹', "O'Brien \\ %_"] };
    await store.change(HOST, [[jid('romeo'), { names, byNumber: false, number: '+8613800138000' }]]);
    const person = {
      account: 'romeo@example.org',
      byNumber: false,
      byName: undefined,
      number: '+8613800138000',
      ...names,
    };
    assert.deepEqual(await store.get(jid('romeo')), person);
    assert.deepEqual(await store.withNumber(HOST, '+8613800138000'), person);
    await store.change(HOST, [[jid('romeo'), { byNumber: 'default', byName: true, number: '' }]]);
    assert.deepEqual(await store.get(jid('romeo')), {
      ...person,
      byNumber: undefined,
      byName: true,
      number: undefined,
    });
    assert.equal(await store.withNumber(HOST, '+8613800138000'), undefined);
  });

  it('finds by beginnings of names and words, and by what is inside, in any script', async () => {
    await add('a', 'Wei Chen');
    await add('b', '王小明');
    await add('c', '김민수');
    await add('d', 'さくら');
    await add('e', '𠮷野家');
    await add('f', 'José');
    await add('g', 'José María');
    for (const [text, ...expected] of [
      ['wei', 'a'],
      ['chen', 'a'],
      ['he', 'a'],
      ['ch', 'a'],
      ['王', 'b'],
      ['小明', 'b'],
      ['王小', 'b'],
      ['민수', 'c'],
      ['サク', 'd'],
      ['野家', 'e'],
      ['𠮷', 'e'],
      ['jose', 'f', 'g'],
      ['JOSÉ M', 'g'],
      ['os', 'f', 'g'],
      ['z'],
      ['明小'],
    ] as const)
      assert.deepEqual(await find(text), expected, text);
    assert.deepEqual(await find('jose', { whole: true }), ['f', 'g']);
    assert.deepEqual(await find('jos', { whole: true }), []);
  });

  it('goes by the bytes of terms, in pages', async () => {
    for (const [name, nick] of Object.entries({ a: 'anz', b: 'ana', c: 'an', d: 'ang', e: 'an王', f: 'an1' }))
      await add(name, nick);
    assert.deepEqual(await find('an'), ['c', 'f', 'b', 'd', 'a', 'e']);
    assert.deepEqual(await find('an', { limit: 2, offset: 3 }), ['d', 'a']);
  });

  it('tells how frequent a beginning is, up to a bound', async () => {
    for (const [i, nick] of ['ann', 'anna', 'anne', 'bea'].entries()) await add(`p${i}`, nick);
    const count = (text: string, most: number) => store.frequency(HOST, { rank: 'name', said: true, text }, most);
    assert.deepEqual(
      await Promise.all([count('ann', 10), count('ann', 2), count('b', 10), count('x', 10)]),
      [3, 2, 1, 0],
    );
    assert.equal(await store.frequency(HOST, { rank: 'name', said: false, text: 'ann' }, 10), 0);
  });

  it('keeps those who said yes apart from those who said nothing, and shows nobody who said no', async () => {
    const choose = (byName: boolean | 'default') => store.change(HOST, [[jid('romeo'), { byName }]]);
    await store.change(HOST, [[jid('romeo'), { names: named('Romeo') }]]);
    for (const [choice, yes, unsaid] of [
      ['default', [], ['romeo']],
      [true, ['romeo'], []],
      [false, [], []],
      [true, ['romeo'], []],
      ['default', [], ['romeo']],
    ] as const) {
      await choose(choice);
      assert.deepEqual(await find('rom'), yes, String(choice));
      assert.deepEqual(await find('rom', { said: false }), unsaid, String(choice));
    }
  });

  it('keeps hosts apart', async () => {
    await add('romeo', 'Romeo');
    await store.change(HOST, [[jid('romeo'), { number: '1' }]]);
    const other = jid('romeo', 'other.example');
    assert.equal(
      await store.change('other.example', [[other, { names: named('Romeo'), byName: true, number: '1' }]]),
      'changed',
    );
    assert.equal((await store.withNumber(HOST, '1'))!.account, 'romeo@example.org');
    assert.equal((await store.withNumber('other.example', '1'))!.account, other.bare);
    assert.deepEqual(await store.withNumber('third.example', '1'), undefined);
    assert.equal((await find('romeo', { host: 'other.example' })).length, 1);
  });

  it('a number is one person’s, also when several want it at once', async () => {
    const want = (name: string) => store.change(HOST, [[jid(name), { number: '10086' }]]);
    const answers = await Promise.all(['a', 'b', 'c'].map(want));
    assert.deepEqual(answers.toSorted(), ['changed', 'taken', 'taken']);
    const { account } = (await store.withNumber(HOST, '10086'))!;
    assert.equal(await want(account.split('@')[0]!), 'changed');
    assert.equal(await count(PEOPLE), 1);
    // all or nothing
    assert.equal(
      await store.change(HOST, [
        [jid('x'), { byName: true }],
        [jid('y'), { number: '10086' }],
      ]),
      'taken',
    );
    assert.equal(await count(PEOPLE), 1);
  });

  it('new names take the place of the old ones', async () => {
    await add('romeo', 'Romeo Montague', 'Rom');
    await add('romeo', 'Rom', 'Mercutio');
    assert.deepEqual(await find('montague'), []);
    assert.deepEqual(await find('rom'), ['romeo']);
    assert.deepEqual(await find('cutio'), ['romeo']);
    await add('romeo');
    assert.equal(await count(TERMS), 0);
    await store.change(HOST, [[jid('romeo'), { byName: 'default' }]]);
    assert.equal(await count(PEOPLE), 0);
  });

  it('long and many names are taken', async () => {
    const long = '王'.repeat(200);
    await store.change(HOST, [
      [jid('romeo'), { byName: true, names: { nick: long, first: long, last: long, all: [long, 'x'.repeat(200)] } }],
    ]);
    assert.deepEqual(await find('王'.repeat(24)), ['romeo']);
    assert.equal((await store.get(jid('romeo')))!.nick, long);
  });

  it('goes with its account, and no other', async () => {
    await add('romeo', 'Romeo');
    await add('juliet', 'Romeo too');
    await store.remove(jid('romeo'));
    await store.remove(jid('nobody'));
    assert.deepEqual(await find('romeo'), ['juliet']);
    assert.equal(await store.get(jid('romeo')), undefined);
    await store.remove(jid('juliet'));
    assert.equal((await count(TERMS)) + (await count(PEOPLE)), 0);
  });

  it('knows up to which account a host was gathered, and begins anew where names were folded otherwise', async () => {
    assert.equal(await store.gathered(HOST), '');
    await store.setGathered(HOST, 'juliet');
    assert.equal(await store.gathered(HOST), 'juliet');
    await store.setGathered(HOST, undefined);
    assert.equal(await store.gathered(HOST), undefined);
    await store.change(HOST, [[jid('romeo'), { names: named('Romeo'), byName: true, number: '1' }]]);
    await storage.transact(tx => tx(HOSTS).update({ fold: FOLD - 1 }));
    assert.equal(await store.gathered(HOST), '');
    assert.equal(await count(TERMS), 0);
    const { all, byName, number } = (await store.get(jid('romeo')))!;
    assert.deepEqual({ all, byName, number }, { all: [], byName: true, number: '1' });
    await add('romeo', 'Romeo');
    assert.deepEqual(await find('rom'), ['romeo']);
  });
}
