import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { openStorage } from '../../src/storage/index.ts';

const MODULE = new URL('../../src/storage/index.ts', import.meta.url).href;

describe('storage after kill -9', () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'posthouse-'));
  after(() => rmSync(dataDir, { recursive: true, force: true }));

  it('has every row that was said to be written, in order, and opens at once', async () => {
    const script = `
      import { openStorage } from ${JSON.stringify(MODULE)};
      const storage = await openStorage({ dataDir: ${JSON.stringify(dataDir)} });
      await storage.migrate('t', [{ name: '1', up: s => s.createTable('t', t => void t.integer('n').primary()) }]);
      const writer = storage.batch({ name: 't', write: (tx, n) => void tx.run('INSERT INTO t (n) VALUES (?)', n) });
      for (let n = 0; ; n += 20) {
        const rows = Array.from({ length: 20 }, (_, i) => n + i);
        await Promise.all(rows.map(row => writer.write(row).then(() => process.stdout.write(row + '\\n'))));
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    let last = -1;
    for await (const line of createInterface(child.stdout)) {
      last = Math.max(last, Number(line));
      if (last >= 500) child.kill('SIGKILL');
    }
    assert.deepEqual((await exited)[1], 'SIGKILL');

    const storage = await openStorage({ dataDir });
    try {
      const rows = await storage.read(q => q<{ n: number }>('t').orderBy('n').select('n'));
      assert.ok(rows.length > last, `${rows.length} rows, ${last + 1} promised`);
      assert.deepEqual(
        rows.map(row => row.n),
        rows.map((_, i) => i),
      );
    } finally {
      await storage.close();
    }
  });
});
