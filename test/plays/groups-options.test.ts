import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import {
  affiliate,
  affiliated,
  command,
  found,
  GROUPS,
  noteOf,
  refusal,
  resultOf,
  SERVICE,
  village,
} from './groups.ts';
import { admin, configure, enter, error, make, ok, OWNER } from './rooms.ts';

const INFO = 'http://jabber.org/protocol/disco#info';
const PUBSUB = 'http://jabber.org/protocol/pubsub';
const SM = 'urn:xmpp:sm:3';

describe('play: what operators choose for groups (docs/groups.md)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  const come = async (): Promise<void> => {
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
  };
  const start = async (options: string, rest?: string): Promise<void> => {
    stage = await village(options, [], rest);
    await come();
  };
  afterEach(() => stage.stop());

  const discuss = async (...friends: string[]): Promise<string> => {
    const answer = await command(romeo, SERVICE, 'discuss', { friends: friends.map(name => `${name}@localhost`) });
    return resultOf(answer).get('jid')!;
  };
  const say = async (room: string, text: string, by = romeo): Promise<void> => {
    by.send(`<message type='groupchat' to='${room}'><body>${text}</body></message>`);
    await by.expect(stanza => stanza.getChildText('body') === text, text);
  };
  const again = async (yaml: string): Promise<void> => {
    const { folder } = stage;
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder, yaml });
    await come();
  };

  it('rooms that were persistent before there were groups are groups from the start on', async () => {
    stage = await TestNode.start({ users: ['romeo', 'juliet'], yaml: 'modules: { rooms: {} }\n' });
    await come();
    const room = `old@${SERVICE}`;
    await make(romeo, 'Romeo', { 'muc#roomconfig_persistentroom': '1' }, room);
    await affiliate(romeo, room, 'juliet');
    await again('modules: { rooms: {}, groups: { perUser: 1 } }\n');
    // they are looked for behind the start, which does not wait for that
    const group = await until(async () => {
      const own = ok(await juliet.iq('get', `<groups xmlns='${GROUPS}'/>`)).getChild('groups', GROUPS)!;
      return own.getChildren('group')[0];
    }, 'the room to be a group');
    assert.deepEqual([group.attrs.jid, group.attrs.kind], [room, 'group']);
    assert.match(group.attrs.number!, /^\d{9}$/);
    // its owner has founded it
    const more = await command(romeo, SERVICE, 'found', { name: 'Verona' });
    assert.equal(refusal(more), 'resource-constraint cancel groups-used-up');
  });

  it('a room that is given up while it is being made has not been founded', async () => {
    const yaml = 'modules: { rooms: { defaults: { persistent: true } }, groups: { perUser: 1 } }\n';
    stage = await TestNode.start({ users: ['romeo', 'juliet'], yaml });
    await come();
    const room = `new@${SERVICE}`;
    await enter(romeo, 'Romeo', { room });
    romeo.send(`<presence to='${room}/Romeo' type='unavailable'/>`);
    await romeo.presence(`${room}/Romeo`, 'unavailable');
    await enter(romeo, 'Romeo', { room });
    ok(await romeo.iq('set', `<query xmlns='${OWNER}'><x xmlns='jabber:x:data' type='cancel'/></query>`, room));
    await make(romeo, 'Romeo', {}, `other@${SERVICE}`);
    const more = await command(romeo, SERVICE, 'found', { name: 'Verona' });
    assert.equal(refusal(more), 'resource-constraint cancel groups-used-up');
  });

  it('who is given a group has not founded it; who gave it has, and is an admin if that is chosen', async () => {
    await start('{ perUser: 1, afterTransfer: admin }');
    const { jid } = await found(romeo, 'Montague');
    await affiliate(romeo, jid, 'juliet');
    noteOf(await command(romeo, jid, 'transfer', { to: 'juliet@localhost' }));
    assert.deepEqual(
      [await affiliated(juliet, jid, 'owner'), await affiliated(juliet, jid, 'admin')],
      [['juliet'], ['romeo']],
    );
    await found(juliet, 'Capulet');
    const second = await command(romeo, SERVICE, 'found', { name: 'Mantua' });
    assert.equal(refusal(second), 'resource-constraint cancel groups-used-up');
  });

  it('administrators of the host make a group larger than others may', async () => {
    await start('{ size: 2 }', 'admins: [nurse@localhost]\n');
    const { jid } = await found(romeo, 'Montague');
    await affiliate(romeo, jid, 'juliet');
    const full = await admin(romeo, 'set', `<item affiliation='member' jid='tybalt@localhost'/>`, jid);
    assert.equal(refusal(full), 'resource-constraint wait group-full');
    await affiliate(await stage.login('nurse@localhost/home'), jid, 'tybalt');
    assert.deepEqual(await affiliated(romeo, jid, 'member'), ['juliet', 'tybalt']);
  });

  it('discussion groups: how many, how large, and who invites', async () => {
    await start('{ discussionFriends: false, discussionsPerUser: 1, discussionSize: 2, discussionInvites: false }');
    const many = await command(romeo, SERVICE, 'discuss', { friends: ['juliet@localhost', 'nurse@localhost'] });
    assert.equal(refusal(many), 'resource-constraint cancel group-full');
    const jid = await discuss('juliet');
    const second = await command(romeo, SERVICE, 'discuss', { friends: 'nurse@localhost' });
    assert.equal(refusal(second), 'resource-constraint cancel groups-used-up');
    await enter(juliet, 'Juliet', { room: jid });
    const x = `<x xmlns='http://jabber.org/protocol/muc#user'><invite to='nurse@localhost'/></x>`;
    juliet.send(`<message to='${jid}'>${x}</message>`);
    assert.equal(error(await juliet.expect(({ attrs }) => attrs.type === 'error', 'a refusal')), 'forbidden auth');
    const third = await admin(romeo, 'set', `<item affiliation='member' jid='nurse@localhost'/>`, jid);
    assert.equal(refusal(third), 'resource-constraint wait group-full');
  });

  it('a discussion group ends where its creator leaves, if that is chosen', async () => {
    await start('{ discussionFriends: false, discussionLeaves: end }');
    const jid = await discuss('juliet');
    noteOf(await command(romeo, jid, 'leave'));
    const told = await juliet.expect(stanza => stanza.getChild('dissolved', GROUPS) !== undefined, 'the end');
    assert.equal(told.getChild('dissolved', GROUPS)!.attrs.kind, 'discussion');
    const gone = await juliet.iq('get', `<query xmlns='${INFO}'/>`, jid);
    assert.equal(error(gone), 'item-not-found cancel');
  });

  it('no bookmarks are made where they are not wanted, and those that there are stay', async () => {
    await start('{}');
    const names = async (): Promise<string> => {
      const iq = await romeo.iq('get', `<pubsub xmlns='${PUBSUB}'><items node='urn:xmpp:bookmarks:1'/></pubsub>`);
      const items = iq.getChild('pubsub', PUBSUB)?.getChild('items')?.getChildren('item') ?? [];
      return items.map(item => item.getChild('conference')!.attrs.name).join();
    };
    const { jid } = await found(romeo, 'Montague');
    await until(async () => (await names()) === 'Montague', 'the bookmark');
    await again('modules: { rooms: {}, groups: { bookmarks: false } }\n');
    await found(romeo, 'Mantua');
    await configure(romeo, { 'muc#roomconfig_roomname': 'Verona' }, jid);
    await new Promise(resolve => setTimeout(resolve, 200));
    assert.equal(await names(), 'Montague');
  });

  it('what a group does not archive is not unread', async () => {
    await start('{}');
    const { jid } = await found(romeo, 'Montague');
    await affiliate(romeo, jid, 'juliet');
    await enter(romeo, 'Romeo', { room: jid });
    const unread = async (): Promise<string | undefined> => {
      const groups = ok(await juliet.iq('get', `<groups xmlns='${GROUPS}'/>`)).getChild('groups', GROUPS)!;
      return groups.getChild('group')!.attrs.unread;
    };
    await say(jid, 'one');
    await configure(romeo, { 'muc#roomconfig_enablelogging': '0' }, jid);
    await say(jid, 'two');
    assert.equal(await unread(), '1');
    await again('modules: { rooms: {}, groups: {}, archive: false }\n');
    assert.equal(await unread(), '0');
  });

  it('who has read what is told by nicknames where addresses are not shown', async () => {
    await start('{}');
    const { jid } = await found(romeo, 'Montague', { nick: 'Romeo' });
    await affiliate(romeo, jid, 'juliet');
    await configure(romeo, { 'muc#roomconfig_whois': 'moderators' }, jid);
    await enter(romeo, 'Romeo', { room: jid });
    romeo.send(`<message type='groupchat' to='${jid}'><body>one</body></message>`);
    const said = await romeo.expect(stanza => stanza.getChildText('body') === 'one', 'one');
    const { id } = said.getChild('stanza-id', 'urn:xmpp:sid:0')!.attrs;
    ok(await romeo.iq('set', `<read xmlns='${GROUPS}' id='${id}'/>`, jid));
    const reader = async (client: TestClient) => {
      const answer = ok(await client.iq('get', `<cursors xmlns='${GROUPS}'/>`, jid));
      const { jid: address, nick } = answer.getChild('cursors', GROUPS)!.getChild('cursor')!.attrs;
      return [address, nick];
    };
    assert.deepEqual(await reader(juliet), [undefined, 'Romeo']);
    assert.deepEqual(await reader(romeo), ['romeo@localhost', undefined]);
  });

  it('live delivery goes on in a session that is resumed (XEP-0198)', async () => {
    await start('{}');
    const { jid } = await found(romeo, 'Montague');
    await affiliate(romeo, jid, 'juliet');
    await enter(romeo, 'Romeo', { room: jid });
    const client = await stage.login('juliet@localhost/phone');
    client.send(`<enable xmlns='${SM}' resume='true'/>`);
    const { id } = (await client.expect(({ name }) => name === 'enabled', 'stream management')).attrs;
    ok(await client.iq('set', `<live xmlns='${GROUPS}'/>`));
    client.destroy();
    await say(jid, 'away');
    const next = await stage.connect();
    await next.authenticate('juliet');
    next.send(`<resume xmlns='${SM}' previd='${id}' h='1'/>`);
    await next.expect(stanza => stanza.getChildText('body') === 'away', 'what was said meanwhile');
    await say(jid, 'back');
    await next.expect(stanza => stanza.getChildText('body') === 'back', 'what is said now');
  });
});
