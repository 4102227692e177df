import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { CONTROL_SOCKET } from '../../src/node/control-socket.ts';
import { loadConfig } from '../../src/node/config/index.ts';
import { optionsOfModule } from '../../src/node/modules/find.ts';
import type { statusOf } from '../../src/node/status.ts';
import { requestUnix } from '../../src/transport/unix.ts';
import { needs } from '../kit/needs.ts';
import { freePort } from '../kit/ports.ts';
import { shownAt } from './pem.ts';
import { Operated, ROOT } from './program.ts';
import { Screen } from './screen.ts';

const SHIPPED = path.join(ROOT, 'conf/posthouse.yaml');
const FINGERPRINT = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/;

/** Waits until somebody listens on a port of this machine, and looks all the time. @throws when it is `hopeful` no more */
async function reached(port: number, hopeful: () => boolean): Promise<void> {
  const look = (): Promise<boolean> =>
    new Promise(resolve => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  while (!(await look())) assert.ok(hopeful());
}

const mode = (file: string): number => statSync(file).mode & 0o777;

describe('the first run', () => {
  describe('with the configuration as shipped, but for its ports', () => {
    let node: Operated;
    let fingerprint: string;

    before(async () => {
      node = await Operated.prepare();
      const { xmpp, xmpps, https, http } = node.ports;
      const shipped = readFileSync(SHIPPED, 'utf8');
      const moved = shipped
        .replace(/^#(?=listeners:)/m, '')
        .replace(/^#(?= +(?:xmpps?|https?):)/gm, '')
        .replaceAll(/port: (5222|5223|5443|5280)/g, (_, port: string) => {
          const to = { 5222: xmpp, 5223: xmpps, 5443: https, 5280: http }[Number(port)];
          return `port: ${to}`;
        });
      assert.notEqual(moved, shipped);
      mkdirSync(path.join(node.folder, 'conf'));
      writeFileSync(path.join(node.folder, 'conf/posthouse.yaml'), moved);
      // neither --conf nor --data: both are found from the working folder on
      await node.start({}, []);
    });

    after(() => node.remove());

    it('serves localhost on the four ports', async () => {
      const { hosts, listeners } = await node.logged('ready');
      assert.deepEqual(hosts, ['localhost']);
      const { xmpp, xmpps, https, http } = node.ports;
      assert.deepEqual(listeners, [
        `xmpp :::${xmpp}`,
        `xmpps :::${xmpps}`,
        `https :::${https}`,
        `http 127.0.0.1:${http}`,
      ]);
      assert.equal((await node.http('/ready')).status, 200);
      const features = await (await node.connect()).open();
      assert.ok(features.getChild('starttls')?.getChild('required'), features.toString());
    });

    (process.platform === 'linux' ? it : it.skip)('has blocks for TLS taken straight from the system', () => {
      // glibc cuts what it is told at each ':', where it stands
      const environment = readFileSync(`/proc/${node.pid}/environ`, 'latin1').split('\0');
      const { GLIBC_TUNABLES, LD_PRELOAD } = process.env;
      const chosen = GLIBC_TUNABLES !== undefined || LD_PRELOAD !== undefined;
      assert.equal(environment.includes('GLIBC_TUNABLES=glibc.malloc.mmap_threshold=32768'), !chosen);
    });

    (process.platform === 'linux' ? it : it.skip)('has the collector’s threads leave a core to its event loop', () => {
      const tasks = `/proc/${node.pid}/task`;
      // behind the name, which may have spaces in it
      const niceOf = (task: string): string =>
        readFileSync(`${tasks}/${task}/stat`, 'utf8').split(') ').pop()!.split(' ')[16]!;
      const workers = readdirSync(tasks).filter(task => readFileSync(`${tasks}/${task}/comm`, 'utf8') === 'V8Worker\n');
      assert.ok(workers.length > 0);
      assert.deepEqual(new Set(workers.map(niceOf)), new Set(['5']));
      assert.equal(niceOf(String(node.pid)), '0');
    });

    it('keeps its data in ./data, for nobody else to read', () => {
      assert.equal(mode(node.data), 0o700);
      assert.equal(mode(path.join(node.data, 'posthouse.sock')), 0o600);
      for (const file of ['posthouse.sqlite', 'certificates/localhost.key', 'certificates/localhost.crt'])
        assert.equal(mode(path.join(node.data, file)) & 0o077, 0, file);
    });

    it('tells the fingerprint of the certificate that it made, and shows that one', async () => {
      const { certificates } = await node.logged('ready');
      fingerprint = (certificates as Record<string, string>).localhost!;
      assert.match(fingerprint, FINGERPRINT);
      assert.equal(await shownAt(node.ports.xmpps, 'localhost'), fingerprint);
      assert.equal(await shownAt(node.ports.https, 'localhost'), fingerprint);
    });

    it('has no account that anybody could know', async () => {
      assert.deepEqual(JSON.parse(await node.done(['user', 'list', '--json'])), []);
    });

    it('has the same certificate at the next start', async () => {
      assert.equal(await node.stop(), 0);
      await node.start({}, []);
      assert.equal(await shownAt(node.ports.xmpps, 'localhost'), fingerprint);
    });

    it('serves another domain with --domain, and keeps its data elsewhere with --data', async () => {
      assert.equal(await node.stop(), 0);
      const elsewhere = path.join(node.folder, 'elsewhere');
      const { hosts } = await node.start({}, ['--domain', 'chat.test', '--data', elsewhere]);
      assert.deepEqual(hosts, ['chat.test']);
      assert.deepEqual(readdirSync(path.join(elsewhere, 'certificates')).sort(), ['chat.test.crt', 'chat.test.key']);
      const client = await node.connect();
      client.send(
        "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
      );
      assert.equal(await client.streamError(), 'host-unknown');
      assert.equal(await node.stop(), 0);
    });
  });

  it('needs no configuration: the shipped one changes nothing but that it serves localhost', async () => {
    const node = await Operated.prepare('');
    writeFileSync(node.conf, '');
    const read = (file: string) => loadConfig({ file, data: '/nowhere', moduleOptions: optionsOfModule });
    assert.deepEqual((await read(SHIPPED)).values, (await read(node.conf)).values);
    await node.remove();
  });

  it('can be asked by commands as soon as one of its ports is open, and answers when all are', async () => {
    const node = await Operated.prepare();
    const more = await Promise.all(Array.from({ length: 40 }, freePort));
    const others = more.map(port => `  more${port}: { type: c2s, port: ${port}, addresses: [127.0.0.1] }\n`);
    writeFileSync(node.conf, readFileSync(node.conf, 'utf8') + others.join(''));
    try {
      node.spawn();
      await reached(node.ports.xmpp, () => node.running);
      const request = { command: 'status', args: {} };
      const status = await requestUnix(path.join(node.data, CONTROL_SOCKET), request);
      const { ready, listeners } = status as ReturnType<typeof statusOf>;
      assert.equal(ready, 'yes');
      assert.equal(listeners.length, 4 + others.length);
    } finally {
      await node.remove();
    }
  });

  it('shows in its comments what holds without them', async () => {
    const node = await Operated.prepare('');
    // all that is commented out, but examples whose files and variables are not there
    const text = readFileSync(SHIPPED, 'utf8')
      .replaceAll(/^#(?=[a-z]|  )/gm, '')
      .split('\n')
      .filter(line => !/^ *(?:certificate|key): \/etc|^#/.test(line))
      .join('\n')
      .replaceAll(/\{ file: \/etc\/posthouse\/[\w.]+ \}/g, '"a secret"');
    writeFileSync(node.conf, text);
    const env = { TURN_SECRET: 'a secret' };
    const given = await loadConfig({ file: node.conf, env, moduleOptions: optionsOfModule });
    const without = await loadConfig({ file: SHIPPED, moduleOptions: optionsOfModule });
    const { limits, login, sessions, log, shutdown, storage } = given.values.core;
    const plain = without.values.core;
    assert.deepEqual(
      { limits, login, sessions, log, shutdown, storage },
      {
        limits: plain.limits,
        login: plain.login,
        sessions: plain.sessions,
        log: plain.log,
        shutdown: plain.shutdown,
        storage: plain.storage,
      },
    );
    for (const [name, listener] of Object.entries(without.values.listeners))
      assert.deepEqual(given.values.listeners[name], listener, name);
    assert.ok(given.values.modules.component, 'the examples of modules are in it');
    await node.remove();
  });

  it('greets a newcomer at a terminal with what he needs and no more', async function () {
    needs(this, { command: 'script', why: 'util-linux: a terminal' });
    const node = await Operated.prepare();
    const screen = Screen.open(['start', '--conf', node.conf, '--data', node.data], { cwd: node.folder });
    try {
      const text = await screen.shows(/Ready after [\d.]+ s\. Ctrl-C stops it\./);
      for (const wanted of [
        /serves localhost/,
        new RegExp(`127\\.0\\.0\\.1:${node.ports.xmpp}`),
        new RegExp(`127\\.0\\.0\\.1:${node.ports.xmpps}`),
        new RegExp(`wss://localhost:${node.ports.https}/xmpp-websocket`),
        new RegExp(`http://127\\.0\\.0\\.1:${node.ports.http}`),
        /SHA-256 (?:[0-9A-F]{2}:){31}/,
        /posthouse user add romeo@localhost/,
        /log +here/,
        /docs/,
      ])
        assert.match(text, wanted);
      assert.ok(text.trim().split('\n').length <= 20, text);
      assert.doesNotMatch(text, /[{}]/);
      screen.type('\u0003');
      assert.equal(await screen.ended(), 0, screen.text);
    } finally {
      screen.kill();
      await node.remove();
    }
  });
});
