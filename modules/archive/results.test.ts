import assert from 'node:assert/strict';
import fc from 'fast-check';
import { firstKeyAt } from './key.ts';
import { Pace, stampOf } from './results.ts';

describe('archive results', () => {
  it('stamps are what a Date writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7_258_118_400_000 }), time => {
        assert.equal(stampOf(firstKeyAt(time) + 7), new Date(time).toISOString());
      }),
    );
  });

  it('wait for a client that is behind, and go on when it has taken enough, or is gone, or at last', async () => {
    const pace = new Pace();
    pace.sent(300 * 1024);
    const turns: string[] = [];
    const turn = async (name: string, patience: number): Promise<void> => {
      await pace.turn(patience);
      turns.push(name);
    };
    const first = turn('first', 60_000);
    await turn('impatient', 1);
    assert.deepEqual(turns, ['impatient']);
    pace.took(10 * 1024);
    await turn('still behind', 1);
    pace.took(100 * 1024);
    await first;
    assert.equal(pace.isAhead, false);
    pace.sent(300 * 1024);
    const second = turn('second', 60_000);
    pace.release();
    await second;
    assert.deepEqual(turns, ['impatient', 'still behind', 'first', 'second']);
  });
});
