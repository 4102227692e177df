import assert from 'node:assert/strict';
import { bindRequest, FakeNode, header, NS, plain, StreamTrial, turn } from './kit.ts';

/** The attributes of the server's header. */
function said(trial: StreamTrial): Record<string, string> {
  const text = trial.heard();
  const tag = /^<\?xml version='1.0'\?><stream:stream([^>]*)>/.exec(text);
  assert(tag, text);
  return Object.fromEntries([...tag[1]!.matchAll(/ ([\w:]+)='([^']*)'/g)].map(([, name, value]) => [name!, value!]));
}

describe('Stream header: RFC 6120 4.7', () => {
  it('is answered when it is complete, and not before', () => {
    const trial = new StreamTrial();
    trial.say(header().slice(0, -1));
    assert.equal(trial.heard(), '');
    assert.equal(trial.state, 'opening');
    trial.say('>');
    const attributes = said(trial);
    assert.equal(attributes.from, 'example.org');
    assert.equal(attributes.version, '1.0');
    assert.equal(attributes.xmlns, 'jabber:client');
    assert.equal(attributes['xmlns:stream'], NS.streams);
    assert.equal(attributes['xml:lang'], 'en');
    assert.equal(attributes.to, undefined);
    assert.equal(trial.state, 'login');
  });

  it('has an id that nobody can guess: another one each time', () => {
    const ids = new Set(Array.from({ length: 50 }, () => said(new StreamTrial().say(header())).id));
    assert.equal(ids.size, 50);
    for (const id of ids) assert.match(id!, /^[\w-]{16,}$/);
  });

  it("gives 'to' back to who said 'from' (4.7.2), and the language (4.7.4)", () => {
    const attributes = said(new StreamTrial().say(header({ from: 'romeo@example.org/x', 'xml:lang': 'de-CH' })));
    assert.equal(attributes.to, 'romeo@example.org');
    assert.equal(attributes['xml:lang'], 'de-CH');
  });

  it('repeats nothing that is no address or language', () => {
    const attributes = said(new StreamTrial().say(header({ from: '@&lt;', 'xml:lang': '&quot;&gt;' })));
    assert.equal(attributes.to, undefined);
    assert.equal(attributes['xml:lang'], 'en');
  });

  it('of an account of another domain ends with invalid-from (4.9.3.9, XEP-0388 2.1)', () => {
    for (const from of ['romeo@example.net', 'example.net', 'romeo@example.org.example.net/x']) {
      const text = new StreamTrial({ secured: true }).say(header({ from })).failedWith('invalid-from');
      assert.doesNotMatch(text, /features/);
    }
    // the header before it is of the host that was asked for
    new StreamTrial({ secured: true }).say(header({ to: 'example.net', from: 'a@b' })).expect(/ from='example.net'/);
    const framed = new StreamTrial({ framed: true, secured: true });
    framed.say(`<open xmlns='${NS.framing}' to='example.org' from='romeo@example.net' version='1.0'/>`);
    framed.failedWith('invalid-from');
    for (const from of ['ROMEO@EXAMPLE.ORG', 'example.org', '', '@'])
      assert.equal(new StreamTrial().say(header({ from })).state, 'login', from);
  });

  it('finds the host however its name is written', () => {
    for (const to of ['EXAMPLE.ORG', 'example.org.', 'exaｍple.org'.normalize('NFKC')]) {
      assert.equal(said(new StreamTrial().say(header({ to }))).from, 'example.org', to);
    }
  });

  it('may have other prefixes, quotes, spaces, and no XML declaration', () => {
    for (const markup of [
      `<s:stream to="example.org" version="1.0" xmlns="jabber:client" xmlns:s="${NS.streams}">`,
      `<?xml version="1.0" encoding="utf-8" ?>\n\n<stream:stream\n  xmlns:stream='${NS.streams}'\n to = 'example.org' version='1.0' xmlns='jabber:client' >`,
      ` \n${header().replace(/^<\?.*\?>/, '')}`,
    ]) {
      const trial = new StreamTrial().say(markup);
      assert.equal(trial.state, 'login', markup);
    }
  });

  it('may leave the namespace of stanzas to the stanzas (4.8.2)', async () => {
    const trial = new StreamTrial({ secured: true });
    trial.say(header({ xmlns: undefined }));
    assert.equal(trial.state, 'login');
    assert.equal(said(trial).xmlns, 'jabber:client');
    trial.say(`<message/>`).failedWith('not-authorized');
  });

  it('may have no prefix at all: the default namespace is that of streams, and each stanza says its own (4.8.2)', async () => {
    const opening = `<stream to='example.org' version='1.0' xmlns='${NS.streams}'>`;
    const trial = new StreamTrial({ secured: true }).say(opening);
    assert.equal(said(trial).xmlns, 'jabber:client');
    trial.say(plain('romeo'));
    await turn();
    trial.expect(/<success /);
    trial.say(opening).say(bindRequest('orchard').replace('<iq', `<iq xmlns='jabber:client'`));
    await turn();
    assert.equal(trial.state, 'session');
    trial.say(`<message/>`).failedWith('unsupported-stanza-type');
  });

  it('of version 1.1 or 2.0 is answered with 1.0 (4.7.5)', () => {
    for (const version of ['1.0', '1.1', '1.15', '2.0', '01.0', '10.3']) {
      assert.equal(said(new StreamTrial().say(header({ version }))).version, '1.0', version);
    }
  });

  it('of version 0.9, of none or of nonsense ends with unsupported-version (4.9.3.25)', () => {
    for (const version of [undefined, '', '0.9', '0.0', '1', 'x', '1.0 ', '-1.0']) {
      new StreamTrial().say(header({ version })).failedWith('unsupported-version');
    }
  });

  it("to a host that is not served here, or to none, ends with host-unknown, from the server's own name (4.9.1.2)", () => {
    for (const to of [undefined, '', 'example.com', 'romeo@example.org', 'example.org/x', 'exa mple', '&lt;']) {
      const text = new StreamTrial().say(header({ to })).failedWith('host-unknown');
      assert.match(text, /^<\?xml version='1.0'\?><stream:stream [^>]*from='example.org'/);
    }
  });

  it('of another namespace ends with invalid-namespace (4.8.1, 4.8.3)', () => {
    for (const changes of [
      { 'xmlns:stream': 'http://jabber.org/streams' },
      { xmlns: 'jabber:server' },
      { xmlns: 'http://www.w3.org/1999/xhtml' },
    ]) {
      new StreamTrial().say(header(changes)).failedWith('invalid-namespace');
    }
    new StreamTrial()
      .say(`<stream to='example.org' version='1.0' xmlns='jabber:client'>`)
      .failedWith('invalid-namespace');
  });

  it('that is none ends with bad-format', () => {
    new StreamTrial().say(header().replace('stream:stream', 'stream:features')).failedWith('bad-format');
  });

  it('with a prefix that is declared nowhere is not well-formed', () => {
    new StreamTrial().say(header({ 'xmlns:stream': undefined })).failedWith('not-well-formed');
    new StreamTrial().say(header({ 'a:b': 'c' })).failedWith('not-well-formed');
  });

  it('may come once only', async () => {
    new StreamTrial()
      .say(header())
      .say(header().replace(/^<\?.*\?>/, ''))
      .failedWith('bad-format');
    const trial = await StreamTrial.session();
    trial.say(header().replace(/^<\?.*\?>/, '')).failedWith('bad-format');
  });

  it('in another encoding than UTF-8 ends with unsupported-encoding (11.6)', () => {
    new StreamTrial().say(`<?xml version='1.0' encoding='ISO-8859-1'?>`).failedWith('unsupported-encoding');
    new StreamTrial().say(`<?xml version='1.0' encoding='utf-8'?>${header().replace(/^<\?.*\?>/, '')}`);
  });

  it('that is something else altogether is answered with a header and an error', () => {
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'x', '{}', '\x16\x03\x01\x02\x00', '<', '<<', '</stream:stream>']) {
      const trial = new StreamTrial().say(bytes);
      if (bytes === '<') continue;
      const text = trial.failedWith('not-well-formed');
      assert.match(text, /^<\?xml version='1.0'\?><stream:stream [^>]*from='example.org'[^>]*><stream:error>/);
    }
    new StreamTrial().say(`<!DOCTYPE x>`).failedWith('restricted-xml');
    new StreamTrial().say(`<!-- -->`).failedWith('restricted-xml');
    new StreamTrial().say(`<?xml-stylesheet href='x'?>`).failedWith('not-well-formed');
  });

  it('and its end at once are answered in kind', () => {
    const trial = new StreamTrial().say(header().replace(/>$/, '/>'));
    assert.match(trial.heard(), /<stream:features>.*<\/stream:features><\/stream:stream>$/);
    assert.equal(trial.connection.ended, true);
  });

  it('of a host whose clients are sent elsewhere is answered with see-other-host (4.9.3.19)', () => {
    const node = new FakeNode();
    node.hosts['example.net'] = { seeOtherHost: '[2001:db8::1]:9222' };
    const text = new StreamTrial({ node }).say(header({ to: 'example.net' })).failedWith('see-other-host');
    assert.match(
      text,
      /<see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>\[2001:db8::1\]:9222<\/see-other-host>/,
    );
  });

  it('names the same host after login', async () => {
    const trial = new StreamTrial({ secured: true }).open().say(plain('romeo'));
    await turn();
    trial.expect(/<success /);
    trial.say(header({ to: 'example.net' })).failedWith('host-unknown');
  });
});
