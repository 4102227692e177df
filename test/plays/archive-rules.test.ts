import assert from 'node:assert/strict';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { MESSAGES } from '../../modules/archive/schema.ts';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { ON_SERVER } from '../kit/storage.ts';
import { ask, form, idBy, MAM } from './archive.ts';
import { Elsewhere, ELSEWHERE } from './elsewhere.ts';
import { ok, verona } from './verona.ts';

const RETRACT = 'urn:xmpp:message-retract:1';
const SID = 'urn:xmpp:sid:0';

const prefs = (behaviour: string, always: readonly string[] = [], never: readonly string[] = []): string => {
  const list = (name: string, jids: readonly string[]): string =>
    `<${name}>${jids.map(jid => `<jid>${jid}</jid>`).join('')}</${name}>`;
  return `<prefs xmlns='${MAM}' default='${behaviour}'>${list('always', always)}${list('never', never)}</prefs>`;
};

/** Preferences as plain values. */
function plain(iq: Element): [string | undefined, string[], string[]] {
  const element = ok(iq).getChild('prefs', MAM)!;
  const list = (name: string): string[] =>
    element
      .getChild(name)!
      .getChildren('jid')
      .map(jid => jid.getText());
  return [element.attrs.default, list('always'), list('never')];
}

describe('play: whose messages are archived (XEP-0441)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  beforeEach(async () => {
    ({ stage, romeo, juliet } = await verona('modules: { archive: { preferences: 3 } }\n'));
  });
  afterEach(() => stage.stop());

  const say = async (from: TestClient, to: TestClient, body: string): Promise<Element> => {
    from.send(`<message to='${to.jid}' type='chat'><body>${body}</body></message>`);
    return to.message();
  };

  it('everybody’s, until the account says something else; what it says stays', async () => {
    assert.deepEqual(plain(await romeo.iq('get', `<prefs xmlns='${MAM}'/>`)), ['always', [], []]);
    const set = await romeo.iq(
      'set',
      prefs('never', ['Juliet@LOCALHOST', 'nurse@localhost/House'], ['tybalt@localhost']),
    );
    const expected = ['never', ['juliet@localhost', 'nurse@localhost/House'], ['tybalt@localhost']];
    assert.deepEqual(plain(set), expected);
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder });
    romeo = await stage.login('romeo@localhost/orchard');
    assert.deepEqual(plain(await romeo.iq('get', `<prefs xmlns='${MAM}'/>`)), expected);
    assert.deepEqual(plain(await romeo.iq('set', `<prefs xmlns='${MAM}' default='roster'/>`)), ['roster', [], []]);
  });

  it('never: it is delivered, and in the other’s archive only', async () => {
    await juliet.iq('set', prefs('always', [], ['romeo@localhost']));
    await say(romeo, juliet, 'one');
    await say(juliet, romeo, 'two');
    assert.deepEqual((await ask(juliet)).bodies, []);
    assert.deepEqual((await ask(romeo)).bodies, ['one', 'two']);
    await romeo.iq('set', prefs('never'));
    await say(romeo, juliet, 'three');
    assert.deepEqual((await ask(romeo)).bodies, ['one', 'two']);
  });

  it('a list goes before the default, a resource stands for itself, and never before always', async () => {
    await romeo.iq('set', prefs('never', ['juliet@localhost/balcony'], []));
    await say(juliet, romeo, 'balcony');
    const chamber = await stage.login('juliet@localhost/chamber', { presence: true });
    await say(chamber, romeo, 'chamber');
    assert.deepEqual((await ask(romeo)).bodies, ['balcony']);
    await romeo.iq('set', prefs('never', ['juliet@localhost'], ['juliet@localhost/balcony']));
    await say(juliet, romeo, 'balcony again');
    await say(chamber, romeo, 'chamber again');
    assert.deepEqual((await ask(romeo)).bodies, ['balcony', 'chamber again']);
  });

  it('roster: those of contacts, and one’s own', async () => {
    await romeo.iq('set', prefs('roster'));
    await say(juliet, romeo, 'stranger');
    await say(romeo, romeo, 'note');
    await romeo.iq('set', "<query xmlns='jabber:iq:roster'><item jid='juliet@localhost'/></query>");
    await say(juliet, romeo, 'contact');
    await say(romeo, juliet, 'answer');
    assert.deepEqual((await ask(romeo)).bodies, ['note', 'contact', 'answer']);
  });

  it('what cannot be is refused', async () => {
    for (const [payload, error] of [
      [prefs('sometimes'), 'bad-request'],
      [`<prefs xmlns='${MAM}'/>`, 'bad-request'],
      [prefs('always', ['a@b@c']), 'jid-malformed'],
      [prefs('always', ['a@b', 'b@b', 'c@b', 'd@b']), 'not-acceptable'],
    ] as const)
      assert.equal(condition(await romeo.iq('set', payload)), error);
    assert.deepEqual(plain(await romeo.iq('get', `<prefs xmlns='${MAM}'/>`)), ['always', [], []]);
  });
});

