import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { admin, cave, enter, error, make, MUC, ok, ROOM } from './rooms.ts';
import { features, INFO } from './verona.ts';

const ITEMS = (node = '') => `<query xmlns='http://jabber.org/protocol/disco#items'${node && ` node='${node}'`}/>`;
const info = (node: string) => `<query xmlns='http://jabber.org/protocol/disco#info' node='${node}'/>`;

describe('play: what is discovered of rooms (XEP-0045 6, 7.12)', () => {
  let stage: TestNode;
  let crone: TestClient;
  let hag: TestClient;
  const start = async (yaml?: string): Promise<void> => {
    stage = await cave(yaml);
    crone = await stage.login('crone1@localhost/desktop', { presence: true });
    hag = await stage.login('hag66@localhost/pda', { presence: true });
  };
  afterEach(() => stage.stop());

  const items = async (client: TestClient, to: string) =>
    ok(await client.iq('get', ITEMS(), to))
      .getChild('query')!
      .getChildren('item')
      .map(({ attrs }) => attrs.jid);
  const form = async (client: TestClient) => {
    const x = ok(await client.iq('get', INFO, ROOM))
      .getChild('query')!
      .getChild('x', 'jabber:x:data')!;
    return new Map(x.getChildren('field').map(field => [field.attrs.var, field.getChildText('value')]));
  };

  it('the service is an item of the host, and says what it can (6.1, 6.2)', async () => {
    await start();
    assert((await items(hag, 'localhost')).includes('conference.localhost'));
    const told = features(await hag.iq('get', INFO, 'conference.localhost'));
    for (const feature of [MUC, `${MUC}#stable_id`, 'urn:xmpp:occupant-id:0', 'urn:xmpp:ping'])
      assert(told.includes(feature), feature);
  });

  it('a room says what it is (6.4), also what is talked about where everybody may know', async () => {
    await start();
    await make(crone, 'firstwitch', { 'muc#roomconfig_roomname': 'A Dark Cave' });
    crone.send(`<message type='groupchat' to='${ROOM}'><subject>Spells</subject></message>`);
    await crone.message();
    const answer = await hag.iq('get', INFO, ROOM);
    const { category, type, name } = answer.getChild('query')!.getChild('identity')!.attrs;
    assert.deepEqual([category, type, name], ['conference', 'text', 'A Dark Cave']);
    const told = features(answer);
    for (const feature of [
      MUC,
      'muc_open',
      'muc_unmoderated',
      'muc_semianonymous',
      'muc_temporary',
      `${MUC}#self-ping-optimization`,
    ])
      assert(told.includes(feature), feature);
    const fields = await form(hag);
    assert.equal(fields.get('FORM_TYPE'), `${MUC}#roominfo`);
    assert.equal(fields.get('muc#roominfo_subject'), 'Spells');
    assert.equal(fields.get('muc#roominfo_occupants'), '1');
    assert.equal(error(await hag.iq('get', INFO, 'heath@conference.localhost')), 'item-not-found cancel');
  });

  it('what is talked about among members is told to nobody else (16.4)', async () => {
    await start();
    await make(crone, 'firstwitch', { 'muc#roomconfig_membersonly': '1' });
    crone.send(`<message type='groupchat' to='${ROOM}'><subject>Spells</subject></message>`);
    await crone.message();
    assert.equal((await form(hag)).get('muc#roominfo_subject'), undefined);
    assert.equal((await form(crone)).get('muc#roominfo_subject'), 'Spells');
  });

  it('a room that is being made is told of to its owner only (17.2)', async () => {
    await start();
    await enter(crone, 'firstwitch');
    assert.equal(error(await hag.iq('get', INFO, ROOM)), 'item-not-found cancel');
    ok(await crone.iq('get', INFO, ROOM));
  });

  it('who is inside is told to those who are (6.5)', async () => {
    await start();
    await make(crone, 'firstwitch');
    assert.deepEqual(await items(hag, ROOM), []);
    await enter(hag, 'thirdwitch');
    assert.deepEqual(await items(hag, ROOM), [`${ROOM}/firstwitch`, `${ROOM}/thirdwitch`]);
    assert.equal(error(await hag.iq('get', ITEMS('x'), ROOM)), 'item-not-found cancel');
  });

  it('who is inside a room that all may enter is told to all, where the operator wants it (6.5)', async () => {
    await start('modules: { rooms: { occupantsShown: true } }');
    await make(crone, 'firstwitch');
    assert.deepEqual(await items(hag, ROOM), [`${ROOM}/firstwitch`]);
    const heath = 'heath@conference.localhost';
    await make(crone, 'firstwitch', { 'muc#roomconfig_publicroom': '0' }, heath);
    assert.deepEqual(await items(hag, heath), []);
  });

  it('a reserved nickname is told to whom it belongs (7.12)', async () => {
    await start();
    await make(crone, 'firstwitch');
    ok(await admin(crone, 'set', `<item affiliation='member' jid='hag66@localhost' nick='thirdwitch'/>`));
    const query = ok(await hag.iq('get', info('x-roomuser-item'), ROOM)).getChild('query')!;
    assert.deepEqual(
      query.getChildElements().map(({ name, attrs }) => [name, attrs.category, attrs.type, attrs.name]),
      [['identity', 'conference', 'text', 'thirdwitch']],
    );
    assert.equal(query.attrs.node, 'x-roomuser-item');
    const none = ok(await crone.iq('get', info('x-roomuser-item'), ROOM)).getChild('query')!;
    assert.deepEqual(none.children, []);
  });

  it('nothing is kept back of messages, and there are no other nodes (18.1.1)', async () => {
    await start();
    await make(crone, 'firstwitch');
    assert.equal(error(await hag.iq('get', info(`${MUC}#traffic`), ROOM)), 'service-unavailable cancel');
    assert.equal(error(await hag.iq('get', info('x'), ROOM)), 'item-not-found cancel');
  });

  it('who makes a room, leaves and comes again makes another', async () => {
    await start();
    for (let i = 0; i < 3; i++) {
      const [own] = await enter(crone, 'nick-one');
      assert(String(own).includes('201') || String(own).includes('"201"'));
      crone.send(`<presence id='l${i}' type='unavailable' to='${ROOM}/nick-one'/>`);
      await crone.presence(`${ROOM}/nick-one`, 'unavailable');
    }
  });
});
