import assert from 'node:assert/strict';
import { essence, isAllowed, isMediaType, shownAs, UNKNOWN } from './media-types.ts';

describe('uploads: content types', () => {
  it('knows what is one (RFC 9110 8.3.1)', () => {
    for (const type of ['image/png', 'text/plain; charset=utf-8', 'a/b;c="d e"', 'application/vnd.ms+xml', 'Image/PNG'])
      assert.ok(isMediaType(type), type);
    for (const type of ['', 'image', 'image/', '/png', 'a/b c', 'a/b;', 'a/b; c', 'a/b\r\nX: y', 'a/b;c="\n"', 'ä/b'])
      assert.ok(!isMediaType(type), type);
    assert.ok(!isMediaType(`a/${'b'.repeat(190)}`));
  });

  it('takes long ones in no time', () => {
    const began = performance.now();
    isMediaType(`a/b${'; a="'.repeat(1000)}`);
    isMediaType(`a/b${';a=b'.repeat(40)}!`);
    assert.ok(performance.now() - began < 1000);
  });

  it('allows by name and by kind', () => {
    assert.ok(isAllowed('image/PNG; q=1', ['image/*']));
    assert.ok(isAllowed('image/png', ['Image/PNG']));
    assert.ok(!isAllowed('image/svg+xml', ['image/png', 'audio/*']));
    assert.ok(isAllowed('x/y', []));
    assert.equal(essence(' Text/HTML ;charset=x'), 'text/html');
  });

  it('shows only what cannot run', () => {
    for (const type of ['text/html', 'image/svg+xml', 'text/xml', 'application/pdf', 'image/unheard-of', UNKNOWN])
      assert.deepEqual(shownAs(type), { type, kind: 'attachment' });
    for (const type of [
      'text/javascript',
      'application/x-javascript',
      'TEXT/ECMAscript; v=1',
      'text/jscript',
      'text/livescript',
      'text/javascript1.5',
      'application/wasm',
      'text/css',
    ])
      assert.deepEqual(shownAs(type), { type: UNKNOWN, kind: 'attachment' }, type);
    assert.deepEqual(shownAs('image/png'), { type: 'image/png', kind: 'inline' });
  });
});
