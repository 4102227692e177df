import assert from 'node:assert/strict';
import { Allowance } from './allowance.ts';

describe('Allowance', () => {
  const MINUTE = 60_000;
  const DAY = 24 * 60 * MINUTE;
  const bounds = { searchesPerMinute: 2, searchesPerDay: 5, peoplePerDay: 10 };
  const trial = () => {
    const clock = { now: 1_000_000 };
    const allowance = new Allowance(() => clock.now);
    return { clock, allowance, search: (who = 'a@b') => allowance.search(who, bounds) };
  };

  it('is so many searches in a minute and in a day, for each account', () => {
    const { clock, search } = trial();
    assert.deepEqual(
      [search(), search(), search(), search('c@d')],
      [undefined, undefined, 'searchesPerMinute', undefined],
    );
    clock.now += MINUTE;
    assert.deepEqual([search(), search(), search()], [undefined, undefined, 'searchesPerMinute']);
    clock.now += MINUTE;
    // what was refused was not counted
    assert.deepEqual([search(), search()], [undefined, 'searchesPerDay']);
    clock.now += DAY - 2 * MINUTE;
    assert.equal(search(), undefined);
  });

  it('is so many people in a day', () => {
    const { clock, allowance, search } = trial();
    assert.equal(search(), undefined);
    assert.equal(allowance.left('a@b', bounds), 10);
    allowance.show('a@b', 8);
    assert.equal(allowance.left('a@b', bounds), 2);
    assert.equal(search(), undefined);
    allowance.show('a@b', 2);
    assert.equal(search(), 'peoplePerDay');
    assert.equal(allowance.left('a@b', bounds), 0);
    clock.now += DAY;
    assert.equal(search(), undefined);
    assert.equal(allowance.left('a@b', bounds), 10);
  });

  it('forgets those whose day is over, and only them', () => {
    const { clock, allowance, search } = trial();
    search();
    clock.now += DAY - 1;
    search('c@d');
    allowance.forget();
    assert.equal(allowance.size, 2);
    clock.now += 1;
    allowance.forget();
    assert.equal(allowance.size, 1);
  });
});
