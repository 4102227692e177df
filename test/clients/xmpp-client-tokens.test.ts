import assert from 'node:assert/strict';
import { type Client, client, type Token, xml } from '@xmpp/client';
import { Server, trust } from './server.ts';
import { hearHeaders } from './headers.ts';

const AGENT = 'd4565fa7-4d72-4749-b3d3-740edbf87770';

describe('@xmpp/client with a token (XEP-0484)', function () {
  this.timeout(60_000);
  let server: Server;
  let token: Token | undefined;
  const entities: Client[] = [];

  before(async () => {
    server = await Server.start();
    await server.add('romeo');
    await trust(server);
  });
  after(async () => {
    for (const entity of entities) {
      entity.reconnect.stop();
      await entity.stop().catch(() => undefined);
    }
    await server?.stop();
  });

  /** Comes in as the same installation each time; with a token if it has one. */
  const enter = async (password: string): Promise<{ entity: Client; jid: string }> => {
    const entity = client({
      service: `xmpps://localhost:${server.ports.xmpps}`,
      domain: 'localhost',
      resource: 'garden',
      username: 'romeo',
      password,
      userAgent: xml('user-agent', { id: AGENT }, xml('software', {}, 'xmpp.js'), xml('device', {}, 'a balcony')),
    });
    entity.timeout = 20_000;
    hearHeaders(entity);
    entity.on('error', () => undefined);
    entity.reconnect.stop();
    entity.fast.fetchToken = () => Promise.resolve(token);
    entity.fast.saveToken = given => Promise.resolve(void (token = given));
    entities.push(entity);
    return { entity, jid: String(await entity.start()) };
  };
  const list = async (): Promise<Record<string, unknown>[]> =>
    JSON.parse(await server.command(['session', 'list', 'romeo@localhost', '--json'])) as Record<string, unknown>[];

  it('is given one, comes back with it and without the password, and has its address again', async () => {
    const first = await enter(server.password);
    assert.equal(token?.mechanism, 'HT-SHA-256-NONE');
    await first.entity.stop();
    assert.deepEqual(
      (await list()).map(({ jid, state, software, device }) => ({ jid, state, software, device })),
      [{ jid: 'romeo@localhost', state: 'away, has a token', software: 'xmpp.js', device: 'a balcony' }],
    );
    const second = await enter('he forgot it');
    assert.equal(second.jid, first.jid);
    assert.deepEqual(
      (await list()).map(({ jid, state, device }) => ({ jid, state, device })),
      [{ jid: first.jid, state: 'connected', device: 'a balcony' }],
    );
  });

  it('that was revoked is out, and back with the password only', async () => {
    const { entity, jid } = await enter('he forgot it');
    const [row] = await list();
    const gone = new Promise<void>(resolve => entity.once('disconnect', resolve));
    const said = await server.command(['session', 'revoke', 'romeo@localhost', String(row!.client)]);
    assert.match(said, /1 revoked\. Who knows the password can log in again: posthouse user passwd romeo@localhost/);
    await gone;
    await assert.rejects(enter('he forgot it'), /not-authorized/);
    const back = await enter(server.password);
    assert.equal(back.jid, jid);
  });
});
