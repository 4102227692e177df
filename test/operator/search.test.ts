import assert from 'node:assert/strict';
import { byFields, card, findNick, findNumber, foundIn, say, SERVICE } from '../plays/directory.ts';
import { ok } from '../plays/verona.ts';
import { Operated } from './program.ts';

describe('the directory of people and its operator', function () {
  this.timeout(60_000);
  let node: Operated;
  before(async () => {
    node = await Operated.start('modules: { search: { number: assigned } }\n');
    await node.add('romeo', 'juliet');
  });
  after(() => node.remove());

  it('numbers are given, shown and taken back', async () => {
    const number = (...args: string[]) => node.done(['search', 'number', 'juliet@localhost', ...args]);
    assert.equal(await number(), 'juliet@localhost has no number, and is found by number.\n');
    assert.equal(await number('10 086'), 'juliet@localhost has the number 10086, and is found by number.\n');
    const romeo = await node.login('romeo@localhost/orchard');
    assert.deepEqual(await findNumber(romeo, '10086'), ['juliet@localhost']);
    const { code, err } = await node.command(['search', 'number', 'romeo@localhost', '10086']);
    assert.equal(code, 1);
    assert.match(err, /Another account has the number 10086/);
    assert.match(await number('none'), /has no number/);
    assert.deepEqual(await findNumber(romeo, '10086'), []);
    assert.match(await node.done(['search', 'gather', 'localhost']), /are being read/);
    await romeo.end();
  });

  it('what was answered is there after a kill: names, and who may be found', async () => {
    const juliet = await node.login('juliet@localhost/balcony');
    ok(await juliet.iq('set', card({ nick: '朱丽叶' })));
    ok(await juliet.iq('set', say("by-name='true' by-number='false'")));
    await node.kill();
    await node.start();
    const romeo = await node.login('romeo@localhost/orchard');
    assert.deepEqual(await findNick(romeo, '丽叶'), ['juliet@localhost']);
    assert.deepEqual(foundIn(await romeo.iq('set', byFields({ nick: 'romeo' }), SERVICE)), []);
  });
});
