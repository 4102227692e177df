import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { capsElement, tell, verOf, want, wantAsked } from './caps.ts';
import { befriend, rosterSet } from './people.ts';
import {
  briefly,
  create,
  error,
  event,
  eventMessage,
  eventsOf,
  get,
  idsOf,
  item,
  OWN,
  owner,
  publish,
  pubsub,
  PUBSUB,
  said,
  subscribe,
} from './pubsub.ts';
import { features, INFO, JULIET, ok, ROMEO, same, verona } from './verona.ts';

const NICK = 'http://jabber.org/protocol/nick';
const TUNE = 'http://jabber.org/protocol/tune';
const ITEMS = "<query xmlns='http://jabber.org/protocol/disco#items'/>";

describe('play: personal eventing (XEP-0163)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  beforeEach(async () => {
    ({ stage, romeo, juliet } = await verona());
  });
  afterEach(() => stage.stop());

  const pep = (client: TestClient, node: string, items: string, options?: Readonly<Record<string, string>>) =>
    publish(client, node, items, OWN, options);

  it('3: a node is made by publishing, and told to the clients of the account that want it, the publishing one too', async () => {
    await wantAsked(romeo, [NICK]);
    const tablet = await stage.login('romeo@localhost/tablet');
    want(tablet, [NICK]);
    const phone = await stage.login('romeo@localhost/phone', { presence: true });
    ok(await pep(romeo, NICK, item('1')));
    for (const client of [romeo, tablet]) {
      const message = await eventMessage(client);
      assert.deepEqual([message.attrs.from, message.attrs.to, message.attrs.type], [ROMEO, client.jid, 'headline']);
      assert.equal(briefly(message.getChild('event')!.getChildElements()[0]!), `items ${NICK} +1`);
    }
    assert.deepEqual(eventsOf(await phone.settle()), []);
    assert.deepEqual(idsOf(await get(phone, NICK, OWN)), ['1']);
    // one item, unless the node is configured otherwise
    ok(await pep(romeo, NICK, item('2')));
    assert.deepEqual(idsOf(await get(phone, NICK, ROMEO)), ['2']);
  });

  it('4.2, XEP-0060 9.2: contacts are told who want to be and may, and nobody is asked twice', async () => {
    await befriend(romeo, juliet);
    await wantAsked(juliet, [TUNE]);
    const other = await stage.login('juliet@localhost/chamber');
    want(other, [TUNE]);
    await other.settle();
    await juliet.settle();
    ok(await pep(romeo, TUNE, item('1')));
    ok(await pep(romeo, NICK, item('1')));
    ok(await pep(romeo, TUNE, item('2'), {}));
    for (const client of [juliet, other]) {
      const stanzas = await client.settle();
      assert.deepEqual(eventsOf(stanzas), [`items ${TUNE} +1`, `items ${TUNE} +2`]);
      assert.ok(!stanzas.some(({ name }) => name === 'iq'));
    }
  });

  it('4.3.4: the last item is sent to a client that comes online, of the account and of its contacts', async () => {
    await befriend(romeo, juliet);
    ok(await pep(romeo, TUNE, item('1')));
    ok(await pep(romeo, TUNE, item('2')));
    ok(await pep(romeo, NICK, item('n'), { access_model: 'whitelist' }));
    const chamber = await stage.login('juliet@localhost/chamber');
    await wantAsked(chamber, [TUNE, NICK]);
    const message = await eventMessage(chamber);
    assert.equal(briefly(message.getChild('event')!.getChildElements()[0]!), `items ${TUNE} +2`);
    assert.ok(message.getChild('delay', 'urn:xmpp:delay'));
    assert.deepEqual(eventsOf(await chamber.settle()), []);
    const own = await stage.login('romeo@localhost/tablet');
    want(own, [TUNE, NICK]);
    // they are the capabilities of the client before, which nobody has to be asked for again
    const first = briefly(await event(own));
    const second = briefly(await event(own));
    assert.deepEqual([first, second].toSorted(), [`items ${NICK} +n`, `items ${TUNE} +2`]);
    // presence that says nothing new brings nothing
    want(own, [TUNE, NICK]);
    assert.deepEqual(eventsOf(await own.settle()), []);
    // and what is wanted later is sent then
    const late = await stage.login('romeo@localhost/late', { presence: true });
    assert.deepEqual(eventsOf(await late.settle()), []);
    want(late, [TUNE, NICK]);
    assert.equal(briefly(await event(late)).split(' ')[0], 'items');
  });

  it('XEP-0115 5.4: capabilities that are not what their hash says hold for nobody else', async () => {
    await befriend(romeo, juliet);
    const ver = verOf([`${TUNE}+notify`]);
    romeo.send(`<presence>${capsElement(ver)}</presence>`);
    // he says that clients like his want to be told nothing
    await tell(romeo, []);
    const tablet = await stage.login('romeo@localhost/tablet');
    tablet.send(`<presence>${capsElement(ver)}</presence>`);
    assert.equal(await tell(tablet, [`${TUNE}+notify`]), `urn:example:play#${ver}`);
    await tablet.settle();
    ok(await pep(romeo, TUNE, item('1')));
    assert.equal(briefly(await event(tablet)), `items ${TUNE} +1`);
    assert.deepEqual(eventsOf(await romeo.settle()), []);
  });

  it('XEP-0115: other hash functions, and what is remembered when the program starts again', async () => {
    const ver = verOf([`${TUNE}+notify`], 'sha256');
    romeo.send(`<presence>${capsElement(ver, 'sha-256')}</presence>`);
    await tell(romeo, [`${TUNE}+notify`]);
    await romeo.settle();
    ok(await pep(romeo, TUNE, item('1')));
    assert.equal(briefly(await event(romeo)), `items ${TUNE} +1`);
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder });
    const again = await stage.login('romeo@localhost/orchard');
    again.send(`<presence>${capsElement(ver, 'sha-256')}</presence>`);
    // the item is there, and nobody asked
    assert.equal(briefly(await event(again)), `items ${TUNE} +1`);
    assert.ok(!(await again.settle()).some(({ name, attrs }) => name === 'iq' && attrs.type === 'get'));
  });

  it('4: an owner’s access models hold for contacts: presence, roster, whitelist, open', async () => {
    await befriend(romeo, juliet);
    await wantAsked(juliet, ['urn:a', 'urn:b', 'urn:c', 'urn:d']);
    await juliet.settle();
    ok(await pep(romeo, 'urn:a', item('1'), { access_model: 'open' }));
    await create(romeo, 'urn:b', { access_model: 'roster', roster_groups_allowed: 'Friends' }, OWN);
    ok(await pep(romeo, 'urn:b', item('1')));
    ok(await pep(romeo, 'urn:c', item('1'), { access_model: 'whitelist' }));
    assert.deepEqual(eventsOf(await juliet.settle()), ['items urn:a +1']);
    assert.equal(error(await get(juliet, 'urn:b', ROMEO)), 'auth not-authorized not-in-roster-group');
    assert.equal(error(await get(juliet, 'urn:c', ROMEO)), 'cancel not-allowed closed-node');
    // 7.1: she gains access, and is told
    ok(await romeo.iq('set', rosterSet(`<item jid='${JULIET}'><group>Friends</group></item>`)));
    assert.equal(briefly(await event(juliet)), 'items urn:b +1');
    assert.deepEqual(idsOf(await get(juliet, 'urn:b', ROMEO)), ['1']);
    const member = owner(
      `<affiliations node='urn:c'><affiliation jid='${JULIET}' affiliation='member'/></affiliations>`,
    );
    ok(await romeo.iq('set', member));
    ok(await pep(romeo, 'urn:c', item('2')));
    assert.equal(briefly(await event(juliet)), 'items urn:c +2');
  });

  it('7.1: who may not see the account any more is told nothing, and is not subscribed any more', async () => {
    await befriend(romeo, juliet);
    ok(await pep(romeo, TUNE, item('1')));
    ok(await subscribe(juliet, TUNE, JULIET, ROMEO));
    assert.equal(briefly(await event(juliet)), `items ${TUNE} +1`);
    await wantAsked(juliet, [TUNE]);
    romeo.send(`<presence to='${JULIET}' type='unsubscribed'/>`);
    assert.equal(
      briefly(
        await juliet
          .expect(stanza => eventsOf([stanza]).join('').startsWith('subscription'), 'the end of it')
          .then(stanza => stanza.getChild('event')!.getChildElements()[0]!),
      ),
      `subscription ${TUNE} ${JULIET} none`,
    );
    await juliet.settle();
    ok(await pep(romeo, TUNE, item('2')));
    assert.deepEqual(eventsOf(await juliet.settle()), []);
    assert.equal(error(await get(juliet, TUNE, ROMEO)), 'auth not-authorized presence-subscription-required');
  });

  it('8: strangers do not learn whether there is an account, or a node; what is open they read', async () => {
    ok(await pep(romeo, TUNE, item('1')));
    ok(await pep(romeo, 'urn:open', item('1'), { access_model: 'open' }));
    const nobody = 'nobody@localhost';
    const form = `<x xmlns='jabber:x:data' type='submit'/>`;
    const asked: [type: 'get' | 'set', content: string][] = [
      ['get', pubsub(`<items node='${TUNE}'/>`)],
      ['get', pubsub(`<items node='none'/>`)],
      ['get', pubsub(`<items/>`)],
      ['get', pubsub('<subscriptions/>')],
      ['get', pubsub(`<subscriptions node='${TUNE}'/>`)],
      ['get', pubsub('<affiliations/>')],
      ['get', pubsub('<default/>')],
      ['get', pubsub(`<options node='${TUNE}' jid='${JULIET}'/>`)],
      ['get', pubsub('<nonsense/>')],
      ['get', owner(`<configure node='${TUNE}'/>`)],
      ['get', owner('<default/>')],
      ['get', owner(`<subscriptions node='${TUNE}'/>`)],
      ['get', owner(`<affiliations node='none'/>`)],
      ['set', pubsub(`<subscribe node='${TUNE}' jid='${JULIET}'/>`)],
      ['set', pubsub(`<unsubscribe node='${TUNE}' jid='${JULIET}'/>`)],
      ['set', pubsub(`<publish node='${TUNE}'>${item('2')}</publish>`)],
      ['set', pubsub(`<create node='new'/>`)],
      ['set', pubsub(`<retract node='${TUNE}'><item id='1'/></retract>`)],
      ['set', pubsub(`<options node='${TUNE}' jid='${JULIET}'>${form}</options>`)],
      ['set', owner(`<delete node='${TUNE}'/>`)],
      ['set', owner(`<purge node='${TUNE}'/>`)],
      ['set', owner(`<configure node='${TUNE}'>${form}</configure>`)],
    ];
    for (const [type, content] of asked) {
      assert.equal(
        (await juliet.iq(type, content, ROMEO)).attrs.type === 'result',
        /<(subscriptions|affiliations)/.test(content) && !content.includes('#owner'),
        content,
      );
      await same(account => juliet.iq(type, content, account), ROMEO, nobody);
    }
    await same(account => juliet.iq('get', ITEMS, account), ROMEO, nobody);
    await same(account => juliet.iq('get', INFO, account), ROMEO, nobody);
    assert.deepEqual(idsOf(await get(juliet, 'urn:open', ROMEO)), ['1']);
    ok(await subscribe(juliet, 'urn:open', JULIET, ROMEO));
    assert.equal(briefly(await event(juliet)), 'items urn:open +1');
    ok(await pep(romeo, 'urn:open', item('2')));
    assert.equal(briefly(await event(juliet)), 'items urn:open +2');
    assert.equal(error(await publish(juliet, 'urn:open', item('3'), ROMEO)), 'auth forbidden');
  });

  it('6: an account tells that it has nodes, and a contact which of them it may read', async () => {
    const answer = ok(await romeo.iq('get', INFO, ROMEO));
    const identities = answer
      .getChild('query')!
      .getChildren('identity')
      .map(({ attrs }) => `${attrs.category}/${attrs.type}`);
    assert.ok(identities.includes('pubsub/pep') && identities.includes('account/registered'));
    for (const name of [
      'access-presence',
      'auto-create',
      'auto-subscribe',
      'filtered-notifications',
      'persistent-items',
      'publish',
      'publish-options',
      'retrieve-items',
      'subscribe',
      'pubsub-on-a-jid',
    ])
      assert.ok(features(answer).includes(`${PUBSUB}#${name}`), name);
    await befriend(romeo, juliet);
    ok(await pep(romeo, TUNE, item('1')));
    ok(await pep(romeo, 'urn:secret', item('1'), { access_model: 'whitelist' }));
    const nodes = async (client: TestClient) =>
      ok(await client.iq('get', ITEMS, ROMEO))
        .getChild('query')!
        .getChildren('item')
        .map(({ attrs }) => attrs.node)
        .filter(node => node !== undefined);
    assert.deepEqual(await nodes(juliet), [TUNE]);
    assert.deepEqual(await nodes(romeo), [TUNE, 'urn:secret']);
    const info = (node: string) =>
      juliet.iq('get', `<query xmlns='http://jabber.org/protocol/disco#info' node='${node}'/>`, ROMEO);
    assert.equal(
      ok(await info(TUNE))
        .getChild('query')!
        .getChild('identity')!.attrs.type,
      'leaf',
    );
    assert.equal(error(await info('urn:secret')), 'cancel item-not-found');
    const list = await juliet.iq(
      'get',
      `<query xmlns='http://jabber.org/protocol/disco#items' node='${TUNE}'/>`,
      ROMEO,
    );
    assert.deepEqual(
      ok(list)
        .getChild('query')!
        .getChildren('item')
        .map(({ attrs }) => attrs.name),
      ['1'],
    );
  });

  it('4.3.3: who is blocked is told nothing', async () => {
    await befriend(romeo, juliet);
    await wantAsked(juliet, [TUNE]);
    ok(await romeo.iq('set', `<block xmlns='urn:xmpp:blocking'><item jid='${JULIET}'/></block>`));
    await juliet.settle();
    ok(await pep(romeo, TUNE, item('1')));
    assert.deepEqual(eventsOf(await juliet.settle()), []);
  });

  it('XEP-0191 3.3: who has blocked the account is told nothing, and nobody is shut out of what is his own', async () => {
    await befriend(romeo, juliet);
    await wantAsked(juliet, [TUNE]);
    want(romeo, [TUNE]);
    const block = (jid: string) => `<block xmlns='urn:xmpp:blocking'><item jid='${jid}'/></block>`;
    ok(await pep(romeo, TUNE, item('1')));
    for (const client of [romeo, juliet]) assert.equal(briefly(await event(client)), `items ${TUNE} +1`);
    ok(await juliet.iq('set', block(ROMEO)));
    ok(await romeo.iq('set', block('localhost')));
    ok(await pep(romeo, TUNE, item('2')));
    assert.deepEqual(eventsOf(await romeo.settle()), [`items ${TUNE} +2`]);
    ok(await romeo.iq('set', `<unblock xmlns='urn:xmpp:blocking'/>`));
    ok(await pep(romeo, TUNE, item('3')));
    assert.equal(briefly(await event(romeo)), `items ${TUNE} +3`);
    assert.deepEqual(eventsOf(await juliet.settle()), []);
  });

  it('5: an account configures, retracts, purges and deletes its nodes, and its own clients learn of it', async () => {
    await wantAsked(romeo, ['urn:many']);
    const fields = { max_items: 'max', access_model: 'whitelist' };
    for (const id of ['1', '2', '3']) ok(await pep(romeo, 'urn:many', item(id), fields));
    ok(await romeo.iq('set', pubsub(`<retract node='urn:many' notify='1'><item id='2'/></retract>`)));
    ok(await romeo.iq('set', owner(`<purge node='urn:many'/>`)));
    ok(await romeo.iq('set', owner(`<delete node='urn:many'/>`)));
    const told = eventsOf(await romeo.settle());
    assert.deepEqual(told, [
      'items urn:many +1',
      'items urn:many +2',
      'items urn:many +3',
      'items urn:many -2',
      'purge urn:many',
      'delete urn:many',
    ]);
    assert.equal(error(await get(romeo, 'urn:many', OWN)), 'cancel item-not-found');
    const form = ok(await romeo.iq('get', owner('<default/>')));
    const x = said(form, 'default').getChild('x', 'jabber:x:data')!;
    const value = (name: string) =>
      x
        .getChildren('field')
        .find(({ attrs }) => attrs.var === `pubsub#${name}`)!
        .getChildText('value');
    assert.deepEqual(
      [value('access_model'), value('send_last_published_item'), value('deliver_payloads'), value('max_items')],
      ['presence', 'on_sub_and_presence', '1', '1'],
    );
  });

  it('XEP-0222, XEP-0223: persistent public and private data are configured by publish-options', async () => {
    const open = { persist_items: 'true', access_model: 'open', max_items: 'max', send_last_published_item: 'never' };
    ok(await pep(romeo, 'urn:public', item('1'), open));
    ok(await pep(romeo, 'urn:private', item('1'), { ...open, access_model: 'whitelist' }));
    assert.deepEqual(idsOf(await get(juliet, 'urn:public', ROMEO)), ['1']);
    assert.equal(error(await get(juliet, 'urn:private', ROMEO)), 'auth not-authorized presence-subscription-required');
    const tablet = await stage.login('romeo@localhost/tablet');
    await wantAsked(tablet, ['urn:public', 'urn:private']);
    assert.deepEqual(eventsOf(await tablet.settle()), []);
    assert.deepEqual(idsOf(await get(tablet, 'urn:private', OWN)), ['1']);
  });

  it('a removed account leaves nothing behind', async () => {
    ok(await pep(romeo, 'urn:open', item('1'), { access_model: 'open' }));
    ok(await subscribe(juliet, 'urn:open', JULIET, ROMEO));
    await create(juliet, 'hers');
    ok(await subscribe(romeo, 'hers', ROMEO));
    await create(romeo, 'his');
    await stage.node.accounts.remove(parseJid(ROMEO)!);
    assert.deepEqual(await stage.tablesWith(row => row.creator === ROMEO), []);
    const left = ok(await juliet.iq('get', owner(`<subscriptions node='hers'/>`), 'pubsub.localhost'));
    assert.equal(said(left, 'subscriptions').children.length, 0);
    assert.equal(error(await get(juliet, 'urn:open', ROMEO)), 'auth not-authorized presence-subscription-required');
    await stage.addUser('romeo');
    const back = await stage.login('romeo@localhost/new');
    assert.equal(error(await get(back, 'urn:open', OWN)), 'cancel item-not-found');
  });
});
