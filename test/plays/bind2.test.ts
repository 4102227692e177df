import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { ok } from './verona.ts';

const BIND = 'urn:xmpp:bind:0';
const MAM = 'urn:xmpp:mam:2';
const CARBONS = 'urn:xmpp:carbons:2';

describe('play: a session that begins along with the login (XEP-0386)', () => {
  let stage: TestNode;

  before(async () => {
    stage = await TestNode.start({ users: ['romeo', 'juliet'] });
  });
  after(() => stage.stop());

  const arrive = async (
    name: string,
    inside = '',
  ): Promise<{ client: TestClient; bound: Element; features: Element }> => {
    const client = await stage.connect();
    await client.open();
    const data = Buffer.from(`\0${name}\0${name}`).toString('base64');
    client.send(
      `<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>${data}</initial-response>` +
        `<bind xmlns='${BIND}'><tag>m</tag>${inside}</bind></authenticate>`,
    );
    const success = await client.expect(stanza => stanza.name === 'success', '<success/>');
    client.jid = success.getChildText('authorization-identifier')!;
    const features = await client.expect(stanza => stanza.name === 'features', 'features');
    return { client, bound: success.getChild('bound', BIND)!, features };
  };

  it('says which carbons can be asked for, and no more', async () => {
    const client = await stage.connect();
    const features = await client.open();
    const inline = features.getChild('authentication')!.getChild('inline')!.getChild('bind', BIND)!.getChild('inline')!;
    assert.deepEqual(
      inline.getChildren('feature').map(({ attrs }) => attrs.var as string),
      ['urn:xmpp:sm:3', 'urn:xmpp:csi:0', CARBONS],
    );
  });

  it('carbons are on from the first moment', async () => {
    const { client: desk } = await arrive('romeo', `<enable xmlns='${CARBONS}'/>`);
    const { client: pocket } = await arrive('romeo');
    for (const client of [desk, pocket]) client.send('<presence/>');
    await pocket.settle();
    pocket.send("<message to='juliet@localhost' type='chat' id='c1'><body>Ay me</body></message>");
    const copy = await desk.message();
    assert.ok(copy.getChild('sent', CARBONS));
    desk.send("<message to='juliet@localhost' type='chat' id='c2'><body>again</body></message>");
    await desk.settle();
    assert.equal(
      (await pocket.settle()).some(({ name }) => name === 'message'),
      false,
    );
    await desk.end();
    await pocket.end();
  });

  it('tells what the archive holds (XEP-0313)', async () => {
    const { client, bound } = await arrive('juliet');
    const metadata = bound.getChild('metadata', MAM)!;
    const asked = ok(await client.iq('get', `<metadata xmlns='${MAM}'/>`)).getChild('metadata', MAM)!;
    assert.equal(metadata.getChild('start')!.attrs.id, asked.getChild('start')!.attrs.id);
    assert.equal(metadata.getChild('end')!.attrs.id, asked.getChild('end')!.attrs.id);
    assert.notEqual(metadata.getChild('start')!.attrs.id, metadata.getChild('end')!.attrs.id);
    await client.end();
  });

  it('offers what is left, and binding no more', async () => {
    const { client, features } = await arrive('juliet', "<enable xmlns='urn:xmpp:sm:3'/>");
    const names = features.getChildElements().map(({ name }) => name);
    assert.ok(names.includes('csi') && !names.includes('bind') && !names.includes('sm'), names.join(' '));
    await client.end();
  });
});
