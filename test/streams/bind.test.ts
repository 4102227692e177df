import assert from 'node:assert/strict';
import { bindRequest, FakeNode, NS, StreamTrial, turn } from './kit.ts';

const ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas';

async function loggedIn(node?: FakeNode): Promise<StreamTrial> {
  return new StreamTrial({ secured: true, node }).authenticate();
}

/** The condition of the error that the bind request got. */
function refused(trial: StreamTrial): string {
  const [answer] = trial.elements();
  assert.equal(answer?.attrs.type, 'error', String(answer));
  return answer.getChild('error')!.getChildElements()[0]!.name;
}

describe('Resource binding: RFC 6120 7', () => {
  it('gives the resource that was asked for', async () => {
    const trial = await loggedIn();
    trial.say(bindRequest('orchard', 'id&quot;1'));
    const [answer] = trial.elements();
    assert.equal(answer!.attrs.id, 'id"1');
    assert.equal(answer!.attrs.type, 'result');
    assert.equal(answer!.getChild('bind', NS.bind)!.getChildText('jid'), 'romeo@example.org/orchard');
    assert.equal(trial.state, 'session');
    assert.deepEqual(trial.node.events.slice(-1), ['begun romeo@example.org/orchard']);
  });

  it('makes a resource where none was asked for, another one each time', async () => {
    const made = new Set<string>();
    for (const markup of [bindRequest(), bindRequest(''), bindRequest()]) {
      const trial = await loggedIn();
      trial.say(markup);
      made.add(trial.elements()[0]!.getChild('bind')!.getChildText('jid')!);
    }
    assert.equal(made.size, 3);
    for (const jid of made) assert.match(jid, /^romeo@example\.org\/[\w-]{8,}$/);
  });

  it('prepares what was asked for (RFC 7622 3.4), and refuses what cannot be one', async () => {
    const trial = await loggedIn();
    trial.say(bindRequest('a&#x0;'.replace('&#x0;', '\u00ad')));
    assert.equal(refused(trial), 'bad-request');
    trial.say(bindRequest('x'.repeat(1024)));
    assert.equal(refused(trial), 'bad-request');
    assert.equal(trial.state, 'binding');
    trial.say(bindRequest(' R&amp;D \u0041\u030a '));
    assert.match(trial.heard(), /<jid>romeo@example\.org\/ ?R&amp;D \u00c5 ?<\/jid>/);
  });

  it('is a request of type set with an id', async () => {
    const trial = await loggedIn();
    const child = `<bind xmlns='${NS.bind}'/>`;
    trial.say(`<iq type='get' id='1'>${child}</iq>`);
    assert.equal(refused(trial), 'bad-request');
    trial.say(`<iq type='set'>${child}</iq>`);
    assert.equal(refused(trial), 'bad-request');
    trial.say(bindRequest('x'));
    assert.equal(trial.state, 'session');
  });

  it('comes before everything else (7.1)', async () => {
    for (const markup of [
      '<message/>',
      '<presence/>',
      `<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`,
      `<iq type='set' id='1'><bind xmlns='jabber:client'/></iq>`,
      `<iq type='result' id='1'><bind xmlns='${NS.bind}'/></iq>`,
      `<iq type='error' id='1'><bind xmlns='${NS.bind}'/></iq>`,
      `<auth xmlns='${NS.sasl}' mechanism='PLAIN'/>`,
      `<inactive xmlns='urn:xmpp:csi:0'/>`,
    ]) {
      (await loggedIn()).say(markup).failedWith('not-authorized');
    }
  });

  it('waits for the node, and what follows waits with it', async () => {
    const node = new FakeNode();
    const trial = await loggedIn(node);
    const ready = Promise.withResolvers<void>();
    node.binding = ready.promise;
    trial.atOnce(`${bindRequest('x')}<message id='m1'/>`);
    assert.equal(trial.connection.paused, true);
    assert.deepEqual(node.handled, []);
    ready.resolve();
    await turn();
    assert.deepEqual(node.handled, ['m1']);
    assert.equal(trial.connection.paused, false);
    trial.expect(/^<iq type='result'/);
  });

  it('for a stream that went meanwhile leaves no session behind', async () => {
    const node = new FakeNode();
    const trial = await loggedIn(node);
    const ready = Promise.withResolvers<void>();
    node.binding = ready.promise;
    trial.say(bindRequest('x'));
    trial.connection.cut();
    ready.resolve();
    await turn();
    assert.equal(node.users.sessionCount, 0);
    assert(!node.events.some(event => event.startsWith('begun')));
  });

  it('that fails is an error of the server, and may be tried again', async () => {
    const node = new FakeNode();
    const trial = await loggedIn(node);
    node.binding = Promise.reject(new Error('a bug'));
    trial.say(bindRequest('x'));
    await turn();
    assert.equal(refused(trial), 'internal-server-error');
    node.binding = undefined;
    trial.say(bindRequest('x'));
    assert.equal(trial.state, 'session');
  });

  it('a second one is refused', async () => {
    const trial = await StreamTrial.session();
    trial.say(bindRequest('y'));
    // by the router, which knows no such request
    assert.equal(trial.state, 'session');
    assert.equal(trial.node.users.sessionCount, 1);
    assert.deepEqual(trial.node.handled, ['b1']);
  });
});

