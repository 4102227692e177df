import assert from 'node:assert/strict';
import { type Answer, Empty } from '../../src/bus/index.ts';
import { refuse } from '../../src/protocol/index.ts';
import { LoginThrottle } from '../../src/stream/sasl/index.ts';
import { xml } from '../../src/xml/index.ts';
import { FakeNode, header, NS, plain, StreamTrial, turn } from './kit.ts';

function auth(mechanism: string, data: string): string {
  return `<auth xmlns='${NS.sasl}' mechanism='${mechanism}'>${Buffer.from(data).toString('base64')}</auth>`;
}

function failed(trial: StreamTrial): string {
  const text = trial.heard();
  const failure = new RegExp(`^<failure xmlns='${NS.sasl}'><([\\w-]+)/>`).exec(text);
  assert(failure, text);
  return failure[1]!;
}

function secured(node?: FakeNode): StreamTrial {
  return new StreamTrial({ secured: true, node }).open();
}

describe('SASL on a stream: RFC 6120 6', () => {
  it('success is answered, then a new stream begins on the same connection (6.4.6)', async () => {
    const trial = secured();
    const { id } = trial.stream;
    trial.say(plain('romeo'));
    // nothing is read while the password is tested
    assert.equal(trial.connection.paused, true);
    await turn();
    assert.equal(trial.connection.paused, false);
    assert.equal(trial.heard(), `<success xmlns='${NS.sasl}'/>`);
    assert.equal(trial.state, 'opening');
    assert.equal(trial.stream.account?.bare, 'romeo@example.org');
    trial.say(header());
    trial.expect(/^<\?xml version='1.0'\?><stream:stream .*<bind /);
    assert.notEqual(trial.stream.id, id);
    assert.deepEqual(trial.node.events, ['opened', 'authenticated romeo@example.org PLAIN']);
  });

  it('who sends the next header with the login has it read after it', async () => {
    const trial = secured();
    trial.atOnce(plain('romeo') + header());
    await turn();
    trial.expect(/^<success [^>]*\/><\?xml version='1.0'\?><stream:stream .*<bind /);
    assert.equal(trial.state, 'binding');
  });

  it('the next stream begins with a header, and nothing else', async () => {
    const trial = secured().say(plain('romeo'));
    await turn();
    trial.heard();
    trial.say('<iq/>').failedWith('invalid-namespace');
  });

  it('after a failure another attempt may follow, up to a bound (6.4.5)', async () => {
    const trial = secured();
    for (let i = 0; i < 2; i++) {
      trial.say(plain('romeo', 'wrong'));
      await turn();
      assert.equal(failed(trial), 'not-authorized');
      assert.equal(trial.state, 'login');
    }
    trial.say(plain('romeo'));
    await turn();
    trial.expect(/^<success /);

    const other = secured();
    for (let i = 0; i < 3; i++) {
      other.say(plain('romeo', 'wrong'));
      await turn();
    }
    other.failedWith('policy-violation');
    assert.equal(other.node.events.filter(event => event.startsWith('failed')).length, 3);
  });

  it('a mechanism that is not offered here is refused', () => {
    const trial = secured();
    for (const mechanism of ['EXTERNAL', 'SCRAM-SHA-256-PLUS']) {
      trial.say(auth(mechanism, 'x'));
      assert.equal(failed(trial), 'invalid-mechanism', mechanism);
    }
    trial.say(auth('ANONYMOUS', 'x')).failedWith('policy-violation');
  });

  it('a channel binding that does not fit is no wrong password: who tries all mechanisms comes to PLAIN', async () => {
    const bound = (): StreamTrial => {
      const trial = new StreamTrial({ secured: true });
      trial.connection.bindings['tls-exporter'] = Buffer.from('x');
      return trial.open();
    };
    // slixmpp: a binding that is none with TLS 1.3, then none as if we had none
    const wrongs = [
      auth('SCRAM-SHA-256-PLUS', 'p=tls-unique,,n=romeo,r=abc'),
      auth('SCRAM-SHA-256', 'y,,n=romeo,r=abc'),
    ];
    const conditions = ['malformed-request', 'not-authorized'];
    const trial = bound();
    for (let k = 0; k < 6; k++) assert.equal(failed(trial.say(wrongs[k % 2]!)), conditions[k % 2]);
    trial.say(plain('romeo'));
    await turn();
    trial.expect(/^<success /);
    // but not without end
    const endless = bound();
    for (let k = 0; k < 11; k++) failed(endless.say(wrongs[k % 2]!));
    endless.say(wrongs[1]!).failedWith('policy-violation');
  });

  it('what is no base64, no mechanism, no exchange is refused for what it is', () => {
    const refused = (markup: string): string => failed(secured().say(markup));
    assert.equal(refused(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>!!</auth>`), 'incorrect-encoding');
    assert.equal(refused(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'><x/></auth>`), 'incorrect-encoding');
    assert.equal(refused(`<auth xmlns='${NS.sasl}'/>`), 'malformed-request');
    assert.equal(refused(`<response xmlns='${NS.sasl}'/>`), 'malformed-request');
    assert.equal(refused(`<success xmlns='${NS.sasl}'/>`), 'malformed-request');
    assert.equal(refused(`<abort xmlns='${NS.sasl}'/>`), 'aborted');
  });

  it('an exchange is aborted by its client, or by a second one', () => {
    const trial = secured();
    trial.say(auth('SCRAM-SHA-1', 'n,,n=romeo,r=abc')).expect(/^<challenge /);
    trial.say(`<abort xmlns='${NS.sasl}'/>`);
    assert.equal(failed(trial), 'aborted');
    trial.say(`<response xmlns='${NS.sasl}'/>`);
    assert.equal(failed(trial), 'malformed-request');
    const other = secured();
    other.say(auth('SCRAM-SHA-1', 'n,,n=romeo,r=abc')).expect(/^<challenge /);
    other.say(plain('romeo'));
    assert.equal(failed(other), 'malformed-request');
  });

  it('accounts that cannot be asked are a temporary failure, which tells nothing of why', async () => {
    const node = new FakeNode();
    const down = (): never => {
      throw new Error('disk full');
    };
    node.hosts['example.org'] = {
      backend: { scram: down, plain: () => Promise.reject(new Error('disk full')), status: down, anonymous: down },
    };
    for (const markup of [plain('romeo'), auth('SCRAM-SHA-1', 'n,,n=romeo,r=abc')]) {
      const trial = secured(node).say(markup);
      await turn();
      const text = trial.expect(/<temporary-auth-failure\/>/);
      assert.doesNotMatch(text, /disk/);
      assert.equal(trial.state, 'login');
    }
  });

  it('a disabled account is told so with the right password only', async () => {
    const trial = secured().say(plain('gone'));
    await turn();
    assert.equal(failed(trial), 'account-disabled');
    trial.say(plain('gone', 'wrong'));
    await turn();
    assert.equal(failed(trial), 'not-authorized');
  });

  it('logging in without an account, where that is offered', async () => {
    const node = new FakeNode();
    node.hosts['example.org'] = { anonymous: true };
    const trial = secured(node).say(`<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`);
    await turn();
    trial.expect(/^<success /);
    assert.equal(trial.stream.anonymous, true);
    assert.equal(trial.stream.account?.bare, 'guest@example.org');
  });

  it('the brake refuses an account from an address, and delays others', async () => {
    const node = new FakeNode();
    node.limits = { ...node.limits, loginAttempts: 100 };
    node.throttle = new LoginThrottle({
      perAccount: { attempts: 2, window: 60_000 },
      perAddress: { attempts: 100, window: 60_000 },
      clock: () => 0,
      maxDelay: 20,
    });
    const trial = secured(node);
    for (let i = 0; i < 2; i++) {
      trial.say(plain('romeo', 'wrong'));
      await turn();
      trial.heard();
    }
    // the right one too
    trial.say(plain('romeo'));
    await turn();
    assert.equal(failed(trial), 'temporary-auth-failure');
    // the owner gets in from elsewhere, if a little later, and is not read meanwhile
    const elsewhere = secured(node);
    Object.assign(elsewhere.connection, { address: '198.51.100.7' });
    elsewhere.say(plain('romeo'));
    await turn();
    assert.equal(elsewhere.heard(), '');
    assert.equal(elsewhere.connection.paused, true);
    await new Promise(resolve => setTimeout(resolve, 30));
    elsewhere.expect(/^<success /);
  });

  it('an answer that comes when its stream has gone is dropped', async () => {
    const trial = secured().say(plain('romeo'));
    trial.connection.cut();
    await turn();
    assert.equal(trial.heard(), '');
    assert.equal(trial.state, 'closed');
    const ended = secured().say(plain('romeo'));
    ended.stream.fail({ condition: 'system-shutdown' });
    await turn();
    assert.doesNotMatch(ended.heard(), /success/);
  });
});

