import assert from 'node:assert/strict';
import { FakeNode, NS, StreamTrial, turn } from './kit.ts';
import { Packet } from '../../src/bus/index.ts';

const ENABLE = `<enable xmlns='${NS.sm}' resume='true'/>`;

function resume(id: string, h: number | string = 0): string {
  return `<resume xmlns='${NS.sm}' previd='${id}' h='${h}'/>`;
}

async function loggedIn(node: FakeNode, name = 'romeo'): Promise<StreamTrial> {
  return new StreamTrial({ secured: true, node }).authenticate(name);
}

/** The session's node sends it messages with these ids. */
function deliver(trial: StreamTrial, ...ids: string[]): void {
  for (const id of ids) trial.session.sendWire(`<message id='${id}'/>`);
}

function ids(text: string): string[] {
  return [...text.matchAll(/<message id='(\w+)'/g)].map(match => match[1]!);
}

describe('Stream management is agreed on: XEP-0198 3', () => {
  it('with resumption, for the time that the server says', async () => {
    const trial = await StreamTrial.session();
    trial.say(ENABLE);
    trial.expect(new RegExp(`^<enabled xmlns='${NS.sm}' id='[\\w-]{20}' resume='true' max='60'/>$`));
  });

  it('for as long as the client asks, within bounds', async () => {
    for (const [asked, given] of [
      [30, 30],
      [100_000, 600],
      ['x', 60],
    ]) {
      const trial = await StreamTrial.session();
      trial.say(`<enable xmlns='${NS.sm}' resume='1' max='${asked}'/>`).expect(new RegExp(` max='${given}'`));
    }
  });

  it('without resumption, where it is not asked for', async () => {
    for (const attribute of ['', ` resume='false'`, ` resume='0'`, ` resume='true' max='0'`]) {
      const trial = await StreamTrial.session();
      trial.say(`<enable xmlns='${NS.sm}'${attribute}/>`);
      assert.equal(trial.heard(), `<enabled xmlns='${NS.sm}'/>`);
      trial.connection.cut();
      assert.equal(trial.node.users.sessionCount, 0);
    }
  });

  it('once', async () => {
    const trial = await StreamTrial.session();
    trial.enable();
    trial.say(ENABLE).expect(/^<failed xmlns='urn:xmpp:sm:3'><unexpected-request xmlns='[^']+'\/><\/failed>$/);
    assert.equal(trial.state, 'session');
  });

  it('not before binding', async () => {
    const trial = await loggedIn(new FakeNode());
    trial.say(ENABLE).expect(/^<failed .*<unexpected-request /);
    trial.say(`<r xmlns='${NS.sm}'/>`).expect(/^<failed .*<unexpected-request /);
    assert.equal(trial.state, 'binding');
    await trial.bind();
  });

  it('not where it is off', async () => {
    const node = new FakeNode();
    node.sm = { ...node.sm, enabled: false };
    const trial = await StreamTrial.session('x', { node });
    trial.say(ENABLE).expect(/^<failed .*<feature-not-implemented /);
  });

  it('counts what comes behind <enable/>, and not what is still being handled then (4)', async () => {
    const trial = await StreamTrial.session();
    const slow = Promise.withResolvers<void>();
    trial.node.waits.set('1', slow.promise);
    trial.atOnce(`<message id='1'/><message id='2'/>${ENABLE}<message id='3'/><r xmlns='${NS.sm}'/>`);
    assert.equal(trial.heard(), '');
    slow.resolve();
    await trial.session.settled();
    await turn();
    assert.deepEqual(trial.node.handled, ['1', '2', '3']);
    trial.expect(/^<enabled [^>]*\/><a xmlns='urn:xmpp:sm:3' h='1'\/>$/);
  });

  it('counts what is written behind <enabled/>', async () => {
    const trial = await StreamTrial.session();
    deliver(trial, 'a', 'b');
    trial.say(ENABLE);
    trial.expect(/^<message id='a'\/><message id='b'\/><enabled /);
    deliver(trial, 'c');
    trial.heard();
    trial.say(`<a xmlns='${NS.sm}' h='2'/>`).failedWith('undefined-condition');
  });

  it('acknowledgements before it are nothing that is understood', async () => {
    for (const markup of [`<r xmlns='${NS.sm}'/>`, `<a xmlns='${NS.sm}' h='0'/>`]) {
      (await StreamTrial.session()).say(markup).failedWith('unsupported-stanza-type');
    }
  });
});

