import assert from 'node:assert/strict';
import { Packet } from '../../src/api/index.ts';
import { parseJid } from '../../src/jid/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { idMaker } from '../stanza-id/ids.ts';
import type { Answering } from './answering.ts';
import { keyOf, timeOf } from './key.ts';
import { authorOf, Rooms } from './rooms.ts';
import { Origins } from './origins.ts';
import { ArchiveStore, archiveStore } from './store.ts';

const ROOM = parseJid('verona@conference.example.org')!;
const ROMEO = parseJid('romeo@example.org')!;
const JULIET = parseJid('juliet@example.org')!;
const EVER = -Infinity;

/** What archives of rooms have to do on every database. `open` gives a new, empty one. */
export function roomArchivesContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: ArchiveStore;
  let rooms: Rooms;
  let floor: number;
  let origins: Origins;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('archive/messages', archiveStore.migrations);
    store = await ArchiveStore.open(storage, { gathered: 16, portion: 5, grace: 0 });
    floor = 0;
    origins = new Origins(100);
    rooms = new Rooms({
      store,
      ids: {
        next: idMaker(Date.now),
        of: () => undefined,
        after: () => undefined,
        clean: () => undefined,
        give: () => undefined,
      },
      // nothing is asked here
      answering: undefined as unknown as Answering,
      floorOf: () => floor,
      pageOf: () => 50,
      origins: () => origins,
      refuse: () => assert.fail('it can be kept'),
    });
  });
  afterEach(async () => {
    await store.settled();
    await storage.close();
  });

  const spoken = (nick: string, content: string): Packet =>
    Packet.fromWire(
      `<message type='groupchat' id='c1'>${content}</message>`,
      parseJid(`${ROOM.bare}/${nick}`)!,
      undefined,
    );

  async function say(nick: string, author = ROMEO, content = `<body>${nick} speaks</body>`, room = ROOM) {
    const original = spoken(nick, content);
    const id = await rooms.keep(await rooms.place(room, author), spoken(nick, content), original);
    await original.held;
    return { id, isKept: original.held !== undefined };
  }

  /** The id of what is said for the first time. */
  async function said(...of: Parameters<typeof say>): Promise<string> {
    return (await say(...of)).id!;
  }

  const bodies = async (most = 100, since = EVER, room = ROOM): Promise<string[]> =>
    (await rooms.history(room, 'example.org', most, since)).map(
      ({ stanza }) => /<body>(.*?)</.exec(stanza)?.[1] ?? '-',
    );

  it('keeps what is said, in order, without a recipient or an address of who said it', async () => {
    const id = await said('Romeo');
    for (let i = 0; i < 40; i++) await say(`n${i}`, i % 2 ? JULIET : ROMEO);
    assert.deepEqual(await bodies(), ['Romeo speaks', ...Array.from({ length: 40 }, (_, i) => `n${i} speaks`)]);
    assert.deepEqual(await bodies(2), ['n38 speaks', 'n39 speaks']);
    const [first] = await rooms.history(ROOM, 'example.org', 100, EVER);
    assert.equal(first!.id, id);
    assert.equal(
      first!.stanza,
      `<message from='${ROOM.bare}/Romeo' type='groupchat' id='c1'><body>Romeo speaks</body>` +
        `<stanza-id xmlns='urn:xmpp:sid:0' id='${id}' by='${ROOM.bare}'/></message>`,
    );
  });

  it('keeps no more than is for archives, and gives an id to that alone', async () => {
    const state = await say('Romeo', ROMEO, `<composing xmlns='http://jabber.org/protocol/chatstates'/>`);
    assert.equal(state.id, '');
    assert.equal(state.isKept, false);
    const hidden = await say('Romeo', ROMEO, `<body>x</body><no-store xmlns='urn:xmpp:hints'/>`);
    assert.deepEqual([hidden.id, hidden.isKept], ['', false]);
    // it is kept, and is no history to read
    const reaction = await say('Romeo', ROMEO, `<reactions xmlns='urn:xmpp:reactions:0' id='x'/>`);
    assert.equal(reaction.isKept, true);
    assert.match(reaction.id!, /^[0-9a-v]{21}$/);
    assert.deepEqual(await bodies(), []);
  });

  it('knows again what an account has said in a room, by its origin id', async () => {
    const content = `<body>x</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>`;
    await say('Romeo', ROMEO, content);
    assert.equal((await say('Romeo', ROMEO, content)).id, undefined);
    const other = parseJid('mantua@conference.example.org')!;
    assert.notEqual((await say('Romeo', ROMEO, content, other)).id, undefined);
    assert.notEqual((await say('Romeo', JULIET, content)).id, undefined);
    assert.deepEqual(await bodies(), ['x', 'x']);
    const [first] = await store.recent(3);
    assert.deepEqual(authorOf(first!.stanza), { room: ROOM, author: JULIET });
  });

  it('gives what is new enough, by its time and by what archives keep', async () => {
    await say('one');
    const id = await said('two');
    await say('three');
    const since = timeOf(keyOf(id)!);
    const late = await bodies(10, since);
    assert.deepEqual(late.slice(-2), ['two speaks', 'three speaks']);
    floor = keyOf(id)!;
    assert.deepEqual(await bodies(), ['two speaks', 'three speaks']);
  });

  it('knows who said a message, and only those of the room', async () => {
    const id = await said('Romeo');
    const elsewhere = parseJid('mantua@conference.example.org')!;
    const other = await said('Romeo', ROMEO, '<body>there</body>', elsewhere);
    assert.equal((await rooms.find(ROOM, id, ROMEO))?.own, true);
    assert.equal((await rooms.find(ROOM, id, JULIET))?.own, false);
    assert.equal(await rooms.find(ROOM, other, ROMEO), undefined);
    assert.equal(await rooms.find(ROOM, 'nonsense', ROMEO), undefined);
    assert.deepEqual(await bodies(10, EVER, elsewhere), ['there']);
  });

  it('puts a tombstone in the place of what is retracted, once', async () => {
    const occupant = `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='o1'/>`;
    const id = await said('Romeo', ROMEO, `<body>oops</body>${occupant}`);
    const retract = (): Packet => spoken('Romeo', `<retract xmlns='urn:xmpp:message-retract:1' id='${id}'/>`);
    for (let i = 0; i < 2; i++) {
      const { kept } = await rooms.bury(await rooms.place(ROOM, ROMEO), retract(), id, `<retracted stamp='${i}'/>`);
      await kept;
    }
    const [message, ...others] = await rooms.history(ROOM, 'example.org', 100, EVER);
    assert.equal(message!.retracted, true);
    assert.equal(
      message!.stanza,
      `<message from='${ROOM.bare}/Romeo' type='groupchat' id='c1'>${occupant}` +
        `<stanza-id xmlns='urn:xmpp:sid:0' id='${id}' by='${ROOM.bare}'/><retracted stamp='0'/></message>`,
    );
    // the retractions themselves are no history to read
    assert.deepEqual(others, []);
    assert.equal((await rooms.find(ROOM, id, ROMEO))?.own, true);
  });

  it('counts what an account has not read: texts of others, behind what it read and since it belongs there', async () => {
    const ask = (account = JULIET, after?: string, since = 0) =>
      rooms.unread(ROOM, account, { host: 'example.org', after, since });
    assert.equal(await ask(), undefined);
    const first = await said('Romeo');
    const own = await said('Juliet', JULIET);
    const second = await said('Romeo', ROMEO, '<body>two</body>');
    for (let i = 0; i < 40; i++) await say(`n${i}`);
    const last = await said(
      'Romeo',
      ROMEO,
      "<reactions xmlns='urn:xmpp:reactions:0' id='c1'/><store xmlns='urn:xmpp:hints'/>",
    );
    const all = (await ask())!;
    assert.deepEqual([all.unread, all.first, all.id, all.last], [42, keyOf(first), last, keyOf(last)]);
    assert.ok(all.text > keyOf(second)! && all.text < keyOf(last)!);
    assert.equal((await ask(JULIET, second))!.unread, 40);
    assert.equal((await ask(ROMEO))!.first, keyOf(own));
    assert.equal((await ask(ROMEO))!.unread, 1);
    assert.equal((await ask(JULIET, last))!.unread, 0);
    assert.equal(await ask(JULIET, undefined, Date.now() + 60_000), undefined);
    floor = keyOf(second)!;
    assert.equal((await ask())!.unread, 41);
  });

  it('has nothing of a room that is no more, and all of one that is made anew', async () => {
    const id = await said('Romeo');
    await rooms.forget(ROOM);
    assert.deepEqual(await bodies(), []);
    assert.equal(await rooms.find(ROOM, id, ROMEO), undefined);
    await say('Juliet', JULIET);
    assert.deepEqual(await bodies(), ['Juliet speaks']);
  });

  it('has it all after a start', async () => {
    for (let i = 0; i < 30; i++) await say(`n${i}`);
    await store.settled();
    store = await ArchiveStore.open(storage, { gathered: 16, portion: 5, grace: 0 });
    rooms = new Rooms({ ...(rooms as unknown as { parts: ConstructorParameters<typeof Rooms>[0] }).parts, store });
    assert.equal((await bodies()).length, 30);
  });
}
