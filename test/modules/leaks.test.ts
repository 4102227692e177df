import assert from 'node:assert/strict';
import type { TestNode } from '../kit/node.ts';
import { everything, useEverything } from './everything.ts';

describe('unloading every module leaves nothing behind', () => {
  let stage: TestNode;
  before(async () => {
    stage = await everything();
  });
  after(() => stage.stop());

  it('whatever they were used for, and while clients are connected', async () => {
    const { node } = stage;
    const people = {
      romeo: await stage.login('romeo@localhost/orchard', { presence: true }),
      juliet: await stage.login('juliet@localhost/balcony', { presence: true }),
      prince: await stage.login('prince@localhost/palace', { presence: true }),
    };
    await useEverything(stage, people);
    const names = node.modules.list().map(({ name }) => name);
    assert.ok(names.length > 20);

    // one after the other, those that others need at the end
    for (let left = names; left.length > 0;) {
      const before = left.length;
      for (const name of left) await node.modules.unload(name).catch(() => undefined);
      left = node.modules.list().map(module => module.name);
      assert.ok(left.length < before, `none of ${left.join(', ')} can be unloaded`);
      assert.deepEqual(node.modules.leaks(), []);
    }
    for (const [name, point] of Object.entries(node.points)) {
      const there = 'run' in point ? point.registrations : point.listeners;
      assert.deepEqual(
        there.filter(({ owner }) => owner !== 'core'),
        [],
        name,
      );
    }
    assert.deepEqual(
      node.iqs.registrations.map(({ owner }) => owner),
      ['core'],
    );
    for (const [name, collection] of Object.entries(node.collections)) {
      const left = collection.entries.filter(({ owner }) => owner !== 'core');
      assert.deepEqual(left, [], name);
    }
    for (const session of node.sessions())
      assert.deepEqual(
        session.slots.filter(value => value !== undefined),
        [],
      );
    const figures = node.metrics.families.map(({ name }) => name);
    for (const module of names) {
      const own = figures.filter(name => name.startsWith(`posthouse_${module.replaceAll('-', '_')}_`));
      assert.deepEqual(own, [], module);
    }
    assert.ok(!figures.includes('posthouse_components'));

    // the connections stand; what is left of a server answers
    for (const client of Object.values(people)) {
      const answer = await client.iq('get', "<ping xmlns='urn:xmpp:ping'/>", 'localhost');
      assert.equal(answer.getChild('error')!.getChildElements()[0]!.name, 'service-unavailable');
      assert.ok(!client.closed);
    }

    // and all comes back
    await node.reload();
    assert.deepEqual(
      node.modules.list().map(({ name }) => name),
      names,
    );
    await useEverything(stage, people);
  });

  it('what they were about to write is written', async () => {
    const nurse = await stage.login('benvolio@localhost/garden', { presence: true });
    nurse.send("<presence type='unavailable'><status>Away</status></presence>");
    await nurse.settle();
    await stage.node.modules.unload('last-activity');
    const [row] = await stage.node.storage.read(q => q('last_activity').where({ account: 'benvolio@localhost' }));
    assert.equal((row as { status: string }).status, 'Away');
    await stage.node.modules.load('last-activity');
  });
});