describe('A resource that is in use: RFC 6120 7.7.2.2', () => {
  it('replace: the old session ends with conflict', async () => {
    const node = new FakeNode();
    const old = await StreamTrial.session('orchard', { node });
    const trial = await StreamTrial.session('orchard', { node });
    assert.equal(trial.jid, 'romeo@example.org/orchard');
    old.failedWith('conflict');
    assert.equal(node.users.sessionCount, 1);
    assert.equal(node.users.session(trial.jid), trial.session);
  });

  it('replace: also a session that waits for its client, whose messages go elsewhere', async () => {
    const node = new FakeNode();
    const old = await StreamTrial.session('orchard', { node });
    old.enable();
    old.session.sendWire(`<iq type='result' id='q'/>`);
    old.connection.cut();
    assert.equal(node.users.sessionCount, 1);
    await StreamTrial.session('orchard', { node });
    assert.equal(node.users.sessionCount, 1);
  });

  it('refuse: the new one is refused, and may take another', async () => {
    const node = new FakeNode();
    node.policy = { ...node.policy, conflict: 'refuse' };
    const old = await StreamTrial.session('orchard', { node });
    const trial = await loggedIn(node);
    trial.say(bindRequest('orchard'));
    const text = trial.heard();
    assert.match(text, new RegExp(`<error type=.cancel.><conflict xmlns=.${ERRORS}.`));
    trial.say(bindRequest('balcony'));
    assert.equal(trial.state, 'session');
    assert.equal(old.state, 'session');
  });

  it("refuse and rename: a session that waits for its client is in nobody's way", async () => {
    for (const conflict of ['refuse', 'rename'] as const) {
      const node = new FakeNode();
      node.policy = { ...node.policy, conflict };
      const old = await StreamTrial.session('orchard', { node });
      const { session } = old;
      old.enable();
      old.connection.cut();
      assert.equal(session.alive, true);
      const trial = await StreamTrial.session('orchard', { node });
      assert.equal(trial.jid, 'romeo@example.org/orchard');
      assert.equal(session.alive, false);
    }
  });

  it('rename: the new one gets another', async () => {
    const node = new FakeNode();
    node.policy = { ...node.policy, conflict: 'rename' };
    const old = await StreamTrial.session('orchard', { node });
    const trial = await StreamTrial.session('orchard', { node });
    assert.notEqual(trial.jid, old.jid);
    assert.equal(old.state, 'session');
  });

  it('an account has a bounded number of sessions (7.6.2.1); one that replaces does not add to it', async () => {
    const node = new FakeNode();
    for (const resource of ['1', '2', '3']) await StreamTrial.session(resource, { node });
    const trial = await loggedIn(node);
    trial.say(bindRequest('4'));
    assert.match(trial.heard(), /<error type=.wait.><resource-constraint /);
    trial.say(bindRequest('3'));
    assert.equal(trial.state, 'session');
    assert.equal(node.users.sessionCount, 3);
  });

  it('of those the one that waits longest for its client makes room for one that is here', async () => {
    const node = new FakeNode();
    const trials: StreamTrial[] = [];
    for (const resource of ['1', '2', '3']) trials.push(await StreamTrial.session(resource, { node }));
    const sessions = trials.map(trial => trial.session);
    for (const trial of trials.slice(1)) {
      trial.enable();
      trial.connection.cut();
    }
    sessions[1]!.detachedAt -= 1000;
    await StreamTrial.session('4', { node });
    assert.deepEqual(
      sessions.map(session => session.alive),
      [true, false, true],
    );
    await StreamTrial.session('5', { node });
    assert.equal(sessions[2]!.alive, false);
    const trial = await loggedIn(node);
    trial.say(bindRequest('6'));
    assert.match(trial.heard(), /<resource-constraint /);
    assert.equal(node.users.sessionCount, 3);
  });
});
