import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { turnCredentials } from '../../modules/external-services/offered.ts';
import type { TestClient } from '../kit/client.ts';
import { needs } from '../kit/needs.ts';
import type { TestNode } from '../kit/node.ts';
import { StunClient, StunError } from '../kit/stun.ts';
import { COTURN, TurnServer } from '../kit/turn-server.ts';
import { ok, verona } from './verona.ts';

const EXTDISCO = 'urn:xmpp:extdisco:2';
const SECRET = 'a secret of two servers';

describe('play: a relay for calls, by credentials of the server (XEP-0215, TURN)', function () {
  this.timeout(60_000);
  let turn: TurnServer;
  let stage: TestNode;
  let romeo: TestClient;

  before(async function () {
    needs(this, COTURN);
    turn = await TurnServer.start(SECRET);
    const at = (type: string, transport: string, more = '') =>
      `      - { type: ${type}, host: 127.0.0.1, port: ${turn.port}, transport: ${transport}${more} }\n`;
    ({ stage, romeo } = await verona(`modules:
  external-services:
    services:
${at('stun', 'udp')}${at('turn', 'udp', `, secret: '${SECRET}'`)}${at('turn', 'tcp', `, secret: '${SECRET}'`)}`));
  });
  after(async () => {
    await stage?.stop();
    await turn?.stop();
  });

  /** What a client is told, as it would use it. */
  async function told(type: string) {
    const answer = ok(await romeo.iq('get', `<services xmlns='${EXTDISCO}' type='${type}'/>`, 'localhost'));
    return answer
      .getChild('services', EXTDISCO)!
      .getChildren('service')
      .map(({ attrs }) => attrs as Record<string, string>);
  }
  const open = ({ host, port, transport, username, password }: Record<string, string>) =>
    StunClient.open(
      { host: host!, port: Number(port) },
      transport as 'udp' | 'tcp',
      username === undefined ? undefined : { username, password: password! },
    );
  const refusal = async (credentials: { username: string; password: string } | undefined): Promise<number> => {
    const client = await StunClient.open({ host: '127.0.0.1', port: turn.port }, 'udp', credentials);
    try {
      await client.allocate();
    } catch (error) {
      if (error instanceof StunError) return error.code;
      throw error;
    } finally {
      client.close();
    }
    return 0;
  };

  it('STUN tells a client its address', async () => {
    const [stun] = await told('stun');
    const client = await open(stun!);
    assert.equal((await client.binding()).host, '127.0.0.1');
    client.close();
  });

  for (const transport of ['udp', 'tcp']) {
    it(`TURN over ${transport} gives an address, and passes on what is sent through it both ways`, async () => {
      const turns = (await told('turn')).filter(service => service.transport === transport);
      assert.equal(turns.length, 1);
      const client = await open(turns[0]!);
      const peer = dgram.createSocket('udp4');
      try {
        const { relayed, lifetime } = await client.allocate();
        assert.equal(relayed.host, '127.0.0.1');
        assert(lifetime > 0);
        peer.bind(0, '127.0.0.1');
        await once(peer, 'listening');
        const { address, port } = peer.address();
        await client.permit({ host: address, port });
        const heard = once(peer, 'message') as Promise<[Buffer, dgram.RemoteInfo]>;
        client.relay({ host: address, port }, Buffer.from('What light?'));
        const [message, from] = await heard;
        assert.equal(message.toString(), 'What light?');
        assert.equal(from.port, relayed.port);
        peer.send(Buffer.from('It is the east'), relayed.port, relayed.host);
        assert.equal((await client.relayed()).toString(), 'It is the east');
        await client.release();
      } finally {
        peer.close();
        client.close();
      }
    });
  }

  it('credentials for one service work as well (3.3)', async () => {
    const asked = `<credentials xmlns='${EXTDISCO}'><service type='turn' host='127.0.0.1' port='${turn.port}'/></credentials>`;
    const answer = ok(await romeo.iq('get', asked, 'localhost'));
    const [service] = answer.getChild('credentials', EXTDISCO)!.getChildren('service');
    const client = await open(service!.attrs as Record<string, string>);
    await client.allocate();
    await client.release();
    client.close();
  });

  it('no credentials, wrong ones, another’s name and those that are over are refused', async () => {
    const [{ username, password }] = (await told('turn')) as [Record<string, string>];
    const now = Math.floor(Date.now() / 1000);
    assert.equal(await refusal(undefined), 401);
    assert.equal(await refusal({ username: username!, password: `${password}x` }), 401);
    assert.equal(await refusal({ username: `${now + 86_400}:juliet`, password: password! }), 401);
    assert.equal(await refusal(turnCredentials('another secret', `${now + 3600}:romeo`)), 401);
    assert.equal(await refusal(turnCredentials(SECRET, `${now - 10}:romeo`)), 401);
    assert.equal(await refusal(turnCredentials(SECRET, `${now + 3600}:romeo`)), 0);
  });
});
