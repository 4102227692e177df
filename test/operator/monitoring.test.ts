import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import type { TestClient } from '../kit/client.ts';
import { posthouse, Operated } from './program.ts';

/** A figure of /metrics with exactly these labels; undefined when there is none. */
function figure(text: string, name: string, labels: Record<string, string> = {}): number | undefined {
  const wanted = Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .sort()
    .join(',');
  for (const line of text.split('\n')) {
    const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match?.[1] === name && (match[2] ?? '').split(',').sort().join(',') === wanted) return Number(match[3]);
  }
  return undefined;
}

function overHttps(port: number, where: string): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    const request = https.get(
      { host: '127.0.0.1', port, path: where, rejectUnauthorized: false, agent: false },
      response => {
        let text = '';
        response.on('data', chunk => (text += String(chunk)));
        response.on('end', () =>
          resolve({ status: response.statusCode!, type: response.headers['content-type'] ?? '', text }),
        );
      },
    );
    request.on('error', reject);
  });
}

describe('what a monitor sees', () => {
  let node: Operated;
  let romeo: TestClient;

  before(async () => {
    node = await Operated.prepare('modules: { ./fails.ts: {} }\n');
    const api = new URL('../../src/api/index.ts', import.meta.url).href;
    writeFileSync(
      path.join(node.folder, 'fails.ts'),
      `import { defineModule } from '${api}';
export default defineModule({
  name: 'fails',
  doc: 'A route that fails.',
  setup(mod) {
    mod.add('http', { on: 'both', register: app => app.get('/fails', async () => { throw new Error('a detail of ours'); }) });
  },
});
`,
    );
    await node.start();
    await node.add('romeo', 'juliet');
    romeo = await node.login('romeo@localhost/orchard');
    await assert.rejects((await node.connect()).authenticate('romeo', 'wrong'), /not-authorized/);
    romeo.send("<message to='juliet@localhost' type='chat'><body>Hist!</body></message><presence/>");
    await romeo.presence('romeo@localhost/orchard');
    for (let n = 0; n < 300; n++) romeo.send(`<iq type='get' id='v${n}'><query xmlns='jabber:iq:roster'/></iq>`);
    await romeo.expect(({ attrs }) => attrs.id === 'v299', 'the last answer');
  });
  after(() => node.remove());

  it('is sessions, stanzas, handlers, queues, lag, logins and storage, in the format of Prometheus', async () => {
    const { status, type, text } = await node.http('/metrics');
    assert.equal(status, 200);
    assert.match(type, /^(?:text\/plain|application\/openmetrics-text); version=/);
    const is = (name: string, labels: Record<string, string>, value: number): void =>
      assert.equal(figure(text, name, labels), value, `${name} ${JSON.stringify(labels)}\n${text}`);
    is('posthouse_sessions', { transport: 'tcp', state: 'connected' }, 1);
    is('posthouse_stanzas_total', { kind: 'message', direction: 'in' }, 1);
    is('posthouse_logins_total', { mechanism: 'PLAIN' }, 1);
    is('posthouse_login_failures_total', { condition: 'not-authorized' }, 1);
    is('posthouse_storage_ready', {}, 1);
    is('posthouse_storage_write_failures_total', {}, 0);
    is('posthouse_outbox_bytes', {}, 0);
    assert.ok(figure(text, 'posthouse_stanzas_total', { kind: 'iq', direction: 'in' })! >= 300);
    assert.ok(figure(text, 'posthouse_storage_batches_total')! >= 1);
    assert.ok(figure(text, 'posthouse_storage_rows_total')! >= 1);
    for (const name of ['posthouse_event_loop_lag_seconds', 'posthouse_memory_bytes', 'posthouse_cpu_seconds_total'])
      assert.ok(figure(text, name)! >= 0, name);
    assert.match(text, /^posthouse_module_seconds_total\{module="[a-z-]+"\} \d/m);
    for (const line of text.split('\n').filter(one => one !== '' && !one.startsWith('#')))
      assert.match(line, /^[a-z_]+(?:\{[^}]*\})? -?[\d.e+-]+$/);
  });

  it('is whether it lives and is ready, on the loopback listener alone', async () => {
    for (const [where, answer] of [
      ['/health', { status: 'ok' }],
      ['/ready', { ready: true, problems: [] }],
    ] as const) {
      const { status, text } = await node.http(where);
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(text), answer);
    }
    for (const where of ['/health', '/ready', '/metrics'])
      assert.equal((await overHttps(node.ports.https, where)).status, 404, where);
    node.configure(`listeners: { http: { port: ${node.ports.http}, addresses: ['0.0.0.0'] } }\n`);
    const { code, out } = await posthouse(['check', '--conf', node.conf]);
    assert.equal(code, 1);
    assert.match(
      out,
      /posthouse\.yaml:1:\d+: listeners\.http\.addresses: HTTP without TLS is for loopback addresses only/,
    );
  });

  it('is problem+json when something is not there or fails, and never how it fails', async () => {
    for (const ask of [(where: string) => node.http(where), (where: string) => overHttps(node.ports.https, where)]) {
      const missing = await ask('/nothing');
      assert.equal(missing.status, 404);
      assert.match(missing.type, /^application\/problem\+json/);
      assert.deepEqual(JSON.parse(missing.text), { type: 'about:blank', title: 'Not Found', status: 404 });
      const failed = await ask('/fails');
      assert.equal(failed.status, 500);
      assert.match(failed.type, /^application\/problem\+json/);
      assert.deepEqual(JSON.parse(failed.text), { type: 'about:blank', title: 'Internal Server Error', status: 500 });
    }
    const { err } = await node.logged('an HTTP request failed');
    assert.match((err as { stack: string }).stack, /a detail of ours/);
  });
});
