import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync, readFileSync } from 'node:fs';
import { capsHash } from '../../modules/disco/caps.ts';
import type { Element } from '../../src/xml/index.ts';
import { readStanza } from '../kit/wire.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

const INFO = 'http://jabber.org/protocol/disco#info';
const ITEMS = 'http://jabber.org/protocol/disco#items';
const CAPS = 'http://jabber.org/protocol/caps';
const info = (node = '') => `<query xmlns='${INFO}'${node && ` node='${node}'`}/>`;
const items = (node = '') => `<query xmlns='${ITEMS}'${node && ` node='${node}'`}/>`;

const features = (answer: Element) =>
  answer
    .getChild('query', INFO)!
    .getChildren('feature')
    .map(({ attrs }) => attrs.var!);
const identities = (answer: Element) =>
  answer
    .getChild('query', INFO)!
    .getChildren('identity')
    .map(({ attrs }) => `${attrs.category}/${attrs.type}`);
const listed = (answer: Element) =>
  answer
    .getChild('query', ITEMS)!
    .getChildren('item')
    .map(({ attrs }) => attrs.jid!);

/** XEP-0115 5.1 for what the server says of itself here: one identity, forms with values without order. */
function verification(query: Element): string {
  const order = (list: string[]) => list.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const texts = order(
    query
      .getChildren('identity')
      .map(({ attrs }) => `${attrs.category}/${attrs.type}/${attrs['xml:lang'] ?? ''}/${attrs.name ?? ''}`),
  );
  texts.push(...order(query.getChildren('feature').map(({ attrs }) => attrs.var!)));
  const forms = query.getChildren('x').map(form => {
    const fields = new Map(
      form.getChildren('field').map(f => [f.attrs.var!, order(f.getChildren('value').map(v => v.getText()))]),
    );
    const [type] = fields.get('FORM_TYPE')!;
    fields.delete('FORM_TYPE');
    return [type!, ...order([...fields.keys()]).flatMap(name => [name, ...fields.get(name)!])];
  });
  texts.push(...forms.sort((a, b) => Buffer.compare(Buffer.from(a[0]!), Buffer.from(b[0]!))).flat());
  return createHash('sha1')
    .update(texts.map(text => `${text}<`).join(''))
    .digest('base64');
}

