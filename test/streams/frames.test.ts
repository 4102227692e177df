import assert from 'node:assert/strict';
import { bindRequest, type FakeNode, NS, plain, StreamTrial, turn } from './kit.ts';

const OPEN = `<open xmlns='${NS.framing}' to='example.org' version='1.0'/>`;
const CLOSE = `<close xmlns='${NS.framing}'/>`;
const message = (id: string): string => `<message xmlns='jabber:client' id='${id}'/>`;

function framed(node?: FakeNode): StreamTrial {
  return new StreamTrial({ framed: true, secured: true, node });
}

async function session(): Promise<StreamTrial> {
  const trial = framed().atOnce(OPEN).atOnce(plain('romeo'));
  await turn();
  trial.atOnce(OPEN).atOnce(bindRequest('orchard').replace('<iq', `<iq xmlns='jabber:client'`));
  assert.equal(trial.state, 'session');
  trial.heard();
  return trial;
}

describe('A stream in frames: RFC 7395', () => {
  it('<open/> is answered with <open/> and features, each in a frame of its own (3.3.3, 3.4)', () => {
    const trial = framed().atOnce(OPEN);
    const [open, features, ...more] = trial.connection.writes;
    assert.match(
      open!,
      /^<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' id='[\w-]+' from='example.org' version='1.0' xml:lang='en'\/>$/,
    );
    assert.match(features!, /^<stream:features xmlns:stream='http:\/\/etherx.jabber.org\/streams'><mechanisms /);
    assert.deepEqual(more, []);
    assert.equal(trial.state, 'login');
  });

  it('STARTTLS is none of its features (3.9)', () => {
    const trial = new StreamTrial({ framed: true, allowPlaintext: true }).atOnce(OPEN);
    assert.doesNotMatch(trial.heard(), /starttls/);
    // without TLS below, and not allowed: no way in
    const other = new StreamTrial({ framed: true }).atOnce(OPEN);
    assert.doesNotMatch(other.heard(), /mechanism>/);
  });

  it('after login it is opened anew (3.7)', async () => {
    const trial = framed().atOnce(OPEN).atOnce(plain('romeo'));
    await turn();
    trial.expect(/<success xmlns='[^']+'\/>$/);
    assert.equal(trial.state, 'opening');
    trial.atOnce(OPEN).expect(/^<open .*<bind /s);
    assert.equal(trial.state, 'binding');
  });

  it('carries stanzas that say their namespace', async () => {
    const trial = await session();
    trial.atOnce(message('1')).atOnce(message('2'));
    assert.deepEqual(trial.node.handled, ['1', '2']);
    trial.atOnce(`<message id='3'/>`).failedWith('unsupported-stanza-type');
  });

  it('a frame holds one whole element', async () => {
    (await session()).atOnce(`<message xmlns='jabber:client' id='1'`).failedWith('not-well-formed');
    (await session()).atOnce(`<message xmlns='jabber:client' id='1'>`).failedWith('not-well-formed');
    const trial = await session();
    trial.atOnce(message('1') + message('2')).failedWith('not-well-formed');
    assert.deepEqual(trial.node.handled, ['1']);
    (await session()).atOnce(`${message('1')}<`).failedWith('not-well-formed');
    (await session()).atOnce(`</message>`).failedWith('not-well-formed');
  });

  it('it may have white space around it, or be nothing else', async () => {
    const trial = await session();
    trial
      .atOnce(` ${message('1')}\n`)
      .atOnce(' ')
      .atOnce('')
      .atOnce(message('2'));
    assert.deepEqual(trial.node.handled, ['1', '2']);
    assert.equal(trial.state, 'session');
  });

  it('it may begin with an XML declaration, which is not recommended', async () => {
    const trial = await session();
    trial
      .atOnce(`<?xml version='1.0'?>${message('1')}`)
      .atOnce(`<?xml version="1.0" encoding="UTF-8"?> ${message('2')}`);
    assert.deepEqual(trial.node.handled, ['1', '2']);
    trial.atOnce(`<?xml-stylesheet href='x'?>${message('3')}`).failedWith('restricted-xml');
    (await session()).atOnce(`<?php echo 1 ?>${message('3')}`).failedWith('restricted-xml');
    (await session()).atOnce(`<?xml version='1.0'?><?xml version='1.0'?>${message('3')}`).failedWith('restricted-xml');
  });

  it('frames that come while the stream is not read are read later, one by one', async () => {
    const trial = framed().atOnce(OPEN);
    trial.atOnce(plain('romeo')).atOnce(OPEN).atOnce(bindRequest('x').replace('<iq', `<iq xmlns='jabber:client'`));
    for (const id of ['1', '2']) trial.atOnce(message(id));
    assert.equal(trial.connection.paused, true);
    assert.deepEqual(trial.node.handled, []);
    await turn();
    assert.deepEqual(trial.node.handled, ['1', '2']);
    assert.equal(trial.state, 'session');
    // and each of them is one for itself
    const other = framed().atOnce(OPEN);
    other.atOnce(plain('romeo')).atOnce(OPEN.slice(0, 20)).atOnce(OPEN.slice(20));
    await turn();
    other.failedWith('not-well-formed');
    const twice = framed().atOnce(OPEN);
    twice.atOnce(plain('romeo') + OPEN);
    await turn();
    twice.failedWith('not-well-formed');
  });

  it('begins with <open/> and nothing else', () => {
    framed().atOnce(`<message xmlns='jabber:client'/>`).failedWith('invalid-namespace');
    framed().atOnce(`<open xmlns='jabber:client' to='example.org' version='1.0'/>`).failedWith('invalid-namespace');
    framed()
      .atOnce(`<stream:stream xmlns:stream='${NS.streams}' xmlns='jabber:client' to='example.org' version='1.0'>`)
      .failedWith('not-well-formed');
    framed()
      .atOnce(`<stream:stream xmlns:stream='${NS.streams}' xmlns='jabber:client' to='example.org' version='1.0'/>`)
      .failedWith('invalid-namespace');
  });

  it('errors come in a frame of their own, behind <open/>, with their prefix declared (3.5)', () => {
    const trial = framed().atOnce(OPEN.replace('example.org', 'example.com'));
    trial.failedWith('host-unknown');
    const [open, error, close] = trial.connection.writes;
    assert.match(open!, /^<open .* from='example.org'/);
    assert.match(error!, /^<stream:error xmlns:stream='http:\/\/etherx.jabber.org\/streams'><host-unknown /);
    assert.equal(close, CLOSE);
    framed().atOnce(`<open xmlns='${NS.framing}' to='example.org'/>`).failedWith('unsupported-version');
  });

  it('<close/> is answered with <close/> (3.6), in every state', async () => {
    const binding = framed().atOnce(OPEN).atOnce(plain('romeo'));
    await turn();
    binding.atOnce(OPEN);
    binding.heard();
    const login = framed().atOnce(OPEN);
    login.heard();
    for (const trial of [login, binding, await session()]) {
      trial.atOnce(CLOSE);
      assert.equal(trial.heard(), CLOSE);
      assert.equal(trial.connection.ended, true);
      assert.equal(trial.state, 'closed');
    }
  });

  it('a stanza does not nest without bound, nor get longer', async () => {
    (await session())
      .atOnce(`<message xmlns='jabber:client'>${'<x>'.repeat(30)}${'</x>'.repeat(30)}</message>`)
      .failedWith('policy-violation');
    (await session())
      .atOnce(`<message xmlns='jabber:client'>${'x'.repeat(11_000)}</message>`)
      .failedWith('policy-violation');
  });
});
