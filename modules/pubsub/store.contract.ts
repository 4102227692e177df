import assert from 'node:assert/strict';
import type { Storage } from '../../src/storage/index.ts';
import { capabilitiesStore } from './capabilities-store.ts';
import { SERVICE_DEFAULTS } from './config.ts';
import type { Item, SubscriptionOptions } from './node.ts';
import { pubsubStore, type PubsubStore, type StoredSubscription } from './store.ts';

const SERVICE = 'pubsub.example.org';
const ROMEO = 'romeo@example.org';
const JULIET = 'juliet@example.org';
const OPTIONS: SubscriptionOptions = { deliver: true, showValues: ['online', 'away'] };
/** As it is on the wire: bytes as characters. */
const wire = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const item = (id: string, at = 1000, payload = `<a xmlns='urn:a'>${id}</a>`): Item => ({
  id,
  publisher: ROMEO,
  at,
  payload,
});
const subscription = (jid: string, state: StoredSubscription['state'] = 'subscribed'): StoredSubscription => ({
  jid,
  entity: jid.split('/')[0]!,
  state,
  options: { ...OPTIONS },
});
const ids = (items: readonly Item[] | undefined) => items?.map(({ id }) => id);

/** What the store has to do on every database. `open` gives a new, empty one. */
export function pubsubStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: PubsubStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('pubsub/nodes', pubsubStore.migrations);
    store = await pubsubStore.open(storage);
  });
  afterEach(() => storage.close());

  const create = async (name = 'news', service = SERVICE, creator = ROMEO): Promise<number> => {
    const made = await store.create(
      { service, name, creator, created: 1_700_000_000_000, config: SERVICE_DEFAULTS },
      creator,
      100,
    );
    assert.equal(typeof made, 'number');
    return made as number;
  };
  const page = (node: number, of: { after?: string; before?: string; most?: number; since?: number } = {}) =>
    store.items.page(node, { most: 100, since: 0, ...of });

  describe('its nodes', () => {
    it('are there as they were made, with their owner', async () => {
      const id = await create('Ünïcode & <news> 🌹');
      const found = await store.node(SERVICE, 'Ünïcode & <news> 🌹');
      assert.deepEqual(found, {
        id,
        service: SERVICE,
        name: 'Ünïcode & <news> 🌹',
        creator: ROMEO,
        created: 1_700_000_000_000,
        config: SERVICE_DEFAULTS,
        affiliations: found!.affiliations,
        subscriptions: [],
      });
      assert.deepEqual(
        found!.affiliations.map(({ entity, affiliation }) => [entity, affiliation]),
        [[ROMEO, 'owner']],
      );
    });

    it('have one name each, exact in case and spaces, at each service', async () => {
      await create('news');
      await create('News');
      await create('news ');
      await create('news', ROMEO);
      const again = { service: SERVICE, name: 'news', creator: JULIET, created: 1, config: SERVICE_DEFAULTS };
      assert.equal(await store.create(again, JULIET, 100), 'conflict');
      assert.equal(await store.node(SERVICE, 'NEWS'), undefined);
      assert.equal(await store.node(SERVICE, 'News '), undefined);
      assert.equal((await store.node(SERVICE, 'news '))!.name, 'news ');
      assert.equal((await store.of(ROMEO)).length, 1);
    });

    it('may have long names, which do not get mixed up', async () => {
      const long = 'x'.repeat(1000);
      await create(`${long}1`);
      await create(`${long}2`);
      assert.equal((await store.node(SERVICE, `${long}2`))!.name, `${long}2`);
      assert.equal(await store.node(SERVICE, `${long}3`), undefined);
    });

    it('are no more of one creator than allowed, also when they are made at once', async () => {
      const made = await Promise.all(
        ['a', 'b', 'c', 'd'].map(name =>
          store.create({ service: SERVICE, name, creator: ROMEO, created: 1, config: SERVICE_DEFAULTS }, ROMEO, 2),
        ),
      );
      assert.equal(made.filter(result => result === 'full').length, 2);
      assert.equal((await store.of(SERVICE)).length, 2);
      await create('e', SERVICE, JULIET);
    });

    it('are listed in the order of creation, in pages', async () => {
      for (const name of ['c', 'a', 'b']) await create(name);
      const names = async (of: { after?: string; before?: string }) =>
        (await store.page(SERVICE, { ...of, most: 2 }))?.nodes.map(({ name }) => name);
      assert.deepEqual(await names({}), ['c', 'a']);
      assert.deepEqual(await names({ after: 'a' }), ['b']);
      assert.deepEqual(await names({ before: '' }), ['a', 'b']);
      assert.deepEqual(await names({ before: 'b' }), ['c', 'a']);
      assert.equal(await names({ after: 'z' }), undefined);
      assert.equal((await store.page(SERVICE, { most: 0 }))!.count, 3);
    });

    it('are configured anew', async () => {
      const id = await create();
      await store.configure(id, { ...SERVICE_DEFAULTS, title: 'News ☺', accessModel: 'roster', maxItems: 7 });
      const { config } = (await store.node(SERVICE, 'news'))!;
      assert.deepEqual(config, { ...SERVICE_DEFAULTS, title: 'News ☺', accessModel: 'roster', maxItems: 7 });
    });

    it('go with all that is theirs, and with their service', async () => {
      const id = await create();
      const other = await create('other', ROMEO);
      await store.subscribe(id, [subscription(JULIET)]);
      await store.items.publish(id, [item('1')], 10);
      await store.items.publish(other, [item('1')], 10);
      await store.remove({ id, service: SERVICE });
      assert.equal(await store.node(SERVICE, 'news'), undefined);
      assert.equal(await store.items.count(id, 0), 0);
      assert.deepEqual(await store.subscriptionsOf(SERVICE, JULIET), []);
      assert.equal(await store.items.count(other, 0), 1);
      await store.removeService(ROMEO);
      assert.equal(await store.items.count(other, 0), 0);
      assert.deepEqual(await store.of(ROMEO), []);
    });
  });

  describe('what took the place of nodes that were deleted', () => {
    const move = async (name: string, at: number, most = 10, service = SERVICE) => {
      const id = await create(name, service);
      await store.remove({ id, service }, { name, uri: `xmpp:x?;node=${name}`, owner: ROMEO, at }, most);
    };
    const uriOf = async (name: string, since = 0, service = SERVICE) =>
      (await store.redirects.get(service, name, since))?.uri;

    it('is remembered until there is a node of that name again', async () => {
      await move('Ünïcode 🌹', 1000);
      const { uri, isOf } = (await store.redirects.get(SERVICE, 'Ünïcode 🌹', 0))!;
      assert.deepEqual([uri, isOf(ROMEO), isOf(JULIET)], ['xmpp:x?;node=Ünïcode 🌹', true, false]);
      await store.redirects.disown(ROMEO);
      assert.equal((await store.redirects.get(SERVICE, 'Ünïcode 🌹', 0))!.isOf(ROMEO), false);
      assert.equal(await uriOf('ünïcode 🌹'), undefined);
      assert.equal(await uriOf('Ünïcode 🌹', 0, ROMEO), undefined);
      await create('Ünïcode 🌹');
      assert.equal(await uriOf('Ünïcode 🌹'), undefined);
    });

    it('is forgotten after a time, and the oldest of too many, and with the service', async () => {
      await move('a', 1000);
      await move('b', 2000);
      await move('mine', 2000, 10, ROMEO);
      assert.equal(await uriOf('a', 1001), undefined);
      await store.redirects.expire(2000);
      assert.equal(await uriOf('a'), undefined);
      await move('c', 3000, 2);
      assert.ok(await uriOf('b'));
      await move('d', 4000, 2);
      assert.deepEqual(await Promise.all(['b', 'c', 'd'].map(name => uriOf(name))), [
        undefined,
        'xmpp:x?;node=c',
        'xmpp:x?;node=d',
      ]);
      assert.ok(await uriOf('mine', 0, ROMEO));
      await store.removeService(ROMEO);
      assert.equal(await uriOf('mine', 0, ROMEO), undefined);
    });
  });

  describe('affiliations and subscriptions', () => {
    it('are put, replaced and taken away', async () => {
      const id = await create();
      await store.affiliate(
        id,
        new Map([
          [JULIET, 'member'],
          ['bot@example.org', 'publisher'],
        ]),
      );
      await store.affiliate(
        id,
        new Map([
          [JULIET, 'outcast'],
          ['bot@example.org', 'none'],
        ]),
      );
      const { affiliations } = (await store.node(SERVICE, 'news'))!;
      assert.deepEqual(affiliations.map(({ entity, affiliation }) => `${entity} ${affiliation}`).toSorted(), [
        `${JULIET} outcast`,
        `${ROMEO} owner`,
      ]);
      assert.deepEqual(await store.affiliationsOf(SERVICE, JULIET), [{ node: 'news', affiliation: 'outcast' }]);
      assert.deepEqual(await store.affiliationsOf(ROMEO, JULIET), []);
    });

    it('know full addresses apart, and whose they are', async () => {
      const id = await create();
      const other = await create('other');
      await store.subscribe(id, [subscription(JULIET), subscription(`${JULIET}/balcony`), subscription(ROMEO)]);
      await store.subscribe(other, [subscription(JULIET, 'pending')]);
      assert.deepEqual(await store.subscriptionsOf(SERVICE, JULIET), [
        { node: 'news', jid: JULIET, state: 'subscribed' },
        { node: 'news', jid: `${JULIET}/balcony`, state: 'subscribed' },
        { node: 'other', jid: JULIET, state: 'pending' },
      ]);
      await store.subscribe(id, [{ ...subscription(ROMEO), options: { ...OPTIONS, deliver: false } }], [JULIET]);
      const { subscriptions } = (await store.node(SERVICE, 'news'))!;
      assert.deepEqual(subscriptions.map(({ jid, options }) => `${jid} ${options.deliver}`).toSorted(), [
        `${JULIET}/balcony true`,
        `${ROMEO} false`,
      ]);
      assert.deepEqual(
        (await store.placesOf(JULIET)).map(({ name }) => name),
        ['news', 'other'],
      );
    });

    it('tell at which nodes of an owner somebody waits', async () => {
      const id = await create();
      const other = await create('other');
      await create('third');
      await store.subscribe(id, [subscription(JULIET, 'pending'), subscription(`${JULIET}/x`, 'pending')]);
      await store.subscribe(other, [subscription(JULIET)]);
      assert.deepEqual(await store.pendingOf(SERVICE, ROMEO, 10), ['news']);
      assert.deepEqual(await store.pendingOf(SERVICE, JULIET, 10), []);
    });

    it('take addresses of any length', async () => {
      const id = await create();
      const long = `juliet@example.org/${'r'.repeat(1000)}`;
      await store.subscribe(id, [subscription(`${long}1`), subscription(`${long}2`)]);
      await store.subscribe(id, [], [`${long}1`]);
      assert.deepEqual(
        (await store.node(SERVICE, 'news'))!.subscriptions.map(({ jid }) => jid),
        [`${long}2`],
      );
    });
  });

  describe('items', () => {
    it('come back byte for byte, the newest first', async () => {
      const id = await create();
      const payload = wire('<a xmlns="urn:a">Юлия 🌹 &amp; \' " &#10;</a>');
      await store.items.publish(id, [item('1'), item('2', 2000, payload)], 10);
      assert.deepEqual(await page(id), [item('2', 2000, payload), item('1')]);
      assert.deepEqual(await store.items.last(id, 0), item('2', 2000, payload));
      assert.deepEqual(await store.items.get(id, '1', 0), item('1'));
      assert.equal(await store.items.get(id, '3', 0), undefined);
      assert.equal(await store.items.last(id + 1, 0), undefined);
    });

    it('take the place of one with their id, and are then the newest', async () => {
      const id = await create();
      await store.items.publish(id, [item('1'), item('2')], 10);
      assert.deepEqual(await store.items.publish(id, [item('1', 3000, '<b xmlns="urn:b"/>')], 10), []);
      assert.deepEqual(ids(await page(id)), ['1', '2']);
      assert.equal((await store.items.get(id, '1', 0))!.payload, '<b xmlns="urn:b"/>');
    });

    it('are others where their ids differ by spaces alone', async () => {
      const id = await create();
      for (const name of ['a', 'a ', ' a', 'A']) await store.items.publish(id, [item(name)], 10);
      assert.deepEqual(ids(await page(id)), ['A', ' a', 'a ', 'a']);
      assert.deepEqual(await store.items.retract(id, ['a ']), ['a ']);
      assert.equal((await store.items.get(id, 'a', 0))!.id, 'a');
    });

    it('are no more than allowed: the oldest go', async () => {
      const id = await create();
      await store.items.publish(id, [item('1'), item('2'), item('3')], 3);
      assert.deepEqual(await store.items.publish(id, [item('4'), item('5')], 3), ['1', '2']);
      assert.deepEqual(await store.items.publish(id, [item('3')], 3), []);
      assert.deepEqual(ids(await page(id)), ['3', '5', '4']);
      await store.items.shrink(id, 1);
      assert.deepEqual(ids(await page(id)), ['3']);
      await store.items.shrink(id, 0);
      assert.deepEqual(ids(await page(id)), []);
    });

    it('are retracted, and it is told which were there', async () => {
      const id = await create();
      await store.items.publish(id, [item('1'), item('2'), item('3')], 10);
      assert.deepEqual(await store.items.retract(id, ['1', '7', '3']), ['1', '3']);
      assert.deepEqual(ids(await page(id)), ['2']);
      await store.items.purge(id);
      assert.equal(await store.items.count(id, 0), 0);
    });

    it('are read in pages, both ways', async () => {
      const id = await create();
      for (const n of [1, 2, 3, 4, 5]) await store.items.publish(id, [item(String(n))], 10);
      assert.deepEqual(ids(await page(id, { most: 2 })), ['5', '4']);
      assert.deepEqual(ids(await page(id, { most: 2, after: '4' })), ['3', '2']);
      assert.deepEqual(ids(await page(id, { most: 2, before: '' })), ['2', '1']);
      assert.deepEqual(ids(await page(id, { most: 2, before: '2' })), ['4', '3']);
      assert.equal(await page(id, { after: '9' }), undefined);
      assert.equal(await page(id, { before: '9' }), undefined);
    });

    it('are read in pages of so many bytes, both ways, and one is always given', async () => {
      const id = await create();
      const of = { most: 100, since: 0 };
      // two bytes a character, of which a database keeps as many, and a wire string has
      const large = wire(`<a xmlns="urn:a">${'é'.repeat(500)}</a>`);
      for (const n of [1, 2, 3, 4, 5]) await store.items.publish(id, [item(String(n), 1000, large)], 10);
      const read = async (bytes: number, more: { after?: string; before?: string; most?: number } = {}) => {
        const found = await store.items.pageWithin(id, { ...of, ...more }, bytes);
        return found && [...found.items.map(({ id: name }) => name), ...(found.cut ? ['cut'] : [])].join(' ');
      };
      assert.equal(await read(2 * large.length), '5 4 cut');
      assert.equal(await read(2 * large.length, { most: 2 }), '5 4');
      assert.equal(await read(2 * large.length - 1), '5 cut');
      assert.equal(await read(1), '5 cut');
      assert.equal(await read(5 * large.length), '5 4 3 2 1');
      assert.equal(await read(3 * large.length, { after: '4' }), '3 2 1');
      assert.equal(await read(2 * large.length, { before: '' }), '2 1 cut');
      assert.equal(await read(large.length, { before: '3' }), '4 cut');
      assert.equal(await read(1000, { after: '9' }), undefined);
    });

    it('expire', async () => {
      const id = await create();
      await store.items.publish(id, [item('old', 1000), item('new', 5000)], 10);
      assert.deepEqual(ids(await page(id, { since: 2000 })), ['new']);
      assert.equal(await store.items.count(id, 2000), 1);
      assert.equal(await store.items.get(id, 'old', 2000), undefined);
      assert.equal(await store.items.expire(id, 2000), 1);
      assert.deepEqual(ids(await page(id)), ['new']);
    });

    it('may be large, and have long ids', async () => {
      const id = await create();
      const payload = `<a>${'x'.repeat(500_000)}</a>`;
      await store.items.publish(id, [item('y'.repeat(1000), 1, payload)], 10);
      assert.equal((await store.items.get(id, 'y'.repeat(1000), 0))!.payload.length, payload.length);
    });

    it('published at once are each there or not, and their number holds', async () => {
      const id = await create();
      await Promise.all(Array.from({ length: 20 }, (_, n) => store.items.publish(id, [item(String(n))], 5)));
      assert.deepEqual(ids(await page(id)), ['19', '18', '17', '16', '15']);
    });
  });

  describe('what clients want to be told', () => {
    it('is remembered, and of too many the oldest are forgotten', async () => {
      await storage.migrate('pubsub/capabilities', capabilitiesStore.migrations);
      const known = await capabilitiesStore.open(storage);
      assert.equal(await known.get('sha-1 a='), undefined);
      await known.put('sha-1 a=', ['urn:a', 'urn:ü'], 1000);
      await known.put('sha-1 A=', [], 2000);
      await known.put(`sha-1 ${'x'.repeat(200)}`, ['urn:x'], 3000);
      await known.put('sha-1 a=', ['urn:a', 'urn:ü', 'urn:b'], 4000);
      assert.deepEqual(await known.get('sha-1 a='), ['urn:a', 'urn:ü', 'urn:b']);
      assert.deepEqual(await known.get('sha-1 A='), []);
      await known.shrink(2);
      assert.equal(await known.get('sha-1 A='), undefined);
      assert.deepEqual(await known.get(`sha-1 ${'x'.repeat(200)}`), ['urn:x']);
    });
  });
}
