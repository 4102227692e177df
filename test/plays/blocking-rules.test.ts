import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { Elsewhere, ELSEWHERE } from './elsewhere.ts';
import { befriend, brief, push, ROSTER, rosterOf, rosterSet, subscribe } from './people.ts';

const BLOCKING = 'urn:xmpp:blocking';
const ERRORS = 'urn:xmpp:blocking:errors';
const change = (name: string, jids: readonly string[]): string =>
  `<${name} xmlns='${BLOCKING}'>${jids.map(jid => `<item jid='${jid}'/>`).join('')}</${name}>`;
const block = (...jids: string[]): string => change('block', jids);
const unblock = (...jids: string[]): string => change('unblock', jids);
const PING = "<ping xmlns='urn:xmpp:ping'/>";
const BODY = '<body>x</body>';
const error = "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";

/** Stanzas of all kinds, without addresses. */
const STANZAS: [title: string, start: string, inside: string][] = [
  ['a chat message', "message type='chat'", BODY],
  ['a normal message', 'message', BODY],
  ['a headline', "message type='headline'", BODY],
  ['a groupchat message', "message type='groupchat'", BODY],
  ['an error', "message type='error'", error],
  ['presence', 'presence', ''],
  ['unavailable presence', "presence type='unavailable'", ''],
  ['a subscription request', "presence type='subscribe'", ''],
  ['an approval', "presence type='subscribed'", ''],
  ['the end of a subscription', "presence type='unsubscribe'", ''],
  ['a refusal', "presence type='unsubscribed'", ''],
  ['a probe', "presence type='probe'", ''],
  ['a presence error', "presence type='error'", error],
  ['an IQ get', "iq type='get'", PING],
  ['an IQ set', "iq type='set'", PING],
  ['an IQ result', "iq type='result'", ''],
  ['an IQ error', "iq type='error'", error],
];

