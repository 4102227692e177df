import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { needs } from '../kit/needs.ts';
import { freePort } from '../kit/ports.ts';
import { BIN, Operated } from './program.ts';
import { SmallDisk } from './small-disk.ts';

interface Finding {
  readonly level: 'ok' | 'hint' | 'problem';
  readonly about: string;
  readonly text: string;
}

describe('posthouse check', () => {
  let node: Operated;
  before(async () => {
    node = await Operated.prepare();
  });
  after(() => node.remove());

  /** What it finds, beside the host's certificate. */
  async function findings(args: readonly string[] = []): Promise<{ code: number | null; about(what: string): string }> {
    const { code, out } = await node.command(['check', '--json', ...args]);
    const all = (JSON.parse(out) as { findings: Finding[] }).findings;
    const about = (what: string): string =>
      all
        .filter(finding => finding.about === what)
        .map(({ level, text }) => `${level}: ${text}`)
        .join('\n');
    return { code, about };
  }

  it('finds nothing against a first start, and starts or makes nothing', async () => {
    const { code, about } = await findings();
    assert.equal(code, 0);
    assert.equal(about('configuration'), 'ok: posthouse.yaml is right');
    assert.match(about('data folder'), /^ok: .*data will be made$/m);
    for (const port of Object.values(node.ports))
      assert.match(about('ports'), new RegExp(`ok: .* port ${port} is free`));
    assert.match(about('certificate of localhost'), /^hint: none is configured: a self-signed one is made/);
    assert.equal(about('DNS of localhost'), '', 'nobody has to look that up');
    assert.throws(() => chmodSync(node.data, 0o700), /ENOENT/);
  });

  it('tells which records clients elsewhere need', async () => {
    const { about } = await findings(['--domain', 'chat.example']);
    assert.match(
      about('DNS of chat.example'),
      new RegExp(
        `^hint: no address and no SRV record .*_xmpp-client\\._tcp\\.chat\\.example\\. SRV 0 5 ${node.ports.xmpp} `,
      ),
    );
  });

  it('minds a data folder that others may look into, or whose disk is nearly full', async () => {
    mkdirSync(node.data, { mode: 0o755 });
    chmodSync(node.data, 0o755);
    const { code, about } = await findings();
    assert.equal(code, 0);
    assert.match(about('data folder'), /^hint: .*others may look into it: 'chmod 700 /);
    chmodSync(node.data, 0o700);
    const disk = SmallDisk.make();
    if (!disk) return;
    try {
      const small = await findings(['--data', path.join(disk.folder, 'data')]);
      assert.equal(small.code, 1);
      assert.match(small.about('data folder'), /^problem: only \d+ MiB are free there; make room/m);
    } finally {
      disk.remove();
    }
  });

  it('tells of modules without their listener, and of listeners without their module', async () => {
    const other = await Operated.prepare('modules: { bytestreams: {}, component: {} }\n');
    const read = async (): Promise<Finding[]> =>
      (JSON.parse((await other.command(['check', '--json'])).out) as { findings: Finding[] }).findings;
    const hints = (findings: readonly Finding[]): string[] =>
      findings
        .filter(({ level, about }) => level === 'hint' && /^(?:module|listener) /.test(about))
        .map(({ about, text }) => `${about}: ${text}`);
    try {
      assert.deepEqual(hints(await read()), [
        "module component: nobody reaches it: it needs a listener of type component under 'listeners'",
        "module bytestreams: nobody reaches it: it needs a listener of type socks5 under 'listeners'",
      ]);
      const { xmpp, xmpps } = other.ports;
      other.configure(`listeners:
  xmpp: { port: ${xmpp}, addresses: [127.0.0.1] }
  gates: { type: component, port: ${xmpps}, addresses: [127.0.0.1] }
  proxy: { type: socks5, port: 17777, addresses: [127.0.0.1] }
modules: { bytestreams: {} }
`);
      assert.deepEqual(hints(await read()), [
        "listener gates: who connects is sent away: it needs the module component under 'modules'",
        'module bytestreams: clients are told port 7777, and the listener has 17777: right only where a router passes it on',
      ]);
    } finally {
      await other.remove();
    }
  });

  it('minds how many files may be open', async function () {
    needs(this, { command: 'prlimit', why: 'util-linux: fewer open files' });
    const args = ['--nofile=512', process.execPath, BIN, 'check', '--conf', node.conf, '--data', node.data];
    const ended = promisify(execFile)('prlimit', args, { cwd: node.folder });
    await assert.rejects(ended, (error: { code: number; stdout: string }) => {
      assert.equal(error.code, 1);
      assert.match(
        error.stdout,
        /PROBLEM {2}open files: this user may open 512 files, and each client needs one \('ulimit -n/,
      );
      assert.match(error.stdout, /^1 thing to mend\.$/m);
      return true;
    });
  });

  it('sees that a node runs there', async () => {
    await node.start();
    const { code, about } = await findings();
    assert.equal(code, 0);
    assert.equal(about('ports'), 'ok: a node runs on this data folder and holds them');
    assert.match(about('certificate of localhost'), /^hint: .*localhost\.crt is self-signed/);
    assert.equal(await node.stop(), 0);
  });

  it('tells where uploads cannot be kept', async () => {
    const uploads = async (yaml: string): Promise<string> => {
      node.configure(`modules: { uploads: ${yaml} }\n`);
      return (await findings()).about('module uploads');
    };
    assert.equal(await uploads('{}'), 'ok: it can work as it is set up');
    assert.match(await uploads("{ disk: { folder: '/dev/null/x' } }"), /^problem: .*\/dev\/null/);
    assert.match(await uploads('{ store: s3 }'), /^problem: 's3' needs an endpoint and a bucket$/);
    const s3 = `{ endpoint: 'http://127.0.0.1:${await freePort()}', bucket: files, accessKey: a, secretKey: b }`;
    assert.match(await uploads(`{ store: s3, s3: ${s3} }`), /^problem: .*does not answer: .*ECONNREFUSED/);
    node.configure('');
  });
});
