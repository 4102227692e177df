import assert from 'node:assert/strict';
import { Loaded } from './loaded.ts';

describe('Loaded', () => {
  it('keeps what is there at once, false too', () => {
    const cache = new Loaded<boolean>(10);
    assert.equal(cache.get('a'), undefined);
    assert.equal(cache.load('a', false), false);
    assert.equal(cache.get('a'), false);
  });

  it('gives everybody the promise of one load, and the value afterwards', async () => {
    const cache = new Loaded<number>(10);
    const loading = cache.load('a', Promise.resolve(1));
    assert.equal(cache.get('a'), loading);
    assert.equal(await loading, 1);
    assert.equal(cache.get('a'), 1);
  });

  it('what was set during a load stays, and whoever waited gets it', async () => {
    const cache = new Loaded<number>(10);
    const loading = cache.load('a', Promise.resolve(1));
    cache.set('a', 2);
    assert.equal(await loading, 2);
    assert.equal(cache.get('a'), 2);
  });

  it('what was forgotten during a load is not there again', async () => {
    const cache = new Loaded<number>(10);
    const loading = cache.load('a', Promise.resolve(1));
    cache.delete('a');
    assert.equal(await loading, 1);
    assert.equal(cache.get('a'), undefined);
  });

  it('a load that fails is tried again by whoever asks next', async () => {
    const cache = new Loaded<number>(10);
    const loading = cache.load('a', Promise.reject(new Error('gone')));
    await assert.rejects(async () => loading, /gone/);
    assert.equal(cache.get('a'), undefined);
  });
});
