import assert from 'node:assert/strict';
import type { Storage } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import { configFromJson, DEFAULTS, type RoomConfig } from './config.ts';
import type { Affiliated, KeptRoom, NewRoom } from './keeping.ts';
import { PAGE, roomStore, type RoomStore } from './store.ts';

const DOMAIN = 'chat.shakespeare.lit';
const coven = parseJid(`coven@${DOMAIN}`)!;
const heath = parseJid(`heath@${DOMAIN}`)!;
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

  const somebody = (jid = hag, more: Partial<Affiliated> = {}): Affiliated => ({
    jid: jid.bare,
    affiliation: 'member',
    nick: '',
    reason: '',
    since: 1,
    ...more,
  });
  const room = (config: Partial<RoomConfig> = {}, locked = false, creator = crone): NewRoom => ({
    config: { ...DEFAULTS, ...config },
    subject: undefined,
    locked,
    secret: 'toil and trouble',
    createdAt: 1000,
    affiliations: [somebody(creator, { affiliation: 'owner' })],
  });
  const load = async (jid = coven): Promise<KeptRoom> => {
    const loaded = await store.load(jid);
    assert.ok(loaded);
    return loaded;
  };
  const affiliations = async () =>
    (await load()).affiliations.map(({ jid, affiliation, nick }) => [jid, affiliation, nick]);
  const named = (name: string) => parseJid(`${name}@${DOMAIN}`)!;

  it('there is no room that nobody made', async () => {
    assert.equal(await store.load(coven), undefined);
    await store.affiliate(coven, [{ jid: hag.bare, to: somebody() }]);
    await store.remove(coven);
    assert.equal(await store.load(coven), undefined);
  });

  it('keeps all that a room is made with', async () => {
    const made: NewRoom = {
      ...room({ name: 'Höhle 🦇', listed: false, presenceBroadcast: ['moderator'] }, true),
      subject: { text: 'Fire', nick: 'firstwitch', at: 5 },
    };
    await store.create(coven, made);
    assert.deepEqual(await load(parseJid(`coven@${DOMAIN}/firstwitch`)!), {
      ...made,
      applications: [],
      avatarHashes: [],
    });
  });

  it('a room is there once, and one made again has nothing of the one before', async () => {
    await store.create(coven, room());
    await assert.rejects(store.create(coven, room()), { kind: 'constraint' });
    await store.affiliate(coven, [{ jid: hag.bare, to: somebody() }]);
    await store.remove(coven);
    assert.equal(await store.load(coven), undefined);
    await store.create(coven, room());
    assert.deepEqual(await affiliations(), [[crone.bare, 'owner', '']]);
  });

  it('configures and unlocks, with the affiliations in the same go', async () => {
    await store.create(coven, room({}, true));
    await store.configure(coven, { ...DEFAULTS, moderated: true }, false, [
      { jid: hag.bare, to: somebody(hag, { affiliation: 'admin' }) },
      { jid: crone.bare, to: undefined },
    ]);
    const { locked, config } = await load();
    assert.deepEqual([locked, config], [false, { ...DEFAULTS, moderated: true }]);
    assert.deepEqual(await affiliations(), [[hag.bare, 'admin', '']]);
  });

  it('an affiliation takes the place of the one before; addresses come back as they were, however long', async () => {
    await store.create(coven, room());
    const outcast = somebody(long, { affiliation: 'outcast', reason: 'Häßlich', since: 2 });
    await store.affiliate(coven, [
      { jid: long.bare, to: outcast },
      { jid: hag.bare, to: somebody(hag, { nick: 'thirdwitch' }) },
    ]);
    const admin = somebody(hag, { affiliation: 'admin', since: 1_700_000_000_000 });
    await store.affiliate(coven, [{ jid: hag.bare, to: admin }]);
    assert.deepEqual((await load()).affiliations, [outcast, ...room().affiliations, admin]);
    await store.affiliate(coven, [{ jid: long.bare, to: undefined }]);
    assert.deepEqual((await load()).affiliations, [...room().affiliations, admin]);
  });

  it('gives many affiliations whole, letting others have their turn', async () => {
    await store.create(coven, room());
    const members = Array.from({ length: 2 * PAGE + 7 }, (_, i) => `m${i}@shakespeare.lit`);
    await store.affiliate(
      coven,
      members.map(jid => ({ jid, to: { ...somebody(), jid } })),
    );
    const loading = store.load(coven);
    assert.ok(loading instanceof Promise);
    const known = new Set((await loading)!.affiliations.map(({ jid }) => jid));
    assert.deepEqual(known, new Set([crone.bare, ...members]));
  });

  it('a room is there at once, where the database is in the process', async () => {
    await store.create(coven, room());
    if (storage.dialect === 'sqlite') assert.ok(!(store.load(coven) instanceof Promise));
  });

  it('keeps the last subject', async () => {
    await store.create(coven, room());
    await store.setSubject(coven, { text: 'Fire Burn', nick: 'firstwitch', at: 7 });
    await store.setSubject(coven, { text: 'Cauldron Bubble 🔥', nick: 'secondwitch', at: 1_700_000_000_000 });
    const { subject } = await load();
    assert.deepEqual(subject, { text: 'Cauldron Bubble 🔥', nick: 'secondwitch', at: 1_700_000_000_000 });
    await store.setSubject(coven, { text: '', nick: 'firstwitch', at: 8 });
    assert.equal((await load()).subject!.text, '');
  });

  it('an application waits, the last counts; an affiliation settles it', async () => {
    await store.create(coven, room());
    await store.apply(coven, { jid: hag.bare, form: { nick: 'witch' }, applied: 10 });
    await store.apply(coven, { jid: long.bare, form: { nick: 'other' }, applied: 15 });
    await store.apply(coven, { jid: hag.bare, form: { nick: 'thirdwitch', faq: 'Just another\nwitch.' }, applied: 20 });
    assert.deepEqual((await load()).applications, [
      { jid: long.bare, form: { nick: 'other' }, applied: 15 },
      { jid: hag.bare, form: { nick: 'thirdwitch', faq: 'Just another\nwitch.' }, applied: 20 },
    ]);
    assert.deepEqual(await store.lists.waitingSince(15), []);
    assert.deepEqual(await store.lists.waitingSince(16), [coven.bare]);
    await store.affiliate(coven, [{ jid: hag.bare, to: somebody(hag, { nick: 'thirdwitch' }) }]);
    await store.forgetApplication(coven, long.bare);
    assert.deepEqual((await load()).applications, []);
    assert.deepEqual((await affiliations())[1], [hag.bare, 'member', 'thirdwitch']);
  });

  it('keeps a card and the hashes of its pictures, and takes them away', async () => {
    await store.create(coven, room());
    assert.equal(await store.card(coven), undefined);
    const card = `<vCard xmlns="vcard-temp"><FN>Höhle</FN></vCard>`;
    await store.setCard(coven, card, ['a31c', 'b9b2']);
    assert.equal(await store.card(coven), card);
    assert.deepEqual((await load()).avatarHashes, ['a31c', 'b9b2']);
    await store.setCard(coven, undefined, []);
    assert.equal(await store.card(coven), undefined);
    assert.deepEqual((await load()).avatarHashes, []);
  });

  it('goes with all that it has, and no other', async () => {
    for (const jid of [coven, heath]) {
      await store.create(jid, room());
      await store.apply(jid, { jid: hag.bare, form: {}, applied: 1 });
      await store.setCard(jid, '<vCard/>', []);
    }
    await store.remove(coven);
    assert.equal(await store.load(coven), undefined);
    assert.equal(await store.card(coven), undefined);
    assert.deepEqual(await store.lists.of(crone), [{ jid: heath.bare, affiliation: 'owner' }]);
    assert.deepEqual(await store.lists.waitingSince(10), [heath.bare]);
    assert.equal(await store.card(heath), '<vCard/>');
  });

  it('lists the rooms that are to be listed, page by page', async () => {
    for (const name of ['inverness', 'forres', 'heath', 'coven', 'élan'])
      await store.create(named(name), room({ name }));
    await store.create(named('cellar'), room({ listed: false }));
    await store.create(named('attic'), room({}, true));
    await store.create(elsewhere, room());
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
    await store.create(coven, room({}, true));
    assert.equal(await store.lists.count(DOMAIN), 0);
    assert.deepEqual(await store.lists.temporary(), [coven.bare]);
    await store.configure(coven, { ...DEFAULTS, persistent: true }, false);
    assert.equal(await store.lists.count(DOMAIN), 1);
    assert.deepEqual(await store.lists.temporary(), []);
    await store.configure(coven, { ...DEFAULTS, listed: false }, false);
    assert.equal(await store.lists.count(DOMAIN), 0);
    assert.deepEqual(await store.lists.temporary(), [coven.bare]);
  });

  it('knows how many rooms of a domain somebody made, and who is known where', async () => {
    await store.create(coven, room());
    await store.create(heath, room());
    await store.create(elsewhere, room());
    await store.create(named('forres'), room({}, false, long));
    await store.affiliate(heath, [{ jid: long.bare, to: somebody(long) }]);
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
  });

  it('what is written in one go is there in its order', async () => {
    await store.create(coven, room());
    const give = (affiliation: Affiliated['affiliation']) => [{ jid: hag.bare, to: somebody(hag, { affiliation }) }];
    await Promise.all([
      store.affiliate(coven, give('member')),
      store.affiliate(coven, give('admin')),
      store.configure(coven, DEFAULTS, false, [{ jid: hag.bare, to: undefined }]),
      store.affiliate(coven, give('outcast')),
    ]);
    assert.deepEqual((await affiliations())[1], [hag.bare, 'outcast', '']);
  });
}
