import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { befriend, rosterSet } from './people.ts';
import {
  briefly,
  create,
  error,
  event,
  eventMessage,
  eventsOf,
  form,
  get,
  idsOf,
  item,
  owner,
  publish,
  pubsub,
  PUBSUB,
  said,
  SERVICE,
  subscribe,
} from './pubsub.ts';
import { JULIET, ok, ROMEO, verona } from './verona.ts';

const AUTHORIZATION = `${PUBSUB}#subscribe_authorization`;

const stateOf = (answer: Element): string => {
  const { node, jid, subscription } = said(ok(answer), 'subscription').attrs;
  return `${node} ${jid} ${subscription}`;
};

describe('play: subscribers (XEP-0060 6)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  before(async () => {
    ({ stage, romeo, juliet } = await verona('modules: { pubsub: { subscriptions: 12, page: 4 } }\n'));
  });
  after(() => stage.stop());
  // each begins without subscriptions, which are few
  afterEach(async () => {
    const all = await juliet.iq('get', pubsub('<subscriptions/>'), SERVICE);
    for (const { attrs } of said(ok(all), 'subscriptions').getChildren('subscription'))
      await juliet.iq('set', pubsub(`<unsubscribe node='${attrs.node}' jid='${attrs.jid}'/>`), SERVICE);
    await juliet.settle();
    await romeo.settle();
  });

  const unsubscribe = (client: TestClient, node: string, jid: string) =>
    client.iq('set', pubsub(`<unsubscribe node='${node}' jid='${jid}'/>`), SERVICE);
  const options = (client: TestClient, attributes: string, fields?: Readonly<Record<string, string | string[]>>) =>
    client.iq(
      fields ? 'set' : 'get',
      pubsub(`<options${attributes}>${fields ? form('subscribe_options', fields) : ''}</options>`),
      SERVICE,
    );

  it('6.1.2, 6.2.2: one subscribes by a bare or a full address, and unsubscribes', async () => {
    await create(romeo, 'news');
    assert.equal(stateOf(await subscribe(juliet, 'news', JULIET)), `news ${JULIET} subscribed`);
    assert.equal(stateOf(await subscribe(juliet, 'news', juliet.jid)), `news ${juliet.jid} subscribed`);
    ok(await publish(romeo, 'news', item('1')));
    const told = (await juliet.settle()).map(({ attrs }) => String(attrs.to)).toSorted();
    assert.deepEqual(told, [JULIET, juliet.jid]);
    assert.equal(stateOf(await unsubscribe(juliet, 'news', juliet.jid)), `news ${juliet.jid} none`);
    // again: nothing changes
    assert.equal(stateOf(await subscribe(juliet, 'news', JULIET)), `news ${JULIET} subscribed`);
    ok(await publish(romeo, 'news', item('2')));
    assert.deepEqual(eventsOf(await juliet.settle()), ['items news +2']);
  });

  it('6.1.3: who cannot subscribe is told why', async () => {
    await create(romeo, 'closed', { access_model: 'whitelist' });
    await create(romeo, 'seen', { access_model: 'presence' });
    await create(romeo, 'grouped', { access_model: 'roster', roster_groups_allowed: ['Friends'] });
    await create(romeo, 'banned');
    await create(romeo, 'still', { subscribe: '0' });
    const ban = owner(
      `<affiliations node='banned'><affiliation jid='${JULIET}' affiliation='outcast'/></affiliations>`,
    );
    ok(await romeo.iq('set', ban, SERVICE));
    const refused = async (node: string, jid = JULIET) => error(await subscribe(juliet, node, jid));
    assert.equal(await refused('news', ROMEO), 'modify bad-request invalid-jid');
    assert.equal(await refused('news', ''), 'modify bad-request invalid-jid');
    assert.equal(await refused('seen'), 'auth not-authorized presence-subscription-required');
    assert.equal(await refused('grouped'), 'auth not-authorized not-in-roster-group');
    assert.equal(await refused('closed'), 'cancel not-allowed closed-node');
    assert.equal(await refused('banned'), 'auth forbidden');
    assert.equal(await refused('still'), 'cancel feature-not-implemented unsupported subscribe');
    assert.equal(await refused('nowhere'), 'cancel item-not-found');
    assert.equal(await refused(''), 'modify bad-request nodeid-required');
  });

  it('6.1.3.9: there is an end of subscriptions', async () => {
    for (let n = 0; n < 12; n++) ok(await subscribe(juliet, 'news', `${JULIET}/${n}`));
    assert.equal(error(await subscribe(juliet, 'news', JULIET)), 'modify policy-violation too-many-subscriptions');
  });

  it('8.8.2: nor do owners subscribe anybody more often', async () => {
    await create(romeo, 'pressed');
    const jids = Array.from({ length: 13 }, (_, n) => `${JULIET}/${n}`);
    const wanted = jids.map(jid => `<subscription jid='${jid}' subscription='subscribed'/>`);
    const content = owner(`<subscriptions node='pressed'>${wanted.join('')}</subscriptions>`);
    const answer = await romeo.iq('set', content, SERVICE);
    assert.equal(error(answer), 'modify not-acceptable');
    assert.deepEqual(
      said(answer, 'subscriptions')
        .getChildren('subscription')
        .map(({ attrs }) => `${attrs.jid} ${attrs.subscription}`),
      [`${JULIET}/12 none`],
    );
  });

  it('12.19: subscription ids say nothing', async () => {
    await create(romeo, 'single');
    const of = ` node='single' jid='${JULIET}' subid='x'`;
    assert.equal(stateOf(await subscribe(juliet, 'single', JULIET)), `single ${JULIET} subscribed`);
    ok(await options(juliet, of));
    assert.equal(stateOf(await juliet.iq('set', pubsub(`<unsubscribe${of}/>`), SERVICE)), `single ${JULIET} none`);
  });

  it('6.1.4, 8.6: an owner is asked, and lets in or not', async () => {
    await create(romeo, 'asked', { access_model: 'authorize' });
    ok(await publish(romeo, 'asked', item('1')));
    const ask = async () => {
      assert.equal(stateOf(await subscribe(juliet, 'asked', JULIET)), `asked ${JULIET} pending`);
      return romeo.expect(({ name, attrs }) => name === 'message' && attrs.from === SERVICE, 'a question');
    };
    const say = (id: string, allow: string) => {
      const fields = { node: 'asked', subscriber_jid: JULIET, allow };
      romeo.send(`<message to='${SERVICE}' id='${id}'>${form('subscribe_authorization', fields)}</message>`);
    };
    let question = await ask();
    const x = question.getChild('x', 'jabber:x:data')!;
    const fields = Object.fromEntries(
      x.getChildren('field').map(field => [field.attrs.var as string, field.getChildText('value')]),
    );
    assert.equal(fields.FORM_TYPE, AUTHORIZATION);
    assert.equal(fields['pubsub#node'], 'asked');
    assert.equal(fields['pubsub#subscriber_jid'], JULIET);
    assert.equal(fields['pubsub#allow'], '0');
    // 6.1.3.7, 6.5.9.4: meanwhile
    assert.equal(error(await subscribe(juliet, 'asked', JULIET)), 'auth not-authorized pending-subscription');
    assert.equal(error(await get(juliet, 'asked')), 'auth not-authorized not-subscribed');
    ok(await publish(romeo, 'asked', item('2')));
    assert.deepEqual(eventsOf(await juliet.settle()), []);
    // others do not decide, and a form that is cancelled decides nothing
    juliet.send(
      `<message to='${SERVICE}'>${form('subscribe_authorization', { node: 'asked', subscriber_jid: JULIET, allow: '1' })}</message>`,
    );
    romeo.send(
      `<message to='${SERVICE}'><x xmlns='jabber:x:data' type='cancel'><field var='FORM_TYPE'><value>${AUTHORIZATION}</value></field></x></message>`,
    );
    assert.deepEqual(eventsOf(await juliet.settle()), []);
    say(question.attrs.id as string, 'false');
    assert.equal(briefly(await event(juliet)), `subscription asked ${JULIET} none`);
    question = await ask();
    say(question.attrs.id as string, 'true');
    assert.equal(briefly(await event(juliet)), `subscription asked ${JULIET} subscribed`);
    // 6.1.7
    assert.equal(briefly(await event(juliet)), 'items asked +2');
    assert.deepEqual(idsOf(await get(juliet, 'asked')), ['2', '1']);
  });

  it('6.1.7: a new subscriber gets the last item, with the time when it was published', async () => {
    await create(romeo, 'late');
    ok(await publish(romeo, 'late', item('1')));
    ok(await publish(romeo, 'late', item('2')));
    ok(await subscribe(juliet, 'late', JULIET));
    const message = await eventMessage(juliet);
    assert.equal(briefly(message.getChild('event')!.getChildElements()[0]!), 'items late +2');
    assert.ok(Date.parse(message.getChild('delay', 'urn:xmpp:delay')!.attrs.stamp as string) <= Date.now());
    await create(romeo, 'never', { send_last_published_item: 'never' });
    ok(await publish(romeo, 'never', item('1')));
    ok(await subscribe(juliet, 'never', JULIET));
    assert.deepEqual(eventsOf(await juliet.settle()), []);
  });

  it('6.2.3: what is wrong with an unsubscription', async () => {
    assert.equal(error(await unsubscribe(juliet, 'news', JULIET)), 'wait unexpected-request not-subscribed');
    assert.equal(error(await unsubscribe(juliet, 'news', ROMEO)), 'auth forbidden');
    assert.equal(error(await unsubscribe(juliet, 'nowhere', JULIET)), 'cancel item-not-found');
  });

  it('6.3: a subscriber chooses whether it is told, and in which states of presence', async () => {
    await create(romeo, 'chosen');
    ok(await subscribe(juliet, 'chosen', JULIET));
    const of = ` node='chosen' jid='${JULIET}'`;
    const x = said(ok(await options(juliet, of)), 'options').getChild('x', 'jabber:x:data')!;
    assert.deepEqual(
      x.getChildren('field').map(({ attrs }) => attrs.var),
      ['FORM_TYPE', 'pubsub#deliver', 'pubsub#show-values'],
    );
    ok(await options(juliet, of, { deliver: '0' }));
    ok(await publish(romeo, 'chosen', item('1')));
    assert.deepEqual(eventsOf(await juliet.settle()), []);
    ok(await options(juliet, of, { deliver: '1', 'show-values': ['dnd', 'away'] }));
    ok(await publish(romeo, 'chosen', item('2')));
    assert.deepEqual(eventsOf(await juliet.settle()), []);
    juliet.send('<presence><show>dnd</show></presence>');
    await juliet.settle();
    ok(await publish(romeo, 'chosen', item('3')));
    assert.deepEqual(eventsOf(await juliet.settle()), ['items chosen +3']);
    juliet.send('<presence/>');
  });

  it('6.3.4, 6.3.7, 6.4: options that cannot be', async () => {
    assert.equal(
      error(await options(juliet, ` node='news' jid='${JULIET}'`)),
      'wait unexpected-request not-subscribed',
    );
    ok(await subscribe(juliet, 'news', JULIET));
    assert.equal(error(await options(juliet, ` node='news'`)), 'modify bad-request jid-required');
    assert.equal(error(await options(juliet, ` node='news' jid='${ROMEO}'`)), 'auth forbidden');
    assert.equal(error(await options(juliet, ` node='nowhere' jid='${JULIET}'`)), 'cancel item-not-found');
    assert.equal(error(await options(juliet, ` jid='${JULIET}'`)), 'modify bad-request nodeid-required');
    assert.equal(
      error(await options(juliet, ` node='news' jid='${JULIET}'`, { deliver: 'perhaps' })),
      'modify bad-request invalid-options',
    );
    for (const node of ['', ` node='news'`]) {
      const answer = ok(await juliet.iq('get', pubsub(`<default${node}/>`), SERVICE));
      assert.ok(said(answer, 'default').getChild('x', 'jabber:x:data'));
    }
  });

  it('6.3.7: one subscribes with options, which stand behind and name nothing', async () => {
    await create(romeo, 'both');
    const chosen = form('subscribe_options', { deliver: '0' });
    for (const wrong of [` node='both'`, ` jid='${JULIET}'`])
      assert.equal(
        error(await subscribe(juliet, 'both', JULIET, SERVICE, `<options${wrong}>${chosen}</options>`)),
        'modify bad-request',
      );
    const before = pubsub(`<options>${chosen}</options><subscribe node='both' jid='${JULIET}'/>`);
    assert.equal(error(await juliet.iq('set', before, SERVICE)), 'modify bad-request');
    const answer = ok(await subscribe(juliet, 'both', JULIET, SERVICE, `<options>${chosen}</options>`));
    const told = said(answer, 'options').getChild('x', 'jabber:x:data')!;
    const deliver = told.getChildren('field').find(({ attrs }) => attrs.var === 'pubsub#deliver')!;
    assert.deepEqual([told.attrs.type, deliver.getChildText('value')], ['result', '0']);
    ok(await publish(romeo, 'both', item('1')));
    assert.deepEqual(eventsOf(await juliet.settle()), []);
  });

  it('6.5: items are read: all, some, the last ones, in pages', async () => {
    await create(romeo, 'shelf');
    for (let n = 1; n <= 6; n++) ok(await publish(romeo, 'shelf', item(String(n))));
    // more than an answer takes
    const answer = await get(juliet, 'shelf');
    assert.deepEqual(idsOf(answer), ['6', '5', '4', '3']);
    const set = answer.getChild('pubsub')!.getChild('set', 'http://jabber.org/protocol/rsm')!;
    assert.deepEqual(
      set.getChildElements().map(child => `${child.name} ${child.getText()}`),
      ['first 6', 'last 3', 'count 6'],
    );
    const rsm = (content: string) => `<set xmlns='http://jabber.org/protocol/rsm'>${content}</set>`;
    const page = async (content: string) => idsOf(await get(juliet, 'shelf', SERVICE, '', rsm(content)));
    assert.deepEqual(await page('<max>2</max>'), ['6', '5']);
    assert.deepEqual(await page('<max>2</max><after>5</after>'), ['4', '3']);
    assert.deepEqual(await page('<max>2</max><before/>'), ['2', '1']);
    assert.deepEqual(await page('<max>0</max>'), []);
    assert.equal(error(await get(juliet, 'shelf', SERVICE, '', rsm('<after>none</after>'))), 'cancel item-not-found');
    assert.deepEqual(idsOf(await get(juliet, 'shelf', SERVICE, ` max_items='2'`)), ['6', '5']);
    assert.equal(error(await get(juliet, 'shelf', SERVICE, ` max_items='two'`)), 'modify bad-request');
    const some = await juliet.iq(
      'get',
      pubsub(`<items node='shelf'><item id='2'/><item id='none'/><item id='5'/></items>`),
      SERVICE,
    );
    assert.deepEqual(idsOf(some), ['2', '5']);
  });

  it('6.5.9: who cannot read is told why', async () => {
    const refused = async (node: string) => error(await get(juliet, node));
    assert.equal(await refused('seen'), 'auth not-authorized presence-subscription-required');
    assert.equal(await refused('grouped'), 'auth not-authorized not-in-roster-group');
    assert.equal(await refused('closed'), 'cancel not-allowed closed-node');
    assert.equal(await refused('asked'), 'auth not-authorized not-subscribed');
    assert.equal(await refused('banned'), 'auth forbidden');
    assert.equal(await refused('nowhere'), 'cancel item-not-found');
    const one = pubsub(`<items node='shelf'><item id='none'/></items>`);
    assert.equal(error(await juliet.iq('get', one, SERVICE)), 'cancel item-not-found');
    assert.deepEqual(idsOf(await get(romeo, 'closed')), []);
  });

  it('4.5: presence and roster groups of an owner open its nodes', async () => {
    await befriend(romeo, juliet);
    ok(await subscribe(juliet, 'seen', JULIET));
    assert.deepEqual(idsOf(await get(juliet, 'seen')), []);
    assert.equal(error(await subscribe(juliet, 'grouped', JULIET)), 'auth not-authorized not-in-roster-group');
    ok(await romeo.iq('set', rosterSet(`<item jid='${JULIET}'><group>Friends</group></item>`)));
    ok(await subscribe(juliet, 'grouped', JULIET));
    ok(await publish(romeo, 'grouped', item('1')));
    assert.deepEqual(
      eventsOf(await juliet.settle()).filter(line => line.includes('grouped')),
      ['items grouped +1'],
    );
  });

  it('item_expire: what is old is not there any more', async () => {
    await create(romeo, 'brief', { item_expire: '1' });
    ok(await publish(romeo, 'brief', item('1')));
    assert.deepEqual(idsOf(await get(juliet, 'brief')), ['1']);
    await new Promise(resolve => setTimeout(resolve, 1100));
    assert.deepEqual(idsOf(await get(juliet, 'brief')), []);
  });
});