describe('Before login', () => {
  it('stanzas end the stream with not-authorized (4.9.3.12)', () => {
    for (const markup of ['<message/>', '<presence/>', `<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`]) {
      secured().say(markup).failedWith('not-authorized');
      new StreamTrial().open().say(markup).failedWith('not-authorized');
    }
  });

  it('so do the elements of later', () => {
    for (const markup of [`<active xmlns='urn:xmpp:csi:0'/>`, `<x xmlns='y'/>`, `<close xmlns='${NS.framing}'/>`]) {
      secured().say(markup).failedWith('not-authorized');
    }
  });

  it('stream management is refused (XEP-0198 3), and the stream goes on', () => {
    const trial = secured();
    for (const markup of [`<enable xmlns='${NS.sm}'/>`, `<resume xmlns='${NS.sm}' h='0' previd='x'/>`]) {
      trial.say(markup).expect(/^<failed xmlns='urn:xmpp:sm:3'><unexpected-request xmlns='[^']+'\/><\/failed>$/);
      assert.equal(trial.state, 'login');
    }
  });

  it('a module may answer a request (XEP-0077 3.1), under TLS, and what follows waits for its answer', async () => {
    const node = new FakeNode();
    const answer = Promise.withResolvers<Answer>();
    node.collections.beforeLogin.add('registration', { xmlns: 'jabber:iq:register', answer: () => answer.promise });
    const request = `<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>`;
    const trial = secured(node);
    trial.atOnce(request + plain('romeo'));
    await turn();
    assert.equal(trial.heard(), '');
    answer.resolve(xml('query', { xmlns: 'jabber:iq:register' }));
    await turn();
    await turn();
    trial.expect(/^<iq type='result' id='1'[^>]*><query [^>]*\/><\/iq><success /);
    new StreamTrial({ node }).open().say(request).failedWith('not-authorized');
  });

  it('it may refuse, answer nothing, or fail', async () => {
    const node = new FakeNode();
    let answer: () => Answer = () => Empty;
    node.collections.beforeLogin.add('registration', { xmlns: 'jabber:iq:register', answer: () => answer() });
    const request = `<iq type='set' id='1'><query xmlns='jabber:iq:register'/></iq>`;
    const trial = secured(node).say(request);
    await turn();
    trial.expect(/^<iq type='result' id='1'[^>]*\/>$/);
    answer = () => refuse('conflict');
    trial.say(request);
    await turn();
    trial.expect(/^<iq type='error' id='1'.*<conflict /);
    answer = () => {
      throw new Error('a bug');
    };
    trial.say(request);
    await turn();
    assert.doesNotMatch(trial.expect(/<internal-server-error /), /bug/);
  });

  it('its answer to a stream that has gone is dropped', async () => {
    const node = new FakeNode();
    const answer = Promise.withResolvers<Answer>();
    node.collections.beforeLogin.add('registration', { xmlns: 'jabber:iq:register', answer: () => answer.promise });
    const trial = secured(node).say(`<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>`);
    trial.stream.fail({ condition: 'connection-timeout' });
    trial.heard();
    answer.resolve(Empty);
    await turn();
    assert.equal(trial.heard(), '');
  });
});
