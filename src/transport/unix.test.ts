import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { removeTemp, tempFolder } from '../../test/kit/temp.ts';
import { NotRunning, requestUnix, serveUnix } from './unix.ts';

describe('the control socket', () => {
  const folder = tempFolder();
  after(() => removeTemp(folder));

  it('answers, refuses with the words of the error, and is closed to others', async () => {
    const file = path.join(folder, 'socket');
    const server = await serveUnix(file, async request => {
      if (request === 'no') throw new Error('not today');
      return { got: request };
    });
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(await requestUnix(file, { a: 'ä' }), { got: { a: 'ä' } });
    await assert.rejects(requestUnix(file, 'no'), /^Error: not today$/);
    server.close();
    await assert.rejects(requestUnix(file, 'yes'), NotRunning);
  });

  it('says which path is too long', async () => {
    const deep = path.join(folder, 'd'.repeat(60), 'e'.repeat(60));
    mkdirSync(deep, { recursive: true });
    await assert.rejects(
      serveUnix(path.join(deep, 'socket'), async () => 1),
      /socket is too long for a socket/,
    );
    await assert.rejects(async () => requestUnix(path.join(deep, 'socket'), 1), /is too long for a socket/);
  });
});
