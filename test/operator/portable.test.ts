import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { removeTemp, tempFolder } from '../kit/temp.ts';
import { Operated, posthouse } from './program.ts';

describe('accounts are exported and imported (XEP-0227) by commands', function () {
  this.timeout(60_000);
  const folder = tempFolder();
  const file = path.join(folder, 'users.xml');
  after(() => removeTemp(folder));

  it('without a running node, and while one runs', async () => {
    const data = path.join(folder, 'old');
    for (const name of ['romeo', 'juliet'])
      assert.equal(
        (await posthouse(['user', 'add', `${name}@localhost`, '--data', data], { input: `${name}\n` })).code,
        0,
      );
    const exported = await posthouse(['user', 'export', '--output', file, '--data', data]);
    assert.equal(exported.code, 0, exported.err);
    assert.match(exported.out, /^2 accounts with \d+ entries were exported\.\n$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const printed = await posthouse(['user', 'export', 'localhost', '--data', data]);
    assert.equal(printed.out, readFileSync(file, 'utf8'));
    assert.match(printed.err, /^2 accounts with/);

    const node = await Operated.start();
    try {
      const run = async () => node.done(['user', 'import', file, '--json']);
      assert.deepEqual(JSON.parse(await run()), {
        accounts: 2,
        existing: 0,
        partial: 0,
        imported: 0,
        known: 0,
        problems: 0,
      });
      assert.deepEqual(JSON.parse(await run()), {
        accounts: 0,
        existing: 2,
        partial: 0,
        imported: 0,
        known: 0,
        problems: 0,
      });
      assert.equal(await node.done(['user', 'export']), readFileSync(file, 'utf8'));
      const broken = await node.command(['user', 'import', node.conf]);
      assert.equal(broken.code, 1);
      assert.match(broken.err, /:\d+: not well-formed XML/);
      assert.equal((await node.command(['user', 'import', path.join(folder, 'none.xml')])).code, 1);
      assert.equal((await node.command(['user', 'export', 'nobody@localhost'])).code, 1);
    } finally {
      await node.remove();
    }
  });
});
