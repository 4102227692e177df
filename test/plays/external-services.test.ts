import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { features, INFO, ok, verona } from './verona.ts';

const EXTDISCO = 'urn:xmpp:extdisco:2';

describe('play: external services (XEP-0215)', () => {
  let stage: TestNode;
  let romeo: TestClient;

  before(async () => {
    process.env.POSTHOUSE_TEST_TURN = 'from the environment';
    const secret = path.join(import.meta.dirname, '../../package.json');
    ({ stage, romeo } = await verona(`hosts: { localhost: {}, verona.example: {} }
modules:
  external-services:
    lifetime: 1 h
    services:
      - { type: stun, host: stun.example.org, port: 3478 }
      - { type: turn, host: turn.example.org, port: 3478, secret: 'written in the file', name: Relay }
      - { type: turn, host: turn.example.org, port: 3479, transport: tcp, secret: { env: POSTHOUSE_TEST_TURN } }
      - { type: turns, host: 192.0.2.1, port: 5349, transport: tcp, secret: { file: ${secret} } }
`));
  });
  after(() => stage.stop());

  const services = (answer: Element) => ok(answer).getChildElements()[0]!.getChildren('service');
  const ask = (type?: string, client = romeo, to = 'localhost') =>
    client.iq('get', `<services xmlns='${EXTDISCO}'${type === undefined ? '' : ` type='${type}'`}/>`, to);
  const credentials = (attributes: string, content?: string) =>
    romeo.iq(
      'get',
      `<credentials xmlns='${EXTDISCO}'>${content ?? `<service ${attributes}/>`}</credentials>`,
      'localhost',
    );
  const SECRETS = () => [
    undefined,
    'written in the file',
    'from the environment',
    readFileSync('package.json', 'utf8').replace(/\n$/, ''),
  ];

  it('are advertised, and listed in their order', async () => {
    assert.ok(features(await romeo.iq('get', INFO, 'localhost')).includes(EXTDISCO));
    const list = services(await ask());
    assert.deepEqual(
      list.map(({ attrs }) => [attrs.type, attrs.host, attrs.port, attrs.transport, attrs.name]),
      [
        ['stun', 'stun.example.org', '3478', 'udp', undefined],
        ['turn', 'turn.example.org', '3478', 'udp', 'Relay'],
        ['turn', 'turn.example.org', '3479', 'tcp', undefined],
        ['turns', '192.0.2.1', '5349', 'tcp', undefined],
      ],
    );
  });

  it('credentials are those of the TURN REST interface, from secrets of file, environment and configuration', async () => {
    const before = Math.floor(Date.now() / 1000);
    const list = services(await ask());
    for (const [i, secret] of SECRETS().entries()) {
      const { username, password, expires, restricted } = list[i]!.attrs;
      if (secret === undefined) {
        assert.deepEqual([username, password, expires, restricted], [undefined, undefined, undefined, undefined]);
        continue;
      }
      const [until, name] = username!.split(':');
      assert.equal(name, 'romeo');
      assert.equal(password, createHmac('sha1', secret).update(username!).digest('base64'));
      assert.ok(Number(until) >= before + 3600 && Number(until) <= before + 3610);
      assert.match(expires!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.equal(Date.parse(expires!), Number(until) * 1000);
      assert.equal(restricted, 'true');
    }
  });

  it('of one type', async () => {
    const answer = await ask('turn');
    assert.equal(answer.getChild('services', EXTDISCO)!.attrs.type, 'turn');
    assert.deepEqual(
      services(answer).map(({ attrs }) => attrs.port),
      ['3478', '3479'],
    );
    assert.deepEqual(services(await ask('ftp')), []);
  });

  it('credentials for one service', async () => {
    const all = services(await credentials("host='turn.example.org' type='turn'"));
    assert.deepEqual(
      all.map(({ attrs }) => attrs.port),
      ['3478', '3479'],
    );
    const [one, ...none] = services(await credentials("host='turn.example.org' type='turn' port='3479'"));
    assert.deepEqual(none, []);
    const { username, password } = one!.attrs;
    assert.equal(password, createHmac('sha1', 'from the environment').update(username!).digest('base64'));
    for (const attributes of [
      "host='stun.example.org' type='stun'", // which needs none
      "host='turn.example.org' type='stun'",
      "host='x' type='turn'",
      "host='turn.example.org' type='turn' port='1'",
    ])
      assert.equal(condition(await credentials(attributes)), 'item-not-found', attributes);
    for (const attributes of ["host='turn.example.org'", "type='turn'", ''])
      assert.equal(condition(await credentials(attributes)), 'bad-request', attributes);
    assert.equal(condition(await credentials('', '')), 'bad-request');
  });

  it('are for accounts of this server, on each of its hosts, and not for set', async () => {
    await stage.addUser('benvolio', 'verona.example');
    const benvolio = await stage.login('benvolio@verona.example/x');
    assert.equal(services(await ask(undefined, benvolio, 'verona.example')).length, 4);
    await benvolio.end();
    assert.equal(
      condition(await romeo.iq('set', `<services xmlns='${EXTDISCO}'/>`, 'localhost')),
      'service-unavailable',
    );
  });
});

describe('play: external services that change (XEP-0215 3.2)', () => {
  const services = (...lines: string[]) =>
    `modules:\n  external-services:\n    services: ${lines.length === 0 ? '[]' : `\n${lines.map(line => `      - ${line}\n`).join('')}`}\n`;
  const STUN = '{ type: stun, host: stun.example.org }';
  const TURN = "{ type: turn, host: turn.example.org, secret: 'shared' }";
  const FILES = '{ type: ftp, host: ftp.example.org, transport: tcp, username: guest, password: guest }';
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  before(async () => {
    ({ stage, romeo, juliet } = await verona(services(STUN, TURN, FILES)));
  });
  after(() => stage.stop());

  const list = async (client: TestClient, type = '') => {
    const payload = `<services xmlns='${EXTDISCO}'${type === '' ? '' : ` type='${type}'`}/>`;
    return ok(await client.iq('get', payload, 'localhost'))
      .getChild('services', EXTDISCO)!
      .getChildren('service');
  };
  const change = async (...lines: string[]) => {
    const text = readFileSync(stage.configFile, 'utf8');
    writeFileSync(stage.configFile, text.slice(0, text.indexOf('modules:')) + services(...lines));
    await stage.node.reload();
  };
  const isPush = (stanza: Element) =>
    stanza.attrs.type === 'set' && stanza.getChild('services', EXTDISCO) !== undefined;
  const pushed = async (client: TestClient) => {
    const iq = await client.expect(isPush, 'a push');
    assert.deepEqual([iq.attrs.from, iq.attrs.to], ['localhost', client.jid]);
    const payload = iq.getChild('services', EXTDISCO)!;
    return [
      payload.attrs.type,
      ...payload.getChildren('service').map(({ attrs }) => `${attrs.action} ${attrs.type} ${attrs.host} ${attrs.port}`),
    ];
  };

  it('have the usual port of their type, and credentials that all share where there is no secret', async () => {
    assert.deepEqual(
      (await list(romeo)).map(({ attrs }) => [
        attrs.port,
        attrs.username?.split(':')[1] ?? attrs.username,
        attrs.restricted,
      ]),
      [
        ['3478', undefined, undefined],
        ['3478', 'romeo', 'true'],
        [undefined, 'guest', 'true'],
      ],
    );
    const [ftp] = await list(romeo, 'ftp');
    assert.deepEqual([ftp!.attrs.password, ftp!.attrs.expires], ['guest', undefined]);
  });

  it('are pushed to sessions that have asked for them, by type, with what became of each; to nobody else', async () => {
    const other = await stage.login('romeo@localhost/other');
    await list(other, 'turn');
    await change(
      STUN,
      "{ type: turn, host: turn.example.org, secret: 'another' }",
      '{ type: turns, host: turn.example.org, secret: x }',
    );
    assert.deepEqual((await pushed(romeo)).map(String).toSorted(), [
      'add turns turn.example.org 5349',
      'delete ftp ftp.example.org undefined',
      'modify turn turn.example.org 3478',
      'undefined',
    ]);
    // the same session had asked for one type, too
    assert.deepEqual(await pushed(romeo), ['ftp', 'delete ftp ftp.example.org undefined']);
    assert.deepEqual(await pushed(other), ['turn', 'modify turn turn.example.org 3478']);
    assert(!(await juliet.settle()).some(isPush));
    // as somebody sees it who asks now
    const [turn] = await list(other, 'turn');
    const { username, password } = turn!.attrs;
    assert.equal(password, createHmac('sha1', 'another').update(username!).digest('base64'));
  });

  it('nothing is pushed where nothing has changed, or nothing of that type', async () => {
    await list(juliet, 'stun');
    await change(STUN);
    const deletions = await pushed(romeo);
    assert.equal(deletions.length, 3);
    await change(STUN, TURN);
    assert.deepEqual(await pushed(romeo), [undefined, 'add turn turn.example.org 3478']);
    assert(!(await juliet.settle()).some(isPush));
  });
});
