import assert from 'node:assert/strict';
import sinon from 'sinon';
import { turn } from '../../../test/kit/wait.ts';
import { Jobs } from './jobs.ts';

describe('Jobs', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => clock.restore());

  const fail = (error: unknown): void => assert.fail(error as Error);

  it('run again and again, never twice at once', async () => {
    const jobs = new Jobs();
    const works: PromiseWithResolvers<void>[] = [];
    const end = jobs.every(
      'a',
      10,
      () => {
        works.push(Promise.withResolvers());
        return works.at(-1)!.promise;
      },
      fail,
    );
    assert.equal(works.length, 0);
    await clock.tickAsync(35);
    assert.equal(works.length, 1);
    works[0]!.resolve();
    await turn();
    await clock.tickAsync(10);
    assert.equal(works.length, 2);
    works[1]!.resolve();
    await end();
  });

  it('go on after a failure', async () => {
    const jobs = new Jobs();
    const errors: unknown[] = [];
    let runs = 0;
    const end = jobs.every(
      'a',
      10,
      () => {
        if (++runs === 1) throw new Error('thrown');
        return runs === 2 ? Promise.reject(new Error('rejected')) : undefined;
      },
      error => errors.push((error as Error).message),
    );
    for (let i = 0; i < 3; i++) await clock.tickAsync(10);
    assert.equal(runs, 3);
    assert.deepEqual(errors, ['thrown', 'rejected']);
    await end();
  });

  it('end when the one at work is done', async () => {
    const jobs = new Jobs();
    const work = Promise.withResolvers<void>();
    const end = jobs.every('a', 10, () => work.promise, fail);
    assert.deepEqual(jobs.owners, ['a']);
    await clock.tickAsync(10);
    let ended = false;
    const ending = end().then(() => (ended = true));
    assert.deepEqual(jobs.owners, []);
    await turn();
    assert(!ended);
    work.resolve();
    await ending;
    assert.equal(clock.countTimers(), 0);
  });
});
