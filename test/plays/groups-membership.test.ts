import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { affiliate, affiliated, command, found, GROUPS, noteOf, SERVICE, village } from './groups.ts';
import { configure, enter, ok } from './rooms.ts';

const BOOKMARKS = 'urn:xmpp:bookmarks:1';
const PUBSUB = 'http://jabber.org/protocol/pubsub';

describe('play: belonging to a group without being in it (docs/groups.md)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  beforeEach(async () => {
    stage = await village();
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony');
  });
  afterEach(() => stage.stop());

  const say = async (room: string, text: string): Promise<void> => {
    romeo.send(`<message type='groupchat' to='${room}'><body>${text}</body></message>`);
    await romeo.expect(stanza => stanza.getChildText('body') === text, text);
  };
  const texts = async (client: TestClient): Promise<string[]> =>
    (await client.settle()).flatMap(stanza => (stanza.name === 'message' ? (stanza.getChildText('body') ?? []) : []));

  describe('live delivery', () => {
    it('who asks for it gets what is said in all groups of the account, at its own address, once', async () => {
      const { jid } = await found(romeo, 'Montague');
      const { jid: other } = await found(romeo, 'Mantua');
      await affiliate(romeo, jid, 'juliet');
      await affiliate(romeo, other, 'juliet');
      await enter(romeo, 'Romeo', { room: jid });
      await enter(romeo, 'Romeo', { room: other });
      await say(jid, 'before');
      assert.deepEqual(await texts(juliet), []);
      ok(await juliet.iq('set', `<live xmlns='${GROUPS}'/>`));
      await say(jid, 'one');
      await say(other, 'two');
      const one = await juliet.expect(stanza => stanza.getChildText('body') === 'one', 'one');
      assert.deepEqual([one.attrs.from, one.attrs.to, one.attrs.type], [`${jid}/Romeo`, juliet.jid, 'groupchat']);
      assert.ok(one.getChild('stanza-id', 'urn:xmpp:sid:0'), 'it has the id that it has in the archive');
      await juliet.expect(stanza => stanza.getChildText('body') === 'two', 'two');
      // who has entered gets it as all others there, and not again
      juliet.send('<presence/>');
      await enter(juliet, 'Juliet', { room: jid });
      await say(jid, 'three');
      assert.deepEqual(await texts(juliet), ['three']);
      juliet.send(`<presence type='unavailable' to='${jid}/Juliet'/>`);
      await juliet.settle();
      ok(await juliet.iq('set', `<silent xmlns='${GROUPS}'/>`));
      await say(jid, 'four');
      assert.deepEqual(await texts(juliet), []);
    });

    it('nothing comes from who is blocked (XEP-0191)', async () => {
      const { jid } = await found(romeo, 'Montague');
      await affiliate(romeo, jid, 'juliet');
      await enter(romeo, 'Romeo', { room: jid });
      ok(await juliet.iq('set', `<live xmlns='${GROUPS}'/>`));
      const item = `<item jid='${jid}/Romeo'/>`;
      ok(await juliet.iq('set', `<block xmlns='urn:xmpp:blocking'>${item}</block>`));
      await say(jid, 'unheard');
      assert.deepEqual(await texts(juliet), []);
      ok(await juliet.iq('set', `<unblock xmlns='urn:xmpp:blocking'>${item}</unblock>`));
      await say(jid, 'heard');
      assert.deepEqual(await texts(juliet), ['heard']);
    });

    it('it begins and ends with the membership, which is told', async () => {
      const { jid } = await found(romeo, 'Montague');
      await enter(romeo, 'Romeo', { room: jid });
      ok(await juliet.iq('set', `<live xmlns='${GROUPS}'/>`));
      await say(jid, 'one');
      await affiliate(romeo, jid, 'juliet');
      const joined = await juliet.expect(stanza => stanza.getChild('joined', GROUPS) !== undefined, 'that she is in');
      assert.equal(joined.getChild('joined', GROUPS)!.attrs.jid, jid);
      await say(jid, 'two');
      await affiliate(romeo, jid, 'juliet', 'none');
      await juliet.expect(stanza => stanza.getChild('left', GROUPS) !== undefined, 'that she is out');
      await say(jid, 'three');
      assert.deepEqual(
        (await texts(juliet)).filter(text => !text.includes('invite')),
        ['two'],
      );
    });

    it('what the group itself says comes too', async () => {
      const { jid } = await found(romeo, 'Montague');
      await affiliate(romeo, jid, 'juliet');
      ok(await juliet.iq('set', `<live xmlns='${GROUPS}'/>`));
      noteOf(await command(romeo, jid, 'announce', { text: 'At nine' }));
      const heard = await juliet.expect(stanza => stanza.getChild('announcement', GROUPS) !== undefined, 'it');
      assert.equal(heard.getChildText('body'), 'At nine');
    });

    it('it is asked for while a session is bound (XEP-0386), and announced there', async () => {
      const { jid } = await found(romeo, 'Montague');
      await affiliate(romeo, jid, 'juliet');
      await enter(romeo, 'Romeo', { room: jid });
      const client = await stage.connect();
      const features = await client.open();
      assert.ok(String(features).includes(`<feature var="${GROUPS}"/>`), 'it is announced');
      const token = Buffer.from('\0juliet\0juliet').toString('base64');
      client.send(`<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>${token}</initial-response>
        <bind xmlns='urn:xmpp:bind:0'><tag>phone</tag><live xmlns='${GROUPS}'/></bind></authenticate>`);
      const success = await client.expect(stanza => stanza.name === 'success', 'success');
      assert.ok(success.getChild('bound', 'urn:xmpp:bind:0')!.getChild('live', GROUPS));
      await say(jid, 'one');
      await client.expect(stanza => stanza.getChildText('body') === 'one', 'one');
    });
  });

  describe('bookmarks (XEP-0402)', () => {
    const list = async (client: TestClient): Promise<Element[]> => {
      const iq = await client.iq('get', `<pubsub xmlns='${PUBSUB}'><items node='${BOOKMARKS}'/></pubsub>`);
      return iq.getChild('pubsub', PUBSUB)?.getChild('items')?.getChildren('item') ?? [];
    };
    const names = async (client: TestClient): Promise<string[]> =>
      (await list(client)).map(item => `${item.attrs.id} ${item.getChild('conference', BOOKMARKS)!.attrs.name}`);
    const become = (client: TestClient, expected: readonly string[]): Promise<unknown> =>
      until(async () => String(await names(client)) === String(expected), `bookmarks: ${expected.join()}`);

    it('members have the group among them, as it is called, until they leave or it ends', async () => {
      const { jid, number } = await found(romeo, 'Montague', { nick: 'Romeo' });
      await become(romeo, [`${jid} Montague`]);
      await affiliate(romeo, jid, 'juliet');
      await become(juliet, [`${jid} Montague`]);
      const [own] = await list(romeo);
      const conference = own!.getChild('conference', BOOKMARKS)!;
      assert.deepEqual([conference.attrs.autojoin, conference.getChildText('nick')], ['true', 'Romeo']);
      const group = conference.getChild('extensions')!.getChild('group', GROUPS)!;
      assert.deepEqual([group.attrs.kind, group.attrs.number], ['group', number]);
      await configure(romeo, { 'muc#roomconfig_roomname': 'Capulet' }, jid);
      await become(juliet, [`${jid} Capulet`]);
      noteOf(await command(juliet, jid, 'leave'));
      await become(juliet, []);
      noteOf(await command(romeo, jid, 'dissolve'));
      await become(romeo, []);
    });

    it('what an account has kept in a list since before there were items stays', async () => {
      const again = async (yaml: string): Promise<void> => {
        await stage.stop({ keep: true });
        stage = await TestNode.start({ folder: stage.folder, yaml });
        romeo = await stage.login('romeo@localhost/orchard', { presence: true });
      };
      await again('modules: { rooms: {}, groups: {}, bookmarks: false }\n');
      juliet = await stage.login('juliet@localhost/balcony');
      const old = `<storage xmlns='storage:bookmarks'><conference jid='old@rooms.localhost' name='Old'/></storage>`;
      ok(await juliet.iq('set', `<query xmlns='jabber:iq:private'>${old}</query>`));
      await again('modules: { rooms: {}, groups: {} }\n');
      const { jid } = await found(romeo, 'Montague');
      await affiliate(romeo, jid, 'juliet');
      await stage.stop({ keep: true });
      stage = await TestNode.start({ folder: stage.folder, yaml: 'modules: { rooms: {}, groups: {} }\n' });
      juliet = await stage.login('juliet@localhost/balcony');
      await become(juliet, [`${jid} Montague`, 'old@rooms.localhost Old']);
    });

    it('what a client has chosen in its bookmark stays', async () => {
      const { jid } = await found(romeo, 'Montague');
      const conference = `<conference xmlns='${BOOKMARKS}' name='Ours' autojoin='false'><nick>J</nick></conference>`;
      ok(
        await juliet.iq(
          'set',
          `<pubsub xmlns='${PUBSUB}'><publish node='${BOOKMARKS}'><item id='${jid}'>${conference}</item></publish></pubsub>`,
        ),
      );
      await affiliate(romeo, jid, 'juliet');
      await become(juliet, [`${jid} Montague`]);
      const kept = (await list(juliet))[0]!.getChild('conference', BOOKMARKS)!;
      assert.deepEqual([kept.attrs.autojoin, kept.getChildText('nick')], ['false', 'J']);
    });
  });

  it('a discussion group begins with friends in one step, who belong to it and are invited (R79)', async () => {
    const friends = async (a: TestClient, b: TestClient) => {
      for (const [one, other] of [
        [a, b],
        [b, a],
      ] as const) {
        one.send(`<presence type='subscribe' to='${other.jid.split('/')[0]}'/>`);
        one.send(`<presence type='subscribed' to='${other.jid.split('/')[0]}'/>`);
        await one.settle();
      }
    };
    const nurse = await stage.login('nurse@localhost/home', { presence: true });
    juliet.send('<presence/>');
    await friends(romeo, juliet);
    await friends(juliet, nurse);
    const stranger = await command(romeo, SERVICE, 'discuss', { friends: ['juliet@localhost', 'nurse@localhost'] });
    assert.equal(stranger.getChild('error')!.getChild('not-a-friend', GROUPS)?.attrs.jid, 'nurse@localhost');
    const answer = await command(romeo, SERVICE, 'discuss', { name: 'A plan', friends: 'juliet@localhost' });
    noteOf(answer);
    const result = answer.getChild('command')!.getChild('x', 'jabber:x:data')!;
    const jid = result
      .getChildren('field')
      .find(({ attrs }) => attrs.var === 'jid')!
      .getChildText('value')!;
    const invited = await juliet.expect(stanza => String(stanza).includes('<invite '), 'an invitation');
    assert.equal(invited.attrs.from, jid);
    await enter(juliet, 'Juliet', { room: jid });
    // any member invites, and who is invited is a member
    const x = `<x xmlns='http://jabber.org/protocol/muc#user'><invite to='nurse@localhost'/></x>`;
    juliet.send(`<message to='${jid}'>${x}</message>`);
    await nurse.expect(stanza => String(stanza).includes('<invite '), 'an invitation');
    await enter(nurse, 'Nurse', { room: jid });
    // nobody finds it, nobody applies
    const items = ok(await nurse.iq('get', `<query xmlns='http://jabber.org/protocol/disco#items'/>`, SERVICE));
    assert.deepEqual(items.getChild('query')!.getChildElements(), []);
    // its creator leaves: who belongs to it longest has it; when all have left it is gone
    noteOf(await command(romeo, jid, 'leave'));
    assert.deepEqual(await affiliated(juliet, jid, 'owner'), ['juliet']);
    noteOf(await command(nurse, jid, 'leave'));
    noteOf(await command(juliet, jid, 'leave'));
    const gone = await juliet.iq('get', `<query xmlns='http://jabber.org/protocol/disco#info'/>`, jid);
    assert.equal(gone.getChild('error')?.getChild('item-not-found') !== undefined, true);
  });

  it('the plain way: a new room that is hidden, for members only and persistent is one, which nobody applies to', async () => {
    const room = `talk@${SERVICE}`;
    await enter(romeo, 'Romeo', { room });
    const fields = { persistentroom: '1', publicroom: '0', membersonly: '1', allowinvites: '1' };
    const config = Object.fromEntries(Object.entries(fields).map(([name, value]) => [`muc#roomconfig_${name}`, value]));
    await configure(romeo, config, room);
    const field = `<field var='muc#register_roomnick'><value>Juliet</value></field>`;
    const form = `<x xmlns='jabber:x:data' type='submit'>${field}</x>`;
    const refused = await juliet.iq('set', `<query xmlns='jabber:iq:register'>${form}</query>`, room);
    assert.ok(refused.getChild('error')!.getChild('discussion', GROUPS), String(refused));
    // listed, it is a group
    await configure(romeo, { 'muc#roomconfig_publicroom': '1' }, room);
    ok(await juliet.iq('set', `<query xmlns='jabber:iq:register'>${form}</query>`, room));
  });

  it('a discussion group in which nothing is said for too long ends, and is told of', async () => {
    const { folder } = stage;
    const roomOf = async (): Promise<string> => {
      const room = `idle@${SERVICE}`;
      await enter(romeo, 'Romeo', { room });
      const fields = { persistentroom: '1', publicroom: '0', membersonly: '1' };
      const config = Object.entries(fields).map(([name, value]) => [`muc#roomconfig_${name}`, value] as const);
      await configure(romeo, Object.fromEntries(config), room);
      return room;
    };
    const room = await roomOf();
    await stage.stop({ keep: true });
    await new Promise(resolve => setTimeout(resolve, 1200));
    stage = await TestNode.start({ folder, yaml: 'modules: { rooms: {}, groups: { discussionIdle: 1 } }\n' });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    const told = await romeo.expect(stanza => stanza.getChild('dissolved', GROUPS) !== undefined, 'that it ended');
    assert.equal(told.attrs.from, room);
  });
});
