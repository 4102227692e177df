import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { features, INFO, ok, same, verona } from './verona.ts';

const LAST = 'jabber:iq:last';

describe('play: last activity (XEP-0012)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  before(async () => {
    ({ stage, romeo, juliet } = await verona());
    for (const name of ['friend', 'friar']) await stage.addUser(name);
    const friend = await stage.login('friend@localhost/x', { presence: true });
    // friend may see romeo's presence
    friend.send("<presence to='romeo@localhost' type='subscribe'/>");
    await romeo.presence('friend@localhost', 'subscribe');
    romeo.send("<presence to='friend@localhost' type='subscribed'/>");
    await friend.presence('romeo@localhost', 'subscribed');
    await friend.end();
  });
  after(() => stage.stop());

  const GET = `<query xmlns='${LAST}'/>`;
  const seconds = (answer: Element) => Number(ok(answer).getChild('query', LAST)!.attrs.seconds);

  it('of the server: how long it has run', async () => {
    const uptime = seconds(await romeo.iq('get', GET, 'localhost'));
    assert.ok(Number.isInteger(uptime) && uptime >= 0);
    assert.ok(uptime <= (Date.now() - stage.node.startedAt) / 1000);
    assert.ok(features(await romeo.iq('get', INFO, 'localhost')).includes(LAST));
  });

  it('of who is there: 0; of oneself too', async () => {
    assert.equal(seconds(await romeo.iq('get', GET)), 0);
    const friend = await stage.login('friend@localhost/x');
    const answer = await friend.iq('get', GET, 'romeo@localhost');
    assert.equal(seconds(answer), 0);
    assert.equal(answer.getChild('query')!.getText(), '');
    // connected, though not available (3)
    romeo.send("<presence type='unavailable'><status>x</status></presence>");
    await romeo.settle();
    assert.equal(seconds(await friend.iq('get', GET, 'romeo@localhost')), 0);
    romeo.send('<presence/>');
    await romeo.settle();
    await friend.end();
  });

  it('of who was there: since when, and the last status', async () => {
    const clients = [
      await stage.login('friend@localhost/x', { presence: true }),
      await stage.login('friar@localhost/cell', { presence: true }),
    ];
    const [friend, friar] = clients as [TestClient, TestClient];
    friend.send("<presence to='friar@localhost' type='subscribe'/>");
    await friar.presence('friend@localhost', 'subscribe');
    friar.send("<presence to='friend@localhost' type='subscribed'/>");
    await friend.presence('friar@localhost', 'subscribed');
    friar.send("<presence type='unavailable'><status>To &amp; from Mantua</status></presence>");
    await friar.settle();
    await friar.end();
    const answer = await friend.iq('get', GET, 'friar@localhost');
    assert.ok(seconds(answer) >= 0 && seconds(answer) < 60);
    assert.equal(answer.getChild('query')!.getText(), 'To & from Mantua');
    // cut off: no words
    const again = await stage.login('friar@localhost/cell', { presence: true });
    again.destroy();
    for (let text = 'To & from Mantua'; text !== '';)
      text = ok(await friend.iq('get', GET, 'friar@localhost'))
        .getChild('query')!
        .getText();
    await friend.end();
  });

  it('is forbidden to who may not see the presence, and they learn nothing by it', async () => {
    assert.equal(condition(await juliet.iq('get', GET, 'romeo@localhost')), 'forbidden');
    await same(account => juliet.iq('get', GET, account), 'romeo@localhost', 'nobody@localhost');
    await same(account => juliet.iq('get', GET, `${account}/orchard`), 'romeo@localhost', 'nobody@localhost');
    // to a resource, there or not (4)
    for (const resource of ['orchard', 'nowhere'])
      assert.equal(condition(await juliet.iq('get', GET, `romeo@localhost/${resource}`)), 'forbidden');
    assert.deepEqual((await romeo.settle()).map(String), []);
    // the other way nothing was granted
    assert.equal(condition(await romeo.iq('get', GET, 'friend@localhost')), 'forbidden');
  });

  it('of a resource is its own business, for those who may see it', async () => {
    const friend = await stage.login('friend@localhost/x');
    const asking = friend.iq('get', GET, 'romeo@localhost/orchard');
    const request = await romeo.expect(stanza => stanza.is('iq') && stanza.attrs.type === 'get', 'the request');
    romeo.send(
      `<iq type='result' id='${request.attrs.id}' to='${request.attrs.from}'><query xmlns='${LAST}' seconds='123'/></iq>`,
    );
    assert.equal(seconds(await asking), 123);
    assert.equal(condition(await friend.iq('get', GET, 'romeo@localhost/nowhere')), 'service-unavailable');
    await friend.end();
  });

  it('is not set', async () => {
    for (const to of ['localhost', undefined])
      assert.equal(condition(await romeo.iq('set', GET, to)), 'service-unavailable');
  });
});
