import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { Elsewhere, ELSEWHERE } from './elsewhere.ts';

const CARBONS = 'urn:xmpp:carbons:2';
const ENABLE = `<enable xmlns='${CARBONS}'/>`;
const DISABLE = `<disable xmlns='${CARBONS}'/>`;
const STATE = 'http://jabber.org/protocol/chatstates';
const MUC = 'http://jabber.org/protocol/muc#user';
const error = "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";

/** What somebody got: ids of messages, and of copies with their kind. */
async function got(client: TestClient): Promise<string[]> {
  return (await client.settle())
    .filter(({ name }) => name === 'message')
    .map(message => {
      const copy = copyIn(message);
      return copy ? `${copy.kind} ${copy.message.attrs.id}` : message.attrs.id!;
    });
}

function copyIn(message: Element): { kind: string; message: Element } | undefined {
  for (const kind of ['sent', 'received']) {
    const inside = message.getChild(kind, CARBONS)?.getChild('forwarded', 'urn:xmpp:forward:0');
    if (inside) return { kind, message: inside.getChild('message', 'jabber:client')! };
  }
  return undefined;
}

describe('play: the rules of carbons (XEP-0280)', () => {
  let server: TestNode;
  let elsewhere: Elsewhere;
  let juliet: TestClient;
  let orchard: TestClient;
  let street: TestClient;
  before(async () => {
    server = await TestNode.start({ users: ['romeo', 'juliet', 'nurse'], yaml: ELSEWHERE });
    elsewhere = await Elsewhere.open(server);
    juliet = await server.login('juliet@localhost/balcony', { presence: true });
    orchard = await server.login('romeo@localhost/orchard', { presence: true });
    street = await server.login('romeo@localhost/street', { presence: true });
    for (const client of [orchard, street]) await client.iq('set', ENABLE);
    for (const client of [juliet, orchard, street]) await client.settle();
  });
  after(() => {
    elsewhere.close();
    return server.stop();
  });

  it('is a feature of the host and of the account (4)', async () => {
    for (const to of ['localhost', 'romeo@localhost']) {
      const info = await orchard.iq('get', "<query xmlns='http://jabber.org/protocol/disco#info'/>", to);
      const features = info.getChild('query')!.getChildren('feature');
      assert.ok(features.some(({ attrs }) => attrs.var === CARBONS));
    }
  });

  it('is turned on and off by the client itself only, as often as it likes (5, 10.1)', async () => {
    const client = await server.login('nurse@localhost/x');
    for (const payload of [DISABLE, ENABLE, ENABLE, DISABLE, DISABLE, ENABLE]) {
      const answer = await client.iq('set', payload);
      assert.equal(answer.attrs.type, 'result');
      assert.equal(answer.children.length, 0);
    }
    assert.equal((await client.iq('set', DISABLE, 'nurse@localhost')).attrs.type, 'result');
    assert.equal(condition(await client.iq('set', ENABLE, 'romeo@localhost')), 'service-unavailable');
    assert.equal(condition(await client.iq('get', ENABLE)), 'service-unavailable');
    await client.end();
  });

  /* What is in a message, and whether it is copied when it is sent and when it is received (6.1). */
  const RULES: [title: string, type: string, inside: string, copied: boolean][] = [
    ['chat with a body', 'chat', '<body>x</body>', true],
    ['chat without a body', 'chat', '', true],
    ['chat with a chat state', 'chat', `<composing xmlns='${STATE}'/>`, true],
    ['normal with a body', 'normal', '<body>x</body>', true],
    ['normal without a body', 'normal', "<x xmlns='urn:x'/>", false],
    ['normal with a receipt', 'normal', "<received xmlns='urn:xmpp:receipts' id='r'/>", true],
    ['normal with a chat state', 'normal', `<active xmlns='${STATE}'/>`, true],
    ['normal with a marker', 'normal', "<displayed xmlns='urn:xmpp:chat-markers:0' id='m'/>", true],
    ['an invitation to a room', 'normal', "<x xmlns='jabber:x:conference' jid='room@muc.example'/>", true],
    ['an invitation by a room', 'normal', `<x xmlns='${MUC}'><invite from='a@b.example'/></x>`, true],
    ['a headline', 'headline', '<body>x</body>', false],
    ['groupchat', 'groupchat', '<body>x</body>', false],
    ['an error that answers nothing', 'error', error, false],
    ['private', 'chat', `<body>x</body><private xmlns='${CARBONS}'/><no-copy xmlns='urn:xmpp:hints'/>`, false],
    ['private without a hint', 'chat', `<body>x</body><private xmlns='${CARBONS}'/>`, false],
    ['no-copy without private', 'chat', "<body>x</body><no-copy xmlns='urn:xmpp:hints'/>", false],
  ];
  for (const [title, type, inside, copied] of RULES) {
    it(`${title}: ${copied ? 'copied' : 'not copied'}, sent or received (6.1, 9)`, async () => {
      juliet.send(`<message to='${orchard.jid}' type='${type}' id='in'>${inside}</message>`);
      await juliet.settle();
      const original = (await orchard.settle()).find(({ attrs }) => attrs.id === 'in')!;
      // <private/> stays where it is (9, interoperability note)
      if (inside.includes('<private')) assert.ok(original.getChild('private', CARBONS));
      assert.deepEqual(await got(street), copied ? ['received in'] : []);
      orchard.send(`<message to='${juliet.jid}' type='${type}' id='out'>${inside}</message>`);
      await orchard.settle();
      assert.deepEqual(await got(juliet), ['out']);
      assert.deepEqual(await got(street), copied ? ['sent out'] : []);
    });
  }

  it('a copy: from the account, to the resource, of the same type, with the whole message (7, 8)', async () => {
    const inside = "<body>x</body><thread>t</thread><x xmlns='urn:x'><y/></x>";
    juliet.send(`<message to='${orchard.jid}' type='chat' id='w' xml:lang='it'>${inside}</message>`);
    const received = await street.message();
    await orchard.message();
    orchard.send(`<message to='${juliet.jid}' type='chat' id='w' xml:lang='it'>${inside}</message>`);
    const sent = await street.message();
    for (const copy of [received, sent]) {
      assert.deepEqual(
        { ...copy.attrs },
        {
          type: 'chat',
          from: 'romeo@localhost',
          to: 'romeo@localhost/street',
          xmlns: 'jabber:client',
        },
      );
      assert.equal(copy.getChildElements().length, 1);
      const { message } = copyIn(copy)!;
      assert.equal(message.attrs['xml:lang'], 'it');
      assert.equal(message.getChildText('thread'), 't');
      assert.ok(message.getChild('x', 'urn:x')!.getChild('y'));
    }
    assert.deepEqual(
      [received, sent].map(copy => [copyIn(copy)!.message.attrs.from, copyIn(copy)!.message.attrs.to]),
      [
        [juliet.jid, orchard.jid],
        [orchard.jid, juliet.jid],
      ],
    );
    await juliet.settle();
  });

  it('copies go to who asked, available or not, of whatever priority (7)', async () => {
    const connected = await server.login('romeo@localhost/connected');
    const negative = await server.login('romeo@localhost/negative', { presence: -1 });
    for (const client of [connected, negative]) {
      await client.iq('set', ENABLE);
      await client.settle();
    }
    for (const client of [orchard, street]) await client.settle();
    juliet.send(`<message to='romeo@localhost' type='chat' id='bare'><body>x</body></message>`);
    await juliet.settle();
    assert.deepEqual(await got(orchard), ['bare']);
    assert.deepEqual(await got(street), ['bare']);
    assert.deepEqual(await got(connected), ['received bare']);
    assert.deepEqual(await got(negative), ['received bare']);
    for (const client of [connected, negative]) await client.end();
    for (const client of [orchard, street]) await client.settle();
  });

  it('of what waits in offline storage, since nobody takes messages, who is there gets copies (7)', async () => {
    const negative = await server.login('nurse@localhost/negative', { presence: -1 });
    await negative.iq('set', ENABLE);
    await negative.settle();
    juliet.send(`<message to='nurse@localhost' type='chat' id='waits'><body>x</body></message>`);
    await juliet.settle();
    assert.deepEqual(await got(negative), ['received waits']);
    const next = await server.login('nurse@localhost/next', { presence: true });
    assert.equal((await next.message()).attrs.id, 'waits');
    await negative.end();
    await next.end();
  });

  it('what its recipient keeps and its sender does not (XEP-0441) is copied too, without an id (8)', async () => {
    const keep = (never: string): string => `<prefs xmlns='urn:xmpp:mam:2' default='always'><always/>${never}</prefs>`;
    await orchard.iq('set', keep('<never><jid>juliet@localhost</jid></never>'));
    orchard.send(`<message to='juliet@localhost' type='chat' id='unkept'><body>x</body></message>`);
    await orchard.settle();
    assert.deepEqual(await got(juliet), ['unkept']);
    const copy = copyIn(await street.message())!;
    assert.deepEqual(
      [copy.kind, copy.message.attrs.id, copy.message.getChild('stanza-id')],
      ['sent', 'unkept', undefined],
    );
    await orchard.iq('set', keep('<never/>'));
  });

  it('who had a copy of what waits is not given that as well (7)', async () => {
    const nurse = await server.login('nurse@localhost/early');
    await nurse.iq('set', ENABLE);
    juliet.send(`<message to='nurse@localhost' type='chat' id='early'><body>x</body></message>`);
    await juliet.settle();
    assert.deepEqual(await got(nurse), ['received early']);
    nurse.send('<presence/>');
    assert.deepEqual(await got(nurse), []);
    nurse.send('<presence><priority>-1</priority></presence>');
    await nurse.iq('set', DISABLE);
    juliet.send(`<message to='nurse@localhost' type='chat' id='plain'><body>x</body></message>`);
    await juliet.settle();
    await nurse.iq('set', ENABLE);
    juliet.send(`<message to='nurse@localhost' type='chat' id='copied'><body>x</body></message>`);
    await juliet.settle();
    assert.deepEqual(await got(nurse), ['received copied']);
    nurse.send('<presence/>');
    assert.deepEqual(await got(nurse), ['plain']);
    const next = await server.login('nurse@localhost/next', { presence: true });
    assert.deepEqual(await got(next), []);
    await nurse.end();
    await next.end();
  });

  it('no copies of copies, whoever wraps them', async () => {
    const forged = `<received xmlns='${CARBONS}'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@localhost' to='romeo@localhost'><body>x</body></message></forwarded></received>`;
    juliet.send(`<message to='${orchard.jid}' type='chat' id='forged'>${forged}<body>x</body></message>`);
    await juliet.settle();
    assert.equal((await orchard.message()).attrs.from, juliet.jid);
    assert.deepEqual(await got(street), []);
  });

  it("a room's private messages: sent ones are copied, received ones are not (6.1)", async () => {
    const nick = `${elsewhere.address('room')}/nick`;
    const inside = `<body>x</body><x xmlns='${MUC}'/>`;
    elsewhere.send(`<message from='${nick}' to='${orchard.jid}' type='chat' id='pm'>${inside}</message>`);
    await elsewhere.settle();
    assert.deepEqual(await got(orchard), ['pm']);
    assert.deepEqual(await got(street), []);
    orchard.send(`<message to='${nick}' type='chat' id='answer'>${inside}</message>`);
    await orchard.settle();
    assert.deepEqual(await got(street), ['sent answer']);
    await elsewhere.settle();
  });

  it('an error is copied when it answers what was copied, also if it is the server’s own (6.1)', async () => {
    orchard.send(`<message to='nobody@localhost' type='chat' id='lost'><body>x</body></message>`);
    orchard.send(`<message to='nobody@localhost' type='normal' id='mute'><x xmlns='urn:x'/></message>`);
    assert.deepEqual(await got(orchard), ['lost', 'mute']);
    const copies = (await street.settle()).map(message => copyIn(message)!);
    assert.deepEqual(
      copies.map(({ kind, message }) => `${kind} ${message.attrs.type} ${message.attrs.id}`),
      ['sent chat lost', 'received error lost'],
    );
    assert.equal(condition(copies[1]!.message), 'service-unavailable');
  });

  it('what is blocked is not copied: neither what a blocked address sends, nor what is sent to it', async () => {
    const block = (name: string): string =>
      `<${name} xmlns='urn:xmpp:blocking'><item jid='juliet@localhost'/></${name}>`;
    await street.iq('set', block('block'));
    juliet.send(`<message to='${orchard.jid}' type='chat' id='blocked-in'><body>x</body></message>`);
    assert.equal(condition(await juliet.message()), 'service-unavailable');
    orchard.send(`<message to='${juliet.jid}' type='chat' id='blocked-out'><body>x</body></message>`);
    assert.equal(condition(await orchard.message()), 'not-acceptable');
    assert.deepEqual(await got(street), []);
    assert.deepEqual(await got(orchard), []);
    await street.iq('set', block('unblock'));
    for (const client of [orchard, street]) await client.settle();
  });

  it('what its session never took is given again only where no other client has a copy', async () => {
    for (const acknowledges of [true, false]) {
      const gone = await server.login('nurse@localhost/gone', { presence: true });
      gone.send("<enable xmlns='urn:xmpp:sm:3'/>");
      const other = await server.login('nurse@localhost/other', { presence: true });
      await other.iq('set', ENABLE);
      if (!acknowledges) other.send("<enable xmlns='urn:xmpp:sm:3'/>");
      for (const client of [gone, other]) await client.settle();
      juliet.send(`<message to='nurse@localhost/gone' type='chat' id='untaken'><body>x</body></message>`);
      await juliet.settle();
      assert.deepEqual(await got(other), ['received untaken']);
      server.node.directory.session('nurse@localhost/gone')!.close({ condition: 'policy-violation' });
      await server.node.hub.settled();
      assert.deepEqual(await got(other), acknowledges ? [] : ['untaken']);
      await other.end();
    }
    const next = await server.login('nurse@localhost/next', { presence: true });
    await got(next);
    await next.end();
  });

  it('a copy that its session never took is nobody else’s (11)', async () => {
    const late = await server.login('romeo@localhost/late', { presence: -1 });
    await late.iq('set', ENABLE);
    late.send("<enable xmlns='urn:xmpp:sm:3'/>");
    await late.expect(({ name }) => name === 'enabled', 'stream management');
    await late.settle();
    for (const client of [orchard, street]) await client.settle();
    juliet.send(`<message to='${orchard.jid}' type='chat' id='once'><body>x</body></message>`);
    await juliet.settle();
    await late.message();
    server.node.directory.session(parseJid(late.jid)!.full)!.close({ condition: 'policy-violation' });
    await server.node.hub.settled();
    assert.deepEqual(await got(orchard), ['once']);
    assert.deepEqual(await got(street), ['received once']);
    assert.deepEqual(await got(juliet), []);
  });
});
