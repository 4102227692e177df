import assert from 'node:assert/strict';
import { TestNode } from '../kit/node.ts';

describe('play: when a client is asked what it has handled (XEP-0198)', () => {
  let stage: TestNode;

  before(async () => {
    stage = await TestNode.start({ users: ['romeo', 'juliet'] });
  });
  after(() => stage.stop());

  it('with a message, once at a time, and again for what came meanwhile; not for presence', async () => {
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    romeo.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    await romeo.expect(({ name }) => name === 'enabled', 'stream management');
    const juliet = await stage.login('juliet@localhost/balcony');
    const say = async (body: string): Promise<void> => {
      juliet.send(`<message type='chat' to='romeo@localhost/orchard'><body>${body}</body></message>`);
      await romeo.expect(stanza => stanza.getChildText('body') === body, body);
    };
    const asked = async (): Promise<number> => (await romeo.settle()).filter(({ name }) => name === 'r').length;

    juliet.send("<presence to='romeo@localhost'/>");
    await romeo.presence(juliet.jid);
    assert.equal(await asked(), 0);
    await say('Ay me!');
    await say('O Romeo, Romeo!');
    assert.equal(await asked(), 1);
    // the presence, two answers to pings, the first message
    romeo.send("<a xmlns='urn:xmpp:sm:3' h='3'/>");
    assert.equal(await asked(), 1);
    romeo.send("<a xmlns='urn:xmpp:sm:3' h='6'/>");
    assert.equal(await asked(), 0);
  });
});
