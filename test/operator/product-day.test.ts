import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { condition, type TestClient } from '../kit/client.ts';
import { freePort } from '../kit/ports.ts';
import type { TestNode } from '../kit/node.ts';
import { ask } from '../plays/archive.ts';
import { card, findNick, findNumber } from '../plays/directory.ts';
import { rosterOf } from '../plays/people.ts';
import { enable, PushService, SERVICE } from '../plays/push.ts';
import { askSlot, urlsOf } from '../plays/uploading.ts';
import { ok } from '../plays/verona.ts';
import { Operated } from './program.ts';

const ROMEO = '10001@localhost';
const JULIET = '10002@localhost';

describe('a day of two people, with kills in it', function () {
  this.timeout(120_000);
  let node: Operated;
  let push: PushService;
  let components: number;
  let romeo: TestClient;
  let juliet: TestClient;
  const picture = randomBytes(200_000);
  let url: string;

  before(async () => {
    components = await freePort();
    node = await Operated.prepare();
    const { xmpp, xmpps, https, http } = node.ports;
    node.configure(`listeners:
  xmpp: { port: ${xmpp}, addresses: [127.0.0.1], allowPlaintext: true }
  xmpps: { port: ${xmpps}, addresses: [127.0.0.1] }
  https: { port: ${https}, addresses: [127.0.0.1] }
  http: { port: ${http}, addresses: [127.0.0.1] }
  components: { type: component, port: ${components}, addresses: [127.0.0.1] }
modules:
  search: { byName: true }
  uploads: { disk: { free: 0 } }
  push: { pause: 0 }
  component: { components: { ${SERVICE}: { secret: sesame } } }
`);
    await node.start();
    await node.add('10001', '10002');
    push = await openPush();
  });
  after(async () => {
    push?.destroy();
    await node.remove();
  });

  const openPush = () => PushService.open({ componentPort: components } as TestNode);
  const here = (address: string): string => `http://127.0.0.1:${node.ports.http}${new URL(address).pathname}`;
  const enter = async (full: string): Promise<TestClient> => {
    const client = await node.login(full);
    client.send('<presence/>');
    await client.presence(client.jid);
    return client;
  };
  const say = (client: TestClient, to: string, id: string, body: string, more = ''): void =>
    client.send(`<message to='${to}' type='chat' id='${id}'><body>${body}</body>${more}</message>`);
  const again = async (): Promise<void> => {
    push.destroy();
    await node.kill();
    await node.start();
    push = await openPush();
    romeo = await enter(`${ROMEO}/orchard`);
  };

  it('they find each other by number, and become friends', async () => {
    romeo = await enter(`${ROMEO}/orchard`);
    juliet = await enter(`${JULIET}/phone`);
    ok(await juliet.iq('set', card({ nick: '朱丽叶' })));
    assert.deepEqual(await findNumber(romeo, '10002'), [JULIET]);
    romeo.send(`<presence to='${JULIET}' type='subscribe'><status>We met at the ball.</status></presence>`);
    assert.equal((await juliet.presence(ROMEO, 'subscribe')).getChildText('status'), 'We met at the ball.');
    juliet.send(`<presence to='${ROMEO}' type='subscribed'/><presence to='${ROMEO}' type='subscribe'/>`);
    await romeo.presence(JULIET, 'subscribe');
    romeo.send(`<presence to='${JULIET}' type='subscribed'/>`);
    await juliet.presence(ROMEO, 'subscribed');
    await juliet.presence(`${ROMEO}/orchard`);
  });

  it('they talk, and share a picture', async () => {
    say(romeo, JULIET, 'm1', 'But soft');
    assert.equal((await juliet.message()).getChildText('body'), 'But soft');
    const urls = urlsOf(await askSlot(romeo, { filename: '月.jpg', size: picture.length, type: 'image/jpeg' }));
    const sent = await fetch(here(urls.put), {
      method: 'PUT',
      body: picture,
      headers: { 'Content-Type': 'image/jpeg' },
    });
    assert.equal(sent.status, 201);
    url = urls.get;
    say(romeo, JULIET, 'm2', url, `<x xmlns='jabber:x:oob'><url>${url}</url></x>`);
    const got = (await juliet.message()).getChild('x', 'jabber:x:oob')!.getChildText('url')!;
    assert.deepEqual(Buffer.from(await (await fetch(here(got))).arrayBuffer()), picture);
  });

  it('her phone is woken when she is away, and reads on', async () => {
    ok(await juliet.iq('set', enable()));
    await juliet.end();
    say(romeo, JULIET, 'm3', 'Art thou gone?');
    assert.equal((await push.next('her phone to be woken')).count, 1);
    juliet = await enter(`${JULIET}/phone`);
    assert.equal((await juliet.message()).getChildText('body'), 'Art thou gone?');
    ok(await juliet.iq('set', enable()));
    await juliet.end();
  });

  it('after a kill all is as it was: friends, history, the picture, the phone, the directory', async () => {
    await again();
    assert.equal((await rosterOf(romeo)).get(JULIET)!.subscription, 'both');
    assert.deepEqual((await ask(romeo)).bodies, ['But soft', url, 'Art thou gone?']);
    assert.deepEqual(Buffer.from(await (await fetch(here(url))).arrayBuffer()), picture);
    assert.deepEqual(await findNick(romeo, '丽叶'), [JULIET]);
    say(romeo, JULIET, 'm4', 'Hist!');
    assert.equal((await push.next('her phone to be woken again')).count, 1);
    juliet = await enter(`${JULIET}/phone`);
    assert.equal((await juliet.message()).getChildText('body'), 'Hist!');
    assert.deepEqual((await ask(juliet)).bodies, ['But soft', url, 'Art thou gone?', 'Hist!']);
  });

  it('who is blocked stays silent, also after a kill', async () => {
    ok(await juliet.iq('set', `<block xmlns='urn:xmpp:blocking'><item jid='${ROMEO}'/></block>`));
    await juliet.end();
    for (const id of ['m5', 'm6']) {
      say(romeo, JULIET, id, 'Wilt thou leave me so?');
      assert.equal(condition(await romeo.message()), 'service-unavailable');
      assert.deepEqual(await findNumber(romeo, '10002'), []);
      assert.deepEqual(await findNick(romeo, '丽叶'), []);
      if (id === 'm5') await again();
    }
    assert.deepEqual(push.told, []);
    juliet = await enter(`${JULIET}/phone`);
    assert.deepEqual(
      (await juliet.settle()).filter(({ name }) => name === 'message'),
      [],
    );
    assert.equal((await ask(juliet)).bodies.length, 4);
  });
});
