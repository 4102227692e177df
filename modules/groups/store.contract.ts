import assert from 'node:assert/strict';
import type { Storage } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { type Claim, groupStore, type GroupStore } from './store.ts';

const DOMAIN = 'conference.localhost';
const named = (name: string) => parseJid(`${name}@${DOMAIN}`)!;
const romeo = parseJid('romeo@localhost')!;
const juliet = parseJid('juliet@localhost')!;
const long = parseJid(`${'r'.repeat(1000)}@localhost`)!;

/** What the store has to do on every database. `open` gives a new, empty one. */
export function groupStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: GroupStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('groups/groups', groupStore.migrations);
    store = await groupStore.open(storage);
  });
  afterEach(() => storage.close());

  const claim = (name: string, more: Partial<Claim> = {}): Promise<number> =>
    store.claim({ room: named(name), kind: 'group', founder: romeo.bare, most: undefined, now: 1000, ...more });

  it('keeps a group under a number that no other has', async () => {
    assert.equal(await claim('verona'), -1);
    assert.equal(await claim('mantua', { now: 2000 }), -1);
    const verona = (await store.load(named('verona')))!;
    const { number, ...rest } = verona.group;
    assert.deepEqual(rest, {
      kind: 'group',
      founder: romeo.bare,
      founded: 1000,
      active: 1000,
      mutedUntil: 0,
      announcement: undefined,
    });
    assert.ok(number >= 100_000_000 && number <= 999_999_999);
    assert.notEqual((await store.load(named('mantua')))!.group.number, number);
    assert.equal(await store.numbered(number), named('verona').bare);
    assert.equal(await store.numbered(1), undefined);
    assert.equal(await store.load(named('padua')), undefined);
  });

  it('of many claims at once no more succeed than a founder may have', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => claim(`g${i}`, { most: 4 })));
    assert.equal(results.filter(result => result < 0).length, 4);
    assert.ok(results.every(result => result === -1 || result === 4));
    assert.equal(await store.founded(romeo.bare, DOMAIN, 'group'), 4);
    // others, other kinds and other domains have their own
    assert.equal(await claim('juliet', { most: 4, founder: juliet.bare }), -1);
    assert.equal(await claim('talk', { most: 4, kind: 'discussion' }), -1);
    assert.equal(await claim('far', { most: 4, room: parseJid('far@rooms.other')! }), -1);
    await store.remove(named(`g${results.indexOf(-1)}`));
    assert.equal(await claim('more', { most: 4 }), -1);
  });

  it('a group that is about to end counts no more, and one that takes its name is another', async () => {
    const farewell = { room: 1, jid: named('verona').bare, farewell: '{}' };
    assert.equal(await claim('verona', { most: 1 }), -1);
    await store.mute(named('verona'), juliet, 5000);
    await store.farewells.bid(farewell);
    assert.equal(await store.founded(romeo.bare, DOMAIN, 'group'), 0);
    await store.farewells.spare(farewell);
    assert.equal(await store.founded(romeo.bare, DOMAIN, 'group'), 1);
    await store.farewells.bid(farewell);
    const { number } = (await store.load(named('verona')))!.group;
    assert.equal(await claim('verona', { most: 1 }), -1);
    await store.remove(named('verona'), true);
    const { group, mutes } = (await store.load(named('verona')))!;
    assert.deepEqual([group.number === number, mutes.size], [false, 0]);
    assert.equal(await claim('mantua', { most: 1 }), 1);
    await store.farewells.bid(farewell);
    await store.remove(named('verona'), true);
    assert.equal(await store.load(named('verona')), undefined);
  });

  it('a claim made again counts once, and one of another kind is another', async () => {
    assert.equal(await claim('verona', { most: 1 }), -1);
    assert.equal(await claim('verona', { most: 1 }), -1);
    assert.equal(await claim('talk', { kind: 'discussion' }), -1);
    const { number } = (await store.load(named('talk')))!.group;
    assert.equal(await store.numbered(number), undefined);
    assert.equal(await claim('talk', { most: 1 }), 1);
    assert.equal((await store.load(named('talk')))!.group.kind, 'discussion');
    assert.equal(await claim('talk', { most: 2 }), -1);
    assert.equal((await store.load(named('talk')))!.group.number, number);
    assert.equal(await store.numbered(number), named('talk').bare);
  });

  it('keeps who is muted until when, and what is announced', async () => {
    await claim('verona');
    await store.mute(named('verona'), juliet, 5000);
    await store.mute(named('verona'), juliet, 6000);
    await store.mute(named('verona'), long, 7000);
    await store.muteAll(named('verona'), 253_402_300_799_000);
    await store.announce(named('verona'), { text: 'Höhle 🦇', by: romeo.bare, at: 8000 });
    const { group, mutes } = (await store.load(named('verona')))!;
    assert.equal(mutes.get(juliet.bare), 6000);
    assert.equal(mutes.size, 2);
    assert.equal(group.mutedUntil, 253_402_300_799_000);
    assert.deepEqual(group.announcement, { text: 'Höhle 🦇', by: romeo.bare, at: 8000 });
    await store.mute(named('verona'), juliet, 0);
    await store.announce(named('verona'), undefined);
    const after = (await store.load(named('verona')))!;
    assert.deepEqual([after.mutes.size, after.group.announcement], [1, undefined]);
    await store.remove(named('verona'));
    await claim('verona');
    assert.equal((await store.load(named('verona')))!.mutes.size, 0);
  });

  it('knows which discussions are idle, and pages through all', async () => {
    for (const name of ['a', 'b', 'c']) await claim(name, { kind: 'discussion' });
    await claim('d');
    await store.touch([named('b').bare], 5000);
    await claim('e', { kind: 'discussion', room: parseJid('e@rooms.other')! });
    assert.deepEqual(await store.idle(DOMAIN, 2000, 10), [named('a').bare, named('c').bare]);
    assert.deepEqual(await store.idle('rooms.other', 2000, 10), ['e@rooms.other']);
    assert.deepEqual(await store.after('', 2), [named('a').bare, named('b').bare]);
    assert.deepEqual(await store.after(named('b').bare, 5), [named('c').bare, named('d').bare, 'e@rooms.other']);
  });

  it('keeps how far somebody has read, and never less', async () => {
    const [first, second] = ['01kcwq7m5c000d4u6tl9q', '01kcwq7m5c000d4u6tl9r'] as const;
    const verona = named('verona');
    await claim('verona');
    assert.equal(await store.cursors.get(verona, romeo), undefined);
    assert.equal(await store.cursors.move(verona, romeo, second, 1000), true);
    assert.equal(await store.cursors.move(verona, romeo, first, 2000), false);
    assert.equal(await store.cursors.move(verona, long, first, 3000), true);
    assert.equal(await store.cursors.get(verona, romeo), second);
    const all = async (id: string) =>
      (await store.cursors.of(verona, id)).map(({ account, cursor, at }) => `${account.bare.length} ${cursor} ${at}`);
    assert.deepEqual(await all(''), [`${romeo.bare.length} ${second} 1000`, `${long.bare.length} ${first} 3000`]);
    assert.deepEqual(await all(second), [`${romeo.bare.length} ${second} 1000`]);
    await store.cursors.forget(verona, romeo);
    assert.equal(await store.cursors.get(verona, romeo), undefined);
    await store.remove(verona);
    assert.deepEqual(await all(''), []);
  });

  it('keeps exceptions of accounts', async () => {
    assert.equal(await store.allowances.get(long), undefined);
    await store.allowances.set(long, 7);
    await store.allowances.set(long, 0);
    assert.equal(await store.allowances.get(long), 0);
    await store.allowances.set(long, undefined);
    assert.equal(await store.allowances.get(long), undefined);
  });

  it('keeps nothing of an account that is gone', async () => {
    await claim('verona');
    for (const account of [romeo, long]) {
      await store.allowances.set(account, 7);
      await store.mute(named('verona'), account, 5000);
      await store.cursors.move(named('verona'), account, '01kcwq7m5c000d4u6tl9q', 1);
    }
    await claim('mantua', { founder: juliet.bare });
    await store.forgetAccount(juliet);
    assert.equal(await store.founded(juliet.bare, DOMAIN, 'group'), 0);
    assert.deepEqual(await store.mutedIn(long), [named('verona').bare]);
    await store.forgetAccount(long);
    assert.deepEqual(await store.mutedIn(long), []);
    assert.deepEqual(
      [await store.allowances.get(long), await store.cursors.get(named('verona'), long)],
      [undefined, undefined],
    );
    assert.deepEqual([...(await store.load(named('verona')))!.mutes.keys()], [romeo.bare]);
    assert.equal(await store.allowances.get(romeo), 7);
  });

  it('keeps what members are to be told until they were', async () => {
    await store.farewells.bid({ room: 2, jid: named('b').bare, farewell: '{"a":1}' });
    await store.farewells.bid({ room: 1, jid: named('a').bare, farewell: '{}' });
    await store.farewells.bid({ room: 2, jid: named('b').bare, farewell: '{"a":2}' });
    assert.deepEqual(
      (await store.farewells.all()).map(each => ({ ...each })),
      [
        { room: 1, jid: named('a').bare, farewell: '{}' },
        { room: 2, jid: named('b').bare, farewell: '{"a":2}' },
      ],
    );
    await store.farewells.told(1);
    assert.equal((await store.farewells.all()).length, 1);
  });

  it('notes whose bookmarks are due, until they are settled', async () => {
    const some = [romeo, long];
    const first = await store.due.note(named('verona'), some);
    const second = await store.due.note(named('mantua'), undefined);
    assert.deepEqual(await store.due.after(0, 10), [
      { id: first, room: named('verona'), accounts: some },
      { id: second, room: named('mantua'), accounts: undefined },
    ]);
    assert.deepEqual(
      (await store.due.after(first, 10)).map(({ id }) => id),
      [second],
    );
    assert.equal((await store.due.after(0, 1)).length, 1);
    await store.due.settled([first, second]);
    assert.deepEqual(await store.due.after(0, 10), []);
  });
}
