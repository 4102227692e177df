import assert from 'node:assert/strict';
import { Turns } from './turns.ts';

const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('Turns', () => {
  it('lets so many run and no more, the others in order, also after one that failed', async () => {
    const turns = new Turns(2);
    const begun: number[] = [];
    const ends: PromiseWithResolvers<number>[] = [];
    const all = [0, 1, 2, 3, 4].map(i =>
      turns.run(() => {
        begun.push(i);
        ends[i] = Promise.withResolvers<number>();
        return ends[i].promise;
      }),
    );
    await tick();
    assert.deepEqual(begun, [0, 1]);
    ends[1]!.reject(new Error('no'));
    await assert.rejects(all[1]!, /no/);
    await tick();
    assert.deepEqual(begun, [0, 1, 2]);
    ends[0]!.resolve(0);
    ends[2]!.resolve(2);
    await tick();
    assert.deepEqual(begun, [0, 1, 2, 3, 4]);
    ends[3]!.resolve(3);
    ends[4]!.resolve(4);
    assert.deepEqual(await Promise.all([all[0], all[2], all[3], all[4]]), [0, 2, 3, 4]);
    // and all places are free again
    assert.equal(await turns.run(() => Promise.resolve('free')), 'free');
  });

  it('gives a place back when a job throws at once', async () => {
    const turns = new Turns(1);
    const bad = turns.run(() => {
      throw new Error('at once');
    });
    await assert.rejects(bad, /at once/);
    assert.equal(await turns.run(() => Promise.resolve(1)), 1);
  });
});
