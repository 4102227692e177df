import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { needs } from '../kit/needs.ts';
import { removeTemp, tempFolder } from '../kit/temp.ts';
import { Operated, posthouse } from './program.ts';
import { Screen } from './screen.ts';

describe('users without a running node', () => {
  const folder = tempFolder();
  const data = path.join(folder, 'data');
  const user = (args: readonly string[], input?: string) => posthouse(['user', ...args, '--data', data], { input });
  after(() => removeTemp(folder));

  it('are added with a password from standard input, on the data folder itself', async () => {
    const { code, out } = await user(['add', 'romeo@localhost'], 'wherefore\n');
    assert.equal(code, 0);
    assert.equal(out, 'romeo@localhost was added.\n');
    assert.equal(statSync(data).mode & 0o777, 0o700);
    assert.equal(statSync(path.join(data, 'posthouse.sqlite')).mode & 0o077, 0);
  });

  it('are listed and shown', async () => {
    const list = JSON.parse((await user(['list', '--json'])).out) as Record<string, unknown>[];
    assert.deepEqual(
      list.map(({ jid, status, sessions }) => ({ jid, status, sessions })),
      [{ jid: 'romeo@localhost', status: 'active', sessions: 0 }],
    );
    assert.match((await user(['show', 'romeo@localhost'])).out, /^status +active$/m);
  });

  it('are refused with what to do instead', async () => {
    const twice = await user(['add', 'romeo@localhost'], 'x\n');
    assert.equal(twice.code, 1);
    assert.match(twice.err, /exists already; 'posthouse user passwd romeo@localhost'/);
    const nobody = await user(['passwd', 'tybalt@localhost'], 'x\n');
    assert.equal(nobody.code, 1);
    assert.match(nobody.err, /no account tybalt@localhost; 'posthouse user add tybalt@localhost'/);
  });

  it('have their password asked for at a terminal, twice and without echo', async function () {
    needs(this, { command: 'script', why: 'util-linux: a terminal' });
    const screen = Screen.open(['user', 'add', 'juliet@localhost', '--data', data]);
    try {
      await screen.shows(/Password for juliet@localhost: /);
      screen.type('art thouX\u007f\r');
      await screen.shows(/The same again: /);
      screen.type('art thou\r');
      assert.equal(await screen.ended(), 0, screen.text);
      assert.match(screen.text, /juliet@localhost was added\./);
      assert.doesNotMatch(screen.text, /art|thou/);
    } finally {
      screen.kill();
    }
  });

  it('keep what they have when the two passwords differ', async function () {
    needs(this, { command: 'script', why: 'util-linux: a terminal' });
    const screen = Screen.open(['user', 'passwd', 'juliet@localhost', '--data', data]);
    try {
      await screen.shows(/New password for juliet@localhost: /);
      // typed ahead
      screen.type('one\rother\r');
      assert.equal(await screen.ended(), 1, screen.text);
      assert.match(screen.text, /differ; nothing was changed/);
    } finally {
      screen.kill();
    }
  });

  it('are added by several commands at once, each in its turn', async () => {
    const all = await Promise.all(['nurse', 'peter'].map(name => user(['add', `${name}@localhost`], 'x\n')));
    for (const { code, err } of all) assert.equal(code, 0, err);
  });

  it('are disabled and deleted', async () => {
    assert.equal((await user(['disable', 'juliet@localhost'])).out, 'juliet@localhost is disabled.\n');
    assert.equal((await user(['delete', 'romeo@localhost'])).code, 0);
    const list = JSON.parse((await user(['list', '--json'])).out) as { jid: string }[];
    assert(!list.some(({ jid }) => jid === 'romeo@localhost'));
  });
});

