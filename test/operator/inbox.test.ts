import assert from 'node:assert/strict';
import { askInbox, displayed, updateTo } from '../plays/inbox.ts';
import { Person } from './person.ts';
import { Operated } from './program.ts';

describe('operator: the inbox when the program is killed', function () {
  this.timeout(60_000);
  let node: Operated;
  before(async () => {
    node = await Operated.start();
    await node.add('romeo', 'juliet');
  });
  after(() => node.remove());

  it('a client that was away meanwhile is told what changed before that', async () => {
    const juliet = await node.login('juliet@localhost/balcony');
    juliet.send("<message to='romeo@localhost' type='chat' id='1'><body>Romeo!</body></message>");
    await juliet.settle();
    const phone = await new Person(node, 'romeo@localhost/phone').begin('phone');
    await askInbox(phone.client);
    phone.acknowledge();
    await phone.client.settle();
    phone.client.destroy();
    const romeo = await node.login('romeo@localhost/orchard');
    romeo.send(`<message to='juliet@localhost' type='chat'>${displayed('1')}</message>`);
    assert.deepEqual((await askInbox(romeo)).lines, ['juliet@localhost 0 Romeo!']);
    await node.kill();
    await node.start();
    await phone.resume();
    await updateTo(phone.client, 'juliet@localhost', 0);
  });
});
