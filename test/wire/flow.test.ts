import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { jid } from '../kit/wire.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { fill, type Line, Lines, NS } from './line.ts';

const SLEEPY = fileURLToPath(new URL('sleepy/', import.meta.url));
const BALCONY = 'juliet@localhost/balcony';

function bodies(text: string): string[] {
  return [...text.matchAll(/<body>([^<]*)<\/body>/g)].map(match => match[1]!);
}

function sleep(ms: number): string {
  return `<sleep xmlns='urn:test:sleep'>${ms}</sleep>`;
}

function message(body: string, to = BALCONY, more = ''): string {
  return `<message to='${to}' type='chat'>${more}<body>${body}</body></message>`;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));

describe('The flow of stanzas over the wire', () => {
  let node: TestNode;
  let lines: Lines;

  before(async () => {
    node = await TestNode.start({
      users: ['romeo', 'juliet', 'nurse', 'paris'],
      yaml: `modules: { '${SLEEPY}': {} }
limits: { outboxBytes: 64 MB, outboxTime: 20 s, bytesPerSecond: 0, stanzasPerSecond: 0, inbox: 10 }
sessions: { silence: 100 s, answer: 20 s }
`,
    });
    lines = new Lines(node);
  });
  afterEach(async () => {
    lines.cut();
    node.node.hub.closeAll({ condition: 'reset' });
    await until(() => node.node.sessionCount === 0, 'the end of all sessions');
    await node.node.hub.settled();
  });
  after(() => node.stop());

  const session = (full: string) => node.node.session(jid(full));

  it('keeps the order of one sender while handlers wait (RFC 6120 10.1), and nobody else waits', async () => {
    const juliet = await lines.login('juliet', 'balcony');
    const romeo = await lines.login('romeo', 'orchard');
    const nurse = await lines.login('nurse', 'x');
    // more than may wait in the inbox
    romeo.send(
      message('0', BALCONY, sleep(150)) +
        numbers(60)
          .slice(1)
          .map(n => message(n))
          .join(''),
    );
    nurse.send(message('meanwhile'));
    await juliet.expect(/<body>59<\/body>/);
    assert.deepEqual(bodies(juliet.all), ['meanwhile', ...numbers(60)]);
  });

  it('keeps it between kinds of stanzas, and of answers', async () => {
    const juliet = await lines.login('juliet', 'balcony');
    const romeo = await lines.login('romeo', 'orchard');
    romeo.send(
      [
        message('a', BALCONY, sleep(40)),
        `<presence to='${BALCONY}' id='b'/>`,
        `<iq to='${BALCONY}' type='get' id='c'><x xmlns='urn:x'/></iq>`,
        message('d', BALCONY, sleep(20)),
        `<iq type='get' id='e'><ping xmlns='urn:xmpp:ping'/></iq>`,
        `<iq type='get' id='f'>${sleep(10)}</iq>`,
        message('g', 'romeo@localhost/orchard'),
      ].join(''),
    );
    await romeo.expect(/<body>g<\/body>/);
    const seen = (text: string): string[] =>
      [...text.matchAll(/<body>(\w)<\/body>|id='([bcef])'/g)].map(match => match[1] ?? match[2]!);
    assert.deepEqual(seen(romeo.all), ['e', 'f', 'g']);
    assert.deepEqual(seen(juliet.all), ['a', 'b', 'c', 'd']);
  });

  it('an inactive client is spared presence, gets the newest, and loses nothing else (XEP-0352)', async () => {
    const juliet = await lines.login('juliet', 'balcony');
    const romeo = await lines.login('romeo', 'orchard');
    const nurse = await lines.login('nurse', 'x');
    juliet.send(`<inactive xmlns='urn:xmpp:csi:0'/>`);
    await juliet.settle();
    const show = (from: Line, status: string): void =>
      from.stanza(`<presence to='${BALCONY}'><status>${status}</status></presence>`);
    show(romeo, 'r1');
    await romeo.settle();
    show(nurse, 'n1');
    await nurse.settle();
    show(romeo, 'r2');
    romeo.stanza(
      `<message to='${BALCONY}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    );
    await romeo.settle();
    assert.doesNotMatch(juliet.text, /<presence|<message/);
    romeo.stanza(message('m1'));
    await juliet.expect(/<body>m1<\/body>/);
    const statuses = (): string[] =>
      [...juliet.all.matchAll(/<status>(\w+)<\/status>|<body>(\w+)<\/body>/g)].map(match => match[1] ?? match[2]!);
    assert.deepEqual(statuses(), ['n1', 'r2', 'm1']);
    show(nurse, 'n2');
    show(nurse, 'n3');
    await nurse.settle();
    // what she asks for next is answered behind them
    juliet.send(`<active xmlns='urn:xmpp:csi:0'/>`);
    await juliet.settle();
    assert.deepEqual(statuses(), ['n1', 'r2', 'm1', 'n3']);
    show(romeo, 'r3');
    await juliet.expect(/r3/);
    assert.doesNotMatch(juliet.all, /composing/);
  });

  it('white space keeps a connection; silence is asked about, and cut when nothing answers', async () => {
    const talking = await lines.login('juliet', 'balcony');
    const asked = await lines.login('romeo', 'orchard');
    const dead = await lines.login('nurse', 'x');
    const counting = await lines.login('paris', 'x');
    const id = await counting.enable();
    const now = Date.now();
    await Promise.all([talking, asked, dead, counting].map(line => line.settle()));
    session(BALCONY)!.heard = now + 90_000;
    node.node.hub.sweep(now + 105_000);
    await Promise.all([asked, dead].map(line => line.expect(/<iq type='get' id='[^']+'[^>]*><ping /)));
    await counting.expect(/<r xmlns='urn:xmpp:sm:3'\/>/);
    assert.equal(talking.text, '');
    asked.send(' \n ');
    await until(() => session('romeo@localhost/orchard')!.probed === 0, 'the white space');
    node.node.hub.sweep(now + 130_000);
    await Promise.all([dead.end(), counting.end()]);
    await until(() => session('nurse@localhost/x') === undefined, 'the end of the dead');
    assert.equal(asked.closed, false);
    assert.equal(talking.closed, false);
    // who agreed on it may come back
    const again = await lines.tcp();
    await again.authenticate('paris');
    again.send(`<resume xmlns='${NS.sm}' previd='${id}' h='0'/>`);
    await again.expect(/<resumed /);
  });

  it('a reader that takes nothing for too long is cut, and its session waits for it', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const juliet = await lines.login('juliet', 'balcony');
    const id = await juliet.enable();
    juliet.freeze();
    const waiting = session(BALCONY)!;
    await fill(waiting, romeo, () => romeo.send(message('x'.repeat(20_000))));
    const { size } = waiting.outbox;
    const now = Date.now();
    node.node.hub.sweep(now);
    node.node.hub.sweep(now + 19_000);
    assert.equal(waiting.connected, true);
    node.node.hub.sweep(now + 21_000);
    await until(() => !waiting.connected, 'the cut');
    assert.equal(waiting.outbox.size, size);
    const again = await lines.tcp();
    await again.authenticate('juliet');
    again.send(`<resume xmlns='${NS.sm}' previd='${id}' h='0'/>`);
    await again.expect(/<resumed /);
    // although the oldest has waited for long
    node.node.hub.sweep(now + 40_000);
    await until(() => bodies(again.all).length === size, 'all of it');
    assert.equal(waiting.connected, true);
  });

  it('a slow reader that takes a little is not cut', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const juliet = await lines.login('juliet', 'balcony');
    juliet.freeze();
    const waiting = session(BALCONY)!;
    await fill(waiting, romeo, () => romeo.send(message('x'.repeat(20_000))));
    const now = Date.now();
    node.node.hub.sweep(now);
    const before = waiting.outbox.size;
    juliet.thaw();
    await until(() => waiting.outbox.size < before, 'some bytes');
    juliet.freeze();
    node.node.hub.sweep(now + 21_000);
    await romeo.settle();
    assert.equal(waiting.connected, true);
  });
});

describe('Rates and numbers over the wire', () => {
  let node: TestNode;
  let lines: Lines;

  before(async () => {
    node = await TestNode.start({
      users: ['romeo', 'juliet'],
      yaml: `limits: { stanzasPerSecond: 200, stanzasBurst: 50, bytesPerSecond: 500000, bytesBurst: 100000, connectionsPerAddress: 4 }\n`,
    });
    lines = new Lines(node);
  });
  afterEach(() => lines.cut());
  after(() => node.stop());

  it('who sends more than its rate is read more slowly, and refused nothing', async () => {
    const juliet = await lines.login('juliet', 'balcony');
    const romeo = await lines.login('romeo', 'orchard');
    romeo.send(
      numbers(120)
        .map(n => message(n))
        .join(''),
    );
    await juliet.expect(/<body>49<\/body>/);
    // the rest takes its time
    assert.doesNotMatch(juliet.all, /<body>119</);
    await juliet.expect(/<body>119<\/body>/);
    assert.deepEqual(bodies(juliet.all), numbers(120));
  });

  it('the same with bytes', async () => {
    const juliet = await lines.login('juliet', 'balcony');
    const romeo = await lines.login('romeo', 'orchard');
    const body = 'x'.repeat(10_000);
    romeo.send(
      numbers(25)
        .map(n => message(`${n} ${body}`))
        .join(''),
    );
    await juliet.expect(/<body>24 /);
    assert.deepEqual(
      bodies(juliet.all).map(text => text.split(' ')[0]),
      numbers(25),
    );
  });

  it('other limits hold at once, for those who are there too', async () => {
    const juliet = await lines.login('juliet', 'balcony');
    const romeo = await lines.login('romeo', 'orchard');
    const configuration = readFileSync(node.configFile, 'utf8');
    try {
      writeFileSync(node.configFile, configuration.replace('stanzasBurst: 50', 'stanzasBurst: 10'));
      await node.node.reload();
      romeo.send(
        numbers(40)
          .map(n => message(n))
          .join(''),
      );
      await juliet.expect(/<body>9<\/body>/);
      assert.doesNotMatch(juliet.all, /<body>39</);
      await juliet.expect(/<body>39<\/body>/);
    } finally {
      writeFileSync(node.configFile, configuration);
      await node.node.reload();
    }
  });

  it('an address has so many connections, of any kind, and the next when one of them has gone', async () => {
    await until(() => node.node.streams.size === 0, 'the end of all streams');
    const some = [await lines.tcp(), await lines.tls(), await lines.websocket()];
    const last = await lines.tcp();
    for (const line of [...some, last]) await line.open();
    const refused = await lines.tcp();
    await refused.end();
    assert.equal(refused.all, '');
    await assert.rejects(lines.tls());
    await assert.rejects(lines.websocket());
    some[2]!.cut();
    await until(() => node.node.streams.size === 3, 'the end of one');
    await (await lines.tls()).open();
  });
});

describe('A reader that takes nothing', () => {
  let node: TestNode;
  let lines: Lines;

  before(async () => {
    node = await TestNode.start({
      users: ['romeo', 'juliet'],
      yaml: 'limits: { outboxBytes: 1 MB, bytesPerSecond: 0, stanzasPerSecond: 0 }\n',
    });
    lines = new Lines(node);
  });
  after(async () => {
    lines.cut();
    await node.stop();
  });

  it('is closed when too much waits for it; it gets all of that later', async () => {
    const romeo = await lines.login('romeo', 'orchard');
    const juliet = await lines.login('juliet', 'balcony');
    juliet.stanza('<presence/>');
    await juliet.settle();
    juliet.freeze();
    const body = 'x'.repeat(30_000);
    let count = 0;
    while (node.node.session(jid(BALCONY)) && count < 2000) {
      for (let n = 0; n < 20; n++) romeo.send(message(`${count++} ${body}`));
      // others notice nothing
      await romeo.settle();
    }
    assert.equal(node.node.session(jid(BALCONY)), undefined);
    const again = await lines.login('juliet', 'garden');
    await node.node.hub.settled();
    again.stanza('<presence/>');
    await again.expect(new RegExp(`<body>${count - 1} `));
    const got = bodies(again.all).map(text => Number(text.split(' ')[0]));
    // without a gap up to the newest
    assert(got.length > 30, String(got.length));
    assert.deepEqual(
      got,
      Array.from({ length: got.length }, (_, n) => count - got.length + n),
    );
  });
});
