import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { lacks } from './needs.ts';

describe('Kit: what a test needs', () => {
  const why = 'of this test';

  it('finds programs and packages', () => {
    assert.equal(lacks({ command: 'sh', why }), undefined);
    assert.equal(lacks({ command: process.execPath, why }), undefined);
    assert.equal(lacks({ module: 'mocha', why }), undefined);
    // which has no entry but for `import`
    assert.equal(lacks({ module: 'yaml', why }), undefined);
  });

  it('says what is missing', () => {
    assert.equal(lacks({ command: 'posthouse-none', why }), 'the program posthouse-none is not installed');
    assert.equal(lacks({ command: '/etc', why }), 'the program /etc is not installed');
    assert.equal(lacks({ module: 'posthouse-none', why }), 'the package posthouse-none is not installed');
    assert.match(lacks({ python: 'posthouse_none', why })!, /^the Python module posthouse_none is not installed for /);
  });
});

describe('Kit: what happens when it is missing', () => {
  const script = `
    import { needs } from ${JSON.stringify(new URL('needs.ts', import.meta.url).href)};
    const context = { skip: () => console.log('SKIPPED') };
    try {
      needs(context, { command: 'posthouse-none', why: 'of this test' });
    } catch (error) {
      console.log('FAILED', error.message);
    }
  `;
  const run = (all: string, without = ''): string =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, POSTHOUSE_TEST_ALL: all, POSTHOUSE_TEST_WITHOUT: without },
      encoding: 'utf8',
    }).stdout;

  it('the test is skipped, and says why', () => {
    assert.match(run(''), /skipped: the program posthouse-none is not installed \(of this test\)\nSKIPPED\n$/);
  });

  it('the test fails where nothing may be skipped', () => {
    assert.match(
      run('1'),
      /^FAILED the program posthouse-none is not installed \(of this test\), and POSTHOUSE_TEST_ALL/,
    );
    assert.match(run('1', 'another'), /^FAILED/);
  });

  it('it is skipped there too when that program could not be had', () => {
    assert.match(run('1', 'posthouse-none'), /SKIPPED\n$/);
  });
});
