import assert from 'node:assert/strict';
import { xml } from '../../src/xml/index.ts';
import { readStanzas } from '../kit/wire.ts';
import { FakeNode, StreamTrial } from './kit.ts';
import { AGENT, bind2, NS, plain2, say, settle, userAgent } from './sasl2.ts';

const bound = (inner: string): string =>
  inner === '' ? `<bound xmlns='${NS.bind2}'></bound>` : `<bound xmlns='${NS.bind2}'>${inner}</bound>`;

describe('Bind 2 (XEP-0386)', () => {
  it('a session begins along with the login, with a resource that begins with the tag', async () => {
    const { trial, text } = await say(plain2(bind2()));
    assert.match(
      text,
      new RegExp(
        `^<success xmlns='${NS.sasl2}'><authorization-identifier>romeo@example.org/AwesomeXMPP/[A-Za-z0-9_-]{12}` +
          `</authorization-identifier>${bound('')}</success>` +
          `<stream:features><sm xmlns='${NS.sm}'/><csi xmlns='${NS.csi}'/></stream:features>$`,
      ),
    );
    assert.equal(trial.state, 'session');
    assert.equal(trial.node.events.at(-1), `begun ${trial.session.jid.full}`);
    trial.say("<iq type='get' id='1'><x xmlns='x'/></iq>").expect(/type='result'/);
  });

  it('a client that says who it is always has the same resource, and its earlier sessions end', async () => {
    const node = new FakeNode();
    const other = await say(plain2(userAgent('other') + bind2()), { node });
    const first = await say(plain2(userAgent() + bind2()), { node });
    const { full } = first.trial.session.jid;
    const second = await say(plain2(userAgent() + bind2()), { node });
    first.trial.failedWith('conflict');
    assert.equal(second.trial.session.jid.full, full);
    assert.doesNotMatch(full, new RegExp(AGENT));
    assert.equal(other.trial.state, 'session');
    assert.equal(node.users.sessionCount, 2);
  });

  it('also where another client may not have a resource that is in use, and where the earlier one waits', async () => {
    const node = new FakeNode();
    node.policy = { ...node.policy, conflict: 'refuse', maxPerUser: 1 };
    const enable = `<enable xmlns='${NS.sm}' resume='true'/>`;
    const first = await say(plain2(userAgent() + bind2(enable)), { node });
    const { session } = first.trial;
    first.trial.connection.handler!.onDisconnect();
    assert.equal(session.alive, true);
    const second = await say(plain2(userAgent() + bind2(enable)), { node });
    assert.equal(session.alive, false);
    assert.equal(second.trial.state, 'session');
  });

  it('a tag of any script is said as it is', async () => {
    const { text } = await say(plain2(bind2('', 'Вепрь 🐗 &amp; ļ')));
    const [success] = readStanzas(Buffer.from(/^<success .*<\/success>/.exec(text)![0]));
    assert.match(
      success!.childText('authorization-identifier')!,
      /^romeo@example.org\/Вепрь 🐗 & ļ\/[A-Za-z0-9_-]{12}$/,
    );
  });

  it('a tag that may not stand in an address is left out', async () => {
    const { text } = await say(plain2(bind2('', '&#x200B;&#x202E;\u{E000}')));
    assert.match(text, /<authorization-identifier>romeo@example.org\/[A-Za-z0-9_-]{12}</);
    const { text: none } = await say(plain2(bind2('', '')));
    assert.match(none, /<authorization-identifier>romeo@example.org\/[A-Za-z0-9_-]{12}</);
    const long = await say(plain2(bind2('', 'x'.repeat(1020))));
    assert.match(long.text, /<authorization-identifier>romeo@example.org\/[A-Za-z0-9_-]{12}</);
  });

  it('stream management is on from the first stanza', async () => {
    const { trial, text } = await say(plain2(bind2(`<enable xmlns='${NS.sm}' resume='true' max='5'/>`)));
    const [, id] =
      /<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='([^']+)' resume='true' max='5'\/><\/bound>/.exec(
        text,
      )!;
    assert.match(text, new RegExp(`<stream:features><csi xmlns='${NS.csi}'/></stream:features>$`));
    trial.say(`<message/><r xmlns='${NS.sm}'/>`).expect(/<a xmlns='urn:xmpp:sm:3' h='1'\/>/);
    trial.session.sendWire('<message/>');
    trial.expect(/<message\/>/);
    trial.say(`<a xmlns='${NS.sm}' h='1'/>`);
    assert.equal(trial.state, 'session');
    assert.equal(trial.node.resumable(id!, trial.session.user.jid), trial.session);
  });

  it('where stream management is off, that is said, and the session begins all the same', async () => {
    const node = new FakeNode();
    node.sm = { ...node.sm, enabled: false };
    const { trial, text } = await say(plain2(bind2(`<enable xmlns='${NS.sm}'/>`)), { node });
    const why = "<feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";
    assert.ok(text.includes(bound(`<failed xmlns='${NS.sm}'>${why}</failed>`)), text);
    assert.equal(trial.state, 'session');
  });

  it('a session may begin inactive (XEP-0352)', async () => {
    const node = new FakeNode();
    const { trial } = await say(plain2(bind2(`<inactive xmlns='${NS.csi}'/>`)), { node });
    const { session } = trial;
    assert.ok(session.inactiveSince > 0);
    const active = await say(plain2(bind2(`<active xmlns='${NS.csi}'/>`)));
    assert.equal(active.trial.session.inactiveSince, 0);
  });

  it('modules announce what can be asked for, and tell what need not be, where they are on', async () => {
    const node = new FakeNode();
    const calls: string[] = [];
    node.hosts['example.net'] = { enabled: () => false };
    node.collections.bindFeatures.add('carbons', {
      xmlns: NS.carbons,
      asked: true,
      bound: (session, request) => {
        calls.push(`${request!.name} ${session.jid.full} ${session.connected}`);
        return undefined;
      },
    });
    node.collections.bindFeatures.add('archive', {
      xmlns: 'urn:xmpp:mam:2',
      asked: false,
      bound: () => Promise.resolve(xml('metadata', { xmlns: 'urn:xmpp:mam:2' })),
    });
    node.collections.bindFeatures.add('elsewhere', {
      xmlns: 'urn:elsewhere',
      asked: true,
      when: () => false,
      bound: () => assert.fail('it is not there'),
    });
    const offer = new StreamTrial({ node, secured: true })
      .say(`<stream:stream to='example.org' version='1.0' xmlns='jabber:client' xmlns:stream='${NS.streams}'>`)
      .heard();
    assert.match(offer, new RegExp(`<feature var='${NS.csi}'/><feature var='${NS.carbons}'/></inline>`));
    const asked = `<enable xmlns='${NS.carbons}'/><x xmlns='urn:elsewhere'/>`;
    const { trial, text } = await say(plain2(userAgent() + bind2(asked)), { node });
    assert.ok(text.includes(bound('<metadata xmlns="urn:xmpp:mam:2"/>')), text);
    // before anything could reach it
    assert.deepEqual(calls, [`enable ${trial.session.jid.full} false`]);
    const unasked = await say(plain2(bind2()), { node });
    assert.ok(unasked.text.includes(bound('<metadata xmlns="urn:xmpp:mam:2"/>')), unasked.text);
    assert.equal(calls.length, 1);
    const elsewhere = new StreamTrial({ node, secured: true }).open({ to: 'example.net' }).say(plain2(bind2(asked)));
    await settle();
    elsewhere.expect(new RegExp(bound('')));
  });

  it('what reaches the session while its features are asked comes behind <success/>', async () => {
    const node = new FakeNode();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    node.collections.bindFeatures.add('archive', { xmlns: 'urn:slow', asked: false, bound: () => promise });
    const { trial, text } = await say(plain2(userAgent() + bind2(`<enable xmlns='${NS.sm}'/>`)), { node });
    assert.equal(text, '');
    const [session] = node.users.sessions();
    session!.sendWire("<message id='early'/>");
    trial.heard();
    resolve(undefined);
    await settle();
    trial.expect(/^<success .*<\/success><stream:features>.*<\/stream:features><message id='early'\/>/);
    trial.say(`<a xmlns='${NS.sm}' h='1'/>`);
    assert.equal(trial.state, 'session');
  });

  it('is no success where no session can be made; then the client may try again', async () => {
    const node = new FakeNode();
    node.policy = { ...node.policy, maxPerUser: 1 };
    await say(plain2(bind2()), { node });
    const { trial, text } = await say(plain2(bind2()), { node });
    assert.match(
      text,
      /^<failure xmlns='urn:xmpp:sasl:2'><temporary-auth-failure .*<text>An account may have 1 sessions\.<\/text><\/failure>$/,
    );
    assert.equal(trial.stream.account, undefined);
    node.policy = { ...node.policy, maxPerUser: 2 };
    trial.say(plain2(bind2()));
    await settle();
    trial.expect(/^<success /);
  });

  it('a stream that goes away while it binds leaves no session', async () => {
    const node = new FakeNode();
    const { promise, resolve } = Promise.withResolvers<void>();
    node.binding = promise;
    const { trial } = await say(plain2(bind2()), { node });
    trial.connection.handler!.onDisconnect();
    resolve();
    await settle();
    assert.equal(node.users.sessionCount, 0);
    assert.equal(trial.heard(), '');
  });
});
