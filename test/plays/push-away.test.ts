import assert from 'node:assert/strict';
import { type TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { affiliate, found } from './groups.ts';
import { cut, enable, form, OWN, PUBSUB, PushService, resumable, resume, say, street, type Told } from './push.ts';
import { enter, ok } from './rooms.ts';

const CSI = 'urn:xmpp:csi:0';
const NOTIFY = 'urn:xmpp:notification-settings:1';
const BOOKMARKS = 'urn:xmpp:bookmarks:1';
const CHATS = 'urn:posthouse:chats:0';

describe('play: whose phone is woken, and for what (XEP-0357 6, XEP-0492, XEP-0372)', () => {
  let stage: TestNode;
  let service: PushService;
  let romeo: TestClient;
  const start = async (options = '{ pause: 0 }', more = 'groups: {}'): Promise<void> => {
    stage = await street(options, more, ['tybalt']);
    service = await PushService.open(stage);
    romeo = await stage.login('romeo@localhost/orchard', { presence: true });
  };
  afterEach(async () => {
    service.destroy();
    await stage.stop();
  });

  /** Juliet's phone, with its registration. */
  const phone = async (settings: Record<string, string> = {}, resource = 'phone'): Promise<TestClient> => {
    const client = await stage.login(`juliet@localhost/${resource}`, { presence: true });
    const inner = Object.keys(settings).length > 0 ? form(OWN, settings) : '';
    ok(await client.iq('set', enable(inner, resource)));
    return client;
  };
  const nothing = async (): Promise<void> => {
    await romeo.settle();
    // what is not told can only be waited for
    await new Promise(resolve => setTimeout(resolve, 150));
    assert.deepEqual(
      service.told.map(({ iq }) => String(iq)),
      [],
    );
  };
  const publish = async (client: TestClient, node: string, id: string, payload: string): Promise<void> => {
    const item = `<publish node='${node}'><item id='${id}'>${payload}</item></publish>`;
    ok(await client.iq('set', `<pubsub xmlns='${PUBSUB}'>${item}</pubsub>`));
  };
  const notify = (levels: string): string => `<notify xmlns='${NOTIFY}'>${levels}</notify>`;
  const chat = (client: TestClient, jid: string, levels: string): Promise<void> =>
    publish(client, CHATS, jid, `<chat xmlns='${CHATS}'>${notify(levels)}</chat>`);
  const bookmark = (client: TestClient, jid: string, levels: string, nick = ''): Promise<void> =>
    publish(
      client,
      BOOKMARKS,
      jid,
      `<conference xmlns='${BOOKMARKS}' autojoin='true'>${nick}<extensions>${notify(levels)}</extensions></conference>`,
    );

  it('a phone registers and goes, a message comes, the phone is woken, comes back and reads it', async () => {
    await start();
    await (await phone()).end();
    say(romeo, 'Good morrow');
    assert.equal((await service.next()).count, 1);
    const again = await stage.login('juliet@localhost/phone', { presence: true });
    assert.equal((await again.message()).getChildText('body'), 'Good morrow');
    say(romeo, 'and again');
    await again.message();
    await nothing();
    await again.end();
    say(romeo, 'later');
    assert.equal((await service.next()).count, 1);
  });

  it('a session that waits for its client (XEP-0198): woken, it is resumed and has the message', async () => {
    await start();
    const client = await phone();
    const id = await resumable(client);
    say(romeo, 'seen');
    await client.message();
    client.send(`<a xmlns='urn:xmpp:sm:3' h='1'/>`);
    await client.settle();
    await cut(stage, client);
    say(romeo, 'while it waits');
    assert.equal((await service.next()).count, 1);
    const back = await resume(stage, 'juliet', id);
    assert.equal((await back.message()).getChildText('body'), 'while it waits');
    await nothing();
  });

  it('what was written to a connection that was dead already is told when that is known', async () => {
    await start();
    const client = await phone();
    await resumable(client);
    say(romeo, 'into the void');
    await client.message();
    // it never acknowledges
    await nothing();
    await cut(stage, client);
    assert.equal((await service.next()).count, 1);
  });

  it('a client that says that nobody looks at it (XEP-0352) is woken, unless the host does not want that', async () => {
    for (const wanted of [true, false]) {
      await start(`{ pause: 0, inactive: ${wanted} }`);
      const client = await phone();
      say(romeo, 'in use');
      await client.message();
      await nothing();
      client.send(`<inactive xmlns='${CSI}'/>`);
      await client.settle();
      say(romeo, 'asleep');
      await client.message();
      if (wanted) assert.equal((await service.next()).count, 1);
      await nothing();
      // it was looked at: what comes then is counted anew
      client.send(`<active xmlns='${CSI}'/>`);
      await client.settle();
      await new Promise(resolve => setTimeout(resolve, 5));
      client.send(`<inactive xmlns='${CSI}'/>`);
      await client.settle();
      say(romeo, 'again');
      if (wanted) assert.equal((await service.next()).count, 1);
      await nothing();
      if (wanted) {
        service.destroy();
        await stage.stop();
      }
    }
  });

  it('away: a phone is left alone while another device is in use, and woken when nobody is there', async () => {
    await start();
    const client = await phone();
    await client.end();
    const desktop = await stage.login('juliet@localhost/desktop', { presence: true });
    say(romeo, 'one');
    await desktop.message();
    await nothing();
    for (const show of ['away', 'xa']) {
      desktop.send(`<presence><show>${show}</show></presence>`);
      await desktop.settle();
      say(romeo, show);
      await desktop.message();
      await service.next();
    }
    desktop.send(`<presence><show>dnd</show></presence>`);
    await desktop.settle();
    say(romeo, 'busy, and there');
    await nothing();
    desktop.send(`<presence/><inactive xmlns='${CSI}'/>`);
    await desktop.settle();
    say(romeo, 'asleep');
    await service.next();
  });

  it('away: a device may want to be told whoever else is there, and never of what it has itself', async () => {
    await start();
    const client = await phone({ away: 'false' });
    const desktop = await stage.login('juliet@localhost/desktop', { presence: true });
    say(romeo, 'one');
    await desktop.message();
    await client.message();
    await nothing();
    await client.end();
    say(romeo, 'two');
    await desktop.message();
    assert.equal((await service.next()).count, 1);
    // and a desktop that comes when the registration is there already
    await desktop.end();
    const late = await stage.login('juliet@localhost/laptop', { presence: true });
    say(romeo, 'three');
    await late.message();
    await service.next();
  });

  it('away: the host decides where a device says nothing', async () => {
    await start('{ pause: 0, away: false }');
    await (await phone()).end();
    const desktop = await stage.login('juliet@localhost/desktop', { presence: true });
    say(romeo, 'one');
    await desktop.message();
    await service.next();
  });

  it('what somebody does on another device wakes nobody, and neither do receipts and chat states', async () => {
    await start();
    const client = await phone({ away: 'false' });
    await client.end();
    const desktop = await stage.login('juliet@localhost/desktop', { presence: true });
    say(desktop, 'to myself');
    say(desktop, 'to him', 'romeo@localhost');
    const send = (inner: string): void => romeo.send(`<message to='juliet@localhost' type='chat'>${inner}</message>`);
    send(`<received xmlns='urn:xmpp:receipts' id='a'/>`);
    send(`<composing xmlns='http://jabber.org/protocol/chatstates'/>`);
    send(`<displayed xmlns='urn:xmpp:chat-markers:0' id='a'/>`);
    await desktop.settle();
    await nothing();
  });

  it('a call wakes the phone, and says that it is one (XEP-0353)', async () => {
    await start();
    const client = await phone();
    await resumable(client);
    const propose = (id: string): void =>
      romeo.send(
        `<message to='juliet@localhost' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='${id}'/><store xmlns='urn:xmpp:hints'/></message>`,
      );
    await cut(stage, client);
    propose('a');
    assert.ok((await service.next()).isCall);
    say(romeo, 'Hello?');
    assert.ok(!(await service.next()).isCall);
    await (await stage.login('juliet@localhost/phone', { presence: true })).end();
    propose('b');
    assert.ok((await service.next()).isCall, 'offline too');
  });

  it('a call does not wait for the pause between two notifications', async () => {
    await start('{ pause: 3600 }');
    await (await phone()).end();
    say(romeo, 'one');
    await service.next();
    say(romeo, 'two');
    await nothing();
    romeo.send(
      `<message to='juliet@localhost' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='a'/></message>`,
    );
    const call = await service.next();
    assert.ok(call.isCall);
    assert.equal(call.count, 3);
  });

  it('muted: a conversation that is never to be told of stays silent, on the devices that it is muted for', async () => {
    await start();
    const client = await phone();
    ok(await client.iq('set', enable(form(OWN, { 'identity-type': 'tablet' }), 'tablet')));
    await chat(client, 'romeo@localhost', `<never identity-category='client' identity-type='phone'/><always/>`);
    await client.end();
    say(romeo, 'one');
    assert.equal((await service.next()).node, 'tablet');
    await nothing();
    const nurse = await stage.login('nurse@localhost/home', { presence: true });
    say(nurse, 'Madam!');
    const told = new Set([(await service.next()).node, (await service.next()).node]);
    assert.deepEqual(told, new Set(['phone', 'tablet']));
    // and at once when that is another
    const again = await stage.login('juliet@localhost/phone', { presence: true });
    await chat(again, 'romeo@localhost', '<never/>');
    await again.end();
    say(romeo, 'two');
    await nothing();
    const third = await stage.login('juliet@localhost/phone', { presence: true });
    ok(
      await third.iq(
        'set',
        `<pubsub xmlns='${PUBSUB}'><retract node='${CHATS}'><item id='romeo@localhost'/></retract></pubsub>`,
      ),
    );
    await third.end();
    say(romeo, 'three');
    await service.next();
  });

  describe('in groups', () => {
    let jid: string;
    const group = async (settings: Record<string, string> = {}, values: Record<string, string> = {}): Promise<void> => {
      await start();
      ({ jid } = await found(romeo, 'Montague', { registration: 'approval', ...values }));
      await affiliate(romeo, jid, 'juliet');
      await enter(romeo, 'Romeo', { room: jid });
      const client = await phone(settings);
      await client.settle();
      await client.end();
    };
    const tell = async (inner: string): Promise<void> => {
      romeo.send(`<message type='groupchat' to='${jid}'>${inner}</message>`);
      await romeo.expect(stanza => stanza.attrs.type === 'groupchat', inner);
    };
    const text = (body: string): Promise<void> => tell(`<body>${body}</body>`);
    const membersOnly = async (): Promise<void> => {
      const x = form('http://jabber.org/protocol/muc#roomconfig', { 'muc#roomconfig_membersonly': '1' });
      ok(await romeo.iq('set', `<query xmlns='http://jabber.org/protocol/muc#owner'>${x}</query>`, jid));
      await romeo.settle();
    };

    it('a member who is away is woken; who said it is not, nor who is there', async () => {
      await group({ groups: 'always' });
      ok(await romeo.iq('set', enable('', 'romeo')));
      await text('one');
      const told = await service.next();
      assert.deepEqual([told.node, told.count], ['phone', 1]);
      await text('two');
      assert.equal((await service.next()).count, 2);
      await tell('<subject>not this</subject>');
      const back = await stage.login('juliet@localhost/phone', { presence: true });
      await text('three');
      await nothing();
      // it has entered, and waits: once for one message
      await enter(back, 'Juliet', { room: jid });
      await resumable(back);
      await cut(stage, back);
      await text('four');
      assert.equal((await service.next()).count, 1);
      await nothing();
    });

    it('of an open group only what is for oneself, of one for its members everything', async () => {
      await group();
      await membersOnly();
      await text('one');
      await service.next();
      const x = form('http://jabber.org/protocol/muc#roomconfig', { 'muc#roomconfig_membersonly': '0' });
      ok(await romeo.iq('set', `<query xmlns='http://jabber.org/protocol/muc#owner'>${x}</query>`, jid));
      await romeo.settle();
      await text('two');
      await nothing();
      await text('juliet@localhost should see this');
      await service.next();
    });

    it('mentioned: by reference, answer, nickname, also that of her bookmark', async () => {
      await group({ groups: 'on-mention' });
      const client = await stage.login('juliet@localhost/phone', { presence: true });
      await bookmark(client, jid, '<on-mention/>', '<nick>Jülchen</nick>');
      await client.end();
      await text('nobody in particular');
      await nothing();
      await tell(
        `<body>You</body><reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:juliet@localhost' begin='0' end='3'/>`,
      );
      await service.next();
      await text('jülchen: hi');
      await service.next();
      await tell(
        `<body>Indeed</body><reply xmlns='urn:xmpp:reply:0' to='${jid}/J%C3%BClchen' id='1'/>`.replace(
          'J%C3%BClchen',
          'Jülchen',
        ),
      );
      await service.next();
      await nothing();
    });

    it('muted: a group that is never to be told of stays silent, mentioned or not; its members are not told each other’s choice', async () => {
      await group({ groups: 'always' });
      await affiliate(romeo, jid, 'nurse');
      const nurse = await stage.login('nurse@localhost/phone', { presence: true });
      ok(await nurse.iq('set', enable(form(OWN, { groups: 'always' }), 'nurse')));
      // she has been told that she belongs to it
      await romeo.settle();
      await nurse.settle();
      await nurse.end();
      const client = await stage.login('juliet@localhost/phone', { presence: true });
      await bookmark(client, jid, '<never/>');
      await client.end();
      await text('juliet@localhost!');
      assert.equal((await service.next()).node, 'nurse');
      await nothing();
    });

    it('who belongs to it no more is told nothing', async () => {
      await group({ groups: 'always' });
      await affiliate(romeo, jid, 'juliet', 'none');
      await text('one');
      await nothing();
    });

    it('an occupant of a room that keeps nobody is told while its session waits', async () => {
      await start();
      jid = 'alley@conference.localhost';
      await enter(romeo, 'Romeo', { room: jid });
      ok(
        await romeo.iq(
          'set',
          `<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>`,
          jid,
        ),
      );
      const client = await phone();
      await resumable(client);
      await enter(client, 'Juliet', { room: jid });
      await cut(stage, client);
      await text('nobody in particular');
      await nothing();
      await text('Juliet?');
      assert.equal((await service.next()).count, 1);
    });

    it('much that is said is told in few notifications', async () => {
      await group({ groups: 'always' });
      service.answer = () => 'nothing';
      for (let i = 0; i < 40; i++) romeo.send(`<message type='groupchat' to='${jid}'><body>${i}</body></message>`);
      await romeo.settle();
      const first: Told = await service.next();
      service.answer = () => undefined;
      service.reply(first);
      let last = first;
      for (let rounds = 0; last.count < 40; rounds++) {
        assert.ok(rounds < 5);
        last = await service.next();
      }
    });
  });
});
