import assert from 'node:assert/strict';
import { Unit } from '../util/unit.ts';
import { InputProgress } from './progress.ts';

describe('InputProgress: XEP-0198 4', () => {
  it('counts what is safe at once', () => {
    const progress = new InputProgress();
    progress.done(undefined);
    progress.done(undefined);
    assert.equal(progress.h, 2);
    assert.equal(progress.settled(), undefined);
  });

  it('what waits for its commit does not count, nor what came behind it', async () => {
    const progress = new InputProgress();
    const commit = Promise.withResolvers<void>();
    progress.done(undefined);
    progress.done(commit.promise);
    progress.done(undefined);
    assert.equal(progress.h, 1);
    commit.resolve();
    await progress.settled();
    assert.equal(progress.h, 3);
  });

  it('commits may end in any order', async () => {
    const progress = new InputProgress();
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    progress.done(first.promise);
    progress.done(second.promise);
    second.resolve();
    await second.promise;
    await Promise.resolve();
    assert.equal(progress.h, 0);
    first.resolve();
    await progress.settled();
    assert.equal(progress.h, 2);
  });

  it('what could not be kept counts too: its sender has its error', async () => {
    const progress = new InputProgress();
    progress.done(Promise.reject(new Error('disk full')));
    await progress.settled();
    assert.equal(progress.h, 1);
  });

  it('each who waits waits for what was there then', async () => {
    const progress = new InputProgress();
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const order: string[] = [];
    progress.done(first.promise);
    const one = progress.settled()!.then(() => order.push(`one at ${progress.h}`));
    progress.done(second.promise);
    const two = progress.settled()!.then(() => order.push(`two at ${progress.h}`));
    first.resolve();
    await one;
    assert.deepEqual(order, ['one at 1']);
    second.resolve();
    await two;
    assert.deepEqual(order, ['one at 1', 'two at 2']);
  });

  it('counts modulo 2^32, also for who waits', async () => {
    const progress = new InputProgress(0xffffffff);
    const commit = Promise.withResolvers<void>();
    progress.done(commit.promise);
    progress.done(undefined);
    const settled = progress.settled()!.then(() => progress.h);
    commit.resolve();
    assert.equal(await settled, 1);
  });

  it('begins again at zero', () => {
    const progress = new InputProgress();
    progress.done(undefined);
    progress.restart();
    assert.equal(progress.h, 0);
  });

  it('what is being written counts ahead, unless it waits for more', () => {
    const progress = new InputProgress();
    const [first, second, third] = [new Unit(), new Unit(), new Unit()];
    for (const unit of [first, second, third]) unit.added();
    progress.done(undefined, first);
    progress.done(undefined);
    progress.done(new Promise(() => {}), second);
    progress.done(undefined, third);
    assert.deepEqual([progress.h, progress.ahead], [0, 0]);
    for (const unit of [first, second, third]) unit.writing = true;
    assert.deepEqual([progress.h, progress.ahead], [0, 2]);
    first.settle();
    assert.deepEqual([progress.h, progress.ahead], [2, 2]);
  });
});
