import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { create, item, pubsub, said, SERVICE, subscribe } from '../plays/pubsub.ts';
import { ok } from '../plays/verona.ts';
import { Person } from './person.ts';
import { Operated } from './program.ts';

const NODES = 12;
const PER_NODE = 20;
const KILLS = 3;
const EVENT = 'http://jabber.org/protocol/pubsub#event';
const names = Array.from({ length: NODES }, (_, n) => `n${n}`);

/** What somebody was told was published, as 'node item'. */
function toldOf(stanzas: readonly Element[]): string[] {
  return stanzas.flatMap(stanza => {
    const items = stanza.getChild('event', EVENT)?.getChild('items');
    return (items?.getChildren('item') ?? []).map(({ attrs }) => `${items!.attrs.node} ${attrs.id}`);
  });
}

describe('a publication and what is told of it are one (XEP-0060 7.1.2)', function () {
  this.timeout(60_000);
  let node: Operated;

  beforeEach(async () => {
    node = await Operated.start();
    await node.add('romeo', 'juliet', 'nurse');
  });
  afterEach(() => node.remove());

  async function stored(romeo: TestClient): Promise<string[]> {
    const all: string[] = [];
    for (const name of names) {
      const answer = ok(await romeo.iq('get', pubsub(`<items node='${name}'/>`), SERVICE));
      for (const { attrs } of said(answer, 'items').getChildren('item')) all.push(`${name} ${attrs.id}`);
    }
    return all;
  }

  it('after a kill who is to know has been told, or will be, of all that is stored, once, and of nothing else', async () => {
    const juliet = await new Person(node, 'juliet@localhost').begin('balcony');
    juliet.client.send('<presence/>');
    let romeo = await node.login('romeo@localhost/orchard');
    const nurse = await node.login('nurse@localhost/house');
    for (const name of names) {
      // a session that can be resumed, and offline storage
      await create(romeo, name, { notification_type: 'normal' });
      ok(await subscribe(juliet.client, name, 'juliet@localhost'));
      ok(await subscribe(nurse, name, 'nurse@localhost'));
    }
    await nurse.end();
    await juliet.acknowledged();
    const told: string[] = [];
    const answered: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      for (let n = 0; n < PER_NODE; n++) {
        for (const name of names) {
          const content = pubsub(`<publish node='${name}'>${item(`${kill}-${n}`)}</publish>`);
          romeo.send(`<iq type='set' id='${name} ${kill}-${n}' to='${SERVICE}'>${content}</iq>`);
        }
      }
      // some have their answers, some do not
      const many = 1 + kill * NODES * 3;
      for (let n = 0; n < many; n++)
        await romeo.expect(({ attrs }) => String(attrs.id).includes(` ${kill}-`), 'an answer to a publication');
      await node.kill();
      answered.push(...romeo.inbox.flatMap(({ attrs }) => (String(attrs.id).includes(' ') ? [String(attrs.id)] : [])));
      told.push(...toldOf(juliet.client.inbox.splice(0)));
      await node.start();
      await juliet.resume();
      told.push(...toldOf(await juliet.client.settle()));
      await juliet.acknowledged();
      juliet.acknowledge();
      await juliet.client.settle();
      romeo = await node.login('romeo@localhost/orchard');
    }
    const all = (await stored(romeo)).toSorted();
    assert.ok(
      all.length > KILLS && all.length < KILLS * NODES * PER_NODE,
      `${all.length} are stored: no kill was in between`,
    );
    assert.deepEqual(told.toSorted(), all);
    for (const one of answered) assert.ok(all.includes(one), `${one} was answered`);
    const again = await node.login('nurse@localhost/house');
    again.send('<presence/>');
    assert.deepEqual(toldOf(await again.settle()).toSorted(), all);
  });
});
