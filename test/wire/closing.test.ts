import assert from 'node:assert/strict';
import { TestNode } from '../kit/node.ts';

describe('The end of a stream: RFC 6120 4.4', () => {
  let server: TestNode;
  before(async () => {
    server = await TestNode.start({ users: ['romeo', 'juliet'] });
  });
  after(() => server.stop());

  it('answers what came before, then the end; the connection is for the client to close', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    romeo.send("<iq type='get' id='last'><ping xmlns='urn:xmpp:ping'/></iq></stream:stream>");
    await romeo.expect(stanza => stanza.attrs.id === 'last', 'the last answer');
    // as long as others take to log in and out, the connection stays: some clients lose what comes together with its end
    const juliet = await server.login('juliet@localhost/balcony');
    await juliet.end();
    assert.deepEqual([romeo.ended, romeo.closed], [true, false]);
    // but the session is over
    assert.equal(server.node.sessionCount, 0);
    romeo.socket.end();
    await romeo.untilClosed();
  });

  it('closes the connection of who does not', async () => {
    const romeo = await server.login('romeo@localhost/orchard');
    romeo.send('</stream:stream>');
    await romeo.untilClosed();
    assert.ok(romeo.ended);
  });
});
