import assert from 'node:assert/strict';
import { pino } from 'pino';
import { Streams } from '../../src/node/streams.ts';
import { ClientStream } from '../../src/stream/client-stream.ts';
import { Portions } from '../../src/util/portions.ts';
import { FakeConnection } from '../kit/connection.ts';
import { FakeNode, header, StreamTrial } from './kit.ts';

const wide = (count: number): string => Array.from({ length: count }, (_, n) => ` a${n}='b'`).join('');

describe('Limits of a stream', () => {
  it('an element before login is short, flat and simple', () => {
    const refused = (markup: string): void => {
      new StreamTrial({ secured: true }).open().say(markup).failedWith('policy-violation');
    };
    refused(`<x a='${'b'.repeat(2100)}'/>`);
    refused('<x>'.repeat(11));
    refused(`<x${wide(21)}/>`);
    refused(`<x>${'<y/>'.repeat(50)}</x>`);
  });

  it('so is a header', () => {
    new StreamTrial().say(header({ id: 'x'.repeat(2100) })).failedWith('policy-violation');
    new StreamTrial().say(`<stream:stream${wide(25)}`).failedWith('policy-violation');
  });

  it('it is refused as soon as it is too long, not when it ends', () => {
    const trial = new StreamTrial({ secured: true }).open();
    trial.say(`<auth><x>`);
    let fed = 0;
    while (trial.state === 'login' && fed < 5000) {
      trial.say('y');
      fed++;
    }
    assert(fed < 2100, String(fed));
    trial.failedWith('policy-violation');
  });

  it('a stream before login is short as a whole', () => {
    const trial = new StreamTrial({ secured: true }).open();
    for (let n = 0; n < 100 && trial.state === 'login'; n++) trial.atOnce(' '.repeat(100));
    trial.failedWith('policy-violation');
    const once = new StreamTrial();
    once.atOnce(' '.repeat(5000));
    once.failedWith('policy-violation');
  });

  it('after login stanzas may be longer, but not without bound', async () => {
    const trial = await StreamTrial.session();
    trial.say(`<message id='1'><body>${'x'.repeat(9000)}</body></message>`);
    assert.deepEqual(trial.node.handled, ['1']);
    trial.say(`<message id='2'><body>${'x'.repeat(10_000)}</body></message>`).failedWith('policy-violation');
    (await StreamTrial.session()).say(`<message>${'<x>'.repeat(20)}`).failedWith('policy-violation');
    (await StreamTrial.session()).say(`<message>${'<x/>'.repeat(100)}`).failedWith('policy-violation');
    (await StreamTrial.session()).say(`<message${wide(21)}`).failedWith('policy-violation');
  });

  it('many that log in at once do so by turns, and who has a session comes in between', async () => {
    const node = new FakeNode();
    const juliet = await StreamTrial.session('juliet', { node });
    node.logins = new Portions(5);
    // others have had this turn's portion
    assert.equal(node.logins.free(), true);
    for (const end = performance.now() + 6; performance.now() < end;);
    const crowd = Array.from({ length: 20 }, () => new StreamTrial({ node, secured: true }));
    for (const one of crowd) one.say(header()).say('<unknown');
    const silent = (): StreamTrial[] => crowd.filter(one => one.connection.written === 0);
    assert.equal(silent().length, 20);
    assert.equal(crowd[0]!.connection.paused, true);
    juliet.say(`<message id='between'/>`);
    assert.deepEqual(node.handled, ['between']);
    // it is gone before its turn
    crowd[7]!.connection.cut();
    for (let n = 0; n < 100 && silent().length > 1; n++) await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(silent(), [crowd[7]]);
    assert.equal(crowd[7]!.state, 'closed');
    for (const one of crowd) {
      if (one === crowd[7]) continue;
      assert.equal(one.connection.paused, false);
      one.expect(/<mechanisms .*<\/stream:features>$/);
    }
    // each goes on where it was
    await new Promise(resolve => setImmediate(resolve));
    crowd[0]!.say('/>').failedWith('not-authorized');
  });

  it('many stanzas are no long one', async () => {
    const trial = await StreamTrial.session();
    for (let n = 0; n < 100; n++) trial.atOnce(`<message id='${n}'><body>${'x'.repeat(1000)}</body></message>`);
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(trial.state, 'session');
  });
});

describe('The time that a login may take', () => {
  function streams(): { streams: Streams; node: FakeNode } {
    const node = new FakeNode();
    const made = new Streams({
      log: pino({ level: 'silent' }),
      collections: node.collections,
      clients: node.clients,
      hub: node.hub,
      metrics: { counter: () => ({ inc: () => {} }) } as never,
      settings: () => ({ limits: node.limits, sm: node.sm, unauthenticatedSeconds: 20 }),
      domain: () => 'example.org',
      hosts: domain => node.host(domain),
      accountExists: () => true,
      mayBind: () => Promise.resolve(undefined),
    });
    made.stop();
    return { streams: made, node };
  }

  function open(env: Streams): { stream: ClientStream; connection: FakeConnection } {
    const connection = new FakeConnection({ secured: true });
    const stream = new ClientStream(connection, env);
    connection.handler = stream;
    return { stream, connection };
  }

  it('is bounded: connection-timeout (4.9.3.4), whatever it has said meanwhile', () => {
    const { streams: env } = streams();
    const silent = open(env);
    const talking = open(env);
    talking.connection.receive(header());
    env.sweep(Date.now() + 19_000);
    assert.equal(silent.stream.state, 'opening');
    talking.connection.receive(' ');
    env.sweep(Date.now() + 21_000);
    for (const { stream, connection } of [silent, talking]) {
      assert.equal(stream.state, 'closed');
      assert.match(connection.said(), /<connection-timeout /);
      assert.equal(connection.ended, true);
    }
    assert.equal(env.size, 2);
    silent.connection.cut();
    talking.connection.cut();
    assert.equal(env.size, 0);
  });

  it('goes on while TLS is on its way', () => {
    const { streams: env } = streams();
    const connection = new FakeConnection();
    const stream = new ClientStream(connection, env);
    connection.handler = stream;
    connection.receive(`${header()}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`);
    assert.equal(stream.state, 'securing');
    env.sweep(Date.now() + 21_000);
    assert.equal(stream.state, 'closed');
    assert.equal(connection.ended, true);
  });

  it('is over with the session, and counts until then', async () => {
    const { streams: env } = streams();
    const { stream, connection } = open(env);
    const unbound = open(env);
    for (const { connection: each } of [{ connection }, unbound]) {
      const login = Buffer.from('\0romeo\0romeo').toString('base64');
      each.receive(
        `${header()}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${login}</auth>${header()}`,
      );
    }
    await new Promise(resolve => setImmediate(resolve));
    connection.receive(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`);
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(stream.state, 'session');
    assert.equal(unbound.stream.state, 'binding');
    env.sweep(Date.now() + 3_600_000);
    assert.equal(stream.state, 'session');
    assert.equal(unbound.stream.state, 'closed');
  });

  it('all streams are told when the node stops', () => {
    const { streams: env } = streams();
    const some = [open(env), open(env)];
    env.closeAll({ condition: 'system-shutdown' });
    for (const { connection } of some)
      assert.match(connection.said(), /^<\?xml.*<system-shutdown .*<\/stream:stream>$/);
  });
});
