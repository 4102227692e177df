import assert from 'node:assert/strict';
import { bytes, clientFinal } from '../../src/stream/sasl/test-kit.ts';
import { FakeNode, header, StreamTrial } from './kit.ts';
import { authenticate, NS, plain2, say, settle, userAgent } from './sasl2.ts';

const SUCCESS = `<success xmlns='${NS.sasl2}'>`;
const identifier = (jid: string): string => `<authorization-identifier>${jid}</authorization-identifier>`;
const failure = (condition: string): RegExp =>
  new RegExp(`^<failure xmlns='${NS.sasl2}'><${condition} xmlns='${NS.sasl}'/>(<text>[^<]*</text>)?</failure>$`);

describe('SASL2 (XEP-0388)', () => {
  it('is offered beside the old profile, with the same mechanisms and what can be done along with it', () => {
    const trial = new StreamTrial({ secured: true }).say(header());
    const text = trial.expect(/<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>/);
    const [, offer] = /<authentication xmlns='urn:xmpp:sasl:2'>(.*)<\/authentication>/.exec(text)!;
    assert.equal(
      offer,
      '<mechanism>SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism>' +
        `<inline><sm xmlns='${NS.sm}'/>` +
        `<bind xmlns='${NS.bind2}'><inline><feature var='${NS.sm}'/><feature var='${NS.csi}'/></inline></bind>` +
        `<fast xmlns='${NS.fast}'><mechanism>HT-SHA-256-NONE</mechanism></fast></inline>`,
    );
  });

  it('is not offered before TLS, nor where it is off, and not taken there', () => {
    assert.doesNotMatch(new StreamTrial().say(header()).heard(), /sasl:2/);
    new StreamTrial().open().say(plain2()).expect(failure('encryption-required'));
    const node = new FakeNode();
    node.hosts['example.org'] = { sasl2: false };
    const trial = new StreamTrial({ node, secured: true }).say(header());
    assert.doesNotMatch(trial.heard(), /sasl:2/);
    trial.say(plain2()).expect(failure('encryption-required'));
  });

  it('logs in, says who that is, and goes on in the same stream with its features', async () => {
    const { trial, text } = await say(plain2());
    assert.equal(
      text,
      `${SUCCESS}${identifier('romeo@example.org')}</success>` +
        `<stream:features><bind xmlns='${NS.bind}'/>` +
        "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>" +
        `<sm xmlns='${NS.sm}'/><csi xmlns='${NS.csi}'/></stream:features>`,
    );
    assert.equal(trial.state, 'binding');
    assert.deepEqual(trial.node.events, ['opened', 'authenticated romeo@example.org PLAIN']);
    await trial.bind('orchard');
    assert.equal(trial.jid, 'romeo@example.org/orchard');
  });

  it('writes each of its elements in a frame of its own', async () => {
    const trial = new StreamTrial({ framed: true, secured: true }).open();
    const before = trial.connection.writes.length;
    trial.say(plain2().replace('<authenticate ', '<authenticate '));
    await settle();
    const frames = trial.connection.writes.slice(before);
    assert.equal(frames.length, 2);
    assert.match(frames[0]!, /^<success .*<\/success>$/);
    assert.match(frames[1]!, /^<stream:features xmlns:stream='http:\/\/etherx.jabber.org\/streams'>/);
  });

  it('takes what comes after login in elements as long as sessions may send', async () => {
    const { trial } = await say(plain2());
    await trial.bind();
    trial.say(`<message><body>${'x'.repeat(4000)}</body></message>`);
    assert.equal(trial.state, 'session');
  });

  it('speaks SCRAM in challenges and responses, with the server’s proof in the end', async () => {
    const bare = 'n=romeo,r=fyko';
    const { trial, text } = await say(authenticate('SCRAM-SHA-256', `n,,${bare}`));
    const [, challenge] = new RegExp(`^<challenge xmlns='${NS.sasl2}'>([^<]+)</challenge>$`).exec(text)!;
    const first = Buffer.from(challenge!, 'base64').toString();
    const { final, v } = clientFinal({ hash: 'sha256', password: 'romeo', name: 'romeo' }, bare, first);
    trial.say(`<response xmlns='${NS.sasl2}'>\n  ${bytes(final).toString('base64')}\n</response>`);
    const proof = bytes(`v=${v}`).toString('base64');
    assert.ok(
      trial
        .heard()
        .startsWith(`${SUCCESS}<additional-data>${proof}</additional-data>${identifier('romeo@example.org')}`),
    );
  });

  it('protects what it announced, and not what the old profile did (XEP-0474)', async () => {
    const trial = new StreamTrial({ secured: true });
    trial.connection.bindings['tls-server-end-point'] = Buffer.from('x');
    trial.open().say(authenticate('SCRAM-SHA-256', 'n,,n=romeo,r=fyko'));
    const first = Buffer.from(/>([^<]+)<\/challenge>/.exec(trial.heard())![1]!, 'base64').toString();
    const { createHash } = await import('node:crypto');
    const announced = 'PLAIN\x1eSCRAM-SHA-1\x1eSCRAM-SHA-256\x1eSCRAM-SHA-256-PLUS\x1ftls-server-end-point';
    assert.equal(/,h=([^,]+)$/.exec(first)![1], createHash('sha256').update(announced).digest('base64'));
  });

  it('refuses a wrong password, another mechanism, what is no base64, an exchange that is aborted', async () => {
    assert.match((await say(plain2('', 'romeo', 'wrong'))).text, failure('not-authorized'));
    assert.match((await say(authenticate('EXTERNAL', 'x'))).text, failure('invalid-mechanism'));
    assert.match((await say(authenticate('HT-SHA-256-EXPR', 'x'))).text, failure('invalid-mechanism'));
    const raw = plain2().replace(/<initial-response>[^<]+/, '<initial-response>!!');
    assert.match((await say(raw)).text, failure('incorrect-encoding'));
    assert.match((await say(`<authenticate xmlns='${NS.sasl2}'/>`)).text, failure('malformed-request'));
    const { trial } = await say(authenticate('SCRAM-SHA-1', 'n,,n=romeo,r=x'));
    trial.say(`<abort xmlns='${NS.sasl2}'><text>no</text></abort>`).expect(failure('aborted'));
    trial.say(plain2());
    await settle();
    trial.expect(/^<success /);
  });

  it('counts failures in both profiles together, and ends the stream then', async () => {
    const { trial } = await say(plain2('', 'romeo', 'wrong'));
    trial.say(`<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>x</auth>`).expect(/<invalid-mechanism\/>/);
    trial.say(authenticate('EXTERNAL', 'x')).failedWith('policy-violation');
  });

  it('takes nothing but <response/> and <abort/> while an exchange is under way', async () => {
    const begun = async (): Promise<StreamTrial> => (await say(authenticate('SCRAM-SHA-1', 'n,,n=romeo,r=x'))).trial;
    (await begun()).say('<message/>').failedWith('not-authorized');
    (await begun()).say(plain2()).failedWith('not-authorized');
    (await begun()).say(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'/>`).failedWith('not-authorized');
    (await begun()).say(`<next xmlns='${NS.sasl2}' task='x'/>`).failedWith('not-authorized');
    const closed = await begun();
    closed.say('</stream:stream>');
    assert.equal(closed.state, 'closed');
  });

  it('has no place for a second login, or for a <response/> to nothing', async () => {
    (await say(plain2())).trial.say(plain2()).failedWith('not-authorized');
    new StreamTrial({ secured: true }).open().say(`<response xmlns='${NS.sasl2}'/>`).failedWith('not-authorized');
    const old = new StreamTrial({ secured: true }).open();
    old.say(`<auth xmlns='${NS.sasl}' mechanism='SCRAM-SHA-1'>${bytes('n,,n=romeo,r=x').toString('base64')}</auth>`);
    old.heard();
    old.say(`<response xmlns='${NS.sasl2}'/>`).failedWith('not-authorized');
  });

  it('an authorization identity must be the one of the header, if there is one', async () => {
    const as = authenticate('PLAIN', 'romeo@example.org\0romeo\0romeo');
    const trial = new StreamTrial({ secured: true }).open({ from: 'juliet@example.org' }).say(as);
    await settle();
    trial.expect(failure('invalid-authzid'));
    const same = new StreamTrial({ secured: true }).open({ from: 'Romeo@example.org/x' }).say(as);
    await settle();
    same.expect(/^<success /);
  });

  it('a client may send its header and its login at once', async () => {
    const trial = new StreamTrial({ secured: true }).atOnce(header() + plain2());
    await settle();
    trial.expect(/<\/stream:features><success .*<\/success><stream:features>/);
  });

  it('tells the clients of an account apart, without a word of it to others', async () => {
    const { trial } = await say(plain2(userAgent()));
    const [login] = trial.node.clients.logins;
    assert.deepEqual(login!.agent, {
      id: 'd4565fa7-4d72-4749-b3d3-740edbf87770',
      software: 'AwesomeXMPP',
      device: "Kiva's Phone",
    });
    await trial.bind('orchard');
    assert.equal(trial.session.client, login!.id);
  });

  it('a stream that goes away while its login is noted leaves nothing', async () => {
    const node = new FakeNode();
    const { promise, resolve } = Promise.withResolvers<void>();
    node.clients.noting = promise;
    const { trial } = await say(plain2(userAgent()), { node });
    trial.connection.handler!.onDisconnect();
    resolve();
    await settle();
    assert.equal(trial.state, 'closed');
    assert.equal(trial.heard(), '');
    assert.deepEqual(node.events, ['opened', 'closed']);
  });

  it('clients that cannot be asked are no wrong password', async () => {
    const node = new FakeNode();
    node.clients.noting = Promise.reject(new Error('disk full'));
    const { trial, text } = await say(plain2(userAgent()), { node });
    assert.match(text, failure('temporary-auth-failure'));
    assert.equal(trial.state, 'login');
  });
});
