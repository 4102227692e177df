import assert from 'node:assert/strict';
import { andThen } from './maybe.ts';

describe('andThen', () => {
  it('goes on at once where the value is there', () => {
    assert.equal(
      andThen(1, n => n + 1),
      2,
    );
  });

  it('waits where it is not, and where the next step does', async () => {
    const later = andThen(Promise.resolve(1), n => Promise.resolve(n + 1));
    assert.ok(later instanceof Promise);
    assert.equal(await later, 2);
    const next = andThen(1, n => Promise.resolve(n + 1));
    assert.ok(next instanceof Promise);
    assert.equal(await next, 2);
  });

  it('rejects as what it waited for', async () => {
    const error = new Error('gone');
    await assert.rejects(async () => {
      await andThen(Promise.reject(error), () => assert.fail('it went on'));
    }, error);
  });
});
