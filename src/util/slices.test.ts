import assert from 'node:assert/strict';
import { eachInSlices, inOrder } from './slices.ts';

describe('telling many', () => {
  it('is done at once when it costs little', () => {
    const told: number[] = [];
    const step = eachInSlices([1, 2, 3], n => {
      told.push(n);
      return 10;
    });
    assert.equal(step, undefined);
    assert.deepEqual(told, [1, 2, 3]);
  });

  it('lets others have their turn, and goes on where it was', async () => {
    const told: number[] = [];
    let others = 0;
    let going = true;
    const count = (): void => {
      others++;
      if (going) setImmediate(count);
    };
    setImmediate(count);
    await eachInSlices(
      Array.from({ length: 1000 }, (_, n) => n),
      n => {
        told.push(n);
        return 10;
      },
    );
    going = false;
    assert.deepEqual(
      told,
      Array.from({ length: 1000 }, (_, n) => n),
    );
    // a thousand at 10 each are ten slices
    assert.ok(others >= 9, `others had ${others} turns`);
  });

  it('waits for one before it tells the next, and passes on a failure', async () => {
    const order: string[] = [];
    await eachInSlices(['a', 'b'], async name => {
      order.push(`${name} begins`);
      await new Promise(resolve => setImmediate(resolve));
      order.push(`${name} ends`);
    });
    assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends']);
    await assert.rejects(Promise.resolve(eachInSlices([1], () => Promise.reject(new Error('full')))), /full/);
  });

  it('in order: at once where nothing waits, else one after the other', async () => {
    const order: number[] = [];
    assert.equal(
      inOrder([1, 2], n => void order.push(n)),
      undefined,
    );
    const step = inOrder([3, 4, 5], n => {
      if (n !== 3) return void order.push(n);
      return new Promise<void>(resolve => setImmediate(resolve)).then(() => void order.push(n));
    });
    assert.deepEqual(order, [1, 2]);
    await step;
    assert.deepEqual(order, [1, 2, 3, 4, 5]);
  });
});
