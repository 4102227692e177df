import assert from 'node:assert/strict';
import { admin, configure, enter, ok, ROOM, told } from '../plays/rooms.ts';
import { Person } from './person.ts';
import { Operated } from './program.ts';

const INFO = "<query xmlns='http://jabber.org/protocol/disco#info'/>";

describe('rooms outlive the program', function () {
  this.timeout(60_000);
  let node: Operated;
  let crone: Person;
  let hag: Person;

  beforeEach(async () => {
    node = await Operated.start();
    await node.add('crone1', 'hag66', 'wiccarocks');
    crone = await new Person(node, 'crone1@localhost').begin('desktop');
    hag = await new Person(node, 'hag66@localhost').begin('pda');
    await enter(crone.client, 'firstwitch');
    await configure(crone.client, { 'muc#roomconfig_moderatedroom': '1', 'muc#roomconfig_roomname': 'A Dark Cave' });
    crone.client.send(`<message type='groupchat' to='${ROOM}'><subject>Spells</subject></message>`);
    await enter(hag.client, 'thirdwitch');
    ok(await admin(crone.client, 'set', `<item role='participant' nick='thirdwitch'/>`));
    await hag.client.settle();
    await crone.client.settle();
  });
  afterEach(async () => {
    await node.kill();
    await node.remove();
  });

  it('who can come back is still inside, in the same role, and nobody has seen it leave', async () => {
    hag.client.send(`<message type='groupchat' to='${ROOM}' id='m'><body>Thrice</body></message>`);
    await hag.acknowledged();
    await crone.client.settle();
    await hag.client.settle();
    for (const each of [crone, hag]) each.acknowledge();
    await crone.acknowledged();
    await hag.acknowledged();
    await node.kill();
    await node.start();
    await hag.resume();
    hag.client.send(`<message type='groupchat' to='${ROOM}' id='n'><body>and once</body></message>`);
    assert.equal((await hag.client.message()).getChildText('body'), 'and once');
    await crone.resume();
    const came = (await crone.client.settle()).filter(({ name }) => name === 'message' || name === 'presence');
    assert.deepEqual(
      came.map(stanza => `${stanza.attrs.from} ${stanza.getChildText('body')}`),
      [`${ROOM}/thirdwitch and once`],
    );
    // who comes later finds the room as it was, with what was said in it
    const late = await new Person(node, 'wiccarocks@localhost').begin('laptop');
    late.client.send(`<presence to='${ROOM}/secondwitch'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
    const subject = await late.client.expect(stanza => stanza.getChild('subject') !== undefined, 'the subject');
    assert.equal(subject.getChildText('subject'), 'Spells');
    const before = late.client.inbox.splice(0);
    assert.deepEqual(
      before
        .filter(({ name }) => name === 'presence')
        .map(told)
        .sort(),
      ['firstwitch owner/moderator', 'secondwitch none/visitor wiccarocks 110,170', 'thirdwitch none/participant'],
    );
    assert.deepEqual(
      before.filter(({ name }) => name === 'message').map(message => message.getChildText('body')),
      ['Thrice', 'and once'],
    );
    const info = ok(await late.client.iq('get', INFO, ROOM));
    assert.equal(info.getChild('query')?.getChild('identity')?.attrs.name, 'A Dark Cave');
  });

  it('a temporary room is gone when nobody can come back to it', async () => {
    // in order: without resumption (XEP-0198 4)
    await hag.client.end();
    await crone.client.end();
    const stay = await new Person(node, 'wiccarocks@localhost').begin('laptop');
    const gone = await stay.client.iq('get', INFO, ROOM);
    assert.equal(gone.attrs.type, 'error', String(gone));
  });
});
