import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { admin, ADMIN, cave, enter, error, make, ok, presences, ROOM, told, USER, witches, X } from './rooms.ts';

/** The items of a list, in short. */
const items = (answer: Element): string[] =>
  ok(answer)
    .getChild('query', ADMIN)!
    .getChildren('item')
    .map(item => {
      const { affiliation, role, jid, nick } = item.attrs;
      return [affiliation, role, jid, nick, item.getChildText('reason')].filter(Boolean).join(' ');
    })
    .sort();
const role = (nick: string, value: string, reason = '') =>
  `<item role='${value}' nick='${nick}'>${reason && `<reason>${reason}</reason>`}</item>`;
const affiliation = (name: string, value: string, reason = '') =>
  `<item affiliation='${value}' jid='${name}@localhost'>${reason && `<reason>${reason}</reason>`}</item>`;

describe('play: roles and affiliations in a room (XEP-0045 8, 9, 10.3 to 10.8)', () => {
  let stage: TestNode;
  /** The owner, an admin, and two who are nothing. */
  let crone: TestClient;
  let wicca: TestClient;
  let hag: TestClient;
  let hecate: TestClient;
  beforeEach(async () => {
    stage = await cave('', ['hecate']);
    [crone, wicca, hag] = await witches(stage);
    hecate = await stage.login('hecate@localhost/broom', { presence: true });
  });
  afterEach(() => stage.stop());

  async function meet(fields: Record<string, string> = {}): Promise<void> {
    await make(crone, 'firstwitch', fields);
    ok(await admin(crone, 'set', affiliation('wiccarocks', 'admin')));
    if (fields['muc#roomconfig_membersonly']) {
      ok(await admin(crone, 'set', affiliation('hag66', 'member') + affiliation('hecate', 'member')));
    }
    await enter(wicca, 'secondwitch');
    await enter(hag, 'thirdwitch');
    await enter(hecate, 'hecate');
    for (const client of [crone, wicca, hag, hecate]) await client.settle();
  }
  const refused = async (client: TestClient, list: string) => error(await admin(client, 'set', list));

  describe('kicking (8.2)', () => {
    beforeEach(() => meet());

    it('removes an occupant, who is told by whom and why, before who asked and the others', async () => {
      ok(await admin(crone, 'set', role('thirdwitch', 'none', 'Avaunt!')));
      const own = await hag.presence(`${ROOM}/thirdwitch`, 'unavailable');
      assert.equal(told(own), 'thirdwitch unavailable none/none hag66 110,307');
      const item = own.getChild('x', USER)!.getChild('item')!;
      assert.equal(item.getChildText('reason'), 'Avaunt!');
      assert.deepEqual(item.getChild('actor')?.attrs, { nick: 'firstwitch' });
      // the result came first
      assert.deepEqual(await presences(crone), ['thirdwitch unavailable none/none hag66 307']);
      assert.deepEqual(await presences(hecate), ['thirdwitch unavailable none/none 307']);
      await enter(hag, 'thirdwitch');
    });

    it('is for moderators, not against those above them, nor oneself', async () => {
      assert.equal(await refused(hag, role('hecate', 'none')), 'forbidden auth');
      assert.equal(await refused(wicca, role('firstwitch', 'none')), 'not-allowed cancel');
      assert.equal(await refused(crone, role('firstwitch', 'none')), 'conflict cancel');
      assert.equal(await refused(crone, role('nobody', 'none')), 'item-not-found cancel');
      ok(await admin(wicca, 'set', role('thirdwitch', 'moderator')));
      assert.equal(await refused(hag, role('secondwitch', 'none')), 'not-allowed cancel');
      ok(await admin(hag, 'set', role('hecate', 'none')));
      assert.equal(
        told(await hecate.presence(`${ROOM}/hecate`, 'unavailable')),
        'hecate unavailable none/none hecate 110,307',
      );
    });

    it('removes all clients under the nickname', async () => {
      const other = await stage.login('hag66@localhost/broom', { presence: true });
      await enter(other, 'thirdwitch');
      await crone.settle();
      ok(await admin(crone, 'set', role('thirdwitch', 'none')));
      for (const client of [hag, other])
        assert.equal(
          told(await client.presence(`${ROOM}/thirdwitch`, 'unavailable')),
          'thirdwitch unavailable none/none hag66 110,307',
        );
      assert.deepEqual(await presences(crone), ['thirdwitch unavailable none/none hag66 307']);
    });
  });

  describe('voice (8.3 to 8.5)', () => {
    beforeEach(() => meet({ 'muc#roomconfig_moderatedroom': '1' }));

    it('is given to visitors and taken from participants, and everybody is told', async () => {
      ok(await admin(crone, 'set', role('thirdwitch', 'participant', 'A worthy witch indeed!')));
      const own = await hag.presence(`${ROOM}/thirdwitch`);
      assert.equal(told(own), 'thirdwitch none/participant hag66 110');
      assert.equal(own.getChild('x', USER)!.getChild('item')!.getChildText('reason'), 'A worthy witch indeed!');
      assert.deepEqual(await presences(hecate), ['thirdwitch none/participant']);
      hag.send(`<message type='groupchat' to='${ROOM}'><body>x</body></message>`);
      assert.equal((await hecate.message()).getChildText('body'), 'x');
      ok(await admin(crone, 'set', role('thirdwitch', 'visitor')));
      assert.equal(told(await hecate.presence(`${ROOM}/thirdwitch`)), 'thirdwitch none/visitor');
    });

    it('is not taken from admins and owners, by anybody', async () => {
      assert.equal(await refused(crone, role('secondwitch', 'visitor')), 'not-allowed cancel');
      assert.equal(await refused(wicca, role('firstwitch', 'visitor')), 'not-allowed cancel');
      assert.equal(await refused(hag, role('hecate', 'participant')), 'forbidden auth');
    });

    it('is given and taken by a list, all or nothing', async () => {
      assert.equal(
        await refused(crone, role('thirdwitch', 'participant') + role('secondwitch', 'visitor')),
        'not-allowed cancel',
      );
      assert.deepEqual(await presences(hecate), []);
      ok(await admin(crone, 'set', role('thirdwitch', 'participant') + role('hecate', 'participant')));
      assert.deepEqual(await presences(hag), ['thirdwitch none/participant hag66 110', 'hecate none/participant']);
      assert.deepEqual(items(await admin(crone, 'get', `<item role='participant'/>`)), [
        `none participant ${hag.jid} thirdwitch`,
        `none participant ${hecate.jid} hecate`,
      ]);
      assert.equal(error(await admin(hag, 'get', `<item role='participant'/>`)), 'forbidden auth');
    });
  });

  describe('moderators (9.6 to 9.8)', () => {
    beforeEach(() => meet());

    it('are made and unmade by admins', async () => {
      assert.equal(await refused(hag, role('hecate', 'moderator')), 'forbidden auth');
      ok(await admin(wicca, 'set', role('thirdwitch', 'moderator')));
      assert.equal(told(await hecate.presence(`${ROOM}/thirdwitch`)), 'thirdwitch none/moderator');
      // who is one knows addresses
      hecate.send(`<presence to='${ROOM}/hecate'><show>away</show></presence>`);
      assert.equal(told(await hag.presence(`${ROOM}/hecate`)), 'hecate none/participant hecate');
      assert.equal(await refused(hag, role('hecate', 'moderator')), 'forbidden auth');
      assert.equal(await refused(wicca, role('firstwitch', 'participant')), 'not-allowed cancel');
      assert.equal(await refused(crone, role('secondwitch', 'participant')), 'not-allowed cancel');
      ok(await admin(wicca, 'set', role('thirdwitch', 'participant') + role('hecate', 'moderator')));
      await hag.settle();
      assert.deepEqual(items(await admin(wicca, 'get', `<item role='moderator'/>`)), [
        `admin moderator ${wicca.jid} secondwitch`,
        `none moderator ${hecate.jid} hecate`,
        `owner moderator ${crone.jid} firstwitch`,
      ]);
      assert.equal(error(await admin(hecate, 'get', `<item role='moderator'/>`)), 'forbidden auth');
    });
  });

  describe('banning (9.1, 9.2)', () => {
    beforeEach(() => meet());

    it('removes who is banned, and keeps them out', async () => {
      ok(await admin(wicca, 'set', affiliation('hag66', 'outcast', 'Treason')));
      const own = await hag.presence(`${ROOM}/thirdwitch`, 'unavailable');
      assert.equal(told(own), 'thirdwitch unavailable outcast/none hag66 110,301');
      assert.equal(own.getChild('x', USER)!.getChild('item')!.getChildText('reason'), 'Treason');
      assert.deepEqual(await presences(hecate), ['thirdwitch unavailable outcast/none 301']);
      assert.deepEqual(items(await admin(wicca, 'get', `<item affiliation='outcast'/>`)), [
        'outcast hag66@localhost Treason',
      ]);
      hag.send(`<presence to='${ROOM}/thirdwitch'>${X}</presence>`);
      assert.equal(error(await hag.presence(`${ROOM}/thirdwitch`, 'error')), 'forbidden auth');
      ok(await admin(wicca, 'set', affiliation('hag66', 'none')));
      await enter(hag, 'thirdwitch');
    });

    it('is for admins, not against those above them, nor oneself; a list is banned as a whole or not at all', async () => {
      assert.equal(await refused(hag, affiliation('hecate', 'outcast')), 'forbidden auth');
      assert.equal(await refused(wicca, affiliation('crone1', 'outcast')), 'not-allowed cancel');
      assert.equal(await refused(wicca, affiliation('wiccarocks', 'outcast')), 'conflict cancel');
      assert.equal(await refused(crone, affiliation('crone1', 'outcast')), 'conflict cancel');
      assert.equal(
        await refused(wicca, affiliation('hag66', 'outcast') + affiliation('crone1', 'outcast')),
        'not-allowed cancel',
      );
      assert.deepEqual(await presences(hecate), []);
      assert.deepEqual(items(await admin(wicca, 'get', `<item affiliation='outcast'/>`)), []);
      assert.equal(error(await admin(hag, 'get', `<item affiliation='outcast'/>`)), 'forbidden auth');
    });

    it('of a domain removes all of its users that are not known by themselves', async () => {
      ok(await admin(crone, 'set', affiliation('hecate', 'member')));
      ok(await admin(crone, 'set', `<item affiliation='outcast' jid='localhost'/>`));
      assert.equal(
        told(await hag.presence(`${ROOM}/thirdwitch`, 'unavailable')),
        'thirdwitch unavailable outcast/none hag66 110,301',
      );
      ok(await hecate.iq('get', "<ping xmlns='urn:xmpp:ping'/>", `${ROOM}/hecate`));
    });
  });

  describe('members (9.3 to 9.5)', () => {
    it('are made and unmade, and everybody is told', async () => {
      await meet({ 'muc#roomconfig_moderatedroom': '1' });
      ok(await admin(wicca, 'set', affiliation('hag66', 'member', 'A worthy witch indeed!')));
      const seen = await hecate.presence(`${ROOM}/thirdwitch`);
      assert.equal(told(seen), 'thirdwitch member/participant');
      assert.equal(seen.getChild('x', USER)!.getChild('item')!.getChildText('reason'), 'A worthy witch indeed!');
      assert.equal(told(await hag.presence(`${ROOM}/thirdwitch`)), 'thirdwitch member/participant hag66 110');
      ok(await admin(wicca, 'set', affiliation('hag66', 'none')));
      assert.equal(told(await hecate.presence(`${ROOM}/thirdwitch`)), 'thirdwitch none/visitor');
      assert.equal(await refused(hag, affiliation('hecate', 'member')), 'forbidden auth');
    });

    it('no more leave a members-only room (321)', async () => {
      await meet({ 'muc#roomconfig_membersonly': '1' });
      ok(await admin(wicca, 'set', affiliation('hag66', 'none', 'Not so worthy')));
      assert.equal(
        told(await hag.presence(`${ROOM}/thirdwitch`, 'unavailable')),
        'thirdwitch unavailable none/none hag66 110,321',
      );
      assert.deepEqual(await presences(hecate), ['thirdwitch unavailable none/none 321']);
    });

    it('have a list: for admins; and for those inside where addresses are shown', async () => {
      await meet({ 'muc#roomconfig_membersonly': '1' });
      assert.deepEqual(items(await admin(wicca, 'get', `<item affiliation='member'/>`)), [
        'member hag66@localhost',
        'member hecate@localhost',
      ]);
      assert.equal(error(await admin(hag, 'get', `<item affiliation='member'/>`)), 'forbidden auth');
      assert.equal(error(await admin(wicca, 'get', `<item affiliation='owner'/>`)), 'forbidden auth');
      const open = 'heath@conference.localhost';
      await make(crone, 'firstwitch', { 'muc#roomconfig_whois': 'anyone' }, open);
      ok(await admin(crone, 'set', affiliation('hag66', 'member'), open));
      assert.deepEqual(items(await admin(hag, 'get', `<item affiliation='member'/>`, open)), [
        'member hag66@localhost',
      ]);
      assert.deepEqual(items(await admin(hag, 'get', `<item affiliation='owner'/>`, open)), ['owner crone1@localhost']);
      assert.equal(error(await admin(hecate, 'get', `<item affiliation='member'/>`, open)), 'forbidden auth');
    });

    it('who are not inside are told of to those who may know', async () => {
      await meet();
      ok(await admin(wicca, 'set', affiliation('romeo', 'member')));
      const message = await crone.message();
      const item = message.getChild('x', USER)!.getChild('item')!.attrs;
      assert.equal(message.attrs.from, ROOM);
      assert.deepEqual([item.affiliation, item.role, item.jid], ['member', 'none', 'romeo@localhost']);
      assert.deepEqual(
        (await hag.settle()).filter(({ name }) => name === 'message'),
        [],
      );
    });
  });

  describe('owners and admins (10.3 to 10.8)', () => {
    beforeEach(() => meet());

    it('are made and unmade by owners', async () => {
      ok(await admin(crone, 'set', affiliation('hag66', 'owner')));
      assert.equal(told(await hecate.presence(`${ROOM}/thirdwitch`)), 'thirdwitch owner/moderator');
      ok(await admin(hag, 'set', affiliation('wiccarocks', 'none') + affiliation('hecate', 'admin')));
      const seen = await presences(crone);
      assert.deepEqual(seen, [
        'thirdwitch owner/moderator hag66',
        'secondwitch none/participant wiccarocks',
        'hecate admin/moderator hecate',
      ]);
      assert.deepEqual(items(await admin(crone, 'get', `<item affiliation='admin'/>`)), ['admin hecate@localhost']);
      assert.deepEqual(items(await admin(crone, 'get', `<item affiliation='owner'/>`)), [
        'owner crone1@localhost',
        'owner hag66@localhost',
      ]);
      // 10.4
      ok(await admin(crone, 'set', affiliation('crone1', 'admin')));
      assert.equal(await refused(hag, affiliation('hag66', 'none')), 'conflict cancel');
      assert.equal(await refused(hag, affiliation('hag66', 'none') + affiliation('hecate', 'none')), 'conflict cancel');
      ok(await admin(hag, 'set', affiliation('hag66', 'none') + affiliation('hecate', 'owner')));
    });

    it('are not touched by admins', async () => {
      assert.equal(await refused(wicca, affiliation('hag66', 'admin')), 'forbidden auth');
      assert.equal(await refused(wicca, affiliation('hag66', 'owner')), 'forbidden auth');
      assert.equal(await refused(wicca, affiliation('crone1', 'none')), 'forbidden auth');
    });

    it('nobody but an owner takes it from an admin, not even the admin (10.8)', async () => {
      assert.equal(await refused(wicca, affiliation('wiccarocks', 'member')), 'forbidden auth');
      ok(await admin(crone, 'set', affiliation('wiccarocks', 'member')));
      assert.equal(told(await hecate.presence(`${ROOM}/secondwitch`)), 'secondwitch member/participant');
      assert.equal(await refused(wicca, affiliation('wiccarocks', 'admin')), 'forbidden auth');
    });

    it('count by their bare addresses', async () => {
      ok(await admin(crone, 'set', `<item affiliation='owner' jid='${hag.jid}'/>`));
      assert.deepEqual(items(await admin(crone, 'get', `<item affiliation='owner'/>`)), [
        'owner crone1@localhost',
        'owner hag66@localhost',
      ]);
    });
  });

  it('what is no request for a list or a modification is bad (17.4)', async () => {
    await meet();
    for (const list of [
      '',
      '<item/>',
      `<item role='visitor' affiliation='none' nick='thirdwitch' jid='hag66@localhost'/>`,
      `<item role='king' nick='thirdwitch'/>`,
      `<item affiliation='king' jid='hag66@localhost'/>`,
      `<item role='visitor'/>`,
      `<item affiliation='member'/>`,
      `<item affiliation='member' jid='localhost'/>`,
      affiliation('hag66', 'member') + affiliation('hag66', 'none'),
      affiliation('hag66', 'member') + role('hecate', 'visitor'),
    ])
      assert.equal(await refused(crone, list), 'bad-request modify', list);
    assert.equal(await refused(crone, `<item affiliation='member' jid='@'/>`), 'jid-malformed modify');
    for (const list of ['', '<item/>', `<item role='none'/>`, `<item affiliation='none'/>`])
      assert.equal(error(await admin(crone, 'get', list)), 'bad-request modify', list);
    assert.equal(
      error(await admin(crone, 'get', `<item role='visitor'/>`, 'nowhere@conference.localhost')),
      'item-not-found cancel',
    );
  });
});
