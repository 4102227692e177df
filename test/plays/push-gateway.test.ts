import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { affiliate, found } from './groups.ts';
import { cut, DATA, enable, form, OWN, publishOptions, PUBSUB, PUSH, resumable, resume, say } from './push.ts';
import {
  closeVendors,
  COMMANDS,
  execute,
  GATEWAY,
  gateway,
  openVendors,
  register,
  registeredBy,
  type Vendors,
} from './push-gateway.ts';
import { enter, ok } from './rooms.ts';
import { features, INFO } from './verona.ts';

const ITEMS = 'http://jabber.org/protocol/disco#items';

describe('play: the push service (XEP-0357 3.2 and 4, RFC 8030, FCM, APNs)', () => {
  let stage: TestNode;
  let vendors: Vendors;
  let romeo: TestClient;
  const start = async (more: object = {}): Promise<void> => {
    vendors = await openVendors();
    stage = await gateway(vendors, more);
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
  };
  afterEach(async () => {
    await stage.stop();
    await closeVendors(vendors);
    for (const { faults } of Object.values(vendors) as { faults: string[] }[]) assert.deepEqual(faults, []);
  });
  const phone = (): Promise<TestClient> => stage.login('juliet@localhost/phone', { presence: true });
  const rows = async (table = 'push_registrations'): Promise<number> =>
    ((await stage.node.storage.read(q => q(table).select())) as unknown[]).length;
  const publish = (client: TestClient, node: string, options = '', notification = `<notification xmlns='${PUSH}'/>`) =>
    client.iq(
      'set',
      `<pubsub xmlns='${PUBSUB}'><publish node='${node}'><item>${notification}</item></publish>${options && `<publish-options>${options}</publish-options>`}</pubsub>`,
      GATEWAY,
    );
  const nothing = async (): Promise<void> => {
    await romeo.settle();
    // what is not told can only be waited for
    await new Promise(resolve => setTimeout(resolve, 150));
    for (const { came } of Object.values(vendors) as { came: unknown[] }[]) assert.deepEqual(came, []);
  };

  it('the whole way: a phone registers, goes, is woken by its vendor, comes back and reads', async () => {
    await start();
    const client = await phone();
    const subscription = vendors.web.subscribe();
    const { endpoint, p256dh, auth } = subscription;
    await register(client, 'register-push-web', { endpoint, p256dh, auth });
    await client.end();
    say(romeo, 'Good morrow');
    const told = JSON.parse((await vendors.web.next()).body) as Record<string, string>;
    assert.equal(told['message-count'], '1');
    assert.deepEqual(Object.keys(told).toSorted(), ['message-count', 'node']);
    const back = await phone();
    assert.equal((await back.message()).getChildText('body'), 'Good morrow');
    await nothing();
  });

  it('the whole way for a session that only waits, for a group, for a call, and for what is muted', async () => {
    await start();
    const { jid } = await found(romeo, 'Montague');
    await affiliate(romeo, jid, 'juliet');
    await enter(romeo, 'Romeo', { room: jid });
    const client = await phone();
    const { endpoint, p256dh, auth } = vendors.web.subscribe();
    await register(client, 'register-push-web', { endpoint, p256dh, auth });
    // the invitation to the group has left the store
    await client.settle();
    const id = await resumable(client);
    await cut(stage, client);
    say(romeo, 'while you wait');
    assert.equal((JSON.parse((await vendors.web.next()).body) as Record<string, string>)['message-count'], '1');
    const back = await resume(stage, 'juliet', id, 0);
    assert.equal((await back.message()).getChildText('body'), 'while you wait');
    back.send(`<a xmlns='urn:xmpp:sm:3' h='1'/>`);
    await back.settle();
    await back.end();
    romeo.send(`<message type='groupchat' to='${jid}'><body>juliet@localhost: hear this</body></message>`);
    await vendors.web.next('a notification of the group');
    romeo.send(
      `<message to='juliet@localhost' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='a'/></message>`,
    );
    const call = await vendors.web.next('a call');
    assert.deepEqual([call.headers.ttl, call.headers.topic], ['30', undefined]);
    const again = await phone();
    const payload = `<chat xmlns='urn:posthouse:chats:0'><notify xmlns='urn:xmpp:notification-settings:1'><never/></notify></chat>`;
    const item = `<publish node='urn:posthouse:chats:0'><item id='romeo@localhost'>${payload}</item></publish>`;
    ok(await again.iq('set', `<pubsub xmlns='${PUBSUB}'>${item}</pubsub>`));
    await again.end();
    say(romeo, 'muted');
    await nothing();
  });

  it('by each vendor, as each known app registers there', async () => {
    await start();
    for (const [command, values, vendor] of [
      ['register-push-fcm', { token: 'tok-1', 'android-id': 'a1' }, 'fcm'],
      ['register-push-apns', { token: 'AB'.repeat(32), 'device-id': 'b1' }, 'apns'],
      ['v1-register-push', { type: 'apns', node: 'c1', token: 'cd'.repeat(32) }, 'apns'],
      ['v1-register-push', { type: 'fcm', node: 'd1', token: 'tok-2' }, 'fcm'],
      ['register-device', { provider: 'fcm-xmpp-api', 'device-token': 'tok-3' }, 'fcm'],
      ['v1-register-push', { type: 'mi', node: 'e1', token: 'tok-4' }, 'any'],
    ] as const) {
      const client = await phone();
      const { node } = await register(client, command, values);
      await client.end();
      say(romeo, `to ${command}`);
      const { body } = await vendors[vendor].next(`a notification by ${vendor}`);
      if (vendor !== 'any') assert.match(body, new RegExp(node));
      const back = await phone();
      await back.message();
      ok(await back.iq('set', `<disable xmlns='${PUSH}' jid='${GATEWAY}'/>`));
      await back.end();
    }
  });

  it('3.2: it says that it is a push service, and what commands it has; what is more is not done', async () => {
    await start();
    const info = await romeo.iq('get', INFO, GATEWAY);
    const identity = info.getChild('query')!.getChild('identity')!;
    assert.deepEqual([identity.attrs.category, identity.attrs.type], ['pubsub', 'push']);
    for (const feature of [PUSH, PUBSUB, `${PUBSUB}#access-whitelist`, `${PUBSUB}#publish-only-affiliation`])
      assert.ok(features(info).includes(feature), feature);
    const items = async (to: string, node = ''): Promise<string[]> =>
      ok(await romeo.iq('get', `<query xmlns='${ITEMS}' ${node && `node='${node}'`}/>`, to))
        .getChild('query')!
        .getChildren('item')
        .map(({ attrs }) => attrs.node ?? attrs.jid!);
    assert.ok((await items('localhost')).includes(GATEWAY));
    const commands = await items(GATEWAY, COMMANDS);
    assert.ok(commands.includes('register-push-fcm') && commands.includes('unregister-push'));
    const command = await romeo.iq(
      'get',
      `<query xmlns='http://jabber.org/protocol/disco#info' node='register-push-fcm'/>`,
      GATEWAY,
    );
    assert.ok(features(command).includes(DATA));
    for (const [type, inner] of [
      ['get', `<items node='x'/>`],
      ['set', `<subscribe node='x' jid='romeo@localhost'/>`],
      ['set', `<create node='x'/>`],
    ] as const) {
      const answer = await romeo.iq(type, `<pubsub xmlns='${PUBSUB}'>${inner}</pubsub>`, GATEWAY);
      assert.equal(condition(answer), 'feature-not-implemented');
    }
  });

  it('4.2: only who knows the secret publishes, or the server of the owner where none is shown', async () => {
    await start();
    const client = await phone();
    const { node, secret } = registeredBy(
      await execute(client, 'register-push-fcm', { token: 'tok', 'android-id': 'a' }),
    );
    ok(await publish(romeo, node, publishOptions({ secret })));
    await vendors.fcm.next();
    for (const wrong of ['', publishOptions({ secret: `${secret.slice(1)}x` }), publishOptions({ secret: '' })])
      assert.equal(condition(await publish(romeo, node, wrong)), 'forbidden');
    assert.equal(condition(await publish(romeo, 'nobody', publishOptions({ secret }))), 'item-not-found');
    assert.equal(
      condition(await publish(romeo, node, publishOptions({ secret }), `<x xmlns='urn:x'/>`)),
      'bad-request',
    );
    const noNode = `<pubsub xmlns='${PUBSUB}'><publish/></pubsub>`;
    assert.equal(condition(await romeo.iq('set', noNode, GATEWAY)), 'bad-request');
    // as Siskin has it: without a place for a secret
    ok(await client.iq('set', enable('', node, GATEWAY)));
    await client.end();
    say(romeo, 'one');
    await vendors.fcm.next();
  });

  it('what is published is passed on in bounds, whatever it is', async () => {
    await start();
    const client = await phone();
    const { node, secret } = registeredBy(await execute(client, 'register-push-fcm', { token: 'tok' }));
    const data = async (fields: Record<string, string>, call = ''): Promise<Record<string, string>> => {
      const notification = `<notification xmlns='${PUSH}'>${form('urn:xmpp:push:summary', fields)}${call}</notification>`;
      ok(await publish(romeo, node, publishOptions({ secret }), notification));
      const { message } = JSON.parse((await vendors.fcm.next()).body) as { message: { data: Record<string, string> } };
      return message.data;
    };
    assert.deepEqual(await data({ 'message-count': 'many', 'pending-subscription-count': '-3' }), {
      node,
      'message-count': '1',
    });
    const long = await data({
      'message-count': '999999999999999999',
      'last-message-sender': 'not @ an address',
      'last-message-body': '🌹'.repeat(3000),
    });
    assert.equal(long['last-message-sender'], undefined);
    assert.equal([...long['last-message-body']!].length, 1000);
    assert.equal((await data({}, `<call xmlns='${OWN}'/>`)).call, '1');
  });

  it('registering: forms are shown to who asks, and what cannot be is refused, each with its reason', async () => {
    await start({ fcm: undefined });
    const ask = async (node: string, inner = '', action = 'execute') =>
      romeo.iq('set', `<command xmlns='${COMMANDS}' node='${node}' action='${action}'>${inner}</command>`, GATEWAY);
    const shown = ok(await ask('register-push-web')).getChild('command', COMMANDS)!;
    assert.equal(shown.attrs.status, 'executing');
    const key = shown
      .getChild('x', DATA)!
      .getChildren('field')
      .find(field => field.attrs.var === 'vapid-key')!
      .getChildText('value')!;
    assert.equal(Buffer.from(key, 'base64url').length, 65);
    assert.equal(ok(await ask('register-push-web', '', 'cancel')).getChild('command')!.attrs.status, 'canceled');
    assert.equal(condition(await ask('register-push-web', '', 'fly')), 'bad-request');
    assert.equal(condition(await ask('no-such')), 'item-not-found');
    assert.equal(condition(await ask('register-push-fcm')), 'item-not-found', 'a vendor that is not configured');
    const refused = async (node: string, values: Record<string, string>): Promise<string> =>
      condition(await execute(romeo, node, values));
    assert.equal(await refused('v1-register-push', { type: 'fcm', token: 'a', node: 'b' }), 'item-not-found');
    assert.equal(await refused('v1-register-push', { type: '', token: 'a' }), 'item-not-found');
    assert.equal(await refused('register-push-apns', { token: 'no hex' }), 'not-acceptable');
    assert.equal(await refused('register-push-apns', {}), 'not-acceptable');
    const device = 'x'.repeat(300);
    assert.equal(
      await refused('register-push-apns', { token: 'ab'.repeat(32), 'device-id': device }),
      'not-acceptable',
    );
    const { endpoint, p256dh, auth } = vendors.web.subscribe();
    const elsewhere = { endpoint: 'https://192.168.0.1/x', p256dh, auth };
    assert.equal(await refused('register-push-web', elsewhere), 'not-acceptable');
    assert.equal(await refused('register-push-web', { endpoint, p256dh, auth: 'x' }), 'not-acceptable');
  });

  it('a device that registers again keeps its node; one is forgotten, or all', async () => {
    await start();
    const client = await phone();
    const one = registeredBy(await execute(client, 'register-push-fcm', { token: 'old', 'android-id': 'a' }));
    const again = registeredBy(await execute(client, 'register-push-fcm', { token: 'new', 'android-id': 'a' }));
    assert.deepEqual(again, one);
    ok(await publish(romeo, one.node, publishOptions({ secret: one.secret })));
    assert.match((await vendors.fcm.next()).body, /"new"/);
    const other = registeredBy(await execute(client, 'register-device', { provider: 'fcm', 'device-token': 'x' }));
    await execute(romeo, 'unregister-push', { node: one.node });
    assert.equal(await rows('push_devices'), 2, 'nobody forgets what is not his');
    ok(await execute(client, 'unregister-device', { provider: 'fcm', 'device-token': 'x' }));
    assert.equal(
      condition(await publish(romeo, other.node, publishOptions({ secret: other.secret }))),
      'item-not-found',
    );
    ok(await execute(client, 'unregister-push', {}));
    assert.equal(await rows('push_devices'), 0);
  });

  it('8: a device that its vendor knows no more is forgotten, and its user’s server tells it nothing more', async () => {
    await start();
    const client = await phone();
    await register(client, 'register-push-fcm', { token: 'gone', 'android-id': 'a' });
    await register(client, 'register-push-apns', { token: 'ab'.repeat(32) });
    await client.end();
    vendors.fcm.devices = new Set();
    say(romeo, 'one');
    await vendors.apns.next();
    await until(async () => (await rows()) === 1 && (await rows('push_devices')) === 1, 'the device to be gone');
    say(romeo, 'two');
    await vendors.apns.next();
    assert.equal(vendors.fcm.requests, 2, 'a grant and an attempt');
  });

  it('a vendor that cannot now is asked again', async () => {
    await start();
    const client = await phone();
    await register(client, 'register-push-fcm', { token: 'tok', 'android-id': 'a' });
    await client.end();
    let failures = 2;
    vendors.fcm.answer = () => (failures-- > 0 ? { status: 503, headers: { 'Retry-After': '1' } } : undefined);
    say(romeo, 'one');
    assert.match((await vendors.fcm.next()).body, /"message-count":"1"/);
    assert.equal(failures, -1);
  });

  it('one that answers nothing keeps no other waiting, and messages not at all', async () => {
    await start();
    const client = await phone();
    await register(client, 'register-push-fcm', { token: 'tok', 'android-id': 'a' });
    await register(client, 'register-push-apns', { token: 'ab'.repeat(32) });
    await client.end();
    vendors.fcm.answer = () => 'nothing';
    for (let i = 1; i <= 5; i++) {
      say(romeo, 'x'.repeat(i));
      await vendors.apns.next();
    }
    const nurse = await stage.login('nurse@localhost/home', { presence: true });
    say(romeo, 'at once', 'nurse@localhost');
    assert.equal((await nurse.message()).getChildText('body'), 'at once');
    assert.equal(vendors.fcm.requests, 2, 'a grant and one attempt');
  });

  it('publishers are told to wait where too much is under way', async () => {
    await start({ queue: 1 });
    vendors.fcm.answer = () => 'nothing';
    const client = await phone();
    const [one, two] = ['a', 'b'].map(async name =>
      registeredBy(await execute(client, 'register-push-fcm', { token: name, 'android-id': name })),
    );
    const { node, secret } = await one!;
    ok(await publish(romeo, node, publishOptions({ secret })));
    const other = await two!;
    const answer = await publish(romeo, other.node, publishOptions({ secret: other.secret }));
    assert.equal(condition(answer), 'resource-constraint');
    assert.equal(answer.getChild('error')!.attrs.type, 'wait');
  });

  it('devices are there after a start with the same keys, and go with the account', async () => {
    await start();
    const client = await phone();
    const { endpoint, p256dh, auth } = vendors.web.subscribe();
    await register(client, 'register-push-web', { endpoint, p256dh, auth });
    await client.end();
    say(romeo, 'one');
    const keyOf = (header: string | undefined): string => /k=([\w-]+)/.exec(header ?? '')![1]!;
    const before = keyOf((await vendors.web.next()).headers.authorization);
    const { folder } = stage;
    await stage.stop({ keep: true });
    const { readFileSync } = await import('node:fs');
    const yaml = /^modules:.*$/m.exec(readFileSync(`${folder}/test.yaml`, 'utf8'))![0];
    stage = await TestNode.start({ folder, yaml: `${yaml}\n` });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    say(romeo, 'two');
    assert.equal(keyOf((await vendors.web.next()).headers.authorization), before);
    await stage.node.accounts.remove(parseJid('juliet@localhost')!);
    assert.deepEqual([await rows('push_devices'), await rows()], [0, 0]);
  });

  it('a channel that cannot be is told of, and the others are there', async () => {
    await start({ apns: { key: 'no key', keyId: 'A', teamId: 'B', topic: 'c' } });
    const client = await phone();
    assert.equal(condition(await execute(client, 'register-push-apns', { token: 'ab'.repeat(32) })), 'item-not-found');
    registeredBy(await execute(client, 'register-push-fcm', { token: 'tok' }));
  });
});
