import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import { admin, cave, configure, enter, error, make, ok, ROOM, USER, witches, X } from './rooms.ts';
import { features, INFO } from './verona.ts';

const MAM = 'urn:xmpp:mam:2';
const RETRACT = 'urn:xmpp:message-retract:1';
const MODERATE = 'urn:xmpp:message-moderate:1';
const SID = 'urn:xmpp:sid:0';
const HISTORY = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>";

const idOf = (message: Element): string => message.getChild('stanza-id', SID)!.attrs.id as string;

async function say(client: TestClient, text: string, more = ''): Promise<Element> {
  client.send(`<message type='groupchat' id='m-${text}' to='${ROOM}'><body>${text}</body>${more}</message>`);
  return client.expect(stanza => stanza.getChildText('body') === text, `'${text}'`);
}

/** What a page of the room's archive holds, in order, and its end. */
async function read(client: TestClient, form = '', more = ''): Promise<{ messages: Element[]; answer: Element }> {
  client.inbox.splice(0);
  const fields = form && `<field var='FORM_TYPE' type='hidden'><value>${MAM}</value></field>${form}`;
  const x = fields && `<x xmlns='jabber:x:data' type='submit'>${fields}</x>`;
  const answer = await client.iq('set', `<query xmlns='${MAM}' queryid='q1'>${x}${more}</query>`, ROOM);
  const messages: Element[] = [];
  for (const stanza of client.inbox.splice(0)) {
    const result = stanza.getChild('result', MAM);
    if (!result) continue;
    assert.equal(stanza.attrs.from, ROOM);
    assert.equal(result.attrs.queryid, 'q1');
    messages.push(result.getChild('forwarded')!.getChild('message', 'jabber:client')!);
  }
  return { messages, answer };
}

const bodies = (messages: readonly Element[]): (string | null)[] =>
  messages.map(one => one.getChildText('body') ?? null);
const field = (name: string, value: string): string => `<field var='${name}'><value>${value}</value></field>`;

