import assert from 'node:assert/strict';
import { TestNode } from '../kit/node.ts';
import { befriend, brief, push, ROSTER, rosterSet } from './people.ts';

describe('play: modules are exchanged while people talk', () => {
  let server: TestNode;
  before(async () => {
    server = await TestNode.start({ users: ['romeo', 'juliet', 'nurse', 'paris'] });
  });
  after(() => server.stop());

  it('what each session agreed on and showed goes on', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    const garden = await server.login('romeo@localhost/garden', { presence: true });
    const juliet = await server.login('juliet@localhost/balcony', { presence: true });
    const nurse = await server.login('nurse@localhost/x', { presence: true });
    await befriend(romeo, juliet);
    await juliet.iq('get', ROSTER);
    await juliet.iq('get', "<blocklist xmlns='urn:xmpp:blocking'/>");
    await garden.iq('set', "<enable xmlns='urn:xmpp:carbons:2'/>");
    romeo.send(`<presence to='${nurse.jid}'/>`);
    await nurse.presence(romeo.jid);
    juliet.send(`<message to='paris@localhost' type='chat' id='before'><body>x</body></message>`);
    for (const client of [romeo, garden, juliet, nurse]) await client.settle();

    for (const name of ['roster', 'presence', 'blocking', 'messages', 'carbons', 'offline', 'stanza-id'])
      await server.node.modules.reload(name);
    // nobody notices
    for (const client of [romeo, garden, juliet, nurse]) assert.deepEqual(await client.settle(), []);

    juliet.send('<presence><show>away</show></presence>');
    assert.equal((await romeo.presence(juliet.jid)).getChildText('show'), 'away');
    await juliet.settle();
    juliet.send(`<message to='${romeo.jid}' type='chat' id='m'><body>x</body></message>`);
    assert.equal((await romeo.message()).attrs.id, 'm');
    assert.ok((await garden.message()).getChild('received', 'urn:xmpp:carbons:2'));
    await juliet.iq('set', rosterSet("<item jid='friar@example.com'/>"));
    assert.equal((await push(juliet)).jid, 'friar@example.com');
    juliet.send(`<message to='paris@localhost' type='chat' id='after'><body>x</body></message>`);
    await juliet.settle();
    const paris = await server.login('paris@localhost/x', { presence: true });
    assert.equal((await paris.message()).attrs.id, 'before');
    assert.equal((await paris.message()).attrs.id, 'after');
    await juliet.iq('set', "<block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></block>");
    await juliet.expect(({ attrs }) => attrs.type === 'set', 'a push of the list');
    await romeo.presence(juliet.jid, 'unavailable');
    await romeo.settle();
    await romeo.end();
    // she was shown it directly
    assert.deepEqual((await nurse.presence('romeo@localhost/orchard', 'unavailable')).attrs.to, nurse.jid);
    assert.deepEqual((await garden.settle()).map(brief), [
      `presence ${juliet.jid} > romeo@localhost`,
      `presence unavailable ${juliet.jid} > romeo@localhost`,
      'presence unavailable romeo@localhost/orchard > romeo@localhost',
    ]);
  });
});
