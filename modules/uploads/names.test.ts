import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cleanName, disposition, encodeSegment } from './names.ts';

describe('uploads: names of files', () => {
  it('stay as they are where nothing is wrong with them', () => {
    for (const name of ['rose.png', 'très cool.jpg', '花.tar.gz', '.profile', 'a b', '👩‍👩‍👧.png', '100%.txt', '...'])
      assert.equal(cleanName(name), name);
  });

  it('are replaced where they would step out, or lie about themselves', () => {
    assert.equal(cleanName('..'), '__');
    assert.equal(cleanName(' . '), '_');
    assert.equal(cleanName('../x/../y\\z'), '.._x_.._y_z');
    assert.equal(cleanName('a\u0000b\nc\u007Fd'), 'a_b_c_d');
    assert.equal(cleanName('evil\u202Egnp.exe'), 'evil_gnp.exe');
    assert.equal(cleanName('a\uD800b'), 'a\uFFFDb');
  });

  it('have up to 255 bytes', () => {
    assert.equal(cleanName('x'.repeat(255))!.length, 255);
    assert.equal(cleanName('x'.repeat(256)), undefined);
    assert.equal(cleanName('ü'.repeat(127))!.length, 127);
    assert.equal(cleanName('ü'.repeat(128)), undefined);
    assert.equal(cleanName(''), undefined);
    assert.equal(cleanName('   '), undefined);
  });

  it('are in an address as RFC 3986 has it, and come out of it the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), text => {
        const name = cleanName(text);
        if (name === undefined) return;
        const segment = encodeSegment(name);
        assert.match(segment, /^(?:[\w.~-]|%[\dA-F]{2})+$/);
        const url = new URL(`https://example.org/upload/x/${segment}`);
        assert.equal(decodeURIComponent(url.pathname.slice('/upload/x/'.length)), name);
      }),
    );
  });

  it('are in a header as RFC 6266 has it, with no way out of it', () => {
    assert.equal(disposition('inline', 'a.png'), `inline; filename="a.png"; filename*=UTF-8''a.png`);
    assert.equal(
      disposition('attachment', 'a"b\\c%花.png'),
      `attachment; filename="a_b_c__.png"; filename*=UTF-8''a%22b%5Cc%25%E8%8A%B1.png`,
    );
  });
});
