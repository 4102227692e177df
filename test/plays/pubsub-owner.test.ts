import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
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
  OWN,
  owner,
  publish,
  pubsub,
  PUBSUB,
  said,
  SERVICE,
  subscribe,
} from './pubsub.ts';
import { features, INFO, JULIET, ok, ROMEO, verona } from './verona.ts';

const ITEMS = 'http://jabber.org/protocol/disco#items';
const INFO_NS = 'http://jabber.org/protocol/disco#info';

const owned = (client: TestClient, type: 'get' | 'set', content: string) => client.iq(type, owner(content), SERVICE);
/** Values of a form's fields by name. */
const valuesOf = (x: Element) =>
  Object.fromEntries(
    x.getChildren('field').map(field => [
      field.attrs.var as string,
      field
        .getChildren('value')
        .map(value => value.getText())
        .join(' '),
    ]),
  );
const listed = (answer: Element, list: string) =>
  said(ok(answer), list)
    .getChildElements()
    .map(({ attrs }) => [attrs.node, attrs.jid, attrs.subscription ?? attrs.affiliation].filter(Boolean).join(' '));

describe('play: owners (XEP-0060 8), and what there is to discover (5)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  const YAML = 'modules: { pubsub: { nodes: 30, page: 5 } }\n';

  before(async () => {
    ({ stage, romeo, juliet } = await verona(YAML));
  });
  after(() => stage.stop());
  afterEach(async () => {
    await juliet.settle();
    await romeo.settle();
  });

  it('5.1: the service is an item of its host and tells what it can do', async () => {
    const items = ok(await romeo.iq('get', `<query xmlns='${ITEMS}'/>`, 'localhost'));
    assert.ok(
      items
        .getChild('query')!
        .getChildren('item')
        .some(({ attrs }) => attrs.jid === SERVICE),
    );
    const answer = ok(await romeo.iq('get', INFO, SERVICE));
    const { category, type } = answer.getChild('query')!.getChild('identity')!.attrs;
    assert.equal(`${category}/${type}`, 'pubsub/service');
    for (const name of [
      '',
      '#create-nodes',
      '#publish',
      '#subscribe',
      '#publish-options',
      '#access-open',
      '#config-node-max',
    ])
      assert.ok(features(answer).includes(`${PUBSUB}${name}`), name);
    assert.ok(!features(answer).some(feature => feature?.includes('collections')));
  });

  it('8.1: a node is created, configured on the way, or given a name', async () => {
    ok(await romeo.iq('set', pubsub(`<create node='plain'/>`), SERVICE));
    await create(romeo, 'princely', { title: 'Princely Musings', access_model: 'whitelist', max_items: '7' });
    const answer = ok(await romeo.iq('set', pubsub('<create/>'), SERVICE));
    const node = said(answer, 'create').attrs.node as string;
    assert.ok(node.length > 10);
    ok(await publish(romeo, node, item('1')));
    const x = said(ok(await owned(romeo, 'get', `<configure node='princely'/>`)), 'configure').getChild('x')!;
    const values = valuesOf(x);
    assert.equal(values.FORM_TYPE, `${PUBSUB}#node_config`);
    assert.deepEqual(
      [values['pubsub#title'], values['pubsub#access_model'], values['pubsub#max_items'], values['pubsub#item_expire']],
      ['Princely Musings', 'whitelist', '7', 'max'],
    );
  });

  it('8.1.1: why a node is not created', async () => {
    const refused = async (content: string) => error(await romeo.iq('set', pubsub(content), SERVICE));
    const configure = (fields: Record<string, string>) => `<configure>${form('node_config', fields)}</configure>`;
    assert.equal(await refused(`<create node='plain'/>`), 'cancel conflict');
    assert.equal(await refused(`<create node='x'/>${configure({ access_model: 'secret' })}`), 'modify not-acceptable');
    assert.equal(await refused(`<create node='x'/>${configure({ max_items: '0' })}`), 'modify not-acceptable');
    assert.equal(
      await refused(`<create node='x'/>${configure({ node_type: 'collection' })}`),
      'cancel feature-not-implemented unsupported collections',
    );
    assert.equal(await refused(`<create node='${'x'.repeat(1025)}'/>`), 'modify not-acceptable');
    assert.equal(await refused(''), 'modify bad-request');
    // 8.1.3
    assert.equal(await refused(`<create node='x'/><configure node='x'/>`), 'modify bad-request');
    assert.equal(await refused(`${configure({})}<create node='x'/>`), 'modify bad-request');
    for (let n = 0; n < 27; n++) ok(await juliet.iq('set', pubsub(`<create node='hers-${n}'/>`), SERVICE));
    for (let n = 27; n < 30; n++) ok(await juliet.iq('set', pubsub(`<create node='hers-${n}'/>`), SERVICE));
    assert.equal(error(await juliet.iq('set', pubsub('<create/>'), SERVICE)), 'wait resource-constraint');
  });

  it('8.2: an owner configures; subscribers are told where the node says so', async () => {
    await create(romeo, 'set', { notify_config: '1' });
    ok(await subscribe(juliet, 'set', JULIET));
    const configure = (fields: Record<string, string>) =>
      owned(romeo, 'set', `<configure node='set'>${form('node_config', fields)}</configure>`);
    ok(await configure({ title: 'A title' }));
    const told = await event(juliet);
    assert.equal(briefly(told), 'configuration set x');
    assert.equal(valuesOf(told.getChild('x')!)['pubsub#title'], 'A title');
    ok(await configure({ deliver_payloads: '0' }));
    assert.equal(briefly(await event(juliet)), 'configuration set');
    // what is missing stays
    const x = said(ok(await owned(romeo, 'get', `<configure node='set'/>`)), 'configure').getChild('x')!;
    assert.deepEqual([valuesOf(x)['pubsub#title'], valuesOf(x)['pubsub#deliver_payloads']], ['A title', '0']);
    ok(await owned(romeo, 'set', `<configure node='set'><x xmlns='jabber:x:data' type='cancel'/></configure>`));
    // fewer items: the oldest go
    ok(await publish(romeo, 'set', `${item('1')}${item('2')}${item('3')}`));
    ok(await configure({ max_items: '2' }));
    assert.deepEqual(idsOf(await get(romeo, 'set')), ['3', '2']);
    // 12.14: who may not read any more is not subscribed any more
    await juliet.settle();
    ok(await configure({ access_model: 'whitelist' }));
    assert.deepEqual(eventsOf(await juliet.settle()), ['configuration set', `subscription set ${JULIET} none`]);
  });

  it('8.2.5: what a field cannot be is refused, and nothing of the form holds', async () => {
    await create(romeo, 'contacts', { contact: [ROMEO, JULIET] });
    const configure = (fields: Record<string, string>) =>
      owned(romeo, 'set', `<configure node='contacts'>${form('node_config', fields)}</configure>`);
    assert.equal(error(await configure({ title: 'New', contact: 'a@b@c' })), 'modify not-acceptable');
    const x = said(ok(await owned(romeo, 'get', `<configure node='contacts'/>`)), 'configure').getChild('x')!;
    const { 'pubsub#title': title, 'pubsub#contact': contact } = valuesOf(x);
    assert.deepEqual([title, contact], ['', `${ROMEO} ${JULIET}`]);
    // left out of what is offered, and ignored
    ok(await configure({ purge_offline: '1', digest: '1' }));
    assert.ok(!Object.keys(valuesOf(x)).some(name => /purge_offline|digest|expire_subscription/.test(name)));
  });

  it('an administrator owns what is at the service of the host, and nothing of accounts', async () => {
    const yaml = 'admins: [juliet@localhost]\nmodules: { pubsub: { create: admins } }\n';
    const other = await verona(yaml);
    try {
      assert.equal(error(await other.romeo.iq('set', pubsub(`<create node='his'/>`), SERVICE)), 'auth forbidden');
      await create(other.juliet, 'theirs', { publish_model: 'open' });
      const crown = `<affiliations node='theirs'><affiliation jid='${ROMEO}' affiliation='owner'/><affiliation jid='${JULIET}' affiliation='none'/></affiliations>`;
      ok(await owned(other.juliet, 'set', crown));
      assert.deepEqual(listed(await owned(other.romeo, 'get', `<affiliations node='theirs'/>`), 'affiliations'), [
        `${ROMEO} owner`,
      ]);
      ok(await owned(other.juliet, 'set', `<purge node='theirs'/>`));
      ok(await publish(other.romeo, 'urn:example:own', item('1'), OWN));
      assert.equal(
        error(await other.juliet.iq('set', owner(`<delete node='urn:example:own'/>`), ROMEO)),
        'auth forbidden',
      );
    } finally {
      await other.stage.stop();
    }
  });

  it('8.2.3, 8.3, 8.4.3, 8.5.3, 8.8, 8.9: only owners, and only nodes that are there', async () => {
    await create(romeo, 'his');
    const x = form('node_config', { title: 'Hers' });
    const asked: ['get' | 'set', (node: string) => string][] = [
      ['get', node => `<configure${node}/>`],
      ['set', node => `<configure${node}>${x}</configure>`],
      ['set', node => `<delete${node}/>`],
      ['set', node => `<purge${node}/>`],
      ['get', node => `<subscriptions${node}/>`],
      ['set', node => `<subscriptions${node}/>`],
      ['get', node => `<affiliations${node}/>`],
      ['set', node => `<affiliations${node}/>`],
    ];
    for (const [type, content] of asked) {
      assert.equal(error(await owned(juliet, type, content(` node='his'`))), 'auth forbidden', content(''));
      assert.equal(error(await owned(romeo, type, content(` node='nowhere'`))), 'cancel item-not-found', content(''));
      assert.equal(error(await owned(romeo, type, content(''))), 'modify bad-request nodeid-required', content(''));
    }
    const answer = ok(await owned(juliet, 'get', '<default/>'));
    const values = valuesOf(said(answer, 'default').getChild('x')!);
    assert.equal(values['pubsub#access_model'], 'open');
    await create(romeo, 'gone', { persist_items: '0' });
    assert.equal(
      error(await owned(romeo, 'set', `<purge node='gone'/>`)),
      'cancel feature-not-implemented unsupported persistent-items',
    );
  });

  it('8.4: a node is deleted; those who are subscribed, or wait, are told, and where to go instead', async () => {
    await create(romeo, 'old', { access_model: 'authorize' });
    ok(await subscribe(juliet, 'old', JULIET));
    ok(await owned(romeo, 'set', `<delete node='old'><redirect uri='xmpp:pubsub.localhost?;node=new'/></delete>`));
    const told = await event(juliet);
    assert.equal(briefly(told), 'delete old redirect');
    assert.equal(told.getChild('redirect')!.attrs.uri, 'xmpp:pubsub.localhost?;node=new');
    assert.equal(error(await get(romeo, 'old')), 'modify gone');
    await create(romeo, 'old');
    assert.deepEqual(idsOf(await get(romeo, 'old')), []);
  });

  it('8.5: a node is purged', async () => {
    await create(romeo, 'full');
    ok(await subscribe(juliet, 'full', JULIET));
    ok(await publish(romeo, 'full', `${item('1')}${item('2')}`));
    ok(await owned(romeo, 'set', `<purge node='full'/>`));
    assert.deepEqual(eventsOf(await juliet.settle()), ['items full +1 +2', 'purge full']);
    assert.deepEqual(idsOf(await get(romeo, 'full')), []);
  });

  it('8.8: an owner sees and changes who is subscribed', async () => {
    await create(romeo, 'list');
    ok(await subscribe(juliet, 'list', juliet.jid));
    assert.deepEqual(listed(await owned(romeo, 'get', `<subscriptions node='list'/>`), 'subscriptions'), [
      `${juliet.jid} subscribed`,
    ]);
    const set = (content: string) => owned(romeo, 'set', `<subscriptions node='list'>${content}</subscriptions>`);
    ok(
      await set(
        `<subscription jid='${juliet.jid}' subscription='none'/><subscription jid='${ROMEO}' subscription='subscribed'/>`,
      ),
    );
    assert.equal(briefly(await event(juliet)), `subscription list ${juliet.jid} none`);
    assert.equal(briefly(await event(romeo)), `subscription list ${ROMEO} subscribed`);
    // 8.8.2.4: what cannot be comes back as it is, the rest is done
    const answer = await set(
      `<subscription jid='${ROMEO}' subscription='perhaps'/><subscription jid='${JULIET}' subscription='subscribed'/>`,
    );
    assert.equal(error(answer), 'modify not-acceptable');
    const [wrong, ...more] = said(answer, 'subscriptions').getChildren('subscription');
    assert.deepEqual([wrong!.attrs.jid, wrong!.attrs.subscription, more.length], [ROMEO, 'subscribed', 0]);
    assert.deepEqual(listed(await owned(romeo, 'get', `<subscriptions node='list'/>`), 'subscriptions').toSorted(), [
      `${JULIET} subscribed`,
      `${ROMEO} subscribed`,
    ]);
  });

  it('8.9: an owner sees and changes who is what', async () => {
    await create(romeo, 'ranks', { access_model: 'whitelist' });
    const set = (content: string) => owned(romeo, 'set', `<affiliations node='ranks'>${content}</affiliations>`);
    const rank = (affiliation: string, jid = JULIET) => `<affiliation jid='${jid}' affiliation='${affiliation}'/>`;
    assert.equal(error(await subscribe(juliet, 'ranks', JULIET)), 'cancel not-allowed closed-node');
    ok(await set(rank('member')));
    ok(await subscribe(juliet, 'ranks', JULIET));
    assert.equal(error(await publish(juliet, 'ranks', item('1'))), 'auth forbidden');
    ok(await set(rank('publisher')));
    ok(await publish(juliet, 'ranks', item('1')));
    assert.deepEqual(listed(await owned(romeo, 'get', `<affiliations node='ranks'/>`), 'affiliations'), [
      `${ROMEO} owner`,
      `${JULIET} publisher`,
    ]);
    await juliet.settle();
    // 4.1: publish-only neither reads nor subscribes
    ok(await set(rank('publish-only')));
    assert.deepEqual(eventsOf(await juliet.settle()), [`subscription ranks ${JULIET} none`]);
    ok(await publish(juliet, 'ranks', item('2')));
    assert.equal(error(await get(juliet, 'ranks')), 'auth forbidden');
    ok(await set(rank('outcast')));
    assert.equal(error(await publish(juliet, 'ranks', item('3'))), 'auth forbidden');
    assert.equal(error(await subscribe(juliet, 'ranks', JULIET)), 'auth forbidden');
    ok(await set(rank('none')));
    assert.deepEqual(listed(await owned(romeo, 'get', `<affiliations node='ranks'/>`), 'affiliations'), [
      `${ROMEO} owner`,
    ]);
    // a node has an owner: the last one stays (8.9.2.4)
    const answer = await set(rank('none', ROMEO) + rank('member'));
    assert.equal(error(answer), 'modify not-acceptable');
    const [wrong, ...more] = said(answer, 'affiliations').getChildren('affiliation');
    assert.deepEqual([wrong!.attrs.jid, wrong!.attrs.affiliation, more.length], [ROMEO, 'owner', 0]);
    assert.equal(error(await set(rank('owner') + rank('none'))), 'modify bad-request');
    assert.equal(error(await set(rank('king'))), 'cancel feature-not-implemented unsupported king-affiliation');
    // one hands over to another
    ok(await set(rank('none', ROMEO) + rank('owner')));
    assert.equal(error(await owned(romeo, 'get', `<affiliations node='ranks'/>`)), 'auth forbidden');
    ok(await owned(juliet, 'get', `<affiliations node='ranks'/>`));
  });

  it('5.6, 5.7: everybody sees their own subscriptions and affiliations', async () => {
    await create(romeo, 'own');
    ok(await subscribe(juliet, 'own', juliet.jid));
    const mine = (client: TestClient, list: string, node = '') =>
      client.iq('get', pubsub(`<${list}${node}/>`), SERVICE);
    assert.ok(listed(await mine(juliet, 'subscriptions'), 'subscriptions').includes(`own ${juliet.jid} subscribed`));
    assert.deepEqual(listed(await mine(juliet, 'subscriptions', ` node='own'`), 'subscriptions'), [
      `own ${juliet.jid} subscribed`,
    ]);
    assert.deepEqual(listed(await mine(romeo, 'subscriptions', ` node='own'`), 'subscriptions'), []);
    assert.ok(listed(await mine(romeo, 'affiliations'), 'affiliations').includes('own owner'));
    assert.deepEqual(listed(await mine(juliet, 'affiliations', ` node='own'`), 'affiliations'), []);
    assert.equal(error(await mine(juliet, 'subscriptions', ` node='nowhere'`)), 'cancel item-not-found');
  });

  it('5.2 to 5.5: nodes and items are discovered, in pages', async () => {
    await create(romeo, 'shown', { title: 'Shown', description: 'To all', type: 'urn:example:entry' });
    ok(await publish(romeo, 'shown', `${item('1')}${item('2')}`));
    const query = (xmlns: string, node: string, content = '') =>
      juliet.iq('get', `<query xmlns='${xmlns}'${node}>${content}</query>`, SERVICE);
    const items = ok(await query(ITEMS, '')).getChild('query')!;
    assert.equal(items.getChildren('item').length, 5);
    assert.ok(Number(items.getChild('set')!.getChildText('count')) > 30);
    const rsm = `<set xmlns='http://jabber.org/protocol/rsm'><max>1</max><before/></set>`;
    const [last] = ok(await query(ITEMS, '', rsm))
      .getChild('query')!
      .getChildren('item');
    assert.deepEqual([last!.attrs.node, last!.attrs.name], ['shown', 'Shown']);
    const info = ok(await query(INFO_NS, ` node='shown'`)).getChild('query')!;
    assert.equal(info.getChild('identity')!.attrs.type, 'leaf');
    const values = valuesOf(info.getChild('x', 'jabber:x:data')!);
    assert.equal(values.FORM_TYPE, `${PUBSUB}#meta-data`);
    assert.deepEqual(
      [values['pubsub#title'], values['pubsub#owner'], values['pubsub#creator'], values['pubsub#num_subscribers']],
      ['Shown', ROMEO, ROMEO, '0'],
    );
    const list = ok(await query(ITEMS, ` node='shown'`))
      .getChild('query')!
      .getChildren('item');
    assert.deepEqual(
      list.map(({ attrs }) => attrs.name),
      ['2', '1'],
    );
    assert.equal(error(await query(INFO_NS, ` node='nowhere'`)), 'cancel item-not-found');
    assert.equal(error(await query(ITEMS, ` node='nowhere'`)), 'cancel item-not-found');
    await create(romeo, 'hidden', { access_model: 'whitelist' });
    assert.equal(error(await query(ITEMS, ` node='hidden'`)), 'cancel not-allowed closed-node');
    assert.equal(
      ok(await query(INFO_NS, ` node='hidden'`))
        .getChild('query')!
        .getChild('x'),
      undefined,
    );
  });

  it('nodes, items, subscriptions and affiliations outlive the program', async () => {
    await create(romeo, 'lasting', { access_model: 'whitelist', notification_type: 'normal' });
    const member = `<affiliations node='lasting'><affiliation jid='${JULIET}' affiliation='member'/></affiliations>`;
    ok(await owned(romeo, 'set', member));
    ok(await subscribe(juliet, 'lasting', JULIET));
    ok(await publish(romeo, 'lasting', item('1')));
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder, yaml: YAML });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    await juliet.settle();
    assert.deepEqual(idsOf(await get(juliet, 'lasting')), ['1']);
    ok(await publish(romeo, 'lasting', item('2')));
    const message = await eventMessage(juliet);
    assert.equal(message.attrs.type, undefined);
    assert.equal(briefly(message.getChild('event')!.getChildElements()[0]!), 'items lasting +2');
  });

  it('notify_sub: owners are told who subscribes and who does no more', async () => {
    await create(romeo, 'counted', { notify_sub: '1' });
    ok(await subscribe(juliet, 'counted', JULIET));
    assert.equal(briefly(await event(romeo)), `subscription counted ${JULIET} subscribed`);
    ok(await juliet.iq('set', pubsub(`<unsubscribe node='counted' jid='${JULIET}'/>`), SERVICE));
    assert.equal(briefly(await event(romeo)), `subscription counted ${JULIET} none`);
  });

  it('4.5, presence_based_delivery: who is away is told nothing', async () => {
    await create(romeo, 'awake', { presence_based_delivery: '1', notification_type: 'normal' });
    ok(await subscribe(juliet, 'awake', JULIET));
    juliet.send(`<presence type='unavailable'/>`);
    await juliet.settle();
    ok(await publish(romeo, 'awake', item('1')));
    juliet.send('<presence/>');
    assert.deepEqual(eventsOf(await juliet.settle()), []);
    ok(await publish(romeo, 'awake', item('2')));
    assert.deepEqual(eventsOf(await juliet.settle()), ['items awake +2']);
  });

  it('8.7: an owner has those who wait shown again', async () => {
    await create(romeo, 'waited', { access_model: 'authorize' });
    ok(await subscribe(juliet, 'waited', JULIET));
    await romeo.settle();
    const COMMANDS = 'http://jabber.org/protocol/commands';
    const NODE = `${PUBSUB}#get-pending`;
    const run = (client: TestClient, content = '', node = NODE) =>
      client.iq('set', `<command xmlns='${COMMANDS}' node='${node}' action='execute'>${content}</command>`, SERVICE);
    const command = ok(await run(romeo)).getChild('command', COMMANDS)!;
    assert.equal(command.attrs.status, 'executing');
    const [, nodes] = command.getChild('x', 'jabber:x:data')!.getChildren('field');
    assert.deepEqual(
      nodes!.getChildren('option').map(option => option.getChildText('value')),
      ['waited'],
    );
    const chosen = form('subscribe_authorization', { node: 'waited' });
    assert.equal(ok(await run(romeo, chosen)).getChild('command')!.attrs.status, 'completed');
    const question = await romeo.expect(({ name }) => name === 'message', 'the question again');
    assert.equal(valuesOf(question.getChild('x')!)['pubsub#subscriber_jid'], JULIET);
    assert.equal(error(await run(juliet, chosen)), 'auth forbidden');
    assert.equal(
      error(await run(romeo, form('subscribe_authorization', { node: 'nowhere' }))),
      'cancel item-not-found',
    );
    assert.equal(error(await run(romeo, '', 'other')), 'cancel item-not-found');
  });
});
