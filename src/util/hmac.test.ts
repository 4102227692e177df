import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { Hmac } from './hmac.ts';

describe('Hmac', () => {
  it('is that of RFC 2104: the examples of RFC 4231', () => {
    const one = new Hmac(Buffer.alloc(20, 0x0b)).digest(Buffer.from('Hi There'));
    assert.equal(one.toString('hex'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7');
    const two = new Hmac(Buffer.from('Jefe')).digest(Buffer.from('what do ya want '), Buffer.from('for nothing?'));
    assert.equal(two.toString('hex'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  });

  it('is that of node:crypto, for every length of key and message, as often as it is asked', () => {
    for (let length = 0; length <= 64; length++) {
      const key = randomBytes(length);
      const hmac = new Hmac(key);
      for (const message of [randomBytes(length * 3), Buffer.alloc(0), randomBytes(64), randomBytes(1000 + length)]) {
        assert.deepEqual(hmac.digest(message), createHmac('sha256', key).update(message).digest(), `${length}`);
      }
    }
  });

  it('takes no key that would have to be hashed first', () => {
    assert.throws(() => new Hmac(Buffer.alloc(65)), RangeError);
  });
});
