import assert from 'node:assert/strict';
import { FakeNode, header, NS, StreamTrial, turn } from './kit.ts';

const get = (id: string): string => `<iq type='get' id='${id}'><x xmlns='y'/></iq>`;

describe('A stream with a session', () => {
  it('hands stanzas on, byte by byte or many at once', async () => {
    const trial = await StreamTrial.session();
    trial.say(`<message id='1'/> <presence id='2'></presence>\n`);
    trial.atOnce(`<message id='3'/>${get('4')}<message id='5'`);
    assert.deepEqual(trial.node.handled, ['1', '2', '3', '4']);
    trial.atOnce(`/>`);
    assert.deepEqual(trial.node.handled, ['1', '2', '3', '4', '5']);
    assert.equal(trial.elements()[0]!.attrs.id, '4');
  });

  it('does the same however its bytes are cut', async () => {
    const input = Buffer.from(
      `${get('a')} <message id='ö'><body>&lt;❤</body></message>\n<r xmlns='${NS.sm}'/>${get('b')}<presence id='c'/></stream:stream>`,
    );
    const outcome = async (...cuts: number[]): Promise<string> => {
      const trial = await StreamTrial.session();
      trial.enable();
      let from = 0;
      for (const cut of [...cuts, input.length]) {
        trial.connection.receive(input.subarray(from, cut));
        from = cut;
      }
      return JSON.stringify([trial.node.handled, trial.heard(), trial.state]);
    };
    const whole = await outcome();
    assert.match(whole, /^\[\["a","ö","b","c"\],.*<\/stream:stream>","closed"\]$/);
    for (let cut = 1; cut < input.length; cut++) assert.equal(await outcome(cut), whole, String(cut));
    for (let cut = 1; cut < input.length - 7; cut += 5) assert.equal(await outcome(cut, cut + 1, cut + 7), whole);
  });

  it('keeps the order of its stanzas while a handler waits (10.1), and stops reading when many wait', async () => {
    const trial = await StreamTrial.session();
    const slow = Promise.withResolvers<void>();
    trial.node.waits.set('1', slow.promise);
    trial.atOnce(Array.from({ length: 20 }, (_, n) => get(String(n + 1))).join(''));
    assert.deepEqual(trial.node.handled, ['1']);
    assert.equal(trial.connection.paused, true);
    slow.resolve();
    await trial.session.settled();
    await turn();
    assert.deepEqual(
      trial.node.handled,
      Array.from({ length: 20 }, (_, n) => String(n + 1)),
    );
    assert.deepEqual(
      trial.elements().map(answer => answer.attrs.id),
      trial.node.handled,
    );
    assert.equal(trial.connection.paused, false);
  });

  it('gives others their turn in a flood', async () => {
    const trial = await StreamTrial.session();
    trial.atOnce(Array.from({ length: 200 }, (_, n) => `<message id='${n}'/>`).join(''));
    const first = trial.node.handled.length;
    assert(first > 0 && first < 200, String(first));
    for (let i = 0; i < 10 && trial.node.handled.length < 200; i++) await turn();
    assert.equal(trial.node.handled.length, 200);
    assert.deepEqual(
      trial.node.handled,
      Array.from({ length: 200 }, (_, n) => String(n)),
    );
  });

  it('is read more slowly when it sends more stanzas or bytes than its rate, and refused nothing', async () => {
    for (const limits of [
      { stanzasPerSecond: 1000, stanzasBurst: 10 },
      { bytesPerSecond: 100_000, bytesBurst: 500 },
    ]) {
      const node = new FakeNode();
      node.limits = { ...node.limits, ...limits };
      const trial = await StreamTrial.session('x', { node });
      for (let n = 0; n < 30; n++) {
        if (!trial.connection.paused || n < 25) trial.atOnce(`<message id='${n}'><body>ho hum</body></message>`);
      }
      assert.equal(trial.connection.paused, true);
      const before = node.handled.length;
      assert(before < 25, String(before));
      for (let i = 0; i < 200 && trial.connection.paused; i++) await new Promise(resolve => setTimeout(resolve, 5));
      assert.equal(trial.connection.paused, false);
      assert.equal(trial.state, 'session');
      assert(node.handled.length > before);
      assert.deepEqual(
        node.handled,
        node.handled.map((_, n) => String(n)),
      );
    }
  });

  it('has the rate of the newest limits', async () => {
    const node = new FakeNode();
    const trial = await StreamTrial.session('x', { node });
    const flood = (): void => {
      for (let n = 0; n < 30; n++) trial.atOnce(`<message id='${n}'/>`);
    };
    flood();
    assert.equal(trial.connection.paused, false);
    node.limits = { ...node.limits, stanzasPerSecond: 1000, stanzasBurst: 10 };
    trial.stream.renewRate();
    flood();
    assert.equal(trial.connection.paused, true);
    await new Promise(resolve => setTimeout(resolve, 50));
    node.limits = { ...node.limits, stanzasPerSecond: 0 };
    trial.stream.renewRate();
    flood();
    await turn();
    assert.equal(trial.connection.paused, false);
  });

  it('ends with unsupported-stanza-type for what is no stanza (4.9.3.24)', async () => {
    for (const markup of [
      '<query/>',
      `<x xmlns='urn:x'/>`,
      `<message xmlns='jabber:server'/>`,
      `<message xmlns=''/>`,
      `<stream:features/>`,
      `<starttls xmlns='${NS.tls}'/>`,
      `<auth xmlns='${NS.sasl}' mechanism='PLAIN'/>`,
      `<idle xmlns='urn:xmpp:csi:0'/>`,
      `<enabled xmlns='${NS.sm}'/>`,
      `<close xmlns='${NS.framing}'/>`,
    ]) {
      const trial = await StreamTrial.session();
      trial.say(markup).failedWith('unsupported-stanza-type');
      assert.equal(trial.node.users.sessionCount, 0);
    }
  });

  it("ends with invalid-from for another's address (8.1.2.1)", async () => {
    for (const from of ['juliet@example.org', 'romeo@example.org/other', 'example.org', '']) {
      const trial = await StreamTrial.session();
      trial.say(`<message id='1' from='${from}'/>`).failedWith('invalid-from');
      assert.deepEqual(trial.node.handled, []);
    }
  });

  it('does nothing with what came behind an error', async () => {
    const trial = await StreamTrial.session();
    trial.atOnce(`<message id='1'/><message id='2' from='juliet@example.org'/><message id='3'/>`);
    assert.deepEqual(trial.node.handled, ['1']);
    trial.failedWith('invalid-from');
  });

  it('what its client was to have comes before the error', async () => {
    const trial = await StreamTrial.session();
    trial.atOnce(`${get('1')}<query/>`);
    trial.expect(/^<iq type='result' id='1'.*<stream:error>/);
  });

  it('white space between stanzas is nothing (4.6.1), text is bad-format', async () => {
    const trial = await StreamTrial.session();
    trial.say(' \r\n\t ');
    assert.equal(trial.heard(), '');
    trial.say('x').failedWith('bad-format');
  });

  it('takes <active/> and <inactive/> (XEP-0352) without a word', async () => {
    const trial = await StreamTrial.session();
    trial.say(`<inactive xmlns='urn:xmpp:csi:0'/><active xmlns='urn:xmpp:csi:0'/>`);
    assert.equal(trial.heard(), '');
  });

  it('does not read a client that does not read its answers', async () => {
    const trial = await StreamTrial.session();
    trial.enable();
    trial.connection.frozen = true;
    const flood = `<r xmlns='${NS.sm}'/>`.repeat(100);
    let sent = 0;
    while (!trial.connection.paused && sent < 100) {
      trial.atOnce(flood);
      sent++;
    }
    assert.equal(trial.connection.paused, true);
    const { backlog } = trial.connection;
    assert(backlog < 80_000, String(backlog));
    // what the transport had in its hands already changes little
    trial.atOnce(flood);
    assert.equal(trial.connection.backlog, backlog);
    trial.connection.frozen = false;
    trial.connection.take();
    assert.equal(trial.connection.paused, false);
  });
});

describe('The end of a stream: RFC 6120 4.4', () => {
  it('the client closes: it gets its end, and its session ends', async () => {
    const trial = await StreamTrial.session();
    trial.say('</stream:stream>');
    assert.equal(trial.heard(), '</stream:stream>');
    assert.equal(trial.state, 'closed');
    assert.equal(trial.connection.ended, true);
    assert.equal(trial.node.users.sessionCount, 0);
    trial.connection.cut();
    assert.equal(trial.node.events.at(-1), 'closed');
  });

  it('the client closes while answers are under way: they come first', async () => {
    const trial = await StreamTrial.session();
    const slow = Promise.withResolvers<void>();
    trial.node.waits.set('1', slow.promise);
    trial.atOnce(`${get('1')}${get('2')}</stream:stream>`);
    trial.atOnce(get('3'));
    assert.equal(trial.heard(), '');
    assert.equal(trial.connection.ended, false);
    assert.equal(trial.node.users.sessionCount, 1);
    slow.resolve();
    await trial.session.settled();
    await turn();
    const text = trial.heard();
    assert.match(text, /^<iq type='result' id='1'[^>]*\/><iq type='result' id='2'[^>]*\/><\/stream:stream>$/);
    assert.deepEqual(trial.node.handled, ['1', '2']);
    assert.equal(trial.node.users.sessionCount, 0);
  });

  it('with stream management the last word is what has been handled', async () => {
    const trial = await StreamTrial.session();
    trial.enable();
    trial.say(`<message id='1'/><message id='2'/></stream:stream>`);
    assert.equal(trial.heard(), `<a xmlns='${NS.sm}' h='2'/></stream:stream>`);
    // a client that closes its stream does not come back (XEP-0198 5)
    assert.equal(trial.node.users.sessionCount, 0);
  });

  it('with stream management a client that closes and is cut while answers are under way does not come back either', async () => {
    const trial = await StreamTrial.session();
    trial.enable();
    const slow = Promise.withResolvers<void>();
    trial.node.waits.set('1', slow.promise);
    trial.atOnce(`<message id='1'/></stream:stream>`);
    const { session } = trial;
    trial.connection.cut();
    slow.resolve();
    await session.settled();
    await turn();
    assert.equal(session.alive, false);
    assert.equal(trial.node.users.sessionCount, 0);
  });

  it('before a session too, in every state', async () => {
    const states = [
      new StreamTrial().open(),
      new StreamTrial({ secured: true }).open(),
      await new StreamTrial({ secured: true }).authenticate(),
    ];
    for (const trial of states) {
      trial.say('</stream:stream>');
      assert.equal(trial.heard(), '</stream:stream>');
      assert.equal(trial.connection.ended, true);
    }
  });

  it('another end tag is none', async () => {
    const trial = await StreamTrial.session();
    trial.say('</stream>').failedWith('not-well-formed');
  });

  it('a stream error of the client is its end (4.9.1.1)', async () => {
    const trial = await StreamTrial.session();
    trial.say(
      `<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`,
    );
    assert.equal(trial.heard(), '</stream:stream>');
    assert.equal(trial.node.users.sessionCount, 0);
    assert.deepEqual(trial.node.errors, []);
    const early = new StreamTrial().open().say(`<stream:error><reset xmlns='urn:x'/></stream:error>`);
    assert.equal(early.heard(), '</stream:stream>');
  });

  it('the server closes: what waits comes before its last word', async () => {
    const trial = await StreamTrial.session();
    trial.session.sendWire(`<iq type='set' id='push'/>`);
    trial.session.close({ condition: 'reset', text: 'Maintenance & more' });
    const text = trial.failedWith('reset');
    assert.match(text, /^<iq type='set' id='push'\/><stream:error>.*Maintenance &amp; more<\/text>/);
  });

  it('the server closes once', async () => {
    const trial = await StreamTrial.session();
    trial.stream.fail({ condition: 'reset' });
    trial.stream.fail({ condition: 'system-shutdown' });
    trial.atOnce('</stream:stream>');
    trial.failedWith('reset');
    assert.equal(trial.node.errors.length, 1);
  });

  it('a connection that goes takes its session along', async () => {
    const trial = await StreamTrial.session();
    trial.atOnce(`<message id='1'`);
    trial.connection.cut();
    assert.equal(trial.state, 'closed');
    assert.equal(trial.node.users.sessionCount, 0);
    assert.deepEqual(trial.node.handled, []);
  });

  it('one that went before it said anything leaves nothing', () => {
    const trial = new StreamTrial();
    trial.connection.cut();
    assert.deepEqual(trial.node.events, ['opened', 'closed']);
    const half = new StreamTrial().say(header().slice(0, 20));
    half.connection.cut();
    assert.deepEqual(half.node.events, ['opened', 'closed']);
  });
});
