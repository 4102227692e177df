import assert from 'node:assert/strict';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { card, findNick, findNumber } from './directory.ts';
import { push, ROSTER, rosterOf, rosterSet } from './people.ts';
import { ok } from './verona.ts';

const REQUESTS = 'urn:posthouse:friend-requests:0';
const NICK = "<nick xmlns='http://jabber.org/protocol/nick'>Romeo</nick>";
const block = (jid: string) => `<block xmlns='urn:xmpp:blocking'><item jid='${jid}'/></block>`;
const UNBLOCK = "<unblock xmlns='urn:xmpp:blocking'/>";

describe('play: people become friends by number, and part again', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  let tybalt: TestClient;
  before(async () => {
    stage = await TestNode.start({
      users: ['10001', '10002', '10003'],
      yaml: `hosts:
  localhost: {}
  silent.example: { modules: { blocking: { answer: silent } } }
modules: { search: { byName: true } }
`,
    });
    romeo = await stage.login('10001@localhost/orchard', { presence: true });
    juliet = await stage.login('10002@localhost/balcony', { presence: true });
    tybalt = await stage.login('10003@localhost/street', { presence: true });
    ok(await juliet.iq('set', card({ nick: '朱丽叶' })));
    ok(await tybalt.iq('set', card({ nick: '朱小明' })));
    for (const client of [romeo, juliet, tybalt]) await client.iq('get', ROSTER);
  });
  after(() => stage.stop());

  const requests = async (client: TestClient) =>
    ok(await client.iq('get', `<requests xmlns='${REQUESTS}'/>`))
      .getChild('requests', REQUESTS)!
      .getChildren('request')
      .map(request => [request.attrs.jid, request.attrs.name, request.getChildText('text'), request.attrs.ignored]);
  const ask = (client: TestClient, to: string, text: string) =>
    client.send(`<presence to='${to}' type='subscribe'><status>${text}</status>${NICK}</presence>`);

  it('one is found by number, several by nickname; who is found is asked, with a text', async () => {
    assert.deepEqual(await findNick(romeo, '朱'), []); // too short for a part
    assert.deepEqual(await findNick(romeo, '朱丽'), ['10002@localhost']);
    const [found] = await findNumber(romeo, '10002');
    ask(romeo, found!, 'We met at the ball.');
    assert.equal((await juliet.presence('10001@localhost', 'subscribe')).getChildText('status'), 'We met at the ball.');
    assert.deepEqual(await requests(juliet), [['10001@localhost', 'Romeo', 'We met at the ball.', undefined]]);
  });

  it('she accepts, and asks back; each has the other in the roster, with a remark and a group of their own', async () => {
    juliet.send("<presence to='10001@localhost' type='subscribed'/><presence to='10001@localhost' type='subscribe'/>");
    await romeo.presence('10002@localhost', 'subscribed');
    await romeo.presence('10002@localhost', 'subscribe');
    romeo.send("<presence to='10002@localhost' type='subscribed'/>");
    await juliet.presence('10001@localhost', 'subscribed');
    for (const client of [romeo, juliet]) await client.settle();
    assert.deepEqual(await requests(juliet), []);
    ok(await romeo.iq('set', rosterSet("<item jid='10002@localhost' name='我的爱人'><group>好友</group></item>")));
    assert.equal((await push(romeo)).name, '我的爱人');
    const hers = (await rosterOf(romeo)).get('10002@localhost')!;
    assert.deepEqual([hers.name, hers.groups, hers.subscription], ['我的爱人', ['好友'], 'both']);
    // a remark is one's own
    const his = (await rosterOf(juliet)).get('10001@localhost')!;
    assert.deepEqual([his.name, his.groups, his.subscription], [undefined, undefined, 'both']);
  });

  it('another is refused, and may ask again; a third time he is ignored, and learns nothing', async () => {
    ask(tybalt, '10002@localhost', 'Cousin!');
    await juliet.presence('10003@localhost', 'subscribe');
    juliet.send("<presence to='10003@localhost' type='unsubscribed'/>");
    await tybalt.presence('10002@localhost', 'unsubscribed');
    ask(tybalt, '10002@localhost', 'Cousin?');
    await juliet.presence('10003@localhost', 'subscribe');
    await tybalt.settle();
    ok(await juliet.iq('set', `<ignore xmlns='${REQUESTS}' jid='10003@localhost'/>`));
    ask(tybalt, '10002@localhost', 'Cousin!!');
    assert.deepEqual(await tybalt.settle(), []);
    assert.deepEqual(await requests(juliet), [['10003@localhost', 'Romeo', 'Cousin!!', 'true']]);
  });

  it('who is blocked is not heard, hears that nobody is there, and finds nobody; the friend who blocks neither writes', async () => {
    ok(await juliet.iq('set', block('10001@localhost')));
    romeo.send("<message to='10002@localhost' type='chat' id='m1'><body>Art thou there?</body></message>");
    assert.equal(condition(await romeo.message()), 'service-unavailable');
    assert.deepEqual(await findNumber(romeo, '10002'), []);
    assert.deepEqual(await findNick(romeo, '朱丽叶'), []);
    juliet.send("<message to='10001@localhost' type='chat' id='m2'><body>No</body></message>");
    assert.equal(condition(await juliet.message()), 'not-acceptable');
    assert.deepEqual(await findNumber(juliet, '10001'), ['10001@localhost']);
    ok(await juliet.iq('set', UNBLOCK));
    assert.deepEqual(await findNumber(romeo, '10002'), ['10002@localhost']);
    // "polite": they are still friends
    assert.equal((await rosterOf(romeo)).get('10002@localhost')!.subscription, 'both');
    for (const client of [romeo, juliet]) await client.settle();
  });

  it('on a host that says so, who is blocked learns nothing', async () => {
    await stage.addUser('rosaline', 'silent.example');
    const rosaline = await stage.login('rosaline@silent.example/x', { presence: true });
    ok(await rosaline.iq('set', block('10001@localhost')));
    romeo.send("<message to='rosaline@silent.example' type='chat' id='m3'><body>Fair one</body></message>");
    assert.deepEqual(await romeo.settle(), []);
    assert.deepEqual(await rosaline.settle(), []);
    // requests are answered there too: RFC 6120 8.2.3
    assert.equal(
      condition(await romeo.iq('get', "<ping xmlns='urn:xmpp:ping'/>", 'rosaline@silent.example/x')),
      'service-unavailable',
    );
  });

  it('a friend who is deleted is told that it is over, and is in no roster of hers', async () => {
    ok(await juliet.iq('set', rosterSet("<item jid='10001@localhost' subscription='remove'/>")));
    await romeo.presence('10002@localhost', 'unsubscribed');
    await romeo.presence('10002@localhost', 'unsubscribe');
    await romeo.settle();
    assert.deepEqual([...(await rosterOf(juliet)).keys()], []);
    const kept = (await rosterOf(romeo)).get('10002@localhost')!;
    assert.deepEqual([kept.name, kept.subscription], ['我的爱人', 'none']);
  });
});
