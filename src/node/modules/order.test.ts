import assert from 'node:assert/strict';
import { inOrderOfNeeds, withDependents } from './order.ts';

function order(modules: Record<string, { needs?: string[]; after?: string[] }>, loaded: string[] = []): string {
  return inOrderOfNeeds(new Map(Object.entries(modules)), new Set(loaded)).join();
}

describe('inOrderOfNeeds', () => {
  it('puts each behind what it needs, else by name', () => {
    assert.equal(order({ b: {}, a: { needs: ['c'] }, c: {}, d: { needs: ['a'] } }), 'c,a,b,d');
    assert.equal(order({ d: { needs: ['a'] }, c: {}, a: { needs: ['c'] }, b: {} }), 'c,a,b,d');
  });

  it('heeds `after` only for what is there', () => {
    assert.equal(order({ a: { after: ['b', 'absent'] }, b: {} }), 'b,a');
  });

  it('takes what is loaded already for there', () => {
    assert.equal(order({ a: { needs: ['b'] } }, ['b']), 'a');
  });

  it('names both when a need is missing', () => {
    assert.throws(() => order({ a: { needs: ['b'] } }), /the module a needs b, which is not on/);
  });

  it('names the whole circle', () => {
    const circle = { a: { needs: ['b'] }, b: { needs: ['c'] }, c: { after: ['b'] }, d: { needs: ['a'] } };
    assert.throws(() => order(circle), /circle: b -> c -> b$/);
  });
});

describe('withDependents', () => {
  it('goes all the way', () => {
    const modules = new Map(
      Object.entries({ a: ['b'], b: ['c'], c: [], d: ['e'], e: [] }).map(([name, needs]) => [
        name,
        { definition: { needs } },
      ]),
    );
    assert.deepEqual([...withDependents('c', modules)].sort(), ['a', 'b', 'c']);
  });
});
