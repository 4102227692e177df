/* What modules/rooms/contract.ts promises to other modules. The test is such a module, with real clients in front of it. */
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import type { MaybePromise } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { refuse, type StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import type { RoomPolicy, RoomsService } from '../../modules/rooms/contract.ts';
import { removeTemp, tempFolder } from '../kit/index.ts';
import type { TestClient } from '../kit/client.ts';
import type { TestNode } from '../kit/node.ts';
import { writeModule } from '../kit/written.ts';
import { admin, cave, configure, enter, error, make, ok, OWNER, ROOM, told, USER, X } from '../plays/rooms.ts';

const INFO = 'http://jabber.org/protocol/disco#info';
const shared = globalThis as { roomsUnderTest?: RoomsService };
const jid = (text: string) => parseJid(text)!;
const CRONE = jid('crone1@localhost');
const HAG = jid('hag66@localhost');

describe('what rooms promise to other modules (modules/rooms/contract.ts)', () => {
  let folder: string;
  let stage: TestNode;
  let crone: TestClient;
  let hag: TestClient;
  let rooms: RoomsService;
  let ends: (() => void)[];
  before(() => {
    folder = tempFolder();
    const contract = pathToFileURL(path.resolve('modules/rooms/contract.ts')).href;
    const setup = `const { Rooms } = await import('${contract}'); globalThis.roomsUnderTest = mod.use(Rooms);`;
    writeModule(folder, 'looker', setup, "needs: ['rooms'],");
  });
  after(() => removeTemp(folder));
  beforeEach(async () => {
    stage = await cave(`modules: { rooms: {}, ${path.join(folder, 'looker')}: {} }\n`);
    crone = await stage.login('crone1@localhost/desktop', { presence: true });
    hag = await stage.login('hag66@localhost/pda', { presence: true });
    rooms = shared.roomsUnderTest!;
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends) end();
    delete shared.roomsUnderTest;
    await stage.stop();
  });

  const no = refuse('policy-violation', 'Not here.');
  const guard = (policy: RoomPolicy): number => ends.push(rooms.guard(policy));
  const refusedPresence = async (client: TestClient, address: string): Promise<string> => {
    client.send(`<presence to='${address}'>${X}</presence>`);
    return error(await client.presence(address, 'error'));
  };

  it('knows the domain of a host', () => {
    assert.equal(rooms.domainOf('localhost'), 'conference.localhost');
    assert.equal(rooms.hostOf('conference.localhost'), 'localhost');
    assert.equal(rooms.hostOf('localhost'), undefined);
  });

  it('a policy refuses that a room is made, at once or later, until it is taken back', async () => {
    let answer: () => MaybePromise<StanzaError | undefined> = () => no;
    guard({ mayCreate: ({ creator }) => (creator.bare === CRONE.bare ? answer() : undefined) });
    assert.equal(await refusedPresence(crone, `${ROOM}/firstwitch`), 'policy-violation modify');
    answer = () => Promise.resolve(no);
    assert.equal(await refusedPresence(crone, `${ROOM}/firstwitch`), 'policy-violation modify');
    ends.pop()!();
    const [presence] = await enter(crone, 'firstwitch');
    assert.equal(told(presence!), 'firstwitch owner/moderator crone1 110,170,201');
  });

  it('policies are asked before anybody enters, speaks, is affiliated, before configuring and destroying', async () => {
    await make(crone, 'firstwitch', { 'muc#roomconfig_persistentroom': '1' });
    const asked: string[] = [];
    guard({
      mayEnter: (_, from) => (asked.push(`enter ${from.local}`), from.bare === HAG.bare ? no : undefined),
      maySpeak: (_, from, packet) => (asked.push(`speak ${from.local} ${packet.stanza.childText('body')}`), no),
      mayAffiliate: (_, by, [step]) => (
        asked.push(`${by.local} ${step!.jid.local} ${step!.before} ${step!.after}`),
        no
      ),
      mayConfigure: ({ config }, by, after) => (asked.push(`${by.local} ${config.name} ${after.name}`), no),
      mayDestroy: (_, by) => (asked.push(`destroy ${by.local}`), Promise.resolve(no)),
    });
    assert.equal(await refusedPresence(hag, `${ROOM}/thirdwitch`), 'policy-violation modify');
    crone.send(`<message type='groupchat' to='${ROOM}'><body>Thrice</body></message>`);
    const refused = await crone.expect(stanza => stanza.attrs.type === 'error', 'that it may not speak');
    assert.equal(error(refused), 'policy-violation modify');
    const member = await admin(crone, 'set', `<item affiliation='member' jid='hag66@localhost'/>`);
    assert.equal(error(member), 'policy-violation modify');
    await assert.rejects(configure(crone, { 'muc#roomconfig_roomname': 'A Dark Cave' }));
    const destroyed = await crone.iq('set', `<query xmlns='${OWNER}'><destroy/></query>`, ROOM);
    assert.equal(error(destroyed), 'policy-violation modify');
    assert.deepEqual(asked, [
      'enter hag66',
      'speak crone1 Thrice',
      'crone1 hag66 none member',
      'crone1  A Dark Cave',
      'destroy crone1',
    ]);
    await rooms.with(jid(ROOM), room => assert.equal(room?.affiliationOf(HAG), 'none'));
  });

  it('listeners are told of what has happened', async () => {
    const heard: string[] = [];
    ends.push(
      rooms.listen({
        created: (room, by) => heard.push(`created ${room.jid.local} ${by.bare}`),
        configured: (room, before) => heard.push(`configured '${before.name}' '${room.config.name}'`),
        affiliated: (_, [step], by) => heard.push(`${by.local} ${step!.jid.local} ${step!.before} ${step!.after}`),
        said: (_, packet, author) => {
          heard.push(`said ${author.bare} ${packet.from.resource} ${packet.stanza.childText('body')}`);
        },
        destroyed: ({ affiliated }, { reason }, by) => heard.push(`gone ${affiliated.length} ${reason} ${by?.local}`),
      }),
    );
    await make(crone, 'firstwitch', { 'muc#roomconfig_roomname': 'A Dark Cave' });
    ok(await admin(crone, 'set', `<item affiliation='member' jid='hag66@localhost'/>`));
    crone.send(`<message type='groupchat' to='${ROOM}'><body>Thrice</body></message>`);
    await crone.expect(stanza => stanza.getChildText('body') === 'Thrice', 'what it said');
    ok(await crone.iq('set', `<query xmlns='${OWNER}'><destroy><reason>Macbeth</reason></destroy></query>`, ROOM));
    assert.deepEqual(heard, [
      'created coven crone1@localhost',
      "configured '' 'A Dark Cave'",
      'crone1 hag66 none member',
      'said crone1@localhost firstwitch Thrice',
      'gone 2 Macbeth crone1',
    ]);
  });

  it('makes a room with all that belongs to it, open at once; there is one by a name', async () => {
    const config = { persistent: true, membersOnly: true, name: 'A Dark Cave' };
    const affiliated = [{ jid: HAG, affiliation: 'member' }] as const;
    const room = { jid: jid(ROOM), creator: CRONE, config, affiliated };
    assert.equal(await rooms.create(room), undefined);
    assert.equal((await rooms.create(room))?.condition, 'conflict');
    const [presence] = await enter(hag, 'thirdwitch');
    assert.equal(told(presence!), 'thirdwitch member/participant hag66 110,170');
    assert.deepEqual(
      (await rooms.belonging(HAG)).map(each => `${each.jid.bare} ${each.affiliation}`),
      [`${ROOM} member`],
    );
    assert.deepEqual(
      (await rooms.persistent('', 10)).map(({ bare }) => bare),
      [ROOM],
    );
    await rooms.with(jid(ROOM), view => {
      assert.deepEqual([view!.hasInside(HAG), view!.hasInside(CRONE), view!.nickOf(HAG)], [true, false, 'thirdwitch']);
    });
  });

  it('changes a room as the protocol does, and ends it', async () => {
    await make(crone, 'firstwitch');
    await enter(hag, 'thirdwitch');
    await crone.settle();
    const done = (job: Parameters<typeof rooms.with<void>>[1]) => rooms.with(jid(ROOM), job);
    await done(room => room!.affiliate([{ jid: HAG, affiliation: 'admin' }], CRONE));
    assert.equal(told(await hag.presence(`${ROOM}/thirdwitch`)), 'thirdwitch admin/moderator hag66 110');
    await done(room => room!.configure({ name: 'A Dark Cave' }, CRONE));
    const message = await hag.expect(stanza => stanza.name === 'message', 'that it is configured');
    assert.equal(message.getChild('x', USER)?.getChild('status')?.attrs.code, '104');
    await done(room => room!.announce('<body>Hail</body>'));
    const hail = await hag.expect(stanza => stanza.getChildText('body') === 'Hail', 'an announcement');
    assert.equal(hail.attrs.from, ROOM);
    await done(room => room!.destroy({ reason: 'Macbeth' }, CRONE));
    const gone = await hag.presence(`${ROOM}/thirdwitch`, 'unavailable');
    assert.equal(gone.getChild('x', USER)?.getChild('destroy')?.getChildText('reason'), 'Macbeth');
    assert.equal(await done(room => assert.equal(room, undefined)), undefined);
  });

  it('requests, nodes and features of others are answered by them, of rooms only where there is one', async () => {
    const xmlns = 'urn:example:question';
    const answer = (of: string): Element => xml('answer', { xmlns }, of);
    ends.push(
      rooms.iq({ xmlns, name: 'q', type: 'get', to: 'service', answer: () => answer('service') }),
      rooms.iq({
        xmlns,
        name: 'q',
        type: 'get',
        to: 'bare',
        answer: ({ to }) => rooms.with(to, it => answer(it!.jid.local)),
      }),
      rooms.disco({
        features: (host, room) => [`${xmlns}#${room ? room.jid.local : host}`],
        info: (_, node) => (node === 'n' ? xml('query', { xmlns: INFO, node }) : undefined),
      }),
    );
    const ask = async (to: string) => {
      const iq = await crone.iq('get', `<q xmlns='${xmlns}'/>`, to);
      return iq.getChildText('answer', xmlns) ?? error(iq);
    };
    assert.equal(await ask(ROOM), 'item-not-found cancel');
    await make(crone, 'firstwitch');
    assert.deepEqual([await ask(ROOM), await ask('conference.localhost')], ['coven', 'service']);
    const features = async (to: string) =>
      (await crone.iq('get', `<query xmlns='${INFO}'/>`, to))
        .getChild('query', INFO)!
        .getChildren('feature')
        .map(({ attrs }) => attrs.var);
    assert.ok((await features(ROOM)).includes(`${xmlns}#coven`));
    assert.ok((await features('conference.localhost')).includes(`${xmlns}#localhost`));
    const node = ok(await crone.iq('get', `<query xmlns='${INFO}' node='n'/>`, ROOM));
    assert.equal(node.getChild('query', INFO)?.attrs.node, 'n');
    for (const end of ends.splice(0)) end();
    assert.equal(await ask(ROOM), 'service-unavailable cancel');
  });
});
