import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import type { Session } from '../../src/session/session.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { ask, Bosh, ending, HTTPBIND, type Reply } from './bosh-client.ts';
import { Lines, NS } from './line.ts';

const message = (id: string, body = id): string =>
  `<message xmlns='jabber:client' to='juliet@localhost' id='${id}'><body>${body}</body></message>`;
const PING = `<iq xmlns='jabber:client' type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>`;

/** A request that the test writes piece by piece. */
class Slow {
  text = '';
  closed = false;
  private readonly socket: net.Socket;

  constructor(port: number, length: number) {
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.on('data', data => (this.text += String(data)));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.closed = true));
    this.write(`POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`);
  }

  write(text: string): void {
    this.socket.write(text);
  }

  cut(): void {
    this.socket.destroy();
  }
}

describe('BOSH and those who mean no good', () => {
  let node: TestNode;
  let lines: Lines;
  let clients: Bosh[];

  before(async () => {
    node = await TestNode.start({
      users: ['romeo', 'juliet'],
      yaml: `limits: { bytesPerSecond: 0, stanzasPerSecond: 0, stanza: 20000, outboxBytes: 400000, connectionsPerAddress: 0 }
bosh: { wait: 30, body: 65536, sessions: 3000 }
`,
    });
    lines = new Lines(node);
  });
  beforeEach(() => {
    clients = [];
  });
  afterEach(async () => {
    lines.cut();
    for (const client of clients) client.cut();
    for (const session of [...node.node.sessions()]) session.close({ condition: 'reset' });
    await until(() => node.node.sessionCount === 0, 'no session');
  });
  after(() => node.stop());

  const url = (): string => `http://127.0.0.1:${node.httpPort}/http-bind`;

  function bosh(): Bosh {
    const client = new Bosh(node);
    clients.push(client);
    return client;
  }

  function sessionOf(name: string): Session | undefined {
    return node.node.user({ bare: `${name}@localhost` } as never)?.sessions[0] as Session | undefined;
  }

  it('what is no request is refused, and ends nothing', async () => {
    const romeo = await bosh().login('romeo', 'garden');
    const { sid } = romeo;
    const attrs = `xmlns='${HTTPBIND}' to='localhost' ver='1.6'`;
    const none: (string | Buffer)[] = [
      '',
      ' ',
      'hello',
      '<',
      `<body ${attrs} rid='1'`,
      `<body ${attrs} rid='1'>`,
      `<body ${attrs} rid='1'></bod>`,
      `<body ${attrs}/>`,
      `<body ${attrs} rid='0'/>`,
      `<body ${attrs} rid='-1'/>`,
      `<body ${attrs} rid='1.5'/>`,
      `<body ${attrs} rid='1e3'/>`,
      `<body ${attrs} rid='9007199254740992'/>`,
      `<body ${attrs} rid='99999999999999999999'/>`,
      `<body ${attrs} rid='1' wait='x'/>`,
      `<body ${attrs} rid='1' hold='-1'/>`,
      `<body xmlns='${HTTPBIND}' to='localhost' rid='1' ver='one'/>`,
      `<body xmlns='jabber:client' to='localhost' rid='1'/>`,
      `<body to='localhost' rid='1'/>`,
      `<bodies ${attrs} rid='1'/>`,
      `<body ${attrs} rid='1' rid='2'/>`,
      `<body ${attrs} rid='1'/><body/>`,
      `<body ${attrs} rid='1'/>x`,
      `<body ${attrs} rid='1'>text</body>`,
      `<body ${attrs} rid='1'><!-- --></body>`,
      `<body ${attrs} rid='1'><?pi?></body>`,
      `<!DOCTYPE body><body ${attrs} rid='1'/>`,
      `<body ${attrs} rid='1'><a>&lol;</a></body>`,
      `<body ${attrs} rid='1'><a></b></body>`,
      `<body ${attrs} rid='1'><a:b/></body>`,
      Buffer.from(`<body ${attrs} rid='1'><a>\xe9</a></body>`, 'latin1'),
      Buffer.from(`\ufeff<body ${attrs} rid='1'/>`, 'utf16le'),
    ];
    for (const body of none) {
      const reply = await ask(url(), body);
      assert.equal(reply.status, 200);
      assert.equal(ending(reply), 'bad-request', String(body));
    }
    assert.match((await romeo.send(PING)).text, /id='ping'/);
    assert.equal(romeo.sid, sid);
  });

  it('what is too long is refused before it has come, by whom it may be', async () => {
    const long = `<body xmlns='${HTTPBIND}' rid='1' to='${'x'.repeat(9000)}'/>`;
    assert.equal(ending(await ask(url(), long)), 'policy-violation');
    const many = `<body xmlns='${HTTPBIND}' rid='1' to='localhost' ver='1.6'>${'<a/>'.repeat(20_000)}</body>`;
    assert.equal(ending(await ask(url(), many)), 'policy-violation');
    // a length that is only announced
    const slow = new Slow(node.httpPort, 1e9);
    slow.write(`<body xmlns='${HTTPBIND}' rid='1' to='localhost' ver='1.6'>${'<a/>'.repeat(20_000)}`);
    await until(() => slow.text.includes('policy-violation'), 'a refusal');
    slow.cut();
    // before login
    const early = bosh();
    await early.create();
    assert.equal(ending(await early.send(message('m', 'x'.repeat(50_000)))), 'policy-violation');
    assert.equal(ending(await early.send()), 'item-not-found');
    // a stanza
    const romeo = await bosh().login('romeo', 'garden');
    assert.equal(ending(await romeo.send(message('m', 'x'.repeat(30_000)))), 'policy-violation');
    await until(() => node.node.sessionCount === 0, 'the end');
    // a request of many
    const again = await bosh().login('romeo', 'garden');
    assert.match((await again.send(message('m', 'x'.repeat(15_000)).repeat(4) + PING)).text, /id='ping'/);
    assert.equal(ending(await again.send(message('m', 'x'.repeat(15_000)).repeat(5))), 'policy-violation');
  });

  it('malformed payloads end a session, and nothing of their request is done', async () => {
    const juliet = await lines.login('juliet', 'balcony');
    juliet.stanza('<presence/>');
    const romeo = await bosh().login('romeo', 'garden');
    const held = romeo.send();
    assert.equal(ending(await romeo.send(`${message('never')}<message`)), 'bad-request');
    assert.equal(ending(await held), 'other-request');
    assert.equal(ending(await romeo.send()), 'item-not-found');
    const benvolio = await bosh().login('romeo', 'garden');
    await benvolio.send(message('after') + PING);
    await juliet.expect(/id='after'/);
    assert(!juliet.all.includes('never'));
  });

  it('stanzas that are none end the stream', async () => {
    for (const [payload, condition] of [
      [`<message xmlns='jabber:server' to='juliet@localhost'/>`, 'unsupported-stanza-type'],
      [`<message xmlns='jabber:client' from='juliet@localhost'/>`, 'invalid-from'],
      [`<starttls xmlns='${NS.tls}'/>`, 'unsupported-stanza-type'],
      [`<open xmlns='${NS.framing}' to='localhost' version='1.0'/>`, 'unsupported-stanza-type'],
    ] as const) {
      const romeo = await bosh().login('romeo', 'garden');
      const reply = await romeo.send(payload);
      assert.equal(ending(reply), 'remote-stream-error');
      assert.match(reply.text, new RegExp(`<stream:error [^>]*><${condition} `));
    }
  });

  it('a body that comes byte by byte holds nobody up, and is done when it is whole', async () => {
    const romeo = await bosh().login('romeo', 'garden');
    const juliet = await bosh().login('juliet', 'balcony');
    await juliet.send("<presence xmlns='jabber:client'/>");
    const text = romeo.body(message('slow'));
    const slow = new Slow(node.httpPort, text.length);
    for (const c of text.slice(0, -1)) slow.write(c);
    const held = juliet.send();
    const benvolio = await bosh().login('romeo', 'pocket');
    assert.match((await benvolio.send(PING)).text, /id='ping'/);
    assert.equal(slow.text, '');
    slow.write('>');
    assert.match((await held).text, /id='slow'/);
    slow.cut();
  });

  it('of a body that is cut nothing is done; it comes again', async () => {
    const romeo = await bosh().login('romeo', 'garden');
    const juliet = await lines.login('juliet', 'balcony');
    juliet.stanza('<presence/>');
    const text = romeo.body(message('whole') + message('half'));
    const slow = new Slow(node.httpPort, text.length);
    slow.write(text.slice(0, -40));
    slow.cut();
    void romeo.raw(text);
    await juliet.expect(/id='whole'.*id='half'/s);
    void romeo.send(message('end'));
    await juliet.expect(/id='end'/);
    assert.equal([...juliet.all.matchAll(/<message [^>]*id='(?:whole|half)'/g)].length, 2);
  });

  it('two with the same rid at once are done once', async () => {
    const romeo = await bosh().login('romeo', 'garden');
    const juliet = await lines.login('juliet', 'balcony');
    juliet.stanza('<presence/>');
    const text = romeo.body(message('once') + PING);
    const replies = await Promise.all([ask(url(), text), ask(url(), text), ask(url(), text)]);
    assert(replies.some(reply => reply.text.includes("id='ping'")));
    void romeo.send(message('end'));
    await juliet.expect(/id='end'/);
    assert.equal([...juliet.all.matchAll(/id='once'/g)].length, 1);
  });

  it('whoever does not know the rid learns nothing of it', async () => {
    const answers = new Set<string>();
    for (const offset of [-1000, -10, 10, 1000]) {
      const romeo = await bosh().login('romeo', 'garden');
      answers.add((await romeo.send('', '', Math.max(1, romeo.rid + offset))).text);
    }
    answers.add((await ask(url(), `<body xmlns='${HTTPBIND}' rid='5' sid='nobody'/>`)).text);
    assert.equal(answers.size, 1);
  });

  it('what waits for a client that is not there is bounded by its outbox, and kept', async () => {
    const romeo = await bosh().login('romeo', 'garden');
    await romeo.send("<presence xmlns='jabber:client'/>");
    const juliet = await lines.login('juliet', 'balcony');
    const body = 'x'.repeat(15_000);
    let sent = 0;
    while (sessionOf('romeo') && sent < 100) {
      juliet.send(`<message to='romeo@localhost' type='chat' id='n${sent++}'><body>${body}</body></message>`);
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    assert(sent > 20 && sent < 40, `${sent}`);
    // its last word waits for it, without what was kept
    const end = await romeo.send();
    assert.equal(ending(end), 'remote-stream-error');
    assert.match(end.text, /resource-constraint/);
    assert(!end.text.includes('<message'));
    // the next one reads all of it at once
    writeFileSync(
      node.configFile,
      readFileSync(node.configFile, 'utf8').replace('outboxBytes: 400000', 'outboxBytes: 8000000'),
    );
    await node.node.reload();
    const again = await lines.login('romeo', 'garden');
    again.stanza('<presence/>');
    await again.expect(new RegExp(`id='n${sent - 1}'`));
    const ids = [...again.all.matchAll(/<message [^>]*id='n(\d+)'/g)].map(match => Number(match[1]));
    assert.deepEqual(
      ids,
      Array.from({ length: sent }, (_, n) => n),
    );
  });

  it('a client that reads on gets all of it, in order, in responses of moderate size', async () => {
    const romeo = await bosh().login('romeo', 'garden');
    const juliet = await lines.login('juliet', 'balcony');
    const body = 'x'.repeat(15_000);
    for (let n = 0; n < 20; n++) {
      juliet.send(`<message to='romeo@localhost/garden' id='n${n}'><body>${body}</body></message>`);
    }
    await until(() => sessionOf('romeo')!.outbox.size >= 20, 'all of it');
    let text = '';
    let largest = 0;
    while (!text.includes("id='n19'")) {
      const reply: Reply = await romeo.send();
      text += reply.text;
      largest = Math.max(largest, reply.text.length);
    }
    const ids = [...text.matchAll(/<message [^>]*id='n(\d+)'/g)].map(match => Number(match[1]));
    assert.deepEqual(
      ids,
      Array.from({ length: 20 }, (_, n) => n),
    );
    assert(largest < 160_000, `${largest}`);
  });

  it('a client that is not read waits with its requests, and may have no more open than agreed (11)', async () => {
    const romeo = await bosh().login('romeo', 'garden');
    const go = node.node.hub.pause();
    const first = romeo.send(message('a').repeat(200));
    const second = romeo.send(message('b').repeat(200));
    await new Promise(resolve => setTimeout(resolve, 200));
    const third = romeo.send(message('c').repeat(200));
    assert.equal(ending(await third), 'policy-violation');
    go();
    assert.equal(ending(await first), 'other-request');
    assert.equal(ending(await second), 'other-request');
  });

  it('nor any number of them beside one that lost its connection', async () => {
    const romeo = await bosh().login('romeo', 'garden');
    const go = node.node.hub.pause();
    const lost = romeo.send(message('a').repeat(200));
    await new Promise(resolve => setTimeout(resolve, 200));
    lost.request.destroy();
    void romeo.send(PING);
    void romeo.send(PING);
    await new Promise(resolve => setTimeout(resolve, 200));
    assert.equal(ending(await romeo.send(PING)), 'policy-violation');
    go();
  });

  it('thousands of sessions cost one timer, and there are no more than are allowed', async () => {
    const agents = Array.from({ length: 8 }, () => bosh());
    const replies: Reply[] = [];
    await Promise.all(
      agents.map(async client => {
        for (let n = 0; n < 376; n++) replies.push(await client.create("ver='1.6' wait='30' hold='1'"));
      }),
    );
    const begun = replies.filter(reply => reply.text.includes(' sid='));
    const refused = replies.filter(reply => reply.text.includes('resource-constraint'));
    // a few of the tests before may still have their last word to say
    assert(begun.length > 2900 && begun.length <= 3000, `${begun.length}`);
    assert.equal(begun.length + refused.length, 3008);
    assert.equal(ending(refused[0]!), 'remote-stream-error');
    const timers = process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
    assert(timers < 100, `${timers} timers`);
    // every one of them is there
    const last = agents[0]!;
    assert.equal(ending(await last.send('', "type='terminate'")), 'in order');
    assert.match((await bosh().create()).text, / sid='/);
    node.node.streams.closeAll({ condition: 'reset' });
    await until(() => node.node.streams.size === 0, 'no streams');
  }).timeout(60_000);
});
