import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { isPush, itemsOf, ROSTER, rosterSet } from './people.ts';

const versionOf = (iq: Element): string => iq.getChild('query')!.attrs.ver!;
const since = (ver: string): string => `<query xmlns='jabber:iq:roster' ver='${ver}'/>`;
const pushesIn = (stanzas: readonly Element[]): Element[] => stanzas.filter(isPush);

describe('play: roster versions (RFC 6121 2.6, XEP-0237)', () => {
  let server: TestNode;
  let romeo: TestClient;
  let names = 0;
  before(async () => {
    server = await TestNode.start();
  });
  after(() => server.stop());

  beforeEach(async () => {
    await server.addUser(`romeo${++names}`);
    romeo = await again();
  });
  afterEach(() => romeo.end());

  const again = (): Promise<TestClient> => server.login(`romeo${names}@localhost/orchard`);
  const set = (item: string): Promise<Element> => romeo.iq('set', rosterSet(item));

  /** Adds so many contacts. */
  async function fill(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await set(`<item jid='c${i}@example.com'/>`);
  }

  /** Comes back with a version; what it is told. */
  async function comeBack(ver: string): Promise<{ result: Element; pushes: Element[] }> {
    await romeo.end();
    romeo = await again();
    const result = await romeo.iq('get', since(ver));
    // the interim pushes come behind the answer, in the account's turn
    await set("<item jid='sync@example.com'/>");
    const pushes: Element[] = [];
    for (;;) {
      const iq = await romeo.expect(isPush, 'a push');
      if (itemsOf(iq)[0]!.jid === 'sync@example.com') return { result, pushes };
      pushes.push(iq);
    }
  }

  it('is offered as a stream feature, and so is pre-approval (2.6.1, 3.4)', async () => {
    const client = await server.connect();
    await client.open();
    const token = Buffer.from(`\0romeo${names}\0romeo${names}`).toString('base64');
    client.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${token}</auth>`);
    await client.expect(stanza => stanza.name === 'success', 'success');
    const features = await client.open();
    assert.ok(features.getChild('ver', 'urn:xmpp:features:rosterver'));
    assert.ok(features.getChild('sub', 'urn:xmpp:features:pre-approval'));
    client.destroy();
  });

  it('an empty version asks for the whole roster with its version (2.6.2)', async () => {
    await fill(1);
    const result = await romeo.iq('get', since(''));
    assert.equal(itemsOf(result).length, 1);
    assert.ok(versionOf(result));
  });

  it('results and pushes have versions also for clients that never named one; each push has another (2.6.3)', async () => {
    const before = versionOf(await romeo.iq('get', ROSTER));
    await fill(3);
    await set("<item jid='c0@example.com' name='x'/>");
    await set("<item jid='c0@example.com' subscription='remove'/>");
    const versions = pushesIn(await romeo.settle()).map(versionOf);
    assert.equal(versions.length, 5);
    assert.equal(new Set([before, ...versions]).size, 6);
    assert.equal(versionOf(await romeo.iq('get', ROSTER)), versions.at(-1));
  });

  it('the same version is an empty result and no push (2.6.3)', async () => {
    await fill(3);
    const ver = versionOf(await romeo.iq('get', ROSTER));
    const { result, pushes } = await comeBack(ver);
    assert.equal(result.attrs.type, 'result');
    assert.equal(result.children.length, 0);
    assert.deepEqual(pushes, []);
  });

  it('changes since then are pushed in order, each contact once, as it is now (2.6.3)', async () => {
    await fill(12);
    const ver = versionOf(await romeo.iq('get', ROSTER));
    await set("<item jid='c1@example.com' name='first'/>");
    await set("<item jid='c2@example.com' subscription='remove'/>");
    await set("<item jid='new@example.com'><group>G</group></item>");
    await set("<item jid='c1@example.com' name='second'/>");
    const last = versionOf(await romeo.iq('get', ROSTER));
    const { result, pushes } = await comeBack(ver);
    assert.equal(result.children.length, 0);
    assert.deepEqual(
      pushes.map(iq => itemsOf(iq)[0]),
      [
        { jid: 'c2@example.com', subscription: 'remove' },
        { jid: 'new@example.com', subscription: 'none', groups: ['G'] },
        { jid: 'c1@example.com', name: 'second', subscription: 'none' },
      ],
    );
    assert.equal(versionOf(pushes.at(-1)!), last);
    assert.equal(new Set(pushes.map(versionOf)).size, 3);
  });

  it("a version from a push is as good as a result's", async () => {
    await fill(10);
    await romeo.iq('get', ROSTER);
    await set("<item jid='c1@example.com' name='x'/>");
    const ver = versionOf(await romeo.expect(isPush, 'a push'));
    await set("<item jid='c2@example.com' name='y'/>");
    const { result, pushes } = await comeBack(ver);
    assert.equal(result.children.length, 0);
    assert.deepEqual(
      pushes.map(iq => itemsOf(iq)[0]!.jid),
      ['c2@example.com'],
    );
  });

  it('where most has changed, the whole roster is shorter (2.6.3)', async () => {
    await fill(2);
    const ver = versionOf(await romeo.iq('get', ROSTER));
    await set("<item jid='c0@example.com' subscription='remove'/>");
    await set("<item jid='c1@example.com' name='x'/>");
    const { result, pushes } = await comeBack(ver);
    assert.deepEqual(
      itemsOf(result).map(({ jid }) => jid),
      ['c1@example.com'],
    );
    assert.notEqual(versionOf(result), ver);
    assert.deepEqual(pushes, []);
    // also when nothing is left
    await set("<item jid='c1@example.com' subscription='remove'/>");
    const { ver: full } = (await romeo.iq('get', ROSTER)).getChild('query')!.attrs;
    await set("<item jid='sync@example.com' subscription='remove'/>");
    const empty = await romeo.iq('get', since(full!));
    assert.deepEqual(itemsOf(empty), []);
  });

  it('a version that the server never gave is answered with the whole roster', async () => {
    await fill(3);
    for (const ver of ['nonsense', '99999999999999', '-1', '1.5', '0', "'".replace("'", '&apos;')]) {
      const result = await romeo.iq('get', since(ver));
      assert.equal(itemsOf(result).length, 3, ver);
    }
  });

  it('an account that comes anew under an old name has other versions', async () => {
    await fill(3);
    const ver = versionOf(await romeo.iq('get', ROSTER));
    await romeo.end();
    const { accounts } = server.node;
    const { parseJid } = await import('../../src/jid/index.ts');
    await accounts.remove(parseJid(`romeo${names}@localhost`)!);
    await server.addUser(`romeo${names}`);
    romeo = await again();
    const result = await romeo.iq('get', since(ver));
    assert.deepEqual(itemsOf(result), []);
  });
});
