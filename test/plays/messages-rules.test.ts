import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

const BODY = '<body>Wherefore art thou?</body>';

/** The messages that have come till now. */
async function messages(client: { settle(): Promise<Element[]> }): Promise<Element[]> {
  return (await client.settle()).filter(stanza => stanza.name === 'message');
}

describe('play: messages for an account (RFC 6121 8.5)', () => {
  let stage: TestNode;
  before(async () => {
    stage = await TestNode.start({ users: ['romeo', 'juliet', 'nurse'] });
  });
  after(() => stage.stop());

  it('chat, normal and headline to the bare address reach every session but those of negative priority', async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    const [one, two, negative] = [
      await stage.login('romeo@localhost/one', { presence: 0 }),
      await stage.login('romeo@localhost/two', { presence: 5 }),
      await stage.login('romeo@localhost/negative', { presence: -1 }),
    ];
    const connected = await stage.login('romeo@localhost/connected');
    for (const type of ['chat', 'normal', 'headline']) {
      juliet.send(`<message to='romeo@localhost' type='${type}' id='${type}'>${BODY}</message>`);
    }
    await juliet.settle();
    for (const session of [one, two]) {
      const got = await messages(session);
      assert.deepEqual(
        got.map(({ attrs }) => attrs.id),
        ['chat', 'normal', 'headline'],
      );
      for (const { attrs } of got) {
        assert.equal(attrs.from, 'juliet@localhost/balcony');
        assert.equal(attrs.to, 'romeo@localhost');
      }
    }
    for (const session of [negative, connected]) {
      assert.deepEqual(await messages(session), []);
    }
    juliet.send(`<message to='romeo@localhost/negative' type='chat' id='full'>${BODY}</message>`);
    assert.equal((await negative.message()).attrs.id, 'full');
    for (const client of [juliet, one, two, negative, connected]) await client.end();
  });

  it('groupchat to the bare address, normal to an absent resource: refused; headline and error there: ignored', async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet.send(`<message to='romeo@localhost' type='groupchat' id='g'>${BODY}</message>`);
    juliet.send(`<message to='romeo@localhost' type='error' id='e'>${BODY}</message>`);
    juliet.send(`<message to='romeo@localhost/gone' id='n'>${BODY}</message>`);
    juliet.send(`<message to='romeo@localhost/gone' type='groupchat' id='fg'>${BODY}</message>`);
    juliet.send(`<message to='romeo@localhost/gone' type='headline' id='h'>${BODY}</message>`);
    juliet.send(`<message to='romeo@localhost/gone' type='error' id='fe'>${BODY}</message>`);
    juliet.send(`<message to='romeo@localhost/gone' type='chat' id='c'>${BODY}</message>`);
    const errors = await messages(juliet);
    assert.deepEqual(
      errors.map(({ attrs }) => attrs.id),
      ['g', 'n', 'fg'],
    );
    for (const error of errors) {
      assert.equal(error.attrs.type, 'error');
      assert.equal(condition(error), 'service-unavailable');
    }
    assert.deepEqual(
      (await messages(romeo)).map(({ attrs }) => attrs.id),
      ['c'],
    );
    await juliet.end();
    await romeo.end();
  });

  it('an account that is not there cannot be told from one that takes nothing', async () => {
    const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    juliet.send(`<message to='nobody@localhost' type='chat' id='a'>${BODY}</message>`);
    assert.equal(condition(await juliet.message()), 'service-unavailable');
    await juliet.end();
  });
});
