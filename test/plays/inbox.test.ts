import assert from 'node:assert/strict';
import path from 'node:path';
import Database from 'better-sqlite3';
import { parseJid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { ON_SERVER } from '../kit/storage.ts';
import { until } from '../kit/wait.ts';
import { ask } from './archive.ts';
import { askInbox, displayed, INBOX, update, updateTo } from './inbox.ts';
import { features, INFO, verona } from './verona.ts';

const CARBONS = 'urn:xmpp:carbons:2';

describe('play: the inbox (XEP-0430)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  let nurse: TestClient;
  let ids: number;
  beforeEach(async () => {
    ids = 0;
    ({ stage, romeo, juliet } = await verona());
    await stage.addUser('nurse');
    nurse = await stage.login('nurse@localhost/hall', { presence: true });
  });
  afterEach(() => stage.stop());

  /** Sends something, and waits until the server has taken it in. Gives its id. */
  async function say(from: TestClient, to: string, inner: string, id = `m${++ids}`): Promise<string> {
    from.send(`<message to='${to}' type='chat' id='${id}'>${inner}</message>`);
    await from.settle();
    return id;
  }
  const text = (from: TestClient, to: string, body: string, extra = '', id?: string): Promise<string> =>
    say(from, to, `<body>${body}</body>${extra}`, id);
  const lines = async (client: TestClient): Promise<string[]> => (await askInbox(client)).lines;

  if (!ON_SERVER)
    it('a marker that is in the archive and was not noted when the program ended is noted at the start', async () => {
      const id = await text(juliet, 'romeo@localhost', 'one');
      await say(romeo, 'juliet@localhost', displayed(id));
      await until(async () => (await lines(romeo))[0] === 'juliet@localhost 0 one', 'the marker to be noted');
      await stage.stop({ keep: true });
      const db = new Database(path.join(stage.folder, 'posthouse.sqlite'));
      assert.equal(db.prepare('delete from inbox_displayed').run().changes, 1);
      db.close();
      stage = await TestNode.start({ folder: stage.folder });
      romeo = await stage.login('romeo@localhost/orchard', { presence: true });
      await until(async () => (await lines(romeo))[0] === 'juliet@localhost 0 one', 'the marker to be noted again');
    });

  it('a marker from before a start says nothing of what came behind it with the same id', async () => {
    // a client that counts its messages anew each time that it is started
    await text(juliet, 'romeo@localhost', 'one', '', '1');
    await say(romeo, 'juliet@localhost', displayed('1'));
    await until(async () => (await lines(romeo))[0] === 'juliet@localhost 0 one', 'the marker to be noted');
    await text(juliet, 'romeo@localhost', 'two', '', '1');
    await text(juliet, 'romeo@localhost', 'three', '', '2');
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    assert.deepEqual(await lines(romeo), ['juliet@localhost 2 three']);
    // one that comes now names the newest
    await say(romeo, 'juliet@localhost', displayed('1'));
    await until(async () => (await lines(romeo))[0] === 'juliet@localhost 1 three', 'the next marker to be noted');
  });

  it('accounts have one, and say so', async () => {
    assert.ok(features(await romeo.iq('get', INFO)).includes(INBOX));
    const { lines: none, total, unread, allUnread, count, first } = await askInbox(romeo);
    assert.deepEqual([none, total, unread, allUnread, count, first], [[], '0', '0', '0', '0', undefined]);
  });

  it('lists conversations with what is unread and the last message, the newest first', async () => {
    await text(juliet, 'romeo@localhost', 'one');
    await text(juliet, 'romeo@localhost/orchard', 'two');
    await text(nurse, 'romeo@localhost', 'Madam');
    const {
      entries,
      lines: both,
      total,
      unread,
      allUnread,
      iq,
    } = await askInbox(romeo, '', undefined, 'romeo@localhost');
    assert.deepEqual(both, ['nurse@localhost 1 Madam', 'juliet@localhost 2 two']);
    assert.deepEqual([total, unread, allUnread], ['2', '2', '3']);
    const { results } = await ask(romeo);
    assert.deepEqual(
      entries.map(({ id, result }) => [id, result]),
      [
        [results[2]!.id, results[2]!.id],
        [results[1]!.id, results[1]!.id],
      ],
    );
    assert.equal(entries[1]!.message!.attrs.from, 'juliet@localhost/balcony');
    assert.equal(iq.attrs.from ?? 'romeo@localhost', 'romeo@localhost');
    // what one says is unread to the other alone
    assert.deepEqual(await lines(juliet), ['romeo@localhost 0 two']);
  });

  it('results name the query, and come from the account', async () => {
    await text(juliet, 'romeo@localhost', 'one');
    await romeo.settle();
    romeo.send(`<iq type='get' id='inbox-1'><inbox xmlns='${INBOX}'/></iq>`);
    const result = await romeo.expect(stanza => stanza.getChild('entry', INBOX) !== undefined, 'an entry');
    assert.deepEqual([result.attrs.from, result.attrs.to], ['romeo@localhost', 'romeo@localhost/orchard']);
    assert.equal(result.getChild('result', 'urn:xmpp:mam:2')!.attrs.queryid, 'inbox-1');
  });

  it('without messages, and unread conversations alone', async () => {
    const id = await text(juliet, 'romeo@localhost', 'one');
    await text(nurse, 'romeo@localhost', 'two');
    await say(romeo, 'juliet@localhost', displayed(id));
    assert.deepEqual((await askInbox(romeo, "messages='false'")).lines, ['nurse@localhost 1', 'juliet@localhost 0']);
    const { lines: some, count, total, unread } = await askInbox(romeo, "unread-only='true'");
    assert.deepEqual(some, ['nurse@localhost 1 two']);
    assert.deepEqual([count, total, unread], ['1', '2', '1']);
    assert.equal(condition((await askInbox(romeo, "messages='maybe'")).iq), 'bad-request');
  });

  it('in pages (XEP-0059)', async () => {
    const people = ['a', 'b', 'c', 'd', 'e'];
    for (const name of people) await text(romeo, `${name}@elsewhere.example`, name);
    // nobody is there; what was sent is in the archive all the same
    const all = people.map(name => `${name}@elsewhere.example 0 ${name}`).reverse();
    const first = await askInbox(romeo, '', '<max>2</max>');
    assert.deepEqual(first.lines, all.slice(0, 2));
    assert.deepEqual([first.index, first.count, first.total], ['0', '5', '5']);
    const second = await askInbox(romeo, '', `<max>2</max><after>${first.last}</after>`);
    assert.deepEqual([second.lines, second.index], [all.slice(2, 4), '2']);
    const third = await askInbox(romeo, '', `<max>2</max><after>${second.last}</after>`);
    assert.deepEqual([third.lines, third.index], [all.slice(4), '4']);
    const end = await askInbox(romeo, '', `<max>2</max><after>${third.last}</after>`);
    assert.deepEqual([end.lines, end.first, end.count], [[], undefined, '5']);
    const back = await askInbox(romeo, '', `<max>2</max><before>${second.first}</before>`);
    assert.deepEqual(back.lines, all.slice(0, 2));
    assert.deepEqual((await askInbox(romeo, '', '<max>2</max><before/>')).lines, all.slice(3));
    const none = await askInbox(romeo, '', '<max>0</max>');
    assert.deepEqual([none.lines, none.count], [[], '5']);
    assert.equal(condition((await askInbox(romeo, '', '<after>nowhere</after>')).iq), 'item-not-found');
    // a conversation that goes on between two pages moves before them, and no other is left out
    await text(romeo, 'c@elsewhere.example', 'again');
    const moved = await askInbox(romeo, '', `<max>2</max><after>${first.last}</after>`);
    assert.deepEqual(moved.lines, [all[3], all[4]]);
  });

  it('an answer holds no more conversations than the option allows', async () => {
    await stage.stop();
    ({ stage, romeo, juliet } = await verona('modules: { inbox: { page: 2 } }\n'));
    for (const name of ['a', 'b', 'c']) await text(romeo, `${name}@elsewhere.example`, name);
    const { lines: some, total, last } = await askInbox(romeo);
    assert.deepEqual([some.length, total], [2, '3']);
    assert.deepEqual((await askInbox(romeo, '', `<max>9</max><after>${last}</after>`)).lines, [
      'a@elsewhere.example 0 a',
    ]);
  });

  it('a marker says what was read: all up to that message, never backwards, and nothing else does (XEP-0333)', async () => {
    const sent: string[] = [];
    for (const body of ['one', 'two', 'three', 'four']) sent.push(await text(juliet, 'romeo@localhost', body));
    assert.deepEqual(await lines(romeo), ['juliet@localhost 4 four']);
    await say(romeo, 'juliet@localhost/balcony', displayed(sent[1]!));
    assert.deepEqual(await lines(romeo), ['juliet@localhost 2 four']);
    // older, not there, another's, of another conversation, of an error
    await say(romeo, 'juliet@localhost', displayed(sent[0]!));
    await say(romeo, 'juliet@localhost', displayed('unheard-of'));
    await say(juliet, 'romeo@localhost', displayed(sent[3]!));
    await say(romeo, 'nurse@localhost', displayed(sent[3]!));
    romeo.send(`<message to='juliet@localhost' type='error'>${displayed(sent[3]!)}</message>`);
    await say(romeo, 'juliet@localhost', `<received xmlns='urn:xmpp:receipts' id='${sent[3]}'/>`);
    assert.equal(
      (await lines(romeo)).find(line => line.startsWith('juliet')),
      'juliet@localhost 2 four',
    );
    await say(romeo, 'juliet@localhost', `<acknowledged xmlns='urn:xmpp:chat-markers:0' id='${sent[2]}'/>`);
    assert.equal(
      (await lines(romeo)).find(line => line.startsWith('juliet')),
      'juliet@localhost 1 four',
    );
    await say(romeo, 'juliet@localhost', `${displayed(sent[3]!)}<no-store xmlns='urn:xmpp:hints'/>`);
    assert.equal(
      (await lines(romeo)).find(line => line.startsWith('juliet')),
      'juliet@localhost 0 four',
    );
    await text(juliet, 'romeo@localhost', 'five');
    assert.equal(
      (await lines(romeo)).find(line => line.startsWith('juliet')),
      'juliet@localhost 1 five',
    );
  });

  it('an answer of one’s own says nothing of what was read', async () => {
    await text(juliet, 'romeo@localhost', 'one');
    await text(romeo, 'juliet@localhost', 'mine');
    assert.deepEqual(await lines(romeo), ['juliet@localhost 1 mine']);
    assert.deepEqual(await lines(juliet), ['romeo@localhost 1 mine']);
  });

  it('receipts, markers, reactions and what has no text neither count nor move a conversation; `id` names the last', async () => {
    const id = await text(juliet, 'romeo@localhost', 'one');
    await text(nurse, 'romeo@localhost', 'later');
    await say(juliet, 'romeo@localhost', "<received xmlns='urn:xmpp:receipts' id='x'/>");
    await say(juliet, 'romeo@localhost', displayed('x'));
    await say(
      juliet,
      'romeo@localhost',
      `<reactions xmlns='urn:xmpp:reactions:0' id='x'><reaction>!</reaction></reactions>`,
    );
    await say(juliet, 'romeo@localhost', "<thing xmlns='urn:x'/><store xmlns='urn:xmpp:hints'/>");
    await say(juliet, 'romeo@localhost', "<composing xmlns='http://jabber.org/protocol/chatstates'/>");
    const { entries, lines: both } = await askInbox(romeo);
    assert.deepEqual(both, ['nurse@localhost 1 later', 'juliet@localhost 1 one']);
    const { results } = await ask(romeo);
    assert.equal(entries[1]!.message!.attrs.id, id);
    assert.equal(entries[1]!.result, results[0]!.id);
    assert.equal(entries[1]!.id, results.at(-1)!.id);
  });

  it('what is retracted is not there to be read (XEP-0424)', async () => {
    const one = await text(juliet, 'romeo@localhost', 'one');
    const two = await text(juliet, 'romeo@localhost', 'two');
    const retract = (id: string): Promise<string> =>
      text(juliet, 'romeo@localhost', 'gone', `<retract xmlns='urn:xmpp:message-retract:1' id='${id}'/>`);
    await askInbox(romeo);
    await retract(two);
    assert.deepEqual(await lines(romeo), ['juliet@localhost 1 one']);
    // its place stays: what was displayed up to there is
    await say(romeo, 'juliet@localhost', displayed(two));
    assert.deepEqual(await lines(romeo), ['juliet@localhost 0 one']);
    await retract(one);
    assert.deepEqual(await lines(romeo), ['juliet@localhost 0']);
    assert.deepEqual(await lines(juliet), ['romeo@localhost 0']);
    await text(juliet, 'romeo@localhost', 'three');
    assert.deepEqual(await lines(romeo), ['juliet@localhost 1 three']);
  });

  it('a correction shows in the place of what it corrects, and is nothing more to read (XEP-0308)', async () => {
    const correct = (body: string, id: string, from = juliet, to = 'romeo@localhost'): Promise<string> =>
      text(from, to, body, `<replace xmlns='urn:xmpp:message-correct:0' id='${id}'/>`);
    const one = await text(juliet, 'romeo@localhost', 'oen');
    await text(nurse, 'romeo@localhost', 'later');
    await correct('onee', one);
    const last = await correct('one', one);
    assert.deepEqual(await lines(romeo), ['nurse@localhost 1 later', 'juliet@localhost 1 one']);
    // what corrects an older message is not the last text
    await text(juliet, 'romeo@localhost', 'two');
    await correct('ONE', one);
    assert.deepEqual(await lines(romeo), ['juliet@localhost 2 two', 'nurse@localhost 1 later']);
    // a client may name what it displayed by either id
    await say(romeo, 'juliet@localhost', displayed(last));
    assert.deepEqual(await lines(romeo), ['juliet@localhost 1 two', 'nurse@localhost 1 later']);
    // nobody corrects another's words
    const mine = await text(romeo, 'juliet@localhost', 'mine');
    await correct('yours', mine);
    assert.deepEqual((await lines(romeo))[0], 'juliet@localhost 1 mine');
    await correct('MINE', mine, romeo, 'juliet@localhost');
    assert.deepEqual((await lines(romeo))[0], 'juliet@localhost 1 MINE');
  });

  it('with a message that was corrected, its corrections are retracted', async () => {
    const one = await text(juliet, 'romeo@localhost', 'oen');
    const other = await text(juliet, 'romeo@localhost', 'other');
    const replace = (id: string): string => `<replace xmlns='urn:xmpp:message-correct:0' id='${id}'/>`;
    await text(juliet, 'romeo@localhost', 'one', replace(one));
    await text(juliet, 'romeo@localhost', 'another', replace(other));
    await text(romeo, 'juliet@localhost', 'not hers', replace(one));
    await text(juliet, 'romeo@localhost', 'gone', `<retract xmlns='urn:xmpp:message-retract:1' id='${one}'/>`);
    for (const client of [romeo, juliet])
      assert.deepEqual((await ask(client)).bodies, ['', 'other', '', 'another', 'not hers', 'gone']);
    assert.deepEqual(await lines(romeo), ['juliet@localhost 1 another']);
    await text(juliet, 'romeo@localhost', 'gone', `<retract xmlns='urn:xmpp:message-retract:1' id='${other}'/>`);
    assert.deepEqual((await askInbox(juliet)).lines.length, 1);
    assert.deepEqual((await ask(romeo)).bodies, ['', '', '', '', 'not hers', 'gone', 'gone']);
  });

  it('reading on one device clears the others: the marker is copied (XEP-0280), and the entry told', async () => {
    const phone = await stage.login('romeo@localhost/phone', { presence: true });
    await phone.iq('set', `<enable xmlns='${CARBONS}'/>`);
    const id = await text(juliet, 'romeo@localhost/orchard', 'one', "<markable xmlns='urn:xmpp:chat-markers:0'/>");
    assert.deepEqual(await lines(phone), ['juliet@localhost 1 one']);
    await phone.settle();
    // without a body, of type normal: what is a marker is a message of the conversation
    romeo.send(`<message to='juliet@localhost/balcony' id='d1'>${displayed(id)}</message>`);
    const copy = await phone.expect(stanza => stanza.getChild('sent', CARBONS) !== undefined, 'a copy of the marker');
    const inside = copy.getChild('sent', CARBONS)!.getChild('forwarded')!.getChild('message') as Element;
    assert.equal(inside.getChild('displayed', 'urn:xmpp:chat-markers:0')!.attrs.id, id);
    const told = await update(phone, 'juliet@localhost');
    assert.equal(told.unread, 0);
    assert.equal(told.id, (await ask(phone)).results.at(-1)!.id);
    for (const client of [phone, romeo]) assert.deepEqual(await lines(client), ['juliet@localhost 0 one']);
    // and who wrote it hears of it, on each device
    const got = await juliet.expect(stanza => stanza.getChild('displayed') !== undefined, 'the marker');
    assert.equal(got.attrs.id, 'd1');
  });

  it('tells those who asked what changes, and nobody else', async () => {
    const phone = await stage.login('romeo@localhost/phone', { presence: true });
    await lines(phone);
    const id = await text(juliet, 'romeo@localhost/orchard', 'one');
    assert.equal((await update(phone, 'juliet@localhost')).unread, 1);
    await text(romeo, 'juliet@localhost', 'mine');
    const mine = await update(phone, 'juliet@localhost');
    assert.deepEqual([mine.unread, mine.message, mine.id], [1, undefined, (await ask(phone)).results.at(-1)!.id]);
    await text(juliet, 'romeo@localhost', 'x', `<retract xmlns='urn:xmpp:message-retract:1' id='${id}'/>`);
    assert.equal((await update(phone, 'juliet@localhost')).unread, 0);
    // no news
    await say(juliet, 'romeo@localhost', "<received xmlns='urn:xmpp:receipts' id='x'/>");
    await new Promise(resolve => setTimeout(resolve, 300));
    const later = await phone.settle();
    assert.deepEqual(
      later.filter(stanza => stanza.getChild('entry', INBOX)),
      [],
    );
    const others = await romeo.settle();
    assert.deepEqual(
      others.filter(stanza => stanza.getChild('entry', INBOX)),
      [],
    );
  });

  it('a session that was away is told what changed when it is resumed, once', async () => {
    const phone = await stage.login('romeo@localhost/phone');
    phone.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    const { id } = (await phone.expect(stanza => stanza.name === 'enabled', '<enabled/>')).attrs;
    await lines(phone);
    phone.socket.resetAndDestroy();
    for (const body of ['one', 'two', 'three']) {
      await text(juliet, 'romeo@localhost/orchard', body);
      await new Promise(resolve => setTimeout(resolve, 150));
    }
    const again = await stage.connect();
    await again.authenticate('romeo');
    again.send(`<resume xmlns='urn:xmpp:sm:3' previd='${id}' h='1'/>`);
    await again.expect(stanza => stanza.name === 'resumed', '<resumed/>');
    await updateTo(again, 'juliet@localhost', 3);
    await new Promise(resolve => setTimeout(resolve, 250));
    assert.deepEqual(
      again.inbox.filter(stanza => stanza.getChild('entry', INBOX)),
      [],
    );
  });

  it('many changes of a moment are one update', async () => {
    await lines(romeo);
    for (let i = 0; i < 20; i++)
      juliet.send(`<message to='romeo@localhost' type='chat' id='n${i}'><body>${i}</body></message>`);
    await juliet.settle();
    let told = 0;
    for (let unread = 0; unread < 20; told++) ({ unread } = await update(romeo, 'juliet@localhost'));
    assert.ok(told <= 12, `${told} updates`);
  });

  it('is the same after a restart', async () => {
    const one = await text(juliet, 'romeo@localhost', 'one');
    await text(juliet, 'romeo@localhost', 'two');
    await say(romeo, 'juliet@localhost', displayed(one));
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    assert.deepEqual(await lines(romeo), ['juliet@localhost 1 two']);
  });

  it('an acknowledged marker is in the archive, and noted from there', async () => {
    const id = await text(juliet, 'romeo@localhost', 'one');
    romeo.send("<enable xmlns='urn:xmpp:sm:3'/>");
    await romeo.expect(stanza => stanza.name === 'enabled', '<enabled/>');
    romeo.send(`<message to='juliet@localhost' type='chat'>${displayed(id)}</message><r xmlns='urn:xmpp:sm:3'/>`);
    await romeo.expect(stanza => stanza.name === 'a' && stanza.attrs.h === '1', '<a/>');
    const { storage } = stage.node;
    assert.equal((await storage.read(q => q('archive_messages').select('id'))).length, 2);
    const noted = async (): Promise<boolean> => (await storage.read(q => q('inbox_displayed').select())).length === 1;
    await until(noted, 'the marker to be noted');
  });

  it('goes with its account; who gets that address later finds nothing', async () => {
    const id = await text(juliet, 'romeo@localhost', 'one');
    await say(romeo, 'juliet@localhost', displayed(id));
    await text(romeo, 'juliet@localhost', 'mine');
    assert.ok(await stage.node.accounts.remove(parseJid('romeo@localhost')!));
    const { storage } = stage.node;
    assert.deepEqual(await storage.read(q => q('inbox_displayed').select()), []);
    await stage.addUser('romeo');
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    assert.deepEqual(await lines(romeo), []);
    assert.deepEqual(await lines(juliet), ['romeo@localhost 1 mine']);
    await text(juliet, 'romeo@localhost', 'new');
    assert.deepEqual(await lines(romeo), ['juliet@localhost 1 new']);
  });

  it('holds what the archive holds: nothing where that keeps nothing (XEP-0441)', async () => {
    await romeo.iq(
      'set',
      `<prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never><jid>juliet@localhost</jid></never></prefs>`,
    );
    await text(juliet, 'romeo@localhost', 'one');
    await text(nurse, 'romeo@localhost', 'two');
    await text(nurse, 'romeo@localhost', 'three', "<no-store xmlns='urn:xmpp:hints'/>");
    assert.deepEqual(await lines(romeo), ['nurse@localhost 1 two']);
    assert.deepEqual(await lines(juliet), ['romeo@localhost 0 one']);
  });

  it('is nobody else’s', async () => {
    assert.equal(condition((await askInbox(juliet, '', undefined, 'romeo@localhost')).iq), 'service-unavailable');
  });

  it('what it says of addresses that are longer than databases index', async () => {
    const far = `${'x'.repeat(200)}@elsewhere.example`;
    await text(romeo, far, 'far');
    assert.deepEqual(await lines(romeo), [`${far} 0 far`]);
  });

  it('is there again when the archive was reloaded', async () => {
    await lines(romeo);
    await stage.node.modules.reload('archive');
    await text(juliet, 'romeo@localhost', 'one');
    assert.deepEqual(await lines(romeo), ['juliet@localhost 1 one']);
    await text(juliet, 'romeo@localhost', 'two');
    await updateTo(romeo, 'juliet@localhost', 2);
    await stage.node.modules.reload('inbox');
    await text(juliet, 'romeo@localhost', 'three');
    await updateTo(romeo, 'juliet@localhost', 3);
  });
});

describe('play: no archive, no inbox', () => {
  it('is not offered', async () => {
    const { stage, romeo, juliet } = await verona('modules: { archive: false }\n');
    try {
      juliet.send(`<message to='romeo@localhost' type='chat'><body>x</body>${displayed('y')}</message>`);
      await romeo.message();
      assert.ok(!features(await romeo.iq('get', INFO)).includes(INBOX));
      assert.equal(condition((await askInbox(romeo)).iq), 'service-unavailable');
    } finally {
      await stage.stop();
    }
  });
});