describe('play: the rules of blocking (XEP-0191)', () => {
  let server: TestNode;
  let elsewhere: Elsewhere;
  let juliet: TestClient;
  let romeo: TestClient;
  let count = 0;
  let R: string;
  let J: string;
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
    juliet = await server.login(`${J}/balcony`, { presence: true });
    romeo = await server.login(`${R}/orchard`, { presence: true });
  });

  const presences = (stanzas: readonly Element[]): string[] =>
    stanzas.filter(({ name }) => name === 'presence').map(brief);

  describe('what a blocked address sends (3.3)', () => {
    it('reaches nobody; messages and requests are answered as if nobody were there, nothing else is answered', async () => {
      const tybalt = `${elsewhere.address('tybalt')}/x`;
      await juliet.iq('set', block(elsewhere.address('tybalt')));
      await juliet.settle();
      for (const to of [J, `${J}/balcony`]) {
        for (const [title, start, inside] of STANZAS) {
          elsewhere.send(`<${start} id='${title}' from='${tybalt}' to='${to}'>${inside}</${start.split(' ')[0]}>`);
          const answers = [...(await elsewhere.settle()), ...(await elsewhere.settle())];
          const answered = ['a chat message', 'a normal message', 'an IQ get', 'an IQ set'].includes(title);
          assert.deepEqual(
            answers.map(answer => [answer.attrs.id, answer.attrs.from, condition(answer)]),
            answered ? [[title, to, 'service-unavailable']] : [],
            `${title} to ${to}`,
          );
        }
      }
      assert.deepEqual(await juliet.settle(), []);
      assert.equal((await rosterOf(juliet)).size, 0);
    });

    it('waits neither: messages and requests from before it was blocked are not shown any more', async () => {
      await juliet.end();
      romeo.send(`<presence to='${J}' type='subscribe'/><message to='${J}' type='chat' id='before'>${BODY}</message>`);
      await romeo.settle();
      juliet = await server.login(`${J}/balcony`);
      await juliet.iq('set', block(R));
      juliet.send('<presence/>');
      assert.deepEqual((await juliet.settle()).map(brief), [`presence ${J}/balcony > ${J}`]);
      const list = await juliet.iq('get', "<requests xmlns='urn:posthouse:friend-requests:0'/>");
      assert.deepEqual(list.getChild('requests')!.children, []);
      // the request itself was not answered
      await juliet.iq('set', unblock(R));
      juliet.send("<presence type='unavailable'/><presence/>");
      await juliet.presence(R, 'subscribe');
    });
  });

  it('what is sent to a blocked address goes nowhere: not-acceptable, with the reason (3.3)', async () => {
    await juliet.iq('set', block(elsewhere.address('tybalt')));
    for (const to of [elsewhere.address('tybalt'), `${elsewhere.address('tybalt')}/x`]) {
      for (const [title, start, inside] of STANZAS) {
        juliet.send(`<${start} id='${title}' to='${to}'>${inside}</${start.split(' ')[0]}>`);
        const answers = await juliet.settle();
        // errors and results are never answered (RFC 6120 8.3.1)
        const answered = !/type='(error|result)'/.test(start);
        assert.deepEqual(
          answers.map(answer => [answer.attrs.id, answer.attrs.type, condition(answer)]),
          answered ? [[title, 'error', 'not-acceptable']] : [],
          `${title} to ${to}`,
        );
        for (const answer of answers) assert.ok(answer.getChild('error')!.getChild('blocked', ERRORS));
      }
    }
    assert.deepEqual(await elsewhere.settle(), []);
    assert.equal((await rosterOf(juliet)).size, 0);
  });

  describe('which addresses an item matches (5)', () => {
    const domain = 'elsewhere.example';
    for (const [item, blocked, free] of [
      [`a@${domain}/x`, [`a@${domain}/x`], [`a@${domain}/y`, `a@${domain}`, `b@${domain}/x`, domain]],
      [`a@${domain}`, [`a@${domain}/x`, `a@${domain}/y`, `a@${domain}`], [`b@${domain}/x`, domain, `${domain}/x`]],
      [`${domain}/x`, [`${domain}/x`], [`${domain}/y`, domain, `a@${domain}/x`]],
      [domain, [domain, `${domain}/x`, `a@${domain}`, `b@${domain}/x`], []],
    ] as const) {
      it(item, async () => {
        await juliet.iq('set', block(item));
        for (const from of [...blocked, ...free])
          elsewhere.send(`<message from='${from}' to='${J}' type='chat' id='${from}'>${BODY}</message>`);
        const answers = await elsewhere.settle();
        assert.deepEqual(
          answers.map(({ attrs }) => attrs.to),
          blocked,
        );
        assert.deepEqual(
          (await juliet.settle()).map(({ attrs }) => attrs.id),
          free,
        );
        // and in the other direction
        for (const to of [...blocked, ...free])
          juliet.send(`<message to='${to}' type='chat' id='${to}'>${BODY}</message>`);
        assert.deepEqual(
          (await juliet.settle()).map(({ attrs }) => attrs.id),
          blocked,
        );
        assert.deepEqual(
          (await elsewhere.settle()).map(({ attrs }) => attrs.id),
          free,
        );
      });
    }
  });

  describe('presence (3.3, 3.4)', () => {
    it('who may see the account sees each resource go; afterwards nothing; and sees all again when it is over', async () => {
      await befriend(romeo, juliet);
      const chamber = await server.login(`${J}/chamber`, { presence: true });
      await server.login(`${J}/connected`);
      await chamber.settle();
      await juliet.settle();
      await romeo.settle();
      await juliet.iq('set', block(R));
      assert.deepEqual(presences(await romeo.settle()), [
        `presence unavailable ${J}/balcony > ${R}`,
        `presence unavailable ${J}/chamber > ${R}`,
      ]);
      juliet.send('<presence><show>away</show></presence>');
      const garden = await server.login(`${J}/garden`, { presence: true });
      await juliet.settle();
      romeo.send(`<presence to='${J}' type='probe'/><presence><show>dnd</show></presence>`);
      assert.deepEqual(presences(await romeo.settle()), [`presence ${R}/orchard > ${R}`]);
      // nor are the contact's doings seen
      for (const client of [juliet, chamber, garden])
        assert.ok(!(await client.settle()).some(({ attrs }) => attrs.from?.startsWith(R)));
      // who comes anew is not seen by somebody who logs in anew
      const again = await server.login(`${R}/again`, { presence: true });
      assert.ok(!(await again.settle()).some(({ attrs }) => attrs.from?.startsWith(J)));
      // nor is somebody's leaving, who was not seen to come
      const cellar = await server.login(`${J}/cellar`, { presence: true });
      cellar.send("<presence type='unavailable'/><presence/>");
      await cellar.settle();
      await cellar.end();
      await juliet.presence(`${J}/cellar`, 'unavailable');
      await juliet.settle();
      assert.ok(!(await again.settle()).some(({ attrs }) => attrs.from?.startsWith(J)));
      assert.ok(!(await romeo.settle()).some(({ attrs }) => attrs.from?.startsWith(J)));

      await juliet.iq('set', unblock(R));
      for (const client of [romeo, again]) {
        const seen = (await client.settle()).filter(({ name }) => name === 'presence');
        assert.deepEqual(seen.map(brief), [
          `presence ${J}/balcony > ${R}`,
          `presence ${J}/chamber > ${R}`,
          `presence ${J}/garden > ${R}`,
        ]);
        assert.equal(seen[0]!.getChildText('show'), 'away');
      }
      // what was missed is asked for
      assert.equal((await juliet.presence(`${R}/orchard`)).getChildText('show'), 'dnd');
    });

    it('who was shown presence directly sees it go; who never saw any learns nothing', async () => {
      await subscribe(juliet, romeo); // she sees him, he does not see her
      const friend = elsewhere.address(`friend${count}`);
      juliet.send(`<presence to='${friend}/x'/>`);
      await juliet.settle();
      await romeo.settle();
      await elsewhere.settle();
      await juliet.iq('set', block(R, friend, elsewhere.address('stranger')));
      assert.deepEqual((await elsewhere.settle()).map(brief), [`presence unavailable ${J}/balcony > ${friend}/x`]);
      assert.deepEqual(await romeo.settle(), []);
      await juliet.iq('set', unblock());
      assert.deepEqual(await elsewhere.settle(), []);
      assert.deepEqual(await romeo.settle(), []);
    });

    it('a blocked domain: each subscriber there sees it, elsewhere and here', async () => {
      const friend = elsewhere.address(`friend${count}`);
      elsewhere.send(`<presence from='${friend}' to='${J}' type='subscribe'/>`);
      await juliet.presence(friend, 'subscribe');
      juliet.send(`<presence to='${friend}' type='subscribed'/>`);
      await juliet.settle();
      await elsewhere.settle();
      await juliet.iq('set', block('elsewhere.example'));
      assert.deepEqual((await elsewhere.settle()).map(brief), [`presence unavailable ${J}/balcony > ${friend}`]);
      juliet.send('<presence><show>away</show></presence>');
      await juliet.settle();
      assert.deepEqual(await elsewhere.settle(), []);
      await juliet.iq('set', unblock('elsewhere.example'));
      const [seen, ...more] = await elsewhere.settle();
      assert.equal(brief(seen!), `presence ${J}/balcony > ${friend}`);
      assert.deepEqual(more, []);
    });

    it('subscriptions stay as they are ("polite"), and end when the contact is removed', async () => {
      await befriend(romeo, juliet);
      await juliet.iq('set', block(R));
      assert.equal((await rosterOf(juliet)).get(R)!.subscription, 'both');
      assert.equal((await rosterOf(romeo)).get(J)!.subscription, 'both');
      await romeo.settle();
      await romeo.iq('get', ROSTER);
      await juliet.iq('set', rosterSet(`<item jid='${R}' subscription='remove'/>`));
      await romeo.presence(J, 'unsubscribed');
      assert.equal((await push(romeo)).subscription, 'to');
      assert.equal((await push(romeo)).subscription, 'none');
    });
  });

  it('pushes go to the sessions that asked for the list, and no others; all is pushed as nothing (3.2 to 3.5)', async () => {
    const asked = await server.login(`${J}/asked`);
    await asked.iq('get', `<blocklist xmlns='${BLOCKING}'/>`);
    await juliet.settle();
    await juliet.iq('set', block('a@b.example', 'C@b.example/X'));
    await juliet.iq('set', block('a@b.example'));
    await juliet.iq('set', unblock('a@b.example'));
    await juliet.iq('set', unblock());
    const pushes = await asked.settle();
    assert.deepEqual(
      pushes.map(({ attrs, children }) => {
        const [child] = children as Element[];
        return [attrs.type, attrs.to, child!.name, child!.getChildren('item').map(item => item.attrs.jid)];
      }),
      [
        ['set', asked.jid, 'block', ['a@b.example', 'c@b.example/X']],
        ['set', asked.jid, 'block', ['a@b.example']],
        ['set', asked.jid, 'unblock', ['a@b.example']],
        ['set', asked.jid, 'unblock', []],
      ],
    );
    assert.equal(new Set(pushes.map(({ attrs }) => attrs.id)).size, 4);
    assert.deepEqual(await juliet.settle(), []);
  });

  it('nonsense changes nothing', async () => {
    for (const [payload, expected] of [
      [`<block xmlns='${BLOCKING}'/>`, 'bad-request'],
      [`<block xmlns='${BLOCKING}'><item/></block>`, 'bad-request'],
      [`<block xmlns='${BLOCKING}'><item jid='a@b.example'/><item jid='@@'/></block>`, 'jid-malformed'],
      [`<unblock xmlns='${BLOCKING}'><item jid='@@'/></unblock>`, 'jid-malformed'],
    ] as const) {
      assert.equal(condition(await juliet.iq('set', payload)), expected, payload);
    }
    for (const payload of [block('x@y.example'), unblock()])
      assert.equal(condition(await juliet.iq('set', payload, R)), 'service-unavailable');
    const list = await juliet.iq('get', `<blocklist xmlns='${BLOCKING}'/>`);
    assert.deepEqual(list.getChild('blocklist')!.children, []);
  });

  it('lasts over sessions and restarts', async () => {
    let house = await TestNode.start({ users: ['romeo', 'juliet'] });
    try {
      let one = await house.login('juliet@localhost/x');
      await one.iq('set', block('romeo@localhost'));
      await house.stop({ keep: true });
      house = await TestNode.start({ folder: house.folder });
      one = await house.login('juliet@localhost/x');
      const list = await one.iq('get', `<blocklist xmlns='${BLOCKING}'/>`);
      assert.equal(list.getChild('blocklist')!.getChild('item')!.attrs.jid, 'romeo@localhost');
      const other = await house.login('romeo@localhost/x');
      other.send(`<message to='juliet@localhost' type='chat' id='m'>${BODY}</message>`);
      assert.equal(condition(await other.message()), 'service-unavailable');
    } finally {
      await house.stop();
    }
  });
});
