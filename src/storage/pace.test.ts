import assert from 'node:assert/strict';
import { Pace } from './pace.ts';

describe('the pace of commits', () => {
  /** Commits as they come: when, and with how many rows; how long each is held up, and how many rows it has then. */
  function delays(...commits: readonly (readonly [at: number, rows: number, after?: number])[]): number[] {
    const pace = new Pace();
    return commits.map(([at, rows, after = rows]) => {
      const delay = pace.delay(at, rows);
      pace.begins(at + delay, delay > 0 ? after : rows);
      return Math.round(delay * 100) / 100;
    });
  }

  it('a row alone waits for nobody', () => {
    assert.deepEqual(delays([10, 1], [20, 1], [30, 2]), [0, 0, 0]);
  });

  it('rows that come one by one in quick succession are committed a millisecond apart', () => {
    assert.deepEqual(delays([10, 1], [10.2, 1, 4], [11.3, 2, 6]), [0, 0.8, 0.7]);
  });

  it('many are worth a commit at any time', () => {
    assert.deepEqual(delays([10, 1], [10.1, 40], [10.2, 32]), [0, 0, 0]);
    assert.equal(new Pace().isEnough(31), false);
    assert.equal(new Pace().isEnough(32), true);
  });

  it('where nothing comes meanwhile, since all wait for this very commit, the next ones begin at once', () => {
    const after: [number, number][] = Array.from({ length: 66 }, (_, i) => [11.1 + i / 10, 3]);
    const [first, vain, ...others] = delays([10, 3], [10.1, 3, 3], ...after);
    assert.deepEqual([first, vain], [0, 0.9]);
    assert.deepEqual(new Set(others.slice(0, 64)), new Set([0]));
    // then it is tried again
    assert(others[64]! > 0);
  });
});
