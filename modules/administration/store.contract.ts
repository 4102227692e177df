import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { administratorsStore, announcementsStore, type AnnouncementsStore } from './store.ts';

const HOST = 'example.org';
const ROMEO = parseJid('romeo@example.org')!;
const JULIET = parseJid('juliet@example.org')!;
const ELSEWHERE = parseJid('romeo@example.net')!;

/** What the stores have to do on every database. `open` gives a new, empty one. */
export function administrationStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  beforeEach(async () => {
    storage = await open();
    await storage.migrate('administration/announcements', announcementsStore.migrations);
    await storage.migrate('administration/administrators', administratorsStore.migrations);
  });
  afterEach(() => storage.close());

  describe('announcements', () => {
    let store: AnnouncementsStore;
    beforeEach(async () => {
      store = await announcementsStore.open(storage);
    });

    it('there are none at first', async () => {
      assert.equal(store.any(HOST), false);
      assert.equal(await store.get(HOST, 'motd'), undefined);
      assert.deepEqual(await store.unseen(ROMEO), []);
    });

    it('the message of the day is unseen once by each account of its host, also after a restart', async () => {
      await store.set(HOST, 'motd', 'Good morrow\n🌹');
      assert.equal(store.any(HOST), true);
      assert.equal(store.any('example.net'), false);
      assert.deepEqual(await store.unseen(ROMEO), ['Good morrow\n🌹']);
      assert.deepEqual(await store.unseen(ROMEO), []);
      assert.deepEqual(await store.unseen(ELSEWHERE), []);
      store = await announcementsStore.open(storage);
      assert.equal((await store.get(HOST, 'motd'))?.text, 'Good morrow\n🌹');
      assert.deepEqual(await store.unseen(ROMEO), []);
      assert.deepEqual(await store.unseen(JULIET), ['Good morrow\n🌹']);
    });

    it('a new text is unseen again, however soon it comes', async () => {
      for (const text of ['one', 'two', 'three']) {
        await store.set(HOST, 'motd', text);
        assert.deepEqual(await store.unseen(ROMEO), [text]);
      }
      await store.set(HOST, 'motd', undefined);
      assert.equal(store.any(HOST), false);
      assert.deepEqual(await store.unseen(JULIET), []);
    });

    it('those who were told have seen it', async () => {
      await store.set(HOST, 'motd', 'one');
      const many = Array.from({ length: 450 }, (_, i) => `a${i}@example.org`);
      await store.markSeen([...many, ROMEO.bare], HOST);
      assert.deepEqual(await store.unseen(ROMEO), []);
      assert.deepEqual(await store.unseen(parseJid('a449@example.org')!), []);
      assert.deepEqual(await store.unseen(JULIET), ['one']);
      await store.markSeen([], HOST);
      await store.markSeen([ROMEO.bare], 'example.net');
    });

    it('the welcome is for those who are new since it was set', async () => {
      await store.newcomer(ROMEO);
      await store.set(HOST, 'welcome', 'Welcome');
      assert.deepEqual(await store.unseen(ROMEO), []);
      await store.newcomer(JULIET);
      await store.set(HOST, 'motd', 'News');
      assert.deepEqual(await store.unseen(JULIET), ['Welcome', 'News']);
      assert.deepEqual(await store.unseen(JULIET), []);
    });

    it('an account that is forgotten has seen nothing', async () => {
      await store.set(HOST, 'motd', 'one');
      await store.unseen(ROMEO);
      await store.unseen(JULIET);
      await store.forget(ROMEO);
      assert.deepEqual(await store.unseen(ROMEO), ['one']);
      assert.deepEqual(await store.unseen(JULIET), []);
    });
  });

  describe('administrators', () => {
    const bare = async () => (await administratorsStore.open(storage)).of(HOST).map(jid => jid.bare);

    it('are those that were set last, on each host', async () => {
      const store = await administratorsStore.open(storage);
      assert.deepEqual(store.of(HOST), []);
      await store.set(HOST, [ROMEO, JULIET]);
      await store.set('example.net', [ELSEWHERE]);
      assert.deepEqual(store.of(HOST), [ROMEO, JULIET]);
      assert.deepEqual(await bare(), [JULIET.bare, ROMEO.bare]);
      await store.set(HOST, [ELSEWHERE]);
      assert.deepEqual(await bare(), [ELSEWHERE.bare]);
      await store.set(HOST, []);
      assert.deepEqual(await bare(), []);
      assert.deepEqual(store.of('example.net'), [ELSEWHERE]);
    });

    it('an account that is forgotten administers nothing', async () => {
      const store = await administratorsStore.open(storage);
      await store.set(HOST, [ROMEO, JULIET]);
      await store.set('example.net', [ROMEO]);
      await store.forget(ROMEO);
      assert.deepEqual(store.of(HOST), [JULIET]);
      assert.deepEqual(store.of('example.net'), []);
      assert.deepEqual(await bare(), [JULIET.bare]);
    });
  });
}