describe('play: retracted messages in archives (XEP-0424)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  beforeEach(async () => {
    ({ stage, romeo, juliet } = await verona(ELSEWHERE));
  });
  afterEach(() => stage.stop());

  const retraction = (of: string, id: string): string =>
    `id='${id}' type='chat'><retract xmlns='${RETRACT}' id='${of}'/><body>retracted</body><store xmlns='urn:xmpp:hints'/>`;

  it('a tombstone takes the place of the message in both archives, and the retraction is there', async () => {
    romeo.send(
      "<message to='juliet@localhost' type='chat' id='wrong' xml:lang='en'><body>oops</body><x xmlns='urn:x'/></message>",
    );
    const id = idBy(await juliet.message(), 'juliet@localhost');
    romeo.send(`<message to='juliet@localhost' ${retraction('wrong', 'r1')}</message>`);
    assert.equal((await juliet.message()).attrs.id, 'r1');
    for (const client of [romeo, juliet]) {
      const { results } = await ask(client);
      assert.equal(results.length, 2);
      const [{ message, id: kept, from, to }, { message: later }] = results as [
        (typeof results)[0],
        (typeof results)[0],
      ];
      assert.deepEqual([kept, from, to], [id, 'romeo@localhost/orchard', 'juliet@localhost']);
      assert.deepEqual([message.attrs.id, message.attrs.type, message.attrs['xml:lang']], ['wrong', 'chat', 'en']);
      assert.deepEqual(
        message.getChildElements().map(({ name }) => name),
        ['retracted'],
      );
      const tombstone = message.getChild('retracted', RETRACT)!;
      assert.equal(tombstone.attrs.id, 'r1');
      assert.ok(Math.abs(Date.parse(tombstone.attrs.stamp!) - Date.now()) < 60_000);
      assert.equal(later.getChild('retract', RETRACT)!.attrs.id, 'wrong');
    }
  });

  it('nobody retracts what somebody else said', async () => {
    await stage.addUser('tybalt');
    const tybalt = await stage.login('tybalt@localhost/street', { presence: true });
    romeo.send("<message to='juliet@localhost' type='chat' id='m'><body>mine</body></message>");
    await juliet.message();
    for (const client of [juliet, tybalt]) {
      client.send(`<message to='romeo@localhost' ${retraction('m', 'r')}</message>`);
      await romeo.message();
      client.send(`<message to='juliet@localhost' ${retraction('m', 'r')}</message>`);
      await client.settle();
    }
    for (const client of [romeo, juliet]) assert.equal((await ask(client)).bodies[0], 'mine');
  });

  it('whichever of the two archives has the message, and whether they keep the retraction now', async () => {
    const said = async (from: TestClient, to: TestClient, rest: string): Promise<void> => {
      from.send(`<message to='${to.jid}' ${rest}</message>`);
      await to.message();
    };
    const left = async (client: TestClient): Promise<(string | undefined)[]> =>
      (await ask(client)).results.map(({ message }) => message.getChildElements()[0]!.name);
    await juliet.iq('set', prefs('never'));
    await said(romeo, juliet, "type='chat' id='one'><body>his</body>");
    await juliet.iq('set', prefs('always'));
    await said(romeo, juliet, retraction('one', 'r1'));
    assert.deepEqual([await left(romeo), await left(juliet)], [['retracted', 'retract'], ['retract']]);
    await romeo.iq('set', prefs('never'));
    await said(romeo, juliet, "type='chat' id='two'><body>hers</body>");
    await romeo.iq('set', prefs('always'));
    await juliet.iq('set', prefs('never'));
    await said(romeo, juliet, retraction('two', 'r2'));
    assert.deepEqual(await left(juliet), ['retract', 'retracted']);
  });

  it('only the newest of that id goes, and a second time nothing', async () => {
    for (const body of ['first', 'second'])
      romeo.send(`<message to='juliet@localhost' type='chat' id='same'><body>${body}</body></message>`);
    for (const id of ['r1', 'r2']) romeo.send(`<message to='juliet@localhost' ${retraction('same', id)}</message>`);
    await romeo.settle();
    const ids = (await ask(juliet)).results.map(
      ({ message }) => message.getChild('retracted')?.attrs.id ?? message.getChildText('body'),
    );
    assert.deepEqual(ids, ['r2', 'r1', 'retracted', 'retracted']);
  });

  it('what was sent elsewhere is retracted in the sender’s archive; an occupant of a room retracts nobody else’s', async () => {
    const other = await Elsewhere.open(stage);
    const room = other.address('room');
    romeo.send(`<message to='${room}/nick' type='chat' id='pm'><body>pm</body></message>`);
    await romeo.settle();
    romeo.send(`<message to='${room}/nick' ${retraction('pm', 'r')}</message>`);
    await romeo.settle();
    const muc = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
    other.send(`<message from='${room}/one' to='${romeo.jid}' type='chat' id='a'><body>one</body>${muc}</message>`);
    other.send(`<message from='${room}/two' to='${romeo.jid}' ${retraction('a', 'x')}${muc}</message>`);
    await other.settle();
    const bodies = async (): Promise<(string | undefined)[]> =>
      (await ask(romeo, form({ with: room }))).results.map(
        ({ message }) => message.getChildText('body') ?? message.getChild('retracted')?.name,
      );
    assert.deepEqual(await bodies(), ['retracted', 'retracted', 'one', 'retracted']);
    other.send(`<message from='${room}/one' to='${romeo.jid}' ${retraction('a', 'y')}${muc}</message>`);
    await other.settle();
    assert.equal((await ask(romeo, form({ with: `${room}/one` }))).results[0]!.message.getChild('body'), undefined);
  });
});

