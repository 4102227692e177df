import assert from 'node:assert/strict';
import { xml } from '../../src/xml/index.ts';
import { bindRequest, FakeNode, header, NS, plain, StreamTrial, turn } from './kit.ts';

const STARTTLS = `<starttls xmlns='${NS.tls}'/>`;

/** Names of the features that the server has just offered, in order. */
function offered(trial: StreamTrial): string[] {
  const text = trial.heard();
  const features = /<stream:features[^>]*>(.*)<\/stream:features>$/s.exec(text);
  assert(features, text);
  const outer = features[1]!.replace(/<inline>.*<\/inline>/s, '');
  return [...outer.matchAll(/<([\w-]+) xmlns=/g)].map(([, name]) => name!);
}

describe('Stream features: RFC 6120 4.3.2', () => {
  it('without TLS there is nothing but STARTTLS, which is required (5.3.1)', () => {
    const trial = new StreamTrial().say(header());
    trial.expect(
      /<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required\/><\/starttls><\/stream:features>$/,
    );
  });

  it('where logins without TLS are allowed, STARTTLS is one among others, and no -PLUS mechanism is', () => {
    const trial = new StreamTrial({ allowPlaintext: true }).say(header());
    const text = trial.heard();
    assert.match(text, /<starttls xmlns='[^']+'\/><mechanisms /);
    assert.match(text, /<mechanism>PLAIN<\/mechanism>/);
    assert.doesNotMatch(text, /-PLUS|channel-binding/);
  });

  it('under TLS there are mechanisms, the strongest first, and no STARTTLS', () => {
    const trial = new StreamTrial({ secured: true }).say(header());
    const text = trial.heard();
    assert.doesNotMatch(text, /starttls/);
    assert.deepEqual(
      [...text.split('<authentication')[0]!.matchAll(/<mechanism>([^<]+)</g)].map(match => match[1]),
      ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'],
    );
  });

  it('where TLS gives channel bindings, they are named with the -PLUS mechanisms (XEP-0440)', () => {
    const trial = new StreamTrial({ secured: true });
    trial.connection.bindings['tls-server-end-point'] = Buffer.from('x');
    trial.say(header());
    const text = trial.expect(/<mechanism>SCRAM-SHA-256-PLUS</);
    assert.match(
      text,
      /<\/mechanisms><sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-server-end-point'\/><\/sasl-channel-binding>/,
    );
    const both = new StreamTrial({ secured: true });
    both.connection.bindings['tls-server-end-point'] = Buffer.from('x');
    both.connection.bindings['tls-exporter'] = Buffer.from('y');
    both.say(header());
    both.expect(/type='tls-exporter'\/><channel-binding type='tls-server-end-point'/);
  });

  it('ANONYMOUS is offered by hosts that say so', () => {
    const node = new FakeNode();
    node.hosts['example.org'] = { anonymous: true };
    new StreamTrial({ node, secured: true }).say(header()).expect(/<mechanism>ANONYMOUS</);
    assert.doesNotMatch(
      new StreamTrial({ node, secured: true }).say(header({ to: 'example.net' })).heard(),
      /ANONYMOUS/,
    );
  });

  it('after login there is binding, stream management and client state', async () => {
    const trial = new StreamTrial({ secured: true }).open().say(plain('romeo'));
    await turn();
    trial.heard();
    trial.say(header());
    assert.equal(trial.state, 'binding');
    assert.deepEqual(offered(trial), ['bind', 'session', 'sm', 'csi']);
  });

  it('stream management is not offered where it is off', async () => {
    const node = new FakeNode();
    node.sm = { ...node.sm, enabled: false };
    const trial = new StreamTrial({ node, secured: true }).open().say(plain('romeo'));
    await turn();
    trial.heard();
    trial.say(header());
    assert.deepEqual(offered(trial), ['bind', 'session', 'csi']);
  });

  it('modules add theirs, before login or after it, for hosts where they are on', async () => {
    const node = new FakeNode();
    node.hosts['example.net'] = { enabled: module => module !== 'registration' };
    node.collections.streamFeatures.add('registration', {
      when: 'before-login',
      feature: (host, { secured }) => (secured ? xml('register', { xmlns: `urn:${host}` }) : undefined),
    });
    node.collections.streamFeatures.add('roster', {
      when: 'after-login',
      feature: () => xml('ver', { xmlns: 'urn:ver' }),
    });
    const trial = new StreamTrial({ node, secured: true }).say(header());
    assert.deepEqual(offered(trial), ['mechanisms', 'authentication', 'register']);
    trial.say(plain('romeo'));
    await turn();
    trial.heard();
    trial.say(header());
    assert.deepEqual(offered(trial), ['bind', 'session', 'sm', 'csi', 'ver']);
    assert.deepEqual(offered(new StreamTrial({ node, secured: true }).say(header({ to: 'example.net' }))), [
      'mechanisms',
      'authentication',
    ]);
    assert.deepEqual(offered(new StreamTrial({ node, allowPlaintext: true }).say(header())), [
      'starttls',
      'mechanisms',
      'authentication',
    ]);
    assert.deepEqual(offered(new StreamTrial({ node }).say(header())), ['starttls']);
  });
});

