import assert from 'node:assert/strict';
import type { Element } from '../../src/xml/index.ts';
import type { TestClient } from '../kit/client.ts';
import { TestNode } from '../kit/node.ts';
import { until } from '../kit/wait.ts';
import {
  admin,
  cave,
  configure,
  enter,
  error,
  form,
  make,
  ok,
  OWNER,
  presences,
  ROOM,
  told,
  USER,
  witches,
  X,
} from './rooms.ts';
import { features, INFO } from './verona.ts';

const CONFIG = 'http://jabber.org/protocol/muc#roomconfig';
const DATA = 'jabber:x:data';

/** What is in the fields of a form. */
function values(query: Element | undefined): Map<string, string[]> {
  const fields = query?.getChild('x', DATA)?.getChildren('field') ?? [];
  return new Map(fields.map(it => [it.attrs.var!, it.getChildren('value').map(value => value.getText())]));
}

const submitted = (fields: Readonly<Record<string, string | readonly string[]>>, type?: string): string =>
  `<query xmlns='${OWNER}'>${form(fields, type)}</query>`;

/** How disco says that the room is. */
const kinds = (answer: Element) => features(answer).filter(feature => feature?.startsWith('muc_'));

/** The status codes of what the room says of itself. */
async function codes(client: TestClient): Promise<string[]> {
  return (await client.settle())
    .filter(({ name, attrs }) => name === 'message' && attrs.from === ROOM && attrs.type === 'groupchat')
    .map(message => message.getChild('x', USER)?.getChildren('status') ?? [])
    .map(all => all.map(({ attrs }) => attrs.code).join());
}

