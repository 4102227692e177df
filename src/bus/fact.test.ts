import assert from 'node:assert/strict';
import { Fact } from './fact.ts';

function trial() {
  const fact = new Fact<string, number>('trial', 'A fact on trial.');
  const failures: [owner: string, point: string, message: string][] = [];
  fact.failed = (owner, point, error) => failures.push([owner, point, (error as Error).message]);
  return { fact, failures };
}

describe('Fact', () => {
  it('tells all, by name and not by when they came', () => {
    const { fact } = trial();
    const told: unknown[] = [];
    for (const owner of ['c', 'a', 'b']) fact.add(owner, (a, b) => void told.push([owner, a, b]));
    fact.tell('x', 1);
    assert.deepEqual(told, [
      ['a', 'x', 1],
      ['b', 'x', 1],
      ['c', 'x', 1],
    ]);
  });

  it('tells the others when one fails, and notes it', async () => {
    const { fact, failures } = trial();
    let told = 0;
    fact.add('a', () => {
      throw new Error('one');
    });
    fact.add('b', () => Promise.reject(new Error('two')));
    fact.add('c', () => void told++);
    fact.tell('x', 1);
    assert.equal(told, 1);
    await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(failures, [
      ['a', 'trial', 'one'],
      ['b', 'trial', 'two'],
    ]);
  });

  it('settles when the last is done, failed, or took too long', async () => {
    const { fact, failures } = trial();
    fact.patience = 5;
    let done = false;
    fact.add('a', () => {
      throw new Error('one');
    });
    fact.add('b', () => new Promise(() => {}));
    fact.add('c', async () => {
      await new Promise(resolve => setImmediate(resolve));
      done = true;
    });
    await fact.settle('x', 1);
    assert(done);
    assert.deepEqual(failures, [
      ['a', 'trial', 'one'],
      ['b', 'trial', 'not done within 5 ms'],
    ]);
  });

  it('tells those who are gone no more', () => {
    const { fact } = trial();
    let told = 0;
    const remove = fact.add('a', () => void told++);
    fact.add('b', () => void (told += 10));
    remove();
    fact.tell('x', 1);
    assert.equal(told, 10);
    assert.deepEqual(
      fact.listeners.map(({ owner }) => owner),
      ['b'],
    );
  });
});