describe('STARTTLS: RFC 6120 5', () => {
  it('is answered with <proceed/>; then a new stream begins under TLS', () => {
    const trial = new StreamTrial().open().say(STARTTLS);
    assert.equal(trial.heard(), `<proceed xmlns='${NS.tls}'/>`);
    assert.equal(trial.state, 'securing');
    assert.equal(trial.connection.startedTls, 'example.org');
    trial.connection.secure();
    assert.equal(trial.state, 'opening');
    trial.say(header());
    assert.match(trial.heard(), /^<\?xml version='1.0'\?><stream:stream .*<mechanisms /s);
    assert.equal(trial.state, 'login');
  });

  it('a new stream has a new id', () => {
    const trial = new StreamTrial().say(header());
    const first = trial.stream.id;
    trial.say(STARTTLS);
    trial.connection.secure();
    trial.say(header());
    assert.notEqual(trial.stream.id, first);
  });

  it('what came behind <starttls/> came unprotected, and is dropped (5.4.3.3)', async () => {
    const trial = new StreamTrial().open();
    trial.atOnce(STARTTLS + header() + plain('romeo') + header() + bindRequest('x'));
    trial.atOnce('<message/><iq ');
    assert.equal(trial.heard(), `<proceed xmlns='${NS.tls}'/>`);
    trial.connection.secure();
    await turn();
    assert.equal(trial.state, 'opening');
    assert.equal(trial.heard(), '');
    // nor is half of an element left over
    trial.say(header());
    trial.expect(/<mechanisms /);
    assert.equal(trial.stream.account, undefined);
  });

  it('is for streams without TLS only (XEP-0368), and for TCP', () => {
    new StreamTrial({ secured: true }).open().say(STARTTLS).failedWith('not-authorized');
    new StreamTrial({ framed: true, allowPlaintext: true }).open().say(STARTTLS).failedWith('not-authorized');
  });

  it('a login before it is refused with encryption-required (6.5.4)', () => {
    const trial = new StreamTrial().open().say(plain('romeo'));
    trial.expect(/^<failure xmlns='[^']+'><encryption-required\/>/);
    assert.equal(trial.state, 'login');
    // and TLS is still to be had
    trial.say(STARTTLS).expect(/^<proceed /);
  });

  it('comes in no login', async () => {
    const begun = `<auth xmlns='${NS.sasl}' mechanism='PLAIN'/>`;
    new StreamTrial({ allowPlaintext: true }).open().say(begun).say(STARTTLS).failedWith('not-authorized');
    // one that failed is over
    const trial = new StreamTrial({ allowPlaintext: true }).open().say(`${begun}<abort xmlns='${NS.sasl}'/>`);
    trial.say(STARTTLS).expect(/<proceed /);
  });

  it('comes after no login', async () => {
    const trial = new StreamTrial({ allowPlaintext: true });
    await trial.authenticate();
    trial.say(STARTTLS).failedWith('not-authorized');
  });

  it('a handshake that is cut ends the stream', () => {
    const trial = new StreamTrial().open().say(STARTTLS);
    trial.connection.cut();
    assert.equal(trial.state, 'closed');
    assert.equal(trial.node.events.at(-1), 'closed');
  });
});