describe('play: owners of a room (XEP-0045 10)', () => {
  let stage: TestNode;
  let crone: TestClient;
  let wiccarocks: TestClient;
  let hag: TestClient;
  beforeEach(async () => {
    stage = await cave();
    [crone, wiccarocks, hag] = await witches(stage);
  });
  afterEach(() => stage.stop());

  const get = (client: TestClient) => client.iq('get', `<query xmlns='${OWNER}'/>`, ROOM);
  const set = (client: TestClient, query: string) => client.iq('set', query, ROOM);

  describe('10.1.2: an instant room', () => {
    it('is there for others as soon as its maker has accepted how it is', async () => {
      await enter(crone, 'firstwitch');
      ok(await set(crone, submitted({})));
      const entered = (await enter(hag, 'thirdwitch')).map(told);
      assert.deepEqual(entered.slice(0, 2), [
        'firstwitch owner/moderator',
        'thirdwitch none/participant hag66 110,170',
      ]);
    });
  });

  describe('10.1.3: a reserved room', () => {
    it('has a form for its maker, and is as that says', async () => {
      await enter(crone, 'firstwitch');
      const form = ok(await get(crone)).getChild('query', OWNER);
      assert.equal(form!.getChild('x', DATA)!.attrs.type, 'form');
      const fields = values(form);
      assert.deepEqual(fields.get('FORM_TYPE'), [CONFIG]);
      assert.deepEqual(fields.get('muc#roomconfig_roomowners'), ['crone1@localhost']);
      assert.deepEqual(fields.get('muc#roomconfig_whois'), ['moderators']);
      ok(
        await set(
          crone,
          submitted({
            FORM_TYPE: CONFIG,
            'muc#roomconfig_roomname': 'A Dark Cave',
            'muc#roomconfig_roomdesc': 'The place for all good witches!',
            'muc#roomconfig_passwordprotectedroom': '1',
            'muc#roomconfig_roomsecret': 'cauldronburn',
            'muc#roomconfig_whois': 'anyone',
            'muc#roomconfig_publicroom': '0',
            'muc#roomconfig_roomadmins': ['wiccarocks@localhost', 'hecate@localhost'],
          }),
        ),
      );
      const answer = ok(await hag.iq('get', INFO, ROOM));
      const query = answer.getChild('query')!;
      assert.equal(query.getChild('identity')!.attrs.name, 'A Dark Cave');
      assert.deepEqual(kinds(answer), [
        'muc_hidden',
        'muc_nonanonymous',
        'muc_open',
        'muc_passwordprotected',
        'muc_temporary',
        'muc_unmoderated',
      ]);
      assert.deepEqual(values(query).get('muc#roominfo_description'), ['The place for all good witches!']);
      hag.send(`<presence to='${ROOM}/thirdwitch'>${X}</presence>`);
      assert.equal(error(await hag.presence(`${ROOM}/thirdwitch`, 'error')), 'not-authorized auth');
      const x = X.replace('/>', '><password>cauldronburn</password></x>');
      const entered = (await enter(wiccarocks, 'secondwitch', { x })).map(told);
      assert.equal(entered[1], 'secondwitch admin/moderator wiccarocks 100,110,170');
    });

    it('is not made with what violates the rules of the service', async () => {
      await enter(crone, 'firstwitch');
      const refused = await set(crone, submitted({ 'muc#roomconfig_passwordprotectedroom': '1' }));
      assert.equal(error(refused), 'not-acceptable modify');
      hag.send(`<presence to='${ROOM}/thirdwitch'>${X}</presence>`);
      assert.equal(error(await hag.presence(`${ROOM}/thirdwitch`, 'error')), 'item-not-found cancel');
    });

    it('is destroyed when its maker cancels', async () => {
      await enter(crone, 'firstwitch');
      ok(await set(crone, submitted({}, 'cancel')));
      const gone = await crone.presence(`${ROOM}/firstwitch`, 'unavailable');
      assert.equal(told(gone), 'firstwitch unavailable none/none crone1 110');
      assert.ok(gone.getChild('x', USER)!.getChild('destroy'));
      assert.equal(error(await get(crone)), 'item-not-found cancel');
      assert.equal(told((await enter(hag, 'thirdwitch'))[0]!), 'thirdwitch owner/moderator hag66 110,170,201');
    });

    it('is gone when its maker leaves before it was configured', async () => {
      await enter(crone, 'firstwitch');
      crone.destroy();
      const entered = await until(async () => {
        hag.send(`<presence to='${ROOM}/thirdwitch'>${X}</presence>`);
        const answer = await hag.expect(({ attrs }) => attrs.from === `${ROOM}/thirdwitch`, 'an answer');
        return answer.attrs.type !== 'error' && told(answer);
      }, 'a room of its own');
      assert.equal(entered, 'thirdwitch owner/moderator hag66 110,170,201');
    });
  });

  describe('10.2: later', () => {
    beforeEach(async () => {
      await make(crone, 'firstwitch');
      await enter(wiccarocks, 'secondwitch');
      await enter(hag, 'thirdwitch');
      await Promise.all([crone, wiccarocks].map(client => client.settle()));
    });

    it('only owners have the form and may submit it', async () => {
      assert.equal(error(await get(hag)), 'forbidden auth');
      assert.equal(error(await set(hag, submitted({}))), 'forbidden auth');
      assert.equal(error(await set(hag, `<query xmlns='${OWNER}'><destroy/></query>`)), 'forbidden auth');
      assert.equal(error(await set(crone, `<query xmlns='${OWNER}'/>`)), 'bad-request modify');
    });

    it('administrators of the host are as owners', async () => {
      await stage.stop();
      stage = await cave('admins: [hag66@localhost]');
      [crone, hag] = await Promise.all([
        stage.login('crone1@localhost/desktop', { presence: true }),
        stage.login('hag66@localhost/pda', { presence: true }),
      ]);
      await make(crone, 'firstwitch');
      ok(await get(hag));
    });

    it('cancelling leaves it as it was', async () => {
      ok(await set(crone, submitted({ 'muc#roomconfig_roomname': 'x' }, 'cancel')));
      assert.deepEqual(values(ok(await get(crone)).getChild('query')).get('muc#roomconfig_roomname'), ['']);
      assert.deepEqual(await codes(hag), []);
    });

    it('10.2.1: everybody in it is told by codes', async () => {
      for (const [fields, expected] of [
        [{ 'muc#roomconfig_roomname': 'A Dark Cave' }, ['104']],
        [{ 'muc#roomconfig_roomname': 'A Dark Cave' }, []],
        [{ 'muc#roomconfig_enablelogging': '0' }, ['171']],
        [{ 'muc#roomconfig_enablelogging': '1', 'muc#roomconfig_whois': 'anyone' }, ['170,172']],
        [{ 'muc#roomconfig_whois': 'moderators', 'muc#roomconfig_lang': 'en' }, ['104,173']],
      ] as const) {
        await configure(crone, fields);
        assert.deepEqual(await codes(hag), expected);
        assert.deepEqual(await codes(crone), expected);
      }
    });

    it('who becomes admin or owner, and who is none any more, is told to all', async () => {
      const officers = (owners: string[], admins: string[]) =>
        set(crone, submitted({ 'muc#roomconfig_roomowners': owners, 'muc#roomconfig_roomadmins': admins })).then(ok);
      await officers(['crone1@localhost'], ['wiccarocks@localhost']);
      assert.deepEqual(await presences(hag), ['secondwitch admin/moderator']);
      await officers(['crone1@localhost', 'hag66@localhost'], ['wiccarocks@localhost']);
      assert.deepEqual(await presences(wiccarocks), [
        'secondwitch admin/moderator wiccarocks 110',
        'thirdwitch owner/moderator hag66',
      ]);
      await officers(['hag66@localhost'], ['wiccarocks@localhost']);
      assert.deepEqual((await presences(wiccarocks)).at(-1), 'firstwitch admin/moderator crone1');
      assert.equal(error(await get(crone)), 'forbidden auth');
      ok(await set(hag, submitted({ 'muc#roomconfig_roomadmins': ['crone1@localhost'] })));
      assert.deepEqual((await presences(hag)).at(-1), 'secondwitch none/participant wiccarocks');
    });

    it('the last owner stays one, and nothing else of the form is taken', async () => {
      const fields = { 'muc#roomconfig_roomname': 'x', 'muc#roomconfig_roomowners': [] };
      assert.equal(error(await set(crone, submitted(fields))), 'conflict cancel');
      assert.deepEqual(values(ok(await get(crone)).getChild('query')).get('muc#roomconfig_roomname'), ['']);
    });

    it('who is no member does not stay in a room that is for members only', async () => {
      ok(await admin(crone, 'set', "<item affiliation='member' jid='wiccarocks@localhost'/>"));
      await Promise.all([crone, wiccarocks, hag].map(client => client.settle()));
      await configure(crone, { 'muc#roomconfig_membersonly': '1' });
      assert.equal(
        told(await hag.presence(`${ROOM}/thirdwitch`, 'unavailable')),
        'thirdwitch unavailable none/none hag66 110,322',
      );
      assert.deepEqual(await presences(wiccarocks), ['thirdwitch unavailable none/none 322']);
      hag.send(`<presence to='${ROOM}/thirdwitch'>${X}</presence>`);
      assert.equal(error(await hag.presence(`${ROOM}/thirdwitch`, 'error')), 'registration-required auth');
    });

    it('whose presence is broadcast, and whose not any more', async () => {
      await configure(crone, { 'muc#roomconfig_presencebroadcast': 'moderator' });
      assert.deepEqual(await presences(wiccarocks), [
        'secondwitch none/participant wiccarocks 110',
        'thirdwitch unavailable none/none',
      ]);
      ok(await set(crone, submitted({ 'muc#roomconfig_presencebroadcast': ['moderator', 'participant', 'visitor'] })));
      assert.deepEqual(await presences(wiccarocks), [
        'secondwitch none/participant wiccarocks 110',
        'thirdwitch none/participant',
      ]);
    });

    it('a persistent room is there when nobody is in it, and after a start, as it was', async () => {
      await configure(crone, {
        'muc#roomconfig_persistentroom': '1',
        'muc#roomconfig_roomname': 'A Dark Cave',
        'muc#roomconfig_roomadmins': 'wiccarocks@localhost',
      });
      crone.send(`<message to='${ROOM}' type='groupchat'><subject>Fire Burn</subject></message>`);
      await crone.expect(it => it.getChildText('subject') === 'Fire Burn', 'the subject');
      await stage.stop({ keep: true });
      stage = await TestNode.start({ folder: stage.folder, yaml: 'modules: { rooms: {} }' });
      hag = await stage.login('hag66@localhost/pda', { presence: true });
      hag.send(`<presence to='${ROOM}/thirdwitch'>${X}</presence>`);
      const subject = await hag.expect(it => it.getChild('subject') !== undefined, 'the subject');
      assert.equal(subject.getChildText('subject'), 'Fire Burn');
      assert.equal(subject.attrs.from, `${ROOM}/firstwitch`);
      assert.deepEqual(await presences(hag), ['thirdwitch none/participant hag66 110,170']);
      crone = await stage.login('crone1@localhost/desktop', { presence: true });
      const fields = values(ok(await get(crone)).getChild('query'));
      assert.deepEqual(fields.get('muc#roomconfig_roomname'), ['A Dark Cave']);
      assert.deepEqual(fields.get('muc#roomconfig_roomadmins'), ['wiccarocks@localhost']);
    });

    it('a room that is made temporary goes when nobody is in it', async () => {
      await configure(crone, { 'muc#roomconfig_persistentroom': '1' });
      for (const client of [crone, wiccarocks, hag]) client.send(`<presence to='${ROOM}/x' type='unavailable'/>`);
      await Promise.all([crone, wiccarocks, hag].map(client => client.settle()));
      ok(await get(crone));
      await configure(crone, { 'muc#roomconfig_persistentroom': '0' });
      assert.equal(error(await get(crone)), 'item-not-found cancel');
    });
  });

  describe('10.9: destroying it', () => {
    beforeEach(async () => {
      await make(crone, 'firstwitch', { 'muc#roomconfig_persistentroom': '1' });
      await enter(hag, 'thirdwitch');
      await crone.settle();
    });

    it('each is told once, with where to go and why, and the room is gone', async () => {
      const inner = '<password>toil</password><reason>Macbeth doth come.</reason>';
      const destroy = `<destroy jid='heath@conference.localhost'>${inner}</destroy>`;
      ok(await set(crone, `<query xmlns='${OWNER}'>${destroy}</query>`));
      for (const [client, nick, short] of [
        [crone, 'firstwitch', 'firstwitch unavailable none/none crone1 110'],
        [hag, 'thirdwitch', 'thirdwitch unavailable none/none hag66 110'],
      ] as const) {
        const all = await client.settle();
        assert.deepEqual(all.map(told), [short]);
        assert.equal(all[0]!.attrs.from, `${ROOM}/${nick}`);
        const said = all[0]!.getChild('x', USER)!.getChild('destroy')!;
        assert.equal(said.attrs.jid, 'heath@conference.localhost');
        assert.equal(said.getChildText('reason'), 'Macbeth doth come.');
        assert.equal(said.getChildText('password'), 'toil');
      }
      assert.equal(error(await crone.iq('get', INFO, ROOM)), 'item-not-found cancel');
      assert.equal(told((await enter(hag, 'thirdwitch'))[0]!), 'thirdwitch owner/moderator hag66 110,170,201');
    });

    it('an alternative is an address', async () => {
      const destroy = "<destroy jid='@'/>";
      assert.equal(error(await set(crone, `<query xmlns='${OWNER}'>${destroy}</query>`)), 'jid-malformed modify');
      ok(await get(crone));
    });
  });
});
