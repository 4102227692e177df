import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import { condition, TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';

const COMMANDS = 'http://jabber.org/protocol/commands';
const ADMIN = 'http://jabber.org/protocol/admin';
const FORM = 'jabber:x:data';

type Fields = Record<string, string | readonly string[]>;

const submit = (fields: Fields) =>
  `<x xmlns='${FORM}' type='submit'><field var='FORM_TYPE' type='hidden'><value>${ADMIN}</value></field>${Object.entries(
    fields,
  )
    .map(([name, given]) => {
      const values = typeof given === 'string' ? [given] : given;
      return `<field var='${name}'>${values.map(value => `<value>${value}</value>`).join('')}</field>`;
    })
    .join('')}</x>`;

const request = (node: string, session?: string, content = '', action?: string) =>
  `<command xmlns='${COMMANDS}' node='${ADMIN}#${node}'${session ? ` sessionid='${session}'` : ''}${action ? ` action='${action}'` : ''}>${content}</command>`;

const command = (answer: Element): Element => {
  assert.equal(answer.attrs.type, 'result', String(answer));
  return answer.getChild('command', COMMANDS)!;
};
/** The fields of a form by name, each with its values. */
const fieldsOf = (element: Element): Record<string, string[]> =>
  Object.fromEntries(
    element
      .getChild('x', FORM)!
      .getChildren('field')
      .map(field => [field.attrs.var!, field.getChildren('value').map(value => value.getText())]),
  );

describe('play: service administration (XEP-0133)', () => {
  let stage: TestNode;
  let prince: TestClient;
  let romeo: TestClient;

  before(async () => {
    stage = await TestNode.start({
      users: ['prince', 'romeo', 'juliet', 'nurse'],
      yaml: 'admins: [prince@localhost]\nhosts: { localhost: {}, verona.example: { admins: [escalus@verona.example] } }\n',
    });
  });
  beforeEach(async () => {
    prince = await stage.login('prince@localhost/palace');
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
    await romeo.settle();
  });
  afterEach(async () => {
    for (const client of [prince, romeo]) if (!client.closed) await client.end();
  });
  after(() => stage.stop());

  /** The form of a command: its session and fields. */
  const begin = async (node: string) => {
    const stage1 = command(await prince.iq('set', request(node), 'localhost'));
    assert.equal(stage1.attrs.status, 'executing');
    const form = stage1.getChild('x', FORM)!;
    assert.equal(form.attrs.type, 'form');
    assert.deepEqual(fieldsOf(stage1).FORM_TYPE, [ADMIN]);
    const types = Object.fromEntries(form.getChildren('field').map(({ attrs }) => [attrs.var!, attrs.type!]));
    return { session: stage1.attrs.sessionid!, types, values: fieldsOf(stage1) };
  };
  const run = async (node: string, fields: Fields) => {
    const { session } = await begin(node);
    const done = command(await prince.iq('set', request(node, session, submit(fields)), 'localhost'));
    assert.equal(done.attrs.status, 'completed', String(done));
    assert.equal(done.attrs.sessionid, session);
    return done;
  };
  const refused = async (node: string, fields: Fields) => {
    const { session } = await begin(node);
    const answer = await prince.iq('set', request(node, session, submit(fields)), 'localhost');
    await prince.iq('set', request(node, session, '', 'cancel'), 'localhost');
    return condition(answer);
  };
  const at = async (node: string) => fieldsOf(command(await prince.iq('set', request(node), 'localhost')));
  const canLogin = async (name: string, password: string): Promise<boolean> => {
    const client = await TestClient.connect(stage.port);
    try {
      await client.open();
      const token = Buffer.from(`\0${name}\0${password}`).toString('base64');
      client.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${token}</auth>`);
      return (await client.expect(s => ['success', 'failure'].includes(s.name), 'an answer')).name === 'success';
    } finally {
      client.destroy();
    }
  };

  const NODES = [
    'add-user',
    'delete-user',
    'disable-user',
    'reenable-user',
    'end-user-session',
    'change-user-password',
    'get-user-roster',
    'get-user-lastlogin',
    'user-stats',
    'get-registered-users-num',
    'get-disabled-users-num',
    'get-online-users-num',
    'get-active-users-num',
    'get-idle-users-num',
    'get-registered-users-list',
    'get-disabled-users-list',
    'get-online-users-list',
    'get-active-users',
    'get-idle-users',
    'announce',
    'set-motd',
    'edit-motd',
    'delete-motd',
    'set-welcome',
    'delete-welcome',
    'edit-admin',
    'shutdown',
  ];

  it('lists its commands to administrators, and to nobody else', async () => {
    const list = async (client: TestClient, host = 'localhost') =>
      (await client.iq('get', `<query xmlns='http://jabber.org/protocol/disco#items' node='${COMMANDS}'/>`, host))
        .getChild('query')!
        .getChildren('item')
        .map(({ attrs }) => attrs.node!);
    assert.deepEqual((await list(prince)).sort(), NODES.map(node => `${ADMIN}#${node}`).sort());
    assert.deepEqual(await list(romeo), []);
    // an administrator of all hosts, and one of one
    assert.equal((await list(prince, 'verona.example')).length, NODES.length);
    await stage.addUser('escalus', 'verona.example');
    const escalus = await stage.login('escalus@verona.example/x');
    assert.deepEqual(await list(escalus, 'localhost'), []);
    // one host does not stop all
    const fewer = NODES.filter(node => node !== 'shutdown');
    assert.deepEqual((await list(escalus, 'verona.example')).sort(), fewer.map(node => `${ADMIN}#${node}`).sort());
    assert.equal(condition(await escalus.iq('set', request('shutdown'), 'verona.example')), 'forbidden');
    await escalus.end();
  });

  it('is forbidden to others, at every stage, and shows no password to anybody', async () => {
    for (const node of NODES) {
      assert.equal(condition(await romeo.iq('set', request(node), 'localhost')), 'forbidden', node);
      assert.equal(condition(await romeo.iq('set', request(node, 'x', submit({})), 'localhost')), 'forbidden', node);
    }
    const { session } = await begin('delete-user');
    const theft = request('delete-user', session, submit({ accountjids: 'juliet@localhost' }));
    assert.equal(condition(await romeo.iq('set', theft, 'localhost')), 'forbidden');
    assert.equal(await canLogin('juliet', 'juliet'), true);
    assert.equal(condition(await prince.iq('set', request('get-user-password'), 'localhost')), 'item-not-found');
  });

  describe('accounts', () => {
    it('are added, as a stock client does it (4.1)', async () => {
      const { types, session } = await begin('add-user');
      assert.deepEqual(types, {
        FORM_TYPE: 'hidden',
        accountjid: 'jid-single',
        password: 'text-private',
        'password-verify': 'text-private',
        email: 'text-single',
        given_name: 'text-single',
        surname: 'text-single',
      });
      // Smack: all fields, and the action "complete"
      const fields = { accountjid: 'smack-1@localhost', password: 'smack pass', 'password-verify': 'smack pass' };
      const done = command(
        await prince.iq('set', request('add-user', session, submit(fields), 'complete'), 'localhost'),
      );
      assert.equal(done.attrs.status, 'completed');
      assert.equal(await canLogin('smack-1', 'smack pass'), true);
      const gone = await run('delete-user', { accountjids: 'smack-1@localhost' });
      assert.equal(gone.getChild('note')!.attrs.type, 'info');
      assert.equal(await canLogin('smack-1', 'smack pass'), false);
    });

    it('are not added twice, elsewhere, or with a bad password', async () => {
      const fields = { accountjid: 'friar@localhost', password: 'a password', 'password-verify': 'a password' };
      for (const [change, expected] of [
        [{ accountjid: 'romeo@localhost' }, 'conflict'],
        [{ accountjid: 'ROMEO@localhost' }, 'conflict'],
        [{ accountjid: 'friar@example.net' }, 'not-allowed'],
        [{ accountjid: 'friar@verona.example' }, 'not-allowed'],
        [{ accountjid: 'localhost' }, 'not-acceptable'],
        [{ accountjid: 'a@b@c' }, 'not-acceptable'],
        [{ accountjid: '' }, 'bad-request'],
        [{ accountjid: [] }, 'bad-request'],
        [{ password: 'other' }, 'not-acceptable'],
        [{ password: '', 'password-verify': '' }, 'not-acceptable'],
        [{ password: 'a&#x85;b', 'password-verify': 'a&#x85;b' }, 'not-acceptable'],
      ] as const)
        assert.equal(await refused('add-user', { ...fields, ...change }), expected, JSON.stringify(change));
      assert.equal(await canLogin('friar', 'a password'), false);
    });

    it('a wrong form can be corrected, and cancelled', async () => {
      const { session } = await begin('add-user');
      const send = (fields: Fields, action?: string) =>
        prince.iq('set', request('add-user', session, submit(fields), action), 'localhost');
      assert.equal(condition(await send({ accountjid: 'friar@localhost' })), 'not-acceptable');
      const fields = { accountjid: 'friar@localhost', password: 'a password', 'password-verify': 'a password' };
      assert.equal(condition(await send(fields, 'next')), 'bad-request');
      assert.equal(condition(await send(fields, 'prev')), 'bad-request');
      assert.equal(command(await send(fields)).attrs.status, 'completed');
      assert.equal(await canLogin('friar', 'a password'), true);

      const other = await begin('delete-user');
      const cancel = request('delete-user', other.session, '', 'cancel');
      assert.equal(command(await prince.iq('set', cancel, 'localhost')).attrs.status, 'canceled');
      const late = request('delete-user', other.session, submit({ accountjids: 'friar@localhost' }));
      assert.equal(condition(await prince.iq('set', late, 'localhost')), 'not-allowed');
      assert.equal(await canLogin('friar', 'a password'), true);
      await run('delete-user', { accountjids: 'friar@localhost/with-a-resource' });
    });

    it('are deleted all, or none when one of them is not there (4.2)', async () => {
      for (const name of ['one', 'two']) await stage.addUser(name);
      const one = await stage.login('one@localhost/x');
      const jids = ['one@localhost', 'two@localhost', 'three@localhost'];
      assert.equal(await refused('delete-user', { accountjids: jids }), 'item-not-found');
      assert.equal(await refused('delete-user', { accountjids: ['one@localhost', 'x@example.net'] }), 'not-allowed');
      assert.equal(await refused('delete-user', {}), 'bad-request');
      assert.ok(!one.closed);
      await run('delete-user', { accountjids: jids.slice(0, 2) });
      assert.equal(await one.streamError(), 'not-authorized');
      assert.equal(await canLogin('two', 'two'), false);
    });

    it('are disabled: sessions end, no login, data stay; and enabled again (4.3, 4.4)', async () => {
      const nurse = await stage.login('nurse@localhost/x');
      await nurse.iq('set', "<query xmlns='jabber:iq:private'><a xmlns='urn:example:a'>kept</a></query>");
      const numbers = async () => (await at('get-disabled-users-num')).disabledusersnum;
      assert.deepEqual(await numbers(), ['0']);
      await run('disable-user', { accountjids: 'nurse@localhost' });
      assert.equal(await nurse.streamError(), 'policy-violation');
      assert.equal(await canLogin('nurse', 'nurse'), false);
      assert.deepEqual(await numbers(), ['1']);
      const list = await run('get-disabled-users-list', { max_items: '25' });
      assert.deepEqual(fieldsOf(list).disableduserjids, ['nurse@localhost']);
      assert.equal(await refused('reenable-user', { accountjids: 'nobody@localhost' }), 'item-not-found');
      await run('reenable-user', { accountjids: 'nurse@localhost' });
      const again = await stage.login('nurse@localhost/x');
      const kept = await again.iq('get', "<query xmlns='jabber:iq:private'><a xmlns='urn:example:a'/></query>");
      assert.equal(kept.getChild('query')!.getChildText('a'), 'kept');
      await again.end();
    });

    it('lose one session, or all of them (4.5)', async () => {
      const [a, b, c] = [
        await stage.login('juliet@localhost/a'),
        await stage.login('juliet@localhost/b'),
        await stage.login('juliet@localhost/c'),
      ];
      assert.equal(await refused('end-user-session', { accountjids: 'juliet@localhost/none' }), 'item-not-found');
      await run('end-user-session', { accountjids: 'juliet@localhost/b' });
      assert.equal(await b.streamError(), 'policy-violation');
      await a.settle();
      await run('end-user-session', { accountjids: 'juliet@localhost' });
      for (const client of [a, c]) assert.equal(await client.streamError(), 'policy-violation');
      assert.equal(await refused('end-user-session', { accountjids: 'juliet@localhost' }), 'item-not-found');
      assert.equal(await canLogin('juliet', 'juliet'), true);
    });

    it('get a new password (4.7)', async () => {
      assert.equal(
        await refused('change-user-password', { accountjid: 'nobody@localhost', password: 'x' }),
        'item-not-found',
      );
      assert.equal(
        await refused('change-user-password', { accountjid: 'juliet@localhost', password: '' }),
        'not-acceptable',
      );
      await run('change-user-password', { accountjid: 'juliet@localhost', password: 'it is the east' });
      assert.equal(await canLogin('juliet', 'juliet'), false);
      assert.equal(await canLogin('juliet', 'it is the east'), true);
      await run('change-user-password', { accountjid: 'juliet@localhost', password: 'juliet' });
    });
  });

  describe('what is asked of accounts', () => {
    it('their roster, as rosters are written (4.8)', async () => {
      const item = "<item jid='juliet@localhost' name='Juliet &amp; co'><group>Capulets</group></item>";
      await romeo.iq('set', `<query xmlns='jabber:iq:roster'>${item}</query>`);
      const done = await run('get-user-roster', { accountjids: 'romeo@localhost' });
      assert.deepEqual(fieldsOf(done).accountjids, ['romeo@localhost']);
      const [found] = done.getChild('x', FORM)!.getChild('query', 'jabber:iq:roster')!.getChildren('item');
      assert.deepEqual(
        [found!.attrs.jid, found!.attrs.name, found!.attrs.subscription],
        ['juliet@localhost', 'Juliet & co', 'none'],
      );
      assert.equal(found!.getChildText('group'), 'Capulets');
      assert.equal(await refused('get-user-roster', { accountjids: 'nobody@localhost' }), 'item-not-found');
    });

    it('their last login (4.9), and their figures (4.10)', async () => {
      await stage.addUser('peter');
      const jids = ['romeo@localhost', 'peter@localhost', 'juliet@localhost'];
      const [online, never, last] = fieldsOf(await run('get-user-lastlogin', { accountjids: jids })).lastlogin!;
      assert.deepEqual([online, never], ['Online', 'Never']);
      assert.match(last!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
      assert.equal(await refused('get-user-lastlogin', { accountjids: 'nobody@localhost' }), 'item-not-found');

      const stats = fieldsOf(await run('user-stats', { accountjid: 'romeo@localhost' }));
      assert.deepEqual(stats.onlineresources, ['orchard']);
      assert.deepEqual(stats.ipaddresses, ['127.0.0.1']);
      assert.deepEqual(stats.rostersize, ['1']);
      assert.equal(await refused('user-stats', { accountjid: 'nobody@localhost' }), 'item-not-found');
      await run('delete-user', { accountjids: 'peter@localhost' });
    });

    it('how many there are, online, active and idle (4.13 to 4.17), and who (4.18 to 4.22)', async () => {
      const juliet = await stage.login('juliet@localhost/balcony');
      juliet.send('<presence><show>away</show></presence>');
      await juliet.settle();
      assert.deepEqual((await at('get-registered-users-num')).registeredusersnum, ['4']);
      assert.deepEqual((await at('get-online-users-num')).onlineusersnum, ['3']);
      assert.deepEqual((await at('get-active-users-num')).activeusersnum, ['1']);
      assert.deepEqual((await at('get-idle-users-num')).idleusersnum, ['2']);
      const list = async (node: string, field: string, most: string) =>
        fieldsOf(await run(node, { max_items: most }))[field]!.sort();
      const all = ['juliet@localhost', 'nurse@localhost', 'prince@localhost', 'romeo@localhost'];
      assert.deepEqual(await list('get-registered-users-list', 'registereduserjids', 'none'), all);
      assert.equal((await list('get-registered-users-list', 'registereduserjids', '2')).length, 2);
      assert.deepEqual(
        await list('get-online-users-list', 'onlineuserjids', '100'),
        all.filter(jid => !jid.startsWith('nurse')),
      );
      assert.deepEqual(await list('get-active-users', 'activeuserjids', '100'), ['romeo@localhost']);
      assert.deepEqual(await list('get-idle-users', 'activeuserjids', '100'), ['juliet@localhost', 'prince@localhost']);
      for (const most of ['0', '-1', 'many'])
        assert.equal(await refused('get-registered-users-list', { max_items: most }), 'not-acceptable', most);
      await juliet.end();
    });
  });

  describe('announcements', () => {
    const lines = ['Attention!', 'Down at &lt;ten&gt;.'];
    const text = 'Attention!\nDown at <ten>.';

    it('reach those who are available (4.23)', async () => {
      await run('announce', { announcement: lines });
      const message = await romeo.message();
      assert.deepEqual(
        [message.attrs.from, message.attrs.type, message.getChildText('body')],
        ['localhost', 'headline', text],
      );
      assert.deepEqual(await prince.settle(), []);
      assert.equal(await refused('announce', { announcement: ['', ' '] }), 'bad-request');
      assert.equal(await refused('announce', {}), 'bad-request');
    });

    it('the message of the day comes once to everybody (4.24 to 4.26)', async () => {
      assert.equal(await refused('edit-motd', { motd: lines }), 'item-not-found');
      await run('set-motd', { motd: lines });
      assert.equal((await romeo.message()).getChildText('body'), text);
      const { values } = await begin('edit-motd');
      assert.deepEqual(values.motd, text.split('\n'));
      // he has had it; she has not
      const again = await stage.login('romeo@localhost/again', { presence: true });
      assert.deepEqual(
        (await again.settle()).filter(s => s.is('message')),
        [],
      );
      await again.end();
      const juliet = await stage.login('juliet@localhost/balcony', { presence: true });
      assert.equal((await juliet.message()).getChildText('body'), text);
      juliet.send('<presence><show>away</show></presence>');
      assert.deepEqual(
        (await juliet.settle()).filter(s => s.is('message')),
        [],
      );
      await juliet.end();
      const twice = await stage.login('juliet@localhost/balcony', { presence: true });
      assert.deepEqual(
        (await twice.settle()).filter(s => s.is('message')),
        [],
      );

      await run('edit-motd', { motd: 'At eleven.' });
      assert.equal((await twice.message()).getChildText('body'), 'At eleven.');
      await twice.end();
      command(await prince.iq('set', request('delete-motd'), 'localhost'));
      const nurse = await stage.login('nurse@localhost/x', { presence: true });
      assert.deepEqual(
        (await nurse.settle()).filter(s => s.is('message')),
        [],
      );
      await nurse.end();
    });

    it('the welcome comes once to those who are new (4.27, 4.28)', async () => {
      await run('set-welcome', { welcome: ['Welcome to Verona.'] });
      assert.deepEqual((await begin('set-welcome')).values.welcome, ['Welcome to Verona.']);
      await stage.addUser('balthasar');
      const first = await stage.login('balthasar@localhost/x', { presence: true });
      assert.equal((await first.message()).getChildText('body'), 'Welcome to Verona.');
      await first.end();
      const second = await stage.login('balthasar@localhost/x', { presence: true });
      assert.deepEqual(
        (await second.settle()).filter(s => s.is('message')),
        [],
      );
      await second.end();
      assert.deepEqual(
        (await romeo.settle()).filter(s => s.is('message')),
        [],
      );
      command(await prince.iq('set', request('delete-welcome'), 'localhost'));
      await stage.addUser('abram');
      const later = await stage.login('abram@localhost/x', { presence: true });
      assert.deepEqual(
        (await later.settle()).filter(s => s.is('message')),
        [],
      );
      await later.end();
      await run('delete-user', { accountjids: ['balthasar@localhost', 'abram@localhost'] });
    });
  });

  describe('administrators (4.29)', () => {
    it('are added and removed, but for those of the configuration', async () => {
      const { values, types } = await begin('edit-admin');
      assert.equal(types.adminjids, 'jid-multi');
      assert.deepEqual(values.adminjids, ['prince@localhost']);
      assert.equal(await refused('edit-admin', { adminjids: ['romeo@localhost'] }), 'not-allowed');
      assert.equal(await refused('edit-admin', { adminjids: ['prince@localhost', 'localhost'] }), 'not-acceptable');
      const tries = () => romeo.iq('set', request('get-online-users-num'), 'localhost');
      assert.equal(condition(await tries()), 'forbidden');
      await run('edit-admin', { adminjids: ['prince@localhost', 'romeo@localhost'] });
      command(await tries());
      assert.equal(condition(await romeo.iq('set', request('get-online-users-num'), 'verona.example')), 'forbidden');
      assert.deepEqual((await begin('edit-admin')).values.adminjids, ['prince@localhost', 'romeo@localhost']);
      await stage.node.modules.reload('administration');
      command(await tries());
      await run('edit-admin', { adminjids: ['prince@localhost'] });
      assert.equal(condition(await tries()), 'forbidden');
    });

    it('are none any more once their account is removed', async () => {
      await stage.addUser('sampson');
      await run('edit-admin', { adminjids: ['prince@localhost', 'sampson@localhost'] });
      await run('delete-user', { accountjids: 'sampson@localhost' });
      await stage.addUser('sampson');
      const heir = await stage.login('sampson@localhost/x');
      assert.equal(condition(await heir.iq('set', request('get-online-users-num'), 'localhost')), 'forbidden');
      await heir.end();
      await run('delete-user', { accountjids: 'sampson@localhost' });
    });
  });

  describe('at last', () => {
    it('the service stops, after those who are online were told (4.31)', async () => {
      for (const delay of ['soon', '-1', '1.5', '', '100000'])
        assert.equal(await refused('shutdown', { delay }), 'not-acceptable', delay);
      await run('shutdown', { delay: '0', announcement: ['Good night, good night!'] });
      assert.equal((await romeo.message()).getChildText('body'), 'Good night, good night!');
      for (const client of [romeo, prince]) assert.equal(await client.streamError(), 'system-shutdown');
      await stage.node.stopped;
    });
  });
});
