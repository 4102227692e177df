import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Element } from '../../src/xml/index.ts';
import { condition, TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { freePort } from '../kit/ports.ts';
import { until } from '../kit/wait.ts';

const NS = 'jabber:iq:register';
const FEATURE = 'http://jabber.org/features/iq-register';
const QUERY = `<query xmlns='${NS}'/>`;
const fill = (username: string | undefined, password: string | undefined) =>
  `<query xmlns='${NS}'>${username === undefined ? '' : `<username>${username}</username>`}${
    password === undefined ? '' : `<password>${password}</password>`
  }</query>`;
const REMOVE = `<query xmlns='${NS}'><remove/></query>`;
const INFO = "<query xmlns='http://jabber.org/protocol/disco#info'/>";

/** A request of a stream that has not logged in. */
let ids = 0;
async function before(client: TestClient, type: 'get' | 'set', payload: string): Promise<Element> {
  const id = `b${++ids}`;
  client.send(`<iq type='${type}' id='${id}' to='localhost'>${payload}</iq>`);
  return client.expect(stanza => stanza.attrs.id === id, `an answer to ${payload}`);
}

describe('play: in-band registration (XEP-0077)', () => {
  let stage: TestNode;
  let strangers: TestClient[] = [];
  afterEach(async () => {
    for (const client of strangers) client.destroy();
    strangers = [];
  });
  /** A stream before its login. */
  const stranger = async (): Promise<{ client: TestClient; features: Element }> => {
    const client = await stage.connect();
    strangers.push(client);
    return { client, features: await client.open() };
  };
  const reload = async (change: (yaml: string) => string): Promise<void> => {
    writeFileSync(stage.configFile, change(readFileSync(stage.configFile, 'utf8')));
    await stage.node.reload();
  };
  /** Logs in on a stream that is open; whether it is let in. */
  const login = async (client: TestClient, name: string, password: string): Promise<boolean> => {
    const token = Buffer.from(`\0${name}\0${password}`).toString('base64');
    client.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${token}</auth>`);
    return (await client.expect(s => ['success', 'failure'].includes(s.name), 'an answer')).name === 'success';
  };
  const canLogin = async (name: string, password: string) => login((await stranger()).client, name, password);

  describe('as it is by default: closed', () => {
    before_(async () => {
      stage = await TestNode.start({ users: ['romeo'] });
    });

    it('is not offered, and refused', async () => {
      const { client, features } = await stranger();
      assert.equal(features.getChild('register', FEATURE), undefined);
      assert.equal(condition(await before(client, 'get', QUERY)), 'service-unavailable');
      assert.equal(condition(await before(client, 'set', fill('tybalt', 'prince of cats'))), 'service-unavailable');
      assert.equal(await canLogin('tybalt', 'prince of cats'), false);
      // the stream goes on
      assert.equal(await login(client, 'romeo', 'romeo'), true);
    });

    it('disco tells of it as long as a password can be changed or an account removed', async () => {
      const romeo = await stage.login('romeo@localhost/x');
      const advertised = async () =>
        (await romeo.iq('get', INFO, 'localhost'))
          .getChild('query')!
          .getChildren('feature')
          .some(({ attrs }) => attrs.var === NS);
      assert.equal(await advertised(), true);
      await reload(yaml => `${yaml}modules: { registration: { changePassword: false, removeAccount: false } }\n`);
      assert.equal(await advertised(), false);
      assert.equal(condition(await romeo.iq('set', fill('romeo', 'a new password'))), 'not-allowed');
      assert.equal(condition(await romeo.iq('set', REMOVE)), 'not-allowed');
      assert.equal(await canLogin('romeo', 'romeo'), true);
    });
  });

  describe('where it is open', () => {
    before_(async () => {
      stage = await TestNode.start({
        users: ['romeo'],
        yaml: `admins: [prince@localhost]
modules: { registration: { open: true, perAddress: 0, reserved: [Admin, root] } }
`,
      });
    });

    it('is offered before login, and not after it', async () => {
      const { client, features } = await stranger();
      assert.ok(features.getChild('register', FEATURE));
      assert.equal(await login(client, 'romeo', 'romeo'), true);
      assert.equal((await client.open()).getChild('register', FEATURE), undefined);
    });

    it('tells what is to be filled in, makes the account, and it can log in on the same stream', async () => {
      const { client } = await stranger();
      const form = await before(client, 'get', QUERY);
      assert.equal(form.attrs.type, 'result');
      assert.equal(form.attrs.from, 'localhost');
      assert.equal(form.attrs.to, undefined);
      const names = form
        .getChild('query', NS)!
        .getChildElements()
        .map(({ name }) => name);
      assert.deepEqual(names, ['instructions', 'username', 'password']);
      const made = await before(client, 'set', fill('Mercutio', 'Queen Mab &amp; co'));
      assert.deepEqual([made.attrs.type, made.children.length], ['result', 0]);
      assert.equal(await login(client, 'mercutio', 'Queen Mab & co'), true);
      await client.open();
      assert.match(await client.bind('x'), /^mercutio@localhost\/x$/);
    });

    it('a data form does as well, and goes before the plain fields (4, 6)', async () => {
      const { client } = await stranger();
      const field = (name: string, value: string) => `<field var='${name}'><value>${value}</value></field>`;
      const form = `<x xmlns='jabber:x:data' type='submit'>${field('FORM_TYPE', NS)}${field('username', 'nurse')}${field('password', 'honey nurse')}</x>`;
      const answer = await before(client, 'set', `<query xmlns='${NS}'>${form}</query>`);
      assert.equal(answer.attrs.type, 'result');
      assert.equal(await canLogin('nurse', 'honey nurse'), true);
    });

    it('a name that is taken, kept back, or an administrator: conflict', async () => {
      const { client } = await stranger();
      for (const name of ['romeo', 'ROMEO', 'admin', 'root', 'ａｄｍｉｎ', 'prince'])
        assert.equal(condition(await before(client, 'set', fill(name, 'a long password'))), 'conflict', name);
      assert.equal(await canLogin('romeo', 'romeo'), true);
    });

    it('what is missing, or no password: not-acceptable', async () => {
      const { client } = await stranger();
      for (const [name, password] of [
        [undefined, 'a long password'],
        ['balthasar', undefined],
        ['', 'a long password'],
        ['   ', 'a long password'],
        ['balthasar', ''],
        ['balthasar', 'short'],
        ['balthasar', '🌹🌹🌹🌹🌹🌹🌹'],
        // RFC 8265: controls are not allowed
        ['balthasar', 'a long&#x85;password'],
        ['balthasar', '\u00ad\u00ad\u00ad\u00ad\u00ad\u00ad\u00ad\u00ad\u00ad'],
      ])
        assert.equal(
          condition(await before(client, 'set', fill(name, password))),
          'not-acceptable',
          `${name} ${password}`,
        );
      assert.equal(condition(await before(client, 'set', QUERY)), 'not-acceptable');
      assert.equal(await stage.node.accounts.count('localhost'), 3);
    });

    it('a name that is none: jid-malformed', async () => {
      const { client } = await stranger();
      for (const name of ['a@b', 'a b', 'a/b', 'x'.repeat(1024), '&lt;'])
        assert.equal(condition(await before(client, 'set', fill(name, 'a long password'))), 'jid-malformed', name);
    });

    it('a refusal does not say the password again (3.3)', async () => {
      const { client } = await stranger();
      const error = await before(client, 'set', fill('romeo', 'Queen Mab herself'));
      assert.equal(condition(error), 'conflict');
      assert.ok(!String(error).includes('Mab'));
    });

    it('what is no request, or of another name, is none of it', async () => {
      const { client } = await stranger();
      assert.equal(condition(await before(client, 'get', `<other xmlns='${NS}'/>`)), 'service-unavailable');
      const other = await stranger();
      other.client.send(`<iq type='get' id='x'><query xmlns='jabber:iq:roster'/></iq>`);
      assert.equal(await other.client.streamError(), 'not-authorized');
      const noId = await stranger();
      noId.client.send(`<iq type='get'>${QUERY}</iq>`);
      assert.equal(await noId.client.streamError(), 'not-authorized');
    });

    it('who asks another host for an account gets none here', async () => {
      const { client } = await stranger();
      client.send(`<iq type='set' id='o' to='verona.example'>${fill('paris', 'a noble suitor')}</iq>`);
      assert.equal(await client.streamError(), 'not-authorized');
      assert.equal(await canLogin('paris', 'a noble suitor'), false);
    });

    it('two who want the same name at once: one gets it', async () => {
      const [one, other] = [(await stranger()).client, (await stranger()).client];
      const answers = await Promise.all([one, other].map(c => before(c, 'set', fill('rosaline', 'fair Rosaline'))));
      assert.equal(answers.filter(({ attrs }) => attrs.type === 'result').length, 1);
      assert.equal(condition(answers.find(({ attrs }) => attrs.type === 'error')!), 'conflict');
    });
  });

  describe('how often', () => {
    before_(async () => {
      stage = await TestNode.start({ yaml: 'modules: { registration: { open: true, perAddress: 2 } }\n' });
    });

    it('an address may make accounts is bounded; what failed does not count', async () => {
      const { client } = await stranger();
      const make = async (name: string, password = 'a long password') => {
        const answer = await before(client, 'set', fill(name, password));
        return answer.attrs.type === 'result' ? 'made' : condition(answer);
      };
      assert.equal(await make('a', 'short'), 'not-acceptable');
      assert.equal(await make('a'), 'made');
      for (let i = 0; i < 4; i++) assert.equal(await make('a'), 'conflict');
      assert.equal(await make('b'), 'made');
      assert.equal(await make('c'), 'resource-constraint');
      const { client: again } = await stranger();
      const answer = await before(again, 'set', fill('c', 'a long password'));
      assert.equal(answer.getChild('error')!.attrs.type, 'wait');
      assert.equal(await stage.node.accounts.count('localhost'), 2);
    });
  });

  it('where TLS comes first, nothing of it comes before TLS', async () => {
    const port = await freePort();
    stage = await TestNode.start({
      listeners: `strict: { type: c2s, port: ${port}, addresses: [127.0.0.1] }`,
      yaml: 'modules: { registration: { open: true } }\n',
    });
    try {
      const client = await TestClient.connect(port);
      strangers.push(client);
      const features = await client.open();
      assert.deepEqual(
        features.getChildElements().map(({ name }) => name),
        ['starttls'],
      );
      client.send(`<iq type='set' id='r'>${fill('mercutio', 'Queen Mab herself')}</iq>`);
      assert.equal(await client.streamError(), 'not-authorized');
      assert.equal(await stage.node.accounts.count('localhost'), 0);
    } finally {
      await stage.stop();
    }
  });

  describe('who has an account', () => {
    let romeo: TestClient;
    before_(async () => {
      stage = await TestNode.start({
        users: ['romeo'],
        yaml: 'hosts: { localhost: {}, verona.example: {} }\n',
      });
      romeo = await stage.login('romeo@localhost/orchard');
    });

    it('is told so (3.1)', async () => {
      for (const to of ['localhost', undefined, 'romeo@localhost']) {
        const query = (await romeo.iq('get', QUERY, to)).getChild('query', NS)!;
        assert.ok(query.getChild('registered'));
        assert.ok(query.getChild('instructions'));
        assert.equal(query.getChildText('username'), 'romeo');
        assert.equal(query.getChildText('password'), '');
      }
    });

    it('is nobody at another host', async () => {
      assert.equal(condition(await romeo.iq('get', QUERY, 'verona.example')), 'service-unavailable');
      assert.equal(condition(await romeo.iq('set', REMOVE, 'verona.example')), 'registration-required');
      const change = fill('romeo', 'a new password');
      assert.equal(condition(await romeo.iq('set', change, 'verona.example')), 'registration-required');
      assert.equal(await canLogin('romeo', 'romeo'), true);
    });

    it('changes the password, and the session goes on', async () => {
      const answer = await romeo.iq('set', fill('romeo', 'wherefore &lt;art&gt;'), 'localhost');
      assert.deepEqual([answer.attrs.type, answer.children.length], ['result', 0]);
      assert.equal(await canLogin('romeo', 'romeo'), false);
      assert.equal(await canLogin('romeo', 'wherefore <art>'), true);
      assert.equal((await romeo.iq('set', fill('ROMEO', 'thou Romeo'))).attrs.type, 'result');
      assert.equal(await canLogin('romeo', 'thou Romeo'), true);
    });

    it('changes none to what is no password, nor that of another', async () => {
      for (const [name, password, expected] of [
        ['romeo', '', 'bad-request'],
        ['romeo', undefined, 'bad-request'],
        [undefined, 'a new password', 'bad-request'],
        ['romeo', 'short', 'not-acceptable'],
        ['romeo', 'a long&#x85;password', 'not-acceptable'],
        ['juliet', 'a new password', 'not-allowed'],
        ['nobody', 'a new password', 'not-allowed'],
      ] as const) {
        const error = await romeo.iq('set', fill(name, password), 'localhost');
        assert.equal(condition(error), expected, `${name} ${password}`);
        assert.ok(!String(error).includes('password<'), String(error));
      }
      assert.equal(condition(await romeo.iq('set', QUERY, 'localhost')), 'bad-request');
      assert.equal(await canLogin('romeo', 'thou Romeo'), true);
    });

    it('does not ask another account for it', async () => {
      await stage.addUser('juliet');
      assert.equal(condition(await romeo.iq('set', REMOVE, 'juliet@localhost')), 'service-unavailable');
      assert.equal(condition(await romeo.iq('get', QUERY, 'juliet@localhost')), 'service-unavailable');
    });

    it('removes it only by an element that stands alone (3.2)', async () => {
      for (const more of ['<username>romeo</username>', '<password>x</password>', '<remove/>'])
        assert.equal(
          condition(await romeo.iq('set', `<query xmlns='${NS}'><remove/>${more}</query>`)),
          'bad-request',
          more,
        );
      assert.equal(await canLogin('romeo', 'thou Romeo'), true);
    });
  });

  it('an account that is removed is told, its sessions end, and all that was kept of it is gone', async () => {
    stage = await TestNode.start({ users: ['romeo', 'juliet', 'paris'], yaml: 'admins: [prince@localhost]\n' });
    try {
      const romeo = await stage.login('romeo@localhost/orchard', { presence: true });
      const chamber = await stage.login('romeo@localhost/chamber');
      const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
      // something in every store
      const ok = async (client: TestClient, type: 'get' | 'set', payload: string) =>
        assert.equal((await client.iq(type, payload)).attrs.type, 'result', payload);
      juliet.send("<presence to='romeo@localhost' type='subscribe'/>");
      await romeo.presence('juliet@localhost', 'subscribe');
      romeo.send("<presence to='juliet@localhost' type='subscribed'/>");
      romeo.send("<presence to='juliet@localhost' type='subscribe'/>");
      await juliet.presence('romeo@localhost', 'subscribe');
      juliet.send("<presence to='romeo@localhost' type='subscribed'/>");
      await romeo.presence('juliet@localhost', 'subscribed');
      const paris = await stage.login('paris@localhost/x');
      paris.send("<presence to='romeo@localhost' type='subscribe'/>");
      await romeo.presence('paris@localhost', 'subscribe');
      await ok(
        romeo,
        'set',
        "<query xmlns='jabber:iq:roster'><item jid='nurse@localhost'><group>g</group></item></query>",
      );
      await ok(romeo, 'set', "<block xmlns='urn:xmpp:blocking'><item jid='tybalt@localhost'/></block>");
      await ok(romeo, 'set', "<query xmlns='jabber:iq:private'><a xmlns='urn:example:a'>x</a></query>");
      await ok(romeo, 'set', "<vCard xmlns='vcard-temp'><FN>Romeo</FN></vCard>");
      romeo.send("<presence type='unavailable'><status>gone</status></presence>");
      await romeo.settle();
      juliet.send("<message to='romeo@localhost' type='chat'><body>Where art thou?</body></message>");
      await juliet.settle();

      const everything = () =>
        stage.tablesWith(
          row => row.account === 'romeo@localhost' || (row.local === 'romeo' && row.host === 'localhost'),
        );
      const kept = await everything();
      assert.ok(kept.length >= 7, kept.join(', '));

      romeo.send(`<iq type='set' id='gone'>${REMOVE}</iq>`);
      const answer = await romeo.expect(stanza => stanza.attrs.id === 'gone', 'the answer');
      assert.equal(answer.attrs.type, 'result');
      for (const client of [romeo, chamber]) assert.equal(await client.streamError(), 'not-authorized');
      await until(async () => (await everything()).length === 0, 'everything to be gone');
      assert.equal(await canLogin('romeo', 'romeo'), false);
      // his contacts learn of it (RFC 6121 3.3.3)
      await juliet.presence('romeo@localhost', 'unsubscribe');
      await juliet.presence('romeo@localhost', 'unsubscribed');
      juliet.send("<message to='romeo@localhost' type='chat'><body>Romeo?</body></message>");
      assert.equal(condition(await juliet.message()), 'service-unavailable');
      // who takes the name next finds nothing of his
      await stage.addUser('romeo');
      const heir = await stage.login('romeo@localhost/x', { presence: true });
      const roster = await heir.iq('get', "<query xmlns='jabber:iq:roster'/>");
      assert.deepEqual(roster.getChild('query')!.children, []);
      assert.deepEqual(await heir.settle(), []);
    } finally {
      await stage.stop();
    }
  });

  it('what it and others have under way as it is removed is not kept for who takes the name next', async () => {
    const names = ['romeo', 'benvolio', 'mercutio', 'tybalt'];
    stage = await TestNode.start({ users: [...names, 'juliet'] });
    try {
      const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
      for (const name of names) {
        const client = await stage.login(`${name}@localhost/x`, { presence: true });
        juliet.send(`<presence to='${name}@localhost' type='subscribe'/>`);
        await client.presence('juliet@localhost', 'subscribe');
        client.send(`<iq type='set' id='gone'>${REMOVE}</iq>`);
        for (let i = 0; i < 5; i++) {
          for (const payload of [
            `<query xmlns='jabber:iq:roster'><item jid='nurse${i}@localhost'/></query>`,
            `<block xmlns='urn:xmpp:blocking'><item jid='prince${i}@localhost'/></block>`,
            "<query xmlns='jabber:iq:private'><a xmlns='urn:example:a'>x</a></query>",
            "<vCard xmlns='vcard-temp'><FN>Somebody</FN></vCard>",
          ])
            client.send(`<iq type='set' id='s${i}'>${payload}</iq>`);
          client.send("<presence to='juliet@localhost' type='subscribed'/>");
          juliet.send(`<message to='${name}@localhost' type='chat'><body>Wherefore?</body></message>`);
          juliet.send(`<presence to='${name}@localhost' type='subscribe'/>`);
          await new Promise(resolve => setTimeout(resolve, 2));
        }
        await client.streamError();
        const kept = () => stage.tablesWith(row => row.account === `${name}@localhost` || row.local === name);
        await until(async () => !(await kept()).includes('accounts'), 'the account to be gone');
        await juliet.settle();
        assert.deepEqual(await kept(), []);
      }
    } finally {
      await stage.stop();
    }
  });

  /** mocha's `before`, under a name that is free here; the stage goes with the block. */
  function before_(start: () => Promise<void>): void {
    globalThis.before(start);
    globalThis.after(() => stage.stop());
  }
});
