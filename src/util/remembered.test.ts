import assert from 'node:assert/strict';
import { Remembered } from './remembered.ts';

describe('Remembered', () => {
  const stored = new Map<string, string>();
  let reads = 0;
  let remembered: Remembered<string>;
  beforeEach(() => {
    stored.clear();
    reads = 0;
    remembered = new Remembered(10);
  });
  const get = (key: string) =>
    remembered.get(key, () => {
      reads++;
      return stored.get(key);
    });

  it('reads what is there once, and what is not there each time', () => {
    stored.set('a', 'one');
    assert.deepEqual([get('a'), get('a'), get('b'), get('b')], ['one', 'one', undefined, undefined]);
    assert.equal(reads, 3);
  });

  it('forgets what is written before its writer hears of it, and the rest only where all is', async () => {
    for (const key of ['a', 'b']) stored.set(key, 'old');
    void get('a');
    void get('b');
    stored.set('a', 'new');
    await remembered.written('a', Promise.resolve());
    assert.deepEqual([get('a'), get('b'), reads], ['new', 'old', 3]);
    stored.set('b', 'new');
    await remembered.written(undefined, Promise.resolve());
    assert.deepEqual([get('a'), get('b'), reads], ['new', 'new', 5]);
  });

  it('forgets it as well where that failed', async () => {
    stored.set('a', 'old');
    void get('a');
    stored.set('a', 'new');
    await assert.rejects(remembered.written('a', Promise.reject(new Error('the connection was lost'))), /was lost/);
    assert.equal(get('a'), 'new');
  });

  it('does not remember what was read before a write and came after it', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const reading = remembered.get('a', () => promise);
    await remembered.written('a', Promise.resolve());
    resolve('old');
    assert.equal(await reading, 'old');
    stored.set('a', 'new');
    assert.equal(get('a'), 'new');
  });

  it('is bounded', () => {
    for (let n = 0; n < 100; n++) stored.set(String(n), 'value');
    for (let n = 0; n < 100; n++) void get(String(n));
    for (let n = 0; n < 100; n++) void get(String(n));
    assert.ok(reads > 180, String(reads));
  });
});
