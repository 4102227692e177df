import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type tls from 'node:tls';
import { parseJid } from '../../src/jid/index.ts';
import { loadConfig } from '../../src/node/config/index.ts';
import { optionsOfModule } from '../../src/node/modules/find.ts';
import { TestNode } from '../kit/node.ts';
import { type Line, Lines, NS } from './line.ts';

function exporter(line: Line): Buffer {
  return (line.socket as tls.TLSSocket).exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
}

/** The certificate's hash: it is signed with ECDSA and SHA-256. */
function endPoint(line: Line): Buffer {
  return createHash('sha256')
    .update((line.socket as tls.TLSSocket).getPeerCertificate().raw)
    .digest();
}

describe('SASL over the wire', () => {
  let node: TestNode;
  let lines: Lines;

  before(async () => {
    node = await TestNode.start({
      yaml: `hosts: { localhost: {}, guests.example: { anonymous: true } }
login: { attempts: 100, failuresPerAccount: 1000, failuresPerAddress: 1000 }
`,
      users: ['romeo'],
    });
    lines = new Lines(node);
  });
  afterEach(() => lines.cut());
  after(() => node.stop());

  const hashes = ['sha1', 'sha256', 'sha512'] as const;

  it('offers the strongest first, and says what it binds to (XEP-0440)', async () => {
    const names = (features: string): string[] =>
      [...features.split('<authentication ')[0]!.matchAll(/<mechanism>([^<]+)/g)].map(match => match[1]!);
    const types = (features: string): string[] =>
      [...features.matchAll(/<channel-binding type='([^']+)'/g)].map(m => m[1]!);
    const all = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1'];
    const plus = all.map(name => `${name}-PLUS`);
    const modern = await (await lines.tls({ minVersion: 'TLSv1.3' })).open();
    assert.deepEqual(names(modern), [...plus, ...all, 'PLAIN']);
    assert.deepEqual(types(modern), ['tls-exporter', 'tls-server-end-point']);
    const older = await (await lines.tls({ maxVersion: 'TLSv1.2' })).open();
    assert.deepEqual(names(older), [...plus, ...all, 'PLAIN']);
    assert.deepEqual(types(older), ['tls-server-end-point']);
    const plain = await (await lines.tcp()).open();
    assert.deepEqual(names(plain), [...all, 'PLAIN']);
    assert.deepEqual(types(plain), []);
  });

  it('SCRAM, over TCP, TLS and WebSocket', async () => {
    for (const line of [await lines.tcp(), await lines.tls(), await lines.websocket()]) {
      await line.open();
      for (const hash of hashes) assert.equal(await line.scram(hash, 'romeo', 'wrong'), 'not-authorized');
      assert.equal(await line.scram('sha256', 'romeo', 'romeo'), 'success');
      await line.open();
      await line.bind('x');
    }
    for (const hash of hashes) {
      const line = await lines.tls();
      await line.open();
      assert.equal(await line.scram(hash, 'romeo', 'romeo'), 'success', hash);
    }
  });

  it('SCRAM-PLUS binds to TLS 1.3 by tls-exporter, to any by tls-server-end-point', async () => {
    for (const hash of hashes) {
      for (const [gs2, version, data] of [
        ['p=tls-exporter,,', 'TLSv1.3', exporter],
        ['p=tls-server-end-point,,', 'TLSv1.3', endPoint],
        ['p=tls-server-end-point,,', 'TLSv1.2', endPoint],
      ] as const) {
        const line = await lines.tls({ minVersion: version, maxVersion: version });
        await line.open();
        assert.equal(
          await line.scram(hash, 'romeo', 'romeo', { gs2, binding: data(line) }),
          'success',
          `${hash} ${gs2}`,
        );
      }
    }
    // after STARTTLS too
    const line = await lines.tcp();
    await line.startTls();
    await line.open();
    assert.equal(
      await line.scram('sha1', 'romeo', 'romeo', { gs2: 'p=tls-exporter,,', binding: exporter(line) }),
      'success',
    );
  });

  it('and is refused with the data of another connection, or of another kind', async () => {
    const other = await lines.tls();
    await other.open();
    const line = await lines.tls();
    await line.open();
    const scram = (gs2: string, binding: Buffer): Promise<string> =>
      line.scram('sha256', 'romeo', 'romeo', { gs2, binding });
    assert.notEqual(await scram('p=tls-exporter,,', exporter(other)), 'success');
    assert.notEqual(await scram('p=tls-exporter,,', endPoint(line)), 'success');
    assert.notEqual(await scram('p=tls-server-end-point,,', exporter(line)), 'success');
    assert.notEqual(await scram('p=tls-server-end-point,,', Buffer.alloc(32)), 'success');
    assert.notEqual(await scram('p=tls-unique,,', Buffer.alloc(12)), 'success');
    assert.equal(await scram('p=tls-exporter,,', exporter(line)), 'success');
  });

  it('a downgrade is found: who could bind says so, and is told that the server could too (RFC 5802 6)', async () => {
    const line = await lines.tls();
    await line.open();
    assert.notEqual(await line.scram('sha256', 'romeo', 'romeo', { gs2: 'y,,' }), 'success');
    // without TLS there is nothing to bind to, and 'y' is right
    const plain = await lines.tcp();
    await plain.open();
    assert.equal(await plain.scram('sha256', 'romeo', 'romeo', { gs2: 'y,,' }), 'success');
  });

  it('nothing binds over a WebSocket', async () => {
    const line = await lines.websocket();
    assert.doesNotMatch(await line.open(), /-PLUS|channel-binding/);
    assert.equal(
      await line.scram('sha256', 'romeo', 'romeo', { gs2: 'p=tls-server-end-point,,', binding: Buffer.alloc(32) }),
      'invalid-mechanism',
    );
  });

  it('ANONYMOUS, for hosts that say so: an address of its own for each', async () => {
    const jids = new Set<string>();
    for (let n = 0; n < 2; n++) {
      const line = await lines.tls();
      assert.match(await line.open('guests.example'), /<mechanism>ANONYMOUS</);
      line.send(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`);
      assert.equal(await line.outcome(), 'success');
      await line.open('guests.example');
      jids.add((await line.bind('x')).jid);
    }
    assert.equal(jids.size, 2);
    for (const jid of jids) assert.match(jid, /^[^@]+@guests\.example\/x$/);
    const line = await lines.tls();
    assert.doesNotMatch(await line.open(), /ANONYMOUS/);
    line.send(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`);
    assert.equal(await line.outcome(), 'invalid-mechanism');
  });

  it('who has logged in to an account that is removed is not let into the next one of its name', async () => {
    await node.addUser('mercutio');
    const line = await lines.tls();
    await line.authenticate('mercutio');
    const mercutio = parseJid('mercutio@localhost')!;
    await node.node.accounts.remove(mercutio);
    await node.node.accounts.create(mercutio, 'another');
    await line.endsWith('not-authorized');
  });

  it('who is not there cannot be told from who has another password', async () => {
    const challenge = async (name: string, mechanism: string): Promise<string> => {
      const line = await lines.tls();
      await line.open();
      const first = Buffer.from(`n,,n=${name},r=abcdefgh`).toString('base64');
      line.send(`<auth xmlns='${NS.sasl}' mechanism='${mechanism}'>${first}</auth>`);
      const [, data] = await line.expect(/<challenge xmlns='[^']+'>(.*?)<\/challenge>/);
      return Buffer.from(data!, 'base64').toString();
    };
    const salt = (text: string): string => /,s=([^,]+),/.exec(text)![1]!;
    const shape = (text: string): string =>
      text.replace(/r=[^,]+/, match => `r=${match.length}`).replace(salt(text), match => `${match.length}`);
    for (const mechanism of ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      const known = await challenge('romeo', mechanism);
      const unknown = await challenge('tybalt', mechanism);
      assert.equal(shape(unknown), shape(known));
      // the same salt again, another one for another name
      assert.equal(salt(await challenge('tybalt', mechanism)), salt(unknown));
      assert.equal(salt(await challenge('romeo', mechanism)), salt(known));
      assert.notEqual(salt(await challenge('mercutio', mechanism)), salt(unknown));
    }
    // and the same words in the end
    const answer = async (name: string, mechanism: 'plain' | 'scram'): Promise<string> => {
      const line = await lines.tls();
      await line.open();
      const before = line.all.length;
      if (mechanism === 'plain') await line.plain(name, 'wrong');
      else await line.scram('sha256', name, 'wrong');
      return line.all.slice(before).replace(/<challenge.*<\/challenge>/, '');
    };
    for (const mechanism of ['plain', 'scram'] as const) {
      assert.equal(await answer('tybalt', mechanism), await answer('romeo', mechanism));
    }
  });

  it('PLAIN is for TLS; without it, only where the listener says so, which is on loopback addresses only', async () => {
    const plain = await lines.tls();
    await plain.open();
    assert.equal(await plain.plain('romeo'), 'success');
    const folder = mkdtempSync(path.join(tmpdir(), 'posthouse-'));
    try {
      const problems = async (addresses: string): Promise<string> => {
        const file = path.join(folder, 'c.yaml');
        writeFileSync(
          file,
          `hosts: { localhost: {} }\nlisteners: { xmpp: { addresses: ${addresses}, allowPlaintext: true } }\n`,
        );
        return loadConfig({ file, data: folder, moduleOptions: optionsOfModule }).then(
          () => '',
          (error: unknown) => String(error) + JSON.stringify(error),
        );
      };
      for (const addresses of [`['::']`, `['0.0.0.0']`, `['127.0.0.1', '192.0.2.1']`, `['example.org']`]) {
        assert.match(await problems(addresses), /allowPlaintext/, addresses);
      }
      for (const addresses of [`['127.0.0.1']`, `['::1', '127.0.0.2']`])
        assert.equal(await problems(addresses), '', addresses);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('Failed logins over the wire', () => {
  let node: TestNode;
  let lines: Lines;

  beforeEach(async () => {
    node = await TestNode.start({
      yaml: 'login: { attempts: 3, failuresPerAccount: 4, failuresPerAddress: 8, window: 1 h }\n',
      users: ['romeo', 'juliet', 'nurse'],
    });
    lines = new Lines(node);
  });
  afterEach(async () => {
    lines.cut();
    await node.stop();
  });

  async function fails(name: string): Promise<string> {
    const line = await lines.tcp();
    await line.open();
    return line.plain(name, 'wrong');
  }

  it('end a stream when there are too many (RFC 6120 6.4.5)', async () => {
    const line = await lines.tcp();
    await line.open();
    for (let n = 0; n < 3; n++) assert.equal(await line.plain('romeo', 'wrong'), 'not-authorized');
    await line.endsWith('policy-violation');
  });

  it('are braked by account, while others get in', async () => {
    for (let n = 0; n < 4; n++) assert.equal(await fails('romeo'), 'not-authorized');
    // the right password too, and by any mechanism
    const line = await lines.tcp();
    await line.open();
    assert.equal(await line.plain('romeo'), 'temporary-auth-failure');
    assert.equal(await line.scram('sha1', 'romeo', 'romeo'), 'temporary-auth-failure');
    await lines.login('juliet', 'x');
  });

  it('are braked by address, while those who live there get in', async () => {
    await lines.login('juliet', 'x');
    for (let n = 0; n < 8; n++) assert.equal(await fails(`guess${n}`), 'not-authorized');
    assert.equal(await fails('guess9'), 'temporary-auth-failure');
    const stranger = await lines.tcp();
    await stranger.open();
    assert.equal(await stranger.plain('nurse'), 'temporary-auth-failure');
    await lines.login('juliet', 'y');
  });
});
