import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { everything } from './everything.ts';

const CARBONS = 'urn:xmpp:carbons:2';

describe('reloading modules: sessions notice nothing', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let chamber: TestClient;
  let juliet: TestClient;

  before(async () => {
    stage = await everything();
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    chamber = await stage.login('juliet@localhost/chamber', { presence: -1 });
    romeo.send("<presence to='juliet@localhost' type='subscribe'/>");
    await juliet.presence('romeo@localhost', 'subscribe');
    juliet.send("<presence to='romeo@localhost' type='subscribed'/>");
    await romeo.presence('juliet@localhost/balcony');
    await juliet.iq('get', "<query xmlns='jabber:iq:roster'/>");
    await chamber.iq('set', `<enable xmlns='${CARBONS}'/>`);
    for (const client of [romeo, juliet, chamber]) await client.settle();
  });
  after(() => stage.stop());

  const text = (stanza: Element) => stanza.toString();

  /** What the clients asked for when they came still holds. */
  async function check(after: string): Promise<void> {
    // the available one gets it, the one that enabled carbons a copy
    romeo.send(`<message to='juliet@localhost' type='chat'><body>${after}</body></message>`);
    assert.equal((await juliet.message()).getChildText('body'), after);
    assert.ok((await chamber.message()).getChild('received', CARBONS), after);
    // who asked for the roster is told of changes, who did not is not
    const set = `<query xmlns='jabber:iq:roster'><item jid='nurse@localhost' name='${after}'/></query>`;
    await juliet.iq('set', set);
    await juliet.expect(stanza => stanza.is('iq') && stanza.attrs.type === 'set', `a push after ${after}`);
    // presence goes where it went
    juliet.send(`<presence><status>${after}</status></presence>`);
    assert.equal((await romeo.presence('juliet@localhost/balcony')).getChildText('status'), after);
    const rest = (await chamber.settle()).filter(stanza => !stanza.is('presence')).map(text);
    assert.deepEqual(rest, [], after);
    await juliet.settle();
    assert.deepEqual((await romeo.settle()).filter(stanza => !stanza.is('presence')).map(text), [], after);
  }

  it('each module of the house', async () => {
    await check('the start');
    for (const { name } of stage.node.modules.list()) {
      await stage.node.modules.reload(name);
      await check(name);
      assert.deepEqual(stage.node.modules.leaks(), []);
    }
  });

  it('and no stanza is lost or comes out of order meanwhile', async () => {
    const sent: string[] = [];
    const say = (): void => {
      const body = `number ${sent.length}`;
      sent.push(body);
      romeo.send(`<message to='juliet@localhost/balcony' type='chat'><body>${body}</body></message>`);
      romeo.send(`<message to='juliet@localhost' type='chat'><body>${body}</body></message>`);
    };
    const timer = setInterval(say, 1);
    for (const name of ['messages', 'roster', 'blocking', 'stanza-id', 'presence'])
      await stage.node.modules.reload(name);
    clearInterval(timer);
    say();
    await romeo.settle().then(errors => assert.deepEqual(errors.map(text), []));
    const came = (await juliet.settle()).filter(stanza => stanza.is('message')).map(m => m.getChildText('body'));
    assert.deepEqual(
      came,
      sent.flatMap(body => [body, body]),
    );
  });
});
