import assert from 'node:assert/strict';
import { Person } from './person.ts';
import { Operated } from './program.ts';

const CARBONS = 'urn:xmpp:carbons:2';

describe('a session outlives the program (XEP-0198 5)', function () {
  this.timeout(60_000);
  let node: Operated;
  let romeo: Person;
  let juliet: Person;

  beforeEach(async () => {
    node = await Operated.start();
    await node.add('romeo', 'juliet', 'nurse');
    romeo = await new Person(node, 'romeo@localhost').begin('orchard');
    juliet = await new Person(node, 'juliet@localhost').begin('balcony');
    for (const { client } of [romeo, juliet]) client.send('<presence/>');
    await juliet.heard();
  });
  afterEach(async () => {
    await node.kill();
    await node.remove();
  });

  async function again(): Promise<void> {
    await node.kill();
    await node.start();
  }

  it('what its client did not take comes, once and in order, and what it took does not', async () => {
    romeo.say('juliet@localhost', 'taken');
    await romeo.acknowledged();
    assert.deepEqual(await juliet.heard(), ['taken']);
    juliet.client.destroy();
    romeo.say('juliet@localhost', 'one', 'two');
    romeo.say('juliet@localhost/balcony', 'three');
    assert.equal(await romeo.acknowledged(), '5');
    await again();
    assert.equal((await romeo.resume()).h, '5');
    romeo.say('juliet@localhost', 'four');
    assert.equal(await romeo.acknowledged(), '6');
    await again();
    await juliet.resume();
    assert.deepEqual(await juliet.heard(), ['one', 'two', 'three', 'four']);
    await again();
    await juliet.resume();
    assert.deepEqual(await juliet.heard(), []);
  });

  it('what its client was sent and says that it has does not come again, though it never acknowledged it', async () => {
    romeo.say('juliet@localhost', 'one', 'two', 'three');
    await romeo.acknowledged();
    assert.deepEqual(await juliet.heard(), ['one', 'two', 'three']);
    await again();
    await juliet.resume();
    await romeo.resume();
    romeo.say('juliet@localhost', 'four');
    await romeo.acknowledged();
    assert.deepEqual(await juliet.heard(), ['four']);
  });

  it('what it was is still so: presence, carbons, what waits in offline storage goes on to it', async () => {
    const phone = await new Person(node, 'juliet@localhost').begin('phone');
    await phone.client.iq('set', `<enable xmlns='${CARBONS}'/>`);
    phone.client.send('<presence><priority>-1</priority><show>away</show></presence>');
    assert.equal(await phone.acknowledged(), '2');
    await again();
    await juliet.resume();
    await phone.resume();
    await romeo.resume();
    romeo.say('juliet@localhost', 'one');
    await romeo.acknowledged();
    assert.deepEqual(await juliet.heard(), ['one']);
    const copies = await phone.client.expect(stanza => stanza.getChild('received', CARBONS) !== undefined, 'a carbon');
    assert.match(copies.toString(), /<body>one<\/body>/);
  });

  it('one whose client never comes back ends in offline storage', async () => {
    juliet.client.destroy();
    romeo.say('juliet@localhost', 'one', 'two');
    await romeo.acknowledged();
    await again();
    const laptop = await new Person(node, 'juliet@localhost').begin('balcony');
    laptop.client.send('<presence/>');
    assert.deepEqual(await laptop.heard(), ['one', 'two']);
    laptop.acknowledge();
    await laptop.heard();
    await again();
    await laptop.resume();
    assert.deepEqual(await laptop.heard(), []);
  });

  /** juliet's archive holds more than a client is sent that takes nothing; she asks for it, and acknowledges nothing of what comes. */
  async function askForMuch(): Promise<void> {
    for (let i = 0; i < 30; i++) romeo.say('juliet@localhost', `${i} ${'x'.repeat(20_000)}`);
    await romeo.acknowledged();
    await juliet.heard();
    juliet.acknowledge();
    await juliet.acknowledged();
    juliet.client.send("<iq type='set' id='all'><query xmlns='urn:xmpp:mam:2'/></iq>");
    for (let i = 0; i < 10; i++) await juliet.client.message();
  }

  it('what its client asked its archive for is nothing that waits', async () => {
    await askForMuch();
    await again();
    juliet = await new Person(node, 'juliet@localhost').begin('balcony');
    juliet.client.send('<presence/>');
    assert.deepEqual(await juliet.heard(), []);
  });

  it('one that ends while its client waits for its last words ends by itself', async () => {
    await askForMuch();
    juliet.client.send('</stream:stream>');
    await romeo.heard();
    await new Person(node, 'juliet@localhost').begin('balcony');
    await romeo.heard();
  });

  it('what came before another session was there goes to that one when it ends', async () => {
    juliet.client.destroy();
    romeo.say('juliet@localhost', 'one');
    await romeo.acknowledged();
    const laptop = await new Person(node, 'juliet@localhost').begin('laptop');
    laptop.client.send('<presence/>');
    await laptop.heard();
    romeo.say('juliet@localhost', 'two');
    await romeo.acknowledged();
    assert.deepEqual(await laptop.heard(), ['two']);
    await again();
    await laptop.resume();
    await new Person(node, 'juliet@localhost').begin('balcony');
    await laptop.client.expect(stanza => stanza.getChildText('body') === 'one', 'what came before');
    assert.deepEqual(await laptop.heard(), []);
  });

  it('its contacts who went without a word are told to be gone', async () => {
    const nurse = await node.login('nurse@localhost/house');
    for (const [one, other] of [
      [nurse, 'juliet'],
      [juliet.client, 'nurse'],
    ] as const) {
      one.send(`<presence type='subscribed' to='${other}@localhost'/>`);
      one.send(`<presence type='subscribe' to='${other}@localhost'/>`);
      await one.settle();
    }
    nurse.send('<presence/>');
    await juliet.client.presence('nurse@localhost/house');
    await again();
    await juliet.resume();
    await juliet.client.presence('nurse@localhost', 'unavailable');
  });

  it('its account was disabled meanwhile: it is no more, and what it did not take waits for the account', async () => {
    juliet.client.destroy();
    romeo.say('juliet@localhost', 'one', 'two');
    await romeo.acknowledged();
    await node.kill();
    await node.done(['user', 'disable', 'juliet@localhost']);
    await node.start();
    assert.doesNotMatch(await node.done(['session', 'list']), /juliet/);
    await node.done(['user', 'enable', 'juliet@localhost']);
    const laptop = await new Person(node, 'juliet@localhost').begin('laptop');
    laptop.client.send('<presence/>');
    assert.deepEqual(await laptop.heard(), ['one', 'two']);
  });

  it('its account was removed meanwhile: it is no more', async () => {
    juliet.client.destroy();
    await node.kill();
    await node.done(['user', 'delete', 'juliet@localhost']);
    await node.start();
    const out = await node.done(['session', 'list', '--json']);
    assert.deepEqual(
      (JSON.parse(out) as { jid: string }[]).map(({ jid }) => jid),
      ['romeo@localhost/orchard'],
    );
  });
});
