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

  it('wait for a client that is behind, and go on when it has taken enough', async () => {
    const pace = new Pace();
    pace.sent(200 * 1024);
    await pace.turn();
    pace.sent(100 * 1024);
    let turn = false;
    const waiting = pace.turn().then(() => {
      turn = true;
    });
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(turn, false);
    pace.took(200 * 1024);
    await waiting;
    assert.equal(turn, true);
  });
});
