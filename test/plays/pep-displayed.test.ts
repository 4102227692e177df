import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { wantAsked } from './caps.ts';
import { askInbox } from './inbox.ts';
import { briefly, error, event, get, idsOf, MANY_PRIVATE, OWN, owner, publish } from './pubsub.ts';
import { features, INFO, JULIET, ok, ROMEO, verona } from './verona.ts';

const NODE = 'urn:xmpp:mds:displayed:0';

describe('play: what is displayed, for all devices (XEP-0490)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  beforeEach(async () => {
    ({ stage, romeo, juliet } = await verona());
  });
  afterEach(() => stage.stop());

  const displayed = (id: string, by = ROMEO) =>
    `<displayed xmlns='${NODE}'><stanza-id xmlns='urn:xmpp:sid:0' id='${id}' by='${by}'/></displayed>`;
  /** She writes, and the ids that his account gave. */
  async function write(...texts: string[]): Promise<string[]> {
    const ids: string[] = [];
    for (const text of texts) {
      juliet.send(`<message to='${ROMEO}' type='chat' id='${text}'><body>${text}</body></message>`);
      const message = await romeo.expect(stanza => stanza.getChildText('body') === text, text);
      ids.push(message.getChild('stanza-id', 'urn:xmpp:sid:0')!.attrs.id as string);
    }
    return ids;
  }
  const unread = async () => (await askInbox(romeo)).entries.find(({ jid }) => jid === JULIET)?.unread;

  it('3.2: a position that is published says what is unread', async () => {
    const ids = await write('one', 'two', 'three');
    assert.equal(await unread(), 3);
    const tablet = await stage.login('romeo@localhost/tablet');
    await wantAsked(tablet, [NODE]);
    await tablet.settle();
    ok(await publish(romeo, NODE, `<item id='${JULIET}'>${displayed(ids[1]!)}</item>`, OWN, MANY_PRIVATE));
    assert.equal(briefly(await event(tablet)), `items ${NODE} +${JULIET}`);
    await romeo.settle();
    assert.equal(await unread(), 1);
    // it never moves back, and what is no message of the account says nothing
    ok(await publish(romeo, NODE, `<item id='${JULIET}'>${displayed(ids[0]!)}</item>`, OWN, MANY_PRIVATE));
    ok(await publish(romeo, NODE, `<item id='${JULIET}'>${displayed('v'.repeat(21))}</item>`, OWN, MANY_PRIVATE));
    ok(await publish(romeo, NODE, `<item id='${JULIET}'>${displayed(ids[2]!, JULIET)}</item>`, OWN, MANY_PRIVATE));
    await romeo.settle();
    assert.equal(await unread(), 1);
    assert.deepEqual(idsOf(await get(tablet, NODE, OWN)), [JULIET]);
  });

  it('6.1: a position that is none of that chat says nothing', async () => {
    await stage.addUser('nurse');
    const nurse = await stage.login('nurse@localhost/hall', { presence: true });
    await write('one');
    nurse.send(`<message to='${ROMEO}' type='chat'><body>in another chat</body></message>`);
    nurse.send(`<message to='${JULIET}' type='chat'><body>not to him</body></message>`);
    const idOf = (message: Element): string => message.getChild('stanza-id', 'urn:xmpp:sid:0')!.attrs.id!;
    for (const id of [idOf(await romeo.message()), idOf(await juliet.message())])
      ok(await publish(romeo, NODE, `<item id='${JULIET}'>${displayed(id)}</item>`, OWN, MANY_PRIVATE));
    await romeo.settle();
    assert.equal(await unread(), 1);
    // his own words have their place in it
    romeo.send(`<message to='${JULIET}' type='chat'><body>mine</body></message>`);
    await romeo.settle();
    const mine = (await askInbox(romeo)).entries.find(({ jid }) => jid === JULIET)!.id!;
    ok(await publish(romeo, NODE, `<item id='${JULIET}'>${displayed(mine)}</item>`, OWN, MANY_PRIVATE));
    await romeo.settle();
    assert.equal(await unread(), 0);
  });

  it('3.5.3: all of it is taken out, whatever there is and without an address too', async () => {
    const [id] = (await write('one')) as [string];
    await juliet.settle();
    const twice = displayed(id) + displayed(id);
    romeo.send(`<message to='${JULIET}' type='chat'><body>x</body>${twice}</message>`);
    assert.ok(!String(await juliet.message()).includes(NODE));
    romeo.send(`<message type='chat'><body>note</body>${displayed(id)}</message>`);
    const note = await romeo.expect(stanza => stanza.getChildText('body') === 'note', 'the note');
    assert.ok(!String(note).includes(NODE));
    await romeo.settle();
    assert.deepEqual(idsOf(await get(romeo, NODE, OWN)).toSorted(), [JULIET, ROMEO]);
  });

  it('3.5: a marker may carry it: the server publishes it, and nobody else sees it', async () => {
    assert.ok(features(await romeo.iq('get', INFO)).includes('urn:xmpp:mds:server-assist:0'));
    const ids = await write('one', 'two');
    const tablet = await stage.login('romeo@localhost/tablet', { presence: true });
    await wantAsked(tablet, [NODE]);
    await tablet.iq('set', "<enable xmlns='urn:xmpp:carbons:2'/>");
    await tablet.settle();
    await juliet.settle();
    const marker = `<displayed xmlns='urn:xmpp:chat-markers:0' id='two'/>`;
    romeo.send(`<message to='${JULIET}' type='chat' id='m'>${marker}${displayed(ids[1]!)}</message>`);
    const seen = await juliet.message();
    assert.deepEqual(
      seen
        .getChildElements()
        .filter(({ name }) => name === 'displayed')
        .map(child => child.getNS()),
      ['urn:xmpp:chat-markers:0'],
    );
    const told = await event(tablet);
    assert.equal(briefly(told), `items ${NODE} +${JULIET}`);
    assert.equal(told.getChild('item')!.getChild('displayed')!.getChild('stanza-id')!.attrs.id, ids[1]);
    assert.ok(
      !(await tablet.settle()).some(
        stanza => stanza.toString().includes(`carbons`) && stanza.toString().includes(NODE),
      ),
    );
    await romeo.settle();
    assert.equal(await unread(), 0);
    // 8: the node is private, though nobody configured it
    assert.equal(error(await get(juliet, NODE, ROMEO)), 'auth not-authorized presence-subscription-required');
    const form = ok(await romeo.iq('get', owner(`<configure node='${NODE}'/>`)));
    assert.match(form.toString(), /access_model" type="list-single"[^>]*><value>whitelist/);
  });
});
