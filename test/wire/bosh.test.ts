import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Session } from '../../src/session/session.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { ask, type Asked, attributes, Bosh, ending, HTTPBIND } from './bosh-client.ts';
import { Lines, NS } from './line.ts';

const message = (id: string, to = 'juliet@localhost'): string =>
  `<message xmlns='jabber:client' to='${to}' id='${id}'><body>${id}</body></message>`;
const PING = (id: string): string =>
  `<iq xmlns='jabber:client' type='get' id='${id}'><ping xmlns='urn:xmpp:ping'/></iq>`;
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** 'held' when there is no answer within a moment. */
async function outcome(asked: Asked, ms = 150): Promise<string> {
  return Promise.race([asked.then(({ text }) => text), pause(ms).then(() => 'held')]);
}

describe('BOSH over real HTTP: XEP-0124, XEP-0206', () => {
  let node: TestNode;
  let lines: Lines;
  let clients: Bosh[];

  before(async () => {
    node = await TestNode.start({
      users: ['romeo', 'juliet'],
      yaml: `hosts: { localhost: {}, gone.example: { seeOtherHost: else.example } }
limits: { bytesPerSecond: 0, stanzasPerSecond: 0 }
bosh: { wait: 30, polling: 5, inactivity: 5, pause: 10 }
login: { throttle: false }
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
    await until(() => node.node.sessionCount === 0, 'no session', 10_000);
  });
  after(() => node.stop());

  function bosh(tls = false): Bosh {
    const client = new Bosh(node, tls);
    clients.push(client);
    return client;
  }

  function sessionOf(name: string): Session {
    return node.node.user({ bare: `${name}@localhost` } as never)!.sessions[0]! as Session;
  }

  describe('how a session begins (7, XEP-0206 4)', () => {
    it('with what was agreed, and the features of the stream', async () => {
      const client = bosh();
      const reply = await client.create("ver='1.6' wait='60' hold='1' ack='1' xml:lang='en'");
      const { sid, authid, ...rest } = attributes(reply);
      assert.match(sid!, /^[\w-]{24}$/);
      assert.match(authid!, /^[\w-]{16}$/);
      assert.deepEqual(rest, {
        xmlns: HTTPBIND,
        wait: '30',
        requests: '2',
        hold: '1',
        inactivity: '5',
        polling: '5',
        maxpause: '10',
        ver: '1.6',
        ack: String(client.rid),
        from: 'localhost',
        'xmlns:xmpp': 'urn:xmpp:xbosh',
        'xmpp:version': '1.0',
        'xmpp:restartlogic': 'true',
        'xmlns:stream': 'http://etherx.jabber.org/streams',
      });
      assert.match(reply.text, /<stream:features [^>]*><mechanisms .*<mechanism>PLAIN<\/mechanism>/);
      assert(!/starttls|-PLUS|stream='/.test(reply.text.replace(/xmlns:stream='[^']*'/g, '')), reply.text);
      assert.equal(reply.status, 200);
      assert.equal(reply.headers['content-type'], 'text/xml; charset=utf-8');
      assert.equal(Number(reply.headers['content-length']), Buffer.byteLength(reply.text));
    });

    it('never with more than was asked for', async () => {
      assert.equal(attributes(await bosh().create("ver='1.11' wait='3' hold='5'")).wait, '3');
      const { hold, requests, ver } = attributes(await bosh().create("ver='2.0' hold='7' wait='5'"));
      assert.deepEqual([hold, requests, ver], ['1', '2', '1.11']);
      assert.equal(attributes(await bosh().create("ver='1.4' hold='1' wait='5'")).ver, '1.4');
    });

    it('longer inactivity for those that poll (12)', async () => {
      const { inactivity, requests } = attributes(await bosh().create("ver='1.6' wait='0' hold='0'"));
      assert.deepEqual([inactivity, requests], ['20', '1']);
    });

    it('in the Content-Type that was asked for, and in no page', async () => {
      const reply = await bosh().create("ver='1.6' content='text/html; charset=utf-8'");
      assert.equal(reply.headers['content-type'], 'text/html; charset=utf-8');
      assert.match(String(reply.headers['content-security-policy']), /sandbox/);
      assert.equal(reply.headers['x-content-type-options'], 'nosniff');
      for (const content of ['text', 'text/html&#10;X-Evil: 1', 'text/html&#xD;&#xA;X: 1', 'text/ html', '']) {
        const refused = await bosh().create(`ver='1.6' content='${content}'`);
        assert.equal(ending(refused), 'bad-request', content);
        assert.equal(refused.headers['x-evil'], undefined);
      }
    });

    it('not for domains that are not here', async () => {
      assert.equal(ending(await bosh().create("ver='1.6'", 'three.example')), 'host-unknown');
      assert.equal(ending(await bosh().create("ver='1.6'", '')), 'improper-addressing');
      const client = bosh();
      const none = await client.raw(`<body xmlns='${HTTPBIND}' ver='1.6' rid='7'/>`);
      assert.equal(ending(none), 'improper-addressing');
      const elsewhere = await bosh().create("ver='1.6'", 'gone.example');
      assert.equal(ending(elsewhere), 'remote-stream-error');
      assert.match(elsewhere.text, /<stream:error [^>]*><see-other-host [^>]*>else\.example</);
    });

    it('in any way to write it', async () => {
      const client = bosh();
      const reply = await client.raw(
        `<?xml version="1.0" encoding="UTF-8"?>\n<b:body xmlns:b="${HTTPBIND}" xmlns='jabber:client' b='x' to="localhost" rid="99" ver="1.6" route='xmpp:other.example:9' secure='true' from='romeo@localhost'></b:body>\n \n`,
      );
      assert.match(reply.text, /^<body [^>]*sid='/);
      client.sid = attributes(reply).sid!;
      client.rid = 99;
      await client.authenticate('romeo');
      const bound = await client.raw(
        `<b:body xmlns:b="${HTTPBIND}" xmlns='jabber:client' xmlns:s='urn:ietf:params:xml:ns:xmpp-bind' rid='${++client.rid}' sid='${client.sid}'>\n  <iq type='set' id='b'><s:bind><s:resource>garden</s:resource></s:bind></iq>\n</b:body>`,
      );
      assert.match(bound.text, /<iq xmlns='jabber:client' [^>]*type='result'/);
      // XEP-0206 2: stanzas of the body's own namespace are those of jabber:client
      const ping = await client.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
      assert.match(ping.text, /<iq xmlns='jabber:client' [^>]*id='p'/);
    });
  });

  describe('logins (XEP-0206 5)', () => {
    it('lead to a session that others can write to', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      assert.equal(romeo.jid, 'romeo@localhost/garden');
      assert.equal(sessionOf('romeo').transport, 'bosh');
      assert.equal(sessionOf('romeo').address, '127.0.0.1');
      const juliet = await lines.login('juliet', 'balcony');
      const asked = romeo.send();
      assert.equal(await outcome(asked), 'held');
      juliet.send("<message to='romeo@localhost/garden' id='m1'><body>Ay \u2764</body></message>");
      assert.match(
        (await asked).text,
        /^<body [^>]*><message xmlns='jabber:client' [^>]*id='m1'[^>]*><body>Ay \u2764<\/body>/,
      );
      juliet.stanza('<presence/>');
      const back = romeo.send(message('m2') + message('m3'));
      await juliet.expect(/id='m2'.*id='m3'/s);
      assert.equal(await outcome(back), 'held');
    });

    it('fail as anywhere, and may be tried again', async () => {
      const client = bosh();
      await client.create();
      const wrong = Buffer.from('\0romeo\0wrong').toString('base64');
      const auth = `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${wrong}</auth>`;
      assert.match((await client.send(auth)).text, /<failure [^>]*><not-authorized\/>/);
      await client.authenticate('romeo');
    });

    it('that go wrong too often end in a stream error, and the next request hears of it', async () => {
      const client = bosh();
      await client.create();
      const wrong = Buffer.from('\0romeo\0wrong').toString('base64');
      for (let n = 0; n < 4; n++) {
        await client.send(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${wrong}</auth>`);
      }
      const last = await client.send(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${wrong}</auth>`);
      const end = /terminate/.test(last.text) ? last : await client.send();
      assert.equal(ending(end), 'remote-stream-error');
      assert.match(end.text, /<stream:error [^>]*><policy-violation /);
      assert.equal(ending(await client.send()), 'item-not-found');
      client.sid = '';
    });

    it('need a restart, whose payloads are ignored', async () => {
      const client = bosh();
      await client.create();
      const data = Buffer.from('\0romeo\0romeo').toString('base64');
      await client.until(/<success /, `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${data}</auth>`);
      const features = await client.send(message('early'), "to='localhost' xmpp:restart='true'");
      assert.match(features.text, /^<body [^>]*xmlns:stream='[^>]*><stream:features/);
      assert(!features.text.includes('sid='), features.text);
      await client.bind('garden');
    });

    it('without a restart nothing goes on', async () => {
      const client = bosh();
      await client.create();
      const data = Buffer.from('\0romeo\0romeo').toString('base64');
      await client.until(/<success /, `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${data}</auth>`);
      const reply = await client.send(PING('p'));
      assert.equal(ending(reply), 'remote-stream-error');
      assert.match(reply.text, /restart request/);
    });
  });

  describe('requests in order (8, 14)', () => {
    it('one is held, and answered when the next comes', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const first = romeo.send();
      assert.equal(await outcome(first), 'held');
      const second = romeo.send(PING('p'));
      // with what the second one brought about
      assert.match((await first).text, /<iq [^>]*id='p'/);
      assert.equal(await outcome(second), 'held');
      const third = romeo.send("<presence xmlns='jabber:client' to='nobody@localhost'/>");
      assert.equal((await second).text, `<body xmlns='${HTTPBIND}'/>`);
      assert.equal(await outcome(third), 'held');
    });

    it('those that overtake others wait for them', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const juliet = await lines.login('juliet', 'balcony');
      juliet.stanza('<presence/>');
      const { rid } = romeo;
      const late = romeo.send(message('two'), '', rid + 2);
      assert.equal(await outcome(late), 'held');
      assert(!juliet.all.includes("id='two'"));
      const early = romeo.send(message('one'), '', rid + 1);
      await juliet.expect(/id='one'.*id='two'/s);
      assert.equal((await early).text, `<body xmlns='${HTTPBIND}'/>`);
      romeo.rid = rid + 2;
    });

    it('one beyond the window ends the session, and the other request hears of it', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const held = romeo.send();
      await outcome(held, 30);
      const beyond = await romeo.send('', '', romeo.rid + 3);
      assert.equal(ending(beyond), 'item-not-found');
      assert.equal(ending(await held), 'other-request');
      assert.equal(ending(await romeo.send()), 'item-not-found');
      await until(() => node.node.sessionCount === 0, 'the end');
    });

    it('at the latest after the time agreed, with nothing', async () => {
      const romeo = await bosh().login('romeo', 'garden', "ver='1.6' wait='2' hold='1'");
      const began = performance.now();
      assert.equal((await romeo.send()).text, `<body xmlns='${HTTPBIND}'/>`);
      const took = performance.now() - began;
      assert(took > 900 && took < 2100, `${took} ms`);
    });
  });

  describe('what was lost on the way (14.3)', () => {
    it('a request that comes again gets the same answer, and is not done twice', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const juliet = await lines.login('juliet', 'balcony');
      juliet.stanza('<presence/>');
      const text = romeo.body(message('once') + PING('p'));
      const first = await romeo.raw(text);
      assert.match(first.text, /id='p'/);
      for (let n = 0; n < 3; n++) assert.equal((await romeo.raw(text)).text, first.text);
      await romeo.send(message('end') + PING('q'));
      await juliet.expect(/id='once'.*id='end'/s);
      assert.equal([...juliet.all.matchAll(/<message /g)].length, 2);
      // and one request later it is still there
      assert.equal((await romeo.raw(text)).text, first.text);
    });

    it('what is no more kept ends the session', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const { rid } = romeo;
      for (let n = 0; n < 4; n++) await romeo.send(PING(`p${n}`));
      assert.equal(ending(await romeo.send('', '', rid + 1)), 'item-not-found');
      await until(() => node.node.sessionCount === 0, 'the end');
    });

    it('a request that is held and comes again takes the place of the first', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const juliet = await lines.login('juliet', 'balcony');
      const first = romeo.send();
      await outcome(first, 30);
      const again = romeo.send('', '', first.rid);
      assert.equal((await first).text, `<body xmlns='${HTTPBIND}' type='error'/>`);
      assert.equal(await outcome(again, 50), 'held');
      juliet.send("<message to='romeo@localhost/garden' id='m1'/>");
      assert.match((await again).text, /id='m1'/);
    });

    it('one whose connection broke waits for it to come again', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const juliet = await lines.login('juliet', 'balcony');
      const first = romeo.send();
      await outcome(first, 50);
      first.request.destroy();
      await pause(50);
      juliet.send("<message to='romeo@localhost/garden' id='m1'/>");
      await pause(50);
      assert.match((await romeo.send('', '', first.rid)).text, /id='m1'/);
    });

    it('of two that broke the one that comes again is answered', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const juliet = await lines.login('juliet', 'balcony');
      const first = romeo.send();
      await outcome(first, 50);
      first.request.destroy();
      await pause(50);
      const second = romeo.send(PING('p'));
      assert.match((await second).text, /id='p'/);
      assert.equal((await romeo.send('', '', first.rid)).text, `<body xmlns='${HTTPBIND}'/>`);
      const third = romeo.send();
      juliet.send("<message to='romeo@localhost/garden' id='m1'/>");
      assert.match((await third).text, /id='m1'/);
    });

    it('one that comes again and again ends the session', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      let held = romeo.send();
      await outcome(held, 30);
      let last = '';
      for (let n = 0; n < 12 && last !== 'policy-violation'; n++) {
        const next = romeo.send('', '', held.rid);
        const reply = await Promise.race([held, next]);
        last = reply.text.includes('terminate') ? ending(await next) : attributes(reply).type!;
        held = next;
      }
      assert.equal(last, 'policy-violation');
    });

    it('what a client that does not come back was not known to have is kept for it', async () => {
      const romeo = await bosh().login('romeo', 'garden', "ver='1.6' wait='0' hold='0'");
      await romeo.send("<presence xmlns='jabber:client'/>");
      const juliet = await lines.login('juliet', 'balcony');
      juliet.send("<message to='romeo@localhost/garden' type='chat' id='m1'><body>lost</body></message>");
      await until(() => sessionOf('romeo').outbox.size > 0, 'the message');
      assert.match((await romeo.send(PING('p'))).text, /id='m1'/);
      // in the response; whether it came nobody knows
      assert.equal(sessionOf('romeo').outbox.size > 0, true);
      node.node.session(sessionOf('romeo').jid)!.drop();
      await until(() => node.node.user({ bare: 'romeo@localhost' } as never) === undefined, 'the end');
      const again = await lines.login('romeo', 'garden');
      again.stanza('<presence/>');
      await again.expect(/<message [^>]*id='m1'.*lost/);
    });

    it('and what the next request could not come without, is not', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const juliet = await lines.login('juliet', 'balcony');
      const first = romeo.send();
      juliet.send("<message to='romeo@localhost/garden' type='chat' id='m1'><body>x</body></message>");
      await first;
      assert(sessionOf('romeo').outbox.size > 0);
      const second = romeo.send();
      await until(() => sessionOf('romeo').outbox.size === 0, 'an empty outbox');
      juliet.send("<message to='romeo@localhost/garden' type='chat' id='m2'><body>x</body></message>");
      await second;
      // one with something in it may have crossed the response: it is answered soon, and the next one tells
      const third = romeo.send(message('m'));
      assert.equal(sessionOf('romeo').outbox.size, 1);
      assert.equal((await third).text, `<body xmlns='${HTTPBIND}'/>`);
      const fourth = romeo.send();
      await until(() => sessionOf('romeo').outbox.size === 0, 'an empty outbox');
      assert.equal(await outcome(fourth, 50), 'held');
    });
  });

  describe('acknowledgements (9)', () => {
    it('tell the client of the requests that came', async () => {
      const romeo = await bosh().login('romeo', 'garden', "ver='1.6' wait='10' hold='1' ack='1'");
      const first = romeo.send();
      await outcome(first, 50);
      const second = romeo.send(message('m'), `ack='${romeo.rid - 1}'`);
      assert.equal(attributes(await first).ack, String(second.rid));
    });

    it('tell the server which responses came, and it tells of one that did not', async () => {
      const romeo = await bosh().login('romeo', 'garden', "ver='1.6' wait='10' hold='1' ack='1'");
      const juliet = await lines.login('juliet', 'balcony');
      const before = romeo.rid;
      const first = romeo.send();
      juliet.send("<message to='romeo@localhost/garden' type='chat' id='m1'><body>x</body></message>");
      await first;
      await pause(2100);
      const second = await romeo.send('', `ack='${before}'`);
      const { report, time } = attributes(second);
      assert.equal(report, String(first.rid));
      assert(Number(time) >= 2000 && Number(time) < 4000, time);
      assert.equal(sessionOf('romeo').outbox.size, 1);
      // it comes again, and then all is well: no 'ack' says so
      assert.match((await romeo.send('', `ack='${before}'`, first.rid)).text, /id='m1'/);
      const third = romeo.send();
      await until(() => sessionOf('romeo').outbox.size === 0, 'an empty outbox');
      assert.equal(await outcome(third, 50), 'held');
    });
  });

  describe('too much of it (11, 12)', () => {
    it('empty ones sooner than agreed', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const first = romeo.send();
      await outcome(first, 30);
      const second = await romeo.send();
      assert.equal(ending(second), 'policy-violation');
      assert.equal(ending(await first), 'other-request');
    });

    it('but not where the first was answered, or the second says something', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      for (let n = 0; n < 5; n++) {
        const held = romeo.send();
        const other = romeo.send(PING(`p${n}`));
        await held;
        const third = romeo.send(PING(`q${n}`));
        assert(!/terminate/.test((await other).text + (await third).text));
      }
    });

    it('polls sooner than agreed, unless there was something', async () => {
      const romeo = await bosh().login('romeo', 'garden', "ver='1.6' wait='0' hold='0'");
      assert.equal((await romeo.send()).text, `<body xmlns='${HTTPBIND}'/>`);
      assert.equal(ending(await romeo.send()), 'policy-violation');
    });

    it('a poll is answered at once', async () => {
      const romeo = await bosh().login('romeo', 'garden', "ver='1.6' wait='0' hold='1'");
      const began = performance.now();
      await romeo.send();
      assert(performance.now() - began < 500);
    });
  });

  describe('absence (10)', () => {
    it('ends the session', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      await romeo.send(PING('p'));
      await pause(3500);
      assert.equal(node.node.sessionCount, 1);
      await until(() => node.node.sessionCount === 0, 'the end', 8000);
      assert.equal(ending(await romeo.send()), 'item-not-found');
    }).timeout(15_000);

    it('that was announced does not, and everything is answered', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const juliet = await lines.login('juliet', 'balcony');
      const held = romeo.send();
      await outcome(held, 30);
      const paused = romeo.send('', "pause='60'");
      assert.equal((await held).text, `<body xmlns='${HTTPBIND}'/>`);
      assert.equal((await paused).text, `<body xmlns='${HTTPBIND}'/>`);
      juliet.send("<message to='romeo@localhost/garden' id='m1'/>");
      await pause(7000);
      assert.equal(node.node.sessionCount, 2);
      assert.match((await romeo.send()).text, /id='m1'/);
      // and from then on it is as before
      await until(() => node.node.sessionCount === 1, 'the end', 7500);
    }).timeout(60_000);

    it('begins anew with a response that is given again', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const last = romeo.body('', "pause='3'");
      const { text } = await romeo.raw(last);
      await pause(2500);
      assert.equal((await romeo.raw(last)).text, text);
      await pause(1800);
      assert.match((await romeo.send(PING('p'))).text, /id='p'/);
    });

    it('leaves a session that can be resumed to wait, for any other connection (XEP-0198)', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const [, id] = await romeo.until(/<enabled [^>]*id='([^']+)'/, `<enable xmlns='${NS.sm}' resume='true'/>`);
      const juliet = await lines.login('juliet', 'balcony');
      juliet.send("<message to='romeo@localhost/garden' id='m1'/>");
      await until(() => sessionOf('romeo').outbox.size > 0, 'the message');
      node.node.session(sessionOf('romeo').jid)!.drop();
      await until(() => !sessionOf('romeo').connected, 'a session that waits');
      const again = bosh();
      await again.create();
      await again.authenticate('romeo');
      const resumed = await again.until(/<resumed .*id='m1'/, `<resume xmlns='${NS.sm}' previd='${id}' h='0'/>`);
      assert(resumed);
      const line = await lines.websocket();
      await line.authenticate('romeo');
      line.send(`<resume xmlns='${NS.sm}' previd='${id}' h='1'/>`);
      await line.expect(/<resumed /);
      // whoever had it is told
      const end = await again.send();
      assert.equal(ending(end), 'remote-stream-error');
      assert.match(end.text, /<conflict /);
    });
  });

  describe('the end (13)', () => {
    it('in order: what came with it is done, the oldest request says so, the others nothing', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const juliet = await lines.login('juliet', 'balcony');
      juliet.stanza('<presence/>');
      const held = romeo.send();
      await outcome(held, 30);
      const last = romeo.send(message('bye'), "type='terminate'");
      assert.equal((await held).text, `<body xmlns='${HTTPBIND}' type='terminate'/>`);
      assert.equal((await last).text, `<body xmlns='${HTTPBIND}'/>`);
      await juliet.expect(/id='bye'/);
      await until(() => node.node.sessionCount === 1, 'the end');
      assert.equal(ending(await romeo.send()), 'item-not-found');
    });

    it('with the answers that are due', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const last = await romeo.send(PING('p'), "type='terminate'");
      assert.match(last.text, /^<body [^>]*type='terminate'[^>]*><iq [^>]*id='p'|<iq [^>]*id='p'/);
      assert.equal(ending(await romeo.send()), 'item-not-found');
    });

    it('with nothing in it where another request takes the answers, which a client needs that expects it so', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      await romeo.until(/<enabled /, `<enable xmlns='${NS.sm}' resume='true'/>`);
      const held = romeo.send();
      await outcome(held, 30);
      const last = romeo.send('', "type='terminate'");
      assert.equal((await held).text, `<body xmlns='${HTTPBIND}'><a xmlns='${NS.sm}' h='0'/></body>`);
      assert.equal((await last).text, `<body xmlns='${HTTPBIND}' type='terminate'/>`);
    });

    it('what was answered before is not kept for the next login', async () => {
      const romeo = await bosh().login('romeo', 'garden');
      const juliet = await lines.login('juliet', 'balcony');
      const first = romeo.send();
      juliet.send("<message to='romeo@localhost/garden' type='chat' id='seen'><body>x</body></message>");
      assert.match((await first).text, /id='seen'/);
      await romeo.send('', "type='terminate'");
      await until(() => node.node.sessionCount === 1, 'the end');
      const again = await lines.login('romeo', 'garden');
      again.stanza('<presence/>');
      again.stanza(PING('p').replace(" xmlns='jabber:client'", ''));
      await again.expect(/id='p'/);
      assert(!again.all.includes("id='seen'"), again.all);
    });

    it('by a stream error, in the request that is held or in the next one (17.2, XEP-0206 6)', async () => {
      for (const held of [true, false]) {
        const romeo = await bosh().login('romeo', 'garden');
        const asked = held ? romeo.send() : undefined;
        if (asked) await outcome(asked, 30);
        const other = await lines.login('romeo', 'garden');
        const end = await (asked ?? romeo.send());
        assert.equal(ending(end), 'remote-stream-error');
        assert.match(end.text, /^<body [^>]*xmlns:stream='[^>]*><stream:error [^>]*><conflict /);
        other.send('</stream:stream>');
        await other.end();
      }
    });

    it("clients of before versions are told by HTTP's status (17.1)", async () => {
      const legacy = "wait='10' hold='1'";
      const one = await bosh().login('romeo', 'garden', legacy);
      assert.equal((await one.send('', '', one.rid + 9)).status, 404);
      const two = await bosh().login('romeo', 'garden', legacy);
      const held = two.send();
      await outcome(held, 30);
      assert.equal((await two.send()).status, 403);
      const three = await bosh().login('romeo', 'garden', legacy);
      assert.equal((await three.send('<message>')).status, 400);
    });
  });

  describe('keys (15)', () => {
    const hash = (text: string): string => createHash('sha1').update(text).digest('hex');
    const sequence = (seed: string, n: number): string[] => {
      const keys = [hash(seed)];
      while (keys.length < n) keys.push(hash(keys.at(-1)!));
      return keys;
    };

    it('are followed, from one sequence to the next', async () => {
      const client = bosh();
      let keys = sequence('seed', 2);
      const key = (): string => keys.pop()!;
      // hexadecimal digits may be written in capitals
      await client.create(`ver='1.6' wait='10' hold='1' newkey='${key().toUpperCase()}'`);
      const last = key();
      keys = sequence('another', 3);
      const auth = `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${Buffer.from('\0romeo\0romeo').toString('base64')}</auth>`;
      assert.match((await client.send(auth, `key='${last}' newkey='${key()}'`)).text, /<success/);
      assert.match((await client.send('', `xmpp:restart='true' key='${key()}'`)).text, /<bind /);
      assert.match((await client.send('', `type='terminate' key='${key()}'`)).text, /type='terminate'/);
    });

    it('that do not fit end the session, and what came with them is not done', async () => {
      for (const attrs of [
        '',
        "key='ca393b51b682f61f98e7877d61146407f3d0a770'",
        "newkey='ca393b51b682f61f98e7877d61146407f3d0a770'",
      ]) {
        const client = bosh();
        const keys = sequence('seed', 20);
        await client.create(`ver='1.6' wait='10' hold='1' newkey='${keys.pop()}'`);
        const auth = `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${Buffer.from('\0romeo\0romeo').toString('base64')}</auth>`;
        assert.match((await client.send(auth, `key='${keys.pop()}'`)).text, /<success/);
        const bad = await client.send('', `to='localhost' xmpp:restart='true' ${attrs}`);
        assert.equal(ending(bad), 'item-not-found');
      }
    });

    it('a request that comes again has the same', async () => {
      const client = bosh();
      const keys = sequence('seed', 20);
      await client.create(`ver='1.6' wait='10' hold='1' newkey='${keys.pop()}'`);
      const auth = `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${Buffer.from('\0romeo\0romeo').toString('base64')}</auth>`;
      const key = keys.pop();
      const first = await client.send(auth, `key='${key}'`);
      assert.equal((await client.send(auth, `key='${key}'`, client.rid)).text, first.text);
      assert.equal(ending(await client.send(auth, `key='${keys.pop()}'`, client.rid)), 'item-not-found');
    });
  });

  describe('HTTP (5)', () => {
    const url = (): string => `http://127.0.0.1:${node.httpPort}/http-bind`;

    it('is open to pages of any origin', async () => {
      const reply = await ask(url(), '', { method: 'OPTIONS', headers: { Origin: 'https://chat.example' } });
      assert.equal(reply.status, 204);
      assert.equal(reply.headers['access-control-allow-origin'], '*');
      assert.match(String(reply.headers['access-control-allow-methods']), /POST/);
      assert.match(String(reply.headers['access-control-allow-headers']), /Content-Type/);
      assert.equal((await bosh().create()).headers['access-control-allow-origin'], '*');
    });

    it('has a page for those who look', async () => {
      const reply = await ask(url(), '', { method: 'GET' });
      assert.equal(reply.status, 200);
      assert.match(reply.text, /XEP-0124/);
      assert.equal((await ask(url(), '', { method: 'PUT' })).status, 405);
      assert.equal((await ask(`${url()}/`, '', { method: 'GET' })).status, 200);
      assert.equal((await ask(`${url()}ing`, '', { method: 'GET' })).status, 404);
    });

    it('takes any Content-Type, and no Content-Encoding', async () => {
      const client = bosh();
      const body = `<body xmlns='${HTTPBIND}' ver='1.6' to='localhost' rid='5'/>`;
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'text/xml; charset=iso-8859-1']) {
        assert.match((await client.raw(body, { headers: { 'Content-Type': type } })).text, / sid='/);
      }
      assert.equal(ending(await client.raw(body, { headers: { 'Content-Encoding': 'gzip' } })), 'bad-request');
    });

    it('a session that began under TLS is not reached without it', async () => {
      const client = await bosh(true).login('romeo', 'garden');
      await assert.rejects(ask(url(), client.body()), /socket hang up|ECONNRESET/);
      client.rid--;
      assert.match((await client.send(PING('p'))).text, /id='p'/);
    });
  });
});
