import assert from 'node:assert/strict';
import { existsSync, globSync, rmSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { parseJid } from '../../src/jid/index.ts';
import { condition, type TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { askSlot, get, plain, PURPOSE, put, refusalOf, SERVICE, slot, UPLOAD, upload } from './uploading.ts';
import { features, INFO, ok, verona } from './verona.ts';

const CHANGED = `modules:
  uploads:
    message: { size: 20000 }
    profile: { size: 1000, files: 2 }
    ephemeral: { bytes: 1000, keep: 1 h }
    disk: { free: 0 }
`;

/** Files that are kept, by their paths. */
const filesOf = (stage: TestNode): string[] => globSync('uploads/*/*', { cwd: stage.folder });

describe('play: HTTP File Upload (XEP-0363)', () => {
  let stage: TestNode;
  let romeo: TestClient;
  let juliet: TestClient;

  before(async () => {
    ({ stage, romeo, juliet } = await verona(CHANGED));
  });
  after(() => stage.stop());

  it('is found, and says how large a file may be (3)', async () => {
    const items = ok(await romeo.iq('get', "<query xmlns='http://jabber.org/protocol/disco#items'/>", 'localhost'));
    const item = items.getChild('query')!.getChildren('item').find(({ attrs }) => attrs.jid === SERVICE); // prettier-ignore
    assert.equal(item?.attrs.name, 'HTTP File Upload');
    const info = await romeo.iq('get', INFO, SERVICE);
    const query = ok(info).getChild('query')!;
    assert.deepEqual(
      { ...query.getChild('identity')!.attrs },
      { category: 'store', type: 'file', name: 'HTTP File Upload' },
    );
    assert.ok(features(info).includes(UPLOAD));
    const form = query.getChild('x', 'jabber:x:data')!;
    assert.equal(form.attrs.type, 'result');
    const fields = Object.fromEntries(
      form.getChildren('field').map(field => [field.attrs.var, field.getChildText('value')]),
    );
    assert.deepEqual(fields, { FORM_TYPE: UPLOAD, 'max-file-size': '20000' });
  });

  it('gives a slot with two HTTPS addresses that keep the name, in ASCII (4)', async () => {
    const { put: to, get: from } = await slot(romeo, { filename: 'très cool.jpg', size: 23, type: 'image/jpeg' });
    for (const url of [to, from]) {
      assert.match(url, /^https:\/\/localhost:\d+\/upload\/[\da-f]{32}\/tr%C3%A8s%20cool\.jpg$/);
      assert.equal(new URL(url).port, String(stage.httpsPort));
    }
    assert.notEqual(to, from);
  });

  it('over TLS: uploaded with PUT, 201 and not before it is there, downloaded by who has the address (7)', async () => {
    const urls = await slot(romeo, { filename: 'rose.txt', size: 6, type: 'text/plain' });
    const ask = (method: string, url: string, body?: string) =>
      new Promise<{ status: number; text: string; headers: Record<string, unknown> }>((resolve, reject) => {
        const headers = body === undefined ? {} : { 'Content-Type': 'text/plain', 'Content-Length': body.length };
        https
          .request(url, { method, headers, rejectUnauthorized: false }, response => {
            let text = '';
            response.on('data', chunk => (text += String(chunk)));
            response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }));
          })
          .on('error', reject)
          .end(body);
      });
    assert.equal((await ask('GET', urls.get)).status, 404);
    assert.equal((await ask('PUT', urls.put, 'a rose')).status, 201);
    const got = await ask('GET', urls.get);
    assert.deepEqual([got.status, got.text, got.headers['content-type']], [200, 'a rose', 'text/plain']);
  });

  it('a slot is used once, and only for its own address', async () => {
    const urls = await upload(stage, romeo, 'once');
    assert.equal((await put(stage, urls.put, 'twic')).status, 409);
    assert.equal(await (await get(stage, urls.get)).text(), 'once');
    // who has the address of the file can read it, and no more
    assert.equal((await put(stage, urls.get, 'evil')).status, 404);
    const other = await slot(juliet, { size: 4 });
    assert.equal((await put(stage, other.get, 'evil')).status, 404);
    assert.equal((await get(stage, other.put)).status, 404);
    assert.equal((await put(stage, other.put.replace('file.bin', 'file.exe'), 'evil')).status, 404);
    assert.equal((await get(stage, urls.get.replace('file.bin', 'file.exe'))).status, 404);
    for (const method of ['POST', 'DELETE', 'PATCH']) {
      const answer = await get(stage, urls.get, {}, method);
      assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'OPTIONS, HEAD, GET, PUT'], method);
    }
  });

  it('refuses what is not of the length or the type of the slot (7)', async () => {
    const { put: to, get: from } = await slot(romeo, { size: 10, type: 'image/png' });
    assert.equal((await put(stage, to, 'x'.repeat(9))).status, 400);
    assert.equal((await put(stage, to, 'x'.repeat(11))).status, 413);
    assert.equal((await put(stage, to, 'x'.repeat(10), { 'Content-Type': 'text/html' })).status, 415);
    assert.equal((await put(stage, to, 'x'.repeat(10), { 'Content-Encoding': 'gzip' })).status, 415);
    assert.equal((await put(stage, to, 'x'.repeat(10), { 'Content-Range': 'bytes 0-9/10' })).status, 400);
    assert.equal((await get(stage, from)).status, 404);
    // parameters and case are not the type
    assert.equal((await put(stage, to, 'x'.repeat(10), { 'Content-Type': 'IMAGE/png; q=1' })).status, 201);
    assert.equal((await get(stage, from)).headers.get('content-type'), 'image/png');
  });

  it('a type that was not said before is taken from the upload (7)', async () => {
    const said = await slot(romeo, { size: 4 });
    assert.equal((await put(stage, said.put, 'RIFF', { 'Content-Type': 'image/webp' })).status, 201);
    assert.equal((await get(stage, said.get)).headers.get('content-type'), 'image/webp');
    const unsaid = await slot(romeo, { size: 4 });
    assert.equal((await put(stage, unsaid.put, new Uint8Array(4))).status, 201);
    assert.equal((await get(stage, unsaid.get)).headers.get('content-type'), 'application/octet-stream');
  });

  it('says what is wrong with a request', async () => {
    for (const wanted of [
      { filename: '' },
      { filename: 'ü'.repeat(128) },
      { size: '0' },
      { size: '-1' },
      { size: '1e3' },
      { size: '' },
      { size: '99999999999999999' },
      { type: 'nonsense' },
      { type: `image/${'x'.repeat(200)}` },
      { purpose: `<profile xmlns='${PURPOSE}'/><message xmlns='${PURPOSE}'/>` },
      { purpose: `<ephemeral xmlns='${PURPOSE}'/>` },
      { purpose: `<ephemeral xmlns='${PURPOSE}' expire-before='tomorrow'/>` },
    ])
      assert.equal(condition(await askSlot(romeo, wanted)), 'bad-request', JSON.stringify(wanted));
    assert.equal(condition(await askSlot(romeo, { purpose: `<fame xmlns='${PURPOSE}'/>` })), 'feature-not-implemented');
    const past = `<ephemeral xmlns='${PURPOSE}' expire-before='2020-01-01T00:00:00Z'/>`;
    assert.equal(condition(await askSlot(romeo, { purpose: past })), 'not-acceptable');
    // what is no request for a slot
    assert.equal(
      condition(await romeo.iq('set', `<request xmlns='${UPLOAD}' filename='a' size='1'/>`, SERVICE)),
      'service-unavailable',
    );
  });

  it('refuses a file that is too large, and says how large it may be (6)', async () => {
    const { type, condition: name, extra, text } = refusalOf(await askSlot(romeo, { size: 20_001 }));
    assert.deepEqual([type, name], ['modify', 'not-acceptable']);
    assert.equal(extra?.name, 'file-too-large');
    assert.equal(extra.getChildText('max-file-size'), '20000');
    assert.match(text, /20000 bytes/);
    await slot(romeo, { size: 20_000 });
    const profile = refusalOf(await askSlot(romeo, { size: 1001, purpose: `<profile xmlns='${PURPOSE}'/>` }));
    assert.equal(profile.extra?.getChildText('max-file-size'), '1000');
  });

  it('is for accounts of its host (6)', async () => {
    const anonymous = await TestNode.start({
      users: ['romeo'],
      yaml: 'hosts: { localhost: {}, verona.example: {} }\n',
    });
    try {
      const client = await anonymous.login('romeo@localhost/x');
      const answer = await client.iq(
        'get',
        `<request xmlns='${UPLOAD}' filename='a' size='1'/>`,
        'upload.verona.example',
      );
      const { type, condition: name } = refusalOf(answer);
      assert.deepEqual([type, name], ['auth', 'forbidden']);
      assert.ok(answer.getChild('request', UPLOAD));
    } finally {
      await anonymous.stop();
    }
  });

  it('has a purpose for each file, those that are on being announced (5)', async () => {
    const announced = features(await romeo.iq('get', INFO, SERVICE)).filter(name => name!.startsWith(PURPOSE));
    assert.deepEqual(announced, [`${PURPOSE}#ephemeral`, `${PURPOSE}#message`, `${PURPOSE}#profile`]);
    // 5.1
    await upload(stage, romeo, 'as if nothing was said', { purpose: `<message xmlns='${PURPOSE}'/>` });
    // 5.4: off unless it is turned on
    assert.equal(condition(await askSlot(romeo, { purpose: `<permanent xmlns='${PURPOSE}'/>` })), 'not-acceptable');
  });

  it('a quota of files that stay without end: no time is told at which there is room (5.2, 6)', async () => {
    const purpose = `<profile xmlns='${PURPOSE}'/>`;
    const { get: first } = await upload(stage, romeo, 'avatar 1', { purpose });
    await upload(stage, romeo, 'avatar 2', { purpose });
    const refused = refusalOf(await askSlot(romeo, { purpose }));
    assert.deepEqual([refused.type, refused.condition], ['wait', 'resource-constraint']);
    assert.equal(refused.extra, undefined);
    // others, and other purposes, have quotas of their own
    await upload(stage, juliet, 'avatar 3', { purpose });
    await upload(stage, romeo, 'a message');
    assert.match((await get(stage, first)).headers.get('cache-control')!, /max-age=31536000/);
  });

  it('an ephemeral file is gone when its client said, and its room is free again: retry says when (5.3, 6)', async () => {
    // whole seconds, as clients have them
    const expires = Math.ceil(Date.now() / 1000 + 2) * 1000;
    const stamp = new Date(expires).toISOString();
    const purpose = `<ephemeral xmlns='${PURPOSE}' expire-before='${stamp}'/>`;
    const urls = await upload(stage, romeo, 'x'.repeat(900), { purpose });
    const there = await get(stage, urls.get);
    if (Date.now() < expires) {
      assert.equal(there.status, 200);
      assert.ok(Number(/max-age=(\d+)/.exec(there.headers.get('cache-control')!)![1]) <= 4);
      const later = `<ephemeral xmlns='${PURPOSE}' expire-before='${new Date(expires + 60_000).toISOString()}'/>`;
      const answer = await askSlot(romeo, { size: 101, purpose: later });
      if (Date.now() < expires) {
        const refused = refusalOf(answer);
        assert.deepEqual([refused.type, refused.condition], ['wait', 'resource-constraint']);
        assert.equal(refused.extra?.name, 'retry');
        assert.equal(refused.extra.attrs.stamp, `${stamp.slice(0, 19)}Z`);
      }
    }
    await there.arrayBuffer().catch(() => {}); // it may end as it is read
    const isGone = async (): Promise<boolean> => {
      const answer = await get(stage, urls.get);
      await answer.arrayBuffer();
      return answer.status === 404;
    };
    await until(() => isGone().catch(() => false), 'the end of the file', 15_000);
    assert.ok(Date.now() >= expires, 'not before its time');
    const again = `<ephemeral xmlns='${PURPOSE}' expire-before='${new Date(Date.now() + 60_000).toISOString()}'/>`;
    await slot(romeo, { size: 1000, purpose: again });
  });

  it('names: what is no name for a file system or turns text around is replaced; nobody steps out', async () => {
    for (const [given, kept] of [
      ['../../etc/passwd', '.._.._etc_passwd'],
      ['..', '__'],
      ['a\\b', 'a_b'],
      ['gpj.\u202Eexe', 'gpj._exe'],
      ["it's (1)!*.txt", "it's (1)!*.txt"],
      ['%2e%2e%2f', '%2e%2e%2f'],
      ['花.png', '花.png'],
      ['a?b#c&d.txt', 'a?b#c&d.txt'],
    ] as const) {
      const urls = await upload(stage, romeo, 'hello', { filename: given });
      const answer = await get(stage, urls.get);
      assert.equal(answer.status, 200, urls.get);
      const encoded = encodeURIComponent(kept).replaceAll(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`); // prettier-ignore
      assert.ok(urls.get.endsWith(`/${encoded}`), urls.get);
      assert.ok(answer.headers.get('content-disposition')!.endsWith(`filename*=UTF-8''${encoded}`));
    }
    for (const file of filesOf(stage)) assert.match(file, /^uploads\/[\da-f]{2}\/[\da-f]{32}$/);
  });

  it('nothing that was uploaded runs in a browser (9.1)', async () => {
    for (const [type, given, shown] of [
      ['image/png', 'image/png', 'inline'],
      ['text/plain; charset=utf-8', 'text/plain; charset=utf-8', 'inline'],
      ['video/mp4', 'video/mp4', 'inline'],
      ['text/html', 'text/html', 'attachment'],
      ['image/svg+xml', 'image/svg+xml', 'attachment'],
      ['application/xhtml+xml', 'application/xhtml+xml', 'attachment'],
      ['application/pdf', 'application/pdf', 'attachment'],
      ['text/javascript', 'application/octet-stream', 'attachment'],
      ['Application/X-JavaScript; v=1', 'application/octet-stream', 'attachment'],
      ['application/wasm', 'application/octet-stream', 'attachment'],
    ] as const) {
      const urls = await upload(stage, juliet, '<script>alert(1)</script>', { filename: 'x.bin', type });
      for (const method of ['GET', 'HEAD']) {
        const { headers, status } = await get(stage, urls.get, {}, method);
        assert.equal(status, 200);
        assert.equal(headers.get('content-type'), given);
        assert.equal(headers.get('content-disposition')!.split(';')[0], shown, type);
        assert.equal(headers.get('x-content-type-options'), 'nosniff');
        assert.equal(headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'; sandbox");
        assert.equal(headers.get('content-length'), '25');
      }
    }
  });

  it('pages of anywhere may use it (8)', async () => {
    const urls = await slot(romeo, { size: 4 });
    const preflight = await get(
      stage,
      urls.put,
      { Origin: 'https://else.example', 'Access-Control-Request-Method': 'PUT' },
      'OPTIONS',
    );
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
    assert.equal(preflight.headers.get('access-control-allow-methods'), 'OPTIONS, HEAD, GET, PUT');
    assert.match(preflight.headers.get('access-control-allow-headers')!, /Authorization, Content-Type/);
    for (const answer of [
      await get(stage, urls.get),
      await put(stage, urls.put, 'toolong'),
      await put(stage, urls.put, 'good'),
      await get(stage, urls.get),
    ]) {
      assert.equal(answer.headers.get('access-control-allow-origin'), '*', String(answer.status));
    }
  });

  it('parts, conditions and caches (RFC 9110)', async () => {
    const urls = await upload(stage, romeo, '0123456789', { type: 'text/plain' });
    const whole = await get(stage, urls.get);
    const etag = whole.headers.get('etag')!;
    const modified = whole.headers.get('last-modified')!;
    assert.match(etag, /^"[\da-f]+"$/);
    assert.equal(whole.headers.get('accept-ranges'), 'bytes');
    assert.match(whole.headers.get('cache-control')!, /^private, max-age=\d+, immutable$/);
    const asked = async (headers: Record<string, string>): Promise<[number, string, string | null]> => {
      const answer = await get(stage, urls.get, headers);
      return [answer.status, await answer.text(), answer.headers.get('content-range')];
    };
    const old = new Date(Date.parse(modified) - 60_000).toUTCString();
    for (const [headers, ...expected] of [
      [{ Range: 'bytes=2-4' }, 206, '234', 'bytes 2-4/10'],
      [{ Range: 'bytes=7-' }, 206, '789', 'bytes 7-9/10'],
      [{ Range: 'bytes=-3' }, 206, '789', 'bytes 7-9/10'],
      [{ Range: 'bytes=0-999' }, 206, '0123456789', 'bytes 0-9/10'],
      [{ Range: 'bytes=0-1,2-3' }, 206, '0123', 'bytes 0-3/10'],
      [{ Range: 'bytes=0-1,5-6' }, 200, '0123456789', null],
      [{ Range: 'bytes=4-2' }, 200, '0123456789', null],
      [{ Range: 'lines=1-2' }, 200, '0123456789', null],
      [{ Range: 'bytes=2-4', 'If-Range': etag }, 206, '234', 'bytes 2-4/10'],
      [{ Range: 'bytes=2-4', 'If-Range': `W/${etag}` }, 200, '0123456789', null],
      [{ Range: 'bytes=2-4', 'If-Range': '"other"' }, 200, '0123456789', null],
      [{ Range: 'bytes=2-4', 'If-Range': modified }, 206, '234', 'bytes 2-4/10'],
      [{ Range: 'bytes=2-4', 'If-Range': old }, 200, '0123456789', null],
      [{ 'If-None-Match': etag }, 304, '', null],
      [{ 'If-None-Match': `"a", W/${etag}` }, 304, '', null],
      [{ 'If-None-Match': '"a"', 'If-Modified-Since': modified }, 200, '0123456789', null],
      [{ 'If-Modified-Since': modified }, 304, '', null],
      [{ 'If-Modified-Since': old }, 200, '0123456789', null],
      [{ 'If-Match': etag, Range: 'bytes=0-0' }, 206, '0', 'bytes 0-0/10'],
    ] as [Record<string, string>, number, string, string | null][])
      assert.deepEqual(await asked(headers), expected, JSON.stringify(headers));
    for (const range of ['bytes=10-', 'bytes=10-20', 'bytes=-0']) {
      const [status, , span] = await asked({ Range: range });
      assert.deepEqual([status, span], [416, 'bytes */10'], range);
    }
    assert.equal((await asked({ 'If-Match': '"other"' }))[0], 412);
    assert.equal((await asked({ 'If-Unmodified-Since': old }))[0], 412);
    const head = await get(stage, urls.get, { Range: 'bytes=2-4' }, 'HEAD');
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, '10']);
  });

  it('goes with its account, file and all', async () => {
    await stage.addUser('paris');
    const paris = await stage.login('paris@localhost/x');
    const urls = await upload(stage, paris, 'from paris');
    const [, , name] = new URL(urls.get).pathname.split('/');
    const file = path.join(stage.folder, 'uploads', name!.slice(0, 2), name!);
    assert.ok(existsSync(file));
    const pending = await slot(paris, { size: 4 });
    await paris.end();
    await stage.node.accounts.remove(parseJid('paris@localhost')!);
    assert.equal((await get(stage, urls.get)).status, 404);
    assert.equal((await put(stage, pending.put, 'late')).status, 404);
    assert.deepEqual(await stage.tablesWith(row => Object.values(row).includes('paris@localhost')), []);
    await until(() => !existsSync(file), 'the file to go');
    await until(
      async () => (await stage.tablesWith(row => row.name === name)).length === 0,
      'nothing to be left of it in the database',
    );
  });

  it('a file that the disk has lost is not there', async () => {
    const urls = await upload(stage, romeo, 'lost');
    const [, , name] = new URL(urls.get).pathname.split('/');
    rmSync(path.join(stage.folder, 'uploads', name!.slice(0, 2), name!));
    const answer = await get(stage, urls.get);
    assert.equal(answer.status, 404);
    assert.match(answer.headers.get('content-type')!, /^application\/problem\+json/);
    assert.equal((await fetch(plain(stage, urls.get), { method: 'HEAD' })).status, 200);
  });
});
