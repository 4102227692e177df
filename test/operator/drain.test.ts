import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { TestClient } from '../kit/client.ts';
import { until } from '../kit/wait.ts';
import { Operated } from './program.ts';

/** A client that has logged in and reads nothing any more. */
async function frozen(node: Operated, full: string): Promise<TestClient> {
  const client = await node.login(full);
  client.socket.pause();
  return client;
}

describe('the end of a node', () => {
  let node: Operated;

  before(async () => {
    node = await Operated.start('shutdown: { time: 4 s }\n');
    await node.add('romeo', 'juliet');
  });
  after(() => node.remove());

  it('is told to all clients, over TCP and WebSocket, and keeps what they were sent', async () => {
    const romeo = await node.login('romeo@localhost/orchard');
    const websocket = new WebSocket(`ws://127.0.0.1:${node.ports.http}/xmpp-websocket`, 'xmpp');
    let heard = '';
    websocket.on('message', (data: Buffer) => (heard += data.toString()));
    await new Promise(resolve => websocket.once('open', resolve));
    websocket.send("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>");
    await until(() => heard.includes('features'), 'the features');
    const beforeLogin = await node.connect();
    await beforeLogin.open();
    romeo.send("<message to='juliet@localhost' type='chat' id='m1'><body>Hist!</body></message>");
    await romeo.settle();

    node.signal('SIGTERM');
    assert.equal(await romeo.streamError(), 'system-shutdown');
    assert.equal(await beforeLogin.streamError(), 'system-shutdown');
    await until(
      () => /<system-shutdown[^>]*>.*<close xmlns=.urn:ietf:params:xml:ns:xmpp-framing/.test(heard),
      () => heard,
    );
    assert.ok(romeo.ended, 'the stream is closed');
    assert.equal(await node.ended(), 0);
    assert.ok(!existsSync(path.join(node.data, 'posthouse.sock')), 'the socket is gone');
    websocket.terminate();

    await node.start();
    const juliet = await node.login('juliet@localhost/balcony');
    juliet.send('<presence/>');
    assert.equal((await juliet.message()).getChildText('body'), 'Hist!');
  });

  it('accepts nobody any more, and a client that reads nothing does not hold it', async () => {
    const romeo = await frozen(node, 'romeo@localhost/orchard');
    node.signal('SIGTERM');
    await node.logged('stopping: SIGTERM');
    await until(
      () =>
        new Promise<boolean>(resolve => {
          const socket = net.connect(node.ports.xmpp, '127.0.0.1');
          socket.on('error', () => resolve(true));
          socket.on('connect', () => {
            socket.destroy();
            resolve(false);
          });
        }),
      'connections to be refused',
    );
    assert.equal(await node.ended(), 0);
    assert.equal((await node.logged('clients that did not close')).clients, 1);
    romeo.destroy();
  });

  it('comes at once when it is asked for twice', async () => {
    node.configure('shutdown: { time: 10 min }\n');
    await node.start();
    const romeo = await frozen(node, 'romeo@localhost/orchard');
    node.signal('SIGINT');
    // npm says it too when the terminal does
    node.signal('SIGINT');
    await node.logged('stopping: SIGINT');
    await setTimeout(700);
    assert.ok(node.running, 'it waits for its client');
    node.signal('SIGINT');
    assert.equal(await node.ended(), 0);
    romeo.destroy();
  });

  it('comes in order too when it is asked for before the node is ready', async () => {
    node.spawn();
    await until(() => existsSync(path.join(node.data, 'posthouse.pid')), 'the data to be taken');
    node.signal('SIGTERM');
    assert.equal(await node.ended(), 0);
    await node.logged('stopped');
  });

  it('by kill -9 leaves all that was said to be stored, and nothing in the way of the next start', async () => {
    node.configure('');
    await node.start();
    const romeo = await node.login('romeo@localhost/orchard');
    await romeo.iq('set', "<query xmlns='jabber:iq:roster'><item jid='nurse@localhost' name='Nurse'/></query>");
    romeo.send("<message to='juliet@localhost' type='chat' id='m2'><body>Swear not by the moon</body></message>");
    await romeo.settle();
    await node.kill();
    assert.ok(existsSync(path.join(node.data, 'posthouse.sock')), 'its socket is left');

    await node.start();
    const again = await node.login('romeo@localhost/orchard');
    const roster = await again.iq('get', "<query xmlns='jabber:iq:roster'/>");
    assert.equal(roster.getChild('query')?.getChild('item')?.attrs.name, 'Nurse');
    const juliet = await node.login('juliet@localhost/balcony');
    juliet.send('<presence/>');
    assert.equal((await juliet.message()).getChildText('body'), 'Swear not by the moon');
    assert.equal((JSON.parse(await node.done(['status', '--json'])) as { pid: number }).pid, node.pid);
    assert.equal(await node.stop(), 0);
  });
});
