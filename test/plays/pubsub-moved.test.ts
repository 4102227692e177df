import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { Elsewhere, ELSEWHERE } from './elsewhere.ts';
import {
  briefly,
  create,
  error,
  event,
  eventMessage,
  get,
  idsOf,
  item,
  OWN,
  owner,
  publish,
  pubsub,
  said,
  SERVICE,
  subscribe,
} from './pubsub.ts';
import { INFO, JULIET, ok, ROMEO } from './verona.ts';

const RSM = 'http://jabber.org/protocol/rsm';
const BLOG = 'xmpp:pubsub.localhost?;node=blog';

describe('play: nodes that have moved, and subscribers that have (XEP-0060 8.4, 12.4)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  beforeEach(async () => {
    const yaml = ELSEWHERE.replace('modules: {', 'modules: { pubsub: { bounces: 3, redirects: 2, answer: 64KiB },');
    stage = await TestNode.start({ users: ['romeo', 'juliet'], yaml: `${yaml}\n` });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
  });
  afterEach(() => stage.stop());

  const remove = (client: TestClient, node: string, uri?: string, to = SERVICE) => {
    const inner = uri === undefined ? '' : `<redirect uri='${uri}'/>`;
    return client.iq('set', owner(`<delete node='${node}'>${inner}</delete>`), to);
  };
  const goneTo = (answer: { getChild(name: string): { getChildText(name: string): string | null } | undefined }) =>
    answer.getChild('error')?.getChildText('gone');
  const subscribersOf = async (node: string) =>
    said(ok(await romeo.iq('get', owner(`<subscriptions node='${node}'/>`), SERVICE)), 'subscriptions')
      .getChildren('subscription')
      .map(({ attrs }) => String(attrs.jid));

  it('8.4, 6.1.3.10: who asks for a node that was deleted with a redirect is told where it is now', async () => {
    await create(romeo, 'musings');
    ok(await subscribe(juliet, 'musings', JULIET));
    assert.equal(error(await remove(romeo, 'musings', 'no uri')), 'modify bad-request');
    ok(await remove(romeo, 'musings', BLOG));
    assert.equal((await event(juliet)).getChild('redirect')!.attrs.uri, BLOG);
    const answers = [
      await subscribe(juliet, 'musings', JULIET),
      await get(juliet, 'musings'),
      await publish(juliet, 'musings', item('1')),
      await juliet.iq('set', pubsub(`<unsubscribe node='musings' jid='${JULIET}'/>`), SERVICE),
      await juliet.iq('set', pubsub(`<create node='musings'/>`), SERVICE),
      await juliet.iq('get', INFO.replace('/>', ` node='musings'/>`), SERVICE),
      await remove(romeo, 'musings'),
    ];
    for (const answer of answers) {
      assert.equal(goneTo(answer), BLOG, String(answer));
      assert.equal(error(answer), 'modify gone');
    }
    // whose it was may use the name again
    await create(romeo, 'musings');
    assert.deepEqual(idsOf(await get(juliet, 'musings')), []);
    // and a node that is deleted without a redirect is not there
    ok(await remove(romeo, 'musings'));
    assert.equal(error(await get(juliet, 'musings')), 'cancel item-not-found');
  });

  it('8.4: redirects outlive the program, and of too many the oldest are forgotten', async () => {
    for (const node of ['one', 'two', 'three']) {
      await create(romeo, node);
      ok(await remove(romeo, node, `xmpp:x?;node=${node}`));
    }
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder });
    juliet = await stage.login('juliet@localhost/balcony');
    assert.deepEqual(
      [goneTo(await get(juliet, 'one')), goneTo(await get(juliet, 'two')), goneTo(await get(juliet, 'three'))],
      [null, 'xmpp:x?;node=two', 'xmpp:x?;node=three'],
    );
  });

  it('8.4, XEP-0163: of nodes of an account those are told who may see its presence', async () => {
    ok(await publish(romeo, 'urn:a', item('1'), OWN));
    ok(await remove(romeo, 'urn:a', BLOG, ROMEO));
    assert.equal(goneTo(await get(romeo, 'urn:a', OWN)), BLOG);
    assert.equal(error(await get(juliet, 'urn:a', ROMEO)), 'auth not-authorized presence-subscription-required');
  });

  it('12.4: who is gone is not subscribed any more', async () => {
    const elsewhere = await Elsewhere.open(stage);
    await create(romeo, 'news', { notify_sub: '1' });
    const ask = (name: string, content: string) =>
      elsewhere.send(`<iq type='set' id='s' from='${elsewhere.address(name)}' to='${SERVICE}'>${pubsub(content)}</iq>`);
    for (const name of ['gone', 'lost', 'away']) {
      const jid = elsewhere.address(name);
      ask(name, `<subscribe node='news' jid='${jid}'/>`);
      assert.equal(briefly(await event(romeo)), `subscription news ${jid} subscribed`);
    }
    await elsewhere.settle();
    const errors: Record<string, string> = {
      gone: `<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`,
      lost: `<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`,
      away: `<error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`,
    };
    const bounce = async (...names: string[]) => {
      for (const message of (await elsewhere.settle()).filter(({ name }) => name === 'message')) {
        const to = String(message.attrs.to);
        const name = to.split('@')[0]!;
        if (names.includes(name))
          elsewhere.send(
            `<message type='error' id='${message.attrs.id}' from='${to}' to='${SERVICE}'>${errors[name]}</message>`,
          );
      }
      await elsewhere.settle();
    };
    ok(await publish(romeo, 'news', item('1')));
    await bounce('gone', 'lost', 'away');
    const left = [briefly(await event(romeo)), briefly(await event(romeo))].toSorted();
    assert.deepEqual(
      left,
      ['gone', 'lost'].map(name => `subscription news ${elsewhere.address(name)} none`),
    );
    // what may pass ends it when it has come back three times
    ok(await publish(romeo, 'news', item('2')));
    await bounce('away');
    assert.deepEqual(await subscribersOf('news'), [elsewhere.address('away')]);
    ok(await publish(romeo, 'news', item('3')));
    await bounce('away');
    assert.equal(briefly(await event(romeo)), `subscription news ${elsewhere.address('away')} none`);
    assert.deepEqual(await subscribersOf('news'), []);
    elsewhere.close();
  });

  it('12.4: an error counts for the address alone that it comes from, and for what was sent', async () => {
    await create(romeo, 'news');
    ok(await subscribe(juliet, 'news', JULIET));
    ok(await publish(romeo, 'news', item('1')));
    const { id } = (await eventMessage(juliet)).attrs;
    const gone = `<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
    // of somebody else, of one client of hers, of something else
    romeo.send(`<message type='error' id='${id}' to='${SERVICE}'>${gone}</message>`);
    juliet.send(`<message type='error' id='${id}' to='${SERVICE}'>${gone}</message>`);
    juliet.send(`<message type='error' id='x' to='${SERVICE}'>${gone}</message>`);
    await juliet.settle();
    await romeo.settle();
    assert.deepEqual(await subscribersOf('news'), [JULIET]);
    ok(await subscribe(juliet, 'news', juliet.jid));
    await juliet.settle();
    ok(await publish(romeo, 'news', item('2')));
    const own = await juliet.expect(({ attrs }) => attrs.to === juliet.jid, 'the event for her client');
    juliet.send(`<message type='error' id='${own.attrs.id}' to='${SERVICE}'>${gone}</message>`);
    await until(async () => (await subscribersOf('news')).length === 1, 'the end of the subscription');
    assert.deepEqual(await subscribersOf('news'), [JULIET]);
  });

  it('12.4, XEP-0163: the same holds for subscribers to nodes of accounts', async () => {
    ok(await publish(romeo, 'urn:open', item('1'), OWN, { access_model: 'open' }));
    ok(await subscribe(juliet, 'urn:open', juliet.jid, ROMEO));
    await juliet.settle();
    ok(await publish(romeo, 'urn:open', item('2'), OWN));
    const { id } = (await eventMessage(juliet)).attrs;
    juliet.send(
      `<message type='error' id='${id}' to='${ROMEO}'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
    );
    const left = async () =>
      said(ok(await romeo.iq('get', owner(`<subscriptions node='urn:open'/>`))), 'subscriptions').getChildElements();
    await until(async () => (await left()).length === 0, 'the end of the subscription');
    // nor does he see the error
    assert.ok(!(await romeo.settle()).some(({ attrs }) => attrs.type === 'error'));
  });

  it('12.4: an account that is removed is not subscribed any more', async () => {
    await create(romeo, 'news');
    for (const jid of [JULIET, juliet.jid]) ok(await subscribe(juliet, 'news', jid));
    assert.equal((await subscribersOf('news')).length, 2);
    assert.ok(await stage.node.accounts.remove(parseJid(JULIET)!));
    assert.deepEqual(await subscribersOf('news'), []);
  });

  it('6.5.4: an answer has so many bytes, and says where more are', async () => {
    await create(romeo, 'large');
    const text = 'x'.repeat(10_000);
    for (let n = 1; n <= 20; n++) ok(await publish(romeo, 'large', item(String(n), text)));
    const answer = await get(juliet, 'large');
    assert.ok(answer.toString().length < 70_000);
    const paging = (stanza: typeof answer) =>
      stanza
        .getChild('pubsub')!
        .getChild('set', RSM)
        ?.getChildElements()
        .map(child => `${child.name} ${child.getText()}`);
    assert.deepEqual(idsOf(answer), ['20', '19', '18', '17', '16', '15']);
    assert.deepEqual(paging(answer), ['first 20', 'last 15', 'count 20']);
    const next = await get(juliet, 'large', SERVICE, '', `<set xmlns='${RSM}'><max>100</max><after>15</after></set>`);
    assert.deepEqual(idsOf(next), ['14', '13', '12', '11', '10', '9']);
    // some that are named, one of them not there
    const named = ['1', '2', '3', 'none', '4', '5', '6', '7', '8'].map(id => `<item id='${id}'/>`).join('');
    const some = await juliet.iq('get', pubsub(`<items node='large'>${named}</items>`), SERVICE);
    assert.deepEqual(idsOf(some), ['1', '2', '3', '4', '5', '6']);
    assert.deepEqual(paging(some), ['first 1', 'last 6', 'count 8']);
    // what fits is given whole, without a word of pages
    const few = await juliet.iq('get', pubsub(`<items node='large'><item id='1'/><item id='2'/></items>`), SERVICE);
    assert.equal(paging(few), undefined);
  });
});
