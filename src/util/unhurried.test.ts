import assert from 'node:assert/strict';
import { Unhurried } from './unhurried.ts';

describe('Unhurried', () => {
  it('gives one turn of the event loop to each, in order, and others have theirs between', async () => {
    const unhurried = new Unhurried();
    const seen: string[] = [];
    const others = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await new Promise(resolve => setImmediate(resolve));
        seen.push('other');
      }
    };
    const mine = async (name: string): Promise<void> => {
      await unhurried.turn();
      // whatever follows at once is of the same turn
      await Promise.resolve();
      seen.push(name);
    };
    await Promise.all([mine('a'), mine('b'), mine('c'), others()]);
    assert.equal(seen.filter(name => name !== 'other').join(''), 'abc');
    for (const pair of ['a,b', 'b,c']) assert.ok(!seen.join().includes(pair), seen.join());
    await mine('d');
    assert.equal(seen.at(-1), 'd');
  });
});
