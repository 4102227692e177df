import assert from 'node:assert/strict';
import { TestNode } from '../kit/node.ts';

/** The server remembers whom a session wrote to last; that must never change where a message goes. */
describe('play: writing to the same address again', () => {
  let stage: TestNode;
  before(async () => {
    stage = await TestNode.start({ users: ['romeo', 'juliet', 'nurse'] });
  });
  after(() => stage.stop());

  it('reaches whoever has the resource by now, and the account once nobody has', async () => {
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    const say = (id: string): void =>
      romeo.send(`<message to='juliet@localhost/balcony' type='chat' id='${id}'><body>Ho!</body></message>`);
    const first = await stage.login('juliet@localhost/balcony', { presence: true });
    say('1');
    say('2');
    assert.equal((await first.message()).attrs.id, '1');
    assert.equal((await first.message()).attrs.id, '2');

    const second = await stage.login('juliet@localhost/balcony', { presence: true });
    await first.untilClosed();
    say('3');
    say('4');
    assert.equal((await second.message()).attrs.id, '3');
    assert.equal((await second.message()).attrs.id, '4');

    const elsewhere = await stage.login('juliet@localhost/chamber', { presence: true });
    await second.end();
    say('5');
    assert.equal((await elsewhere.message()).attrs.id, '5');
    await elsewhere.end();
    say('6');
    await romeo.settle();
    const later = await stage.login('juliet@localhost/later', { presence: true });
    assert.equal((await later.message()).attrs.id, '6');
    await later.end();
    await romeo.end();
  });

  it('tells apart addresses that differ as text only once they are read', async () => {
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    // the resource of the one is the markup of the other's
    const plain = await stage.login('juliet@localhost/a&amp;b', { presence: true });
    const literal = await stage.login('juliet@localhost/a&amp;amp;b', { presence: true });
    const accent = await stage.login('nurse@localhost/é', { presence: true });
    const bytes = await stage.login('nurse@localhost/Ã©', { presence: true });
    const say = (to: string, id: string): void =>
      romeo.send(`<message to='${to}' type='chat' id='${id}'><body>Ho!</body></message>`);
    for (let i = 0; i < 3; i++) {
      say('juliet@localhost/a&amp;amp;b', `literal${i}`);
      say('juliet@localhost/a&amp;b', `plain${i}`);
      say('nurse@localhost/Ã©', `bytes${i}`);
      say('nurse@localhost/é', `accent${i}`);
    }
    for (const [client, name] of [
      [plain, 'plain'],
      [literal, 'literal'],
      [accent, 'accent'],
      [bytes, 'bytes'],
    ] as const) {
      for (let i = 0; i < 3; i++) assert.equal((await client.message()).attrs.id, `${name}${i}`);
    }
    for (const client of [romeo, plain, literal, accent, bytes]) await client.end();
  });
});
