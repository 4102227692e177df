import assert from 'node:assert/strict';
import { makePoints } from './points.ts';

describe('points', () => {
  it('carry their own names and a sentence each', () => {
    for (const [name, point] of Object.entries(makePoints())) {
      assert.equal(point.name, name);
      assert.match(point.doc, /^[A-Z].*\.$/);
    }
  });
});
