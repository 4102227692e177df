import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { jid } from '../kit/wire.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { fill, type Line, Lines, NS } from './line.ts';

const SLEEPY = fileURLToPath(new URL('sleepy/', import.meta.url));

function bodies(text: string): string[] {
  return [...text.matchAll(/<body>([^<]*)<\/body>/g)].map(match => match[1]!);
}

function sleep(ms: number): string {
  return `<sleep xmlns='urn:test:sleep'>${ms}</sleep>`;
}

describe('Stream management over the wire: XEP-0198', () => {
  let node: TestNode;
  let lines: Lines;

  before(async () => {
    node = await TestNode.start({
      users: ['romeo', 'juliet', 'nurse'],
      yaml: `modules: { '${SLEEPY}': {} }\nsessions: { resumption: 60 s }\n`,
    });
    lines = new Lines(node);
  });
  afterEach(async () => {
    lines.cut();
    node.node.hub.closeAll({ condition: 'reset' });
    await node.node.hub.settled();
    await until(() => node.node.sessionCount === 0, 'the end of all sessions');
    // what was left for them
    for (const name of ['romeo', 'juliet']) {
      const line = await lines.login(name, 'sweeper');
      line.stanza('<presence/>');
      await line.settle();
    }
    lines.cut();
    await until(() => node.node.sessionCount === 0, 'the end of all sessions');
  });
  after(() => node.stop());

  const session = (full: string) => node.node.session(jid(full));

  async function resume(line: Line, id: string, h: number): Promise<void> {
    await line.authenticate('juliet');
    line.send(`<resume xmlns='${NS.sm}' previd='${id}' h='${h}'/>`);
  }

  const say = (romeo: Line, body: string): void =>
    romeo.stanza(`<message to='juliet@localhost/balcony' type='chat'><body>${body}</body></message>`);

  it('a session goes from TCP to TLS to WebSocket, and nothing is lost or doubled', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const first = await lines.login('juliet', 'balcony');
    const id = await first.enable();
    first.stanza('<presence/>');
    await first.expect(/<presence [^>]*from='juliet@localhost\/balcony'/);
    say(romeo, '1');
    say(romeo, '2');
    await first.expect(/<body>2<\/body>/);
    // it has handled its own presence and '1', and takes '2' for lost
    first.cut();
    await until(() => session('juliet@localhost/balcony')?.connected === false, 'the cut');
    say(romeo, '3');
    await romeo.settle();

    const second = await lines.tls();
    await resume(second, id, 2);
    await second.expect(/<resumed [^>]*h='1'/);
    await second.expect(/<body>3<\/body>/);
    assert.deepEqual(bodies(second.all), ['2', '3']);
    second.send(`<a xmlns='${NS.sm}' h='4'/>`);
    say(romeo, '4');
    await second.expect(/<body>4<\/body>/);
    second.stanza(`<message to='romeo@localhost/orchard'><body>back</body></message>`);
    second.send(`<r xmlns='${NS.sm}'/>`);
    await second.expect(/<a xmlns='urn:xmpp:sm:3' h='2'\/>/);
    second.cut();
    await until(() => session('juliet@localhost/balcony')?.connected === false, 'the cut');

    const third = await lines.websocket();
    await resume(third, id, 4);
    await third.expect(/<resumed [^>]*h='2'/);
    say(romeo, '5');
    await third.expect(/<body>5<\/body>/);
    assert.deepEqual(bodies(third.all), ['4', '5']);
    await romeo.expect(/<body>back<\/body>/);
    assert.equal(session('juliet@localhost/balcony')!.transport, 'websocket');
  });

  it('one that was cut while its archive was told to it is resumed at once, and gets the rest', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const juliet = await lines.login('juliet', 'balcony');
    juliet.stanza('<presence/>');
    const told = Array.from({ length: 30 }, (_, i) => `${i}`);
    for (const body of told) say(romeo, `${body}${' '.repeat(20_000)}`);
    await juliet.expect(/<body>29 /);
    const id = await juliet.enable();
    juliet.stanza("<iq type='set' id='all'><query xmlns='urn:xmpp:mam:2'/></iq>");
    await juliet.expect(/<forwarded .*<body>5 /s);
    // it has taken nothing, as far as it said
    juliet.cut();
    await until(() => session('juliet@localhost/balcony')?.connected === false, 'the cut');
    const again = await lines.tcp();
    await resume(again, id, 0);
    const before = performance.now();
    await again.expect(/<resumed /);
    assert(performance.now() - before < 5000);
    await again.expect(/<iq [^>]*id='all'.*?<\/iq>/);
    assert.deepEqual(
      bodies(again.all)
        .map(body => body.trim())
        .slice(-30),
      told,
    );
  });

  it('what is acknowledged that was never sent ends the stream', async () => {
    const line = await lines.login('juliet', 'balcony');
    await line.enable();
    line.send(`<a xmlns='${NS.sm}' h='7'/>`);
    const text = await line.endsWith('undefined-condition');
    assert.match(text, /<handled-count-too-high xmlns='urn:xmpp:sm:3' h='7' send-count='0'\/>/);
  });

  it('what was not acknowledged when time is over goes to who takes it later, once and in order, with its time', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const juliet = await lines.login('juliet', 'balcony');
    juliet.stanza('<presence/>');
    await juliet.expect(/<presence [^>]*from='juliet/);
    await juliet.enable();
    say(romeo, '1');
    await juliet.expect(/<body>1<\/body>/);
    juliet.send(`<a xmlns='${NS.sm}' h='1'/>`);
    await juliet.settle();
    say(romeo, '2');
    await juliet.expect(/<body>2<\/body>/);
    juliet.cut();
    await until(() => session('juliet@localhost/balcony')?.connected === false, 'the cut');
    say(romeo, '3');
    await romeo.settle();
    const nurse = await lines.login('nurse', 'x');
    node.node.hub.sweep(Date.now() + 59_000);
    assert.equal(session('juliet@localhost/balcony')?.alive, true);
    node.node.hub.sweep(Date.now() + 61_000);
    assert.equal(session('juliet@localhost/balcony'), undefined);
    await node.node.hub.settled();
    const again = await lines.login('juliet', 'garden');
    again.stanza('<presence/>');
    await again.expect(/<body>3<\/body>.*?<\/message>/);
    const text = await again.settle();
    assert.deepEqual(bodies(again.all), ['2', '3'], text);
    assert.equal(again.all.match(/<delay /g)?.length, 2);
    assert.doesNotMatch(await nurse.settle(), /<message/);
  });

  it('what came before another session was there goes to that one when time is over; what came later it has', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const write = (body: string): void =>
      romeo.stanza(`<message to='juliet@localhost' type='chat'><body>${body}</body></message>`);
    const juliet = await lines.login('juliet', 'balcony');
    await juliet.enable();
    juliet.stanza('<presence/>');
    await juliet.expect(/<presence [^>]*from='juliet/);
    juliet.cut();
    await until(() => session('juliet@localhost/balcony')?.connected === false, 'the cut');
    write('1');
    await romeo.settle();
    const other = await lines.login('juliet', 'garden');
    other.stanza('<presence/>');
    await other.settle();
    // times are told in milliseconds
    await new Promise(resolve => setTimeout(resolve, 5));
    write('2');
    await other.expect(/<body>2<\/body>/);
    assert.deepEqual(bodies(other.all), ['2']);
    session('juliet@localhost/balcony')!.close({ condition: 'reset' });
    await node.node.hub.settled();
    await other.expect(/<body>1<\/body>.*<delay /);
    await other.settle();
    assert.deepEqual(bodies(other.all), ['2', '1']);
  });

  it('what was stamped by somebody else has the time when it came here as well', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const juliet = await lines.login('juliet', 'balcony');
    await juliet.enable();
    juliet.cut();
    await until(() => session('juliet@localhost/balcony')?.connected === false, 'the cut');
    const delay = `<delay xmlns='urn:xmpp:delay' from='romeo@localhost' stamp='2002-09-10T23:08:25Z'/>`;
    romeo.stanza(`<message to='juliet@localhost/balcony' type='chat'><body>late</body>${delay}</message>`);
    await romeo.settle();
    const came = Date.now();
    await new Promise(resolve => setTimeout(resolve, 300));
    session('juliet@localhost/balcony')!.close({ condition: 'reset' });
    await node.node.hub.settled();
    const again = await lines.login('juliet', 'garden');
    again.stanza('<presence/>');
    await again.expect(/<body>late<\/body>/);
    const [, stamp] = await again.expect(/<delay [^>]*from='localhost' stamp='([^']+)'/);
    assert.ok(Date.parse(stamp!) <= came, stamp);
  });

  it('a request that was not answered when time is over is answered with an error; one that was is not answered again', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const juliet = await lines.login('juliet', 'balcony');
    await juliet.enable();
    for (const id of ['one', 'two'])
      romeo.stanza(`<iq to='juliet@localhost/balcony' type='get' id='${id}'><query xmlns='jabber:iq:version'/></iq>`);
    await juliet.expect(/<iq [^>]*id='two'/);
    juliet.stanza(`<iq to='romeo@localhost/orchard' type='result' id='one'/>`);
    await romeo.expect(/<iq [^>]*type='result' id='one'|<iq [^>]*id='one' type='result'/);
    juliet.cut();
    await until(() => session('juliet@localhost/balcony')?.connected === false, 'the cut');
    session('juliet@localhost/balcony')!.close({ condition: 'reset' });
    await node.node.hub.settled();
    await romeo.expect(/<recipient-unavailable /);
    await romeo.settle();
    assert.equal(romeo.all.match(/ id='one'/g)?.length, 1);
    assert.equal(romeo.all.match(/ id='two'/g)?.length, 1);
  });

  it('contacts see who does not come back leave, when time is over and not before', async () => {
    const juliet = await lines.login('juliet', 'balcony');
    const romeo = await lines.login('romeo', 'orchard');
    romeo.stanza('<presence/>');
    await romeo.enable();
    romeo.stanza(`<presence to='juliet@localhost/balcony'/>`);
    await juliet.expect(/<presence from='romeo@localhost\/orchard' to='juliet@localhost\/balcony'/);
    romeo.cut();
    await until(() => session('romeo@localhost/orchard')?.connected === false, 'the cut');
    assert.doesNotMatch(await juliet.settle(), /unavailable/);
    node.node.hub.sweep(Date.now() + 61_000);
    await juliet.expect(
      /<presence [^>]*from='romeo@localhost\/orchard'[^>]*type='unavailable'|<presence [^>]*type='unavailable'[^>]*from='romeo@localhost\/orchard'/,
    );
  });

  it('a resumption that fails leaves the client to bind: wrong id, another account, too late', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const id = await romeo.enable();
    const line = await lines.tcp();
    for (const previd of ['nonsense', id]) {
      if (line.all === '') await line.authenticate('juliet');
      line.send(`<resume xmlns='${NS.sm}' previd='${previd}' h='0'/>`);
      await line.expect(/<failed xmlns='urn:xmpp:sm:3'><item-not-found /);
    }
    await line.bind('balcony');
    // Romeo noticed nothing of it
    await romeo.settle();
    romeo.cut();
    await until(() => session('romeo@localhost/orchard')?.connected === false, 'the cut');
    node.node.hub.sweep(Date.now() + 61_000);
    const late = await lines.tcp();
    await late.authenticate('romeo');
    late.send(`<resume xmlns='${NS.sm}' previd='${id}' h='0'/>`);
    await late.expect(/<failed .*<item-not-found /);
    await late.bind('orchard');
  });

  it('a client that closes its stream has its session end, though it could have been resumed', async () => {
    const juliet = await lines.login('juliet', 'balcony');
    const id = await juliet.enable();
    juliet.stanza('<presence/>');
    juliet.send('</stream:stream>');
    await juliet.expect(/<a xmlns='urn:xmpp:sm:3' h='1'\/><\/stream:stream>/);
    assert.equal(session('juliet@localhost/balcony'), undefined);
    const next = await lines.tcp();
    await resume(next, id, 0);
    await next.expect(/<failed .*<item-not-found /);
  });

  it('a connection that still lives ends with conflict when its session is resumed on another', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const first = await lines.login('juliet', 'balcony');
    const id = await first.enable();
    say(romeo, '1');
    await first.expect(/<body>1<\/body>/);
    const second = await lines.tls();
    await resume(second, id, 1);
    await second.expect(/<resumed /);
    await first.endsWith('conflict');
    say(romeo, '2');
    await second.expect(/<body>2<\/body>/);
    assert.deepEqual(bodies(second.all), ['2']);
  });

  it('two that resume at once: one gets it, nothing is lost, and the other may come again', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const first = await lines.login('juliet', 'balcony');
    const id = await first.enable();
    // its session is busy when the others come
    first.stanza(`<message to='romeo@localhost/orchard'>${sleep(100)}<body>slow</body></message>`);
    say(romeo, '1');
    await first.expect(/<body>1<\/body>/);
    first.cut();
    const both = [await lines.tcp(), await lines.tls()];
    await Promise.all(both.map(line => line.authenticate('juliet')));
    for (const line of both) line.send(`<resume xmlns='${NS.sm}' previd='${id}' h='0'/>`);
    await until(
      () => both.some(line => line.closed) && both.some(line => bodies(line.all).length > 0),
      'a winner and a loser',
    );
    const winner = both.find(line => !line.closed)!;
    const loser = both.find(line => line.closed)!;
    assert.match(loser.all, /<conflict /);
    assert.deepEqual(bodies(winner.all), ['1']);
    await romeo.expect(/<body>slow<\/body>/);
    say(romeo, '2');
    await winner.expect(/<body>2<\/body>/);
    assert.equal(node.node.user(jid('juliet@localhost'))!.sessions.length, 1);
  });

  it('half a stanza is forgotten when the connection is cut, and what was read is counted, also what still waits', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const first = await lines.login('juliet', 'balcony');
    const id = await first.enable();
    const to = `to='romeo@localhost/orchard'`;
    first.send(
      `<message ${to}>${sleep(80)}<body>a</body></message><message ${to}><body>b</body></message><message ${to}><body>c`,
    );
    await until(() => session('juliet@localhost/balcony')!.settled() !== undefined, 'work');
    first.cut();
    const second = await lines.websocket();
    await resume(second, id, 0);
    await second.expect(/<resumed [^>]*h='2'/);
    second.stanza(`<message ${to}><body>c</body></message>`);
    await romeo.expect(/<body>c<\/body>/);
    assert.deepEqual(bodies(romeo.all), ['a', 'b', 'c']);
  });

  it('<r/> is answered behind what is still being handled', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const juliet = await lines.login('juliet', 'balcony');
    await juliet.enable();
    const to = `to='romeo@localhost/orchard'`;
    const r = `<r xmlns='${NS.sm}'/>`;
    juliet.send(
      `${r}<message ${to}>${sleep(40)}<body>a</body></message>${r}<message ${to}><body>b</body></message>${r}<message ${to}>${sleep(10)}<body>c</body></message>${r}`,
    );
    await juliet.expect(/h='3'\/>/);
    await until(() => [...juliet.all.matchAll(/<a xmlns/g)].length === 4, 'four answers');
    const answers = [...juliet.all.matchAll(/<a xmlns='[^']+' h='(\d)'\/>/g)].map(match => Number(match[1]));
    assert.equal(answers[0], 0);
    for (const [index, h] of answers.entries()) assert.ok(h >= index, `the answer ${index} said ${h}`);
    assert.deepEqual(bodies(romeo.all), ['a', 'b', 'c']);
  });

  it('what is said while a long queue is being stored takes its place behind it', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const juliet = await lines.login('juliet', 'balcony');
    await juliet.enable();
    juliet.freeze();
    const waiting = session('juliet@localhost/balcony')!;
    let count = 0;
    for (; count < 2500; count++) say(romeo, String(count));
    await romeo.settle();
    juliet.cut();
    await until(() => !waiting.connected, 'the cut');
    node.node.hub.sweep(Date.now() + 61_000);
    for (; count < 2600; count++) say(romeo, String(count));
    await romeo.settle();
    await node.node.hub.settled();
    const again = await lines.login('juliet', 'garden');
    again.stanza('<presence/>');
    await again.expect(/<body>2599</);
    assert.deepEqual(
      bodies(again.all),
      Array.from({ length: 2600 }, (_, n) => String(n)),
    );
  });

  it('an acknowledgement comes when an offline message is stored, not before', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    await romeo.enable();
    romeo.stanza(`<message to='nurse@localhost' type='chat'><body>stored</body></message>`);
    romeo.send(`<r xmlns='${NS.sm}'/>`);
    await romeo.expect(/<a xmlns='urn:xmpp:sm:3' h='1'\/>/);
    const nurse = await lines.login('nurse', 'x');
    nurse.stanza('<presence/>');
    await nurse.expect(/<body>stored<\/body>/);
  });

  for (const transport of ['tcp', 'tls', 'websocket'] as const) {
    it(`a reader whose connection is reset keeps what it was not sent, though it never agreed to acknowledge: ${transport}`, async () => {
      const romeo = await lines.login('romeo', 'orchard');
      const juliet = await (await lines[transport]()).login('juliet', 'balcony');
      juliet.stanza('<presence/>');
      await juliet.settle();
      juliet.freeze();
      const sent = session('juliet@localhost/balcony')!;
      const body = 'x'.repeat(20_000);
      let count = 0;
      await fill(sent, romeo, () => say(romeo, `${count++} ${body}`));
      // not yet written, and written: of these the kernel may have taken some, not all
      const { unwritten, size } = sent.outbox;
      juliet.cut();
      await until(() => session('juliet@localhost/balcony') === undefined, 'the end');
      await node.node.hub.settled();
      const again = await lines.login('juliet', 'balcony');
      again.stanza('<presence/>');
      await again.expect(new RegExp(`<body>${count - 1} `));
      const numbers = bodies(again.all).map(text => Number(text.split(' ')[0]));
      assert(numbers.length > unwritten && numbers.length <= size, `${unwritten} < ${numbers.length} <= ${size}`);
      assert.deepEqual(
        numbers,
        Array.from({ length: numbers.length }, (_, n) => count - numbers.length + n),
      );
    });
  }
});
