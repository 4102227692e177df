import assert from 'node:assert/strict';
import type { Storage } from '../../src/api/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { Elsewhere, ELSEWHERE } from './elsewhere.ts';
import { itemsOf, push, ROSTER, rosterSet } from './people.ts';

/** Half of them are accounts of this host that are away, half are people elsewhere, who hear everything. */
const CONTACTS = 10_000;
const VERSION = 1_700_000_000_000;

/** Puts a roster into the database, as if it had grown over the years. */
async function writeRoster(storage: Storage, account: string, contacts: readonly string[]): Promise<void> {
  const rows = contacts.map((contact, index) => ({
    account,
    contact_key: contact,
    contact,
    version: VERSION + index,
    name: `Contact number ${index}`,
    subscription: 'both',
    ask: 0,
    approved: 0,
    group_names: '["Everybody"]',
  }));
  await storage.transact(async tx => {
    for (let i = 0; i < rows.length; i += 100) await tx('roster_items').insert(rows.slice(i, i + 100));
    await tx('roster_versions').insert({ account, version: VERSION + contacts.length - 1, floor: VERSION });
  });
}

describe('play: somebody with 10,000 contacts', () => {
  let server: TestNode;
  let elsewhere: Elsewhere;
  let popular: TestClient;
  let pair: [TestClient, TestClient];
  before(async () => {
    server = await TestNode.start({ users: ['popular', 'romeo', 'juliet'], yaml: ELSEWHERE });
    elsewhere = await Elsewhere.open(server);
    const names = Array.from({ length: CONTACTS }, (_, i) => `contact${i}`);
    await writeRoster(
      server.node.storage,
      'popular@localhost',
      names.map((name, i) => (i % 2 ? `${name}@localhost` : elsewhere.address(name))),
    );
    popular = await server.login('popular@localhost/x');
    pair = [
      await server.login('romeo@localhost/orchard', { presence: true }),
      await server.login('juliet@localhost/balcony', { presence: true }),
    ];
  });
  after(() => {
    elsewhere.close();
    return server.stop();
  });

  /** How often two others could write to each other and back while something was going on. */
  async function meanwhile(work: Promise<unknown>): Promise<number> {
    const [romeo, juliet] = pair;
    let going = true;
    let rounds = 0;
    const done = work.finally(() => {
      going = false;
    });
    while (going) {
      romeo.send(`<message to='${juliet.jid}' type='chat'><body>?</body></message>`);
      await juliet.message();
      juliet.send(`<message to='${romeo.jid}' type='chat'><body>!</body></message>`);
      await romeo.message();
      if (going) rounds++;
    }
    await done;
    return rounds;
  }

  it('gets the whole roster, and others chat while it is read and written', async () => {
    const asking = popular.iq('get', ROSTER);
    const rounds = await meanwhile(asking);
    const result = await asking;
    const items = itemsOf(result);
    assert.equal(items.length, CONTACTS);
    assert.equal(new Set(items.map(({ jid }) => jid)).size, CONTACTS);
    assert.deepEqual(items[1], {
      jid: 'contact1@localhost',
      name: 'Contact number 1',
      subscription: 'both',
      groups: ['Everybody'],
    });
    assert.ok(rounds >= 5, `others had ${rounds} turns`);
    // nothing more comes when it is known already (2.6)
    const { ver } = result.getChild('query')!.attrs;
    const again = await popular.iq('get', `<query xmlns='jabber:iq:roster' ver='${ver}'/>`);
    assert.equal(again.children.length, 0);
  });

  it('is pushed what changes from then on', async () => {
    await popular.iq('set', rosterSet("<item jid='contact7@localhost' name='Seven'/>"));
    assert.equal((await push(popular)).name, 'Seven');
  });

  for (const [title, presence, heard] of [
    ['comes', '<presence/>', ['', 'probe']],
    ['is somewhere else', '<presence><show>away</show></presence>', ['']],
    ['leaves', "<presence type='unavailable'/>", ['unavailable']],
  ] as const) {
    it(`${title}: every contact hears it once, and others chat meanwhile`, async () => {
      // its own next stanza waits until that is done (RFC 6120 10.1)
      popular.send(presence);
      const rounds = await meanwhile(popular.settle());
      const got = await elsewhere.settle();
      for (const type of heard) {
        const told = got.filter(({ attrs }) => (attrs.type ?? '') === type).map(({ attrs }) => attrs.to);
        assert.equal(told.length, CONTACTS / 2, `'${type}'`);
        assert.equal(new Set(told).size, CONTACTS / 2);
      }
      assert.equal(got.length, (heard.length * CONTACTS) / 2);
      assert.ok(rounds >= 5, `others had ${rounds} turns`);
    });
  }
});
