import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DataFolderError, lockFolder } from './lock.ts';

const MODULE = new URL('lock.ts', import.meta.url).href;

describe('lock of the data folder', () => {
  let folder: string;
  let child: ChildProcess | undefined;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'posthouse-'));
  });
  afterEach(() => {
    child?.kill('SIGKILL');
    child = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  async function another(): Promise<ChildProcess> {
    const script = `import { lockFolder } from ${JSON.stringify(MODULE)};
      globalThis.lock = lockFolder(${JSON.stringify(folder)}); console.log('locked'); setInterval(() => {}, 1000);`;
    child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout!, 'data');
    return child;
  }

  it('refuses a second process, naming the first', async () => {
    const first = await another();
    assert.throws(
      () => lockFolder(folder),
      (error: Error) => error instanceof DataFolderError && error.message.includes(`(process ${first.pid})`),
    );
  });

  it('is free again after kill -9, though the files are still there', async () => {
    const first = await another();
    first.kill('SIGKILL');
    await once(first, 'exit');
    assert.equal(readFileSync(path.join(folder, 'posthouse.pid'), 'utf8').trim(), String(first.pid));
    const lock = lockFolder(folder);
    assert.equal(readFileSync(path.join(folder, 'posthouse.pid'), 'utf8').trim(), String(process.pid));
    lock.release();
  });

  it('refuses a second time in the same process, until it is released', () => {
    const lock = lockFolder(folder);
    assert.throws(() => lockFolder(folder), DataFolderError);
    assert.throws(() => lockFolder(folder), DataFolderError); // the refused one did not free it
    lock.release();
    lockFolder(folder).release();
  });

  it('makes the folder, for its owner only', () => {
    const deep = path.join(folder, 'a', 'b');
    lockFolder(deep).release();
    assert.equal(statSync(deep).mode & 0o777, 0o700);
  });

  it('says what is wrong with a folder that cannot be used', () => {
    const file = path.join(folder, 'file');
    writeFileSync(file, '');
    for (const unusable of [file, path.join(file, 'below')]) {
      assert.throws(
        () => lockFolder(unusable),
        (error: Error) =>
          error instanceof DataFolderError &&
          error.message.includes(unusable) &&
          /a file of that name is in the way/.test(error.message),
      );
    }
  });
});