describe('Acknowledgements: XEP-0198 4', () => {
  it('of more than was sent end the stream, and say so (6)', async () => {
    const trial = await StreamTrial.session();
    trial.enable();
    deliver(trial, 'a');
    trial.heard();
    const text = trial.say(`<a xmlns='${NS.sm}' h='10'/>`).failedWith('undefined-condition');
    assert.match(text, /<handled-count-too-high xmlns='urn:xmpp:sm:3' h='10' send-count='1'\/>/);
  });

  it('have a number', async () => {
    for (const attribute of ['', ` h=''`, ` h='-1'`, ` h='x'`, ` h='4294967296'`, ` h='1e0'`]) {
      const trial = await StreamTrial.session();
      trial.enable();
      trial.say(`<a xmlns='${NS.sm}'${attribute}/>`).failedWith('policy-violation');
    }
  });

  it('are asked for in their place', async () => {
    const trial = await StreamTrial.session();
    trial.enable();
    const slow = Promise.withResolvers<void>();
    const commit = Promise.withResolvers<void>();
    trial.node.waits.set('2', slow.promise);
    trial.node.commits.set('3', commit.promise);
    const r = `<r xmlns='${NS.sm}'/>`;
    trial.atOnce(`<message id='1'/>${r}<message id='2'/>${r}<message id='3'/>${r}`);
    assert.equal(trial.heard(), `<a xmlns='${NS.sm}' h='1'/>`);
    slow.resolve();
    await turn();
    assert.equal(trial.heard(), `<a xmlns='${NS.sm}' h='2'/>`);
    commit.resolve();
    await turn();
    assert.equal(trial.heard(), `<a xmlns='${NS.sm}' h='3'/>`);
  });
});