describe('play: a message that is sent twice', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  const start = async (yaml?: string): Promise<void> => {
    ({ stage, romeo, juliet } = await verona(yaml));
  };
  afterEach(() => stage.stop());

  const chat = (to: string, origin: string, body: string): string =>
    `<message to='${to}' type='chat' id='${origin}'><body>${body}</body><origin-id xmlns='${SID}' id='${origin}'/></message>`;

  it('with the same origin id, to the same person: once', async () => {
    await start();
    romeo.send(chat('juliet@localhost', 'o1', 'once'));
    romeo.send(chat('juliet@localhost/balcony', 'o1', 'once'));
    romeo.send(chat('romeo@localhost', 'o1', 'to another'));
    const garden = await stage.login('romeo@localhost/garden');
    garden.send(chat('juliet@localhost', 'o1', 'from another session'));
    await garden.settle();
    juliet.send(chat('romeo@localhost', 'o1', 'from another account'));
    romeo.send(chat('juliet@localhost', 'o2', 'last'));
    await romeo.settle();
    assert.deepEqual(
      (await juliet.settle()).map(message => message.getChildText('body')),
      ['once', 'last'],
    );
    assert.deepEqual((await ask(juliet)).bodies, ['once', 'from another account', 'last']);
  });

  it('also after a restart of the server', async () => {
    await start();
    await stage.addUser('nurse');
    romeo.send(chat('juliet@localhost', 'o1', 'once'));
    const first = idBy(await juliet.message(), 'juliet@localhost');
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    for (let i = 0; i < 3; i++) romeo.send(chat('juliet@localhost', 'o1', 'once'));
    await romeo.settle();
    const got = await juliet.settle();
    // behind a network the first one waited for a question about its people; it may not have gone on, so now it does, under its id
    assert.deepEqual(
      got.map(message => idBy(message, 'juliet@localhost')),
      ON_SERVER ? [first] : [],
    );
    for (const client of [romeo, juliet]) assert.deepEqual((await ask(client)).bodies, ['once']);
  });

  it('and could not be kept, is not taken for one that was', async function () {
    // a way to have rows refused that the tests have for SQLite alone
    if (ON_SERVER) return this.skip();
    await start();
    const garden = await stage.login('romeo@localhost/garden');
    const file = new Database(join(stage.folder, 'posthouse.sqlite'));
    file.exec(`create trigger broken before insert on ${MESSAGES} begin select raise(abort, 'not today'); end`);
    for (const client of [romeo, garden, romeo, garden]) client.send(chat('juliet@localhost', 'o1', 'once'));
    for (const client of [romeo, garden]) {
      for (let i = 0; i < 2; i++) {
        const answer = await client.expect(({ attrs }) => attrs.type === 'error', 'a refusal');
        assert.equal(condition(answer), 'internal-server-error');
      }
    }
    file.exec('drop trigger broken');
    file.close();
    for (const client of [romeo, garden, romeo]) client.send(chat('juliet@localhost', 'o1', 'once'));
    await romeo.settle();
    await garden.settle();
    assert.deepEqual(
      (await juliet.settle()).map(message => message.getChildText('body')),
      ['once'],
    );
    assert.deepEqual((await ask(juliet)).bodies, ['once']);
  });

  it('and was refused, goes on when it is sent again', async () => {
    await start(ELSEWHERE);
    const message = chat('nurse@elsewhere.example', 'o1', 'once');
    romeo.send(message);
    assert.equal(condition(await romeo.message()), 'remote-server-timeout');
    const other = await Elsewhere.open(stage);
    const arrives = async (): Promise<void> => {
      for (let i = 0; i < 2; i++) romeo.send(message);
      await romeo.settle();
      assert.deepEqual(
        (await other.settle()).map(stanza => stanza.getChildText('body')),
        ['once'],
      );
    };
    await arrives();
    const wait = "<error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    other.send(`<message type='error' id='o1' from='nurse@elsewhere.example' to='${romeo.jid}'>${wait}</message>`);
    await romeo.message();
    await arrives();
  });

  it('twice where the option says so', async () => {
    await start('modules: { archive: { once: false } }\n');
    for (let i = 0; i < 2; i++) romeo.send(chat('juliet@localhost', 'o1', 'again'));
    await romeo.settle();
    assert.equal((await juliet.settle()).length, 2);
    assert.deepEqual((await ask(juliet)).bodies, ['again', 'again']);
  });
});

