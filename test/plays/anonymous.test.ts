import assert from 'node:assert/strict';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';

const GUESTS = 'guests.example';
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';

describe('play: anonymous logins (XEP-0175)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  before(async () => {
    stage = await TestNode.start({
      users: ['romeo'],
      yaml: `hosts: { localhost: {}, ${GUESTS}: { anonymous: true } }\nmodules: { registration: { open: true } }\n`,
    });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
  });
  after(() => stage.stop());

  const mechanisms = async (host: string) => {
    const client = await stage.connect();
    const list = (await client.open(host)).getChild('mechanisms', SASL)!.getChildren('mechanism');
    client.destroy();
    return list.map(mechanism => mechanism.getText());
  };
  const guest = async (trace = '', resource = 'x'): Promise<TestClient> => {
    const client = await stage.connect();
    await client.open(GUESTS);
    client.send(`<auth xmlns='${SASL}' mechanism='ANONYMOUS'>${trace}</auth>`);
    assert.equal((await client.expect(s => ['success', 'failure'].includes(s.name), 'an answer')).name, 'success');
    await client.open(GUESTS);
    await client.bind(resource);
    return client;
  };
  const bareOf = (client: TestClient) => client.jid.split('/')[0]!;

  it('are for hosts that say so', async () => {
    assert.ok(!(await mechanisms('localhost')).includes('ANONYMOUS'));
    assert.ok((await mechanisms(GUESTS)).includes('ANONYMOUS'));
    const client = await stage.connect();
    await client.open('localhost');
    client.send(`<auth xmlns='${SASL}' mechanism='ANONYMOUS'/>`);
    const failure = await client.expect(s => s.name === 'failure', 'a failure');
    assert.ok(failure.getChild('invalid-mechanism'));
  });

  it('give an address of its own to each, whatever was given as a trace', async () => {
    const trace = Buffer.from('romeo@example.org').toString('base64');
    const [one, other] = [await guest(trace), await guest(trace)];
    assert.notEqual(bareOf(one), bareOf(other));
    for (const client of [one, other]) {
      assert.match(client.jid, /^[0-9a-f-]{24,}@guests\.example\//);
      assert.ok(!client.jid.includes('romeo'));
      await client.end();
    }
    assert.equal(await stage.node.accounts.count(GUESTS), 0);
  });

  it('have no account to change, and administer nothing', async () => {
    const client = await guest();
    const query = "<query xmlns='jabber:iq:register'>";
    const local = bareOf(client).split('@')[0]!;
    assert.equal(condition(await client.iq('get', `${query}</query>`)), 'service-unavailable');
    const change = `${query}<username>${local}</username><password>a new password</password></query>`;
    assert.equal(condition(await client.iq('set', change)), 'registration-required');
    assert.equal(condition(await client.iq('set', `${query}<remove/></query>`)), 'registration-required');
    // XEP-0494: it knows no password
    const clients = (await client.iq('get', "<list xmlns='urn:xmpp:cam:0'/>")).getChild('clients')!.getChildElements();
    assert.deepEqual(
      clients.map(each => each.getChild('auth')!.children),
      [[]],
    );
    await client.end();
  });

  it('make no nodes at the service, which would stay', async () => {
    const client = await guest();
    const create = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='mine'/></pubsub>";
    assert.equal(condition(await client.iq('set', create, 'pubsub.localhost')), 'forbidden');
    assert.equal(condition(await client.iq('set', create, `pubsub.${GUESTS}`)), 'forbidden');
    assert.equal((await client.iq('set', create)).attrs.type, 'result');
    await client.end();
  });

  it('chat, and nothing of them stays when they leave', async () => {
    const client = await guest();
    const bare = bareOf(client);
    client.send('<presence/>');
    client.send("<message to='romeo@localhost' type='chat'><body>Who am I?</body></message>");
    assert.equal((await romeo.message()).attrs.from, client.jid);
    romeo.send(`<message to='${client.jid}' type='chat'><body>Nobody</body></message>`);
    assert.equal((await client.message()).getChildText('body'), 'Nobody');

    for (const payload of [
      "<query xmlns='jabber:iq:private'><a xmlns='urn:example:a'>x</a></query>",
      "<vCard xmlns='vcard-temp'><FN>Nobody</FN></vCard>",
      "<query xmlns='jabber:iq:roster'><item jid='romeo@localhost'/></query>",
      "<block xmlns='urn:xmpp:blocking'><item jid='tybalt@localhost'/></block>",
    ])
      assert.equal((await client.iq('set', payload)).attrs.type, 'result', payload);
    client.send("<presence to='romeo@localhost' type='subscribe'/>");
    await romeo.presence(bare, 'subscribe');
    romeo.send(`<presence to='${bare}' type='subscribed'/>`);
    await client.presence('romeo@localhost', 'subscribed');
    const kept = () => stage.tablesWith(({ account }) => account === bare);
    assert.ok((await kept()).length >= 4);
    await client.end();
    await until(async () => (await kept()).length === 0, 'everything to be gone');
    // his relationship is cancelled too
    await romeo.presence(bare, 'unsubscribe');
    romeo.send(`<message to='${bare}' type='chat' id='m'><body>Gone?</body></message>`);
    assert.equal(condition(await romeo.expect(s => s.is('message'), 'an error')), 'service-unavailable');
    assert.deepEqual(await kept(), []);
  });
});
