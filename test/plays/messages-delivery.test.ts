import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

/** Types of messages; the last is none that the RFC knows, which counts as normal (5.2.2). */
const TYPES = ['normal', 'chat', 'groupchat', 'headline', 'error', 'unheard-of'] as const;
type Type = (typeof TYPES)[number];

/**
 * What becomes of a message, in the words of RFC 6121 8.5.4: stored offline, bounced with an error, silently ignored, delivered to
 * the resource that is named, delivered to all that take messages.
 */
type Fate = 'O' | 'E' | 'S' | 'D' | 'A';
type Row = Record<Type, Fate>;

const row = (fates: string): Row =>
  Object.fromEntries(TYPES.map((type, index) => [type, fates[index === 5 ? 0 : index]])) as Row;

interface State {
  readonly title: string;
  /** The sessions of the recipient: their priorities, undefined for one that is not available. None: no account. */
  readonly sessions: readonly (number | undefined)[] | undefined;
  readonly bare: Row;
  readonly match?: Row;
  readonly noMatch: Row;
}

/* Normal, chat, groupchat, headline, error. */
const STATES: readonly State[] = [
  { title: 'the account does not exist', sessions: undefined, bare: row('EEESS'), noMatch: row('EEESS') },
  { title: 'no session', sessions: [], bare: row('OOESS'), noMatch: row('EOESS') },
  {
    title: 'one session, not available',
    sessions: [undefined],
    bare: row('OOESS'),
    match: row('DDDDD'),
    noMatch: row('EOESS'),
  },
  {
    title: 'sessions of negative priority only',
    sessions: [-1, -128],
    bare: row('OOESS'),
    match: row('DDDDD'),
    noMatch: row('EOESS'),
  },
  { title: 'one session', sessions: [0], bare: row('AAEAS'), match: row('DDDDD'), noMatch: row('EAESS') },
  {
    title: 'several sessions, two of them with the same priority, one negative, one not available',
    sessions: [0, 5, 5, -1, undefined],
    bare: row('AAEAS'),
    match: row('DDDDD'),
    noMatch: row('EAESS'),
  },
];

