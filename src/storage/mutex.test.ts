import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Mutex } from './mutex.ts';

describe('mutex', () => {
  it('lets one at a time in, in order, and goes on after a failure', async () => {
    const mutex = new Mutex();
    const seen: string[] = [];
    const work = (name: string, wait: number, error?: Error) =>
      mutex.run(async () => {
        seen.push(`${name} in`);
        await delay(wait);
        seen.push(`${name} out`);
        if (error) throw error;
        return name;
      });
    const results = await Promise.allSettled([work('a', 10), work('b', 1, new Error('b broke')), work('c', 0)]);
    assert.deepEqual(seen, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
    assert.deepEqual(
      results.map(result => result.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
  });

  it('rejects where the work throws at once', async () => {
    const mutex = new Mutex();
    const thrown = mutex.run(() => {
      throw new Error('at once');
    });
    await assert.rejects(thrown, /at once/);
    assert.equal(await mutex.run(() => 1), 1);
  });
});
