import assert from 'node:assert/strict';
import { patiently } from './patience.ts';

const busy = () => Object.assign(new Error('busy'), { code: 'SQLITE_BUSY' });

describe('patience', () => {
  it('tries again while another program has the lock', async () => {
    let attempts = 0;
    const result = await patiently(5_000, () => {
      if (++attempts < 4) throw busy();
      return 'done';
    });
    assert.equal(result, 'done');
    assert.equal(attempts, 4);
  });

  it('ends: without patience after the first attempt', async () => {
    let attempts = 0;
    const attempt = () => {
      attempts++;
      throw busy();
    };
    await assert.rejects(patiently(0, attempt), /busy/);
    assert.equal(attempts, 1);
    await assert.rejects(patiently(40, attempt), /busy/);
    assert.ok(attempts > 2);
  });

  it('does nothing twice: neither what was begun, nor what failed for another reason', async () => {
    let attempts = 0;
    const begunThenBusy = (begun: () => void) => {
      attempts++;
      begun();
      throw busy();
    };
    await assert.rejects(patiently(5_000, begunThenBusy), /busy/);
    await assert.rejects(
      patiently(5_000, () => {
        attempts++;
        throw new Error('another');
      }),
      /another/,
    );
    assert.equal(attempts, 2);
  });
});
