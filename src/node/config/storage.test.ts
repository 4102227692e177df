import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ConfigError, loadConfig } from './index.ts';

describe('storage in the configuration', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'posthouse-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function load(text: string, env: Record<string, string> = {}) {
    const file = path.join(folder, 'posthouse.yaml');
    writeFileSync(file, text);
    return loadConfig({ file, data: folder, env, moduleOptions: async () => ({}) });
  }
  const url = async (text: string, env?: Record<string, string>) => (await load(text, env)).values.core.storage.url;
  const ADDRESS = 'mysql://me:secret@db/house';

  it('is the address of a database, or where that stands, or a map with it', async () => {
    assert.equal(await url(''), '');
    assert.equal(await url('storage:\n'), '');
    assert.equal(await url(`storage: ${ADDRESS}`), ADDRESS);
    assert.equal(await url('storage: { env: DATABASE }', { DATABASE: ADDRESS }), ADDRESS);
    writeFileSync(path.join(folder, 'url'), `${ADDRESS}\n`);
    assert.equal(await url('storage: { file: url }'), ADDRESS);
    assert.equal(await url('storage: { url: { file: url }, connections: 3 }'), ADDRESS);
    assert.equal((await load('storage: { synchronous: FULL }')).values.core.storage.synchronous, 'FULL');
  });

  it('is never shown with its password', async () => {
    const config = await load(`storage: ${ADDRESS}`);
    assert.ok(!config.print().includes('secret'));
    assert.ok(!JSON.stringify(config.masked()).includes('secret'));
  });

  it('that is wrong is told by its place, without what it says', async () => {
    await assert.rejects(load('hosts: { a.example: {} }\nstorage: mysql://me:secret@db/\n'), (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /:2:.*storage\.url: the address names no database/);
      assert.ok(!error.message.includes('secret'));
      return true;
    });
    await assert.rejects(load('storage: { env: NOTHING }'), /no variable NOTHING/);
    await assert.rejects(load('storage: 5'), ConfigError);
  });
});
