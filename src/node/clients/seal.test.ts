import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { installationKey, KEY_FILE, Seal } from './seal.ts';

describe('Seal', () => {
  const seal = new Seal(Buffer.alloc(32, 1));

  it('opens what it sealed, for what it was sealed for only', () => {
    const sealed = seal.seal('sécret', 'a');
    assert.equal(sealed.includes('cret'), false);
    assert.equal(seal.open(sealed, 'a'), 'sécret');
    assert.equal(seal.open(sealed, 'b'), undefined);
    assert.equal(new Seal(Buffer.alloc(32, 2)).open(sealed, 'a'), undefined);
    assert.notDeepEqual(seal.seal('sécret', 'a'), sealed);
  });

  it('opens nothing that was changed or cut', () => {
    const sealed = seal.seal('secret', 'a');
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      assert.equal(seal.open(changed, 'a'), undefined, `byte ${at}`);
      assert.equal(seal.open(sealed.subarray(0, at), 'a'), undefined, `${at} bytes`);
    }
  });

  it('names the same things the same, and others otherwise', () => {
    assert.deepEqual(seal.name('a', 'b'), seal.name('a', 'b'));
    assert.notDeepEqual(seal.name('a', 'b'), seal.name('ab'));
    assert.notDeepEqual(seal.name('a', 'b'), new Seal(Buffer.alloc(32, 2)).name('a', 'b'));
  });
});

describe('The key of an installation', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'posthouse-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const file = () => path.join(folder, KEY_FILE);
  const mode = () => statSync(file()).mode & 0o777;

  it('is made once, and nobody else reads it', () => {
    const key = installationKey(folder);
    assert.equal(key.length, 32);
    assert.equal(mode(), 0o600);
    assert.deepEqual(installationKey(folder), key);
    assert.equal(existsSync(`${file()}.new`), false);
  });

  it('is closed to others where somebody opened it', () => {
    installationKey(folder);
    chmodSync(file(), 0o644);
    installationKey(folder);
    assert.equal(mode(), 0o600);
  });

  it('is not replaced where it is none: that would make all tokens useless', () => {
    writeFileSync(file(), 'not a key\n');
    assert.throws(() => installationKey(folder), /tokens\.key is no key: restore it from a backup/);
  });
});
