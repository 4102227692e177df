import assert from 'node:assert/strict';
import { TestNode } from '../kit/node.ts';
import { befriend, brief, isPush, itemsOf, ROSTER, rosterOf, rosterSet } from './people.ts';

const YAML = 'limits: { stanzasPerSecond: 0, bytesPerSecond: 0 }';

describe('play: order (RFC 6120 10.1)', () => {
  let server: TestNode;
  before(async () => {
    server = await TestNode.start({ users: ['romeo', 'juliet', 'paris', 'nurse'], yaml: YAML });
  });
  after(() => server.stop());

  it('a request, a message and presence behind it arrive in this order, though the request is written to disk', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    const juliet = await server.login('juliet@localhost/balcony', { presence: true });
    await juliet.settle();
    const count = 20;
    let all = '';
    const expected: string[] = [];
    for (let i = 0; i < count; i++) {
      // each is stored or removed before the next one
      all += `<message to='juliet@localhost' type='chat' id='m${i}'><body>${i}</body></message>`;
      all += `<presence to='juliet@localhost' type='subscribe' id='s${i}'/>`;
      all += `<message to='${juliet.jid}' type='chat' id='n${i}'><body>${i}</body></message>`;
      all += `<presence to='juliet@localhost' type='unsubscribe' id='u${i}'/>`;
      all += `<presence to='juliet@localhost' id='d${i}'/>`;
      expected.push(`m${i}`, `s${i}`, `n${i}`, `u${i}`, `d${i}`);
    }
    romeo.send(all);
    await romeo.settle();
    const got = (await juliet.settle()).filter(({ attrs }) => attrs.from?.startsWith('romeo@'));
    assert.deepEqual(
      got.map(({ attrs }) => attrs.id),
      expected,
    );
    await romeo.end();
    await juliet.end();
  });

  it('a set is answered before the get behind it, and the get knows of it', async () => {
    const romeo = await server.login('romeo@localhost/orchard');
    let all = '';
    for (let i = 0; i < 30; i++) {
      all += `<iq type='set' id='set${i}'>${rosterSet(`<item jid='c${i}@example.com'/>`)}</iq>`;
      all += `<iq type='get' id='get${i}'>${ROSTER}</iq>`;
    }
    romeo.send(all);
    const answers = (await romeo.settle()).filter(stanza => !isPush(stanza));
    assert.deepEqual(
      answers.map(({ attrs }) => attrs.id),
      Array.from({ length: 60 }, (_, i) => (i % 2 ? `get${(i - 1) / 2}` : `set${i / 2}`)),
    );
    for (const [i, answer] of answers.filter(({ attrs }) => attrs.id!.startsWith('get')).entries())
      assert.equal(itemsOf(answer).filter(({ jid }) => jid!.endsWith('@example.com')).length, i + 1);
    await romeo.end();
  });

  it('a roster and the pushes behind it make what the roster is, while others change it', async () => {
    const clients = [];
    for (const name of ['one', 'two', 'three']) clients.push(await server.login(`nurse@localhost/${name}`));
    const reader = await server.login('nurse@localhost/reader');
    for (const [n, client] of clients.entries()) {
      let all = '';
      for (let i = 0; i < 40; i++)
        all += `<iq type='set' id='${n}-${i}'>${rosterSet(`<item jid='c${i % 10}@example.com' name='${n}-${i}'/>`)}</iq>`;
      client.send(all);
    }
    const asked = reader.iq('get', ROSTER);
    const known = new Map(itemsOf(await asked).map(item => [item.jid, item.name]));
    for (const client of clients) await client.settle();
    for (const stanza of await reader.settle())
      if (isPush(stanza)) known.set(itemsOf(stanza)[0]!.jid, itemsOf(stanza)[0]!.name);
    assert.deepEqual(known, new Map([...(await rosterOf(reader))].map(([jid, { name }]) => [jid, name])));
    for (const client of [...clients, reader]) await client.end();
  });

  it('presence and messages of one sender keep their order for each of several recipients', async () => {
    const paris = await server.login('paris@localhost/x', { presence: true });
    const juliet = await server.login('juliet@localhost/balcony', { presence: true });
    const chamber = await server.login('juliet@localhost/chamber', { presence: true });
    await befriend(paris, juliet);
    await chamber.settle();
    let all = '';
    for (let i = 0; i < 50; i++) {
      all += `<presence id='p${i}'><status>${i}</status></presence>`;
      all += `<message to='juliet@localhost' type='chat' id='m${i}'><body>${i}</body></message>`;
      all += `<iq type='get' id='z${i}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`;
    }
    paris.send(all);
    const own = (await paris.settle()).map(({ attrs }) => attrs.id);
    const expected = Array.from({ length: 100 }, (_, i) => `${i % 2 ? 'm' : 'p'}${Math.floor(i / 2)}`);
    for (const client of [juliet, chamber]) {
      assert.deepEqual(
        (await client.settle()).map(({ attrs }) => attrs.id),
        expected,
      );
    }
    assert.deepEqual(
      own,
      Array.from({ length: 100 }, (_, i) => `${i % 2 ? 'z' : 'p'}${Math.floor(i / 2)}`),
    );
    for (const client of [paris, juliet, chamber]) await client.end();
  });

  it('messages for who is away, and for who comes meanwhile, are one conversation in order', async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    const count = 300;
    let all = '';
    for (let i = 0; i < count; i++)
      all += `<message to='paris@localhost' type='chat' id='${i}'><body>${i}</body></message>`;
    romeo.send(all);
    const paris = await server.login('paris@localhost/x', { presence: true });
    for (let i = count; i < 2 * count; i++)
      romeo.send(`<message to='paris@localhost' type='chat' id='${i}'><body>${i}</body></message>`);
    const got: string[] = [];
    while (got.length < 2 * count) got.push((await paris.message()).attrs.id!);
    assert.deepEqual(
      got,
      Array.from({ length: 2 * count }, (_, i) => String(i)),
    );
    assert.deepEqual((await paris.settle()).filter(({ name }) => name === 'message').map(brief), []);
    await romeo.end();
    await paris.end();
  });
});