describe('play: where messages go (RFC 6121 8.5)', () => {
  let server: TestNode;
  let juliet: TestClient;
  before(async () => {
    server = await TestNode.start({ users: ['juliet', 'romeo'] });
    juliet = await server.login('juliet@localhost/balcony', { presence: true });
  });
  after(() => server.stop());

  const idsIn = (stanzas: readonly Element[]): string[] =>
    stanzas.filter(({ name }) => name === 'message').map(({ attrs }) => attrs.id!);

  for (const [index, { title, sessions, bare, match, noMatch }] of STATES.entries()) {
    it(`${title}: every type to every kind of address (8.5.4)`, async () => {
      const account = `state${index}@localhost`;
      if (sessions) await server.addUser(`state${index}`);
      const clients: TestClient[] = [];
      for (const [i, priority] of (sessions ?? []).entries())
        clients.push(await server.login(`${account}/s${i}`, { presence: priority ?? false }));
      for (const client of clients) await client.settle();

      const addresses: [kind: string, to: string, fates: Row][] = [
        ['bare', account, bare],
        ['no match', `${account}/nowhere`, noMatch],
      ];
      if (match) addresses.push(['match', `${account}/s${clients.length - 1}`, match]);
      for (const [kind, to] of addresses)
        for (const type of TYPES)
          juliet.send(`<message to='${to}' type='${type}' id='${kind} ${type}'><body>x</body></message>`);
      const errors = await juliet.settle();
      const got: string[][] = [];
      for (const client of clients) {
        const messages = (await client.settle()).filter(({ name }) => name === 'message');
        for (const { attrs } of messages) {
          // 8.5.2.1.1: the address stays as it is
          assert.equal(attrs.to, addresses.find(([kind]) => attrs.id!.startsWith(kind))![1]);
          assert.equal(attrs.from, 'juliet@localhost/balcony');
        }
        got.push(idsIn(messages));
        await client.end();
      }
      const stored = sessions ? idsIn(await (await server.login(`${account}/late`, { presence: true })).settle()) : [];

      const taking = (sessions ?? []).flatMap((priority, i) => (priority !== undefined && priority >= 0 ? [i] : []));
      for (const [kind, , fates] of addresses) {
        for (const type of TYPES) {
          const id = `${kind} ${type}`;
          const fate = fates[type];
          const holders = got.flatMap((ids, i) => (ids.includes(id) ? [i] : []));
          const expected = fate === 'A' ? taking : fate === 'D' ? [clients.length - 1] : [];
          assert.deepEqual(holders, expected, `${id}: delivered`);
          const bounced = errors.filter(({ attrs }) => attrs.id === id);
          assert.deepEqual(bounced.map(condition), fate === 'E' ? ['service-unavailable'] : [], `${id}: bounced`);
          for (const { attrs } of bounced) assert.equal(attrs.type, 'error');
          assert.equal(stored.includes(id), fate === 'O', `${id}: stored`);
        }
      }
    });
  }

  it("with 'most-available', chat and normal go to the highest priority, all of it; headlines to all", async () => {
    const other = await TestNode.start({
      users: ['juliet', 'romeo'],
      yaml: 'modules: { messages: { resources: most-available } }',
    });
    try {
      const sender = await other.login('juliet@localhost/x');
      const clients = [];
      for (const [i, priority] of [1, 7, 7, -1].entries())
        clients.push(await other.login(`romeo@localhost/s${i}`, { presence: priority }));
      for (const client of clients) await client.settle();
      for (const type of ['normal', 'chat', 'headline'])
        sender.send(`<message to='romeo@localhost' type='${type}' id='${type}'><body>x</body></message>`);
      await sender.settle();
      const got = [];
      for (const client of clients) got.push(idsIn(await client.settle()));
      const all = ['normal', 'chat', 'headline'];
      assert.deepEqual(got, [['headline'], all, all, []]);
    } finally {
      await other.stop();
    }
  });

  it('a message without an address is for the sender’s own account (RFC 6120 10.3.1)', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    const garden = await server.login('romeo@localhost/garden', { presence: true });
    await romeo.settle();
    romeo.send(`<message type='chat' id='self'><body>note</body></message>`);
    for (const client of [romeo, garden]) {
      const { attrs } = await client.message();
      assert.deepEqual([attrs.id, attrs.from, attrs.to], ['self', 'romeo@localhost/orchard', 'romeo@localhost']);
      await client.settle();
      await client.end();
    }
  });

  it('passes on what it holds untouched: languages, subject, thread, markup, unknown things (5.2, 5.3)', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    await romeo.settle();
    const inside = [
      '<subject>I implore you!</subject>',
      `<subject xml:lang="cs">\u00dap\u011bnliv\u011b pros\u00edm!</subject>`,
      '<body>Wherefore art thou, Romeo? &lt;3 &amp; more</body>',
      `<body xml:lang="cs">Pro\u010de\u017e jsi ty, Romeo?</body>`,
      '<thread parent="e0ffe42b">0e3141cd</thread>',
      '<html xmlns="http://jabber.org/protocol/xhtml-im"><body xmlns="http://www.w3.org/1999/xhtml"><p>Wherefore <em>art</em></p></body></html>',
      '<request xmlns="urn:xmpp:receipts"/>',
      '<unheard xmlns="urn:example:of"><b/>text</unheard>',
    ];
    juliet.send(`<message to='romeo@localhost' type='chat' id='whole' xml:lang='en'>${inside.join('')}</message>`);
    const message = await romeo.message();
    assert.equal(message.attrs['xml:lang'], 'en');
    const children = message.getChildElements().filter(child => !child.is('stanza-id', 'urn:xmpp:sid:0'));
    assert.deepEqual(
      children.map(child => child.toString()),
      inside,
    );
    // a receipt is the recipient's to give (XEP-0184), and goes its way
    assert.deepEqual(await juliet.settle(), []);
    romeo.send(`<message to='${juliet.jid}' type='chat'><received xmlns='urn:xmpp:receipts' id='whole'/></message>`);
    assert.equal((await juliet.message()).getChild('received', 'urn:xmpp:receipts')!.attrs.id, 'whole');
    await romeo.end();
  });

  it('an error tells which message it is about, with its content', async () => {
    juliet.send(`<message to='nobody@localhost' type='chat' id='lost'><body>hello?</body></message>`);
    const error = await juliet.message();
    assert.deepEqual(
      { ...error.attrs },
      {
        type: 'error',
        id: 'lost',
        from: 'nobody@localhost',
        to: 'juliet@localhost/balcony',
        xmlns: 'jabber:client',
      },
    );
    assert.equal(error.getChildText('body'), 'hello?');
    assert.equal(error.getChild('error')!.attrs.type, 'cancel');
  });

  it('a message to the host is refused (8.4), and one to a domain elsewhere (8.3)', async () => {
    juliet.send(`<message to='localhost' id='host'><body>x</body></message>`);
    assert.equal(condition(await juliet.message()), 'service-unavailable');
    juliet.send(`<message to='romeo@nowhere.example' id='far'><body>x</body></message>`);
    assert.equal(condition(await juliet.message()), 'remote-server-not-found');
  });
});
