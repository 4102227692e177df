import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { befriend, brief, rosterSet, subscribe } from './people.ts';

const CAPS =
  "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://psi-im.org' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/>";

const presences = (stanzas: readonly Element[]): Element[] => stanzas.filter(({ name }) => name === 'presence');

/** Waits until the session that a connection carried is over. */
async function gone(server: TestNode, jid: string): Promise<void> {
  const { parseJid } = await import('../../src/jid/index.ts');
  while (server.node.directory.session(parseJid(jid)!.full)) await new Promise(resolve => setTimeout(resolve, 5));
}

describe('play: presence (RFC 6121 4.2 to 4.5, 4.7)', () => {
  let server: TestNode;
  let count = 0;
  let R: string;
  let J: string;
  let romeo: TestClient;
  let juliet: TestClient;
  before(async () => {
    server = await TestNode.start();
  });
  after(() => server.stop());

  beforeEach(async () => {
    count++;
    [R, J] = [`romeo${count}@localhost`, `juliet${count}@localhost`];
    await Promise.all([server.addUser(`romeo${count}`), server.addUser(`juliet${count}`)]);
    romeo = await server.login(`${R}/orchard`, { presence: true });
    juliet = await server.login(`${J}/balcony`, { presence: true });
  });

  describe('initial presence (4.2)', () => {
    it('who comes is seen by his subscribers and his own resources, and sees them, all resources of each', async () => {
      await befriend(romeo, juliet);
      const chamber = await server.login(`${J}/chamber`, { presence: 7 });
      const connected = await server.login(`${J}/connected`);
      await romeo.settle();
      await juliet.settle();
      const garden = await server.login(`${R}/garden`);
      garden.send("<presence id='p1' xml:lang='it'><show>chat</show></presence>");
      const own = await garden.settle();
      assert.deepEqual(own.map(brief).sort(), [
        `presence ${J}/balcony > ${R}/garden`,
        `presence ${J}/chamber > ${R}/garden`,
        `presence ${R}/garden > ${R}`,
        `presence ${R}/orchard > ${R}`,
      ]);
      const full = own.find(({ attrs }) => attrs.from === `${J}/chamber`)!;
      assert.equal(full.getChildText('priority'), '7');
      for (const client of [juliet, chamber]) {
        const [seen, ...more] = presences(await client.settle()).filter(({ attrs }) => attrs.from === `${R}/garden`);
        assert.deepEqual(more, []);
        assert.equal(seen!.attrs.to, J);
        assert.equal(seen!.attrs.id, 'p1');
        assert.equal(seen!.attrs['xml:lang'], 'it');
        assert.equal(seen!.getChildText('show'), 'chat');
      }
      assert.deepEqual((await romeo.settle()).map(brief), [`presence ${R}/garden > ${R}`]);
      assert.deepEqual(await connected.settle(), []);
    });

    it('a contact that is not subscribed sees nothing, and one that the account is not subscribed to is not seen', async () => {
      await subscribe(romeo, juliet);
      await romeo.iq('set', rosterSet(`<item jid='${J}' name='J'/>`));
      await juliet.settle();
      const garden = await server.login(`${R}/garden`, { presence: true });
      assert.deepEqual(presences(await juliet.settle()), []);
      await garden.presence(`${J}/balcony`);
      const chamber = await server.login(`${J}/chamber`, { presence: true });
      assert.deepEqual((await chamber.settle()).map(brief), [`presence ${J}/balcony > ${J}`]);
      await romeo.presence(`${J}/chamber`);
    });

    it('contacts of domains that nothing is known of are no errors at each presence', async () => {
      romeo.send(
        "<presence to='x@nowhere.example' type='subscribed'/><presence to='x@nowhere.example' type='subscribe'/>",
      );
      await romeo.presence('x@nowhere.example', 'error');
      // as if the other server had been there once
      await server.addUser(`old${count}`);
      const contact = { contact_key: 'x@nowhere.example', contact: 'x@nowhere.example', subscription: 'both' };
      const rest = { version: 1, ask: 0, approved: 0, group_names: '[]' };
      await server.node.storage.transact(tx =>
        tx('roster_items').insert({ account: `old${count}@localhost`, ...contact, ...rest }),
      );
      const old = await server.login(`old${count}@localhost/x`);
      old.send("<presence/><presence><show>away</show></presence><presence type='unavailable'/>");
      assert.deepEqual(
        (await old.settle()).map(({ attrs }) => attrs.type),
        [undefined, undefined, 'unavailable'],
      );
    });

    it('a contact that is away hears nothing of it later', async () => {
      await befriend(romeo, juliet);
      await juliet.end();
      romeo.send('<presence><status>away with the fairies</status></presence>');
      await romeo.settle();
      juliet = await server.login(`${J}/balcony`, { presence: true });
      assert.deepEqual((await juliet.settle()).map(brief), [`presence ${R}/orchard > ${J}/balcony`]);
    });
  });

  describe('later presence (4.4, 4.7)', () => {
    it('is told whole: show, status in several languages, priority, extensions', async () => {
      await befriend(romeo, juliet);
      const inside = `<show>dnd</show><status>Wooing Juliet</status><status xml:lang="cs">Dvo\u0159\u00edm se Julii</status><priority>1</priority>`;
      const update = `<presence id='u1' xml:lang='en'>${inside}${CAPS}<x xmlns='vcard-temp:x:update'><photo/></x></presence>`;
      romeo.send(update);
      for (const client of [juliet, romeo]) {
        const seen = await client.presence(`${R}/orchard`);
        assert.equal(seen.attrs.id, 'u1');
        assert.equal(seen.attrs['xml:lang'], 'en');
        assert.deepEqual(
          seen.children.map(String).map(text => text.replaceAll('"', "'")),
          [
            '<show>dnd</show>',
            '<status>Wooing Juliet</status>',
            "<status xml:lang='cs'>Dvo\u0159\u00edm se Julii</status>",
            '<priority>1</priority>',
            CAPS,
            "<x xmlns='vcard-temp:x:update'><photo/></x>",
          ],
        );
      }
      // and to who comes later
      const chamber = await server.login(`${J}/chamber`, { presence: true });
      const seen = await chamber.presence(`${R}/orchard`);
      assert.equal(seen.attrs.id, 'u1');
      assert.equal(seen.getChildren('status').length, 2);
      assert.ok(seen.getChild('c', 'http://jabber.org/protocol/caps'));
    });

    it('each presence is told once, in order', async () => {
      await befriend(romeo, juliet);
      const shows = ['away', 'xa', 'dnd', 'chat', 'away', 'xa'];
      romeo.send(shows.map(show => `<presence><show>${show}</show></presence>`).join(''));
      await romeo.settle();
      assert.deepEqual(
        presences(await juliet.settle()).map(stanza => stanza.getChildText('show')),
        shows,
      );
    });

    for (const [text, good] of [
      ['-128', true],
      ['127', true],
      ['+5', true],
      ['0', true],
      ['128', false],
      ['-129', false],
      ['1.5', false],
      ['high', false],
      ['', false],
    ] as const) {
      it(`a priority of '${text}' is ${good ? 'one' : 'none: bad-request, and nobody is told'} (4.7.2.3)`, async () => {
        await befriend(romeo, juliet);
        romeo.send(`<presence id='p'><priority>${text}</priority></presence>`);
        if (good) {
          assert.equal((await juliet.presence(`${R}/orchard`)).getChildText('priority'), text);
        } else {
          assert.equal(condition(await romeo.presence(undefined, 'error')), 'bad-request');
          await romeo.settle();
          assert.deepEqual(presences(await juliet.settle()), []);
        }
      });
    }

    it("a type that is none, 'available' among them, is a bad request (4.7.1)", async () => {
      for (const to of ['', ` to='${J}'`]) {
        for (const type of ['available', 'invisible', '']) {
          romeo.send(`<presence id='t' type='${type}'${to}/>`);
          assert.equal(condition(await romeo.presence(undefined, 'error')), 'bad-request');
        }
      }
      assert.deepEqual(presences(await juliet.settle()), []);
    });

    it('errors about presence go where they are sent, and are never answered', async () => {
      const error = `<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
      juliet.send(`<presence to='${R}/orchard' type='error' id='e'>${error}</presence>`);
      juliet.send(`<presence to='${R}/nowhere' type='error' id='f'>${error}</presence>`);
      juliet.send(`<presence to='nobody@localhost' type='error' id='g'>${error}</presence>`);
      juliet.send(`<presence type='error' id='h'>${error}</presence>`);
      assert.deepEqual(await juliet.settle(), []);
      assert.deepEqual(
        (await romeo.settle()).map(({ attrs }) => attrs.id),
        ['e'],
      );
    });
  });

  describe('leaving (4.5)', () => {
    it('unavailable presence is told whole to subscribers, and to all own resources, its sender too', async () => {
      await befriend(romeo, juliet);
      const garden = await server.login(`${R}/garden`, { presence: true });
      for (const client of [romeo, garden, juliet]) await client.settle();
      garden.send("<presence type='unavailable' id='u' xml:lang='en'><status>gone home</status></presence>");
      for (const client of [romeo, garden, juliet]) {
        const [seen, ...more] = await client.settle();
        assert.deepEqual(more, []);
        assert.equal(brief(seen!), `presence unavailable ${R}/garden > ${client === juliet ? J : R}`);
        assert.equal(seen!.attrs.id, 'u');
        assert.equal(seen!.getChildText('status'), 'gone home');
      }
      // it is not there any more: neither for presence nor for messages to the account
      juliet.send(`<presence><show>away</show></presence><message to='${R}' type='chat'><body>x</body></message>`);
      await juliet.settle();
      assert.deepEqual(await garden.settle(), []);
      // a second time there is nobody to tell
      garden.send("<presence type='unavailable'/>");
      assert.deepEqual(await garden.settle(), []);
      // what comes next is initial presence (4.5.2)
      garden.send('<presence/>');
      await garden.presence(`${J}/balcony`);
      await juliet.presence(`${R}/garden`);
    });

    for (const how of ['the stream is closed', 'the connection is lost', 'the resource is bound again'] as const) {
      it(`${how}: the server tells it, once`, async () => {
        await befriend(romeo, juliet);
        const garden = await server.login(`${R}/garden`, { presence: true });
        await romeo.settle();
        await juliet.settle();
        let other: TestClient | undefined;
        if (how === 'the stream is closed') await garden.end();
        else if (how === 'the connection is lost') garden.destroy();
        else other = await server.login(`${R}/garden`);
        if (!other) await gone(server, `${R}/garden`);
        await juliet.presence(`${R}/garden`, 'unavailable');
        await romeo.presence(`${R}/garden`, 'unavailable');
        assert.deepEqual(presences(await juliet.settle()), []);
        assert.deepEqual(presences(await romeo.settle()), []);
        if (other) assert.deepEqual(await other.settle(), []);
      });
    }

    it('who was never available leaves without a word', async () => {
      await befriend(romeo, juliet);
      const garden = await server.login(`${R}/garden`);
      await garden.end();
      await gone(server, `${R}/garden`);
      assert.deepEqual(presences(await juliet.settle()), []);
    });
  });
});
