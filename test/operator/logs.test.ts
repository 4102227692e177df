import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { until } from '../kit/wait.ts';
import { Operated, type LogLine } from './program.ts';

/** What nobody may find in a log. All of it is said somewhere below. */
const SECRETS = {
  password: 'Wherefore-art-thou-0815',
  newPassword: 'By-any-other-name-4711',
  wrongPassword: 'Mistaken-for-another-1597',
  componentSecret: 'Gateway-secret-31337',
  turnSecret: 'Turn-secret-271828',
  body: 'Parting is such sweet sorrow 161803',
  privateData: 'Private-note-577215',
  vcard: 'Balcony-nickname-141421',
};

describe('the log', () => {
  let node: Operated;
  let lines: LogLine[];

  before(async () => {
    const { componentSecret, turnSecret } = SECRETS;
    node = await Operated.start(
      `log: { level: trace }
admins: [romeo@localhost]
modules:
  registration: { open: true }
  component: { components: { gateway.localhost: { secret: ${componentSecret} } } }
  external-services: { services: [ { type: turn, host: turn.localhost, port: 3478, secret: ${turnSecret} } ] }
`,
    );
    await play();
    assert.equal(await node.stop(), 0);
    lines = node.log;
  });
  after(() => node.remove());

  /** Everything that has a secret in it. */
  async function play(): Promise<void> {
    const { password, newPassword, wrongPassword, body, privateData, vcard } = SECRETS;
    await node.done(['user', 'add', 'romeo@localhost'], `${password}\n`);
    await node.done(['user', 'add', 'juliet@localhost'], `${password}\n`);
    await node.done(['user', 'passwd', 'juliet@localhost'], `${newPassword}\n`);

    const nobody = await node.connect();
    await assert.rejects(nobody.authenticate('romeo', wrongPassword), /not-authorized/);
    // no SASL data at all, and no XML at all, with a password in it
    const broken = await node.connect();
    await broken.open();
    broken.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${password}!</auth>`);
    await broken.expect(({ name }) => name === 'failure', 'a failure');
    broken.send(`<auth password='${password}' mechanism=${password}>`);
    assert.equal(await broken.streamError(), 'not-well-formed');

    const romeo = await node.connect();
    await romeo.authenticate('romeo', password);
    await romeo.bind('orchard');
    await romeo.iq('set', `<query xmlns='jabber:iq:private'><note xmlns='x:n'>${privateData}</note></query>`);
    await romeo.iq('set', `<vCard xmlns='vcard-temp'><NICKNAME>${vcard}</NICKNAME></vCard>`);
    await romeo.iq('get', "<services xmlns='urn:xmpp:extdisco:2'/>", 'localhost');
    romeo.send(`<message to='juliet@localhost' type='chat' id='m1'><body>${body}</body></message>`);
    romeo.send(`<message to='nobody@elsewhere.example' type='chat'><body>${body}</body></message>`);
    romeo.send(`<presence><status>${body}</status></presence>`);
    await romeo.iq(
      'set',
      `<query xmlns='jabber:iq:register'><username>romeo</username><password>${newPassword}</password></query>`,
      'localhost',
    );
    await romeo.settle();

    const registering = await node.connect();
    await registering.open();
    registering.send(
      `<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>nurse</username><password>${password}</password></query></iq>`,
    );
    await registering.expect(({ attrs }) => attrs.id === 'r', 'the registration');
    registering.send(`<message><body>${body}</body></message>`);
    await registering.streamError();

    // a client that is cut, with stream management, and one that sends what is no XML
    const juliet = await node.connect();
    await juliet.authenticate('juliet', newPassword);
    await juliet.bind('balcony');
    juliet.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    await juliet.expect(({ name }) => name === 'enabled', 'stream management');
    juliet.send('<presence/>');
    await juliet.message();
    juliet.send(`<message to='romeo@localhost'><body>${body}</bdoy></message>`);
    await juliet.streamError();
    await romeo.end();
    await node.logged(
      'session ends',
      node.log.findIndex(({ jid }) => jid === 'romeo@localhost/orchard'),
    );
  }

  it('has no password, token, SASL data or text of anybody in any line, at any level', () => {
    const text = node.output;
    for (const [what, secret] of Object.entries(SECRETS)) {
      assert.ok(!text.includes(secret), `${what}: ${text.split('\n').find(line => line.includes(secret))}`);
      for (const user of ['romeo', 'juliet', '']) {
        const token = Buffer.from(`\0${user}\0${secret}`).toString('base64').replace(/=+$/, '');
        assert.ok(!text.includes(token), `${what} as a token`);
      }
    }
    assert.ok(lines.length > 10, 'it did say something');
    for (const word of ['Parting', 'PASSWORD', '<body', '<auth']) assert.ok(!text.includes(word), word);
  });

  it('has one id in all lines of a session, from its beginning to its end', () => {
    const begins = lines.find(({ msg, jid }) => msg === 'session begins' && jid === 'romeo@localhost/orchard')!;
    const own = lines.filter(({ session }) => session === begins.session).map(({ msg }) => msg);
    assert.equal(own[0], 'session begins');
    assert.equal(own.at(-1), 'session ends');
    for (const line of lines.filter(({ jid }) => jid === 'romeo@localhost/orchard'))
      if (line.session !== undefined) assert.equal(line.session, begins.session);
  });

  it('tells of failed logins with their address, and what operators did', () => {
    const failed = lines.find(({ msg, account }) => msg === 'login failed' && account === 'romeo');
    assert.equal(failed?.address, '127.0.0.1');
    assert.equal(failed?.condition, 'not-authorized');
    const done = lines.filter(({ msg }) => msg === 'an operator did this').map(({ command, jid }) => [command, jid]);
    assert.deepEqual(done, [
      ['user.add', 'romeo@localhost'],
      ['user.add', 'juliet@localhost'],
      ['user.passwd', 'juliet@localhost'],
    ]);
  });
});

describe('a log in a file', () => {
  let node: Operated;
  before(async () => {
    node = await Operated.prepare('log: { file: logs/posthouse.log }\n');
  });
  after(() => node.remove());

  it('is opened again on SIGHUP, when it was moved away', async () => {
    const file = path.join(node.folder, 'logs/posthouse.log');
    const logged = (where: string, text: string): Promise<boolean> =>
      until(
        () => existsSync(where) && readFileSync(where, 'utf8').includes(text),
        () => `${text} in ${where}: ${node.output}`,
        60_000,
      );
    node.spawn();
    await logged(file, '"ready"');
    assert.equal(node.output, '', 'nothing elsewhere');
    renameSync(file, `${file}.1`);
    node.signal('SIGHUP');
    await logged(file, 'configuration reloaded');
    assert.equal(await node.stop(), 0);
    await logged(file, '"stopped"');
    assert.ok(!readFileSync(`${file}.1`, 'utf8').includes('"stopped"'));
  });

  it('that cannot be opened is named', async () => {
    node.configure('log: { file: folder }\n');
    mkdirSync(path.join(node.folder, 'folder'));
    node.spawn();
    assert.equal(await node.ended(), 1);
    assert.match(node.output, /^posthouse: the log .*folder cannot be opened: it is a folder\. Correct log\.file/);
  });

  it('that nobody reads any more, or that finds no room, stops nobody', async () => {
    node.configure('log: { file: /dev/full }\n');
    node.spawn();
    await until(
      async () => {
        assert.ok(node.running, node.output);
        return (await node.command(['status'])).code === 0;
      },
      'it to run',
      60_000,
    );
    await node.add('romeo');
    const romeo = await node.login('romeo@localhost/orchard');
    await romeo.settle();
    assert.match(node.output, /^posthouse: the log \/dev\/full cannot be written: .*ENOSPC/);
    assert.equal(await node.stop(), 0);
  });
});
