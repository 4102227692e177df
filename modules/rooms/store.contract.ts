import assert from 'node:assert/strict';
import type { Storage } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { configFromJson, DEFAULTS, type RoomConfig } from './config.ts';
import { PAGE, roomStore, type RoomStore } from './store.ts';
import type { Affiliated, StoredRoom } from './stored.ts';

const DOMAIN = 'chat.shakespeare.lit';
const named = (name: string) => parseJid(`${name}@${DOMAIN}`)!;
const coven = named('coven');
const heath = named('heath');
const elsewhere = parseJid('coven@other.lit')!;
const crone = parseJid('crone1@shakespeare.lit')!;
const hag = parseJid('hag66@shakespeare.lit')!;
const long = parseJid(`${'h'.repeat(1000)}@${'s'.repeat(60)}.shakespeare.lit`)!;

/** What the store has to do on every database. `open` gives a new, empty one. */
export function roomStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: RoomStore;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('rooms/rooms', roomStore.migrations);
    store = await roomStore.open(storage);
  });
  afterEach(() => storage.close());

  const create = (jid = coven, config: Partial<RoomConfig> = {}, locked = false, creator = crone) => {
    const owner: Affiliated = { jid: creator, affiliation: 'owner', since: 1 };
    return store.create({ jid, creator, config: { ...DEFAULTS, ...config }, locked, created: 1000 }, [owner]);
  };
  const load = async (jid = coven): Promise<StoredRoom> => {
    const room = await store.load(jid);
    assert.ok(room);
    return room;
  };
  /** With addresses as texts, which can be compared. */
  const affiliated = async (jid = coven) => (await load(jid)).affiliated.map(each => ({ ...each, jid: each.jid.full }));
  const owner = { jid: crone.full, affiliation: 'owner', since: 1 };

  it('there is no room that nobody made', async () => {
    assert.equal(await store.load(coven), undefined);
  });

  it('keeps how a room is made', async () => {
    const id = await create(coven, { name: 'Höhle 🦇', presenceBroadcast: ['moderator'] }, true);
    const { jid, config, affiliated: known, ...room } = await load(parseJid(`coven@${DOMAIN}/firstwitch`)!);
    const expected = {
      id,
      locked: true,
      subject: undefined,
      created: 1000,
      avatarHashes: [],
      applications: [],
      hats: [],
      wearers: [],
    };
    assert.deepEqual(room, expected);
    assert.equal(jid.full, coven.full);
    assert.equal(known.length, 1);
    const changed: Partial<RoomConfig> = { name: 'Höhle 🦇', presenceBroadcast: ['moderator'] };
    assert.deepEqual(configFromJson(config, DEFAULTS), { ...DEFAULTS, ...changed });
    assert.deepEqual(await affiliated(), [owner]);
  });

  it('a room is there once, and one made again is another', async () => {
    const first = await create();
    await assert.rejects(create(), { kind: 'constraint' });
    await store.remove(first);
    assert.ok((await create()) > first);
  });

  it('configures and unlocks, with the affiliations in the same go', async () => {
    const id = await create(coven, {}, true);
    await store.configure(id, { ...DEFAULTS, moderated: true }, false, [
      { jid: hag, affiliation: 'admin', since: 5 },
      { jid: crone, affiliation: 'none' },
    ]);
    const { locked, config } = await load();
    assert.deepEqual([locked, configFromJson(config, DEFAULTS)], [false, { ...DEFAULTS, moderated: true }]);
    assert.deepEqual(await affiliated(), [{ jid: hag.full, affiliation: 'admin', since: 5 }]);
  });

  it('an affiliation takes the place of the one before; addresses come back as they were, however long', async () => {
    const id = await create();
    await store.affiliate(id, [
      { jid: long, affiliation: 'outcast', reason: 'Häßlich', since: 2 },
      { jid: hag, affiliation: 'member', nick: 'thirdwitch', since: 3 },
    ]);
    assert.equal((await affiliated())[2]!.nick, 'thirdwitch');
    await store.affiliate(id, [{ jid: hag, affiliation: 'admin', since: 1_700_000_000_000 }]);
    const outcast = { jid: long.full, affiliation: 'outcast', reason: 'Häßlich', since: 2 };
    const admin = { jid: hag.full, affiliation: 'admin', since: 1_700_000_000_000 };
    assert.deepEqual(await affiliated(), [outcast, owner, admin]);
    assert.equal((await load()).affiliated[0]!.jid.local, long.local);
    await store.affiliate(id, [{ jid: long, affiliation: 'none' }]);
    assert.deepEqual(await affiliated(), [owner, admin]);
  });

  it('gives many affiliations whole, letting others have their turn', async () => {
    const id = await create();
    const members = Array.from({ length: 2 * PAGE + 7 }, (_, i) => parseJid(`m${i}@shakespeare.lit`)!);
    await store.affiliate(
      id,
      members.map(jid => ({ jid, affiliation: 'member', since: 1 })),
    );
    const loading = store.load(coven);
    assert.ok(loading instanceof Promise);
    const known = new Set((await loading)!.affiliated.map(({ jid }) => jid.bare));
    assert.deepEqual(known, new Set([crone, ...members].map(jid => jid.bare)));
  });

  it('a room is there at once, where the database is in the process', async () => {
    await create();
    if (storage.dialect === 'sqlite') assert.ok(!(store.load(coven) instanceof Promise));
  });

  it('keeps the last subject', async () => {
    const id = await create();
    await store.setSubject(id, { text: 'Fire Burn', nick: 'firstwitch', by: '', at: 7 });
    await store.setSubject(id, { text: 'Cauldron Bubble 🔥', nick: 'secondwitch', by: 'x1', at: 1_700_000_000_000 });
    const { subject } = await load();
    assert.deepEqual(subject, { text: 'Cauldron Bubble 🔥', nick: 'secondwitch', by: 'x1', at: 1_700_000_000_000 });
    await store.setSubject(id, { text: '', nick: 'firstwitch', by: 'x2', at: 8 });
    assert.equal((await load()).subject!.text, '');
  });

  it('an application waits, the last counts; an affiliation settles it', async () => {
    const id = await create();
    await store.apply(id, { jid: hag, form: { nick: 'witch' }, applied: 10 });
    await store.apply(id, { jid: long, form: { nick: 'other' }, applied: 15 });
    await store.apply(id, { jid: hag, form: { nick: 'thirdwitch', faq: 'Just another\nwitch.' }, applied: 20 });
    const { applications } = await load();
    assert.deepEqual(
      applications.map(({ jid, form, applied }) => [jid.full, form, applied]),
      [
        [long.full, { nick: 'other' }, 15],
        [hag.full, { nick: 'thirdwitch', faq: 'Just another\nwitch.' }, 20],
      ],
    );
    assert.deepEqual(await store.lists.waitingSince(15), []);
    assert.deepEqual(await store.lists.waitingSince(16), [coven.bare]);
    assert.deepEqual(await store.lists.awaitedBy(long), [coven.bare]);
    assert.deepEqual(await store.lists.awaitedBy(crone), []);
    await store.affiliate(id, [{ jid: hag, affiliation: 'member', nick: 'thirdwitch', since: 30 }]);
    await store.forgetApplication(id, long);
    assert.deepEqual((await load()).applications, []);
  });

  it('keeps a card and the hashes of its pictures, and takes them away', async () => {
    const id = await create();
    assert.equal(await store.card(id), undefined);
    const card = `<vCard xmlns="vcard-temp"><FN>Höhle</FN></vCard>`;
    await store.setCard(id, card, ['a31c', 'b9b2']);
    assert.equal(await store.card(id), card);
    assert.deepEqual((await load()).avatarHashes, ['a31c', 'b9b2']);
    await store.setCard(id, undefined, []);
    assert.equal(await store.card(id), undefined);
    assert.deepEqual((await load()).avatarHashes, []);
  });

  it('keeps hats, and who has which, in their order', async () => {
    const id = await create();
    const hat = { uri: 'urn:x:hüt', title: 'Hüter 🎩', hue: '327.255249' };
    const other = { uri: 'urn:x:other', title: 'Other' };
    const wearers = async () => (await load()).wearers.map(({ jid, uris }) => [jid.full, uris]);
    await store.setHats(id, [hat, other], []);
    assert.deepEqual([(await load()).hats, await wearers()], [[hat, other], []]);
    await store.setHats(
      id,
      [hat, other],
      [
        { jid: hag, uris: [other.uri, hat.uri] },
        { jid: long, uris: [hat.uri] },
      ],
    );
    assert.deepEqual(
      new Map((await wearers()) as [string, string[]][]),
      new Map([
        [hag.full, [other.uri, hat.uri]],
        [long.full, [hat.uri]],
      ]),
    );
    assert.deepEqual(await store.lists.wornBy(long), [coven.bare]);
    await store.setHats(
      id,
      [other],
      [
        { jid: hag, uris: [other.uri] },
        { jid: long, uris: [] },
      ],
    );
    assert.deepEqual([(await load()).hats, await wearers()], [[other], [[hag.full, [other.uri]]]]);
    assert.deepEqual(await store.lists.wornBy(long), []);
    await store.setHats(id, [], [{ jid: hag, uris: [] }]);
    assert.deepEqual([(await load()).hats, await wearers()], [[], []]);
  });

  it('goes with all that it has, and no other', async () => {
    const id = await create();
    const other = await create(heath);
    for (const room of [id, other]) {
      await store.apply(room, { jid: hag, form: {}, applied: 1 });
      await store.setCard(room, '<vCard/>', []);
      await store.setHats(room, [{ uri: 'urn:x', title: 'X' }], [{ jid: hag, uris: ['urn:x'] }]);
    }
    await store.remove(id);
    assert.equal(await store.load(coven), undefined);
    assert.equal(await store.card(id), undefined);
    assert.deepEqual(await store.lists.of(crone), [{ jid: heath.bare, affiliation: 'owner' }]);
    assert.deepEqual(await store.lists.waitingSince(10), [heath.bare]);
    assert.equal(await store.card(other), '<vCard/>');
    assert.deepEqual(await store.lists.wornBy(hag), [heath.bare]);
  });

  it('lists the rooms that are to be listed, page by page', async () => {
    for (const name of ['inverness', 'forres', 'heath', 'coven', 'élan']) await create(named(name), { name });
    await create(named('cellar'), { listed: false });
    await create(named('attic'), {}, true);
    await create(elsewhere);
    const names = (rooms: readonly { jid: string }[]) => rooms.map(({ jid }) => jid.slice(0, jid.indexOf('@')));
    const { lists } = store;
    assert.equal(await lists.count(DOMAIN), 5);
    assert.deepEqual(names(await lists.after(DOMAIN, '', 3)), ['coven', 'forres', 'heath']);
    assert.deepEqual(names(await lists.after(DOMAIN, `heath@${DOMAIN}`, 3)), ['inverness', 'élan']);
    assert.deepEqual(names(await lists.before(DOMAIN, `inverness@${DOMAIN}`, 2)), ['forres', 'heath']);
    assert.equal(await lists.count(DOMAIN, `heath@${DOMAIN}`), 2);
    const [first] = await lists.after(DOMAIN, '', 1);
    assert.equal(configFromJson(first!.config, DEFAULTS).name, 'coven');
  });

  it('is listed and stays as its owners choose', async () => {
    const id = await create(coven, {}, true);
    assert.equal(await store.lists.count(DOMAIN), 0);
    assert.deepEqual(await store.lists.temporary(), [coven.bare]);
    await store.configure(id, { ...DEFAULTS, persistent: true }, false);
    assert.equal(await store.lists.count(DOMAIN), 1);
    assert.deepEqual(await store.lists.temporary(), []);
    await store.configure(id, { ...DEFAULTS, listed: false }, false);
    assert.equal(await store.lists.count(DOMAIN), 0);
    assert.deepEqual(await store.lists.temporary(), [coven.bare]);
  });

  it('knows how many rooms of a domain somebody made, and who is known where', async () => {
    await create();
    const id = await create(heath);
    await create(elsewhere);
    await create(named('forres'), {}, false, long);
    await store.affiliate(id, [{ jid: long, affiliation: 'member', since: 1 }]);
    for (const [jid, rooms] of [
      [crone, 2],
      [long, 1],
      [hag, 0],
    ] as const)
      assert.equal(await store.lists.made(jid, DOMAIN), rooms);
    assert.deepEqual(await store.lists.of(long), [
      { jid: `forres@${DOMAIN}`, affiliation: 'owner' },
      { jid: heath.bare, affiliation: 'member' },
    ]);
    assert.equal((await store.lists.of(crone)).length, 3);
    await store.forgetMaker(crone);
    assert.deepEqual([await store.lists.made(crone, DOMAIN), await store.lists.made(long, DOMAIN)], [0, 1]);
  });

  it('what is written in one go is there in its order', async () => {
    const id = await create();
    const member: Affiliated = { jid: hag, affiliation: 'member', since: 2 };
    await Promise.all([
      store.affiliate(id, [member]),
      store.affiliate(id, [{ ...member, affiliation: 'admin' }]),
      store.configure(id, DEFAULTS, false, [{ jid: hag, affiliation: 'none' }]),
      store.affiliate(id, [{ ...member, affiliation: 'outcast' }]),
    ]);
    assert.deepEqual(await affiliated(), [owner, { jid: hag.full, affiliation: 'outcast', since: 2 }]);
  });
}
