import assert from 'node:assert/strict';
import { idMaker } from '../stanza-id/ids.ts';
import { firstKeyAt, idOf, keyOf, markOf, tailOf, timeOf } from './key.ts';

describe('archive keys', () => {
  it('ascend as ids do, hold their time, and give the id back', () => {
    let now = 1_790_000_000_000;
    const next = idMaker(() => now);
    let last = 0;
    for (let i = 0; i < 3000; i++) {
      if (i === 2000) now += 5000;
      const id = next();
      const key = keyOf(id)!;
      assert.ok(key > last);
      assert.equal(idOf(key, tailOf(id)), id);
      last = key;
    }
    assert.equal(timeOf(last), now);
    assert.ok(firstKeyAt(now) <= last && last < firstKeyAt(now + 1));
  });

  it('are none of what is no id', () => {
    for (const id of ['', 'x', '28482-98726-73623', '0'.repeat(20), 'z'.repeat(21), 'v'.repeat(21), 'A'.repeat(21)])
      assert.equal(keyOf(id), undefined, id);
  });

  it('marks tell ids of clients apart, and none from any', () => {
    assert.equal(markOf(undefined), 0);
    const marks = new Set(Array.from({ length: 1000 }, (_, i) => markOf(`message-${i}`)));
    assert.equal(marks.size, 1000);
    assert.ok(!marks.has(0));
  });
});