describe('play: the archive of a room (XEP-0313 5.1.2), and what is taken back (XEP-0424, XEP-0425)', () => {
  let stage: TestNode;
  let crone: TestClient;
  let wicca: TestClient;
  let hag: TestClient;
  beforeEach(async () => {
    stage = await cave();
    [crone, wicca, hag] = await witches(stage);
    await make(crone, 'firstwitch', { 'muc#roomconfig_persistentroom': '1' });
    await enter(wicca, 'secondwitch');
  });
  afterEach(() => stage.stop());

  describe('what is in it', () => {
    it('what was said, once each, from who said it, to nobody, with the ids that all got', async () => {
      const first = await say(wicca, 'Thrice');
      await say(crone, 'and once');
      const { messages, answer } = await read(wicca);
      assert.deepEqual(bodies(messages), ['Thrice', 'and once']);
      assert.equal(messages[0]!.attrs.from, `${ROOM}/secondwitch`);
      assert.equal(messages[0]!.attrs.to, undefined);
      const fin = ok(answer).getChild('fin', MAM)!;
      assert.equal(fin.attrs.complete, 'true');
      assert.equal(fin.getChild('set')!.getChildText('first'), idOf(first));
    });

    it('no private messages, chat states or what is not to be stored; nor is it in the archives of accounts', async () => {
      wicca.send(`<message type='chat' to='${ROOM}/firstwitch'><body>psst</body></message>`);
      await crone.message();
      wicca.send(
        `<message type='groupchat' to='${ROOM}'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
      );
      const hidden = await say(wicca, 'off the record', "<no-store xmlns='urn:xmpp:hints'/>");
      // an id would be one of the archive (XEP-0313 3.4)
      assert.equal(hidden.getChild('stanza-id', SID), undefined);
      await say(wicca, 'on it');
      assert.deepEqual(bodies((await read(wicca)).messages), ['on it']);
      wicca.inbox.splice(0);
      await wicca.iq('set', `<query xmlns='${MAM}'/>`);
      const own = wicca.inbox.splice(0).map(stanza => stanza.getChild('result', MAM)?.toString() ?? '');
      assert(!own.some(text => text.includes('on it')));
    });

    it('who said it is told to those who may know it, whatever a client has put in its place', async () => {
      await configure(crone, { 'muc#roomconfig_whois': 'moderators' });
      await say(wicca, 'hid', `<x xmlns='${USER}'><item jid='forged@localhost'/></x>`);
      const jids = async (client: TestClient): Promise<(string | undefined)[]> =>
        (await read(client)).messages.map(one => one.getChild('x', USER)?.getChild('item')?.attrs.jid as string);
      assert.deepEqual(await jids(wicca), [undefined]);
      assert.deepEqual(await jids(crone), ['wiccarocks@localhost']);
      await configure(crone, { 'muc#roomconfig_whois': 'anyone' });
      assert.deepEqual(await jids(wicca), ['wiccarocks@localhost']);
    });

    it('in pages, by time, and of one of those in it', async () => {
      for (let i = 0; i < 5; i++) await say(i % 2 === 0 ? crone : wicca, `line ${i}`);
      const page = "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><before/></set>";
      assert.deepEqual(bodies((await read(wicca, '', page)).messages), ['line 3', 'line 4']);
      const by = (jid: string) => read(wicca, field('with', jid)).then(({ messages }) => bodies(messages));
      assert.deepEqual(await by(`${ROOM}/secondwitch`), ['line 1', 'line 3']);
      assert.equal((await by(ROOM)).length, 5);
      await configure(crone, { 'muc#roomconfig_whois': 'moderators' });
      // who they are is not for everybody to find out
      assert.deepEqual(await by('wiccarocks@localhost'), []);
      assert.deepEqual(bodies((await read(crone, field('with', 'wiccarocks@localhost/laptop'))).messages), [
        'line 1',
        'line 3',
      ]);
      assert.deepEqual(bodies((await read(wicca, field('start', '2999-01-01T00:00:00Z'))).messages), []);
    });

    it('is announced with its form, and tells its bounds', async () => {
      const announced = features(await wicca.iq('get', INFO, ROOM));
      for (const feature of [MAM, `${MAM}#extended`, RETRACT, MODERATE, SID])
        assert(announced.includes(feature), feature);
      const form = ok(await wicca.iq('get', `<query xmlns='${MAM}'/>`, ROOM));
      assert(form.getChild('query', MAM)!.getChild('x', 'jabber:x:data'));
      const said = await say(wicca, 'one');
      const metadata = ok(await wicca.iq('get', `<metadata xmlns='${MAM}'/>`, ROOM)).getChild('metadata', MAM)!;
      assert.equal(metadata.getChild('end')!.attrs.id, idOf(said));
    });
  });

  describe('who may read it', () => {
    it('those who could enter; an outcast may not', async () => {
      await say(wicca, 'open');
      assert.deepEqual(bodies((await read(hag)).messages), ['open']);
      ok(await admin(crone, 'set', "<item affiliation='outcast' jid='hag66@localhost'/>"));
      assert.equal(error((await read(hag)).answer), 'forbidden auth');
    });

    it('of a room for members only these', async () => {
      ok(await admin(crone, 'set', "<item affiliation='member' jid='wiccarocks@localhost'/>"));
      await configure(crone, { 'muc#roomconfig_membersonly': '1' });
      await say(wicca, 'among us');
      assert.equal(error((await read(hag)).answer), 'forbidden auth');
      wicca.send(`<presence to='${ROOM}/secondwitch' type='unavailable'/>`);
      await wicca.expect(stanza => stanza.attrs.type === 'unavailable', 'its leaving');
      assert.deepEqual(bodies((await read(wicca)).messages), ['among us']);
    });

    it('nobody, where nothing is kept', async () => {
      await configure(crone, { 'muc#roomconfig_enablelogging': '0' });
      await say(wicca, 'gone');
      assert.equal(error((await read(wicca)).answer), 'feature-not-implemented cancel');
    });
  });

  describe('what is taken back', () => {
    it('by who said it: all are told, and the archive and the history have a tombstone', async () => {
      const id = idOf(await say(wicca, 'oops'));
      await crone.settle();
      wicca.send(`<message type='groupchat' id='r1' to='${ROOM}'><retract xmlns='${RETRACT}' id='${id}'/></message>`);
      for (const client of [crone, wicca]) {
        const retraction = await client.expect(stanza => stanza.getChild('retract', RETRACT) !== undefined, 'it');
        assert.equal(retraction.attrs.from, `${ROOM}/secondwitch`);
      }
      const { messages } = await read(crone);
      assert.deepEqual(bodies(messages), [null, null]);
      const tombstone = messages[0]!.getChild('retracted', RETRACT)!;
      assert.equal(tombstone.attrs.id, 'r1');
      assert.equal(messages[0]!.attrs.from, `${ROOM}/secondwitch`);
      const past = await enter(hag, 'thirdwitch', { x: X });
      assert(!past.some(stanza => stanza.getChildText('body') === 'oops'));
    });

    it('not by others where nothing is kept either: who enters is shown what was said', async () => {
      await configure(crone, { 'muc#roomconfig_enablelogging': '0' });
      const id = idOf(await say(wicca, 'mine'));
      const retract = `<message type='groupchat' id='r1' to='${ROOM}'><retract xmlns='${RETRACT}' id='${id}'/></message>`;
      crone.send(retract);
      const refused = await crone.expect(stanza => stanza.attrs.type === 'error', 'an error');
      assert.equal(error(refused), 'forbidden auth');
      const shown = async (): Promise<boolean> => {
        const past = await enter(hag, 'thirdwitch', { x: X });
        return past.some(stanza => stanza.getChildText('body') === 'mine');
      };
      assert.ok(await shown());
      wicca.send(retract);
      await crone.expect(stanza => stanza.getChild('retract', RETRACT) !== undefined, 'it');
      assert.ok(!(await shown()));
    });

    it('not by others, whoever takes their nickname', async () => {
      const id = idOf(await say(wicca, 'mine'));
      wicca.send(`<presence to='${ROOM}/secondwitch' type='unavailable'/>`);
      await wicca.expect(stanza => stanza.attrs.type === 'unavailable', 'its leaving');
      await enter(hag, 'secondwitch', { x: HISTORY });
      hag.send(`<message type='groupchat' id='r1' to='${ROOM}'><retract xmlns='${RETRACT}' id='${id}'/></message>`);
      const refused = await hag.expect(stanza => stanza.attrs.type === 'error', 'an error');
      assert.equal(error(refused), 'forbidden auth');
      assert.deepEqual(bodies((await read(crone)).messages), ['mine']);
    });

    it('by a moderator, who says why', async () => {
      const id = idOf(await say(wicca, 'magic potions'));
      await crone.settle();
      const moderate = (client: TestClient, of = id): Promise<Element> =>
        client.iq(
          'set',
          `<moderate xmlns='${MODERATE}' id='${of}'><retract xmlns='${RETRACT}'/><reason>no potions</reason></moderate>`,
          ROOM,
        );
      assert.equal(error(await moderate(wicca)), 'forbidden auth');
      assert.equal(error(await moderate(crone, 'unknown')), 'item-not-found cancel');
      ok(await moderate(crone));
      const told = await wicca.expect(stanza => stanza.getChild('retract', RETRACT) !== undefined, 'the moderation');
      assert.equal(told.attrs.from, ROOM);
      const retract = told.getChild('retract', RETRACT)!;
      assert.equal(retract.attrs.id, id);
      assert.equal(retract.getChildText('reason'), 'no potions');
      assert.equal(retract.getChild('moderated', MODERATE)!.attrs.by, `${ROOM}/firstwitch`);
      const [tombstone] = (await read(wicca)).messages;
      assert.equal(bodies([tombstone!])[0], null);
      assert(tombstone!.getChild('retracted', RETRACT)!.getChild('moderated', MODERATE));
      assert(tombstone!.getChild('occupant-id', 'urn:xmpp:occupant-id:0'));
      assert.equal(error(await moderate(crone)), 'item-not-found cancel');
    });
  });

  it('a message that comes again, since its client has not heard of it, is there once (XEP-0359)', async () => {
    const origin = `<origin-id xmlns='${SID}' id='o1'/>`;
    await say(wicca, 'once', origin);
    await crone.settle();
    wicca.send(`<message type='groupchat' id='m2' to='${ROOM}'><body>once</body>${origin}</message>`);
    await say(wicca, 'after');
    assert.deepEqual(bodies((await crone.settle()).filter(({ name }) => name === 'message')), ['after']);
    assert.deepEqual(bodies((await read(crone)).messages), ['once', 'after']);
  });

  it('goes with its room', async () => {
    await say(wicca, 'old');
    ok(await crone.iq('set', "<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>", ROOM));
    for (const client of [crone, wicca]) await client.settle();
    await make(crone, 'firstwitch');
    assert.deepEqual(bodies((await read(crone)).messages), []);
  });

  it('is there, as the history, the subject and who belongs to it are, when the server was started anew', async () => {
    await say(wicca, 'kept');
    crone.send(`<message type='groupchat' to='${ROOM}'><subject>Fire burn</subject></message>`);
    await wicca.expect(stanza => stanza.getChildText('subject') === 'Fire burn', 'the subject');
    ok(await admin(crone, 'set', "<item affiliation='member' jid='hag66@localhost' nick='thirdwitch'/>"));
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder, yaml: 'modules: { rooms: {} }\n' });
    hag = await stage.login('hag66@localhost/pda', { presence: true });
    const past = await enter(hag, 'thirdwitch');
    assert(past.some(stanza => stanza.getChildText('body') === 'kept' && stanza.getChild('delay')));
    const info = String(await hag.iq('get', INFO, ROOM));
    assert.match(info, /muc#roominfo_subject[^>]*>.*?Fire burn/);
    const own = past.find(stanza => stanza.attrs.from === `${ROOM}/thirdwitch`);
    assert.equal(own!.getChild('x', USER)!.getChild('item')!.attrs.affiliation, 'member');
    assert.deepEqual(bodies((await read(hag)).messages), ['kept']);
  });
});