describe('a running node', () => {
  let node: Operated;

  before(async () => {
    node = await Operated.start('modules: { vcard: {} }\n');
    await node.add('romeo', 'juliet');
  });
  after(() => node.remove());

  it('adds a user who logs in at once', async () => {
    const client = await node.login('romeo@localhost/orchard');
    const list = JSON.parse(await node.done(['session', 'list', '--json'])) as Record<string, unknown>[];
    assert.deepEqual(
      list.map(({ jid, transport, address, state }) => ({ jid, transport, address, state })),
      [{ jid: 'romeo@localhost/orchard', transport: 'tcp', address: '127.0.0.1', state: 'connected' }],
    );
    assert.match(await node.done(['session', 'list']), /romeo@localhost\/orchard +tcp +127\.0\.0\.1/);
    await client.end();
  });

  it('adds nobody whom it cannot serve, or without a password', async () => {
    const elsewhere = await node.command(['user', 'add', 'romeo@mantua.example'], 'x\n');
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.err, /does not serve 'mantua.example' \(it serves localhost\)/);
    const nothing = await node.command(['user', 'add', 'nurse@localhost'], '');
    assert.equal(nothing.code, 1);
    assert.match(nothing.err, /standard input was empty/);
    assert.match((await node.command(['user', 'add', 'the nurse@localhost'], 'x\n')).err, /is not an address/);
  });

  it('ends sessions, and sends clients elsewhere', async () => {
    const orchard = await node.login('romeo@localhost/orchard');
    const street = await node.login('romeo@localhost/street');
    await node.done(['session', 'close', 'romeo@localhost/orchard']);
    assert.equal(await orchard.streamError(), 'policy-violation');
    await node.done(['session', 'close', 'romeo@localhost', '--see-other-host', 'mantua.example:5222']);
    const error = await street.expect(stanza => stanza.name === 'error', 'a stream error');
    assert.equal(error.getChildText('see-other-host'), 'mantua.example:5222');
    const nobody = await node.command(['session', 'close', 'romeo@localhost']);
    assert.equal(nobody.code, 1);
    assert.match(nobody.err, /has no session/);
  });

  it('shows the clients of an account, and takes them away', async () => {
    const client = await node.login('romeo@localhost/orchard');
    const rows = JSON.parse(await node.done(['session', 'list', 'romeo@localhost', '--json'])) as object[];
    assert.deepEqual(
      rows.map(row => ({ ...row, id: '', since: '' })),
      [
        {
          id: '',
          jid: 'romeo@localhost/orchard',
          transport: 'tcp',
          address: '127.0.0.1',
          since: '',
          state: 'connected',
          available: false,
          priority: 0,
          queued: 0,
          client: null,
          software: null,
          device: null,
          tokenUntil: null,
        },
      ],
    );
    const unknown = await node.command(['session', 'revoke', 'romeo@localhost', 'phone']);
    assert.equal(unknown.code, 1);
    assert.match(
      unknown.err,
      /romeo@localhost has no client phone; 'posthouse session list romeo@localhost' shows them/,
    );
    const said = await node.done(['session', 'revoke', 'romeo@localhost']);
    assert.match(said, /^1 revoked\. Who knows the password can log in again: posthouse user passwd romeo@localhost$/m);
    assert.equal(await client.streamError(), 'not-authorized');
    const nobody = await node.command(['session', 'revoke', 'romeo@localhost']);
    assert.match(nobody.err, /romeo@localhost has no clients/);
    assert.match(await node.done(['session', 'list', 'romeo@localhost']), /romeo@localhost has no clients\./);
  });

  it('changes passwords, and keeps disabled people out', async () => {
    const client = await node.login('juliet@localhost/balcony');
    await node.done(['user', 'passwd', 'juliet@localhost'], 'new\n');
    await node.done(['user', 'disable', 'juliet@localhost']);
    assert.equal(await client.streamError(), 'policy-violation');
    const login = async (password: string): Promise<void> =>
      (await node.connect()).authenticate('juliet', password, 'localhost');
    await assert.rejects(login('new'), /account-disabled/);
    await node.done(['user', 'enable', 'juliet@localhost']);
    await assert.rejects(login('juliet'), /not-authorized/);
    await login('new');
  });

  it('lists, unloads, loads and reloads modules', async () => {
    const state = async (name: string): Promise<unknown> =>
      (JSON.parse(await node.done(['module', 'list', '--json'])) as { name: string; state: string }[]).find(
        module => module.name === name,
      )?.state;
    assert.equal(await state('vcard'), 'loaded');
    await node.done(['module', 'unload', 'vcard']);
    assert.notEqual(await state('vcard'), 'loaded');
    await node.done(['module', 'load', 'vcard']);
    assert.equal(await state('vcard'), 'loaded');
    await node.done(['module', 'reload', 'vcard']);
    const misspelt = await node.command(['module', 'reload', 'vcrad']);
    assert.equal(misspelt.code, 1);
    assert.match(misspelt.err, /Did you mean 'vcard'\?/);
    assert.match((await node.command(['module', 'unload', 'roster'])).err, /--cascade/);
  });

  it('loads a module from a path of the working folder', async () => {
    const api = new URL('../../src/api/index.ts', import.meta.url).href;
    writeFileSync(
      path.join(node.folder, 'mine.ts'),
      `import { defineModule } from '${api}';\nexport default defineModule({ name: 'mine', doc: 'Mine.', setup() {} });\n`,
    );
    await node.done(['module', 'load', './mine.ts']);
    assert.match(await node.done(['module', 'list']), /^mine +loaded +Mine\./m);
  });

  it('tells how it is', async () => {
    const status = JSON.parse(await node.done(['status', '--json'])) as Record<string, unknown>;
    assert.equal(status.ready, 'yes');
    assert.deepEqual(status.hosts, ['localhost']);
    assert.equal(status.pid, node.pid);
    assert.equal((status.listeners as unknown[]).length, 4);
    assert.match(await node.done(['status']), /^ready +yes$/m);
  });

  it('is found although its configuration is broken meanwhile', async () => {
    writeFileSync(node.conf, 'limits: { stanza: none }\n');
    const { code } = await posthouse(['status', '--conf', node.conf, '--data', node.data]);
    assert.equal(code, 0);
  });

  it('has the data to itself: a second start says which process has them', async () => {
    node.configure('');
    const second = await posthouse(['start', '--conf', node.conf, '--data', node.data]);
    assert.equal(second.code, 1);
    const { msg } = JSON.parse(second.out) as { msg: string };
    assert.match(msg, new RegExp(`in use by another node \\(process ${node.pid}\\).*posthouse stop --data`));
    assert.equal((await node.http('/ready')).status, 200, 'the first goes on');
  });

  it('stops when it is told to', async () => {
    assert.equal(await node.done(['stop']), 'It stops.\n');
    assert.equal(await node.ended(), 0);
  });
});
