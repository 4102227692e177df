import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import tls from 'node:tls';
import { client } from '@xmpp/client';
import { needs } from '../kit/needs.ts';
import { until } from '../kit/wait.ts';
import { Server } from './server.ts';

/** A line of the log, as far as it is looked at here. */
interface Line {
  readonly msg: string;
  readonly reason?: string;
  readonly condition?: string;
  readonly account?: string;
}

describe('Clients that are set up wrongly are told, or the log says', () => {
  let server: Server;

  before(async () => {
    server = await Server.start();
    await server.add('romeo');
  });
  after(() => server?.stop());

  const line = (what: string, test: (line: Line) => boolean): Promise<Line> =>
    until(
      () =>
        server.output
          .split('\n')
          .filter(text => text.startsWith('{'))
          .map(text => JSON.parse(text) as Line)
          .find(test),
      () => `a line of the log about ${what}; it has\n${server.output}`,
    );
  /** Logs in without TLS being verified; the error. */
  const login = async (username: string, password: string, domain = 'localhost'): Promise<string> => {
    const entity = client({
      service: `xmpp://127.0.0.1:${server.ports.xmpp}`,
      domain,
      resource: 'x',
      username,
      password,
    });
    entity.reconnect.stop();
    entity.timeout = 20_000;
    const failed = new Promise<string>(resolve => entity.on('error', error => resolve(String(error))));
    entity.start().catch(() => undefined);
    const error = await failed;
    await entity.stop().catch(() => undefined);
    return error;
  };
  /** Sends bytes and waits for the end of the connection. */
  const say = async (port: number, bytes: string | Buffer): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(bytes);
    socket.resume();
    await once(socket, 'close');
  };

  before(() => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  });
  after(() => {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });

  it('a domain that is not served: which', async () => {
    assert.match(await login('romeo', server.password, 'verona.example'), /host-unknown/);
    const { reason } = await line('the domain', ({ condition }) => condition === 'host-unknown');
    assert.match(reason!, /verona\.example/);
  });

  it('an account that is not there: that it is not, to the operator alone', async () => {
    const unknown = await login('mercutio', server.password);
    const wrong = await login('romeo', 'a rose');
    assert.match(wrong, /not-authorized/);
    assert.equal(unknown, wrong);
    assert.match((await line('mercutio', ({ account }) => account === 'mercutio')).reason!, /no such account/);
    assert.equal((await line('romeo', ({ account }) => account === 'romeo')).reason, undefined);
  });

  it('TLS where STARTTLS is spoken', async () => {
    const socket = tls.connect({ port: server.ports.xmpp, host: '127.0.0.1' });
    await assert.rejects(once(socket, 'secureConnect'));
    const { reason } = await line(
      'TLS',
      ({ msg, condition }) => msg === 'stream refused' && condition === 'not-well-formed',
    );
    assert.match(reason!, /begins here with STARTTLS/);
  });

  it('a stream without TLS where TLS is spoken', async () => {
    await say(server.ports.xmpps, "<?xml version='1.0'?><stream:stream to='localhost'>");
    await line(
      'the port',
      ({ msg, reason }) => msg === 'TLS failed' && /STARTTLS has a port of its own/.test(reason ?? ''),
    );
  });

  it('HTTP without TLS where HTTPS is spoken', async () => {
    await say(server.ports.https, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await line('HTTP', ({ msg, reason }) => msg === 'TLS failed' && /speaks HTTP without TLS/.test(reason ?? ''));
  });

  it('a browser at the address of the WebSocket is told what that is', async () => {
    const answer = await fetch(`https://localhost:${server.ports.https}/xmpp-websocket`);
    assert.equal(answer.status, 426);
    assert.equal(answer.headers.get('upgrade'), 'websocket');
    assert.match(await answer.text(), /XMPP clients connect here by WebSocket/);
  });

  it('a version of TLS that is too old', async () => {
    const socket = tls.connect({
      port: server.ports.xmpps,
      host: '127.0.0.1',
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    await assert.rejects(once(socket, 'secureConnect'));
    await line('the version', ({ msg, reason }) => msg === 'TLS failed' && /TLS 1\.2 is the least/.test(reason ?? ''));
  });

  it('a client that does not accept the certificate', async function () {
    needs(this, { command: 'openssl', why: 'apt install openssl: a client that says why it refuses a certificate' });
    const openssl = spawn(
      'openssl',
      ['s_client', '-connect', `127.0.0.1:${server.ports.xmpps}`, '-verify_return_error'],
      {
        stdio: ['ignore', 'ignore', 'ignore'],
      },
    );
    await once(openssl, 'exit');
    await line(
      'the certificate',
      ({ msg, reason }) => msg === 'TLS failed' && /does not accept the certificate/.test(reason ?? ''),
    );
  });
});