describe('play: how long archives of rooms keep', () => {
  it('as the host says that their domain is below: what is older goes, also from the database', async () => {
    const yaml = `modules: { rooms: {} }
hosts:
  localhost: { modules: { archive: { keep: 1 s } } }
  other.example: {}
`;
    const stage = await TestNode.start({ yaml, users: ['crone1', 'nurse'] });
    try {
      const elsewhere = 'coven@conference.other.example';
      await stage.addUser('crone1', 'other.example');
      for (const [jid, room] of [
        ['crone1@localhost/desktop', ROOM],
        ['crone1@other.example/desktop', elsewhere],
      ] as const) {
        const client = await stage.login(jid);
        await make(client, 'firstwitch', { 'muc#roomconfig_persistentroom': '1' }, room);
        client.send(`<message type='groupchat' to='${room}'><body>old</body></message>`);
        await client.message();
      }
      await new Promise(resolve => setTimeout(resolve, 1100));
      const { storage, accounts } = stage.node;
      const kept = async (room: string): Promise<number> => {
        const rows = await storage.read(q =>
          q<{ id: number }>('archive_entries')
            .join('archive_addresses', 'archive_addresses.id', 'archive_entries.owner')
            .where('archive_addresses.jid', room)
            .select('archive_entries.id'),
        );
        return rows.length;
      };
      const messages = (): Promise<{ id: number }[]> =>
        storage.read(q => q<{ id: number }>('archive_messages').select('id'));
      assert.equal((await messages()).length, 2);
      // a sweep begins when an account goes
      await accounts.remove(parseJid('nurse@localhost')!);
      await until(async () => (await messages()).length < 2, 'the end of what is too old');
      assert.deepEqual([await kept(ROOM), await kept(elsewhere)], [0, 1]);
    } finally {
      await stage.stop();
    }
  });
});
