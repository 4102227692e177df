import assert from 'node:assert/strict';
import { TestNode } from '../kit/node.ts';

const SM = 'urn:xmpp:sm:3';

describe('play: stream management out of its order (XEP-0198 3)', () => {
  let server: TestNode;
  before(async () => {
    server = await TestNode.start({ users: ['romeo'] });
  });
  after(() => server.stop());

  it('before login and before a resource is bound: failed, and the stream goes on', async () => {
    const client = await server.connect();
    await client.open();
    for (const early of [`<enable xmlns='${SM}'/>`, `<resume xmlns='${SM}' previd='x' h='0'/>`]) {
      client.send(early);
      const failed = await client.expect(({ name }) => name === 'failed', 'a failure');
      assert.equal(failed.attrs.xmlns, SM);
      assert.ok(failed.getChild('unexpected-request', 'urn:ietf:params:xml:ns:xmpp-stanzas'));
    }
    const token = Buffer.from('\0romeo\0romeo').toString('base64');
    client.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${token}</auth>`);
    await client.expect(({ name }) => name === 'success', 'success');
    await client.open();
    client.send(`<enable xmlns='${SM}'/>`);
    const failed = await client.expect(({ name }) => name === 'failed', 'a failure');
    assert.ok(failed.getChild('unexpected-request'));
    await client.bind('orchard');
    client.send(`<enable xmlns='${SM}'/>`);
    await client.expect(({ name }) => name === 'enabled', 'what was asked for');
    await client.end();
  });
});
