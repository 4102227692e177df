import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

const DELAY = 'urn:xmpp:delay';
const STORED = 'urn:posthouse:stored:0';
const STATE = '<composing xmlns="http://jabber.org/protocol/chatstates"/>';
const REQUEST = '<request xmlns="urn:xmpp:receipts"/>';
const hint = (name: string): string => `<${name} xmlns='urn:xmpp:hints'/>`;

const messages = (stanzas: readonly Element[]): Element[] => stanzas.filter(({ name }) => name === 'message');

describe('play: the rules of offline messages (XEP-0160, XEP-0203, XEP-0334)', () => {
  let server: TestNode;
  let juliet: TestClient;
  let count = 0;
  let R: string;
  before(async () => {
    server = await TestNode.start({ users: ['juliet'] });
    juliet = await server.login('juliet@localhost/balcony', { presence: true });
  });
  after(() => server.stop());
  beforeEach(async () => {
    R = `romeo${++count}@localhost`;
    await server.addUser(`romeo${count}`);
  });

  const login = (resource: string, presence: boolean | number = true): Promise<TestClient> =>
    server.login(`${R}/${resource}`, { presence });

  it('is a feature of the host', async () => {
    const info = await juliet.iq('get', "<query xmlns='http://jabber.org/protocol/disco#info'/>", 'localhost');
    assert.ok(
      info
        .getChild('query')!
        .getChildren('feature')
        .some(({ attrs }) => attrs.var === 'msgoffline'),
    );
  });

  /* What is sent to somebody who is away, and whether it waits, is bounced, or is ignored. */
  const RULES: [title: string, type: string, inside: string, fate: 'waits' | 'bounced' | 'ignored'][] = [
    ['chat', 'chat', '<body>x</body>', 'waits'],
    ['normal', 'normal', '<body>x</body>', 'waits'],
    ['normal without a body', 'normal', "<x xmlns='urn:x'/>", 'waits'],
    ['normal with nothing in it', 'normal', '', 'waits'],
    ['headline', 'headline', '<body>x</body>', 'ignored'],
    ['groupchat', 'groupchat', '<body>x</body>', 'bounced'],
    ['error', 'error', "<error type='cancel'/>", 'ignored'],
    ['a chat state and nothing else', 'chat', STATE, 'ignored'],
    ['a chat state of a thread', 'chat', `${STATE}<thread>t</thread>`, 'ignored'],
    ['a chat state with a body', 'chat', `<body>x</body>${STATE}`, 'waits'],
    ['a receipt', 'chat', "<received xmlns='urn:xmpp:receipts' id='r'/>", 'waits'],
    ['a marker', 'chat', "<displayed xmlns='urn:xmpp:chat-markers:0' id='r'/>", 'waits'],
    ['something encrypted', 'chat', "<encrypted xmlns='eu.siacs.conversations.axolotl'/>", 'waits'],
    ['no-store', 'chat', `<body>x</body>${hint('no-store')}`, 'bounced'],
    ['no-store without a body', 'chat', `<x xmlns='urn:x'/>${hint('no-store')}`, 'ignored'],
    ['no-permanent-store', 'chat', `<body>x</body>${hint('no-permanent-store')}`, 'waits'],
    ['store', 'chat', `${STATE}${hint('store')}`, 'waits'],
    ['headline with store', 'headline', `<body>x</body>${hint('store')}`, 'ignored'],
  ];
  it('what waits, what is bounced, what is ignored', async () => {
    for (const [title, type, inside] of RULES)
      juliet.send(`<message to='${R}' type='${type}' id='${title}'>${inside}</message>`);
    const errors = messages(await juliet.settle());
    for (const answer of errors) assert.equal(condition(answer), 'service-unavailable');
    const romeo = await login('orchard');
    const waited = messages(await romeo.settle()).map(({ attrs }) => attrs.id!);
    for (const [title, , , fate] of RULES) {
      assert.equal(
        waited.includes(title) ? 'waits' : errors.some(({ attrs }) => attrs.id === title) ? 'bounced' : 'ignored',
        fate,
        title,
      );
    }
    await romeo.end();
  });

  it('a message that waited is what it was, with one stamp by the host, in UTC (XEP-0203)', async () => {
    const forged = `<delay xmlns='${DELAY}' from='localhost' stamp='2001-01-01T00:00:00Z'/>`;
    const other = `<delay xmlns='${DELAY}' from='room@muc.example' stamp='2002-02-02T00:00:00Z'/>`;
    const inside = `<subject>s</subject><body>x</body><thread>t</thread>${REQUEST}<x xmlns='urn:x'><y/></x>`;
    const before = Date.now();
    juliet.send(`<message to='${R}/gone' type='chat' id='whole' xml:lang='it'>${inside}${forged}${other}</message>`);
    const notice = await juliet.message();
    const romeo = await login('orchard');
    const message = await romeo.message();
    assert.deepEqual(
      { ...message.attrs },
      {
        xmlns: 'jabber:client',
        from: juliet.jid,
        to: `${R}/gone`,
        type: 'chat',
        id: 'whole',
        'xml:lang': 'it',
      },
    );
    for (const name of ['subject', 'body', 'thread']) assert.ok(message.getChild(name));
    assert.ok(message.getChild('x', 'urn:x')!.getChild('y'));
    const stamps = message.getChildren('delay', DELAY);
    assert.deepEqual(
      stamps.map(({ attrs }) => attrs.from),
      ['room@muc.example', 'localhost'],
    );
    const { stamp } = stamps[1]!.attrs;
    assert.match(stamp!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    assert.ok(Date.parse(stamp!) >= before && Date.parse(stamp!) <= Date.now());
    assert.equal(notice.getChild('stored', STORED)!.attrs.stamp, stamp);
    assert.equal(message.getChildren('stanza-id', 'urn:xmpp:sid:0').length, 1);
    await romeo.end();
  });

  it('waits for presence, not for a connection; is given once, to the resource that comes first', async () => {
    for (const id of ['1', '2', '3']) juliet.send(`<message to='${R}' type='chat' id='${id}'><body>x</body></message>`);
    await juliet.settle();
    const connected = await login('connected', false);
    const negative = await login('negative', -1);
    assert.deepEqual(messages(await connected.settle()), []);
    assert.deepEqual(messages(await negative.settle()), []);
    connected.send('<presence/>');
    assert.deepEqual(
      messages(await connected.settle()).map(({ attrs }) => attrs.id),
      ['1', '2', '3'],
    );
    const later = await login('later');
    assert.deepEqual(messages(await later.settle()), []);
    negative.send('<presence><priority>5</priority></presence>');
    assert.deepEqual(messages(await negative.settle()), []);
    for (const client of [connected, negative, later]) await client.end();
    const again = await login('again');
    assert.deepEqual(messages(await again.settle()), []);
    await again.end();
  });

  it('who becomes unavailable is away; what waited comes with the next presence of the same session', async () => {
    const romeo = await login('orchard');
    romeo.send("<presence type='unavailable'/>");
    await romeo.settle();
    juliet.send(`<message to='${R}' type='chat' id='waits'><body>x</body></message>`);
    await juliet.settle();
    assert.deepEqual(messages(await romeo.settle()), []);
    romeo.send('<presence/>');
    assert.equal((await romeo.message()).attrs.id, 'waits');
    // a later presence brings nothing again
    romeo.send('<presence><show>away</show></presence>');
    assert.deepEqual(messages(await romeo.settle()), []);
    await romeo.end();
  });

  it('messages to oneself wait too', async () => {
    const romeo = await login('orchard', false);
    romeo.send(`<message to='${R}' type='chat' id='note'><body>x</body></message>`);
    romeo.send(`<message type='chat' id='note2'><body>x</body></message>`);
    await romeo.settle();
    romeo.send('<presence/>');
    assert.deepEqual(
      messages(await romeo.settle()).map(({ attrs }) => attrs.id),
      ['note', 'note2'],
    );
    await romeo.end();
  });

  it('the notice: only for what is stored, to the session that sent it, once (docs/protocol.md)', async () => {
    const chamber = await server.login('juliet@localhost/chamber', { presence: true });
    await chamber.iq('set', "<enable xmlns='urn:xmpp:carbons:2'/>");
    await juliet.settle();
    await chamber.settle();
    juliet.send(`<message to='${R}' type='chat' id='kept'><body>x</body>${REQUEST}</message>`);
    juliet.send(`<message to='${R}' type='chat' id='bounced'><body>x</body>${REQUEST}${hint('no-store')}</message>`);
    juliet.send(`<message to='${R}' type='chat'><body>x</body>${REQUEST}</message>`);
    juliet.send(`<message to='nobody@localhost' type='chat' id='nobody'><body>x</body>${REQUEST}</message>`);
    const got: Element[] = [];
    while (!got.some(message => message.getChild('stored', STORED))) got.push(...messages(await juliet.settle()));
    const notices = [...got, ...messages(await juliet.settle())].filter(message => message.getChild('stored', STORED));
    assert.deepEqual(
      notices.map(notice => notice.getChild('stored', STORED)!.attrs.id),
      ['kept'],
    );
    assert.ok(!(await chamber.settle()).some(message => message.toString().includes(STORED)));
    await chamber.end();
  });

  it("with 'tell: always', notices need no receipt to be asked for; without the module offline nothing waits", async () => {
    const always = await TestNode.start({ users: ['romeo', 'juliet'], yaml: 'modules: { stored: { tell: always } }' });
    try {
      const sender = await always.login('juliet@localhost/x');
      sender.send(`<message to='romeo@localhost' type='chat' id='m'><body>x</body></message>`);
      assert.equal((await sender.message()).getChild('stored', STORED)!.attrs.id, 'm');
    } finally {
      await always.stop();
    }
    const without = await TestNode.start({
      users: ['romeo', 'juliet'],
      yaml: 'modules: { stored: false, offline: false }',
    });
    try {
      const sender = await without.login('juliet@localhost/x');
      sender.send(`<message to='romeo@localhost' type='chat' id='m'><body>x</body></message>`);
      assert.equal(condition(await sender.message()), 'service-unavailable');
    } finally {
      await without.stop();
    }
  });
});
