import assert from 'node:assert/strict';
import { explain, type Operation } from './linearizable.ts';

describe('the checker of linearizability', () => {
  type What = { write: number } | { read: number };
  const op = (asked: number, answered: number, what: What): Operation<What> => ({ asked, answered, what });
  const register = (state: number, what: What): number | undefined =>
    'write' in what ? what.write : what.read === state ? state : undefined;

  it('finds an order among those that overlap', () => {
    const all = [op(0, 10, { write: 1 }), op(1, 9, { read: 0 }), op(2, 8, { read: 1 })];
    assert.deepEqual(
      explain(all, 0, register)!.map(({ what }) => JSON.stringify(what)),
      ['{"read":0}', '{"write":1}', '{"read":1}'],
    );
  });

  it('finds none for what was seen and then not seen, or too late', () => {
    assert.equal(
      explain([op(0, 10, { write: 1 }), op(1, 2, { read: 1 }), op(3, 4, { read: 0 })], 0, register),
      undefined,
    );
    assert.equal(explain([op(0, 1, { write: 1 }), op(2, 3, { read: 0 })], 0, register), undefined);
    assert.equal(
      explain([op(0, 1, { write: 1 })], 0, register, state => state === 0),
      undefined,
    );
  });
});
