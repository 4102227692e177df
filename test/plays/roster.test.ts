import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { isPush, itemsOf, push, ROSTER, rosterOf, rosterSet } from './people.ts';

const errorType = (stanza: Element): string | undefined => stanza.getChild('error')?.attrs.type;

describe('play: the roster (RFC 6121 2.1 to 2.5)', () => {
  let server: TestNode;
  let romeo: TestClient;
  before(async () => {
    server = await TestNode.start({
      users: ['romeo', 'juliet', 'full'],
      yaml: 'modules: { roster: { name: 20, groups: 3 } }',
    });
  });
  after(() => server.stop());
  beforeEach(async () => {
    romeo = await server.login('romeo@localhost/orchard');
  });
  afterEach(() => romeo.end());

  it('an empty roster is a result with an empty query (2.1.4)', async () => {
    const juliet = await server.login('juliet@localhost/balcony');
    const result = await juliet.iq('get', ROSTER);
    assert.equal(result.attrs.type, 'result');
    assert.equal(result.attrs.to, 'juliet@localhost/balcony');
    assert.deepEqual(itemsOf(result), []);
    await juliet.end();
  });

  it('a request may name the account, and may not hold items (2.1.3)', async () => {
    assert.equal((await romeo.iq('get', ROSTER, 'romeo@localhost')).attrs.type, 'result');
    const refused = await romeo.iq('get', rosterSet("<item jid='a@b.example'/>"));
    assert.equal(condition(refused), 'bad-request');
  });

  it('an item is what the set said: name, groups; subscription none (2.3.2)', async () => {
    await romeo.iq('get', ROSTER);
    const set = rosterSet(
      "<item jid='Nurse@Example.com' name='Nurse'><group>Servants</group><group>Old</group></item>",
    );
    const result = await romeo.iq('set', set);
    assert.equal(result.attrs.type, 'result');
    assert.equal(result.children.length, 0);
    const expected = { jid: 'nurse@example.com', name: 'Nurse', subscription: 'none', groups: ['Servants', 'Old'] };
    assert.deepEqual(await push(romeo), expected);
    assert.deepEqual((await rosterOf(romeo)).get('nurse@example.com'), expected);
  });

  it('a push goes to every interested resource, available or not, and to no other (2.2)', async () => {
    const connected = await server.login('romeo@localhost/connected');
    const available = await server.login('romeo@localhost/available', { presence: true });
    const ignorant = await server.login('romeo@localhost/ignorant', { presence: true });
    for (const client of [connected, available]) await client.iq('get', ROSTER);
    for (const client of [connected, available, ignorant]) await client.settle();
    await romeo.iq('set', rosterSet("<item jid='friar@example.com'/>"));
    for (const client of [connected, available]) {
      const iq = await client.expect(isPush, 'a push');
      assert.equal(iq.attrs.to, client.jid);
      // no 'from', or the account's bare address (2.1.6)
      assert.ok(iq.attrs.from === undefined || iq.attrs.from === 'romeo@localhost');
      assert.ok(iq.attrs.id);
      client.send(`<iq type='result' id='${iq.attrs.id}'/>`);
    }
    assert.deepEqual((await ignorant.settle()).filter(isPush), []);
    // nor to the one that set it: it never asked
    assert.deepEqual((await romeo.settle()).filter(isPush), []);
    // a client's error is ignored (2.1.6)
    connected.send(
      "<iq type='error' id='x'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    assert.deepEqual(await connected.settle(), []);
    for (const client of [connected, available, ignorant]) await client.end();
  });

  it('what a set says of subscription, ask and approved counts for nothing (2.1.2)', async () => {
    for (const subscription of ['both', 'to', 'from', 'none', 'foobar', '']) {
      const jid = `s-${subscription}@example.com`;
      const set = rosterSet(`<item jid='${jid}' subscription='${subscription}' ask='subscribe' approved='true'/>`);
      assert.equal((await romeo.iq('set', set)).attrs.type, 'result');
      assert.deepEqual((await rosterOf(romeo)).get(jid), { jid, subscription: 'none' });
    }
  });

  it('a set replaces name and groups, and an empty name is none (2.4)', async () => {
    const jid = 'benvolio@example.com';
    const steps: [item: string, expected: object][] = [
      ["name='B'><group>Friends</group>", { name: 'B', groups: ['Friends'] }],
      ["name='B'><group>Friends</group><group>Lovers</group>", { name: 'B', groups: ['Friends', 'Lovers'] }],
      ["name='B'><group>Lovers</group>", { name: 'B', groups: ['Lovers'] }],
      ["name='B'>", { name: 'B' }],
      ["name='My B'>", { name: 'My B' }],
      ["name=''>", {}],
      ["name='B'>", { name: 'B' }],
      ['>', {}],
    ];
    await romeo.iq('get', ROSTER);
    for (const [item, expected] of steps) {
      await romeo.iq('set', rosterSet(`<item jid='${jid}' ${item}</item>`));
      assert.deepEqual(await push(romeo), { jid, subscription: 'none', ...expected });
      assert.deepEqual((await rosterOf(romeo)).get(jid), { jid, subscription: 'none', ...expected });
    }
  });

  it('a contact is a bare address, however it is spelt', async () => {
    await romeo.iq('set', rosterSet("<item jid='ESCALUS@Verona.EXAMPLE/throne' name='one'/>"));
    await romeo.iq('set', rosterSet("<item jid='escalus@verona.example' name='two'/>"));
    const roster = await rosterOf(romeo);
    assert.equal(roster.get('escalus@verona.example')!.name, 'two');
    await romeo.iq('set', rosterSet("<item jid='verona.example'/>"));
    assert.ok((await rosterOf(romeo)).has('verona.example'));
  });

  it('names are kept as they are, whatever they hold', async () => {
    const name = `<&>"' \u{1F339}`;
    const escaped = '&lt;&amp;&gt;&quot;&apos; \u{1F339}';
    await romeo.iq('set', rosterSet(`<item jid='rose@example.com' name='${escaped}'><group>${escaped}</group></item>`));
    const item = (await rosterOf(romeo)).get('rose@example.com')!;
    assert.equal(item.name, name);
    assert.deepEqual(item.groups, [name]);
  });

  const REFUSED: [title: string, items: string, condition: string, type: string][] = [
    ['more than one item', "<item jid='a@b.example'/><item jid='c@b.example'/>", 'bad-request', 'modify'],
    ['no item', '', 'bad-request', 'modify'],
    ['no address', "<item name='x'/>", 'bad-request', 'modify'],
    ['an empty address', "<item jid=''/>", 'jid-malformed', 'modify'],
    ['an address that is none', "<item jid='a@@b.example'/>", 'jid-malformed', 'modify'],
    ['duplicate groups', "<item jid='a@b.example'><group>x</group><group>x</group></item>", 'bad-request', 'modify'],
    [
      'groups that are duplicate when they are prepared',
      "<item jid='a@b.example'><group>caf\u00e9</group><group>cafe\u0301</group></item>",
      'bad-request',
      'modify',
    ],
    ['an empty group', "<item jid='a@b.example'><group/></item>", 'not-acceptable', 'modify'],
    ['a name too long', `<item jid='a@b.example' name='${'x'.repeat(21)}'/>`, 'not-acceptable', 'modify'],
    [
      'a group name too long',
      `<item jid='a@b.example'><group>${'x'.repeat(21)}</group></item>`,
      'not-acceptable',
      'modify',
    ],
    [
      'too many groups',
      "<item jid='a@b.example'><group>1</group><group>2</group><group>3</group><group>4</group></item>",
      'not-acceptable',
      'modify',
    ],
    ['a contact that is not there', "<item jid='no@b.example' subscription='remove'/>", 'item-not-found', 'cancel'],
    ["the account's own address", "<item jid='romeo@localhost'/>", 'not-allowed', 'cancel'],
  ];
  for (const [title, items, expected, type] of REFUSED) {
    it(`${title}: ${expected}, and nothing changes (2.3.3, 2.5.3)`, async () => {
      await romeo.iq('get', ROSTER);
      const before = await rosterOf(romeo);
      const answer = await romeo.iq('set', rosterSet(items));
      assert.equal(condition(answer), expected);
      assert.equal(errorType(answer), type);
      assert.deepEqual((await romeo.settle()).filter(isPush), []);
      assert.deepEqual(await rosterOf(romeo), before);
    });
  }

  it('an item of another namespace is none, and what else stands beside the item does not matter', async () => {
    assert.equal(condition(await romeo.iq('set', rosterSet("<item xmlns='urn:x' jid='a@b.example'/>"))), 'bad-request');
    const answer = await romeo.iq('set', rosterSet("<x xmlns='urn:x'/><item jid='beside@b.example'/>"));
    assert.equal(answer.attrs.type, 'result');
    assert.ok((await rosterOf(romeo)).has('beside@b.example'));
  });

  it("another's roster is neither changed (forbidden, 2.1.5) nor shown", async () => {
    const set = await romeo.iq('set', rosterSet("<item jid='a@b.example'/>"), 'juliet@localhost');
    assert.equal(condition(set), 'forbidden');
    assert.equal(errorType(set), 'auth');
    assert.equal(condition(await romeo.iq('get', ROSTER, 'juliet@localhost')), 'service-unavailable');
    // nor is it told whether there is such an account
    const nobody = await romeo.iq('set', rosterSet("<item jid='a@b.example'/>"), 'nobody@localhost');
    assert.equal(condition(nobody), 'forbidden');
    assert.equal(condition(await romeo.iq('get', ROSTER, 'nobody@localhost')), 'service-unavailable');
    const juliet = await server.login('juliet@localhost/balcony');
    assert.ok(!(await rosterOf(juliet)).has('a@b.example'));
    await juliet.end();
  });

  it('a contact that is removed is pushed as removed, and is gone (2.5)', async () => {
    await romeo.iq('set', rosterSet("<item jid='tybalt@example.com' name='T'><group>G</group></item>"));
    await romeo.iq('get', ROSTER);
    const answer = await romeo.iq('set', rosterSet("<item jid='tybalt@example.com' subscription='remove'/>"));
    assert.equal(answer.attrs.type, 'result');
    assert.deepEqual(await push(romeo), { jid: 'tybalt@example.com', subscription: 'remove' });
    assert.ok(!(await rosterOf(romeo)).has('tybalt@example.com'));
  });

  it('a roster has a size, which asking for subscriptions and approving them do not exceed', async () => {
    const small = await TestNode.start({ users: ['full'], yaml: 'modules: { roster: { items: 2 } }' });
    try {
      const full = await small.login('full@localhost/x', { presence: true });
      for (const jid of ['a@b.example', 'c@b.example']) await full.iq('set', rosterSet(`<item jid='${jid}'/>`));
      assert.equal(condition(await full.iq('set', rosterSet("<item jid='d@b.example'/>"))), 'resource-constraint');
      for (const type of ['subscribe', 'subscribed']) {
        full.send(`<presence to='d@localhost' type='${type}'/>`);
        assert.equal(condition(await full.presence('d@localhost', 'error')), 'resource-constraint');
      }
      assert.equal((await full.iq('set', rosterSet("<item jid='a@b.example' name='A'/>"))).attrs.type, 'result');
      assert.equal((await rosterOf(full)).size, 2);
    } finally {
      await small.stop();
    }
  });

  it('a roster as a whole has a length', async () => {
    const small = await TestNode.start({ users: ['full'], yaml: 'modules: { roster: { size: 10000, name: 4000 } }' });
    try {
      const full = await small.login('full@localhost/x');
      const item = (jid: string, length: number): string =>
        rosterSet(`<item jid='${jid}' name='${'n'.repeat(length)}'><group>${'g'.repeat(length)}</group></item>`);
      assert.equal((await full.iq('set', item('a@b.example', 2400))).attrs.type, 'result');
      assert.equal((await full.iq('set', item('c@b.example', 2400))).attrs.type, 'result');
      assert.equal(condition(await full.iq('set', item('d@b.example', 400))), 'resource-constraint');
      // what is there may become shorter, but not longer
      assert.equal(condition(await full.iq('set', item('a@b.example', 3000))), 'resource-constraint');
      assert.equal((await full.iq('set', item('a@b.example', 2000))).attrs.type, 'result');
      assert.equal((await full.iq('set', item('d@b.example', 100))).attrs.type, 'result');
      assert.equal(
        (await full.iq('set', rosterSet("<item jid='c@b.example' subscription='remove'/>"))).attrs.type,
        'result',
      );
      assert.equal((await full.iq('set', item('e@b.example', 2000))).attrs.type, 'result');
    } finally {
      await small.stop();
    }
  });

  it('is still there after a restart (and so are requests and approvals)', async () => {
    let house = await TestNode.start({ users: ['romeo', 'juliet'] });
    try {
      let one = await house.login('romeo@localhost/x', { presence: true });
      await one.iq('set', rosterSet("<item jid='nurse@example.com' name='Nurse'><group>S</group></item>"));
      one.send("<presence to='juliet@localhost' type='subscribe'><status>It is I</status></presence>");
      one.send("<presence to='friar@example.com' type='subscribed'/>");
      const before = await rosterOf(one);
      await house.stop({ keep: true });
      house = await TestNode.start({ folder: house.folder });
      one = await house.login('romeo@localhost/x');
      assert.deepEqual(await rosterOf(one), before);
      assert.deepEqual(before.get('friar@example.com'), {
        jid: 'friar@example.com',
        subscription: 'none',
        approved: 'true',
      });
      const juliet = await house.login('juliet@localhost/x', { presence: true });
      assert.equal((await juliet.presence('romeo@localhost', 'subscribe')).getChildText('status'), 'It is I');
    } finally {
      await house.stop();
    }
  });
});