describe('Resumption: XEP-0198 5', () => {
  it('brings what the client has not had, and tells what the server has', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    const { session } = first;
    first.say(`<message id='1'/><message id='2'/>`);
    deliver(first, 'a', 'b');
    first.heard();
    first.connection.cut();
    assert.equal(session.alive, true);
    session.sendWire(`<message id='c'/>`);
    const second = await loggedIn(node);
    second.say(resume(id, 1));
    const text = second.expect(new RegExp(`^<resumed xmlns='${NS.sm}' h='2' previd='${id}'/><message`));
    assert.deepEqual(ids(text), ['b', 'c']);
    assert.equal(second.state, 'session');
    assert.equal(second.stream.session, session);
    second.say(`<message id='3'/><r xmlns='${NS.sm}'/>`);
    assert.match(second.heard(), /<a xmlns='[^']+' h='3'\/>$/);
    assert.equal(node.events.at(-1), 'resumed romeo@example.org/orchard');
    // and again, by the same id
    second.connection.cut();
    const third = await loggedIn(node);
    third.say(resume(id, 2));
    assert.deepEqual(ids(third.expect(/^<resumed [^>]*h='3'/)), ['c']);
  });

  it('fails for an id that is none, and the client may bind (5)', async () => {
    const trial = await loggedIn(new FakeNode());
    trial.say(resume('nonsense')).expect(/^<failed .*<item-not-found /);
    await trial.bind('orchard');
  });

  it('fails for the id of another account', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    node.hosts['example.org'] = {
      backend: { ...node.host('example.net')!.backend, plain: () => Promise.resolve('ok') },
    };
    const other = await loggedIn(node, 'juliet');
    other.say(resume(id)).expect(/^<failed .*<item-not-found /);
    assert.equal(first.state, 'session');
  });

  it('fails without an id or a count', async () => {
    const trial = await loggedIn(new FakeNode());
    trial.say(`<resume xmlns='${NS.sm}' h='0'/>`).expect(/^<failed .*<bad-request /);
    trial.say(`<resume xmlns='${NS.sm}' previd='x'/>`).expect(/^<failed .*<bad-request /);
    trial.say(resume('x', 'y')).expect(/^<failed .*<bad-request /);
  });

  it('fails for a client that has bound', async () => {
    const trial = await StreamTrial.session();
    trial.say(resume(trial.enable())).expect(/^<failed .*<unexpected-request /);
  });

  it('fails when the session waited long enough; its presence ends then, and its messages go elsewhere', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    deliver(first, 'a');
    const { session } = first;
    session.send(Packet.fromWire(`<message id='b'/>`, session.jid, undefined));
    first.heard();
    first.connection.cut();
    node.hub.sweep(session.detachedAt + 59_000);
    assert.equal(session.alive, true);
    node.hub.sweep(session.detachedAt + 60_000);
    assert.equal(session.alive, false);
    await node.hub.settled();
    assert(node.events.includes('expired'));
    // answers and pushes are of use to nobody else
    assert.deepEqual(node.leftovers, [`<message from='romeo@example.org/orchard' id='b'/>`]);
    const second = await loggedIn(node);
    second.say(resume(id)).expect(/^<failed xmlns='urn:xmpp:sm:3' h='0'><item-not-found /);
  });

  it('that fails tells what the session had handled, to its owner', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    first.say(`<message id='1'/><message id='2'/></stream:stream>`);
    const second = await loggedIn(node);
    second.say(resume(id)).expect(/^<failed xmlns='urn:xmpp:sm:3' h='2'><item-not-found /);
    node.hosts['example.org'] = {
      backend: { ...node.host('example.net')!.backend, plain: () => Promise.resolve('ok') },
    };
    const other = await loggedIn(node, 'juliet');
    other.say(resume(id)).expect(/^<failed xmlns='urn:xmpp:sm:3'><item-not-found /);
  });

  it('with a count that is too high ends the new stream; the session still waits, and not for ever', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    const { session } = first;
    deliver(first, 'a');
    first.heard();
    // the old connection is still there
    const second = await loggedIn(node);
    const text = second.say(resume(id, 2)).failedWith('undefined-condition');
    assert.match(text, /<handled-count-too-high [^>]*h='2' send-count='1'\/>/);
    assert.equal(session.alive, true);
    assert(session.detachedAt > 0);
    const third = await loggedIn(node);
    assert.deepEqual(ids(third.say(resume(id)).expect(/^<resumed /)), ['a']);
    third.connection.cut();
    node.hub.sweep(Date.now() + 61_000);
    assert.equal(session.alive, false);
  });

  it('while the old connection lives: that one ends with conflict', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    deliver(first, 'a');
    first.heard();
    const second = await loggedIn(node);
    second.say(resume(id));
    assert.deepEqual(ids(second.expect(/^<resumed /)), ['a']);
    first.failedWith('conflict');
    first.connection.cut();
    assert.equal(second.session.connected, true);
    assert.equal(node.users.sessionCount, 1);
  });

  it('late, from a connection that was cut before: the session stays with the connection that came after it', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    deliver(first, 'a');
    first.heard();
    first.say(`<a xmlns='${NS.sm}' h='1'/>`);
    const late = await loggedIn(node);
    late.say(resume(id, 0));
    late.failedWith('undefined-condition');
    assert.equal(first.session.connected, true);
    deliver(first, 'b');
    assert.deepEqual(ids(first.heard()), ['b']);
  });

  it('waits for what the old connection brought; what comes on it later is not handled', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    const { session } = first;
    const slow = Promise.withResolvers<void>();
    node.waits.set('1', slow.promise);
    first.atOnce(`<message id='1'/><message id='2'/><message id='3'`);
    const second = await loggedIn(node);
    second.say(resume(id));
    assert.equal(second.heard(), '');
    assert.equal(second.connection.paused, true);
    // half a stanza's other half comes too late, and so does another
    first.atOnce(`/><message id='4'/>`);
    slow.resolve();
    await session.settled();
    await turn();
    second.expect(/^<resumed [^>]*h='2'/);
    assert.deepEqual(node.handled, ['1', '2']);
    second.atOnce(`<message id='3'/><message id='4'/><r xmlns='${NS.sm}'/>`);
    assert.deepEqual(node.handled, ['1', '2', '3', '4']);
    second.expect(/^<a xmlns='[^']+' h='4'\/>$/);
  });

  it('half a stanza of the old connection is no part of the new one', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    first.atOnce(`<message id='1'/><message id='2'><body>half`);
    first.connection.cut();
    const second = await loggedIn(node);
    second.say(resume(id)).expect(/^<resumed [^>]*h='1'/);
    second.say(`<message id='2'><body>whole</body></message>`);
    assert.deepEqual(node.handled, ['1', '2']);
  });

  it('what follows <resume/> at once is handled after it', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    const slow = Promise.withResolvers<void>();
    node.waits.set('1', slow.promise);
    first.atOnce(`<message id='1'/>`);
    const { session } = first;
    const second = await loggedIn(node);
    second.atOnce(`${resume(id)}<message id='2'/>`);
    assert.deepEqual(node.handled, ['1']);
    slow.resolve();
    await session.settled();
    await turn();
    second.expect(/^<resumed [^>]*h='1'/);
    assert.deepEqual(node.handled, ['1', '2']);
    assert.equal(second.state, 'session');
  });

  it('two at once: one has the session, the other ends with conflict, and nothing is lost', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    const { session } = first;
    const slow = Promise.withResolvers<void>();
    node.waits.set('1', slow.promise);
    first.atOnce(`<message id='1'/>`);
    deliver(first, 'a');
    first.heard();
    first.connection.cut();
    const second = await loggedIn(node);
    const third = await loggedIn(node);
    second.say(resume(id));
    third.say(resume(id));
    slow.resolve();
    await session.settled();
    await turn();
    const [loser, winner] = second.stream.session ? [third, second] : [second, third];
    assert.equal(winner.stream.session, session);
    assert.equal(loser.stream.session, undefined);
    assert.deepEqual(ids(winner.expect(/^<resumed /)), ['a']);
    assert.match(loser.heard(), /<conflict /);
    assert.equal(loser.state, 'closed');
    loser.connection.cut();
    assert.equal(session.connected, true);
    // only the winner's words count
    loser.atOnce(`<message id='x'/>`);
    winner.atOnce(`<message id='2'/>`);
    assert.deepEqual(node.handled, ['1', '2']);
  });

  it('the new connection dies between <resume/> and <resumed/>: nothing is lost, and a third one may come', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    const { session } = first;
    const slow = Promise.withResolvers<void>();
    node.waits.set('1', slow.promise);
    first.atOnce(`<message id='1'/>`);
    deliver(first, 'a');
    first.heard();
    const second = await loggedIn(node);
    second.say(resume(id));
    second.connection.cut();
    slow.resolve();
    await session.settled();
    await turn();
    assert.equal(session.alive, true);
    assert.equal(session.connected, false);
    // it does not wait for ever
    assert(session.detachedAt > 0);
    const third = await loggedIn(node);
    assert.deepEqual(ids(third.say(resume(id)).expect(/^<resumed [^>]*h='1'/)), ['a']);
  });

  it('the new connection dies right after <resumed/>: the same', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    deliver(first, 'a', 'b');
    first.heard();
    first.connection.cut();
    const second = await loggedIn(node);
    second.connection.frozen = true;
    second.say(resume(id, 1));
    second.connection.cut();
    const third = await loggedIn(node);
    assert.deepEqual(ids(third.say(resume(id, 1)).expect(/^<resumed /)), ['b']);
  });

  it('a session that ends while its resumption waits is not found', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    const { session } = first;
    const slow = Promise.withResolvers<void>();
    node.waits.set('1', slow.promise);
    first.atOnce(`<message id='1'/>`);
    const second = await loggedIn(node);
    second.say(resume(id));
    session.close({ condition: 'conflict' });
    slow.resolve();
    await session.settled();
    await turn();
    second.expect(/^<failed .*<item-not-found /);
    await second.bind('orchard');
  });

  it('a client that closes its stream while another resumes its session: the session ends', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    const { session } = first;
    const slow = Promise.withResolvers<void>();
    node.waits.set('1', slow.promise);
    first.atOnce(`<message id='1'/></stream:stream>`);
    const second = await loggedIn(node);
    second.say(resume(id));
    slow.resolve();
    await session.settled();
    await turn();
    // whoever came first, nothing is left half alive
    assert.equal(session.alive, session.connected);
    assert.equal(node.users.sessionCount, session.alive ? 1 : 0);
    if (session.alive) second.expect(/^<resumed /);
    else second.expect(/^<failed /);
    assert.match(first.heard(), /<\/stream:stream>$/);
  });

  it('works over another transport: from TCP to WebSocket', async () => {
    const node = new FakeNode();
    const first = await StreamTrial.session('orchard', { node });
    const id = first.enable();
    deliver(first, 'a');
    first.heard();
    first.connection.cut();
    const second = await new StreamTrial({ secured: true, framed: true, node }).authenticate();
    second.say(resume(id));
    assert.deepEqual(ids(second.expect(/^<resumed /)), ['a']);
    assert.equal(second.session.transport, 'websocket');
  });
});

