import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { exportUsers } from '../../src/cli/portable/export.ts';
import { importUsers } from '../../src/cli/portable/import.ts';
import { Operations } from '../../src/node/operations.ts';
import { TestNode } from '../kit/node.ts';
import { removeTemp, tempFolder } from '../kit/temp.ts';
import { create, error, get, idsOf, item, OWN, owner, publish, said, subscribe } from './pubsub.ts';
import { JULIET, ok, ROMEO } from './verona.ts';

describe('play: nodes of accounts are carried from one server to another (XEP-0227, XEP-0163)', function () {
  this.timeout(60_000);
  const folder = tempFolder();
  after(() => removeTemp(folder));

  const asker = (node: TestNode) => {
    const operations = new Operations(node.node);
    return (command: string, args: Record<string, unknown>) => operations.run({ command, args });
  };
  async function exported(node: TestNode, name: string): Promise<string> {
    const file = path.join(folder, name);
    await exportUsers(asker(node), {}, file);
    return file;
  }

  it('with their configuration, affiliations, subscriptions and items, and again without a change', async () => {
    const old = await TestNode.start({ users: ['romeo', 'juliet'] });
    const young = await TestNode.start();
    try {
      const romeo = await old.login(`${ROMEO}/orchard`, { presence: true });
      const juliet = await old.login(`${JULIET}/balcony`, { presence: true });
      await create(romeo, 'urn:many', { max_items: 'max', access_model: 'open', title: 'Many &amp; 🌹' }, OWN);
      for (let n = 0; n < 230; n++) ok(await publish(romeo, 'urn:many', item(`n${n}`, `text ${n} &amp; 🌹`), OWN));
      ok(await publish(romeo, 'urn:secret', item('1'), OWN, { access_model: 'whitelist' }));
      ok(
        await romeo.iq(
          'set',
          owner(`<affiliations node='urn:secret'><affiliation jid='${JULIET}' affiliation='member'/></affiliations>`),
        ),
      );
      ok(await subscribe(juliet, 'urn:many', JULIET, ROMEO));
      const file = await exported(old, 'old.xml');
      const first = await importUsers(asker(young), file);
      assert.equal(first.problems, 0);
      assert.ok(first.imported > 0);
      const again = await importUsers(asker(young), file);
      assert.deepEqual([again.imported, again.problems], [0, 0]);
      assert.equal(readFileSync(await exported(young, 'young.xml'), 'utf8'), readFileSync(file, 'utf8'));

      const there = await young.login(`${JULIET}/balcony`, { presence: true });
      const ids = idsOf(await get(there, 'urn:many', ROMEO));
      assert.deepEqual(ids.slice(0, 3), ['n229', 'n228', 'n227']);
      assert.deepEqual(idsOf(await get(there, 'urn:secret', ROMEO)), ['1']);
      const his = await young.login(`${ROMEO}/orchard`, { presence: true });
      const list = ok(await his.iq('get', owner(`<subscriptions node='urn:many'/>`)));
      assert.equal(said(list, 'subscriptions').getChild('subscription')!.attrs.jid, JULIET);
      await young.addUser('paris');
      const paris = await young.login('paris@localhost/x');
      assert.equal(idsOf(await get(paris, 'urn:many', ROMEO)).length, 230);
      assert.equal(error(await get(paris, 'urn:secret', ROMEO)), 'auth not-authorized presence-subscription-required');
    } finally {
      await old.stop();
      await young.stop();
    }
  });
});
