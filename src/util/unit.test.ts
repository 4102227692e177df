import assert from 'node:assert/strict';
import { currentUnit, inUnit, Unit } from './unit.ts';

describe('a unit of work', () => {
  const told: unknown[] = [];
  const listener = { unitSettled: (_: Unit, error: unknown) => void told.push(error) };
  beforeEach(() => void told.splice(0));

  it('is what happens in it until its work returns', () => {
    const outer = new Unit();
    const inner = new Unit();
    inUnit(outer, () => {
      inUnit(inner, () => assert.equal(currentUnit(), inner));
      assert.equal(currentUnit(), outer);
      assert.throws(() =>
        inUnit(inner, () => {
          throw new Error('a bug');
        }),
      );
      assert.equal(currentUnit(), outer);
    });
    assert.equal(currentUnit(), undefined);
  });

  it('without rows is settled when it is closed', () => {
    const unit = new Unit();
    unit.whenSettled(listener);
    assert.ok(unit.pending);
    unit.close();
    assert.deepEqual(told, [undefined]);
    unit.whenSettled(listener);
    assert.deepEqual(told, [undefined, undefined]);
  });

  it('with rows waits for their transaction, and is settled once', async () => {
    const unit = new Unit();
    unit.added();
    unit.close();
    unit.whenSettled(listener);
    assert.deepEqual(told, []);
    const done = unit.done();
    unit.settle('the disk is full');
    unit.settle();
    await done;
    assert.deepEqual(told, ['the disk is full']);
  });

  it('a row that could not be queued is a failure of all of it', () => {
    const unit = new Unit();
    unit.spoil('too much waits');
    unit.added();
    unit.whenSettled(listener);
    unit.settle();
    assert.deepEqual(told, ['too much waits']);
  });

  it('what takes the place of its commit is waited for as well', async () => {
    const unit = new Unit();
    unit.added();
    const { promise, resolve } = Promise.withResolvers<void>();
    let safe = false;
    const waiting = unit.safe().then(() => (safe = true));
    unit.further = promise;
    unit.settle('away');
    await unit.done();
    assert.equal(safe, false);
    resolve();
    await waiting;
  });
});
