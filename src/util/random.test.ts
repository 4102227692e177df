import assert from 'node:assert/strict';
import { randomName } from './random.ts';

describe('randomName', () => {
  it('gives names of the length asked for, each once, also when the stock is filled again', () => {
    const names = new Set<string>();
    for (let n = 0; n < 2000; n++) {
      const name = randomName(9);
      assert.match(name, /^[A-Za-z0-9_-]{12}$/);
      names.add(name);
    }
    assert.equal(names.size, 2000);
  });

  it('uses every byte value', () => {
    const seen = new Set<number>();
    for (let n = 0; n < 500; n++) for (const byte of Buffer.from(randomName(15), 'base64url')) seen.add(byte);
    assert.equal(seen.size, 256);
  });
});
