import assert from 'node:assert/strict';
import { once } from 'node:events';
import tls from 'node:tls';
import { WebSocket } from 'ws';
import { TestNode } from '../kit/node.ts';

const PLUS = ['SCRAM-SHA-512-PLUS', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS'];
const OTHERS = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'];

describe('What each transport offers for login', () => {
  let node: TestNode;

  before(async () => {
    node = await TestNode.start();
  });
  after(() => node.stop());

  it('direct TLS: channel bindings (XEP-0440) and the mechanisms that use them first', async () => {
    const socket = tls.connect({
      port: node.tlsPort,
      host: '127.0.0.1',
      servername: 'localhost',
      rejectUnauthorized: false,
    });
    try {
      socket.write(
        "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
      );
      let features = '';
      for await (const chunk of socket) {
        features += String(chunk);
        if (features.includes('</stream:features>')) break;
      }
      assert.deepEqual(mechanisms(features), [...PLUS, ...OTHERS]);
      assert.deepEqual(bindings(features), ['tls-exporter', 'tls-server-end-point']);
      assert.deepEqual(tokens(features), ['HT-SHA-256-EXPR', 'HT-SHA-256-ENDP', 'HT-SHA-256-NONE']);
    } finally {
      socket.destroy();
    }
  });

  it('WebSocket: neither, for no browser can bind to its channel and clients pick -PLUS where it is offered', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${node.httpsPort}/xmpp-websocket`, 'xmpp', {
      rejectUnauthorized: false,
    });
    try {
      await once(socket, 'open');
      const frames: string[] = [];
      const all = new Promise<void>(resolve =>
        socket.on('message', frame => {
          if (frames.push(String(frame)) === 2) resolve();
        }),
      );
      socket.send("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>");
      await all;
      assert.deepEqual(mechanisms(frames[1]!), OTHERS);
      assert.deepEqual(bindings(frames[1]!), []);
      assert.deepEqual(tokens(frames[1]!), ['HT-SHA-256-NONE']);
    } finally {
      socket.terminate();
    }
  });
});

/** Of both profiles: they offer the same, and SASL2 those for tokens besides (XEP-0388, XEP-0484). */
function mechanisms(features: string): string[] {
  const old = names(/<mechanisms .*<\/mechanisms>/.exec(features)![0]);
  const next = names(/<authentication .*<inline>/.exec(features)![0]);
  assert.deepEqual(next, old);
  return old;
}

function tokens(features: string): string[] {
  return names(/<fast .*<\/fast>/.exec(features)![0]);
}

function names(features: string): string[] {
  return [...features.matchAll(/<mechanism>([^<]*)</g)].map(match => match[1]!);
}

function bindings(features: string): string[] {
  return [...features.matchAll(/<channel-binding type='([^']*)'/g)].map(match => match[1]!);
}
