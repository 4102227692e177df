import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { zone } from '../../modules/time/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { ok, same, verona } from './verona.ts';

describe('play: ping (XEP-0199), version (XEP-0092), time (XEP-0202)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  let plain: string;

  before(async () => {
    ({ stage, romeo, juliet } = await verona(
      'hosts: { localhost: {}, verona.example: {} }\nmodules: { version: { os: false } }\n',
    ));
    plain = readFileSync(stage.configFile, 'utf8');
  });
  after(() => stage.stop());

  const PING = "<ping xmlns='urn:xmpp:ping'/>";

  it('the server and the own account answer pings; others do not tell', async () => {
    for (const to of ['localhost', undefined, 'romeo@localhost', 'verona.example']) {
      const answer = ok(await romeo.iq('get', PING, to));
      assert.equal(answer.children.length, 0);
      if (to) assert.equal(answer.attrs.from, to);
    }
    assert.equal(condition(await romeo.iq('get', PING, 'juliet@localhost')), 'service-unavailable');
    await same(account => romeo.iq('get', PING, account), 'juliet@localhost', 'nobody@localhost');
    assert.equal(condition(await romeo.iq('get', PING, 'juliet@localhost/nowhere')), 'service-unavailable');
    assert.equal(condition(await romeo.iq('set', PING, 'localhost')), 'service-unavailable');
    const asking = romeo.iq('get', PING, juliet.jid);
    const request = await juliet.expect(stanza => stanza.is('iq'), 'a ping');
    juliet.send(`<iq type='result' id='${request.attrs.id}' to='${request.attrs.from}'/>`);
    ok(await asking);
  });

  it('the version, and the system where it may be told', async () => {
    const ask = async () =>
      ok(await romeo.iq('get', "<query xmlns='jabber:iq:version'/>", 'localhost')).getChild('query')!;
    const query = await ask();
    assert.deepEqual(
      query.getChildElements().map(({ name }) => name),
      ['name', 'version'],
    );
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    assert.deepEqual([query.getChildText('name'), query.getChildText('version')], ['Posthouse', version]);
    writeFileSync(stage.configFile, plain.replace('os: false', 'os: true'));
    await stage.node.reload();
    assert.ok((await ask()).getChildText('os'));
    writeFileSync(stage.configFile, plain);
    await stage.node.reload();
    assert.equal((await ask()).getChild('os'), undefined);
  });

  it('the time, in UTC and with the distance from it', async () => {
    const before = Date.now();
    const time = ok(await romeo.iq('get', "<time xmlns='urn:xmpp:time'/>", 'localhost')).getChild(
      'time',
      'urn:xmpp:time',
    )!;
    assert.match(time.getChildText('utc')!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const told = Date.parse(time.getChildText('utc')!);
    assert.ok(told >= before - 1000 && told <= Date.now());
    assert.match(time.getChildText('tzo')!, /^(Z|[+-]\d\d:\d\d)$/);
    assert.deepEqual([0, 330, -210, 60, -720].map(zone), ['Z', '+05:30', '-03:30', '+01:00', '-12:00']);
  });
});
