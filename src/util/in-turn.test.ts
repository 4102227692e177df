import assert from 'node:assert/strict';
import { InTurn } from './in-turn.ts';

describe('in turn', () => {
  it('jobs of one key are one after the other, also behind one that fails; those of others do not wait', async () => {
    const turns = new InTurn();
    const said: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = turns.run('a', async () => {
      await gate.promise;
      said.push('a1');
      throw new Error('a1');
    });
    const second = turns.run('a', () => said.push('a2'));
    await turns.run('b', () => said.push('b'));
    assert.deepEqual(said, ['b']);
    gate.resolve();
    await assert.rejects(first, /a1/);
    assert.equal(await second, 3);
    assert.deepEqual(said, ['b', 'a1', 'a2']);
  });

  it('tells when what is there has ended, however it did, and keeps nothing of it', async () => {
    const turns = new InTurn();
    assert.equal(turns.ended('a'), undefined);
    const failing = turns.run('a', () => Promise.reject(new Error('a')));
    await turns.ended('a');
    await assert.rejects(failing, /a/);
    assert.equal(turns.ended('a'), undefined);
    let done = 0;
    for (const key of ['a', 'a', 'b'])
      void turns.run(key, () => new Promise(resolve => setImmediate(() => resolve(done++))));
    await turns.idle();
    assert.equal(done, 3);
  });
});
