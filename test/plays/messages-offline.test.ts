import assert from 'node:assert/strict';
import path from 'node:path';
import Database from 'better-sqlite3';
import { parseJid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { condition } from '../kit/client.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { ON_SERVER } from '../kit/storage.ts';
import { acknowledging } from './messages-acknowledging.ts';

const DELAY = 'urn:xmpp:delay';
const STORED = 'urn:posthouse:stored:0';
const romeoJid = parseJid('romeo@localhost')!;

const chat = (id: string | number, extra = '') =>
  `<message to='romeo@localhost' type='chat' id='${id}'><body>${id}</body>${extra}</message>`;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

const YAML = 'limits: { stanzasPerSecond: 0, bytesPerSecond: 0 }';

/** The messages that have come till now. */
async function messages(client: { settle(): Promise<Element[]> }): Promise<Element[]> {
  return (await client.settle()).filter(stanza => stanza.name === 'message');
}

describe('play: messages for those who are away (XEP-0160)', () => {
  let stage: TestNode;
  beforeEach(async () => {
    stage = await TestNode.start({ users: ['romeo', 'juliet'], yaml: YAML });
  });
  afterEach(() => stage.stop());

  it('wait in order, are stamped once, survive a restart, and are given once', async () => {
    let juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    for (const i of numbers(1000)) juliet.send(chat(i));
    assert.deepEqual(await messages(juliet), []);
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder, yaml: YAML });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    const got = [];
    while (got.length < 1000) got.push(await romeo.message());
    assert.deepEqual(
      got.map(message => message.getChildText('body')),
      numbers(1000),
    );
    for (const message of got) {
      const [delay, ...more] = message.getChildren('delay', DELAY);
      assert.equal(delay!.attrs.from, 'localhost');
      assert.ok(Math.abs(Date.parse(delay!.attrs.stamp!) - Date.now()) < 600_000);
      assert.deepEqual(more, []);
    }
    await romeo.settle();
    await romeo.end();
    const again = await stage.login('romeo@localhost/street', { presence: true });
    juliet.send(chat('last'));
    assert.equal((await again.message()).getChildText('body'), 'last');
  });

  it('are not given to a negative priority, and are when it rises', async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    const romeo = await stage.login('romeo@localhost/orchard', { presence: -1 });
    juliet.send(chat('waits'));
    await juliet.settle();
    assert.deepEqual(await messages(romeo), []);
    romeo.send('<presence><priority>1</priority></presence>');
    assert.equal((await romeo.message()).getChildText('body'), 'waits');
  });

  it('neither headlines, nor chat states, nor what says no-store waits', async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    juliet.send(`<message to='romeo@localhost' type='headline'><body>x</body></message>`);
    juliet.send(
      `<message to='romeo@localhost' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    );
    juliet.send(chat('now', `<no-store xmlns='urn:xmpp:hints'/>`));
    const [error, ...more] = await messages(juliet);
    assert.equal(error!.attrs.id, 'now');
    assert.equal(error!.attrs.type, 'error');
    assert.deepEqual(more, []);
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    assert.deepEqual(await messages(romeo), []);
  });

  it('the sender learns that a message is stored, if it asked for a receipt', async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    juliet.send(chat('silent'));
    juliet.send(chat('asked', `<request xmlns='urn:xmpp:receipts'/>`));
    const notice = await juliet.message();
    assert.equal(notice.attrs.from, 'romeo@localhost');
    assert.equal(notice.getChild('stored', STORED)!.attrs.id, 'asked');
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    await romeo.message();
    const message = await romeo.message();
    assert.equal(message.getChild('delay', DELAY)!.attrs.stamp, notice.getChild('stored', STORED)!.attrs.stamp);
    // present recipients: no notice; and nobody else can make one
    juliet.send(chat('live', `<request xmlns='urn:xmpp:receipts'/>`));
    romeo.send(
      `<message to='juliet@localhost' id='forged'><body>x</body><stored xmlns='${STORED}' id='live'/></message>`,
    );
    const forged = await juliet.message();
    assert.equal(forged.attrs.id, 'forged');
    assert.equal(forged.getChild('stored', STORED), undefined);
    assert.equal((await romeo.message()).attrs.id, 'live');
  });

  it('more than the limit are refused', async () => {
    await stage.stop();
    stage = await TestNode.start({ users: ['romeo', 'juliet'], yaml: 'modules: { offline: { limit: 2 } }' });
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    for (const i of numbers(3)) juliet.send(chat(i));
    const error = await juliet.message();
    assert.equal(error.attrs.id, '2');
    assert.equal(condition(error), 'service-unavailable');
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    await romeo.message();
    await romeo.message();
    await romeo.settle();
    juliet.send(chat('room'));
    assert.equal((await romeo.message()).attrs.id, 'room');
  });

  /** Romeo, who does not read any more, and Juliet, who has written to him: so many messages of so many characters. */
  async function frozen(count: number, length: number): Promise<{ juliet: TestClient; romeo: TestClient }> {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    const romeo = await stage.login('romeo@localhost/orchard');
    await acknowledging(romeo);
    romeo.send('<presence/>');
    await romeo.settle();
    romeo.socket.pause();
    const body = 'x'.repeat(length);
    for (const i of numbers(count))
      juliet.send(`<message to='romeo@localhost' type='chat' id='${i}'><body>${body}</body></message>`);
    await juliet.settle();
    return { juliet, romeo };
  }

  it('a reader that freezes loses nothing of 9,000 messages, and gets none twice', async () => {
    const { juliet } = await frozen(9000, 400);
    // its session ends without its ever having read
    stage.node.closeSessions(romeoJid, { condition: 'policy-violation' });
    const reader = await stage.login('romeo@localhost/street', { presence: true });
    const got: (string | undefined)[] = [];
    while (got.length < 9000) got.push((await reader.message()).attrs.id);
    assert.deepEqual(got, numbers(9000));
    assert.deepEqual(await messages(reader), []);
    assert.deepEqual(await messages(juliet), []);
  });

  it('a reader that freezes and reads on has its session yet, and gets more than an outbox holds once and in order', async () => {
    // 12 MB, where limits.outboxBytes is 8
    const { juliet, romeo } = await frozen(3000, 4000);
    const { backlog } = stage.node.user(romeoJid)!.sessions[0]!;
    assert.ok(backlog > 1e6 && backlog < 2e6, `${backlog} bytes wait in memory`);
    romeo.socket.resume();
    const got: (string | undefined)[] = [];
    while (got.length < 3000) got.push((await romeo.message()).attrs.id);
    assert.deepEqual(got, numbers(3000));
    juliet.send(chat('live'));
    assert.equal((await romeo.message()).attrs.id, 'live');
    assert.deepEqual(await messages(juliet), []);
  });

  it('what a client did not acknowledge is given again, what it did is not', async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    for (const i of numbers(30)) juliet.send(chat(i));
    await juliet.settle();
    const romeo = await stage.login('romeo@localhost/orchard');
    (await acknowledging(romeo)).stop();
    romeo.send('<presence/>');
    for (let i = 0; i < 30; i++) await romeo.message();
    // ten messages, and what came before the tenth
    const came = [...romeo.raw.slice(romeo.raw.indexOf('<enabled')).matchAll(/<(message|presence|iq)[ >]/g)];
    const tenth = came.indexOf(came.filter(([, name]) => name === 'message')[9]!);
    romeo.send(`<a xmlns='urn:xmpp:sm:3' h='${tenth + 1}'/>`);
    await romeo.settle();
    stage.node.closeSessions(romeoJid, { condition: 'policy-violation' });
    await romeo.untilClosed();
    const next = await stage.login('romeo@localhost/street', { presence: true });
    assert.deepEqual(
      (await messages(next)).map(({ attrs }) => attrs.id),
      numbers(30).slice(10),
    );
  });

  it('what a session never took waits, of type normal too, to its full address too', async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    const romeo = await stage.login('romeo@localhost/orchard');
    (await acknowledging(romeo)).stop();
    romeo.send('<presence/>');
    await romeo.settle();
    juliet.send(`<message to='romeo@localhost' id='bare'><body>x</body></message>`);
    juliet.send(`<message to='romeo@localhost/orchard' id='full'><body>x</body></message>`);
    juliet.send(chat('chat'));
    assert.deepEqual(await messages(juliet), []);
    await romeo.settle();
    stage.node.closeSessions(romeoJid, { condition: 'policy-violation' });
    await romeo.untilClosed();
    const next = await stage.login('romeo@localhost/street', { presence: true });
    const got = await messages(next);
    assert.deepEqual(
      got.map(({ attrs }) => attrs.id),
      ['bare', 'full', 'chat'],
    );
    for (const message of got) assert.equal(message.getChildren('delay', DELAY).length, 1);
    assert.deepEqual(await messages(juliet), []);
  });

  it('what a session never took is given to who came since then, and not again to who was there', async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    const phone = await stage.login('romeo@localhost/phone');
    (await acknowledging(phone)).stop();
    phone.send('<presence/>');
    await phone.settle();
    const end = async (): Promise<void> => {
      stage.node.directory.session('romeo@localhost/phone')!.close({ condition: 'policy-violation' });
      await phone.untilClosed();
      await stage.node.hub.settled();
    };
    const street = await stage.login('romeo@localhost/street');
    juliet.send(chat('alone'));
    await juliet.settle();
    await new Promise(resolve => setTimeout(resolve, 5));
    street.send('<presence/>');
    await street.settle();
    await new Promise(resolve => setTimeout(resolve, 5));
    juliet.send(chat('both'));
    juliet.send(`<message to='romeo@localhost/gone' type='chat' id='gone'><body>x</body></message>`);
    await juliet.settle();
    const ids = async (client: TestClient) => (await messages(client)).map(({ attrs: { id, to } }) => [id, to]);
    assert.deepEqual(await ids(street), [
      ['both', 'romeo@localhost'],
      ['gone', 'romeo@localhost/gone'],
    ]);
    await end();
    assert.deepEqual(await ids(street), [['alone', 'romeo@localhost']]);
    assert.deepEqual(await messages(juliet), []);
  });

  it('a live message during a long queue comes behind it', async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    for (const i of numbers(2000)) juliet.send(chat(i));
    await juliet.settle();
    const romeo = await stage.login('romeo@localhost/orchard');
    await acknowledging(romeo);
    romeo.send('<presence/>');
    await romeo.message();
    juliet.send(chat('live'));
    const got = ['0'];
    while (got.length < 2001) got.push((await romeo.message()).attrs.id!);
    assert.deepEqual(got, [...numbers(2000), 'live']);
  });

  // what other databases do to it is in test/storage/away.test.ts
  if (!ON_SERVER)
    it('what cannot be stored goes back with an error that says to try again', async () => {
      const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
      const intruder = new Database(path.join(stage.folder, 'posthouse.sqlite'));
      intruder.exec('BEGIN IMMEDIATE');
      juliet.send(chat('lost'));
      const error = await juliet.message();
      assert.equal(error.attrs.id, 'lost');
      assert.equal(error.getChild('error')!.attrs.type, 'wait');
      intruder.exec('ROLLBACK');
      intruder.close();
      juliet.send(chat('kept'));
      await juliet.settle();
      const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
      assert.deepEqual(
        (await messages(romeo)).map(({ attrs }) => attrs.id),
        ['kept'],
      );
    });

  it('goes with the account', async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    juliet.send(chat('old'));
    await juliet.settle();
    await stage.node.accounts.remove(romeoJid);
    await stage.node.accounts.create(romeoJid, 'romeo');
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    assert.deepEqual(await messages(romeo), []);
  });
});
