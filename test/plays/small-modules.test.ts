import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createHmac } from 'node:crypto';
import { zone } from '../../modules/time/index.ts';
import type { Element } from '../../src/xml/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

const PRIVATE = 'jabber:iq:private';
const VCARD = 'vcard-temp';
const LAST = 'jabber:iq:last';
const EXTDISCO = 'urn:xmpp:extdisco:2';
const INFO = "<query xmlns='http://jabber.org/protocol/disco#info'/>";

const ok = (answer: Element): Element => {
  assert.equal(answer.attrs.type, 'result', String(answer));
  return answer;
};
const features = (answer: Element) =>
  ok(answer)
    .getChild('query')!
    .getChildren('feature')
    .map(({ attrs }) => attrs.var);

describe('play: what clients ask the server and accounts', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;
  let plain: string;

  before(async () => {
    process.env.POSTHOUSE_TEST_TURN = 'from the environment';
    stage = await TestNode.start({
      users: ['romeo', 'juliet', 'friend', 'nurse', 'friar'],
      yaml: `hosts: { localhost: {}, verona.example: {} }
modules:
  private-storage: { size: 2000, documents: 4 }
  vcard: { size: 3000 }
  version: { os: false }
  contact:
    abuse: ['mailto:abuse@example.org', 'xmpp:abuse@example.org']
    security: ['https://example.org/security']
  external-services:
    lifetime: 1 h
    services:
      - { type: stun, host: stun.example.org, port: 3478 }
      - { type: turn, host: turn.example.org, port: 3478, secret: 'written in the file', name: Relay }
      - { type: turn, host: turn.example.org, port: 3479, transport: tcp, secret: { env: POSTHOUSE_TEST_TURN } }
      - { type: turns, host: 192.0.2.1, port: 5349, transport: tcp, secret: { file: turn.secret } }
`.replace('turn.secret', path.join(import.meta.dirname, '../../package.json')),
    });
    plain = readFileSync(stage.configFile, 'utf8');
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    juliet = await stage.login('juliet@localhost/balcony', { presence: true });
    const friend = await stage.login('friend@localhost/x', { presence: true });
    // friend may see romeo's presence
    friend.send("<presence to='romeo@localhost' type='subscribe'/>");
    await romeo.presence('friend@localhost', 'subscribe');
    romeo.send("<presence to='friend@localhost' type='subscribed'/>");
    await friend.presence('romeo@localhost', 'subscribed');
    await friend.end();
  });
  after(() => stage.stop());

  /** What somebody is told of an account, but for its name. */
  const same = async (ask: (account: string) => Promise<Element>, there: string, absent: string) => {
    const text = async (account: string) =>
      String(await ask(account))
        .replaceAll(account, 'ACCOUNT')
        .replaceAll(/id="q\d+"/g, '');
    assert.equal(await text(there), await text(absent));
  };

  describe('private storage (XEP-0049)', () => {
    const set = (client: TestClient, content: string, to?: string) =>
      client.iq('set', `<query xmlns='${PRIVATE}'>${content}</query>`, to);
    const get = (client: TestClient, content: string, to?: string) =>
      client.iq('get', `<query xmlns='${PRIVATE}'>${content}</query>`, to);
    const PREFS = "<prefs xmlns='urn:example:prefs'/>";

    it('is advertised by accounts', async () => {
      assert.ok(features(await romeo.iq('get', INFO)).includes(PRIVATE));
    });

    it('gives back what was put, or the element itself when there is nothing', async () => {
      const [empty] = ok(await get(romeo, PREFS))
        .getChild('query', PRIVATE)!
        .getChildElements();
      assert.deepEqual([empty!.name, empty!.getNS(), empty!.children.length], ['prefs', 'urn:example:prefs', 0]);
      const document =
        "<prefs xmlns='urn:example:prefs' a='1 &lt; 2'><nick xmlns='urn:x'>R&amp;J — ☺</nick><x/></prefs>";
      const answer = ok(await set(romeo, document));
      assert.equal(answer.children.length, 0);
      const [kept] = ok(await get(romeo, PREFS, 'romeo@localhost'))
        .getChild('query', PRIVATE)!
        .getChildElements();
      assert.equal(kept!.attrs.a, '1 < 2');
      assert.equal(kept!.getChildText('nick', 'urn:x'), 'R&J — ☺');
      assert.equal(kept!.getChild('x')!.getNS(), 'urn:example:prefs');
      assert.equal(kept!.parent!.getChildElements().length, 1);
    });

    it('keeps each name and namespace apart, and replaces what is there', async () => {
      ok(await set(romeo, "<a xmlns='urn:one'>1</a>"));
      ok(await set(romeo, "<a xmlns='urn:two'>2</a>"));
      ok(await set(romeo, "<a xmlns='urn:one'>3</a><a xmlns='urn:one'>4</a>"));
      assert.equal(
        ok(await get(romeo, "<a xmlns='urn:one'/>"))
          .getChild('query')!
          .getChildText('a'),
        '4',
      );
      assert.equal(
        ok(await get(romeo, "<a xmlns='urn:two'/>"))
          .getChild('query')!
          .getChildText('a'),
        '2',
      );
      assert.equal(
        ok(await get(romeo, "<b xmlns='urn:two'/>"))
          .getChild('query')!
          .getChildText('b'),
        '',
      );
    });

    it('refuses requests without a document or with two, and namespaces that are not theirs', async () => {
      assert.equal(condition(await get(romeo, '')), 'bad-request');
      assert.equal(condition(await set(romeo, '')), 'not-acceptable');
      assert.equal(condition(await get(romeo, `${PREFS}<a xmlns='urn:one'/>`)), 'bad-request');
      for (const xmlns of ['jabber:client', 'jabber:iq:roster', 'vcard-temp', 'http://jabber.org/protocol/muc', '']) {
        assert.equal(condition(await set(romeo, `<a xmlns='${xmlns}'>x</a>`)), 'not-acceptable', xmlns);
        assert.equal(condition(await get(romeo, `<a xmlns='${xmlns}'/>`)), 'not-acceptable', xmlns);
      }
      assert.equal(condition(await set(romeo, '<a>x</a>')), 'not-acceptable');
      assert.equal(condition(await get(romeo, '<a/>')), 'not-acceptable');
    });

    it('puts all documents of a request or none, and no more than allowed', async () => {
      assert.equal(condition(await set(romeo, `<c xmlns='urn:c'>${'x'.repeat(2000)}</c>`)), 'not-acceptable');
      assert.equal(condition(await set(romeo, "<c xmlns='urn:c'>1</c><d xmlns='jabber:client'/>")), 'not-acceptable');
      assert.equal(condition(await set(romeo, "<c xmlns='urn:c'>1</c><d xmlns='urn:d'>1</d>")), 'resource-constraint');
      assert.equal(
        ok(await get(romeo, "<c xmlns='urn:c'/>"))
          .getChild('query')!
          .getChildText('c'),
        '',
      );
      ok(await set(romeo, "<c xmlns='urn:c'>1</c>"));
      ok(await set(romeo, "<c xmlns='urn:c'>2</c>"));
      assert.equal(
        ok(await get(romeo, "<c xmlns='urn:c'/>"))
          .getChild('query')!
          .getChildText('c'),
        '2',
      );
    });

    it("is nobody's but the owner's, and tells nobody who is there", async () => {
      for (const ask of [get, set]) {
        assert.equal(condition(await ask(juliet, PREFS, 'romeo@localhost')), 'service-unavailable');
        await same(account => ask(juliet, PREFS, account), 'romeo@localhost', 'nobody@localhost');
        assert.equal(condition(await ask(romeo, PREFS, 'localhost')), 'service-unavailable');
      }
    });
  });

  describe('vCards (XEP-0054)', () => {
    const GET = `<vCard xmlns='${VCARD}'/>`;
    const card = (name: string) =>
      `<vCard xmlns='${VCARD}'><FN>${name}</FN><N><GIVEN>${name}</GIVEN></N><PHOTO><TYPE>image/png</TYPE><BINVAL>aGk=</BINVAL></PHOTO></vCard>`;

    it('are advertised', async () => {
      assert.ok(features(await romeo.iq('get', INFO)).includes(VCARD));
      assert.ok(features(await romeo.iq('get', INFO, 'localhost')).includes(VCARD));
    });

    it('an owner without one gets an empty one; others are told what they are of an account that is not there', async () => {
      assert.equal(ok(await romeo.iq('get', GET)).getChild('vCard', VCARD)!.children.length, 0);
      assert.equal(condition(await juliet.iq('get', GET, 'romeo@localhost')), 'service-unavailable');
      await same(account => juliet.iq('get', GET, account), 'romeo@localhost', 'nobody@localhost');
    });

    it('are written by the owner, and read by everybody (3.2, 3.3)', async () => {
      assert.equal(ok(await romeo.iq('set', card('Romeo &amp; ☺'))).children.length, 0);
      for (const [client, to] of [
        [romeo, undefined],
        [romeo, 'romeo@localhost'],
        [juliet, 'romeo@localhost'],
      ] as const) {
        const answer = ok(await client.iq('get', GET, to));
        const found = answer.getChild('vCard', VCARD)!;
        assert.equal(found.getChildText('FN'), 'Romeo & ☺');
        assert.equal(found.getChild('PHOTO')!.getChildText('BINVAL'), 'aGk=');
        assert.equal(found.getChild('N')!.getNS(), VCARD);
      }
      ok(await romeo.iq('set', card('Montague'), 'romeo@localhost'));
      const replaced = ok(await juliet.iq('get', GET, 'romeo@localhost')).getChild('vCard')!;
      assert.deepEqual(
        replaced.getChildren('FN').map(e => e.getText()),
        ['Montague'],
      );
    });

    it('of others are not written, whether they are there or not', async () => {
      assert.equal(condition(await juliet.iq('set', card('Mine'), 'romeo@localhost')), 'forbidden');
      await same(account => juliet.iq('set', card('Mine'), account), 'romeo@localhost', 'nobody@localhost');
      assert.equal(
        ok(await juliet.iq('get', GET, 'romeo@localhost'))
          .getChild('vCard')!
          .getChildText('FN'),
        'Montague',
      );
      assert.equal(condition(await juliet.iq('set', card('Mine'), 'localhost')), 'service-unavailable');
    });

    it('have a size, beyond which the old one stays', async () => {
      assert.equal(condition(await romeo.iq('set', card('x'.repeat(3000)))), 'not-acceptable');
      assert.equal(
        ok(await romeo.iq('get', GET))
          .getChild('vCard')!
          .getChildText('FN'),
        'Montague',
      );
    });

    it('the server has one too', async () => {
      assert.equal(
        ok(await romeo.iq('get', GET, 'localhost'))
          .getChild('vCard')!
          .getChildText('FN'),
        'Posthouse',
      );
    });
  });

  describe('last activity (XEP-0012)', () => {
    const GET = `<query xmlns='${LAST}'/>`;
    const seconds = (answer: Element) => Number(ok(answer).getChild('query', LAST)!.attrs.seconds);

    it('of the server: how long it has run', async () => {
      const uptime = seconds(await romeo.iq('get', GET, 'localhost'));
      assert.ok(Number.isInteger(uptime) && uptime >= 0);
      assert.ok(uptime <= (Date.now() - stage.node.startedAt) / 1000);
      assert.ok(features(await romeo.iq('get', INFO, 'localhost')).includes(LAST));
    });

    it('of who is there: 0; of oneself too', async () => {
      assert.equal(seconds(await romeo.iq('get', GET)), 0);
      const friend = await stage.login('friend@localhost/x');
      const answer = await friend.iq('get', GET, 'romeo@localhost');
      assert.equal(seconds(answer), 0);
      assert.equal(answer.getChild('query')!.getText(), '');
      // connected, though not available (3)
      romeo.send("<presence type='unavailable'><status>x</status></presence>");
      await romeo.settle();
      assert.equal(seconds(await friend.iq('get', GET, 'romeo@localhost')), 0);
      romeo.send('<presence/>');
      await romeo.settle();
      await friend.end();
    });

    it('of who was there: since when, and the last status', async () => {
      const clients = [
        await stage.login('friend@localhost/x', { presence: true }),
        await stage.login('friar@localhost/cell', { presence: true }),
      ];
      const [friend, friar] = clients as [TestClient, TestClient];
      friend.send("<presence to='friar@localhost' type='subscribe'/>");
      await friar.presence('friend@localhost', 'subscribe');
      friar.send("<presence to='friend@localhost' type='subscribed'/>");
      await friend.presence('friar@localhost', 'subscribed');
      friar.send("<presence type='unavailable'><status>To &amp; from Mantua</status></presence>");
      await friar.settle();
      await friar.end();
      const answer = await friend.iq('get', GET, 'friar@localhost');
      assert.ok(seconds(answer) >= 0 && seconds(answer) < 60);
      assert.equal(answer.getChild('query')!.getText(), 'To & from Mantua');
      // cut off: no words
      const again = await stage.login('friar@localhost/cell', { presence: true });
      again.destroy();
      for (let text = 'To & from Mantua'; text !== '';)
        text = ok(await friend.iq('get', GET, 'friar@localhost'))
          .getChild('query')!
          .getText();
      await friend.end();
    });

    it('is forbidden to who may not see the presence, and they learn nothing by it', async () => {
      assert.equal(condition(await juliet.iq('get', GET, 'romeo@localhost')), 'forbidden');
      await same(account => juliet.iq('get', GET, account), 'romeo@localhost', 'nobody@localhost');
      await same(account => juliet.iq('get', GET, `${account}/orchard`), 'romeo@localhost', 'nobody@localhost');
      // to a resource, there or not (4)
      for (const resource of ['orchard', 'nowhere'])
        assert.equal(condition(await juliet.iq('get', GET, `romeo@localhost/${resource}`)), 'forbidden');
      assert.deepEqual((await romeo.settle()).map(String), []);
      // the other way nothing was granted
      assert.equal(condition(await romeo.iq('get', GET, 'friend@localhost')), 'forbidden');
    });

    it('of a resource is its own business, for those who may see it', async () => {
      const friend = await stage.login('friend@localhost/x');
      const asking = friend.iq('get', GET, 'romeo@localhost/orchard');
      const request = await romeo.expect(stanza => stanza.is('iq') && stanza.attrs.type === 'get', 'the request');
      romeo.send(
        `<iq type='result' id='${request.attrs.id}' to='${request.attrs.from}'><query xmlns='${LAST}' seconds='123'/></iq>`,
      );
      assert.equal(seconds(await asking), 123);
      assert.equal(condition(await friend.iq('get', GET, 'romeo@localhost/nowhere')), 'service-unavailable');
      await friend.end();
    });

    it('is not set', async () => {
      for (const to of ['localhost', undefined])
        assert.equal(condition(await romeo.iq('set', GET, to)), 'service-unavailable');
    });
  });

  describe('ping (XEP-0199), version (XEP-0092), time (XEP-0202)', () => {
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

  describe('external services (XEP-0215)', () => {
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

  describe('contact addresses (XEP-0157)', () => {
    it('stand in the disco information of the host, those that are there', async () => {
      const forms = ok(await romeo.iq('get', INFO, 'localhost'))
        .getChild('query')!
        .getChildren('x', 'jabber:x:data');
      assert.equal(forms.length, 1);
      assert.equal(forms[0]!.attrs.type, 'result');
      const fields = forms[0]!
        .getChildren('field')
        .map(field => [field.attrs.var, field.getChildren('value').map(v => v.getText())]);
      assert.deepEqual(fields, [
        ['FORM_TYPE', ['http://jabber.org/network/serverinfo']],
        ['abuse-addresses', ['mailto:abuse@example.org', 'xmpp:abuse@example.org']],
        ['security-addresses', ['https://example.org/security']],
      ]);
    });

    it('change with the configuration, and may be none', async () => {
      const none = plain.replace(/ {4}abuse: .*\n/, '').replace(/ {4}security: .*\n/, '');
      writeFileSync(stage.configFile, none);
      await stage.node.reload();
      assert.equal(
        ok(await romeo.iq('get', INFO, 'localhost'))
          .getChild('query')!
          .getChild('x'),
        undefined,
      );
      writeFileSync(stage.configFile, plain.replace('mailto:abuse@example.org', 'not a URI'));
      await assert.rejects(stage.node.reload(), /modules\.contact\.abuse\[0\]/);
      writeFileSync(stage.configFile, plain);
      await stage.node.reload();
    });
  });
});
