import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readRange } from './ranges.ts';

describe('uploads: ranges (RFC 9110 14)', () => {
  it('reads those of one piece', () => {
    for (const [header, start, end] of [
      ['bytes=0-0', 0, 0],
      ['Bytes=0-9', 0, 9],
      ['bytes=5-', 5, 9],
      ['bytes=-4', 6, 9],
      ['bytes=-400', 0, 9],
      ['bytes= 1 - 2 ', 1, 2],
      ['bytes=0-99999999999999999999', 0, 9],
      ['bytes=4-5,0-3', 0, 5],
      ['bytes=0-5,2-3', 0, 5],
      ['bytes=2-3,,,', 2, 3],
      ['bytes=2-3,20-30', 2, 3],
    ] as const)
      assert.deepEqual(readRange(header, 10), { start, end }, header);
  });

  it('ignores what it need not know, and refuses what is not there', () => {
    for (const header of [
      '',
      'bytes',
      'bytes=',
      'bytes=a-b',
      'bytes=-',
      'bytes=3-1',
      'bytes=0-1,3-4',
      'bytes=0-1,x',
      'pages=1-2',
      'bytes=0x1-2',
      `bytes=${'0-1,'.repeat(100)}`,
    ])
      assert.equal(readRange(header, 10), 'all', header);
    for (const header of ['bytes=10-', 'bytes=10-12', 'bytes=-0', 'bytes=99999999999999999999-'])
      assert.equal(readRange(header, 10), 'none', header);
  });

  it('never gives what is outside of the file', () => {
    const number = fc.oneof(fc.nat(30).map(String), fc.constant(''));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(number, number), { maxLength: 5 }),
        fc.integer({ min: 1, max: 20 }),
        (pairs, size) => {
          const span = readRange(`bytes=${pairs.map(([a, b]) => `${a}-${b}`).join(',')}`, size);
          if (typeof span === 'string') return;
          assert.ok(span.start >= 0 && span.start <= span.end && span.end < size);
        },
      ),
    );
  });
});
