import assert from 'node:assert/strict';
import { portionTaken, workOf } from './portion.ts';

/** How many stanzas a stream gets handled before it has to yield. */
function portion(length = 300): number {
  const work = workOf(length);
  for (let count = 1; ; count++) if (portionTaken(work, count * work)) return count;
}

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('portions of a turn', () => {
  it('are large while few streams want one, and small for those who come late to a crowd', async () => {
    await nextTurn();
    assert.deepEqual([portion(), portion(), portion(), portion()], [64, 64, 64, 64]);
    assert.deepEqual([portion(), portion()], [8, 8]);
    await nextTurn();
    assert.equal(portion(), 64);
  });

  it('hold fewer stanzas of several KB', async () => {
    await nextTurn();
    assert.deepEqual([portion(4096), portion(2048)], [8, 13]);
  });
});
