import assert from 'node:assert/strict';
import path from 'node:path';
import { until } from '../kit/wait.ts';
import { makePem, shownAt, writePem } from './pem.ts';
import { Operated } from './program.ts';

describe('certificates of the operator', () => {
  let node: Operated;

  before(async () => {
    node = await Operated.prepare();
    const [verona, mantua] = [await makePem('verona.test'), await makePem('mantua.test')];
    node.configure(
      `hosts:\n  verona.test: ${writePem(node.folder, 'verona', verona)}\n  mantua.test: ${writePem(node.folder, 'mantua', mantua)}\n`,
    );
    const { certificates } = await node.start();
    assert.deepEqual(certificates, { 'verona.test': verona.fingerprint, 'mantua.test': mantua.fingerprint });
  });
  after(() => node.remove());

  it('are taken up without a restart when their files change, and a broken one does not take the old one down', async () => {
    const { xmpps, https } = node.ports;
    const old = await shownAt(xmpps, 'mantua.test');
    const [verona, mantua] = [await makePem('verona.test'), await makePem('mantua.test')];
    writePem(node.folder, 'verona', verona);
    // the certificate of one, the key of another
    writePem(node.folder, 'mantua', { ...mantua, key: verona.key });
    const { fingerprint } = await node.logged('a new certificate of verona.test is in use');
    assert.equal(fingerprint, verona.fingerprint);
    assert.equal(await shownAt(xmpps, 'verona.test'), verona.fingerprint);
    assert.equal(await shownAt(https, 'verona.test'), verona.fingerprint);
    const { level, msg } = await node.logged('the old certificate stays in use');
    assert.equal(level, 50);
    assert.match(msg!, /certificate of mantua\.test \(.*mantua\.crt, .*mantua\.key\).*the key is not the one of/);
    assert.equal(await shownAt(xmpps, 'mantua.test'), old);
  });

  it('stand in the way of a reload when they are broken: all or nothing', async () => {
    const { code, err } = await node.command(['config', 'reload']);
    assert.equal(code, 1);
    assert.match(err, /mantua\.key.*the key is not the one of the certificate/);
    const good = await makePem('mantua.test');
    writePem(node.folder, 'mantua', good);
    await node.done(['config', 'reload']);
    assert.equal(await shownAt(node.ports.xmpps, 'mantua.test'), good.fingerprint);
  });

  it('are judged by posthouse check', async () => {
    const hosts = {
      good: writePem(node.folder, 'good', await makePem('good.test')),
      expired: writePem(node.folder, 'expired', await makePem('expired.test', -30, -2)),
      early: writePem(node.folder, 'early', await makePem('early.test', 2, 30)),
      soon: writePem(node.folder, 'soon', await makePem('soon.test', -30, 3)),
      bücher: writePem(node.folder, 'bücher', await makePem('xn--bcher-kva.test')),
      other: writePem(node.folder, 'other', await makePem('verona.test')),
      mixed: writePem(node.folder, 'mixed', { ...(await makePem('mixed.test')), key: (await makePem('x')).key }),
      nothing: '{ certificate: nothing.crt, key: nothing.key }',
    };
    node.configure(
      `hosts:\n${Object.entries(hosts)
        .map(([name, files]) => `  ${name}.test: ${files}\n`)
        .join('')}`,
    );
    const { code, out } = await node.command(['check', '--json']);
    assert.equal(code, 1);
    const { findings } = JSON.parse(out) as { findings: { level: string; about: string; text: string }[] };
    const about = (name: string): string =>
      findings
        .filter(finding => finding.about === `certificate of ${name}.test`)
        .map(({ level, text }) => `${level}: ${text.replaceAll(`${node.folder}${path.sep}`, '')}`)
        .join('\n');
    assert.match(about('good'), /^hint: good\.crt is self-signed/);
    assert.match(about('bücher'), /^hint: bücher\.crt is self-signed/);
    assert.match(about('expired'), /^problem: expired\.crt expired at .*put a new one in its place/);
    assert.match(about('early'), /^problem: early\.crt holds only from /);
    assert.match(about('soon'), /^hint: soon\.crt expires in [23] days/);
    assert.match(about('other'), /^problem: other\.crt is for DNS:verona\.test, not for other\.test/);
    assert.match(about('mixed'), /^problem: .*mixed\.key.*the key is not the one of the certificate/);
    assert.match(about('nothing'), /^problem: the certificate of nothing\.test cannot be read: ENOENT/);
  });

  it('that expired are used, and loudly complained of', async () => {
    assert.equal(await node.stop(), 0);
    node.configure(
      `hosts:\n  verona.test: ${writePem(node.folder, 'verona', await makePem('verona.test', -30, -2))}\n`,
    );
    await node.start();
    const { level } = await node.logged(/certificate of verona\.test .* expired at .*replace the file/);
    assert.equal(level, 40);
  });

  it('that cannot be used keep the node from starting, all of them named', async () => {
    assert.equal(await node.stop(), 0);
    node.configure(
      'hosts:\n  verona.test: { certificate: no.crt, key: no.key }\n  mantua.test: { certificate: nor.crt, key: nor.key }\n',
    );
    node.spawn();
    assert.equal(await node.ended(), 1);
    const text = await until(() => node.log.find(({ level }) => level === 60)?.msg, 'why it did not start');
    assert.match(text, /certificate of verona\.test cannot be read/);
    assert.match(text, /certificate of mantua\.test cannot be read/);
  });
});
