import assert from 'node:assert/strict';
import { condition, type TestClient } from '../kit/client.ts';
import type { WebPushVendor } from '../kit/vendors.ts';
import { until } from '../kit/wait.ts';
import {
  closeVendors,
  GATEWAY,
  gatewayOptions,
  openVendors,
  register,
  type Registered,
  type Vendors,
} from '../plays/push-gateway.ts';
import { publishOptions, PUBSUB, PUSH, say } from '../plays/push.ts';
import { Operated } from './program.ts';

/** As somebody with a phone would have it; the server is killed (kill -9) between the scenes, and in the middle of one. */
describe('a walk: a phone is pushed, whatever becomes of the server', function () {
  this.timeout(180_000);
  let node: Operated;
  let vendors: Vendors;
  let web: WebPushVendor;
  let romeo: TestClient;
  let registered: Registered;

  before(async () => {
    vendors = await openVendors();
    ({ web } = vendors);
    const modules = { push: { pause: 0 }, 'push-gateway': await gatewayOptions(vendors) };
    node = await Operated.start(`modules: ${JSON.stringify(modules)}\n`);
    await node.add('romeo', 'juliet');
  });
  after(async () => {
    await node.remove();
    await closeVendors(vendors);
    assert.deepEqual(web.faults, []);
  });

  const juliet = async (): Promise<TestClient> => {
    const client = await node.login('juliet@localhost/phone');
    client.send('<presence/>');
    return client;
  };
  const restarted = async (): Promise<void> => {
    await node.kill();
    await node.start();
    romeo = await node.login('romeo@localhost/home');
    romeo.send('<presence/>');
    await romeo.settle();
  };
  const woken = async (): Promise<string> => {
    const told = JSON.parse((await web.next()).body) as Record<string, string>;
    return told['message-count']!;
  };

  it('what was registered is there after a kill, and wakes the phone', async () => {
    const client = await juliet();
    const { endpoint, p256dh, auth } = web.subscribe();
    registered = await register(client, 'register-push-web', { endpoint, p256dh, auth });
    await client.end();
    await restarted();
    say(romeo, 'one');
    assert.equal(await woken(), '1');
  });

  it('a kill between the message and the push loses no message; the next one wakes the phone, and counts both', async () => {
    web.answer = () => 'nothing';
    const before = web.requests;
    say(romeo, 'two');
    await until(() => web.requests === before + 1, 'the vendor to have it, which does not answer', 15_000);
    web.answer = () => undefined;
    await restarted();
    say(romeo, 'three');
    assert.equal(await woken(), '3');
    const client = await juliet();
    const texts: unknown[] = [];
    for (let i = 0; i < 3; i++) texts.push((await client.message()).getChildText('body'));
    assert.deepEqual(texts, ['one', 'two', 'three']);
    await client.end();
  });

  it('a device that its vendor knows no more is forgotten for good', async () => {
    web.subscriptions.clear();
    const publish = async (): Promise<string> => {
      const publication = `<publish node='${registered.node}'><item><notification xmlns='${PUSH}'/></item></publish>`;
      const options = `<publish-options>${publishOptions({ secret: registered.secret })}</publish-options>`;
      const iq = await romeo.iq('set', `<pubsub xmlns='${PUBSUB}'>${publication}${options}</pubsub>`, GATEWAY);
      return iq.attrs.type === 'error' ? condition(iq) : 'taken';
    };
    assert.equal(await publish(), 'taken');
    await until(async () => (await publish()) === 'item-not-found', 'the device to be forgotten', 15_000);
    await restarted();
    assert.equal(await publish(), 'item-not-found');
    const { requests } = web;
    say(romeo, 'four');
    await romeo.settle();
    // what is not told can only be waited for
    await new Promise(resolve => setTimeout(resolve, 300));
    assert.equal(web.requests, requests);
  });
});
