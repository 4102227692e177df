import assert from 'node:assert/strict';
import type { Agent } from 'stanza';
import { needs } from '../kit/needs.ts';
import type { Login } from './person.ts';
import { PythonClients, type SlixmppClient } from './python.ts';
import { portOf, SCRAM, Server, trust } from './server.ts';
import { agentOf, offline, online } from './stanza.ts';

const SIZE = 700_000;

/** A file goes from a client that others wrote to another, each with its own HTTP. */
describe('Files between slixmpp and stanza (XEP-0363)', function () {
  this.timeout(60_000);
  let server: Server;
  let program: PythonClients;
  let romeo: SlixmppClient;
  let juliet: Agent;

  before(async function () {
    needs(this, { python: 'slixmpp', why: 'apt install python3-slixmpp: a client that others wrote' });
    needs(this, { python: 'aiohttp', why: 'apt install python3-aiohttp: by which slixmpp uploads' });
    // slixmpp comes to PLAIN in the end, see slixmpp.test.ts
    server = await Server.start({ mechanisms: [...SCRAM, 'PLAIN'] });
    await trust(server);
    program = await PythonClients.start();
    await server.add('romeo', 'juliet');
    romeo = await program.arrive(login('romeo', 'STARTTLS'));
    juliet = agentOf(login('juliet', 'WebSocket'));
    await online(juliet);
    juliet.sendPresence();
  });
  after(async () => {
    await romeo?.leave();
    if (juliet) await offline(juliet);
    await program?.stop();
    await server?.stop();
  });

  const login = (user: string, way: Login['way']): Login => ({
    way,
    port: portOf(server, way),
    user,
    resource: 'client',
    domain: server.domain,
    password: server.password,
    certificate: server.certificate,
  });

  it('slixmpp finds the service, uploads and tells; stanza hears of it and downloads', async () => {
    const heard = new Promise<string>(resolve => {
      juliet.on('message', ({ links }) => {
        if (links?.[0]?.url) resolve(links[0].url);
      });
    });
    const url = (await romeo.do('upload', {
      filename: 'Rose né.png',
      size: SIZE,
      content_type: 'image/png',
    })) as string;
    await romeo.do('share', { to: 'juliet@localhost', url });
    assert.equal(await heard, url);
    const answer = await fetch(url);
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'image/png']);
    const bytes = await answer.bytes();
    assert.equal(bytes.length, SIZE);
    assert.ok(bytes.every((byte, i) => byte === i % 251));
  });

  it('stanza finds the service and uploads; slixmpp downloads', async () => {
    const { jid, maxSize } = await juliet.getUploadService();
    assert.deepEqual([jid, maxSize], ['upload.localhost', 52_428_800]);
    const text = 'What’s in a name? '.repeat(1000);
    const size = Buffer.byteLength(text);
    const slot = await juliet.getUploadSlot(jid, { name: 'name & fame.txt', size, mediaType: 'text/plain' });
    const headers = Object.fromEntries((slot.upload.headers ?? []).map(({ name, value }) => [name, value ?? '']));
    const put = await fetch(slot.upload.url, {
      method: 'PUT',
      headers: { ...headers, 'Content-Type': 'text/plain' },
      body: text,
    });
    assert.equal(put.status, 201);
    assert.deepEqual(await romeo.do('download', { url: slot.download }), { status: 200, type: 'text/plain', text });
  });

  it('each understands that a file is too large', async () => {
    assert.equal(await romeo.do('too_large'), 'FileTooBig');
    await assert.rejects(
      juliet.getUploadSlot('upload.localhost', { name: 'large', size: 10 ** 12 }),
      (error: { error?: { condition?: string } }) => error.error?.condition === 'not-acceptable',
    );
  });
});
