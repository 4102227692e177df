import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import sinon, { type SinonFakeTimers } from 'sinon';
import { until } from '../../test/kit/wait.ts';
import { SlowBodies } from './slow-bodies.ts';

describe('HTTP: bodies that do not come', () => {
  let bodies: SlowBodies;
  let clock: SinonFakeTimers;
  let server: http.Server;
  let client: net.Socket;
  let heard: string;

  beforeEach(async () => {
    clock = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    bodies = new SlowBodies();
    server = http.createServer({ requestTimeout: 0 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => {});
    heard = '';
    client.on('data', chunk => (heard += String(chunk)));
  });
  afterEach(() => {
    client.destroy();
    server.close();
    bodies.close();
    clock.restore();
  });

  const asked = async (head: string): Promise<IncomingMessage> => {
    client.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
    const [request] = (await once(server, 'request')) as [IncomingMessage];
    bodies.watch(request);
    return request;
  };

  it('are cut after half a minute', async () => {
    const request = await asked('Content-Length: 10');
    request.resume();
    clock.tick(29_000);
    assert.equal(request.destroyed, false);
    client.write('five!');
    clock.tick(10_000);
    await until(() => client.destroyed, 'the cut');
    assert.match(heard, /^HTTP\/1\.1 408 /);
  });

  it('are left to routes that have their own time', async () => {
    const request = await asked('Content-Length: 10');
    bodies.spare(request);
    clock.tick(600_000);
    assert.equal(request.destroyed, false);
  });

  it('that came are none', async () => {
    const request = await asked('Content-Length: 2');
    request.resume();
    client.write('ab');
    await once(request, 'end');
    clock.tick(600_000);
    assert.equal(request.socket.destroyed, false);
    assert.equal(clock.countTimers(), 1);
  });
});
