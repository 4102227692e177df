import assert from 'node:assert/strict';
import { setImmediate as tick } from 'node:timers/promises';
import { indexed } from '../../src/xml/index.ts';
import type { OriginKey } from './origin-key.ts';
import { Origins } from './origins.ts';

describe('Origins', () => {
  const message = (attributes: string): string =>
    `<message xmlns='jabber:client'><body>a</body><origin-id xmlns='urn:xmpp:sid:0'${attributes}/></message>`;
  const keyOf = (origins: Origins, id: string, from = 'romeo@localhost', to = 'juliet@localhost'): OriginKey =>
    origins.keyOf(from, to, indexed(message(` id='${id}'`)))!;

  it('knows a message again by its sender, its recipient and its id, and by nothing less', () => {
    const origins = new Origins(1000);
    origins.add(keyOf(origins, 'a1'));
    assert.equal(origins.get(keyOf(origins, 'a1')), true);
    assert.equal(
      origins.get(origins.keyOf('romeo@localhost', 'juliet@localhost', indexed(message(' id="a1"')))!),
      true,
    );
    for (const key of [
      keyOf(origins, 'a2'),
      keyOf(origins, 'a1 '),
      keyOf(origins, ''),
      keyOf(origins, 'a1', 'nurse@localhost'),
      keyOf(origins, 'a1', 'romeo@localhost', 'nurse@localhost'),
      keyOf(origins, 'a1', 'juliet@localhost', 'romeo@localhost'),
      // the same characters, elsewhere
      keyOf(origins, 'ta1', 'romeo@localhost', 'juliet@localhos'),
      keyOf(origins, 'a1', 'romeo@localhostj', 'uliet@localhost'),
    ])
      assert.equal(origins.get(key), undefined);
    assert.equal(origins.keyOf('a@b', 'c@d', indexed(message(''))), undefined);
    assert.equal(origins.keyOf('a@b', 'c@d', indexed(`<message xmlns='jabber:client'><body/></message>`)), undefined);
  });

  it('takes none of a hundred thousand for another', () => {
    const origins = new Origins(400_000);
    const names = new Set<string>();
    for (let i = 0; i < 100_000; i++) {
      const key = keyOf(origins, `${i}`);
      assert.equal(origins.get(key), undefined);
      origins.add(key);
      names.add(key.name);
    }
    assert.equal(names.size, 100_000);
    for (let i = 0; i < 100_000; i += 7) assert.equal(origins.get(keyOf(origins, `${i}`)), true);
  });

  it('is hashed otherwise in another node', () => {
    const [one, other] = [new Origins(10), new Origins(10)];
    assert.notEqual(keyOf(one, 'a').name, keyOf(other, 'a').name);
  });

  it('knows at least half as many as it may, the newest, and not more', () => {
    const origins = new Origins(100);
    const added: OriginKey[] = [];
    for (let i = 0; i < 1000; i++) {
      added.push(keyOf(origins, `${i}`));
      origins.add(added[i]!);
      // what is there twice takes no more room
      origins.add(added[i]!);
      const known = added.filter(key => origins.get(key) !== undefined).length;
      assert(known <= 100 && known >= Math.min(i + 1, 50), `${known} of ${i + 1}`);
      for (const key of added.slice(-50)) assert.equal(origins.get(key), true);
    }
  });

  it('forgets what could not be kept, and finds the others all the same', () => {
    const origins = new Origins(2000);
    const keys = Array.from({ length: 1000 }, (_, i) => keyOf(origins, `${i}`));
    for (const key of keys) origins.add(key);
    for (let i = 0; i < 1000; i += 2) origins.delete(keys[i]!);
    for (const [i, key] of keys.entries()) assert.equal(origins.get(key), i % 2 === 0 ? undefined : true);
    for (let i = 0; i < 1000; i += 2) origins.add(keys[i]!);
    for (const key of keys) assert.equal(origins.get(key), true);
  });

  it('gives what more there is to say: the id of before, and a commit that is waited for until it is settled', async () => {
    const origins = new Origins(100);
    const [former, kept, lost] = ['a', 'b', 'c'].map(id => keyOf(origins, id)) as [OriginKey, OriginKey, OriginKey];
    origins.add(former, 'id-1');
    assert.equal(origins.get(former), 'id-1');
    origins.add(former);
    assert.equal(origins.get(former), true);

    const good = Promise.withResolvers<void>();
    const bad = Promise.withResolvers<void>();
    origins.add(kept, good.promise);
    origins.add(lost, bad.promise);
    assert.deepEqual([origins.get(kept), origins.get(lost)], [good.promise, bad.promise]);
    good.resolve();
    bad.reject(new Error('the disk is full'));
    await tick();
    assert.deepEqual([origins.get(kept), origins.get(lost)], [true, undefined]);
  });
});
