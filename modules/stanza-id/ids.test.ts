import assert from 'node:assert/strict';
import { base32, idMaker } from './ids.ts';

describe('stanza ids (XEP-0359)', () => {
  it('ascend, many in a millisecond, also when the clock is set back', () => {
    let now = 1_700_000_000_000;
    const next = idMaker(() => now);
    let last = '';
    for (let i = 0; i < 5000; i++) {
      if (i === 3000) now -= 60_000;
      const id = next();
      assert.match(id, /^[0-9a-v]{21}$/);
      assert.ok(id > last, `${id} came after ${last}`);
      last = id;
    }
  });

  it('of two nodes never meet', () => {
    const now = () => 1_700_000_000_000;
    const [one, other] = [idMaker(now), idMaker(now)];
    const ids = new Set(Array.from({ length: 1000 }, () => [one(), other()]).flat());
    assert.equal(ids.size, 2000);
  });

  it('cannot be guessed from the one before', () => {
    const next = idMaker(() => 1_700_000_000_000);
    const tails = new Set(Array.from({ length: 100 }, () => next().slice(-4)));
    assert.ok(tails.size > 90);
  });

  it('are digits of base 32 in the order of numbers', () => {
    assert.equal(base32(0, 3), '000');
    assert.equal(base32(31, 2), '0v');
    assert.equal(base32(2 ** 48, 10), '8000000000');
  });
});