/** The capabilities in the features of a stream that has logged in. */
async function capabilities(stage: TestNode): Promise<Record<string, string | undefined>> {
  const client = await stage.connect();
  await client.open();
  const token = Buffer.from('\0romeo\0romeo').toString('base64');
  client.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${token}</auth>`);
  await client.expect(stanza => stanza.name === 'success', 'success');
  const { attrs } = (await client.open()).getChild('c', CAPS)!;
  await client.end();
  return attrs;
}

async function befriend(one: TestClient, other: TestClient): Promise<void> {
  const [bare, theirs] = [one.jid.split('/')[0]!, other.jid.split('/')[0]!];
  one.send(`<presence to='${theirs}' type='subscribe'/>`);
  await other.presence(bare, 'subscribe');
  other.send(`<presence to='${bare}' type='subscribed'/>`);
  await one.presence(theirs, 'subscribed');
}

describe('play: service discovery and capabilities (XEP-0030, XEP-0115, XEP-0128)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  beforeEach(async () => {
    stage = await TestNode.start({
      users: ['romeo', 'juliet', 'nurse'],
      yaml: "modules: { contact: { abuse: ['mailto:b@x', 'mailto:a@x'], admin: ['xmpp:admin@localhost'] } }",
    });
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
  });
  afterEach(() => stage.stop());

  it('the host says what it is and what it can do, each once (3.1)', async () => {
    const answer = await romeo.iq('get', info(), 'localhost');
    assert.equal(answer.attrs.from, 'localhost');
    assert.deepEqual(identities(answer), ['server/im']);
    const all = features(answer);
    assert.equal(new Set(all).size, all.length);
    for (const feature of [INFO, ITEMS, CAPS, 'urn:xmpp:ping', 'jabber:iq:version', 'urn:xmpp:time', 'vcard-temp'])
      assert.ok(all.includes(feature), feature);
    assert.deepEqual(listed(await romeo.iq('get', items(), 'localhost')).sort(), [
      'conference.localhost',
      'pubsub.localhost',
      'upload.localhost',
    ]);
  });

  it('an account tells its owner and those who may see its presence, and nobody else (8)', async () => {
    const own = await romeo.iq('get', info());
    assert.equal(own.attrs.from ?? 'romeo@localhost', 'romeo@localhost');
    assert.deepEqual(identities(own), ['account/registered', 'pubsub/pep']);
    assert.ok(features(own).includes(INFO));
    for (const query of [items(), items('x')]) {
      const strange = await juliet.iq('get', query, 'romeo@localhost');
      const absent = await juliet.iq('get', query, 'nobody@localhost');
      for (const answer of [strange, absent]) {
        assert.equal(answer.attrs.type, 'result');
        assert.deepEqual(answer.getChild('query', ITEMS)!.children, []);
      }
      assert.equal(
        strange.toString().replaceAll(/romeo| id="q\d+"/g, ''),
        absent.toString().replaceAll(/nobody| id="q\d+"/g, ''),
      );
    }
    for (const query of [info(), info('x')]) {
      const [strange, absent] = [
        await juliet.iq('get', query, 'romeo@localhost'),
        await juliet.iq('get', query, 'nobody@localhost'),
      ];
      assert.equal(condition(strange), 'service-unavailable');
      assert.equal(condition(absent), 'service-unavailable');
      assert.equal(
        strange.toString().replaceAll(/romeo| id="q\d+"/g, ''),
        absent.toString().replaceAll(/nobody| id="q\d+"/g, ''),
      );
    }
    await befriend(juliet, romeo);
    assert.deepEqual(identities(await juliet.iq('get', info(), 'romeo@localhost')), [
      'account/registered',
      'pubsub/pep',
    ]);
    // the other way nothing was granted
    assert.equal(condition(await romeo.iq('get', info(), 'juliet@localhost')), 'service-unavailable');
  });

  it('the items of an account are its available resources (4.1)', async () => {
    const chamber = await stage.login('romeo@localhost/chamber', { presence: true });
    await stage.login('romeo@localhost/connected');
    assert.deepEqual(listed(await chamber.iq('get', items())), ['romeo@localhost/orchard']);
    await befriend(juliet, romeo);
    assert.deepEqual(listed(await juliet.iq('get', items(), 'romeo@localhost')).sort(), [
      'romeo@localhost/chamber',
      'romeo@localhost/orchard',
    ]);
  });

  it('a node is mirrored; one that is not there is not found (3.2)', async () => {
    const commands = await romeo.iq('get', info('http://jabber.org/protocol/commands'), 'localhost');
    assert.equal(commands.getChild('query')!.attrs.node, 'http://jabber.org/protocol/commands');
    assert.deepEqual(identities(commands), ['automation/command-list']);
    assert.equal(condition(await romeo.iq('get', info('no-such-node'), 'localhost')), 'item-not-found');
    assert.equal(condition(await romeo.iq('get', items('no-such-node'), 'localhost')), 'item-not-found');
    assert.equal(condition(await romeo.iq('get', info('no-such-node'))), 'item-not-found');
    assert.equal(condition(await romeo.iq('set', info(), 'localhost')), 'service-unavailable');
  });

  it('a request to a resource is its business', async () => {
    const asking = juliet.iq('get', info(), 'romeo@localhost/orchard');
    const request = await romeo.expect(s => s.name === 'iq', 'a request');
    assert.equal(request.attrs.from, 'juliet@localhost/balcony');
    romeo.send(`<iq type='result' id='${request.attrs.id}' to='${request.attrs.from}'>${info()}</iq>`);
    assert.equal((await asking).attrs.type, 'result');
  });

  it('the stream features hold capabilities that stand for what the host says (XEP-0115 6.3)', async () => {
    const caps = await capabilities(stage);
    assert.equal(caps.hash, 'sha-1');
    const node = `${caps.node}#${caps.ver}`;
    const answer = await romeo.iq('get', info(node), 'localhost');
    const query = answer.getChild('query', INFO)!;
    assert.equal(query.attrs.node, node);
    assert.equal(verification(query), caps.ver);
    const plain = (await romeo.iq('get', info(), 'localhost')).getChild('query', INFO)!;
    assert.equal(verification(plain), caps.ver);
    assert.equal(plain.getChildren('x').length, 1);
    assert.equal(condition(await romeo.iq('get', info(`${caps.node}#other`), 'localhost')), 'item-not-found');
  });

  it('capabilities follow the configuration', async () => {
    const before = await capabilities(stage);
    const text = readFileSync(stage.configFile, 'utf8').replace('admin@localhost', 'nurse@localhost');
    writeFileSync(stage.configFile, text);
    await stage.node.reload();
    const after = await capabilities(stage);
    assert.notEqual(after.ver, before.ver);
    const answer = await romeo.iq('get', info(`${after.node}#${after.ver}`), 'localhost');
    assert.equal(verification(answer.getChild('query', INFO)!), after.ver);
  });

  it('hashes as the examples of XEP-0115 5.2 and 5.3 do', () => {
    const four = [CAPS, INFO, ITEMS, 'http://jabber.org/protocol/muc'].map(name => `<feature var='${name}'/>`).join('');
    const hash = (inner: string) => {
      const query = readStanza(`<query xmlns='${INFO}'>${inner}</query>`).element();
      return capsHash({
        identities: query.getChildren('identity'),
        features: query.getChildren('feature').map(({ attrs }) => attrs.var!),
        forms: query.getChildren('x'),
      });
    };
    assert.equal(
      hash(`<identity category='client' type='pc' name='Exodus 0.9.1'/>${four}`),
      'QgayPKawpkPSDYmwT/WM94uAlu0=',
    );
    const field = (name: string, ...values: string[]) =>
      `<field var='${name}'>${values.map(value => `<value>${value}</value>`).join('')}</field>`;
    const form = `<x xmlns='jabber:x:data' type='result'>${field('FORM_TYPE', 'urn:xmpp:dataforms:softwareinfo')}${field('os', 'Mac')}${field('ip_version', 'ipv6', 'ipv4')}${field('os_version', '10.5.1')}${field('software', 'Psi')}${field('software_version', '0.11')}</x>`;
    assert.equal(
      hash(
        `<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/><identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>${four}${form}`,
      ),
      'q07IKJEyjvHSyhy//CH0CxmKi8w=',
    );
  });
});
