import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { befriend, brief, isPush, itemsOf, push, ROSTER, rosterOf, rosterSet, subscribe } from './people.ts';

const STATUS = '<status>Hi, Juliet told me to add you.</status>';
const EXTENSION = "<x xmlns='urn:example:x'><y/></x>";

const presencesOf = (stanzas: readonly Element[], jid: string): Element[] =>
  stanzas.filter(({ name, attrs }) => name === 'presence' && attrs.from === jid);
const typed = (stanzas: readonly Element[]): Element[] => stanzas.filter(({ name }) => name === 'presence');

describe('play: subscriptions (RFC 6121 3)', () => {
  let server: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  let count = 0;
  let R: string;
  let J: string;
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

  const ask = (extra = ''): void => romeo.send(`<presence to='${J}' type='subscribe'${extra}`);
  const quiet = async (...clients: TestClient[]): Promise<void> => {
    for (const client of clients) await client.settle();
  };

  describe('asking (3.1.1 to 3.1.3)', () => {
    it('a request goes from bare to bare address, whole, to every available resource and no other', async () => {
      const chamber = await server.login(`${J}/chamber`, { presence: -1 });
      const connected = await server.login(`${J}/connected`);
      romeo.send(`<presence to='${J}/balcony' type='subscribe' id='s1' xml:lang='it'>${STATUS}${EXTENSION}</presence>`);
      for (const client of [juliet, chamber]) {
        const request = await client.presence(R, 'subscribe');
        assert.equal(request.attrs.to, J);
        assert.equal(request.attrs.id, 's1');
        assert.equal(request.attrs['xml:lang'], 'it');
        assert.equal(request.getChildText('status'), 'Hi, Juliet told me to add you.');
        assert.ok(request.getChild('x', 'urn:example:x')!.getChild('y'));
      }
      assert.deepEqual(typed(await connected.settle()), []);
    });

    it('the asker is shown the contact as asked for; the one who is asked gets no contact', async () => {
      const interested = await server.login(`${R}/interested`);
      await interested.iq('get', ROSTER);
      await juliet.iq('get', ROSTER);
      ask('/>');
      assert.deepEqual(await push(interested), { jid: J, subscription: 'none', ask: 'subscribe' });
      await juliet.presence(R, 'subscribe');
      assert.deepEqual((await juliet.settle()).filter(isPush), []);
      assert.equal((await rosterOf(juliet)).size, 0);
    });

    it('the name and groups may be set before or after the request (3.1.1)', async () => {
      const set = rosterSet(`<item jid='${J}' name='Juliet'><group>Lovers</group></item>`);
      await romeo.iq('set', set);
      ask('/>');
      const expected = { jid: J, name: 'Juliet', subscription: 'none', ask: 'subscribe', groups: ['Lovers'] };
      assert.deepEqual((await rosterOf(romeo)).get(J), expected);
      juliet.send(`<presence to='${R}' type='subscribe'/>`);
      await juliet.iq('set', rosterSet(`<item jid='${R}' name='Romeo'/>`));
      assert.deepEqual((await rosterOf(juliet)).get(R), {
        jid: R,
        name: 'Romeo',
        subscription: 'none',
        ask: 'subscribe',
      });
    });

    it('what was asked while nobody was there is asked at each new presence session, once, in the last words', async () => {
      await juliet.end();
      ask(`><status>first</status></presence>`);
      ask(`><status>last</status>${EXTENSION}</presence>`);
      await romeo.settle();
      for (let login = 0; login < 2; login++) {
        juliet = await server.login(`${J}/balcony`, { presence: true });
        const requests = typed(await juliet.settle()).filter(({ attrs }) => attrs.type === 'subscribe');
        assert.deepEqual(
          requests.map(request => [request.attrs.from, request.attrs.to, request.getChildText('status')]),
          [[R, J, 'last']],
        );
        assert.ok(requests[0]!.getChild('x', 'urn:example:x'));
        // an update begins no session
        juliet.send('<presence><show>away</show></presence>');
        assert.deepEqual(
          typed(await juliet.settle()).filter(({ attrs }) => attrs.type === 'subscribe'),
          [],
        );
        // unavailable and available again does (4.5.2)
        juliet.send("<presence type='unavailable'/><presence/>");
        await juliet.presence(R, 'subscribe');
        await juliet.end();
      }
    });

    it('requests of several wait in the order in which they came', async () => {
      await server.addUser(`paris${count}`);
      const paris = await server.login(`paris${count}@localhost/x`, { presence: true });
      await juliet.end();
      ask('/>');
      await romeo.settle();
      paris.send(`<presence to='${J}' type='subscribe'/>`);
      await paris.settle();
      juliet = await server.login(`${J}/balcony`, { presence: true });
      assert.deepEqual(
        typed(await juliet.settle())
          .filter(({ attrs }) => attrs.type === 'subscribe')
          .map(({ attrs }) => attrs.from),
        [R, `paris${count}@localhost`],
      );
    });

    it('an account that is not there is asked without a word (8.5.1); a domain that is not there, with an error', async () => {
      romeo.send(`<presence to='nobody@localhost' type='subscribe' id='a'/>`);
      assert.deepEqual(typed(await romeo.settle()), []);
      assert.equal((await rosterOf(romeo)).get('nobody@localhost')!.ask, 'subscribe');
      romeo.send(`<presence to='nobody@nowhere.example' type='subscribe' id='b'/>`);
      const error = await romeo.presence('nobody@nowhere.example', 'error');
      assert.equal(condition(error), 'remote-server-not-found');
      assert.equal(error.attrs.id, 'b');
    });

    it('nobody asks himself, and a request is for somebody', async () => {
      romeo.send(`<presence to='${R}' type='subscribe'/>`);
      assert.deepEqual(await romeo.settle(), []);
      assert.equal((await rosterOf(romeo)).size, 0);
      romeo.send(`<presence type='subscribe' id='x'/>`);
      assert.equal(condition(await romeo.presence(undefined, 'error')), 'bad-request');
    });
  });

  describe('granting (3.1.4 to 3.1.6)', () => {
    it('both sides: approval before the push, then the presence of each of the contact’s resources', async () => {
      const interested = await server.login(`${R}/interested`);
      for (const client of [romeo, interested, juliet]) await client.iq('get', ROSTER);
      await server.login(`${J}/chamber`, { presence: -5 });
      ask('/>');
      await juliet.presence(R, 'subscribe');
      await quiet(romeo, interested, juliet);
      juliet.send(`<presence to='${R}/orchard' type='subscribed' id='h4'>${STATUS}</presence>`);
      assert.deepEqual(await push(juliet), { jid: R, subscription: 'from' });
      await juliet.settle();
      const got = await romeo.settle();
      assert.deepEqual(got.map(brief), [
        `presence subscribed ${J} > ${R}`,
        `iq set - > ${R}/orchard`,
        `presence ${J}/balcony > ${R}`,
        `presence ${J}/chamber > ${R}`,
      ]);
      assert.equal(got[0]!.attrs.id, 'h4');
      assert.ok(got[0]!.getChild('status'));
      assert.deepEqual(itemsOf(got[1]!), [{ jid: J, subscription: 'to' }]);
      // who only asked for the roster hears it too, but sees no presence
      assert.deepEqual((await interested.settle()).map(brief), [
        `presence subscribed ${J} > ${R}`,
        `iq set - > ${R}/interested`,
      ]);
    });

    it('an approval that nobody asked for is not passed on; it approves in advance (3.4.2)', async () => {
      await juliet.iq('get', ROSTER);
      juliet.send(`<presence to='${R}' type='subscribed'/>`);
      assert.deepEqual(await push(juliet), { jid: R, subscription: 'none', approved: 'true' });
      assert.deepEqual(await romeo.settle(), []);
      ask('/>');
      await romeo.presence(J, 'subscribed');
      await romeo.presence(`${J}/balcony`);
      assert.equal((await push(juliet)).subscription, 'from');
      assert.deepEqual(typed(await juliet.settle()), []);
    });

    it('an approval in advance is taken back by unsubscribed, or with the contact; neither is passed on', async () => {
      for (const takeBack of ['unsubscribed', 'remove']) {
        juliet.send(`<presence to='${R}' type='subscribed'/>`);
        await juliet.settle();
        await juliet.iq('get', ROSTER);
        if (takeBack === 'remove') await juliet.iq('set', rosterSet(`<item jid='${R}' subscription='remove'/>`));
        else {
          juliet.send(`<presence to='${R}' type='unsubscribed'/>`);
          assert.deepEqual(await push(juliet), { jid: R, subscription: 'none' });
        }
        assert.deepEqual(await romeo.settle(), []);
      }
      ask('/>');
      await juliet.presence(R, 'subscribe');
    });

    it('who is subscribed already and asks again is told so, and nobody is asked (3.1.3)', async () => {
      await subscribe(romeo, juliet);
      await quiet(romeo, juliet);
      ask('/>');
      await romeo.settle();
      assert.deepEqual(typed(await juliet.settle()), []);
    });
  });

  describe('refusing and ending (3.2, 3.3)', () => {
    it('a request that is refused is asked no more', async () => {
      await romeo.iq('get', ROSTER);
      ask('/>');
      await juliet.presence(R, 'subscribe');
      await quiet(romeo);
      juliet.send(`<presence to='${R}' type='unsubscribed'>${STATUS}</presence>`);
      assert.ok((await romeo.presence(J, 'unsubscribed')).getChild('status'));
      assert.deepEqual(await push(romeo), { jid: J, subscription: 'none' });
      const later = await server.login(`${J}/later`, { presence: true });
      assert.deepEqual(
        typed(await later.settle()).filter(({ attrs }) => attrs.type === 'subscribe'),
        [],
      );
    });

    it('who is turned out sees every resource leave, then hears it, then has another roster (3.2)', async () => {
      const chamber = await server.login(`${J}/chamber`, { presence: true });
      await befriend(romeo, juliet);
      await quiet(chamber);
      for (const client of [romeo, juliet]) await client.iq('get', ROSTER);
      juliet.send(`<presence to='${R}' type='unsubscribed' id='ij5'/>`);
      assert.deepEqual(await push(juliet), { jid: R, subscription: 'to' });
      const got = await romeo.settle();
      assert.deepEqual(got.map(brief), [
        `presence unavailable ${J}/balcony > ${R}`,
        `presence unavailable ${J}/chamber > ${R}`,
        `presence unsubscribed ${J} > ${R}`,
        `iq set - > ${R}/orchard`,
      ]);
      assert.equal(got[2]!.attrs.id, 'ij5');
      assert.equal(itemsOf(got[3]!)[0]!.subscription, 'from');
      juliet.send('<presence><show>away</show></presence>');
      await juliet.settle();
      assert.deepEqual(await romeo.settle(), []);
    });

    it('who unsubscribes: the contact hears it, then has another roster; he sees every resource leave (3.3)', async () => {
      await befriend(romeo, juliet);
      for (const client of [romeo, juliet]) await client.iq('get', ROSTER);
      romeo.send(`<presence to='${J}' type='unsubscribe' id='ul4'/>`);
      assert.deepEqual(await push(romeo), { jid: J, subscription: 'from' });
      assert.deepEqual((await romeo.settle()).map(brief), [`presence unavailable ${J}/balcony > ${R}`]);
      const got = await juliet.settle();
      assert.deepEqual(got.map(brief), [`presence unsubscribe ${R} > ${J}`, `iq set - > ${J}/balcony`]);
      assert.equal(got[0]!.attrs.id, 'ul4');
      assert.equal(itemsOf(got[1]!)[0]!.subscription, 'to');
      // the other direction stays
      romeo.send('<presence><show>dnd</show></presence>');
      assert.equal((await juliet.presence(`${R}/orchard`)).getChildText('show'), 'dnd');
    });

    it('what ends while nobody is there is in the roster at the next login', async () => {
      await befriend(romeo, juliet);
      await romeo.end();
      juliet.send(`<presence to='${R}' type='unsubscribed'/>`);
      await juliet.settle();
      romeo = await server.login(`${R}/orchard`, { presence: true });
      assert.equal((await rosterOf(romeo)).get(J)!.subscription, 'from');
      assert.ok(!(await romeo.settle()).some(({ attrs }) => attrs.from === `${J}/balcony`));
    });
  });

  describe('two devices at once', () => {
    it('one grants what the other refuses: the last word holds, and nobody is shown who may not be seen', async () => {
      const chamber = await server.login(`${J}/chamber`, { presence: true });
      for (let round = 0; round < 10; round++) {
        ask('/>');
        await juliet.presence(R, 'subscribe');
        juliet.send(`<presence to='${R}' type='subscribed'/>`);
        chamber.send(`<presence to='${R}' type='unsubscribed'/>`);
        await quiet(juliet, chamber);
        const last = presencesOf(await romeo.settle(), chamber.jid).at(-1);
        const { subscription } = (await rosterOf(romeo)).get(J)!;
        assert.equal((await rosterOf(juliet)).get(R)?.subscription ?? 'none', subscription === 'to' ? 'from' : 'none');
        assert.equal(last?.attrs.type, subscription === 'to' || !last ? undefined : 'unavailable');
        chamber.send(`<presence to='${R}' type='unsubscribed'/>`);
        await quiet(chamber, romeo);
      }
    });

    it('one asks while the other asks and takes it back: both sides know the same', async () => {
      const study = await server.login(`${R}/study`, { presence: true });
      for (let round = 0; round < 10; round++) {
        romeo.send(`<presence to='${J}' type='subscribe'/>`.repeat(2));
        study.send(`<presence to='${J}' type='unsubscribe'/>`);
        await quiet(romeo, study, juliet);
        const { ask: asked } = (await rosterOf(romeo)).get(J)!;
        juliet.send(`<presence to='${R}' type='subscribed'/>`);
        await quiet(juliet, romeo);
        const [mine, hers] = [(await rosterOf(romeo)).get(J)!, (await rosterOf(juliet)).get(R)];
        assert.equal(mine.subscription, asked ? 'to' : 'none');
        assert.equal(hers?.subscription, asked ? 'from' : 'none');
        romeo.send(`<presence to='${J}' type='unsubscribe'/>`);
        juliet.send(`<presence to='${R}' type='unsubscribed'/>`);
        await quiet(romeo, juliet);
      }
    });
  });

  describe('removing a contact (2.5.2)', () => {
    /** The state of both before it, as one sees the other, and what the contact hears. */
    const CASES: [title: string, before: () => Promise<void>, heard: (string | RegExp)[], left: string | undefined][] =
      [
        ['subscribed to it: unsubscribe', () => subscribe(romeo, juliet), [`presence unsubscribe`], 'none'],
        [
          'that is subscribed: unavailable and unsubscribed',
          () => subscribe(juliet, romeo),
          ['presence unavailable', 'presence unsubscribed'],
          'none',
        ],
        [
          'in both directions: unsubscribe and unsubscribed',
          () => befriend(romeo, juliet),
          ['presence unavailable', 'presence unsubscribe', 'presence unsubscribed'],
          'none',
        ],
        [
          'that was asked: the request goes',
          async () => {
            ask('/>');
            await juliet.presence(R, 'subscribe');
          },
          ['presence unsubscribe'],
          undefined,
        ],
      ];
    for (const [title, before, heard, left] of CASES) {
      it(title, async () => {
        await before();
        await quiet(romeo, juliet);
        await romeo.iq('set', rosterSet(`<item jid='${J}' subscription='remove'/>`));
        const got = typed(await juliet.settle());
        assert.deepEqual(
          got.map(({ name, attrs }) => `${name} ${attrs.type}`),
          heard,
        );
        for (const { attrs } of got) {
          assert.equal(attrs.from, attrs.type === 'unavailable' ? `${R}/orchard` : R);
          assert.equal(attrs.to, J);
        }
        assert.equal((await rosterOf(juliet)).get(R)?.subscription, left);
        assert.equal((await rosterOf(romeo)).size, 0);
        const later = await server.login(`${J}/later`, { presence: true });
        assert.deepEqual(
          typed(await later.settle()).filter(({ attrs }) => attrs.from?.startsWith(R)),
          [],
        );
      });
    }

    it('an account that is removed leaves no subscription behind', async () => {
      await befriend(romeo, juliet);
      await server.node.accounts.remove(parseJid(R)!);
      await juliet.presence(R, 'unsubscribed');
      assert.equal((await rosterOf(juliet)).get(R)!.subscription, 'none');
      await server.addUser(`romeo${count}`);
      const heir = await server.login(`${R}/orchard`, { presence: true });
      assert.equal((await rosterOf(heir)).size, 0);
      assert.ok(!(await heir.settle()).some(({ attrs }) => attrs.from === `${J}/balcony`));
    });
  });
});
