import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { rosterOf } from './people.ts';

const NS = 'urn:posthouse:friend-requests:0';
const LIST = `<requests xmlns='${NS}'/>`;
const ignore = (jid: string): string => `<ignore xmlns='${NS}' jid='${jid}'/>`;
const restore = (jid: string): string => `<restore xmlns='${NS}' jid='${jid}'/>`;

describe('play: friend requests (docs/protocol.md)', () => {
  let server: TestNode;
  let juliet: TestClient;
  let count = 0;
  let R: string;
  let J: string;
  let romeo: TestClient;
  before(async () => {
    server = await TestNode.start({ yaml: 'modules: { presence: { requests: 3, requestSize: 1500 } }' });
  });
  after(() => server.stop());
  beforeEach(async () => {
    count++;
    [R, J] = [`romeo${count}@localhost`, `juliet${count}@localhost`];
    await Promise.all([server.addUser(`romeo${count}`), server.addUser(`juliet${count}`)]);
    romeo = await server.login(`${R}/orchard`, { presence: true });
    juliet = await server.login(`${J}/balcony`, { presence: true });
  });

  const ask = (text: string): void =>
    romeo.send(`<presence to='${J}' type='subscribe' id='ask'><status>${text}</status></presence>`);

  async function list(): Promise<(string | undefined)[][]> {
    const answer = await juliet.iq('get', LIST);
    return answer
      .getChild('requests', NS)!
      .getChildren('request')
      .map(request => [request.attrs.jid, request.attrs.ignored, request.getChildText('text') ?? undefined]);
  }

  const requests = (stanzas: readonly Element[]): Element[] =>
    stanzas.filter(({ attrs }) => attrs.type === 'subscribe');

  it('wait in a list with their text, until they are accepted or rejected', async () => {
    ask('It is I');
    await juliet.presence(R, 'subscribe');
    assert.deepEqual(await list(), [[R, undefined, 'It is I']]);
    juliet.send(`<presence to='${R}' type='subscribed'/>`);
    await romeo.presence(J, 'subscribed');
    assert.deepEqual(await list(), []);
    romeo.send(`<presence to='${J}' type='unsubscribe'/>`);
    await juliet.presence(R, 'unsubscribe');
    ask('Again');
    await juliet.presence(R, 'subscribe');
    juliet.send(`<presence to='${R}' type='unsubscribed'/>`);
    await romeo.presence(J, 'unsubscribed');
    assert.deepEqual(await list(), []);
    // taken back by who asked
    ask('And again');
    await juliet.presence(R, 'subscribe');
    romeo.send(`<presence to='${J}' type='unsubscribe'/>`);
    await romeo.settle();
    await juliet.settle();
    assert.deepEqual(await list(), []);
  });

  it('an ignored one is not shown again, whatever its sender does; he learns nothing', async () => {
    ask('It is I');
    await juliet.presence(R, 'subscribe');
    await romeo.settle();
    assert.equal((await juliet.iq('set', ignore(R))).attrs.type, 'result');
    assert.equal((await juliet.iq('set', ignore(R))).attrs.type, 'result');
    ask('Please');
    assert.deepEqual(await romeo.settle(), []);
    assert.equal((await rosterOf(romeo)).get(J)!.ask, 'subscribe');
    assert.deepEqual(requests(await juliet.settle()), []);
    juliet.send("<presence type='unavailable'/><presence/>");
    assert.deepEqual(requests(await juliet.settle()), []);
    assert.deepEqual(await list(), [[R, 'true', 'Please']]);
    assert.equal((await rosterOf(juliet)).size, 0);
  });

  it('what was ignored is brought back to all resources, and can be accepted or rejected', async () => {
    const chamber = await server.login(`${J}/chamber`, { presence: true });
    ask('It is I');
    await juliet.presence(R, 'subscribe');
    await juliet.iq('set', ignore(R));
    await chamber.settle();
    await juliet.iq('set', restore(R));
    for (const client of [juliet, chamber])
      assert.equal((await client.presence(R, 'subscribe')).getChildText('status'), 'It is I');
    // nothing to bring back: nothing is shown
    await juliet.iq('set', restore(R));
    assert.deepEqual(requests(await chamber.settle()), []);
    await juliet.iq('set', ignore(R));
    juliet.send(`<presence to='${R}' type='subscribed'/>`);
    await romeo.presence(J, 'subscribed');
    await romeo.presence(juliet.jid);
    assert.deepEqual(await list(), []);
  });

  it('nonsense and strangers are refused', async () => {
    ask('It is I');
    await juliet.presence(R, 'subscribe');
    assert.equal(condition(await juliet.iq('set', ignore('nobody@localhost'))), 'item-not-found');
    assert.equal(condition(await juliet.iq('set', restore('nobody@localhost'))), 'item-not-found');
    for (const payload of [ignore(''), ignore('@@'), `<restore xmlns='${NS}'/>`])
      assert.equal(condition(await juliet.iq('set', payload)), 'jid-malformed');
    assert.equal(condition(await romeo.iq('get', LIST, J)), 'service-unavailable');
    assert.equal(condition(await romeo.iq('set', ignore(R), J)), 'service-unavailable');
  });

  it('are bounded: by size, and in number', async () => {
    ask('x'.repeat(1500));
    const large = await romeo.presence(J, 'error');
    assert.equal(condition(large), 'policy-violation');
    assert.equal(large.attrs.id, 'ask');
    assert.deepEqual(await list(), []);
    for (const n of [1, 2, 3, 4]) {
      await server.addUser(`fan${count}-${n}`);
      const fan = await server.login(`fan${count}-${n}@localhost/x`, { presence: true });
      fan.send(`<presence to='${J}' type='subscribe'/>`);
      if (n < 4) await juliet.presence(`fan${count}-${n}@localhost`, 'subscribe');
      else assert.equal(condition(await fan.presence(J, 'error')), 'resource-constraint');
      await fan.end();
    }
    assert.equal((await list()).length, 3);
    assert.deepEqual(requests(await juliet.settle()), []);
  });
});
