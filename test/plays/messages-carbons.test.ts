import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

const CARBONS = 'urn:xmpp:carbons:2';
const ENABLE = `<enable xmlns='${CARBONS}'/>`;

async function messages(client: TestClient): Promise<Element[]> {
  return (await client.settle()).filter(stanza => stanza.name === 'message');
}

/** The message inside a copy, checked on the way. */
function inside(copy: Element, direction: 'sent' | 'received', owner: string): Element {
  assert.equal(copy.attrs.from, owner.split('/')[0]);
  assert.equal(copy.attrs.to, owner);
  const wrapper = copy.getChild(direction, CARBONS);
  assert.ok(wrapper, `not a '${direction}' copy: ${copy.toString()}`);
  return wrapper.getChild('forwarded', 'urn:xmpp:forward:0')!.getChild('message', 'jabber:client')!;
}

describe('play: carbons (XEP-0280)', () => {
  let server: TestNode;
  let juliet: TestClient;
  let orchard: TestClient;
  let street: TestClient;
  let plain: TestClient;
  beforeEach(async () => {
    server = await TestNode.start({ users: ['romeo', 'juliet'] });
    juliet = await server.login('juliet@localhost/balcony', { presence: true });
    orchard = await server.login('romeo@localhost/orchard', { presence: true });
    street = await server.login('romeo@localhost/street', { presence: true });
    plain = await server.login('romeo@localhost/plain', { presence: true });
    for (const client of [orchard, street]) assert.equal((await client.iq('set', ENABLE)).attrs.type, 'result');
    for (const client of [juliet, orchard, street, plain]) await client.settle();
  });
  afterEach(() => server.stop());

  it('what one session receives, the others see', async () => {
    juliet.send(`<message to='romeo@localhost/orchard' type='chat' id='a'><body>x</body><thread>t</thread></message>`);
    await juliet.settle();
    const [original, ...more] = await messages(orchard);
    assert.equal(original!.attrs.id, 'a');
    assert.deepEqual(more, []);
    const [copy] = await messages(street);
    assert.equal(copy!.attrs.type, 'chat');
    const message = inside(copy!, 'received', 'romeo@localhost/street');
    assert.equal(message.attrs.from, 'juliet@localhost/balcony');
    assert.equal(message.attrs.to, 'romeo@localhost/orchard');
    assert.equal(message.getChildText('thread'), 't');
    assert.deepEqual(await messages(plain), []);
  });

  it('what one session sends, the others see, also when it did not ask for carbons itself', async () => {
    plain.send(`<message to='juliet@localhost' type='chat' id='a'><body>x</body></message>`);
    assert.equal((await juliet.message()).attrs.id, 'a');
    for (const client of [orchard, street]) {
      const [copy, ...more] = await messages(client);
      assert.equal(inside(copy!, 'sent', client.jid).attrs.id, 'a');
      assert.deepEqual(more, []);
    }
    assert.deepEqual(await messages(plain), []);
  });

  it('a message to the bare address is no copy for those who get it, and one for a negative priority', async () => {
    street.send('<presence><priority>-1</priority></presence>');
    await street.settle();
    juliet.send(`<message to='romeo@localhost' type='chat'><body>x</body></message>`);
    await juliet.settle();
    assert.equal((await messages(orchard)).length, 1);
    assert.equal((await messages(plain)).length, 1);
    const [copy, ...more] = await messages(street);
    inside(copy!, 'received', 'romeo@localhost/street');
    assert.deepEqual(more, []);
  });

  it('private and no-copy messages are not copied, nor after disable', async () => {
    const send = (extra: string) =>
      juliet.send(`<message to='romeo@localhost/orchard' type='chat'><body>x</body>${extra}</message>`);
    send(`<private xmlns='${CARBONS}'/>`);
    send(`<no-copy xmlns='urn:xmpp:hints'/>`);
    await juliet.settle();
    assert.equal((await messages(orchard)).length, 2);
    assert.deepEqual(await messages(street), []);
    assert.equal((await street.iq('set', `<disable xmlns='${CARBONS}'/>`)).attrs.type, 'result');
    send('');
    await juliet.settle();
    await orchard.settle();
    assert.deepEqual(await messages(street), []);
  });

  it('an error that answers a message that was copied is copied', async () => {
    orchard.send(`<message to='juliet@localhost/balcony' type='chat' id='m'><body>x</body></message>`);
    await juliet.message();
    await messages(street);
    const error = `<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
    juliet.send(`<message to='romeo@localhost/orchard' type='error' id='m'>${error}</message>`);
    juliet.send(`<message to='romeo@localhost/orchard' type='error' id='other'>${error}</message>`);
    assert.equal((await messages(orchard)).length, 2);
    const [copy, ...more] = await messages(street);
    assert.equal(inside(copy!, 'received', 'romeo@localhost/street').attrs.id, 'm');
    assert.deepEqual(more, []);
  });

  it('a message to another session of the same account is seen once by each', async () => {
    orchard.send(`<message to='romeo@localhost/plain' type='chat' id='note'><body>x</body></message>`);
    assert.deepEqual(await messages(orchard), []);
    assert.equal((await messages(plain)).length, 1);
    assert.equal((await messages(street)).length, 1);
    assert.deepEqual(await messages(orchard), []);
  });
});
