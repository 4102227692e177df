import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { admin, cave, enter, error, make, ok, presences, ROOM, told, USER, witches, X } from './rooms.ts';

const OCCUPANT_ID = 'urn:xmpp:occupant-id:0';
const SID = 'urn:xmpp:sid:0';
const say = (text: string, more = '') =>
  `<message type='groupchat' id='m1' to='${ROOM}'><body>${text}</body>${more}</message>`;

describe('play: in a room (XEP-0045 7.4 to 7.14, 8.1)', () => {
  let stage: TestNode;
  let crone: TestClient;
  let wicca: TestClient;
  let hag: TestClient;
  beforeEach(async () => {
    stage = await cave();
    [crone, wicca, hag] = await witches(stage);
    await make(crone, 'firstwitch');
    await enter(wicca, 'secondwitch');
    await enter(hag, 'thirdwitch');
    for (const client of [crone, wicca, hag]) await client.settle();
  });
  afterEach(() => stage.stop());

  describe('messages to all (7.4)', () => {
    it('come to everybody, from the nickname, with the id that the client gave', async () => {
      hag.send(say("Harpier cries: 'tis time.", "<extra xmlns='urn:example:extra'/>"));
      for (const client of [crone, wicca, hag]) {
        const message = await client.message();
        assert.equal(message.attrs.from, `${ROOM}/thirdwitch`);
        assert.equal(message.attrs.to, client.jid);
        assert.equal(message.attrs.type, 'groupchat');
        assert.equal(message.attrs.id, 'm1');
        assert.equal(message.getChildText('body'), "Harpier cries: 'tis time.");
        assert(message.getChild('extra', 'urn:example:extra'));
      }
    });

    it('come in the same order to everybody', async () => {
      for (let i = 0; i < 20; i++) {
        hag.send(say(`hag ${i}`));
        wicca.send(say(`wicca ${i}`));
      }
      const heard = await Promise.all(
        [crone, wicca, hag].map(async client => {
          const bodies: string[] = [];
          while (bodies.length < 40) bodies.push((await client.message()).getChildText('body')!);
          return bodies;
        }),
      );
      assert.deepEqual(heard[1], heard[0]);
      assert.deepEqual(heard[2], heard[0]);
    });

    it('have the stanza id of the room (XEP-0359), and no forged ones', async () => {
      const forged = `<stanza-id xmlns='${SID}' id='forged' by='${ROOM}'/><stanza-id xmlns='${SID}' id='other' by='example.org'/>`;
      hag.send(say('one', forged));
      const ids = (await crone.message()).getChildren('stanza-id').map(({ attrs }) => attrs);
      assert.deepEqual(
        ids.map(({ by }) => by),
        ['example.org', ROOM],
      );
      assert.match(ids[1]!.id!, /^[0-9a-v]{21}$/);
    });

    it('do not come from who is not inside, or has no voice', async () => {
      const stranger = await stage.login('crone1@localhost/cave');
      stranger.send(say('x'));
      assert.equal(error(await stranger.message()), 'not-acceptable modify');
      ok(await admin(crone, 'set', `<item role='visitor' nick='thirdwitch'/>`));
      hag.send(say('x'));
      const refused = await hag.message();
      assert.equal(error(refused), 'forbidden auth');
      assert.equal(refused.getChild('error')?.attrs.by, ROOM);
      assert.deepEqual(
        (await wicca.settle()).filter(({ name }) => name === 'message'),
        [],
      );
    });

    it("are of the type 'groupchat' (17.2), to a room that is there", async () => {
      hag.send(`<message type='chat' to='${ROOM}'><body>x</body></message>`);
      assert.equal(error(await hag.message()), 'bad-request modify');
      hag.send(`<message type='groupchat' to='heath@conference.localhost'><body>x</body></message>`);
      assert.equal(error(await hag.message()), 'item-not-found cancel');
      hag.send(`<message to='conference.localhost'><body>x</body></message>`);
      assert.equal(error(await hag.message()), 'service-unavailable cancel');
    });
  });

  it('an occupant id is the same whenever an account enters a room, and tells nobody who it is (XEP-0421)', async () => {
    hag.send(say('one'));
    const id = (await crone.message()).getChild('occupant-id', OCCUPANT_ID)!.attrs.id!;
    assert(id.length >= 40 && id.length <= 128 && !id.includes('hag66'));
    hag.send(`<presence type='unavailable' to='${ROOM}/thirdwitch'/>`);
    const left = await crone.presence(`${ROOM}/thirdwitch`, 'unavailable');
    assert.equal(left.getChild('occupant-id', OCCUPANT_ID)?.attrs.id, id);
    await enter(hag, 'oldhag');
    const came = await crone.presence(`${ROOM}/oldhag`);
    assert.equal(came.getChild('occupant-id', OCCUPANT_ID)?.attrs.id, id);
    hag.send(say('two', `<occupant-id xmlns='${OCCUPANT_ID}' id='forged'/>`));
    const forged = (await wicca.expect(stanza => stanza.getChildText('body') === 'two', 'two')).getChildren(
      'occupant-id',
    );
    assert.deepEqual(
      forged.map(({ attrs }) => attrs.id),
      [id],
    );
    await make(crone, 'firstwitch', {}, 'heath@conference.localhost');
    await enter(hag, 'oldhag', { room: 'heath@conference.localhost' });
    const elsewhere = await crone.presence('heath@conference.localhost/oldhag');
    assert.notEqual(elsewhere.getChild('occupant-id', OCCUPANT_ID)?.attrs.id, id);
  });

  describe('private messages (7.5)', () => {
    const whisper = (nick: string, type = 'chat', more = '') =>
      `<message id='p1' type='${type}' to='${ROOM}/${nick}'><body>I'll give thee a wind.</body>${more}</message>`;

    it('come from the nickname, to each client of the recipient, marked as such', async () => {
      const other = await stage.login('crone1@localhost/cave', { presence: true });
      await enter(other, 'firstwitch');
      wicca.send(whisper('firstwitch', 'chat', `<x xmlns='${USER}'><status code='307'/></x>`));
      for (const client of [crone, other]) {
        const message = await client.message();
        assert.equal(message.attrs.from, `${ROOM}/secondwitch`);
        assert.equal(message.attrs.to, client.jid);
        assert.equal(message.attrs.id, 'p1');
        assert.deepEqual(
          message.getChildren('x', USER).map(x => x.children),
          [[]],
        );
        assert(message.getChild('occupant-id', OCCUPANT_ID));
        assert(!String(message).includes('wiccarocks'));
      }
      assert.deepEqual(
        (await hag.settle()).filter(({ name }) => name === 'message'),
        [],
      );
    });

    it('are refused by what is wrong with them', async () => {
      wicca.send(whisper('firstwitch', 'groupchat'));
      assert.equal(error(await wicca.message()), 'bad-request modify');
      wicca.send(whisper('nobody'));
      assert.equal(error(await wicca.message()), 'item-not-found cancel');
      const stranger = await stage.login('wiccarocks@localhost/phone');
      stranger.send(whisper('firstwitch'));
      assert.equal(error(await stranger.message()), 'not-acceptable modify');
    });

    it('come back in the name of the recipient', async () => {
      wicca.send(whisper('firstwitch'));
      const message = await crone.message();
      // with all that it got, as clients may do
      const id = message.getChild('stanza-id', SID)!;
      assert.equal(id.attrs.by, 'crone1@localhost');
      crone.send(
        `<message id='${message.attrs.id}' type='error' to='${message.attrs.from}'>${String(id)}<error type='cancel'>` +
          `<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
      );
      const back = await wicca.expect(({ attrs }) => attrs.type === 'error', 'the error');
      assert.equal(back.attrs.from, `${ROOM}/firstwitch`);
      assert.equal(error(back), 'service-unavailable cancel');
      assert(!String(back).includes('crone1'));
    });
  });

  it('are sent by whom the owner allows (muc#roomconfig_allowpm)', async () => {
    await make(crone, 'firstwitch', { 'muc#roomconfig_allowpm': 'moderators' }, 'heath@conference.localhost');
    await enter(hag, 'thirdwitch', { room: 'heath@conference.localhost' });
    hag.send(`<message type='chat' to='heath@conference.localhost/firstwitch'><body>x</body></message>`);
    assert.equal(error(await hag.message()), 'forbidden auth');
    crone.send(`<message type='chat' to='heath@conference.localhost/thirdwitch'><body>x</body></message>`);
    assert.equal((await hag.message()).getChildText('body'), 'x');
  });

  describe('changing the nickname (7.6)', () => {
    it('is leaving by the old and coming by the new one, for all', async () => {
      hag.send(`<presence id='ifd1c35' to='${ROOM}/oldhag'/>`);
      assert.equal(
        told(await hag.presence(`${ROOM}/thirdwitch`, 'unavailable')),
        'thirdwitch unavailable none/participant hag66 nick=oldhag 110,303',
      );
      const own = await hag.presence(`${ROOM}/oldhag`);
      assert.equal(told(own), 'oldhag none/participant hag66 110');
      assert.equal(own.attrs.id, 'ifd1c35');
      assert.deepEqual(await presences(wicca), [
        'thirdwitch unavailable none/participant nick=oldhag 303',
        'oldhag none/participant',
      ]);
      assert.deepEqual(await presences(crone), [
        'thirdwitch unavailable none/participant hag66 nick=oldhag 303',
        'oldhag none/participant hag66',
      ]);
      hag.send(say('one'));
      assert.equal((await crone.message()).attrs.from, `${ROOM}/oldhag`);
    });

    it('is refused where somebody else has it', async () => {
      hag.send(`<presence id='n' to='${ROOM}/secondwitch'/>`);
      const refused = await hag.presence(`${ROOM}/secondwitch`, 'error');
      assert.equal(error(refused), 'conflict cancel');
      hag.send(say('one'));
      assert.equal((await crone.message()).attrs.from, `${ROOM}/thirdwitch`);
      assert.deepEqual(await presences(wicca), []);
    });

    it('says so when the nickname is prepared into another (210)', async () => {
      // RFC 8265 4.2.2: a full-width space is a space
      hag.send(`<presence to='${ROOM}/old\u3000hag'/>`);
      assert.equal(told(await hag.presence(`${ROOM}/old hag`)), 'old hag none/participant hag66 110,210');
      assert.equal(told(await wicca.presence(`${ROOM}/old hag`)), 'old hag none/participant');
    });

    it('of one of two clients leaves the other as it was', async () => {
      const broom = await stage.login('hag66@localhost/broom', { presence: true });
      await enter(broom, 'thirdwitch');
      await wicca.settle();
      broom.send(`<presence to='${ROOM}/flying'/>`);
      await broom.presence(`${ROOM}/flying`);
      assert.deepEqual(await presences(wicca), ['thirdwitch none/participant', 'flying none/participant']);
      hag.send(say('one'));
      assert.equal((await crone.message()).attrs.from, `${ROOM}/thirdwitch`);
      broom.send(say('two'));
      assert.equal((await crone.message()).attrs.from, `${ROOM}/flying`);
    });
  });

  it('availability is passed on (7.7)', async () => {
    hag.send(`<presence to='${ROOM}/thirdwitch'><show>xa</show><status>gone where the goblins go</status></presence>`);
    const seen = await wicca.presence(`${ROOM}/thirdwitch`);
    assert.equal(told(seen), 'thirdwitch none/participant');
    assert.equal(seen.getChildText('show'), 'xa');
    assert.equal(seen.getChildText('status'), 'gone where the goblins go');
    assert.equal(told(await hag.presence(`${ROOM}/thirdwitch`)), 'thirdwitch none/participant hag66 110');
    const late = await stage.login('wiccarocks@localhost/late', { presence: true });
    const entered = await enter(late, 'late');
    const third = entered.find(({ attrs }) => attrs.from === `${ROOM}/thirdwitch`);
    assert.equal(third?.getChildText('show'), 'xa');
  });

  describe('leaving (7.14)', () => {
    it('is told to who leaves and to all others, with what is said with it', async () => {
      hag.send(`<presence id='l1' type='unavailable' to='${ROOM}/thirdwitch'><status>gone</status></presence>`);
      const own = await hag.presence(`${ROOM}/thirdwitch`, 'unavailable');
      assert.equal(own.attrs.id, 'l1');
      assert.equal(told(own), 'thirdwitch unavailable none/none hag66 110');
      const seen = await wicca.presence(`${ROOM}/thirdwitch`, 'unavailable');
      assert.equal(told(seen), 'thirdwitch unavailable none/none');
      assert.equal(seen.getChildText('status'), 'gone');
      hag.send(say('x'));
      assert.equal(error(await hag.message()), 'not-acceptable modify');
    });

    it('happens when a client becomes unavailable, or is gone', async () => {
      hag.send("<presence type='unavailable'/>");
      assert.equal(
        told(await crone.presence(`${ROOM}/thirdwitch`, 'unavailable')),
        'thirdwitch unavailable none/none hag66',
      );
      wicca.destroy();
      assert.equal(
        told(await crone.presence(`${ROOM}/secondwitch`, 'unavailable')),
        'secondwitch unavailable none/none wiccarocks',
      );
      assert.deepEqual(await presences(crone), []);
    });

    it('of the last one ends a temporary room', async () => {
      for (const client of [crone, wicca, hag]) {
        client.send(`<presence type='unavailable' to='${ROOM}/whoever'/>`);
        await client.settle();
      }
      const [own] = await enter(hag, 'thirdwitch');
      assert.equal(told(own!), 'thirdwitch owner/moderator hag66 110,170,201');
    });

    it('is so when what is sent to a client comes back (18.1.2, 13.1)', async () => {
      hag.send(
        `<message type='error' to='${ROOM}'><error type='cancel'>` +
          `<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
      );
      assert.deepEqual(await presences(crone), []);
      hag.send(
        `<message type='error' to='${ROOM}/firstwitch'><error type='cancel'>` +
          `<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
      );
      assert.equal(
        told(await wicca.presence(`${ROOM}/thirdwitch`, 'unavailable')),
        'thirdwitch unavailable none/none 333',
      );
      assert.equal(
        told(await hag.presence(`${ROOM}/thirdwitch`, 'unavailable')),
        'thirdwitch unavailable none/none hag66 110,333',
      );
    });
  });

  describe('the subject (8.1, 7.2.15)', () => {
    const subject = (text: string, more = '') =>
      `<message type='groupchat' id='s1' to='${ROOM}'><subject>${text}</subject>${more}</message>`;

    it('is changed by moderators, told to all, and to who enters', async () => {
      crone.send(subject('Fire Burn and Cauldron Bubble!'));
      const ids = new Set<string | undefined>();
      for (const client of [crone, wicca, hag]) {
        const message = await client.message();
        ids.add(message.getChild('occupant-id', OCCUPANT_ID)!.attrs.id);
        assert.equal(message.attrs.from, `${ROOM}/firstwitch`);
        assert.equal(message.getChildText('subject'), 'Fire Burn and Cauldron Bubble!');
        assert.equal(message.getChild('delay'), undefined);
      }
      hag.send(say('one'));
      await hag.message();
      const late = await stage.login('wiccarocks@localhost/late', { presence: true });
      late.send(`<presence to='${ROOM}/late'>${X}</presence>`);
      const message = await late.expect(stanza => stanza.getChild('subject') !== undefined, 'the subject');
      assert.equal(message.getChildText('subject'), 'Fire Burn and Cauldron Bubble!');
      assert.equal(message.getChild('body'), undefined);
      assert.equal(message.attrs.from, `${ROOM}/firstwitch`);
      assert.equal(message.getChild('delay', 'urn:xmpp:delay')?.attrs.from, ROOM);
      // XEP-0421: whoever comes later knows who that was as well
      assert.deepEqual([...ids], [message.getChild('occupant-id', OCCUPANT_ID)?.attrs.id]);
      // behind the history, which has no subjects
      const before = late.inbox.filter(({ name }) => name === 'message').map(each => each.getChildText('body'));
      assert.deepEqual(before, ['one']);
    });

    it('is empty where there is none, and where it was taken away', async () => {
      const late = await stage.login('wiccarocks@localhost/late', { presence: true });
      late.send(`<presence to='${ROOM}/late'>${X}</presence>`);
      const none = await late.message();
      assert.equal(none.getChildText('subject'), '');
      assert.equal(none.attrs.from, ROOM);
      crone.send(subject('x'));
      crone.send(`<message type='groupchat' to='${ROOM}'><subject/></message>`);
      assert.equal((await late.message()).getChildText('subject'), 'x');
      assert.equal((await late.message()).getChildText('subject'), '');
    });

    it('is not changed by others, nor by a message that says more', async () => {
      hag.send(subject('x'));
      assert.equal(error(await hag.message()), 'forbidden auth');
      crone.send(subject('x', '<body>y</body>'));
      assert.equal((await hag.message()).getChildText('body'), 'y');
      crone.send(subject('z', '<thread>t</thread>'));
      assert.equal((await hag.message()).getChildText('thread'), 't');
      const late = await stage.login('wiccarocks@localhost/late', { presence: true });
      late.send(`<presence to='${ROOM}/late'>${X}</presence>`);
      const now = await late.expect(
        stanza => stanza.getChild('subject') !== undefined && !stanza.getChild('body') && !stanza.getChild('thread'),
        'the subject',
      );
      assert.equal(now.getChildText('subject'), '');
    });
  });

  describe('history (7.2.13, 7.2.14)', () => {
    const history = async (attributes: string): Promise<(string | null)[]> => {
      const client = await stage.login('wiccarocks@localhost/late', { presence: true });
      const entered = await enter(client, 'late', { x: `<x xmlns='http://jabber.org/protocol/muc'>${attributes}</x>` });
      await client.end();
      return entered.filter(({ name }) => name === 'message').map(message => message.getChildText('body'));
    };

    it('is what was said, as it was said, with the time when that was', async () => {
      hag.send(say('one'));
      const live = await wicca.message();
      const client = await stage.login('wiccarocks@localhost/late', { presence: true });
      const [past] = (await enter(client, 'late')).filter(({ name }) => name === 'message');
      const delay = past!.getChild('delay', 'urn:xmpp:delay')!;
      assert.equal(delay.attrs.from, ROOM);
      assert(Math.abs(Date.parse(delay.attrs.stamp!) - Date.now()) < 20_000);
      past!.remove(delay);
      past!.attrs.to = wicca.jid;
      assert.equal(String(past), String(live));
    });

    it('is as much of it as somebody wants who enters', async () => {
      for (const text of ['one', 'two', 'three']) hag.send(say(text));
      hag.send(say('a secret', `<no-store xmlns='urn:xmpp:hints'/>`));
      await wicca.expect(stanza => stanza.getChildText('body') === 'a secret', 'the last');
      assert.deepEqual(await history(''), ['one', 'two', 'three']);
      assert.deepEqual(await history("<history maxstanzas='2'/>"), ['two', 'three']);
      assert.deepEqual(await history("<history maxchars='0'/>"), []);
      assert.deepEqual(await history("<history maxstanzas='0'/>"), []);
      assert.deepEqual(await history("<history seconds='100'/>"), ['one', 'two', 'three']);
      assert.deepEqual(await history("<history since='1970-01-01T00:00:00Z'/>"), ['one', 'two', 'three']);
      assert.deepEqual(await history(`<history since='${new Date(Date.now() + 60_000).toISOString()}'/>`), []);
      assert.deepEqual(await history("<history maxstanzas='some' seconds='' since='yesterday'/>"), [
        'one',
        'two',
        'three',
      ]);
    });

    it('is made of complete stanzas, as many as fit', async () => {
      for (const text of ['one', 'two']) hag.send(say(text));
      await wicca.expect(stanza => stanza.getChildText('body') === 'two', 'the last');
      const client = await stage.login('wiccarocks@localhost/late', { presence: true });
      await client.settle();
      const before = client.raw.length;
      await enter(client, 'late');
      const sent = client.raw.slice(before);
      const from = sent.indexOf('<message', sent.indexOf('two') - 500);
      const last = sent.slice(
        sent.lastIndexOf('<message', sent.indexOf('two')),
        sent.indexOf('</message>', sent.indexOf('two')) + 10,
      );
      assert(from >= 0);
      await client.end();
      assert.deepEqual(await history(`<history maxchars='${last.length}'/>`), ['two']);
      assert.deepEqual(await history(`<history maxchars='${last.length - 1}'/>`), []);
    });
  });

  describe('requests to somebody in the room (6.6, 17.4)', () => {
    const QUERY = "<query xmlns='urn:example:query'/>";

    it('are passed on, and neither learns the address of the other', async () => {
      const answer = wicca.iq('get', QUERY, `${ROOM}/thirdwitch`);
      const request = await hag.expect(({ name, attrs }) => name === 'iq' && attrs.type === 'get', 'the request');
      assert.equal(request.attrs.from, `${ROOM}/secondwitch`);
      assert.equal(request.attrs.to, hag.jid);
      hag.send(
        `<iq type='result' id='${request.attrs.id}' to='${request.attrs.from}'><answer xmlns='urn:example:query'/></iq>`,
      );
      const result = await answer;
      assert.equal(result.attrs.from, `${ROOM}/thirdwitch`);
      assert(result.getChild('answer'));
      assert(!String(request).includes('wiccarocks') && !String(result).includes('hag66'));
      // once
      hag.send(`<iq type='result' id='${request.attrs.id}' to='${request.attrs.from}'/>`);
      assert.deepEqual(await wicca.settle(), []);
    });

    it('are answered by errors too', async () => {
      const answer = wicca.iq('set', QUERY, `${ROOM}/thirdwitch`);
      const request = await hag.expect(({ name, attrs }) => name === 'iq' && attrs.type === 'set', 'the request');
      hag.send(
        `<iq type='error' id='${request.attrs.id}' to='${request.attrs.from}'><error type='cancel'>` +
          `<feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
      );
      assert.equal(error(await answer), 'feature-not-implemented cancel');
    });

    it('are not for strangers, nor to nobody', async () => {
      const stranger = await stage.login('crone1@localhost/cave');
      const disco = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
      assert.equal(error(await stranger.iq('get', disco, `${ROOM}/thirdwitch`)), 'bad-request modify');
      assert.equal(error(await stranger.iq('get', QUERY, `${ROOM}/thirdwitch`)), 'not-acceptable cancel');
      assert.equal(error(await wicca.iq('get', QUERY, `${ROOM}/nobody`)), 'item-not-found cancel');
    });

    it('for a vCard are answered by the account', async () => {
      ok(await hag.iq('set', "<vCard xmlns='vcard-temp'><FN>Hag</FN></vCard>"));
      const card = ok(await wicca.iq('get', "<vCard xmlns='vcard-temp'/>", `${ROOM}/thirdwitch`));
      assert.equal(card.attrs.from, `${ROOM}/thirdwitch`);
      assert.equal(card.getChild('vCard')?.getChildText('FN'), 'Hag');
    });
  });

  it('a ping to oneself tells whether one is inside (XEP-0410)', async () => {
    const ping = "<ping xmlns='urn:xmpp:ping'/>";
    ok(await hag.iq('get', ping, `${ROOM}/thirdwitch`));
    const stranger = await stage.login('hag66@localhost/broom');
    const refused = await stranger.iq('get', ping, `${ROOM}/thirdwitch`);
    assert.equal(error(refused), 'not-acceptable cancel');
    assert.equal(refused.getChild('error')?.attrs.by, ROOM);
    assert.equal(error(await stranger.iq('get', ping, 'heath@conference.localhost/x')), 'not-acceptable cancel');
    assert.equal(error(await hag.iq('get', ping, `${ROOM}/oldhag`)), 'item-not-found cancel');
  });
});
