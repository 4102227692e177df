import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import { until } from '../kit/wait.ts';
import { Operated } from './program.ts';

const SECRET = 'the-secret-of-the-gateway';

describe('a change of the configuration', () => {
  let node: Operated;
  const conf = (hosts: string, rest: string): string => `hosts: ${hosts}\n${rest}`;
  const modules = (more: string): string =>
    `modules:\n  component: { components: { gateway.localhost: { secret: { env: GATEWAY_SECRET } } } }\n${more}`;

  before(async () => {
    node = await Operated.prepare(conf('{ localhost: {}, verona.test: {} }', modules('')));
    await node.start({ env: { GATEWAY_SECRET: SECRET } });
    await node.add('romeo');
    await node.done(['user', 'add', 'juliet@verona.test'], 'juliet\n');
  });
  after(() => node.remove());

  it('that is wrong anywhere is not taken up at all, and every fault is logged', async () => {
    const romeo = await node.login('romeo@localhost/a');
    node.configure(conf('{ localhost: {} }', `${modules('  pign: {}\n')}limits: { stanza: 5 }\n`));
    const lines = node.log.length;
    node.signal('SIGHUP');
    const { level, msg } = await node.logged('the configuration was not taken up', lines);
    assert.equal(level, 50);
    assert.match(msg!, /posthouse\.yaml:\d+:\d+: modules\.pign: .*Did you mean 'ping'\?/);
    assert.match(msg!, /posthouse\.yaml:\d+:\d+: limits\.stanza: '5' is not allowed/);
    await (await node.connect()).authenticate('juliet', 'juliet', 'verona.test');
    await romeo.settle();
    const reload = await node.command(['config', 'reload']);
    assert.equal(reload.code, 1);
    assert.match(reload.err, /modules\.pign/);
  });

  it('is taken up on SIGHUP: a host that goes says so to its sessions, others notice nothing', async () => {
    const romeo = await node.login('romeo@localhost/b');
    const juliet = await node.connect();
    await juliet.authenticate('juliet', 'juliet', 'verona.test');
    await juliet.bind('balcony');
    node.configure(conf('{ localhost: {} }', modules('')));
    const lines = node.log.length;
    node.signal('SIGHUP');
    const { changed } = await node.logged('configuration reloaded', lines);
    assert.deepEqual(changed, ['hosts.verona.test']);
    assert.equal(await juliet.streamError(), 'host-gone');
    await romeo.settle();
  });

  it('tells what is in force and what waits for the next start, for as long as it waits', async () => {
    node.configure(
      conf(
        '{ localhost: { modules: { vcard: false } } }',
        `${modules('')}login: { attempts: 2 }\nlog: { level: debug }\n`,
      ),
    );
    const first = JSON.parse(await node.done(['config', 'reload', '--json'])) as Record<string, string[]>;
    assert.deepEqual(first, { changed: ['login.attempts', 'hosts.localhost.modules'], restart: ['log.level'] });
    assert.equal(
      await node.done(['config', 'reload']),
      'Nothing new is in force.\nOther than at the start, for the next one: log.level.\n',
    );
    assert.match(await node.done(['config', 'show']), /^# not in force before the next start: log\.level$/m);
    const romeo = await node.login('romeo@localhost/c');
    const vcard = await romeo.iq('get', "<vCard xmlns='vcard-temp'/>");
    assert.equal(vcard.attrs.type, 'error', 'off for this host');
  });

  it('of what a client may send is for new sessions, over TCP and WebSocket', async () => {
    const before = await node.login('romeo@localhost/before');
    const websocket = async (): Promise<{ said: () => string; send(text: string): void; code(): number }> => {
      const socket = new WebSocket(`ws://127.0.0.1:${node.ports.http}/xmpp-websocket`, 'xmpp');
      let text = '';
      let code = 0;
      socket.on('message', (data: Buffer) => (text += data.toString()));
      socket.on('close', number => (code = number));
      socket.on('error', () => {});
      await new Promise(resolve => socket.once('open', resolve));
      return { said: () => text, send: given => socket.send(given), code: () => code };
    };
    node.configure(conf('{ localhost: {} }', `${modules('')}limits: { stanza: 20000 }\n`));
    await node.done(['config', 'reload']);
    const big = `<message to='romeo@localhost'><body>${'x'.repeat(30_000)}</body></message>`;
    before.send(big);
    await before.settle();
    const after = await node.login('romeo@localhost/after');
    after.send(big);
    assert.equal(await after.streamError(), 'policy-violation');
    const web = await websocket();
    web.send(`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>`);
    await until(() => web.said().includes('features'), 'the features');
    web.send(big);
    await until(() => web.code() !== 0, 'the end of the connection');
    assert.equal(web.code(), 1009, 'RFC 6455 7.4.1');
  });

  it('is shown without any secret', async () => {
    const [text, json] = [await node.done(['config', 'show']), await node.done(['config', 'show', '--json'])];
    for (const shown of [text, json]) {
      assert.match(shown, /\(hidden\)/);
      assert.ok(!shown.includes(SECRET), shown);
    }
    assert.match(text, /^ {2}stanza: 20000 {2}# bytes {2}# \*$/m);
    const values = JSON.parse(json) as { core: { limits: { stanza: number } } };
    assert.equal(values.core.limits.stanza, 20_000);
  });

  it('is all or nothing when a module cannot be loaded', async () => {
    writeFileSync(
      `${node.folder}/broken.ts`,
      `import { defineModule } from '${new URL('../../src/api/index.ts', import.meta.url).href}';
export default defineModule({ name: 'broken', doc: 'x', setup() { throw new Error('not today'); } });\n`,
    );
    const before = readFileSync(node.conf, 'utf8');
    node.configure(conf('{ localhost: {}, padua.test: {} }', modules('  ./broken.ts: {}\n')));
    const { code, err } = await node.command(['config', 'reload']);
    assert.equal(code, 1);
    assert.match(err, /module broken cannot be loaded: not today/);
    const status = JSON.parse(await node.done(['status', '--json'])) as { hosts: string[] };
    assert.deepEqual(status.hosts, ['localhost']);
    writeFileSync(node.conf, before);
    assert.equal(await node.done(['config', 'reload']), 'Nothing changed.\n');
  });

  it('names a variable that is missing at the next start', async () => {
    assert.equal(await node.stop(), 0);
    node.spawn();
    assert.equal(await node.ended(), 1);
    assert.match(node.output, /components\.gateway\.localhost\.secret: the environment has no variable GATEWAY_SECRET/);
  });
});
