import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

const BLOCKING = 'urn:xmpp:blocking';
const LIST = `<blocklist xmlns='${BLOCKING}'/>`;
const block = (...jids: string[]) => change('block', jids);
const unblock = (...jids: string[]) => change('unblock', jids);

function change(name: string, jids: string[]): string {
  return `<${name} xmlns='${BLOCKING}'>${jids.map(jid => `<item jid='${jid}'/>`).join('')}</${name}>`;
}

async function messages(client: TestClient): Promise<Element[]> {
  return (await client.settle()).filter(stanza => stanza.name === 'message');
}

function jidsIn(element: Element | undefined): (string | undefined)[] {
  return element!.getChildren('item').map(item => item.attrs.jid);
}

describe('play: blocking (XEP-0191)', () => {
  let server: TestNode;
  let juliet: TestClient;
  let romeo: TestClient;

  async function begin(yaml?: string): Promise<void> {
    server = await TestNode.start({ users: ['romeo', 'juliet'], yaml });
    juliet = await server.login('juliet@localhost/balcony', { presence: true });
    romeo = await server.login('romeo@localhost/orchard', { presence: true });
  }
  beforeEach(() => begin());
  afterEach(() => server.stop());

  it('a list is empty, grows, shrinks, and is told to the sessions that asked for it', async () => {
    const other = await server.login('juliet@localhost/chamber');
    const ignorant = await server.login('juliet@localhost/garden');
    assert.deepEqual(jidsIn((await juliet.iq('get', LIST)).getChild('blocklist')), []);
    await other.iq('get', LIST);
    assert.equal((await juliet.iq('set', block('romeo@localhost', 'Tybalt@Example.org'))).attrs.type, 'result');
    for (const client of [juliet, other]) {
      const push = await client.expect(stanza => stanza.attrs.type === 'set', 'a push');
      assert.deepEqual(jidsIn(push.getChild('block', BLOCKING)), ['romeo@localhost', 'tybalt@example.org']);
    }
    assert.deepEqual(await ignorant.settle(), []);
    await juliet.iq('set', unblock('romeo@localhost'));
    assert.deepEqual(jidsIn((await other.iq('get', LIST)).getChild('blocklist')), ['tybalt@example.org']);
    await juliet.iq('set', unblock());
    assert.deepEqual(jidsIn((await other.iq('get', LIST)).getChild('blocklist')), []);
    const pushes = (await other.settle()).map(stanza => jidsIn(stanza.getChild('unblock', BLOCKING)));
    assert.deepEqual(pushes, [['romeo@localhost'], []]);
  });

  it('nonsense is refused', async () => {
    assert.equal(condition(await juliet.iq('set', block())), 'bad-request');
    assert.equal(condition(await juliet.iq('set', block('@'))), 'jid-malformed');
    assert.equal(condition(await juliet.iq('get', LIST, 'romeo@localhost')), 'service-unavailable');
  });

  it('whoever is blocked is refused as if nobody were there, and so is who blocks', async () => {
    await juliet.iq('set', block('romeo@localhost'));
    romeo.send(`<message to='juliet@localhost' type='chat' id='m'><body>x</body></message>`);
    assert.equal(condition(await romeo.message()), 'service-unavailable');
    assert.equal(condition(await romeo.iq('get', `<ping xmlns='urn:xmpp:ping'/>`, juliet.jid)), 'service-unavailable');
    romeo.send(`<presence to='juliet@localhost'/><presence to='juliet@localhost' type='subscribe'/>`);
    romeo.send(`<message to='juliet@localhost' type='headline'><body>x</body></message>`);
    await romeo.settle();
    assert.deepEqual(await juliet.settle(), []);
    juliet.send(`<message to='romeo@localhost' type='chat' id='m'><body>x</body></message>`);
    const refused = await juliet.message();
    assert.equal(condition(refused), 'not-acceptable');
    assert.ok(refused.getChild('error')!.getChild('blocked', 'urn:xmpp:blocking:errors'));
    assert.deepEqual(await messages(romeo), []);
    // and after a restart of the list's owner, until it is unblocked
    await juliet.end();
    juliet = await server.login('juliet@localhost/balcony', { presence: true });
    await juliet.iq('set', unblock('romeo@localhost'));
    romeo.send(`<message to='juliet@localhost' type='chat' id='again'><body>x</body></message>`);
    assert.equal((await juliet.message()).attrs.id, 'again');
  });

  it('by policy, who is blocked learns nothing', async () => {
    await server.stop();
    await begin('modules: { blocking: { answer: silent } }');
    await juliet.iq('set', block('romeo@localhost'));
    romeo.send(`<message to='juliet@localhost' type='chat' id='m'><body>x</body></message>`);
    assert.deepEqual(await messages(romeo), []);
    assert.deepEqual(await messages(juliet), []);
    assert.equal(condition(await romeo.iq('get', `<ping xmlns='urn:xmpp:ping'/>`, juliet.jid)), 'service-unavailable');
  });

  it('nobody blocks himself out: neither of his own sessions nor of his server', async () => {
    await juliet.iq('set', block('juliet@localhost', 'localhost'));
    const chamber = await server.login('juliet@localhost/chamber', { presence: true });
    juliet.send(`<message to='juliet@localhost/chamber' type='chat' id='own'><body>x</body></message>`);
    assert.equal((await chamber.message()).attrs.id, 'own');
    assert.equal((await juliet.iq('get', `<ping xmlns='urn:xmpp:ping'/>`, 'localhost')).attrs.type, 'result');
    romeo.send(`<message to='juliet@localhost' type='chat'><body>x</body></message>`);
    assert.equal(condition(await romeo.message()), 'service-unavailable');
  });

  it('a friend who is blocked sees an unavailable contact, and an available one when it is over', async () => {
    romeo.send(`<presence to='juliet@localhost' type='subscribe'/>`);
    await juliet.expect(stanza => stanza.attrs.type === 'subscribe', 'a request');
    juliet.send(`<presence to='romeo@localhost' type='subscribed'/>`);
    await romeo.presence('juliet@localhost/balcony');
    await romeo.settle();
    await juliet.iq('set', block('romeo@localhost'));
    await romeo.presence('juliet@localhost/balcony', 'unavailable');
    juliet.send('<presence><show>away</show></presence>');
    await juliet.settle();
    assert.deepEqual((await romeo.settle()).map(String), []);
    await juliet.iq('set', unblock('romeo@localhost'));
    assert.equal((await romeo.presence('juliet@localhost/balcony')).getChildText('show'), 'away');
  });

  it('a stranger who is blocked is told nothing, though he be in the roster', async () => {
    await juliet.iq('set', `<query xmlns='jabber:iq:roster'><item jid='romeo@localhost'/></query>`);
    await romeo.settle();
    await juliet.iq('set', block('romeo@localhost'));
    await juliet.settle();
    assert.deepEqual((await romeo.settle()).map(String), []);
  });

  it('a report may come with a block (XEP-0377)', async () => {
    const report = `<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'><text>Never came trouble.</text></report>`;
    const answer = await juliet.iq(
      'set',
      `<block xmlns='${BLOCKING}'><item jid='romeo@localhost'>${report}</item></block>`,
    );
    assert.equal(answer.attrs.type, 'result');
    assert.deepEqual(jidsIn((await juliet.iq('get', LIST)).getChild('blocklist')), ['romeo@localhost']);
  });
});