describe('play: how long archives keep', () => {
  it('what is older than the option says is not there any more, nor its id', async () => {
    const { stage, romeo, juliet } = await verona('modules: { archive: { keep: 1 s } }\n');
    try {
      romeo.send("<message to='juliet@localhost' type='chat'><body>old</body></message>");
      const id = idBy(await juliet.message(), 'juliet@localhost')!;
      assert.deepEqual((await ask(juliet)).bodies, ['old']);
      await new Promise(resolve => setTimeout(resolve, 1100));
      romeo.send("<message to='juliet@localhost' type='chat'><body>new</body></message>");
      await juliet.message();
      assert.deepEqual((await ask(juliet)).bodies, ['new']);
      assert.equal(condition((await ask(juliet, form({ ids: id }))).iq), 'item-not-found');
    } finally {
      await stage.stop();
    }
  });

  it('an account of a host without archives has none; its partner has', async () => {
    const yaml = 'hosts:\n  localhost: {}\n  other.example: { modules: { archive: false } }\n';
    const stage = await TestNode.start({ yaml, users: ['romeo'] });
    try {
      await stage.addUser('juliet', 'other.example');
      const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
      const juliet = await stage.login('juliet@other.example/balcony', { presence: true });
      romeo.send("<message to='juliet@other.example' type='chat'><body>one</body></message>");
      await juliet.message();
      juliet.send("<message to='romeo@localhost' type='chat'><body>two</body></message>");
      await romeo.message();
      assert.deepEqual((await ask(romeo)).bodies, ['one', 'two']);
      assert.equal(condition((await ask(juliet)).iq), 'service-unavailable');
    } finally {
      await stage.stop();
    }
  });
});
