import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { Elsewhere, ELSEWHERE } from './elsewhere.ts';
import { befriend, brief, subscribe } from './people.ts';

const presences = (stanzas: readonly Element[]): Element[] => stanzas.filter(({ name }) => name === 'presence');
const DELAY = 'urn:xmpp:delay';

describe('play: probes and directed presence (RFC 6121 4.3, 4.6)', () => {
  let server: TestNode;
  let elsewhere: Elsewhere;
  let count = 0;
  let R: string;
  let J: string;
  let romeo: TestClient;
  let juliet: TestClient;
  before(async () => {
    server = await TestNode.start({ yaml: ELSEWHERE });
    elsewhere = await Elsewhere.open(server);
  });
  after(() => {
    elsewhere.close();
    return server.stop();
  });

  beforeEach(async () => {
    count++;
    [R, J] = [`romeo${count}@localhost`, `juliet${count}@localhost`];
    await Promise.all([server.addUser(`romeo${count}`), server.addUser(`juliet${count}`)]);
    romeo = await server.login(`${R}/orchard`, { presence: true });
    juliet = await server.login(`${J}/balcony`, { presence: true });
  });

  /** Somebody elsewhere who is subscribed to juliet. */
  async function subscriber(name: string): Promise<string> {
    const address = elsewhere.address(`${name}${count}`);
    elsewhere.send(`<presence from='${address}' to='${J}' type='subscribe'/>`);
    await juliet.presence(address, 'subscribe');
    juliet.send(`<presence to='${address}' type='subscribed'/>`);
    await juliet.settle();
    await elsewhere.settle();
    return address;
  }

  /** What somebody gets for a probe. */
  async function probed(from: string, to: string): Promise<Element[]> {
    elsewhere.send(`<presence from='${from}' to='${to}' type='probe' id='probe'/>`);
    return [...(await elsewhere.settle()), ...(await elsewhere.settle())];
  }

  describe('probes (4.3)', () => {
    it('are sent from bare to bare address to all who are seen, elsewhere, at initial presence (4.3.1)', async () => {
      const friend = elsewhere.address(`friend${count}`);
      juliet.send(`<presence to='${friend}' type='subscribe'/>`);
      await juliet.settle();
      elsewhere.send(`<presence from='${friend}' to='${J}' type='subscribed'/>`);
      await elsewhere.settle();
      const chamber = await server.login(`${J}/chamber`, { presence: true });
      await chamber.settle();
      assert.deepEqual((await elsewhere.settle()).map(brief), [`presence probe ${J} > ${friend}`]);
      // not with a later presence
      chamber.send('<presence><show>away</show></presence>');
      await chamber.settle();
      assert.deepEqual(await elsewhere.settle(), []);
    });

    it('of a subscriber: the last presence of each available resource, whole, with its own id (rule 4)', async () => {
      const friend = await subscriber('friend');
      await server.login(`${J}/connected`);
      const chamber = await server.login(`${J}/chamber`, { presence: true });
      juliet.send("<presence id='pres1'><show>dnd</show><status>busy!</status></presence>");
      chamber.send("<presence id='pres2'><show>away</show><x xmlns='urn:x'/></presence>");
      await juliet.settle();
      await chamber.settle();
      await elsewhere.settle();
      const answers = await probed(friend, J);
      assert.deepEqual(answers.map(brief), [`presence ${J}/balcony > ${friend}`, `presence ${J}/chamber > ${friend}`]);
      assert.deepEqual(
        answers.map(({ attrs }) => attrs.id),
        ['pres1', 'pres2'],
      );
      assert.equal(answers[0]!.getChildText('status'), 'busy!');
      assert.ok(answers[1]!.getChild('x', 'urn:x'));
    });

    it('of a subscriber, nobody there: unavailable from the bare address, since when, with the id of the probe (rule 3)', async () => {
      const friend = await subscriber('friend');
      const before = Date.now() - 1000;
      await juliet.end();
      await elsewhere.expect(({ attrs }) => attrs.type === 'unavailable', 'her departure');
      const [answer, ...more] = await probed(friend, J);
      assert.deepEqual(more, []);
      assert.equal(brief(answer!), `presence unavailable ${J} > ${friend}`);
      assert.equal(answer!.attrs.id, 'probe');
      const { stamp } = answer!.getChild('delay', DELAY)!.attrs;
      assert.ok(Date.parse(stamp!) > before && Date.parse(stamp!) <= Date.now());
      assert.match(stamp!, /Z$/);
    });

    it('of anybody else: unsubscribed from the bare address, with the id of the probe (rule 1)', async () => {
      const stranger = elsewhere.address('stranger');
      for (const to of [J, `${J}/balcony`, `${J}/nowhere`]) {
        const [answer, ...more] = await probed(stranger, to);
        assert.deepEqual(more, []);
        assert.equal(brief(answer!), `presence unsubscribed ${J} > ${stranger}`);
        assert.equal(answer!.attrs.id, 'probe');
      }
      // asked, not answered yet: nobody either
      elsewhere.send(`<presence from='${stranger}' to='${J}' type='subscribe'/>`);
      assert.deepEqual((await probed(stranger, J)).map(brief), [`presence unsubscribed ${J} > ${stranger}`]);
    });

    it('do not take back an approval in advance (rule 1)', async () => {
      const stranger = elsewhere.address(`later${count}`);
      juliet.send(`<presence to='${stranger}' type='subscribed'/>`);
      await juliet.settle();
      await probed(stranger, J);
      elsewhere.send(`<presence from='${stranger}' to='${J}' type='subscribe'/>`);
      await elsewhere.presence(J, stranger, 'subscribed');
      await elsewhere.presence(J, stranger, undefined);
    });

    it('for nobody: as the RFC says, without a word (8.5.1)', async () => {
      assert.deepEqual(await probed(elsewhere.address('x'), 'nobody@localhost'), []);
    });

    it('to a resource: only that it is there, or is not; nothing of the others', async () => {
      const friend = await subscriber('friend');
      const chamber = await server.login(`${J}/chamber`, { presence: true });
      chamber.send('<presence><show>dnd</show><status>secret</status></presence>');
      await chamber.settle();
      await elsewhere.settle();
      const [there, ...more] = await probed(friend, `${J}/chamber`);
      assert.deepEqual(more, []);
      assert.equal(brief(there!), `presence ${J}/chamber > ${friend}`);
      assert.equal(there!.children.length, 0);
      assert.deepEqual((await probed(friend, `${J}/cellar`)).map(brief), [
        `presence unavailable ${J}/cellar > ${friend}`,
      ]);
    });

    it('of a client are handled, and are never an error (4.3)', async () => {
      await subscribe(romeo, juliet);
      await romeo.settle();
      romeo.send(`<presence to='${J}' type='probe' id='p'/>`);
      assert.deepEqual((await romeo.settle()).map(brief), [`presence ${J}/balcony > ${R}/orchard`]);
      juliet.send(`<presence to='${R}' type='probe' id='p'/>`);
      juliet.send(`<presence to='nobody@localhost' type='probe' id='q'/>`);
      assert.deepEqual(await juliet.settle(), []);
      assert.deepEqual(presences(await romeo.settle()), []);
    });
  });

  describe('directed presence (4.6)', () => {
    it('goes to whom it is sent: every available resource of an account, or one', async () => {
      const chamber = await server.login(`${J}/chamber`, { presence: -1 });
      const connected = await server.login(`${J}/connected`);
      for (const client of [juliet, chamber]) await client.settle();
      romeo.send(`<presence to='${J}' id='d'><show>dnd</show><x xmlns='urn:x'/></presence>`);
      for (const client of [juliet, chamber]) {
        const seen = await client.presence(`${R}/orchard`);
        assert.equal(seen.attrs.to, J);
        assert.equal(seen.attrs.id, 'd');
        assert.ok(seen.getChild('x', 'urn:x'));
      }
      assert.deepEqual(await connected.settle(), []);
      romeo.send(`<presence to='${J}/connected'/>`);
      assert.equal((await connected.presence(`${R}/orchard`)).attrs.to, `${J}/connected`);
      // to nobody and nowhere: not a word (8.5.1, 8.5.3.2.2)
      for (const to of ['nobody@localhost', 'nobody@localhost/x', `${J}/nowhere`, 'localhost']) {
        romeo.send(`<presence to='${to}'/><presence to='${to}' type='unavailable'/>`);
      }
      assert.deepEqual(await romeo.settle(), []);
      for (const client of [juliet, chamber]) assert.deepEqual(presences(await client.settle()), []);
    });

    for (const [how, leave] of [
      ['unavailable presence', () => romeo.send("<presence type='unavailable'><status>bye</status></presence>")],
      ['the end of the stream', () => romeo.send('</stream:stream>')],
      ['the loss of the connection', () => romeo.destroy()],
    ] as const) {
      it(`is taken back by ${how}, for all it was sent to (4.6.3 rule 2)`, async () => {
        const there = elsewhere.address(`room${count}`);
        romeo.send(`<presence to='${J}'/><presence to='${there}/nick'/>`);
        await juliet.presence(`${R}/orchard`);
        await elsewhere.expect(({ attrs }) => attrs.to === `${there}/nick`, 'presence');
        // later presence is not for them
        romeo.send('<presence><show>away</show></presence>');
        await romeo.settle();
        assert.deepEqual(presences(await juliet.settle()), []);
        leave();
        const seen = await juliet.presence(`${R}/orchard`, 'unavailable');
        assert.equal(seen.attrs.to, J);
        const gone = await elsewhere.expect(({ attrs }) => attrs.to === `${there}/nick`, 'its end');
        assert.equal(brief(gone), `presence unavailable ${R}/orchard > ${there}/nick`);
        if (how === 'unavailable presence') {
          assert.equal(seen.getChildText('status'), 'bye');
          assert.equal(gone.getChildText('status'), 'bye');
        }
        assert.deepEqual(await elsewhere.settle(), []);
      });
    }

    it('of who is not available is taken back too (4.6.3 rule 3)', async () => {
      const connected = await server.login(`${R}/connected`);
      connected.send(`<presence to='${J}'/>`);
      await juliet.presence(`${R}/connected`);
      connected.destroy();
      await juliet.presence(`${R}/connected`, 'unavailable');
    });

    it('is not taken back twice: not after directed unavailable presence, not from who left himself (4.6.1)', async () => {
      const [left, told] = [elsewhere.address(`left${count}`), elsewhere.address(`told${count}`)];
      romeo.send(`<presence to='${J}'/><presence to='${left}/x'/><presence to='${told}'/>`);
      romeo.send(`<presence to='${told}' type='unavailable'><status>only you</status></presence>`);
      await juliet.presence(`${R}/orchard`);
      await romeo.settle();
      const end = (await elsewhere.settle()).filter(({ attrs }) => attrs.to === told).at(-1)!;
      assert.equal(end.getChildText('status'), 'only you');
      elsewhere.send(`<presence from='${left}/x' to='${R}/orchard' type='unavailable'/>`);
      await romeo.presence(`${left}/x`, 'unavailable');
      await romeo.end();
      await juliet.presence(`${R}/orchard`, 'unavailable');
      assert.deepEqual(await elsewhere.settle(), []);
    });

    it('is taken back from a client that has only hidden itself meanwhile', async () => {
      const shy = await server.login(`${J}/shy`);
      romeo.send(`<presence to='${J}/balcony'/><presence to='${J}/shy'/>`);
      for (const client of [juliet, shy]) {
        await client.presence(`${R}/orchard`);
        client.send(`<presence to='${R}/orchard' type='unavailable'/>`);
        await romeo.presence(client.jid, 'unavailable');
      }
      romeo.destroy();
      for (const client of [juliet, shy]) await client.presence(`${R}/orchard`, 'unavailable');
    });

    it('to a subscriber changes nothing: he is told of what follows, and of the end once (4.6.3 rule 1)', async () => {
      await befriend(romeo, juliet);
      romeo.send(`<presence to='${J}'><show>dnd</show></presence>`);
      assert.equal((await juliet.presence(`${R}/orchard`)).getChildText('show'), 'dnd');
      romeo.send('<presence><show>away</show></presence>');
      assert.equal((await juliet.presence(`${R}/orchard`)).getChildText('show'), 'away');
      romeo.send(`<presence to='${J}' type='unavailable'/>`);
      await juliet.presence(`${R}/orchard`, 'unavailable');
      romeo.send('<presence/>');
      await juliet.presence(`${R}/orchard`);
      await romeo.end();
      await juliet.presence(`${R}/orchard`, 'unavailable');
      assert.deepEqual(presences(await juliet.settle()), []);
    });

    it('who was shown a resource may probe it, and sees that it is there, and no more (4.6.6)', async () => {
      const room = elsewhere.address(`room${count}`);
      await server.login(`${J}/chamber`, { presence: true });
      juliet.send(`<presence to='${room}/nick'><status>secret</status></presence>`);
      await juliet.settle();
      await elsewhere.settle();
      for (const [from, to] of [
        [`${room}/nick`, `${J}/balcony`],
        [`${room}/nick`, J],
      ] as const) {
        const [answer, ...more] = await probed(from, to);
        assert.deepEqual(more, []);
        assert.equal(brief(answer!), `presence ${J}/balcony > ${from}`);
        assert.equal(answer!.children.length, 0);
      }
      assert.deepEqual((await probed(`${room}/nick`, `${J}/chamber`)).map(brief), [
        `presence unsubscribed ${J} > ${room}/nick`,
      ]);
      juliet.send(`<presence to='${room}/nick' type='unavailable'/>`);
      await juliet.settle();
      await elsewhere.settle();
      assert.deepEqual((await probed(`${room}/nick`, `${J}/balcony`)).map(brief), [
        `presence unsubscribed ${J} > ${room}/nick`,
      ]);
    });
  });
});
