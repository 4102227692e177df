import assert from 'node:assert/strict';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import {
  admin,
  cave,
  configure,
  enter,
  error,
  make,
  MUC,
  ok,
  presences,
  ROOM,
  told,
  USER,
  witches,
  X,
} from './rooms.ts';

describe('play: entering a room (XEP-0045 7.2)', () => {
  let stage: TestNode;
  let crone: TestClient;
  let wicca: TestClient;
  let hag: TestClient;
  beforeEach(async () => {
    stage = await cave();
    [crone, wicca, hag] = await witches(stage);
  });
  afterEach(() => stage.stop());

  /** What somebody is told who tries to enter. */
  async function refused(client: TestClient, nick: string, x = X): Promise<string> {
    client.send(`<presence id='n13mt3l' to='${ROOM}/${nick}'>${x}</presence>`);
    const answer = await client.presence(`${ROOM}/${nick}`, 'error');
    assert.equal(answer.attrs.id, 'n13mt3l');
    assert.equal(answer.getChild('error')?.attrs.by, ROOM);
    return error(answer);
  }

  it('who enters a room that is not there makes it, and owns it (10.1.1)', async () => {
    const [presence] = await enter(crone, 'firstwitch');
    assert.equal(told(presence!), 'firstwitch owner/moderator crone1 110,170,201');
    assert.equal(presence!.attrs.to, 'crone1@localhost/desktop');
  });

  it('a room that is being made is there for nobody else (7.2.11)', async () => {
    await enter(crone, 'firstwitch');
    assert.equal(await refused(hag, 'thirdwitch'), 'item-not-found cancel');
    assert.deepEqual(await presences(crone), []);
    hag.send(`<message id='m' type='groupchat' to='${ROOM}'><body>x</body></message>`);
    assert.equal(error(await hag.message()), 'item-not-found cancel');
    await configure(crone, {});
    await enter(hag, 'thirdwitch');
  });

  it('a room that nobody configured goes with who made it (16.6)', async () => {
    await enter(crone, 'firstwitch');
    crone.send(`<presence type='unavailable' to='${ROOM}/firstwitch'/>`);
    await crone.presence(`${ROOM}/firstwitch`, 'unavailable');
    const [presence] = await enter(hag, 'thirdwitch');
    assert.equal(told(presence!), 'thirdwitch owner/moderator hag66 110,170,201');
  });

  it('no nickname is malformed (7.2.1), and so is none that can be seen (17.1)', async () => {
    hag.send(`<presence id='273hs51g' to='${ROOM}'>${X}</presence>`);
    const answer = await hag.presence(ROOM, 'error');
    assert.equal(error(answer), 'jid-malformed modify');
    assert.equal(answer.attrs.id, '273hs51g');
    assert.equal(await refused(hag, 'x'.repeat(65)), 'not-acceptable modify');
  });

  it('tells of those who are there, then all and at last oneself of who enters (7.2.2)', async () => {
    await make(crone, 'firstwitch');
    await enter(wicca, 'secondwitch');
    assert.deepEqual(await presences(crone), ['secondwitch none/participant wiccarocks']);
    hag.send(`<presence id='n13mt3l' to='${ROOM}/thirdwitch'>${X}<status>brewing</status></presence>`);
    const own = await hag.presence(`${ROOM}/thirdwitch`);
    const before = hag.inbox.splice(0).filter(stanza => stanza.name === 'presence');
    assert.deepEqual(before.map(told), ['firstwitch owner/moderator', 'secondwitch none/participant']);
    assert.equal(told(own), 'thirdwitch none/participant hag66 110,170');
    // the id of the stanza that it answers
    assert.equal(own.attrs.id, 'n13mt3l');
    const seen = await wicca.presence(`${ROOM}/thirdwitch`);
    assert.equal(told(seen), 'thirdwitch none/participant');
    assert.equal(seen.getChildText('status'), 'brewing');
    assert.equal(seen.getChild('x', MUC), undefined);
    assert.equal(seen.attrs.to, wicca.jid);
    // 7.2.4: moderators see addresses
    assert.equal(told(await crone.presence(`${ROOM}/thirdwitch`)), 'thirdwitch none/participant hag66');
  });

  it('what only the room says is not passed on (17.3, XEP-0421 4)', async () => {
    await make(crone, 'firstwitch');
    const forged =
      `<x xmlns='${USER}'><item affiliation='owner' role='moderator'/><status code='301'/></x>` +
      `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>`;
    hag.send(`<presence to='${ROOM}/thirdwitch'>${X}${forged}</presence>`);
    const seen = await crone.presence(`${ROOM}/thirdwitch`);
    assert.equal(told(seen), 'thirdwitch none/participant hag66');
    assert.equal(seen.getChildren('x').length, 1);
    assert.notEqual(seen.getChild('occupant-id')?.attrs.id, 'forged');
  });

  it('a room shows addresses to all, and says so to who enters (7.2.3)', async () => {
    await make(crone, 'firstwitch', { 'muc#roomconfig_whois': 'anyone' });
    await enter(wicca, 'secondwitch');
    const [first, second, own] = await enter(hag, 'thirdwitch');
    assert.deepEqual(
      [first, second, own].map(presence => told(presence!)),
      [
        'firstwitch owner/moderator crone1',
        'secondwitch none/participant wiccarocks',
        'thirdwitch none/participant hag66 100,110,170',
      ],
    );
    assert.equal(second!.getChild('x', USER)?.getChild('item')?.attrs.jid, wicca.jid);
    assert.equal(told(await wicca.presence(`${ROOM}/thirdwitch`)), 'thirdwitch none/participant hag66');
  });

  it('says that messages are kept only where they are (7.2.12)', async () => {
    await make(crone, 'firstwitch', { 'muc#roomconfig_enablelogging': '0' });
    assert.deepEqual((await enter(hag, 'thirdwitch')).map(told), [
      'firstwitch owner/moderator',
      'thirdwitch none/participant hag66 110',
    ]);
  });

  it('a password is needed where there is one (7.2.6)', async () => {
    await make(crone, 'firstwitch', {
      'muc#roomconfig_passwordprotectedroom': '1',
      'muc#roomconfig_roomsecret': 'cauldronburn',
    });
    const password = (text: string) => `<x xmlns='${MUC}'><password>${text}</password></x>`;
    assert.equal(await refused(hag, 'thirdwitch'), 'not-authorized auth');
    assert.equal(await refused(hag, 'thirdwitch', password('cauldron')), 'not-authorized auth');
    hag.send(`<presence to='${ROOM}/thirdwitch'>${password('cauldron')}</presence>`);
    const [x] = (await hag.presence(`${ROOM}/thirdwitch`, 'error')).getChildren('x');
    // slixmpp looks for it; what was said in it stays unsaid
    assert.deepEqual([x?.attrs.xmlns, x?.children], [MUC, []]);
    const entered = await enter(hag, 'thirdwitch', { x: password('cauldronburn') });
    assert.equal(told(entered.at(-1)!), 'thirdwitch none/participant hag66 110,170');
    const seen = await crone.presence(`${ROOM}/thirdwitch`);
    assert(!String(seen).includes('cauldronburn'));
  });

  it('only members enter a members-only room (7.2.7)', async () => {
    await make(crone, 'firstwitch', { 'muc#roomconfig_membersonly': '1' });
    assert.equal(await refused(hag, 'thirdwitch'), 'registration-required auth');
    ok(await admin(crone, 'set', `<item affiliation='member' jid='hag66@localhost'/>`));
    const entered = await enter(hag, 'thirdwitch');
    assert.equal(told(entered.at(-1)!), 'thirdwitch member/participant hag66 110,170');
  });

  it('who is banned does not enter (7.2.8), nor anybody of a domain that is (9.2)', async () => {
    await make(crone, 'firstwitch');
    ok(await admin(crone, 'set', `<item affiliation='outcast' jid='hag66@localhost'/>`));
    assert.equal(await refused(hag, 'thirdwitch'), 'forbidden auth');
    ok(await admin(crone, 'set', `<item affiliation='none' jid='hag66@localhost'/>`));
    ok(await admin(crone, 'set', `<item affiliation='outcast' jid='localhost'/>`));
    assert.equal(await refused(hag, 'thirdwitch'), 'forbidden auth');
    ok(await admin(crone, 'set', `<item affiliation='member' jid='hag66@localhost'/>`));
    await enter(hag, 'thirdwitch');
  });

  it('nobody takes the nickname of another, nor one that looks like it (7.2.9)', async () => {
    await make(crone, 'firstwitch');
    assert.equal(await refused(hag, 'firstwitch'), 'conflict cancel');
    assert.equal(await refused(hag, 'FirstWitch'), 'conflict cancel');
    ok(await admin(crone, 'set', `<item affiliation='member' jid='wiccarocks@localhost' nick='secondwitch'/>`));
    assert.equal(await refused(hag, 'secondwitch'), 'conflict cancel');
    await enter(wicca, 'secondwitch');
  });

  it('who has a reserved nickname uses it, where the owner wants that (7.12)', async () => {
    await make(crone, 'firstwitch', { '{urn:posthouse:rooms:0}lock_nicks': '1' });
    ok(await admin(crone, 'set', `<item affiliation='member' jid='hag66@localhost' nick='thirdwitch'/>`));
    assert.equal(await refused(hag, 'oldhag'), 'not-acceptable cancel');
    await enter(hag, 'thirdwitch');
    hag.send(`<presence id='n' to='${ROOM}/oldhag'/>`);
    assert.equal(error(await hag.presence(`${ROOM}/oldhag`, 'error')), 'not-acceptable cancel');
  });

  it('a room that is full is entered by its admins and owners only (7.2.10)', async () => {
    await make(crone, 'firstwitch', { 'muc#roomconfig_maxusers': '1', 'muc#roomconfig_persistentroom': '1' });
    ok(await admin(crone, 'set', `<item affiliation='admin' jid='wiccarocks@localhost'/>`));
    assert.equal(await refused(hag, 'thirdwitch'), 'service-unavailable wait');
    await enter(wicca, 'secondwitch');
  });

  it('several clients of an account share a nickname (7.2.9)', async () => {
    await make(crone, 'firstwitch');
    await enter(hag, 'thirdwitch');
    const other = await stage.login('hag66@localhost/broom', { presence: true });
    await crone.settle();
    await hag.settle();
    await other.settle();
    const entered = await enter(other, 'thirdwitch');
    assert.deepEqual(entered.map(told), ['firstwitch owner/moderator', 'thirdwitch none/participant hag66 110,170']);
    assert.deepEqual(await presences(crone), ['thirdwitch none/participant hag66']);
    assert.deepEqual(await presences(hag), ['thirdwitch none/participant hag66 110']);
    // both hear what is said, both may speak, and with one of them the other does not leave
    crone.send(`<message type='groupchat' to='${ROOM}'><body>Thrice</body></message>`);
    for (const client of [hag, other]) assert.equal((await client.message()).getChildText('body'), 'Thrice');
    other.send(`<message type='groupchat' to='${ROOM}'><body>Harpier cries</body></message>`);
    assert.equal((await hag.message()).attrs.from, `${ROOM}/thirdwitch`);
    await crone.settle();
    hag.send(`<presence type='unavailable' to='${ROOM}/thirdwitch'/>`);
    assert.equal(
      told(await hag.presence(`${ROOM}/thirdwitch`, 'unavailable')),
      'thirdwitch unavailable none/none hag66 110',
    );
    assert.deepEqual(await presences(crone), []);
    crone.send(`<message type='groupchat' to='${ROOM}'><body>again</body></message>`);
    await other.expect(stanza => stanza.getChildText('body') === 'again', 'the message');
    assert.deepEqual(
      (await hag.settle()).filter(({ name }) => name === 'message'),
      [],
    );
  });

  it('a client that enters again is told everything, the others nothing (17.3)', async () => {
    await make(crone, 'firstwitch');
    await enter(hag, 'thirdwitch');
    hag.send(`<message type='groupchat' to='${ROOM}'><body>Thrice</body></message>`);
    await hag.message();
    await crone.settle();
    const again = await enter(hag, 'thirdwitch');
    assert.deepEqual(again.filter(({ name }) => name === 'presence').map(told), [
      'firstwitch owner/moderator',
      'thirdwitch none/participant hag66 110,170',
    ]);
    assert.deepEqual(
      again.filter(({ name }) => name === 'message').map(message => message.getChildText('body')),
      ['Thrice'],
    );
    assert.deepEqual(await presences(crone), []);
  });

  it('presence without <x/> is that of somebody who believes to be inside (7.2.17)', async () => {
    await make(crone, 'firstwitch');
    hag.send(`<presence to='${ROOM}/thirdwitch'/>`);
    const kick = await hag.presence(`${ROOM}/thirdwitch`, 'unavailable');
    assert.equal(told(kick), 'thirdwitch unavailable none/none hag66 110,307,333');
    assert.notEqual(kick.getChild('occupant-id', 'urn:xmpp:occupant-id:0')?.attrs.id, '');
    assert.deepEqual(await presences(crone), []);
  });

  it('by no other type of presence is a room entered or left (17.3)', async () => {
    await make(crone, 'firstwitch');
    for (const type of ['probe', 'subscribe', 'unsubscribe', 'unavailable'])
      hag.send(`<presence type='${type}' to='${ROOM}/thirdwitch'>${X}</presence>`);
    crone.send(`<presence type='probe' to='${ROOM}/firstwitch'/>`);
    assert.deepEqual(await presences(hag), []);
    assert.deepEqual(await presences(crone), []);
    hag.send(`<message type='groupchat' to='${ROOM}'><body>x</body></message>`);
    assert.equal(error(await hag.message()), 'not-acceptable modify');
  });

  it('presence is told only of the roles that the owner wants to be shown (10.2)', async () => {
    await make(crone, 'firstwitch', { 'muc#roomconfig_presencebroadcast': 'moderator' });
    await enter(wicca, 'secondwitch');
    const entered = await enter(hag, 'thirdwitch');
    assert.deepEqual(entered.map(told), ['firstwitch owner/moderator', 'thirdwitch none/participant hag66 110,170']);
    assert.deepEqual(await presences(wicca), []);
    assert.deepEqual(await presences(crone), []);
    // it comes to be shown, and is hidden again
    ok(await admin(crone, 'set', `<item role='moderator' nick='thirdwitch'/>`));
    assert.equal(told(await wicca.presence(`${ROOM}/thirdwitch`)), 'thirdwitch none/moderator');
    ok(await admin(crone, 'set', `<item role='participant' nick='thirdwitch'/>`));
    const gone = await wicca.presence(`${ROOM}/thirdwitch`, 'unavailable');
    assert.equal(told(gone), 'thirdwitch unavailable none/none');
    hag.send(`<message type='groupchat' to='${ROOM}'><body>still here</body></message>`);
    assert.equal((await wicca.message()).getChildText('body'), 'still here');
  });
});
