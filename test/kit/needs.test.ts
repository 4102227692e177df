import assert from 'node:assert/strict';
import { lacks } from './needs.ts';

describe('Kit: what a test needs', () => {
  const why = 'of this test';

  it('finds programs and packages', () => {
    assert.equal(lacks({ command: 'sh', why }), undefined);
    assert.equal(lacks({ command: process.execPath, why }), undefined);
    assert.equal(lacks({ module: 'mocha', why }), undefined);
    // which has no entry but for `import`
    assert.equal(lacks({ module: 'typebox', why }), undefined);
  });

  it('says what is missing', () => {
    assert.equal(lacks({ command: 'posthouse-none', why }), 'the program posthouse-none is not installed');
    assert.equal(lacks({ command: '/etc', why }), 'the program /etc is not installed');
    assert.equal(lacks({ module: 'posthouse-none', why }), 'the package posthouse-none is not installed');
    assert.match(lacks({ python: 'posthouse_none', why })!, /^the Python module posthouse_none is not installed for /);
  });
});
