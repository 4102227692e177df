import assert from 'node:assert/strict';
import type { TestNode } from '../kit/node.ts';
import { cave, configure, enter, error, form, make, ok, ROOM, told, X } from './rooms.ts';

const SERVICE = 'conference.localhost';
const ITEMS = 'http://jabber.org/protocol/disco#items';
const INFO = 'http://jabber.org/protocol/disco#info';
const SEARCH = 'urn:xmpp:channel-search:0:search';
const RSM = 'http://jabber.org/protocol/rsm';

const rules = (yaml: string): string => `modules: { rooms: { ${yaml} } }\n`;

describe('play: the service of rooms (XEP-0045 6, 10.1.1)', () => {
  let stage: TestNode;
  const start = async (yaml = '', more = '') => {
    stage = await cave(rules(yaml) + more);
    return Promise.all(
      ['crone1@localhost/desktop', 'hag66@localhost/pda'].map(jid => stage.login(jid, { presence: true })),
    );
  };
  afterEach(() => stage.stop());

  it('6.1 to 6.3: it is found, says what it is, and lists the rooms that are public, in pages (XEP-0059)', async () => {
    const [crone, hag] = await start();
    const items = async (set = '') => {
      const answer = ok(await hag!.iq('get', `<query xmlns='${ITEMS}'>${set}</query>`, SERVICE));
      const query = answer.getChild('query', ITEMS)!;
      const listed = query.getChildren('item').map(({ attrs }) => [attrs.jid, attrs.name]);
      return { listed, count: query.getChild('set', RSM)?.getChildText('count') };
    };
    const services = ok(await hag!.iq('get', `<query xmlns='${ITEMS}'/>`, 'localhost')).getChild('query')!;
    assert.ok(services.getChildren('item').some(({ attrs }) => attrs.jid === SERVICE));
    const info = ok(await hag!.iq('get', `<query xmlns='${INFO}'/>`, SERVICE)).getChild('query')!;
    const features = info.getChildren('feature').map(({ attrs }) => attrs.var);
    assert.ok(['http://jabber.org/protocol/muc', SEARCH, RSM].every(feature => features.includes(feature)));
    await make(crone!, 'x', { 'muc#roomconfig_roomname': 'A Dark Cave' });
    await make(crone!, 'x', {}, `heath@${SERVICE}`);
    await make(crone!, 'x', { 'muc#roomconfig_publicroom': '0' }, `cellar@${SERVICE}`);
    await enter(crone!, 'x', { room: `locked@${SERVICE}` });
    const all = [
      [ROOM, 'A Dark Cave'],
      [`heath@${SERVICE}`, undefined],
    ];
    assert.deepEqual(await items(), { listed: all, count: undefined });
    const second = await items(`<set xmlns='${RSM}'><max>1</max><after>${ROOM}</after></set>`);
    assert.deepEqual(second, { listed: [all[1]], count: '2' });
  });

  it('rooms are searched for by words (XEP-0433)', async () => {
    const [crone, hag] = await start();
    await make(crone!, 'x', { 'muc#roomconfig_roomname': 'A Dark Cave' });
    await enter(hag!, 'y');
    await make(crone!, 'x', {}, `heath@${SERVICE}`);
    const search = (fields: Readonly<Record<string, string>>) => {
      const x = form({ FORM_TYPE: `${SEARCH}-params`, ...fields });
      return hag!.iq('get', `<search xmlns='${SEARCH}'>${x}</search>`, SERVICE);
    };
    const items = ok(await search({ q: 'dark' }))
      .getChild('result', SEARCH)!
      .getChildren('item');
    assert.deepEqual(
      items.map(item => [item.attrs.address, item.getChildText('name'), item.getChildText('nusers')]),
      [[ROOM, 'A Dark Cave', '2']],
    );
    const all = ok(await search({ all: '1' })).getChild('result', SEARCH)!;
    assert.equal(all.getChildren('item').length, 2);
    assert.equal(error(await search({})), 'bad-request cancel');
    const asked = ok(await hag!.iq('get', `<search xmlns='${SEARCH}'/>`, SERVICE)).getChild('search', SEARCH);
    assert.equal(asked!.getChild('x', 'jabber:x:data')!.attrs.type, 'form');
  });

  it('10.1.1: who may not make rooms is told so, and who administers the host may', async () => {
    const [crone, hag] = await start('create: admins', 'admins: [crone1@localhost]\n');
    hag!.send(`<presence to='${ROOM}/thirdwitch'>${X}</presence>`);
    const refused = await hag!.presence(`${ROOM}/thirdwitch`, 'error');
    assert.equal(error(refused), 'not-allowed cancel');
    assert.equal(refused.getChild('error')!.attrs.by, ROOM);
    await make(crone!, 'firstwitch');
    assert.equal(told((await enter(hag!, 'thirdwitch'))[0]!), 'firstwitch owner/moderator');
  });

  it('names and numbers of rooms are as the operator has it', async () => {
    const [crone] = await start("names: 'coven|team-.*', roomsPerUser: 2");
    const make = async (room: string) => {
      crone!.send(`<presence to='${room}@${SERVICE}/x'>${X}</presence>`);
      const answer = await crone!.expect(
        ({ name, attrs }) => name === 'presence' && !!attrs.from?.startsWith(room),
        room,
      );
      return answer.attrs.type === 'error' ? error(answer) : told(answer);
    };
    assert.equal(await make('heath'), 'not-acceptable modify');
    assert.match(await make('coven'), /^x owner/);
    assert.match(await make('team-1'), /^x owner/);
    assert.equal(await make('team-2'), 'resource-constraint wait');
    // who destroys one may make another
    ok(await crone!.iq('set', `<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>`, ROOM));
    crone!.inbox.splice(0);
    assert.match(await make('team-2'), /^x owner/);
  });

  it('a new room is as the operator has it, within the same limits', async () => {
    const [crone] = await start('history: 10, occupants: 50, defaults: { anonymous: false, persistent: true }');
    await enter(crone!, 'x');
    const query = ok(await crone!.iq('get', `<query xmlns='${INFO}'/>`, ROOM)).getChild('query')!;
    const features = query.getChildren('feature').map(({ attrs }) => attrs.var);
    assert.ok(features.includes('muc_persistent') && features.includes('muc_nonanonymous'));
    await configure(crone!, { 'muc#roomconfig_maxusers': '50' });
    await assert.rejects(configure(crone!, { 'muc#roomconfig_maxusers': '51' }), /from 1 to 50/);
    await assert.rejects(configure(crone!, { 'muc#maxhistoryfetch': '11' }), /from 0 to 10/);
  });
});