describe('A session without a client', () => {
  it('silence is asked about, and who does not answer is cut', async () => {
    const node = new FakeNode();
    node.policy = { ...node.policy, silence: 300, answer: 60 };
    const plain = await StreamTrial.session('plain', { node });
    const counting = await StreamTrial.session('counting', { node });
    counting.enable();
    const start = Date.now();
    node.hub.sweep(start + 299_000);
    assert.equal(plain.heard() + counting.connection.said(), '');
    node.hub.sweep(start + 302_000);
    plain.expect(/^<iq type='get' id='[^']+' from='example.org'><ping xmlns='urn:xmpp:ping'\/><\/iq>$/);
    assert.equal(counting.connection.said(), `<r xmlns='${NS.sm}'/>`);
    // white space is an answer
    plain.say(' ');
    node.hub.sweep(start + 363_000);
    assert.equal(plain.connection.destroyed, false);
    assert.equal(counting.connection.destroyed, true);
    assert.deepEqual(node.events.slice(-1), ['dead']);
    counting.connection.cut();
    // which waits now
    assert.equal(node.users.sessionCount, 2);
  });

  it('a reader that takes nothing is cut; what it did not take is kept', async () => {
    const node = new FakeNode();
    node.policy = { ...node.policy, outboxSeconds: 60 };
    const trial = await StreamTrial.session('x', { node });
    trial.enable();
    trial.connection.frozen = true;
    deliver(trial, 'a');
    trial.session.flush();
    const start = Date.now();
    node.hub.sweep(start);
    node.hub.sweep(start + 60_000);
    assert.equal(trial.connection.destroyed, false);
    node.hub.sweep(start + 61_000);
    assert.equal(trial.connection.destroyed, true);
    assert(node.events.includes('slow time'));
    const { session } = trial;
    trial.connection.cut();
    assert.equal(session.outbox.size, 1);
  });
});
