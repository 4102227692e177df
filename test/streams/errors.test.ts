import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { streamErrorWire } from '../../src/protocol/index.ts';
import { FakeNode, header, StreamTrial } from './kit.ts';

/** What makes the server end a stream with each condition: RFC 6120 4.9.3. Those of the node come from outside of the stream. */
const CAUSES: Record<string, () => StreamTrial | Promise<StreamTrial>> = {
  'bad-format': () => new StreamTrial().open().say('x'),
  conflict: async () => {
    const node = new FakeNode();
    const old = await StreamTrial.session('orchard', { node });
    await StreamTrial.session('orchard', { node });
    return old;
  },
  'connection-timeout': () => {
    const trial = new StreamTrial();
    trial.stream.fail({ condition: 'connection-timeout' });
    return trial;
  },
  'host-gone': async () => {
    const trial = await StreamTrial.session();
    trial.session.close({ condition: 'host-gone' });
    return trial;
  },
  'host-unknown': () => new StreamTrial().say(header({ to: 'example.com' })),
  'invalid-from': async () => (await StreamTrial.session()).say(`<message from='x@y'/>`),
  'invalid-namespace': () => new StreamTrial().say(header({ xmlns: 'jabber:server' })),
  'not-authorized': () => new StreamTrial().open().say('<message/>'),
  'not-well-formed': async () => (await StreamTrial.session()).say('<message></presence>'),
  'policy-violation': () => new StreamTrial().open().say('<x>'.repeat(20)),
  'resource-constraint': async () => {
    const trial = await StreamTrial.session();
    trial.connection.frozen = true;
    for (let n = 0; n < 2000 && trial.state === 'session'; n++) trial.session.sendWire(`<message id='${n}'/>`);
    return trial;
  },
  'restricted-xml': async () => (await StreamTrial.session()).say('<message><!-- x --></message>'),
  'see-other-host': () => {
    const node = new FakeNode();
    node.hosts['example.org'] = { seeOtherHost: 'example.net' };
    return new StreamTrial({ node }).say(header());
  },
  'system-shutdown': async () => {
    const trial = await StreamTrial.session();
    trial.node.hub.closeAll({ condition: 'system-shutdown' });
    return trial;
  },
  'undefined-condition': async () => {
    const trial = await StreamTrial.session();
    trial.enable();
    return trial.say(`<a xmlns='urn:xmpp:sm:3' h='1'/>`);
  },
  'unsupported-encoding': () => new StreamTrial().say(`<?xml version='1.0' encoding='UTF-16'?>`),
  'unsupported-stanza-type': async () => (await StreamTrial.session()).say('<query/>'),
  'unsupported-version': () => new StreamTrial().say(header({ version: undefined })),
};

/** Those of servers among each other, and of components. */
const OTHERS = ['improper-addressing'];

describe('Stream errors: RFC 6120 4.9', () => {
  for (const [condition, cause] of Object.entries(CAUSES)) {
    it(`${condition} ends a stream in order`, async () => {
      (await cause()).failedWith(condition);
    });
  }

  it('there is no other that a client can be sent', () => {
    const found = new Set<string>();
    const folder = path.join(import.meta.dirname, '../../src');
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts') || name.endsWith('stanza-error.ts')) continue;
      if (name.includes('/sasl/')) continue; // its failures are SASL's (RFC 6120 6.5)
      const text = readFileSync(path.join(folder, name), 'utf8');
      for (const [, condition] of text.matchAll(/condition: '([a-z-]+)'[,;} ]/g)) found.add(condition!);
      for (const [, condition] of text.matchAll(/this\.fault\('([a-z-]+)'/g)) found.add(condition!);
    }
    for (const condition of OTHERS) found.delete(condition);
    assert.deepEqual([...found].filter(condition => !(condition in CAUSES)).toSorted(), []);
  });

  it('an error before the header has a header before it (4.9.1.2)', () => {
    for (const condition of ['system-shutdown', 'connection-timeout', 'policy-violation'] as const) {
      const trial = new StreamTrial();
      trial.stream.fail({ condition });
      assert.match(trial.failedWith(condition), /^<\?xml version='1.0'\?><stream:stream [^>]*><stream:error>/);
    }
  });

  it('an error has one header before it', () => {
    const trial = new StreamTrial().say(header());
    trial.stream.fail({ condition: 'reset' });
    assert.equal(trial.failedWith('reset').match(/<stream:stream /g)!.length, 1);
  });

  it('between login and the next header, too (4.3.3)', async () => {
    const trial = new StreamTrial({ secured: true }).open();
    trial.say(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHJvbWVv</auth>`);
    await new Promise(resolve => setImmediate(resolve));
    trial.expect(/^<success /);
    trial.stream.fail({ condition: 'reset' });
    assert.match(trial.failedWith('reset'), /^<\?xml version='1.0'\?><stream:stream /);
  });

  it('is written as 4.9.2 says, and nothing in it breaks out of it', () => {
    assert.equal(
      streamErrorWire({ condition: 'undefined-condition', text: 'a <b> & c', application: `<x xmlns='urn:x'/>` }, true),
      `<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>a &lt;b&gt; &amp; c</text><x xmlns='urn:x'/></stream:error>`,
    );
    assert.match(
      streamErrorWire({ condition: 'see-other-host', value: '<x>' }, false),
      /^<stream:error xmlns:stream='http:\/\/etherx.jabber.org\/streams'><see-other-host xmlns='[^']+'>&lt;x&gt;<\/see-other-host>/,
    );
  });

  it('does not repeat what it was sent', () => {
    const evil = '&lt;/text&gt;';
    const text = new StreamTrial().say(header({ to: `${evil}.org` })).failedWith('host-unknown');
    assert.doesNotMatch(text.replace(/<\/text>/, ''), /<\/text>/);
  });
});
