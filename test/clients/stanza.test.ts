import assert from 'node:assert/strict';
import { plays } from './plays.ts';
import { Server, trust } from './server.ts';
import { arrive, type Stanza } from './stanza.ts';

plays('stanza', ['WebSocket'], arrive);

describe('stanza, what else it knows', function () {
  this.timeout(60_000);
  let server: Server;
  before(async () => {
    server = await Server.start();
    await server.add('romeo', 'juliet');
    await trust(server);
  });
  after(() => server?.stop());

  const enter = (user: string): Promise<Stanza> =>
    arrive({
      way: 'WebSocket',
      port: server.ports.https,
      domain: server.domain,
      certificate: server.certificate,
      user,
      resource: 'garden',
      password: server.password,
    }) as Promise<Stanza>;

  it('history and its preferences (XEP-0313, XEP-0441)', async () => {
    const romeo = await enter('romeo');
    const juliet = await enter('juliet');
    for (const body of ['one', 'two', 'three']) {
      await romeo.say(juliet.jid, body);
      await juliet.messages.next('from Romeo', message => message.body === body);
    }
    assert.deepEqual(await juliet.history(), { bodies: ['one', 'two', 'three'], complete: true });
    assert.deepEqual(await romeo.history('juliet@localhost', 2), { bodies: ['one', 'two'], complete: false });
    assert.deepEqual(await romeo.history('nurse@localhost'), { bodies: [], complete: true });
    assert.deepEqual(await romeo.archived(['nurse@localhost']), ['nurse@localhost']);
    await romeo.say(juliet.jid, 'four');
    await juliet.messages.next('from Romeo', ({ body }) => body === 'four');
    assert.deepEqual((await romeo.history()).bodies, ['one', 'two', 'three']);
    assert.deepEqual((await juliet.history()).bodies, ['one', 'two', 'three', 'four']);
    await romeo.leave();
    await juliet.leave();
  });
});
