import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { askInbox, INBOX, update, updateTo } from './inbox.ts';
import { affiliate, command, found, GROUPS, noteOf, refusal, village } from './groups.ts';
import { enter, ok } from './rooms.ts';

const MARKERS = 'urn:xmpp:chat-markers:0';

describe('play: what members have read of their groups (XEP-0333, docs/groups.md)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  let jid: string;
  const start = async (options = '{}'): Promise<void> => {
    stage = await village(options);
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    ({ jid } = await found(romeo, 'Montague'));
    for (const name of ['juliet', 'nurse']) await affiliate(romeo, jid, name);
    await enter(romeo, 'Romeo', { room: jid });
    await juliet.settle();
  };
  afterEach(() => stage.stop());

  /** The stanza id that the room gave it; '' for what it does not keep. */
  const say = async (client: TestClient, inner: string, room = jid): Promise<string> => {
    client.send(`<message type='groupchat' to='${room}' id='${inner.length}'>${inner}</message>`);
    const said = await client.expect(stanza => stanza.name === 'message' && stanza.attrs.type === 'groupchat', inner);
    return said.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id ?? '';
  };
  const text = (body: string): string => `<body>${body}</body>`;
  const groups = async (client: TestClient): Promise<Element[]> =>
    ok(await client.iq('get', `<groups xmlns='${GROUPS}'/>`))
      .getChild('groups', GROUPS)!
      .getChildren('group');
  const unread = async (client: TestClient): Promise<string> =>
    (await groups(client)).map(({ attrs }) => `${attrs.name} ${attrs.unread}`).join();
  const mark = async (client: TestClient, id: string): Promise<void> => {
    client.send(`<message type='groupchat' to='${jid}'><displayed xmlns='${MARKERS}' id='${id}'/></message>`);
    await client.settle();
  };

  it('an account has the list of its groups, with what is unread in each, wherever its devices are (R89)', async () => {
    await start();
    await found(juliet, 'Capulet');
    assert.deepEqual((await unread(juliet)).split(',').toSorted(), ['Capulet 0', 'Montague 0']);
    await say(romeo, text('one'));
    const last = await say(romeo, text('two'));
    const own = (await groups(juliet)).find(({ attrs }) => attrs.jid === jid)!;
    assert.deepEqual(
      ['kind', 'affiliation', 'unread', 'last', 'read'].map(name => own.attrs[name]),
      ['group', 'member', '2', last, undefined],
    );
    // what one says is not unread for oneself
    assert.equal((await groups(romeo))[0]!.attrs.unread, '0');
  });

  it('groups are conversations of the inbox (XEP-0430), among all others', async () => {
    await start();
    romeo.send(`<message type='chat' to='juliet@localhost'><body>alone</body></message>`);
    await juliet.message();
    await say(romeo, text('one'));
    const two = await say(romeo, text('two'));
    // a room is asked for by its name: what it wrote itself, an invitation for one, is no other conversation
    const inbox = await askInbox(juliet);
    const own = inbox.entries.filter(entry => entry.jid === jid);
    assert.deepEqual(
      own.map(({ line, id }) => [line, id]),
      [[`${jid} 2 two`, two]],
    );
    assert.equal(inbox.entries[0]!.jid, jid);
    assert.ok(inbox.lines.includes('romeo@localhost 1 alone'));
    assert.equal(inbox.total, '2');
    assert.equal(inbox.allUnread, '3');
    // who said it is not told otherwise than in the room
    assert.equal(own[0]!.message!.attrs.from, `${jid}/Romeo`);
    assert.doesNotMatch(String(own[0]!.message), /romeo@localhost/);
    await mark(juliet, two);
    assert.deepEqual((await askInbox(juliet, `unread-only='true'`)).lines, ['romeo@localhost 1 alone']);
    // he has said all of it, and it is the newest of his too
    const his = await askInbox(romeo);
    assert.ok(his.lines.includes(`${jid} 0 two`), his.lines.join());
  });

  it('clients that asked for their inbox are told what changes in groups of theirs, and no others are', async () => {
    await start();
    await say(romeo, text('one'));
    const entries = async (client: TestClient): Promise<Element[]> =>
      (await client.settle()).filter(stanza => stanza.getChild('entry', INBOX));
    const phone = await stage.login('juliet@localhost/phone', { presence: true });
    const tybalt = await stage.login('tybalt@localhost/street');
    await askInbox(juliet);
    await askInbox(tybalt);
    const two = await say(romeo, text('two'));
    const told = await updateTo(juliet, jid, 2);
    assert.deepEqual([told.id, told.message], [two, undefined]);
    // what is no news is not told: a chat state, and a marker of somebody else
    await say(romeo, `<active xmlns='http://jabber.org/protocol/chatstates'/>`);
    await mark(romeo, two);
    await new Promise(resolve => setTimeout(resolve, 300));
    assert.deepEqual((await entries(juliet)).map(String), []);
    // many at once are told together
    for (let i = 0; i < 20; i++) romeo.send(`<message type='groupchat' to='${jid}'><body>${i}</body></message>`);
    await updateTo(juliet, jid, 22);
    const updates = juliet.inbox.filter(stanza => stanza.getChild('entry', INBOX));
    assert.ok(updates.length < 5, `told ${updates.length} times`);
    // what one device has read is told to the others
    await askInbox(phone);
    await mark(juliet, two);
    for (const client of [juliet, phone]) await updateTo(client, jid, 20);
    // who leaves has it no more
    noteOf(await command(juliet, jid, 'leave'));
    for (const client of [juliet, phone]) await updateTo(client, jid, 0);
    await say(romeo, text('alone'));
    await new Promise(resolve => setTimeout(resolve, 300));
    for (const client of [juliet, phone, tybalt]) {
      assert.deepEqual((await entries(client)).map(String), []);
    }
  });

  it('a group that ends is told of, and one that one comes to belong to by what is said in it', async () => {
    await start();
    await askInbox(juliet);
    const { jid: other } = await found(romeo, 'Mantua');
    await affiliate(romeo, other, 'juliet');
    await enter(romeo, 'Romeo', { room: other });
    await new Promise(resolve => setTimeout(resolve, 5));
    const id = await say(romeo, text('welcome'), other);
    while ((await update(juliet, other)).id !== id);
    noteOf(await command(romeo, other, 'dissolve'));
    await juliet.expect(stanza => stanza.getChild('dissolved', GROUPS) !== undefined, 'the end');
    // what is left is what the group said to her alone: that she belongs to it, and that it has ended
    const left = (await askInbox(juliet)).entries.find(entry => entry.jid === other)!;
    assert.notEqual(left.id, id);
    while ((await update(juliet, other)).id !== left.id);
  });

  it('the last text is shown as it was corrected by who wrote it (XEP-0308), and counts once', async () => {
    await start();
    const said = async (client: TestClient, id: string, inner: string): Promise<void> => {
      client.send(`<message type='groupchat' to='${jid}' id='${id}'>${inner}</message>`);
      await client.expect(stanza => stanza.attrs.type === 'groupchat' && stanza.attrs.id === id, id);
    };
    const correct = (id: string): string => `<replace xmlns='urn:xmpp:message-correct:0' id='${id}'/>`;
    const shown = async (): Promise<string | undefined> =>
      (await askInbox(juliet)).lines.find(line => line.startsWith(jid));
    await said(romeo, 'one', text('But soft'));
    await said(romeo, 'two', text('what lihgt'));
    await said(romeo, 'fix', text('what light') + correct('two'));
    assert.equal(await shown(), `${jid} 2 what light`);
    await said(romeo, 'again', text('what light!') + correct('two'));
    assert.equal(await shown(), `${jid} 2 what light!`);
    // an older text is another one, and nobody corrects for others
    await said(romeo, 'older', text('But hush') + correct('one'));
    await enter(juliet, 'Juliet', { room: jid });
    await said(juliet, 'forged', text('what dark') + correct('two'));
    assert.equal(await shown(), `${jid} 2 what light!`);
  });

  it('only texts count, and only those said since one belongs to it', async () => {
    await start();
    await say(romeo, text('before'));
    // times are in milliseconds
    await new Promise(resolve => setTimeout(resolve, 5));
    await affiliate(romeo, jid, 'tybalt');
    const tybalt = await stage.login('tybalt@localhost/street');
    assert.equal(await unread(tybalt), 'Montague 0');
    await say(romeo, text('after'));
    await say(romeo, `<active xmlns='http://jabber.org/protocol/chatstates'/>`);
    assert.equal(await unread(tybalt), 'Montague 1');
    assert.equal(await unread(juliet), 'Montague 2');
  });

  it('a marker counts, moves only forward, and is told to nobody', async () => {
    await start();
    const one = await say(romeo, text('one'));
    const two = await say(romeo, text('two'));
    const three = await say(romeo, text('three'));
    await enter(juliet, 'Juliet', { room: jid });
    await romeo.settle();
    await mark(juliet, two);
    assert.equal(await unread(juliet), 'Montague 1');
    await mark(juliet, one);
    assert.equal(await unread(juliet), 'Montague 1');
    await mark(juliet, 'nonsense');
    await mark(juliet, three.slice(0, -1) + (three.endsWith('a') ? 'b' : 'a'));
    assert.equal(await unread(juliet), 'Montague 1');
    assert.equal((await groups(juliet))[0]!.attrs.read, two);
    assert.deepEqual((await romeo.settle()).filter(({ name }) => name === 'message').map(String), []);
    await mark(juliet, three);
    assert.equal(await unread(juliet), 'Montague 0');
  });

  it('who has not entered says it by a request, and members ask who has read what', async () => {
    await start();
    const one = await say(romeo, text('one'));
    const two = await say(romeo, text('two'));
    const read = (client: TestClient, id: string) => client.iq('set', `<read xmlns='${GROUPS}' id='${id}'/>`, jid);
    ok(await read(juliet, two));
    const nurse = await stage.login('nurse@localhost/home');
    ok(await read(nurse, one));
    const cursors = async (id?: string): Promise<string[]> => {
      const asked = id === undefined ? '' : ` id='${id}'`;
      const answer = ok(await romeo.iq('get', `<cursors xmlns='${GROUPS}'${asked}/>`, jid)).getChild(
        'cursors',
        GROUPS,
      )!;
      const list = answer.getChildren('cursor').map(({ attrs }) => `${attrs.jid} ${attrs.id === two ? 'two' : 'one'}`);
      return [answer.attrs.count!, ...list];
    };
    assert.deepEqual(await cursors(), ['2', 'juliet@localhost two', 'nurse@localhost one']);
    assert.deepEqual(await cursors(two), ['1', 'juliet@localhost two']);
    const tybalt = await stage.login('tybalt@localhost/street');
    assert.equal(refusal(await tybalt.iq('get', `<cursors xmlns='${GROUPS}'/>`, jid)), 'forbidden auth');
    assert.equal(refusal(await read(tybalt, one)), 'forbidden auth');
    assert.equal(refusal(await read(juliet, 'nonsense')), 'item-not-found cancel');
    // who leaves has read nothing any more
    noteOf(await command(juliet, jid, 'leave'));
    await juliet.settle();
    assert.deepEqual(await cursors(), ['1', 'nurse@localhost one']);
  });

  it('where they are not to be kept, markers go to all as other messages do', async () => {
    await start('{ cursors: false }');
    const one = await say(romeo, text('one'));
    await enter(juliet, 'Juliet', { room: jid });
    await romeo.settle();
    await mark(juliet, one);
    const heard = await romeo.expect(stanza => stanza.getChild('displayed', MARKERS) !== undefined, 'the marker');
    assert.equal(heard.attrs.from, `${jid}/Juliet`);
  });
});
