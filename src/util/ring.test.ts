import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Ring } from './ring.ts';

describe('Ring', () => {
  it('is a queue, whatever is put in and taken out', () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 200 }) }),
      fc.record({ shift: fc.integer({ min: 1, max: 200 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const ring = new Ring<number>();
        const model: number[] = [];
        let next = 0;
        for (const action of steps) {
          if ('push' in action) {
            for (let i = 0; i < action.push; i++) {
              ring.push(next);
              model.push(next++);
            }
          } else for (let i = 0; i < action.shift; i++) assert.equal(ring.shift(), model.shift());
          assert.equal(ring.size, model.length);
          assert.equal(ring.at(0), model[0]);
          assert.equal(ring.at(model.length - 1), model.at(-1));
          assert.equal(ring.at(model.length), undefined);
        }
      }),
    );
  });
});
