import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import {
  admin,
  cave,
  configure,
  enter,
  error,
  form,
  make,
  ok,
  presences,
  refusal,
  ROOM,
  told,
  USER,
  witches,
  X,
} from './rooms.ts';

const REGISTER = 'jabber:iq:register';
const FORM = 'http://jabber.org/protocol/muc#register';
const DATA = 'jabber:x:data';
const INFO = 'http://jabber.org/protocol/disco#info';
const POLICY = '{urn:posthouse:rooms:0}registration';

const filled = (fields: Readonly<Record<string, string>>): string => form({ FORM_TYPE: FORM, ...fields });

describe('play: registering with a room (XEP-0045 7.10, 9.9)', () => {
  let stage: TestNode;
  let crone: TestClient;
  let wiccarocks: TestClient;
  let hag: TestClient;
  const login = async () => {
    [crone, wiccarocks, hag] = await witches(stage);
  };
  beforeEach(async () => {
    stage = await cave('', ['zoe', 'adam']);
    await login();
    await make(crone, 'firstwitch', { 'muc#roomconfig_persistentroom': '1' });
  });
  afterEach(() => stage.stop());

  const get = (client: TestClient) => client.iq('get', `<query xmlns='${REGISTER}'/>`, ROOM);
  const set = (client: TestClient, inner: string) =>
    client.iq('set', `<query xmlns='${REGISTER}'>${inner}</query>`, ROOM);
  const apply = (client: TestClient, nick: string) =>
    set(client, filled({ 'muc#register_roomnick': nick, 'muc#register_first': 'Brunhilde' }));
  const values = (message: Element) =>
    new Map(
      message
        .getChild('x', DATA)!
        .getChildren('field')
        .map(it => [it.attrs.var!, it.getChildText('value')]),
    );
  const decide = (client: TestClient, fields: Readonly<Record<string, string>>) =>
    client.send(`<message id='d' to='${ROOM}'>${filled(fields)}</message>`);

  it('a form, an application, a form for the owner, and a member', async () => {
    await enter(hag, 'hag');
    await crone.settle();
    const query = ok(await get(hag)).getChild('query', REGISTER)!;
    assert.equal(query.getChild('registered'), undefined);
    const fields = query.getChild('x', DATA)!.getChildren('field');
    assert.ok(fields.find(({ attrs }) => attrs.var === 'muc#register_roomnick')!.getChild('required'));
    ok(await apply(hag, 'thirdwitch'));
    const asked = values(await crone.message());
    assert.deepEqual(
      ['FORM_TYPE', 'muc#register_first', 'muc#register_roomnick', 'muc#register_allow'].map(name => asked.get(name)),
      [FORM, 'Brunhilde', 'thirdwitch', '0'],
    );
    decide(crone, { 'muc#register_roomnick': 'thirdwitch', 'muc#register_allow': '1' });
    assert.equal(told(await hag.presence(`${ROOM}/hag`)), 'hag member/participant hag66 110');
    const registered = ok(await get(hag)).getChild('query', REGISTER)!;
    assert.ok(registered.getChild('registered'));
    assert.equal(registered.getChildText('username'), 'thirdwitch');
    // 7.12
    const node = `<query xmlns='${INFO}' node='x-roomuser-item'/>`;
    const identity = ok(await hag.iq('get', node, ROOM))
      .getChild('query')!
      .getChild('identity')!;
    assert.equal(identity.attrs.name, 'thirdwitch');
    wiccarocks.send(`<presence to='${ROOM}/thirdwitch'>${X}</presence>`);
    assert.equal(error(await wiccarocks.presence(`${ROOM}/thirdwitch`, 'error')), 'conflict cancel');
  });

  it('an application waits, also for the next start, and for an owner who is not in the room', async () => {
    crone.send(`<presence to='${ROOM}/firstwitch' type='unavailable'/>`);
    await crone.settle();
    ok(await apply(hag, 'thirdwitch'));
    assert.equal((await crone.message()).attrs.to, 'crone1@localhost');
    await stage.stop({ keep: true });
    stage = await TestNode.start({ folder: stage.folder, yaml: 'modules: { rooms: {} }' });
    await login();
    assert.equal(
      ok(await get(hag))
        .getChild('query')!
        .getChild('x', DATA)!
        .getChildren('field')
        .find(({ attrs }) => attrs.var === 'muc#register_first')!
        .getChildText('value'),
      'Brunhilde',
    );
    for (const nick of ['thirdwitch', 'ThirdWitch'])
      assert.equal(error(await apply(wiccarocks, nick)), 'conflict cancel');
    decide(crone, { '{urn:posthouse:rooms:0}jid': 'hag66@localhost', 'muc#register_allow': '0' });
    // 9.9: who is refused is told, in words and for clients
    const no = await hag.message();
    assert.deepEqual([no.attrs.from, no.attrs.type], [ROOM, undefined]);
    assert.match(no.getChildText('body')!, /was denied/);
    assert.deepEqual(
      [
        no.getChild('x', DATA)!.attrs.type,
        values(no).get('muc#register_allow'),
        values(no).get('muc#register_roomnick'),
      ],
      ['result', '0', 'thirdwitch'],
    );
    decide(crone, { '{urn:posthouse:rooms:0}jid': 'hag66@localhost', 'muc#register_allow': '1' });
    assert.equal(await refusal(crone, 'd'), 'item-not-found cancel');
    ok(await apply(wiccarocks, 'thirdwitch'));
  });

  it('others do not decide', async () => {
    ok(await apply(hag, 'thirdwitch'));
    decide(hag, { 'muc#register_roomnick': 'thirdwitch', 'muc#register_allow': '1' });
    assert.equal(await refusal(hag, 'd'), 'forbidden auth');
  });

  it('who is let into a members-only room hears of it', async () => {
    await configure(crone, { 'muc#roomconfig_membersonly': '1' });
    await crone.settle();
    ok(await apply(hag, 'thirdwitch'));
    decide(crone, { 'muc#register_roomnick': 'thirdwitch', 'muc#register_allow': '1' });
    assert.equal((await hag.message()).getChild('x', USER)!.getChild('invite')!.attrs.from, 'crone1@localhost');
    await enter(hag, 'thirdwitch');
  });

  it('errors: nobody there, not allowed, no form, no nickname, a nickname that is taken', async () => {
    const nowhere = await hag.iq('get', `<query xmlns='${REGISTER}'/>`, 'nowhere@conference.localhost');
    assert.equal(error(nowhere), 'item-not-found cancel');
    assert.equal(error(await set(hag, '')), 'bad-request modify');
    assert.equal(error(await set(hag, filled({}))), 'bad-request modify');
    assert.equal(error(await apply(hag, 'firstwitch')), 'conflict cancel');
    ok(await admin(crone, 'set', "<item affiliation='outcast' jid='wiccarocks@localhost'/>"));
    assert.equal(error(await get(wiccarocks)), 'not-allowed cancel');
    await configure(crone, { [POLICY]: 'closed' });
    assert.equal(error(await get(hag)), 'not-allowed cancel');
    assert.equal(error(await apply(hag, 'thirdwitch')), 'not-allowed cancel');
  });

  it('where it is open, who registers is a member at once; and may cease to be one', async () => {
    await configure(crone, { [POLICY]: 'open' });
    await enter(hag, 'thirdwitch');
    await crone.settle();
    ok(await apply(hag, 'thirdwitch'));
    assert.deepEqual(await presences(crone), ['thirdwitch member/participant hag66']);
    ok(await set(hag, '<remove/>'));
    assert.deepEqual(await presences(crone), ['thirdwitch none/participant hag66']);
    assert.equal(error(await set(hag, '<remove/>')), 'registration-required auth');
  });

  it('an owner reserves a nickname and gives it up, and stays an owner', async () => {
    ok(await apply(crone, 'hecate'));
    assert.equal(
      ok(await get(crone))
        .getChild('query')!
        .getChildText('username'),
      'hecate',
    );
    ok(await set(crone, '<remove/>'));
    const query = ok(await get(crone)).getChild('query')!;
    assert.equal(query.getChildText('username'), null);
    assert.ok(query.getChild('registered'));
  });

  it('the next account by a name is nothing to the rooms that knew the one before', async () => {
    ok(await admin(crone, 'set', "<item affiliation='admin' jid='wiccarocks@localhost'/>"));
    ok(await apply(hag, 'thirdwitch'));
    for (const name of ['hag66', 'crone1']) await stage.node.accounts.remove(parseJid(`${name}@localhost`)!);
    const owners = ok(await admin(wiccarocks, 'get', "<item affiliation='owner'/>")).getChild('query')!;
    assert.deepEqual(
      owners.getChildren('item').map(({ attrs }) => attrs.jid),
      ['wiccarocks@localhost'],
    );
    decide(wiccarocks, { 'muc#register_roomnick': 'thirdwitch', 'muc#register_allow': '1' });
    assert.equal(await refusal(wiccarocks, 'd'), 'item-not-found cancel');
    // nor has it made any of them
    assert.deepEqual(await stage.tablesWith(row => row.creator === 'crone1@localhost'), []);
  });

  it('where the last owner is gone and there is no admin, the member of longest standing owns the room', async () => {
    for (const name of ['zoe', 'hag66', 'adam']) {
      ok(await admin(crone, 'set', `<item affiliation='member' jid='${name}@localhost'/>`));
      // times are in milliseconds
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    const remove = (name: string) => stage.node.accounts.remove(parseJid(`${name}@localhost`)!);
    const owners = async (): Promise<(string | undefined)[]> => {
      const query = ok(await admin(wiccarocks, 'get', "<item affiliation='owner'/>")).getChild('query')!;
      return query.getChildren('item').map(({ attrs }) => attrs.jid);
    };
    // of two owners the other stays, and nobody becomes one
    ok(await admin(crone, 'set', "<item affiliation='owner' jid='wiccarocks@localhost'/>"));
    await remove('crone1');
    assert.deepEqual(await owners(), ['wiccarocks@localhost']);
    await remove('wiccarocks');
    const heir = await stage.login('zoe@localhost/home');
    const query = ok(await admin(heir, 'get', "<item affiliation='owner'/>")).getChild('query')!;
    assert.deepEqual(
      query.getChildren('item').map(({ attrs }) => attrs.jid),
      ['zoe@localhost'],
    );
  });
});

describe('play: what a room looks like, and its pace', () => {
  const VCARD = 'vcard-temp';
  // a picture, and its SHA-1
  const PICTURE = 'iVBORw0KGgo=';
  let stage: TestNode;
  let crone: TestClient;
  let hag: TestClient;
  beforeEach(async () => {
    stage = await cave();
    crone = await stage.login('crone1@localhost/desktop', { presence: true });
    hag = await stage.login('hag66@localhost/pda', { presence: true });
    await make(crone, 'firstwitch');
    await enter(hag, 'thirdwitch');
    await crone.settle();
  });
  afterEach(() => stage.stop());

  const info = async () => {
    const query = ok(await hag.iq('get', `<query xmlns='${INFO}'/>`, ROOM)).getChild('query')!;
    const fields = query.getChild('x', DATA)!.getChildren('field');
    return {
      features: query.getChildren('feature').map(({ attrs }) => attrs.var),
      field: (name: string) =>
        fields
          .find(({ attrs }) => attrs.var === name)
          ?.getChildren('value')
          .map(value => value.getText()),
    };
  };

  it('an owner gives it an avatar, and everybody sees it (XEP-0486)', async () => {
    const photo = `<PHOTO><TYPE>image/png</TYPE><BINVAL>${PICTURE}</BINVAL></PHOTO>`;
    const card = `<vCard xmlns='${VCARD}'><FN>Höhle</FN>${photo}</vCard>`;
    assert.equal(error(await hag.iq('set', card, ROOM)), 'forbidden auth');
    ok(await crone.iq('set', card, ROOM));
    const told = await hag.message();
    assert.equal(told.getChild('x', USER)!.getChild('status')!.attrs.code, '104');
    const { features, field } = await info();
    assert.ok(features.includes(VCARD));
    assert.deepEqual(field('muc#roominfo_avatarhash'), ['4caece539b039b16e16206ea2478f8c5ffb2ca05']);
    const kept = ok(await hag.iq('get', `<vCard xmlns='${VCARD}'/>`, ROOM)).getChild('vCard', VCARD)!;
    assert.equal(kept.getChildText('FN'), 'Höhle');
    assert.equal(kept.getChild('PHOTO')!.getChildText('BINVAL'), PICTURE);
    const broken = `<vCard xmlns='${VCARD}'><PHOTO><BINVAL>?</BINVAL></PHOTO></vCard>`;
    assert.equal(error(await crone.iq('set', broken, ROOM)), 'bad-request modify');
    const large = `<vCard xmlns='${VCARD}'><FN>${'x'.repeat(140_000)}</FN></vCard>`;
    assert.equal(error(await crone.iq('set', large, ROOM)), 'not-acceptable modify');
    ok(await crone.iq('set', `<vCard xmlns='${VCARD}'/>`, ROOM));
    assert.equal((await info()).field('muc#roominfo_avatarhash'), undefined);
  });

  it('nobody gives themselves a role, an id or a hat (XEP-0317) by presence', async () => {
    const own =
      `<x xmlns='${USER}'><item affiliation='owner' role='moderator'/></x>` +
      "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='crone'/>" +
      "<hats xmlns='urn:xmpp:hats:0'><hat title='Host' uri='urn:example:host'/></hats>";
    hag.send(`<presence to='${ROOM}/thirdwitch'><show>away</show>${own}</presence>`);
    const presence = await crone.presence(`${ROOM}/thirdwitch`);
    assert.deepEqual(
      presence.getChildElements().map(({ name }) => name),
      ['show', 'x', 'occupant-id'],
    );
    assert.equal(told(presence), 'thirdwitch none/participant hag66');
    assert.notEqual(presence.getChild('occupant-id')!.attrs.id, 'crone');
  });

  it('in slow mode a user waits between two messages, owners do not (XEP-0500)', async () => {
    await configure(crone, { 'muc#roomconfig_slow_mode_duration': '20' });
    assert.deepEqual((await info()).field('muc#roominfo_slow_mode_duration'), ['20']);
    await Promise.all([crone, hag].map(client => client.settle()));
    const say = (client: TestClient, id: string, inner = `<body>${id}</body>`) =>
      client.send(`<message id='${id}' to='${ROOM}' type='groupchat'>${inner}</message>`);
    say(hag, 'a');
    say(hag, 'b');
    say(hag, 'c', "<composing xmlns='http://jabber.org/protocol/chatstates'/>");
    const refused = await hag.expect(({ attrs }) => attrs.type === 'error', 'a refusal');
    assert.equal(error(refused), 'policy-violation wait');
    assert.match(refused.getChild('error')!.getChildText('text')!, /20 seconds/);
    const other = await stage.login('hag66@localhost/desk');
    await enter(other, 'again');
    say(other, 'd');
    assert.equal(
      error(await other.expect(({ attrs }) => attrs.type === 'error', 'a refusal')),
      'policy-violation wait',
    );
    say(crone, 'e');
    say(crone, 'f');
    const heard = (await crone.settle()).filter(({ attrs }) => attrs.type === 'groupchat');
    assert.deepEqual(
      heard.map(({ attrs }) => attrs.id),
      ['a', 'c', 'e', 'f'],
    );
  });
});
