import assert from 'node:assert/strict';
import { FakeNode, header, StreamTrial } from './kit.ts';
import { bind2, NS, plain2, say, settle, userAgent } from './sasl2.ts';

const resume = (id: string, h: number | string): string => `<resume xmlns='${NS.sm}' previd='${id}' h='${h}'/>`;
const ENABLE = bind2(`<enable xmlns='${NS.sm}' resume='true'/>`);

/** A session that can be resumed, and its id. */
async function managed(node = new FakeNode()): Promise<{ node: FakeNode; first: StreamTrial; id: string }> {
  const { trial, text } = await say(plain2(userAgent() + ENABLE), { node });
  const [, id] = /<enabled xmlns='urn:xmpp:sm:3' id='([^']+)'/.exec(text)!;
  return { node, first: trial, id: id! };
}

describe('Resumption along with the login (XEP-0198 9.2)', () => {
  it('goes on with the session: no binding, no features, what was not acknowledged comes again', async () => {
    const { node, first, id } = await managed();
    const { session } = first;
    first.say('<message id="1"/>');
    session.sendWire("<message id='kept'/>");
    first.connection.handler!.onDisconnect();
    const second = new StreamTrial({ node, secured: true });
    second.atOnce(header() + plain2(userAgent() + resume(id, 0) + ENABLE));
    await settle();
    second.expect(
      new RegExp(
        `</stream:features><success xmlns='${NS.sasl2}'><authorization-identifier>${session.jid.full}` +
          `</authorization-identifier><resumed xmlns='${NS.sm}' h='1' previd='${id}'/></success><message id='kept'/>` +
          `<r xmlns='${NS.sm}'/>$`,
      ),
    );
    assert.equal(second.stream.session, session);
    assert.equal(node.users.sessionCount, 1);
    assert.deepEqual(node.handled, ['1']);
    assert.equal(node.events.at(-1), `resumed ${session.jid.full}`);
    second.say('<message id="2"/>');
    assert.deepEqual(node.handled, ['1', '2']);
  });

  it('takes it from a connection that is still there, once what that brought is handled', async () => {
    const { node, first, id } = await managed();
    const { promise, resolve } = Promise.withResolvers<void>();
    node.waits.set('1', promise);
    first.say('<message id="1"/>');
    const { trial, text } = await say(plain2(resume(id, 0)), { node });
    first.failedWith('conflict');
    assert.equal(text, '');
    trial.say('<message id="2"/>');
    assert.deepEqual(node.handled, ['1']);
    resolve();
    await settle();
    trial.expect(/<resumed xmlns='urn:xmpp:sm:3' h='1' /);
    assert.deepEqual(node.handled, ['1', '2']);
  });

  it('what cannot be resumed is said, with what it had handled, and another session is bound', async () => {
    const { node, first, id } = await managed();
    const { session } = first;
    first.say('<message id="1"/></stream:stream>');
    await settle();
    assert.equal(session.alive, false);
    const { trial, text } = await say(plain2(userAgent() + resume(id, 0) + ENABLE), { node });
    assert.match(
      text,
      new RegExp(
        `</authorization-identifier><failed xmlns='${NS.sm}' h='1'><item-not-found xmlns='[^']+'/></failed>` +
          `<bound xmlns='${NS.bind2}'><enabled [^>]+/></bound></success><stream:features>`,
      ),
    );
    assert.equal(trial.state, 'session');
  });

  it('without a <bind/> the client binds after the login', async () => {
    const { trial, text } = await say(plain2(resume('nothing', 0)));
    assert.match(text, /<failed xmlns='urn:xmpp:sm:3'><item-not-found .*<\/success><stream:features><bind /);
    await trial.bind('orchard');
  });

  it('is no reason for a login to fail when it is no number, nor when another account had it', async () => {
    const { node, first, id } = await managed();
    const { text } = await say(plain2(resume(id, 'x') + bind2()), { node });
    assert.match(text, /<failed xmlns='urn:xmpp:sm:3'><bad-request .*<bound /);
    node.hosts['example.net'] = {};
    const other = new StreamTrial({ node, secured: true }).open({ to: 'example.net' }).say(plain2(resume(id, 0)));
    await settle();
    other.expect(/<item-not-found /);
    assert.equal(first.state, 'session');
  });

  it('who acknowledges more than was sent is sent away', async () => {
    const { node, first, id } = await managed();
    const trial = new StreamTrial({ node, secured: true }).open().say(plain2(resume(id, 7)));
    await settle();
    trial.failedWith('undefined-condition');
    assert.equal(first.state, 'closed');
  });

  it('does nothing before the login has succeeded', async () => {
    const { node, first, id } = await managed();
    await say(plain2(resume(id, 0) + bind2(), 'romeo', 'wrong'), { node });
    assert.equal(first.state, 'session');
    assert.equal(node.users.sessionCount, 1);
  });

  it('of two that resume at once, one has it in the end', async () => {
    const { node, first, id } = await managed();
    const { promise, resolve } = Promise.withResolvers<void>();
    node.waits.set('1', promise);
    first.say('<message id="1"/>');
    const [a, b] = await Promise.all([say(plain2(resume(id, 0)), { node }), say(plain2(resume(id, 0)), { node })]);
    resolve();
    await settle();
    const states = [a.trial.state, b.trial.state].sort();
    assert.deepEqual(states, ['closed', 'session']);
    const winner = a.trial.state === 'session' ? a.trial : b.trial;
    assert.equal(winner.stream.session, first.node.resumable(id, winner.session.user.jid));
    winner.say('<message id="2"/>');
    assert.deepEqual(node.handled, ['1', '2']);
  });
});
