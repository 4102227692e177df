import assert from 'node:assert/strict';
import { command, found, refusal, SERVICE } from '../plays/groups.ts';
import { Operated } from './program.ts';

describe('an operator says how many groups an account may found', function () {
  this.timeout(60_000);
  let node: Operated;
  before(async () => {
    node = await Operated.start('modules: { rooms: {}, groups: { perUser: 1 } }\n');
    await node.add('romeo');
  });
  after(() => node.remove());

  it('more, as everybody again, and what there is', async () => {
    const romeo = await node.login('romeo@localhost/orchard');
    await found(romeo, 'Verona');
    const allow = (...args: string[]) => node.done(['group', 'allow', 'romeo@localhost', ...args]);
    assert.equal(await allow(), 'romeo@localhost may found 1 groups (as for everybody), and has 1.\n');
    assert.equal(await allow('2'), 'romeo@localhost may found 2 groups (its own number), and has 1.\n');
    await found(romeo, 'Mantua');
    const third = await command(romeo, SERVICE, 'found', { name: 'Padua' });
    assert.equal(refusal(third), 'resource-constraint cancel groups-used-up');
    assert.equal(await allow('default'), 'romeo@localhost may found 1 groups (as for everybody), and has 2.\n');
    const { most } = JSON.parse(await allow('--json')) as { most: number };
    assert.equal(most, 1);
  });

  it('with errors that say what is wrong', async () => {
    const told = async (...args: string[]) => {
      const { code, err } = await node.command(['group', 'allow', ...args]);
      assert.equal(code, 1);
      return err;
    };
    assert.match(await told('nobody@localhost'), /There is no account nobody@localhost/);
    assert.match(await told('romeo@localhost', 'many'), /A number from 0 to 1000000, or 'default'/);
    assert.match(await told('localhost'), /This is no account/);
    await node.done(['module', 'unload', 'groups']);
    assert.match(await told('romeo@localhost'), /the module 'groups' is off|module load groups/);
  });
});
