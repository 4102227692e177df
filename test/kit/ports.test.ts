import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './ports.ts';

const fileOf = (port: number): string => path.join(tmpdir(), 'posthouse-test-ports', String(port));

describe('ports of tests', () => {
  it('are given once, and not at all while another process has them', async () => {
    const port = await freePort();
    assert.equal(readFileSync(fileOf(port), 'utf8'), String(process.pid));
    const next = (await freePort()) + 1;
    writeFileSync(fileOf(next), String(process.ppid));
    try {
      const given = await freePort();
      assert.notEqual(given, next);
      // what ended without a word had this one
      const { pid } = spawnSync(process.execPath, ['-e', '0']);
      writeFileSync(fileOf(given + 1), String(pid));
      assert.equal(await freePort(), given + 1);
    } finally {
      rmSync(fileOf(next));
    }
  });
});
