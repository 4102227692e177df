import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
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
  publish,
  pubsub,
  said,
  SERVICE,
  subscribe,
} from './pubsub.ts';
import { JULIET, ok, ROMEO, verona } from './verona.ts';

describe('play: publishers (XEP-0060 7)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  before(async () => {
    ({ stage, romeo, juliet } = await verona('modules: { pubsub: { items: 50, size: 2 KiB } }\n'));
  });
  after(() => stage.stop());

  it('7.1.1, 7.1.2: an item is told to subscribers with its payload, byte for byte, and kept', async () => {
    await create(romeo, 'news');
    ok(await subscribe(juliet, 'news', JULIET));
    const text = 'Soft! &amp; &lt;quiet&gt; 🌹';
    const answer = ok(await publish(romeo, 'news', item('one', text)));
    const [published] = said(answer, 'publish').getChildren('item');
    assert.equal(published!.attrs.id, 'one');
    const message = await eventMessage(juliet);
    assert.equal(message.attrs.type, 'headline');
    assert.equal(message.attrs.from, SERVICE);
    assert.ok(message.attrs.id);
    const [items] = message.getChild('event')!.getChildElements();
    assert.equal(briefly(items!), 'items news +one');
    assert.equal(items!.getChild('item')!.getChildText('entry', 'urn:example:entry'), 'Soft! & <quiet> 🌹');
    assert.equal(items!.getChild('item')!.attrs.publisher, undefined);
    assert.deepEqual(idsOf(await get(juliet, 'news')), ['one']);
  });

  it('7.1.2: an item without an id is given one, another with its id takes its place', async () => {
    await create(romeo, 'ids');
    const answer = ok(await publish(romeo, 'ids', `<item><entry xmlns='urn:example:entry'/></item>`));
    const id = said(answer, 'publish').getChild('item')!.attrs.id as string;
    assert.ok(id.length > 10);
    ok(await publish(romeo, 'ids', item('2')));
    ok(await publish(romeo, 'ids', item(id, 'anew')));
    assert.deepEqual(idsOf(await get(juliet, 'ids')), [id, '2']);
  });

  it('7.1.2.2: without payloads where the node is configured so', async () => {
    await create(romeo, 'quiet', { deliver_payloads: '0' });
    ok(await subscribe(juliet, 'quiet', JULIET));
    ok(await publish(romeo, 'quiet', item('1')));
    const told = await event(juliet);
    assert.equal(briefly(told), 'items quiet +1');
    assert.equal(told.getChild('item')!.children.length, 0);
    const answer = ok(await get(juliet, 'quiet'));
    assert.ok(said(answer, 'items').getChild('item')!.getChild('entry'));
  });

  it('7.1.2.3: with the publisher where the node is configured so, in events and answers', async () => {
    await create(romeo, 'signed', { itemreply: 'publisher' });
    ok(await subscribe(juliet, 'signed', JULIET));
    ok(await publish(romeo, 'signed', `<item id='1' publisher='mercutio@localhost'><a xmlns='urn:a'/></item>`));
    assert.equal((await event(juliet)).getChild('item')!.attrs.publisher, ROMEO);
    const answer = ok(await get(juliet, 'signed'));
    assert.equal(said(answer, 'items').getChild('item')!.attrs.publisher, ROMEO);
  });

  it('7.1.2.5: the oldest item goes when the node is full, and is retracted', async () => {
    await create(romeo, 'short', { max_items: '2' });
    ok(await subscribe(juliet, 'short', JULIET));
    for (const id of ['1', '2', '3']) ok(await publish(romeo, 'short', item(id)));
    assert.deepEqual(eventsOf(await juliet.settle()), [
      'items short +1',
      'items short +2',
      'items short +3',
      'items short -1',
    ]);
    assert.deepEqual(idsOf(await get(juliet, 'short')), ['3', '2']);
    await create(romeo, 'shorter', { max_items: '2', publish_node_full: 'discard-oldest' });
    ok(await subscribe(juliet, 'shorter', JULIET));
    for (const id of ['1', '2', '3']) ok(await publish(romeo, 'shorter', item(id)));
    assert.deepEqual(eventsOf(await juliet.settle()), ['items shorter +1', 'items shorter +2', 'items shorter +3']);
  });

  it('7.1.3.1, 7.1.3.3: not by others, nor at a node that others cannot make', async () => {
    await create(romeo, 'mine');
    assert.equal(error(await publish(juliet, 'mine', item('1'))), 'auth forbidden');
    assert.deepEqual(idsOf(await get(juliet, 'mine')), []);
  });

  it('7.1.3.4: a full node that refuses', async () => {
    await create(romeo, 'full', { max_items: '1', publish_node_full: 'reject' });
    ok(await publish(romeo, 'full', item('1')));
    assert.equal(error(await publish(romeo, 'full', item('2'))), 'cancel conflict node-full');
    ok(await publish(romeo, 'full', item('1', 'anew')));
    assert.deepEqual(idsOf(await get(romeo, 'full')), ['1']);
  });

  it('7.1.3.5: payloads that are too large, two of them, or of another namespace', async () => {
    await create(romeo, 'typed', { type: 'urn:example:entry', max_payload_size: '100' });
    assert.equal(
      error(await publish(romeo, 'typed', item('1', 'x'.repeat(100)))),
      'modify not-acceptable payload-too-big',
    );
    assert.equal(
      error(await publish(romeo, 'typed', `<item><a xmlns='urn:example:entry'/><b xmlns='urn:example:entry'/></item>`)),
      'modify bad-request invalid-payload',
    );
    assert.equal(
      error(await publish(romeo, 'typed', `<item><a xmlns='urn:example:other'/></item>`)),
      'modify bad-request invalid-payload',
    );
    await create(romeo, 'large');
    assert.equal(
      error(await publish(romeo, 'large', item('1', 'x'.repeat(2048)))),
      'modify not-acceptable payload-too-big',
    );
    assert.deepEqual(idsOf(await get(romeo, 'typed')), []);
  });

  it('7.1.3.6: requests that do not match the configuration', async () => {
    await create(romeo, 'plain');
    assert.equal(error(await publish(romeo, 'plain', '')), 'modify bad-request item-required');
    assert.equal(error(await publish(romeo, 'plain', `<item id='1'/>`)), 'modify bad-request payload-required');
    await create(romeo, 'bell', { persist_items: '0', deliver_payloads: '0' });
    ok(await subscribe(juliet, 'bell', JULIET));
    assert.equal(error(await publish(romeo, 'bell', item('1'))), 'modify bad-request item-forbidden');
    ok(await publish(romeo, 'bell', ''));
    assert.equal(briefly(await event(juliet)), 'items bell');
    assert.equal(error(await publish(romeo, '', item('1'))), 'modify bad-request nodeid-required');
  });

  it('7.1.3.6: a transient node tells and keeps nothing', async () => {
    await create(romeo, 'wind', { persist_items: '0' });
    ok(await subscribe(juliet, 'wind', JULIET));
    ok(await publish(romeo, 'wind', item('1')));
    assert.equal(briefly(await event(juliet)), 'items wind +1');
    assert.equal(error(await get(juliet, 'wind')), 'cancel feature-not-implemented unsupported persistent-items');
  });

  it('7.1.4: a node that is not there is made', async () => {
    ok(await publish(romeo, 'made', item('1')));
    assert.deepEqual(idsOf(await get(juliet, 'made')), ['1']);
    assert.equal(error(await publish(juliet, 'made', item('2'))), 'auth forbidden');
  });

  it('7.1.5: options are preconditions, and the configuration of a node that is made', async () => {
    ok(await publish(romeo, 'chosen', item('1'), SERVICE, { access_model: 'whitelist', max_items: '3' }));
    assert.equal(error(await get(juliet, 'chosen')), 'cancel not-allowed closed-node');
    ok(await publish(romeo, 'chosen', item('2'), SERVICE, { access_model: 'whitelist' }));
    assert.equal(
      error(await publish(romeo, 'chosen', item('3'), SERVICE, { access_model: 'open' })),
      'cancel conflict precondition-not-met',
    );
    assert.equal(
      error(await publish(romeo, 'chosen', item('3'), SERVICE, { access_model: 'whitelist', colour: 'red' })),
      'cancel conflict precondition-not-met',
    );
    assert.deepEqual(idsOf(await get(romeo, 'chosen')), ['2', '1']);
    // 'max' is what the server allows
    ok(await publish(romeo, 'all', item('1'), SERVICE, { max_items: 'max' }));
    ok(await publish(romeo, 'all', item('2'), SERVICE, { max_items: '50' }));
    assert.equal(
      error(await publish(romeo, 'other', item('1'), SERVICE, { max_items: '51' })),
      'modify not-acceptable',
    );
  });

  it('7.2: an item is retracted, and told of where the node says so or the publisher asks for it', async () => {
    await create(romeo, 'taken', { notify_retract: '0' });
    ok(await subscribe(juliet, 'taken', JULIET));
    ok(await publish(romeo, 'taken', `${item('1')}${item('2')}${item('3')}`));
    assert.equal(briefly(await event(juliet)), 'items taken +1 +2 +3');
    const retract = (ids: string, notify = '') =>
      romeo.iq('set', pubsub(`<retract node='taken'${notify}>${ids}</retract>`), SERVICE);
    ok(await retract(`<item id='1'/>`));
    assert.deepEqual(eventsOf(await juliet.settle()), []);
    ok(await retract(`<item id='2'/>`, ` notify='true'`));
    assert.equal(briefly(await event(juliet)), 'items taken -2');
    assert.deepEqual(idsOf(await get(romeo, 'taken')), ['3']);
  });

  it('7.2.3: what is wrong with a retraction', async () => {
    await create(romeo, 'held', { publish_model: 'open' });
    ok(await publish(romeo, 'held', item('his')));
    ok(await publish(juliet, 'held', item('hers')));
    const retract = (client: TestClient, node: string, ids: string) =>
      client.iq('set', pubsub(`<retract${node}>${ids}</retract>`), SERVICE);
    assert.equal(error(await retract(juliet, ` node='held'`, `<item id='his'/>`)), 'auth forbidden');
    assert.equal(error(await publish(juliet, 'held', item('his', 'hers'))), 'auth forbidden');
    assert.equal(error(await retract(juliet, ` node='mine'`, `<item id='x'/>`)), 'auth forbidden');
    assert.equal(error(await retract(romeo, ` node='held'`, `<item id='none'/>`)), 'cancel item-not-found');
    assert.equal(error(await retract(romeo, ` node='nowhere'`, `<item id='1'/>`)), 'cancel item-not-found');
    assert.equal(error(await retract(romeo, '', `<item id='1'/>`)), 'modify bad-request nodeid-required');
    assert.equal(error(await retract(romeo, ` node='held'`, '')), 'modify bad-request item-required');
    assert.equal(error(await retract(romeo, ` node='held'`, '<item/>')), 'modify bad-request item-required');
    assert.equal(
      error(await retract(romeo, ` node='wind'`, `<item id='1'/>`)),
      'cancel feature-not-implemented unsupported persistent-items',
    );
    ok(await retract(juliet, ` node='held'`, `<item id='hers'/>`));
    assert.deepEqual(idsOf(await get(romeo, 'held')), ['his']);
  });

  it('12.11: a batch is done whole or not at all', async () => {
    await create(romeo, 'batch', { max_items: '3' });
    ok(await publish(romeo, 'batch', ['1', '2', '3'].map(id => item(id)).join('')));
    assert.equal(
      error(await publish(romeo, 'batch', ['4', '5', '6', '7'].map(id => item(id)).join(''))),
      'cancel not-allowed max-items-exceeded',
    );
    assert.equal(
      error(await publish(romeo, 'batch', `${item('4')}<item id='5'/>`)),
      'modify bad-request payload-required',
    );
    const both = pubsub(`<retract node='batch'><item id='1'/><item id='none'/></retract>`);
    assert.equal(error(await romeo.iq('set', both, SERVICE)), 'cancel item-not-found');
    assert.deepEqual(idsOf(await get(romeo, 'batch')), ['3', '2', '1']);
    ok(await romeo.iq('set', pubsub(`<retract node='batch'><item id='1'/><item id='3'/></retract>`), SERVICE));
    assert.deepEqual(idsOf(await get(romeo, 'batch')), ['2']);
  });

  it('is linearizable: of many at once, all are there in one order, and all subscribers are told in that order', async () => {
    await create(romeo, 'storm');
    ok(await subscribe(juliet, 'storm', JULIET));
    ok(await subscribe(romeo, 'storm', ROMEO));
    await Promise.all(Array.from({ length: 20 }, (_, n) => publish(romeo, 'storm', item(String(n)))));
    const told = eventsOf(await juliet.settle());
    assert.deepEqual(eventsOf(await romeo.settle()), told);
    const order = told.map(line => line.split('+')[1]);
    assert.deepEqual(idsOf(await get(romeo, 'storm')).toReversed(), order);
    assert.equal(order.length, 20);
  });
});
