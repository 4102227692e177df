import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { capsElement, tell, verOf, want, wantAsked } from './caps.ts';
import { Elsewhere, ELSEWHERE } from './elsewhere.ts';
import { befriend } from './people.ts';
import {
  briefly,
  create,
  event,
  eventMessage,
  eventsOf,
  item,
  OWN,
  publish,
  pubsub,
  SERVICE,
  subscribe,
} from './pubsub.ts';
import { JULIET, ok, ROMEO } from './verona.ts';

const TUNE = 'http://jabber.org/protocol/tune';
const MOOD = 'http://jabber.org/protocol/mood';

describe('play: what presence says to nodes (XEP-0060 9.1.3, 12.2, 12.6)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  beforeEach(async () => {
    stage = await TestNode.start({ users: ['romeo', 'juliet'], yaml: `${ELSEWHERE}\n` });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
  });
  afterEach(() => stage.stop());

  /** Nothing comes, also of what is done behind an answer. */
  async function quiet(client: TestClient): Promise<void> {
    for (let n = 0; n < 5; n++) assert.deepEqual(eventsOf(await client.settle()), []);
  }

  describe('12.2: the last item of a node at the domain, on_sub_and_presence', () => {
    beforeEach(async () => {
      await create(romeo, 'late', { send_last_published_item: 'on_sub_and_presence' });
      await create(romeo, 'once');
      for (const node of ['late', 'once']) ok(await subscribe(juliet, node, JULIET));
      await juliet.settle();
      for (const node of ['late', 'once']) ok(await publish(romeo, node, `${item('1')}${item('2')}`));
      await juliet.settle();
    });

    it('is sent to each client of a subscriber that comes online, once', async () => {
      const chamber = await stage.login('juliet@localhost/chamber');
      assert.deepEqual(eventsOf(await chamber.settle()), []);
      chamber.send('<presence/>');
      const message = await eventMessage(chamber);
      assert.deepEqual([message.attrs.from, message.attrs.to], [SERVICE, chamber.jid]);
      assert.equal(briefly(message.getChild('event')!.getChildElements()[0]!), 'items late +2');
      assert.ok(message.getChild('delay', 'urn:xmpp:delay'));
      chamber.send('<presence><show>away</show></presence>');
      // and who is there already has shown himself to the service by that
      chamber.send(`<presence to='${SERVICE}'/>`);
      await quiet(chamber);
      await quiet(juliet);
      chamber.send(`<presence type='unavailable'/>`);
      chamber.send('<presence/>');
      assert.equal(briefly(await event(chamber)), 'items late +2');
    });

    it('is sent to a client that shows itself to the service alone', async () => {
      const chamber = await stage.login('juliet@localhost/chamber');
      chamber.send(`<presence to='${SERVICE}'/>`);
      assert.equal(briefly(await event(chamber)), 'items late +2');
      chamber.send('<presence/>');
      await quiet(chamber);
    });

    it('is sent to nobody who does not want it, or is another resource than the one that is subscribed', async () => {
      ok(await subscribe(juliet, 'late', juliet.jid));
      ok(await juliet.iq('set', pubsub(`<unsubscribe node='late' jid='${JULIET}'/>`), SERVICE));
      await juliet.settle();
      const chamber = await stage.login('juliet@localhost/chamber', { presence: true });
      await quiet(chamber);
      juliet.send(`<presence type='unavailable'/>`);
      juliet.send('<presence/>');
      assert.equal(briefly(await event(juliet)), 'items late +2');
    });

    it('is sent to subscribers from elsewhere when they show themselves to the service', async () => {
      const elsewhere = await Elsewhere.open(stage);
      const nurse = elsewhere.address('nurse');
      const send = (stanza: string) => elsewhere.send(stanza);
      send(
        `<iq type='set' id='s' from='${nurse}/house' to='${SERVICE}'>${pubsub(`<subscribe node='late' jid='${nurse}'/>`)}</iq>`,
      );
      await elsewhere.expect(stanza => eventsOf([stanza]).length > 0, 'the last item');
      await elsewhere.settle();
      send(`<presence from='${nurse}/house' to='${SERVICE}'/>`);
      const message = await elsewhere.expect(stanza => eventsOf([stanza]).length > 0, 'the last item');
      assert.equal(message.attrs.to, `${nurse}/house`);
      send(`<presence from='${nurse}/house' to='${SERVICE}'><show>dnd</show></presence>`);
      assert.deepEqual(eventsOf(await elsewhere.settle()), []);
      elsewhere.close();
    });
  });

  it('12.6, 6.3: of those who show themselves to the service it knows whether they are there', async () => {
    const elsewhere = await Elsewhere.open(stage);
    const nurse = elsewhere.address('nurse');
    await create(romeo, 'there', { presence_based_delivery: '1' });
    elsewhere.send(
      `<iq type='set' id='s' from='${nurse}' to='${SERVICE}'>${pubsub(`<subscribe node='there' jid='${nurse}'/>`)}</iq>`,
    );
    await elsewhere.settle();
    const told = async (id: string) => {
      ok(await publish(romeo, 'there', item(id)));
      return eventsOf(await elsewhere.settle());
    };
    // nothing is known of her
    assert.deepEqual(await told('1'), ['items there +1']);
    elsewhere.send(`<presence from='${nurse}/house' to='${SERVICE}'/>`);
    await elsewhere.settle();
    assert.deepEqual(await told('2'), ['items there +2']);
    elsewhere.send(`<presence type='unavailable' from='${nurse}/house' to='${SERVICE}'/>`);
    await elsewhere.settle();
    assert.deepEqual(await told('3'), []);
    // a client of this server that has shown itself to the service, and to nobody else
    const chamber = await stage.login('juliet@localhost/chamber');
    ok(await subscribe(chamber, 'there', chamber.jid));
    await chamber.settle();
    ok(await publish(romeo, 'there', item('4')));
    assert.deepEqual(eventsOf(await chamber.settle()), []);
    chamber.send(`<presence to='${SERVICE}'/>`);
    await chamber.settle();
    ok(await publish(romeo, 'there', item('5')));
    assert.deepEqual(eventsOf(await chamber.settle()), ['items there +5']);
    elsewhere.close();
  });

  describe('9.1.3: who has sent presence to an account', () => {
    const pep = (node: string, id: string, model: string) =>
      publish(romeo, node, item(id), OWN, { access_model: model });

    it('is told of its open nodes, as far as its client wants them, until it is gone', async () => {
      await wantAsked(juliet, [TUNE, MOOD]);
      ok(await pep(TUNE, '1', 'open'));
      ok(await pep(MOOD, '1', 'presence'));
      assert.deepEqual(eventsOf(await juliet.settle()), []);
      juliet.send(`<presence to='${ROMEO}'/>`);
      // 12.2: once
      const message = await eventMessage(juliet);
      assert.deepEqual([message.attrs.from, message.attrs.to], [ROMEO, juliet.jid]);
      assert.equal(briefly(message.getChild('event')!.getChildElements()[0]!), `items ${TUNE} +1`);
      juliet.send(`<presence to='${ROMEO}'><show>away</show></presence>`);
      ok(await pep(TUNE, '2', 'open'));
      ok(await pep(MOOD, '2', 'presence'));
      ok(await publish(romeo, 'urn:other', item('1'), OWN, { access_model: 'open' }));
      assert.deepEqual(eventsOf(await juliet.settle()), [`items ${TUNE} +2`]);
      juliet.send(`<presence type='unavailable' to='${ROMEO}'/>`);
      await juliet.settle();
      ok(await pep(TUNE, '3', 'open'));
      assert.deepEqual(eventsOf(await juliet.settle()), []);
      // 4.6.3 of RFC 6121: who goes, goes for all
      juliet.send(`<presence to='${ROMEO}'/>`);
      await event(juliet);
      juliet.send(`<presence type='unavailable'/>`);
      want(juliet, [TUNE, MOOD]);
      await juliet.settle();
      ok(await pep(TUNE, '4', 'open'));
      assert.deepEqual(eventsOf(await juliet.settle()), []);
    });

    it('need not be there for anybody else', async () => {
      ok(await pep(TUNE, '1', 'open'));
      const chamber = await stage.login('juliet@localhost/chamber');
      // her own nodes are not meant
      ok(await publish(juliet, TUNE, item('hers'), OWN, { access_model: 'open' }));
      chamber.send(`<presence to='${ROMEO}'>${capsElement(verOf([`${TUNE}+notify`]))}</presence>`);
      await tell(chamber, [`${TUNE}+notify`]);
      assert.equal(briefly(await event(chamber)), `items ${TUNE} +1`);
      ok(await pep(TUNE, '2', 'open'));
      assert.deepEqual(eventsOf(await chamber.settle()), [`items ${TUNE} +2`]);
    });

    it('is told once where it is a contact as well, and nothing where it is blocked', async () => {
      await befriend(romeo, juliet);
      await wantAsked(juliet, [TUNE]);
      juliet.send(`<presence to='${ROMEO}'/>`);
      await juliet.settle();
      ok(await pep(TUNE, '1', 'open'));
      assert.deepEqual(eventsOf(await juliet.settle()), [`items ${TUNE} +1`]);
      romeo.send(`<presence type='unsubscribed' to='${JULIET}'/>`);
      await romeo.settle();
      await juliet.settle();
      ok(await pep(TUNE, '2', 'open'));
      assert.deepEqual(eventsOf(await juliet.settle()), [`items ${TUNE} +2`]);
      ok(await romeo.iq('set', `<block xmlns='urn:xmpp:blocking'><item jid='${JULIET}'/></block>`));
      ok(await pep(TUNE, '3', 'open'));
      assert.deepEqual(eventsOf(await juliet.settle()), []);
    });
  });
});
