import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { TestNode } from '../kit/node.ts';

const SID = 'urn:xmpp:sid:0';

describe('play: stanza ids (XEP-0359)', () => {
  let server: TestNode;
  before(async () => {
    server = await TestNode.start({ users: ['romeo', 'juliet'] });
  });
  after(() => server.stop());

  it("a message has one id of its recipient's account; forged ones go, others and origin-id stay", async () => {
    const romeo = await server.login('romeo@localhost/orchard', { presence: true });
    const juliet = await server.login('juliet@localhost/balcony', { presence: true });
    const ids = ['romeo@localhost', 'Romeo@LOCALHOST', 'localhost', 'room@chat.example'].map(
      by => `<stanza-id xmlns='${SID}' id='x' by='${by}'/>`,
    );
    const body = (origin: string): string => `<body>x</body><origin-id xmlns='${SID}' id='${origin}'/>`;
    juliet.send(`<message to='romeo@localhost' type='chat'>${body('o')}${ids.join('')}</message>`);
    juliet.send(`<message to='romeo@localhost' type='chat'>${body('p')}</message>`);
    const first = await romeo.message();
    assert.deepEqual(
      first.getChildren('stanza-id', SID).map(id => id.attrs.by),
      ['room@chat.example', 'romeo@localhost'],
    );
    assert.equal(first.getChild('origin-id', SID)!.attrs.id, 'o');
    const second = (await romeo.message()).getChild('stanza-id', SID)!.attrs.id!;
    assert.ok(second > first.getChildren('stanza-id', SID)[1]!.attrs.id!, 'later ids are greater');
  });

  it('all who get a message get it with the same id: resources, a copy, who comes later', async () => {
    await server.addUser('nurse');
    const juliet = await server.login('juliet@localhost/chamber', { presence: true });
    const idIn = (message: Element): string | undefined =>
      message.getChildren('stanza-id', SID).find(id => id.attrs.by === 'nurse@localhost')?.attrs.id;
    const negative = await server.login('nurse@localhost/negative', { presence: -1 });
    await negative.iq('set', "<enable xmlns='urn:xmpp:carbons:2'/>");
    const inside = (copy: Element): Element =>
      copy.getChild('received', 'urn:xmpp:carbons:2')!.getChild('forwarded')!.getChild('message')!;
    const send = (id: string): void =>
      juliet.send(`<message to='nurse@localhost' type='chat' id='${id}'><body>x</body></message>`);
    send('waits');
    const early = idIn(inside(await negative.message()));
    const [one, two] = [
      await server.login('nurse@localhost/one', { presence: true }),
      await server.login('nurse@localhost/two', { presence: true }),
    ];
    assert.ok(early);
    assert.equal(idIn(await one.message()), early);
    send('live');
    const live = idIn(await one.message());
    assert.ok(live);
    assert.equal(idIn(await two.message()), live);
    assert.equal(idIn(inside(await negative.message())), live);
    assert.ok(live > early);
  });

  it('what nobody keeps gets none, and loses forged ones', async () => {
    const romeo = await server.login('romeo@localhost/square', { presence: true });
    const forged = `<stanza-id xmlns='${SID}' id='x' by='romeo@localhost'/>`;
    for (const rest of [
      `type='headline'><body>x</body>${forged}`,
      `type='chat'><body>x</body><no-store xmlns='urn:xmpp:hints'/>${forged}`,
    ]) {
      romeo.send(`<message to='${romeo.jid}' ${rest}</message>`);
      assert.deepEqual((await romeo.message()).getChildren('stanza-id', SID), []);
    }
  });

  it('a message without a body gets none, and loses forged ones', async () => {
    const romeo = await server.login('romeo@localhost/street', { presence: true });
    romeo.send(
      `<message to='${romeo.jid}' type='chat'><active xmlns='http://jabber.org/protocol/chatstates'/><stanza-id xmlns='${SID}' id='x' by='romeo@localhost'/></message>`,
    );
    assert.deepEqual((await romeo.message()).getChildren('stanza-id', SID), []);
  });
});
