import assert from 'node:assert/strict';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

const UNKNOWN = "<test xmlns='urn:example:test'/>";

describe('play: where IQs go (RFC 6121 8.5, RFC 6120 10.3)', () => {
  let server: TestNode;
  let juliet: TestClient;
  let romeo: TestClient;
  before(async () => {
    server = await TestNode.start({ users: ['juliet', 'romeo', 'away'] });
    juliet = await server.login('juliet@localhost/balcony', { presence: true });
    romeo = await server.login('romeo@localhost/orchard', { presence: true });
  });
  after(() => server.stop());

  for (const type of ['get', 'set'] as const) {
    for (const [title, to] of [
      ['an account with sessions', 'romeo@localhost'],
      ['an account without', 'away@localhost'],
      ['an account that is not there', 'nobody@localhost'],
      ['a resource that is not there', 'romeo@localhost/nowhere'],
      ['a resource of an account that is not there', 'nobody@localhost/nowhere'],
      ['the host', 'localhost'],
      ["the sender's own account", 'juliet@localhost'],
      ['nobody, which is the own account', undefined],
    ] as const) {
      it(`${type} to ${title}: what the server does not know is service-unavailable, and nobody else sees it`, async () => {
        const answer = await juliet.iq(type, UNKNOWN, to);
        assert.equal(answer.attrs.type, 'error');
        assert.equal(condition(answer), 'service-unavailable');
        if (to !== undefined) assert.equal(answer.attrs.from, to);
        assert.equal(answer.attrs.to, 'juliet@localhost/balcony');
        assert.deepEqual(await romeo.settle(), []);
      });
    }
  }

  it('to a resource that is there: requests, results and errors reach it as they are (8.5.3.1)', async () => {
    juliet.send(`<iq type='get' id='g' to='${romeo.jid}'>${UNKNOWN}</iq>`);
    const request = await romeo.expect(({ name }) => name === 'iq', 'a request');
    assert.deepEqual([request.attrs.id, request.attrs.from], ['g', 'juliet@localhost/balcony']);
    assert.ok(request.getChild('test', 'urn:example:test'));
    romeo.send(`<iq type='result' id='g' to='${juliet.jid}'>${UNKNOWN}</iq>`);
    assert.ok((await juliet.expect(({ attrs }) => attrs.id === 'g', 'a result')).getChild('test'));
    const error = "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    romeo.send(`<iq type='error' id='e' to='${juliet.jid}'>${error}</iq>`);
    assert.equal(condition(await juliet.expect(({ attrs }) => attrs.id === 'e', 'an error')), 'gone');
  });

  it('results and errors that nobody waits for end quietly', async () => {
    for (const to of ['romeo@localhost', 'romeo@localhost/nowhere', 'nobody@localhost', 'localhost', undefined]) {
      const address = to === undefined ? '' : ` to='${to}'`;
      juliet.send(`<iq type='result' id='r'${address}/>`);
      juliet.send(`<iq type='error' id='e'${address}><error type='cancel'/></iq>`);
    }
    assert.deepEqual(await juliet.settle(), []);
    assert.deepEqual(await romeo.settle(), []);
  });

  for (const [title, iq] of [
    ['no id', `<iq type='get'>${UNKNOWN}</iq>`],
    ['no type', `<iq id='b'>${UNKNOWN}</iq>`],
    ['a type that is none', `<iq id='b' type='ask'>${UNKNOWN}</iq>`],
    ['a request without content', "<iq id='b' type='get'/>"],
    ['a request with two things', `<iq id='b' type='set'>${UNKNOWN}${UNKNOWN}</iq>`],
  ] as const) {
    it(`${title}: bad-request (RFC 6120 8.2.3)`, async () => {
      juliet.send(iq);
      const error = await juliet.expect(({ name, attrs }) => name === 'iq' && attrs.type === 'error', 'an error');
      assert.equal(condition(error), 'bad-request');
    });
  }
});
