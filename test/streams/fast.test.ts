import assert from 'node:assert/strict';
import { FakeNode, header, StreamTrial } from './kit.ts';
import {
  AGENT,
  authenticate,
  bind2,
  byToken,
  hashed,
  NS,
  plain2,
  requestToken,
  say,
  settle,
  userAgent,
} from './sasl2.ts';

const failure = (condition: string): RegExp =>
  new RegExp(`^<failure xmlns='${NS.sasl2}'><${condition} xmlns='${NS.sasl}'/>`);

/** A client that has the token T1. */
async function holder(mechanism?: string): Promise<FakeNode> {
  const node = new FakeNode();
  const { text } = await say(plain2(userAgent() + requestToken(mechanism)), { node });
  assert.match(text, /<token xmlns='urn:xmpp:fast:0' expiry='2030-01-01T00:00:00Z' token='T1'\/><\/success>/);
  return node;
}

describe('Tokens (FAST, XEP-0484)', () => {
  it('mechanisms are offered as far as the connection can bind them', () => {
    const node = new FakeNode();
    const offered = (...bindings: string[]): string[] => {
      const trial = new StreamTrial({ node, secured: true });
      for (const type of bindings) trial.connection.bindings[type] = Buffer.from(type);
      const [, list] = /<fast xmlns='urn:xmpp:fast:0'>(.*)<\/fast>/.exec(trial.say(header()).heard())!;
      return [...list!.matchAll(/HT-SHA-256-(\w+)/g)].map(([, binding]) => binding!);
    };
    assert.deepEqual(offered(), ['NONE']);
    assert.deepEqual(offered('tls-exporter', 'tls-server-end-point'), ['EXPR', 'ENDP', 'NONE']);
    assert.deepEqual(offered('tls-unique'), ['UNIQ', 'NONE']);
    node.hosts['example.org'] = { fast: false };
    assert.doesNotMatch(new StreamTrial({ node, secured: true }).say(header()).heard(), /fast|HT-/);
  });

  it('a client that asks for one is given it, and logs in with it in one message', async () => {
    const node = await holder();
    const { trial, text } = await say(byToken('T1', bind2()), { node });
    const data = `<additional-data>${hashed('T1').answer}</additional-data>`;
    assert.ok(
      text.startsWith(`<success xmlns='${NS.sasl2}'>${data}<authorization-identifier>romeo@example.org/Aw`),
      text,
    );
    assert.equal(trial.state, 'session');
    assert.ok(node.events.includes('authenticated romeo@example.org HT-SHA-256-NONE'));
    assert.equal(node.clients.logins[1]!.token!.secret, 'T1');
    assert.equal(trial.session.client, `romeo@example.org ${AGENT}`);
  });

  it('each mechanism proves the channel that it binds to, and nothing else', async () => {
    for (const [name, type] of [
      ['EXPR', 'tls-exporter'],
      ['UNIQ', 'tls-unique'],
      ['ENDP', 'tls-server-end-point'],
    ] as const) {
      const mechanism = `HT-SHA-256-${name}`;
      const trial = async (binding: string, data: Buffer): Promise<string> => {
        const stream = new StreamTrial({ node, secured: true });
        stream.connection.bindings[type] = Buffer.from(binding);
        const fast = `${userAgent()}<fast xmlns='${NS.fast}'/>`;
        stream.open().say(authenticate(mechanism, data, fast));
        await settle();
        return stream.heard();
      };
      const node = new FakeNode();
      const given = new StreamTrial({ node, secured: true });
      given.connection.bindings[type] = Buffer.from('this one');
      given.open().say(plain2(userAgent() + requestToken(mechanism)));
      await settle();
      given.expect(/token='T1'/);
      const right = hashed('T1', Buffer.from('this one'));
      const text = await trial('this one', right.first);
      assert.ok(text.includes(right.answer), `${name}: ${text}`);
      assert.match(await trial('another', right.first), failure('not-authorized'));
      assert.match(await trial('this one', hashed('T1').first), failure('not-authorized'));
    }
  });

  it('a token is of no use with another mechanism, by another client, for another account', async () => {
    const node = await holder('HT-SHA-256-NONE');
    const trial = new StreamTrial({ node, secured: true });
    trial.connection.bindings['tls-exporter'] = Buffer.from('x');
    trial
      .open()
      .say(byToken('T1', '', '', 'HT-SHA-256-EXPR'))
      .expect(failure('not-authorized'));
    const other = authenticate(
      'HT-SHA-256-NONE',
      hashed('T1').first,
      `${userAgent('other')}<fast xmlns='${NS.fast}'/>`,
    );
    assert.match((await say(other, { node })).text, failure('not-authorized'));
    const juliet = hashed('T1', undefined, 'juliet').first;
    const fast = `${userAgent()}<fast xmlns='${NS.fast}'/>`;
    assert.match((await say(authenticate('HT-SHA-256-NONE', juliet, fast), { node })).text, failure('not-authorized'));
    assert.match((await say(byToken('T2'), { node })).text, failure('not-authorized'));
  });

  it('one that is too old says so, also of an account that is disabled', async () => {
    const node = await holder();
    const [token] = node.clients.tokens.get(`romeo@example.org ${AGENT}`)!;
    node.clients.tokens.set(`romeo@example.org ${AGENT}`, [{ ...token!, expiry: Date.now() }]);
    assert.match((await say(byToken('T1'), { node })).text, failure('credentials-expired'));
    node.clients.tokens.set(`gone@example.org ${AGENT}`, [token!]);
    const gone = authenticate(
      'HT-SHA-256-NONE',
      hashed('T1', undefined, 'gone').first,
      `${userAgent()}<fast xmlns='${NS.fast}'/>`,
    );
    assert.match((await say(gone, { node })).text, failure('account-disabled'));
  });

  it('one that is gone while the login is under way gives no session', async () => {
    const node = await holder();
    node.clients.gone = true;
    const { trial, text } = await say(byToken('T1', bind2()), { node });
    assert.match(text, failure('not-authorized'));
    assert.equal(trial.state, 'login');
    assert.equal(node.users.sessionCount, 0);
  });

  it('a login with one says how often it was used, whether it is the last, and what it wants next', async () => {
    const node = await holder();
    await say(byToken('T1', requestToken(), " count='7' invalidate='true'"), { node });
    const { count, invalidate, request } = node.clients.logins[1]!;
    assert.deepEqual({ count, invalidate, request }, { count: 7, invalidate: true, request: 'HT-SHA-256-NONE' });
    await say(plain2(userAgent()), { node });
    const plain = node.clients.logins[2]!;
    assert.deepEqual(
      [plain.count, plain.invalidate, plain.request, plain.token],
      [undefined, false, undefined, undefined],
    );
  });

  it('a login that is not whole is refused: without <fast/>, without a client, a proof, a count', async () => {
    const node = await holder();
    const { first } = hashed('T1');
    const login = async (children: string, data: Buffer | undefined = first): Promise<string> =>
      (await say(authenticate('HT-SHA-256-NONE', data, children), { node })).text;
    const fast = `<fast xmlns='${NS.fast}'/>`;
    assert.match(await login(userAgent()), failure('malformed-request'));
    assert.match(await login(fast), failure('malformed-request'));
    assert.match(await login(userAgent('') + fast), failure('malformed-request'));
    assert.match(await login(userAgent() + fast, Buffer.from('romeo')), failure('malformed-request'));
    assert.match(await login(userAgent() + fast, first.subarray(0, -1)), failure('malformed-request'));
    assert.match(await login(userAgent() + fast, first.subarray(5)), failure('malformed-request'));
    for (const count of ['0', '-1', 'x', '']) {
      assert.match(
        await login(`${userAgent()}<fast xmlns='${NS.fast}' count='${count}'/>`),
        failure('malformed-request'),
      );
    }
    const none = authenticate('HT-SHA-256-NONE', undefined, userAgent() + fast);
    assert.match((await say(none, { node })).text, failure('malformed-request'));
    assert.equal(node.clients.logins.length, 1);
  });

  it('is given to no client that does not say who it is, for no mechanism that is not there, to nobody without an account', async () => {
    const node = new FakeNode();
    node.hosts['example.org'] = { anonymous: true };
    const asked = async (markup: string): Promise<string> => (await say(markup, { node })).text;
    assert.match(await asked(plain2(requestToken())), /^<success (?!.*<token)/);
    assert.match(await asked(plain2(userAgent() + requestToken('HT-SHA-256-EXPR'))), /^<success (?!.*<token)/);
    assert.match(await asked(plain2(userAgent() + requestToken('SCRAM-SHA-1'))), /^<success (?!.*<token)/);
    assert.match(await asked(authenticate('ANONYMOUS', '', userAgent() + requestToken())), /^<success (?!.*<token)/);
    node.hosts['example.org'] = { fast: false };
    assert.match(await asked(plain2(userAgent() + requestToken())), /^<success (?!.*<token)/);
    assert.match(await asked(byToken('T1')), failure('invalid-mechanism'));
  });

  it('is not taken in the old profile', async () => {
    const node = await holder();
    const data = hashed('T1').first.toString('base64');
    new StreamTrial({ node, secured: true })
      .open()
      .say(`<auth xmlns='${NS.sasl}' mechanism='HT-SHA-256-NONE'>${data}</auth>`)
      .expect(/<invalid-mechanism\/>/);
  });
});
