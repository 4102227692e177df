import assert from 'node:assert/strict';
import type { Storage } from '../../src/storage/index.ts';
import { Random } from '../../test/crash/random.ts';
import { displayedStore, type DisplayedStore } from '../inbox/store.ts';
import { idMaker } from '../stanza-id/ids.ts';
import type { Conversation } from './conversations.ts';
import { keyOf, markOf } from './key.ts';
import { CORRECTS } from './schema.ts';
import { ArchiveStore, archiveStore, RECEIVED, SENT, TEXT } from './store.ts';

const PEOPLE = ['romeo', 'juliet', 'nurse', 'tybalt', 'paris'].map(name => `${name}@example.org`);
const [ROMEO, JULIET] = PEOPLE as [string, string];
const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** A message of a history that is counted by hand. */
export interface Said {
  key: number;
  id: string;
  from: string;
  to: string;
  flags: number;
  replaces: string | undefined;
  retracted: boolean;
}

/** A conversation by hand. */
export function counted(said: readonly Said[], owner: string, peer: string, lowest: number, displayed: number) {
  const own = said.filter(
    ({ key, from, to, flags }) =>
      key > lowest &&
      ((from === owner && to === peer && (flags & SENT) !== 0) ||
        (to === owner && from === peer && (flags & RECEIVED) !== 0)),
  );
  if (own.length === 0) return undefined;
  const standing = own.filter(({ retracted, flags }) => !retracted && (flags & (TEXT | CORRECTS)) !== 0);
  const text = standing.findLast(({ flags }) => (flags & TEXT) !== 0);
  const correction = standing.findLast(
    ({ flags, replaces, from }) => (flags & CORRECTS) !== 0 && (!text || (replaces === text.id && from === text.from)),
  );
  const unread = standing.filter(
    ({ key, from, flags }) => key > displayed && from === peer && owner !== peer && (flags & TEXT) !== 0,
  );
  return {
    last: own.at(-1)!.key,
    text: (text ?? correction)?.key ?? 0,
    shown: (correction ?? text)?.key ?? 0,
    unread: unread.length,
    firstUnread: lowest < 0 ? 0 : (unread[0]?.key ?? 0),
  };
}

type Figures = Omit<Conversation, 'jid'>;

/** What can be counted of a conversation. */
function figuresOf({ peer, last, text, shown, unread, firstUnread }: Conversation): Figures {
  return { peer, last, text, shown, unread, firstUnread };
}

/** What conversations have to be on every database. `open` gives a new, empty one. */
export function conversationsContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: ArchiveStore;
  let marks: DisplayedStore;
  let said: Said[];
  let next: () => string;

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('archive/messages', archiveStore.migrations);
    await storage.migrate('inbox/displayed', displayedStore.migrations);
    store = await ArchiveStore.open(storage, { gathered: 40, portion: 7 });
    marks = await displayedStore.open(storage);
    let now = 1_790_000_000_000;
    next = idMaker(() => (now += 1));
    said = [];
  });
  afterEach(async () => {
    await store.settled();
    await storage.close();
  });

  const number = async (jid: string): Promise<number> => (await store.addresses.of(jid)).id;

  async function say(
    from: string,
    to: string,
    { flags = SENT | RECEIVED | TEXT, replaces, retracts }: { flags?: number; replaces?: string; retracts?: Said } = {},
  ): Promise<Said> {
    const sender = await store.addresses.of(from);
    const recipient = await store.addresses.of(to);
    const stanzaId = next();
    const id = `m${said.length}`;
    const line: Said = { key: keyOf(stanzaId)!, id, from, to, flags, replaces, retracted: false };
    const inner = replaces === undefined ? '' : `<replace xmlns='urn:xmpp:message-correct:0' id='${replaces}'/>`;
    const stanza = `<message from='${from}/r' to='${to}' id='${id}'>${inner}</message>`;
    const message = { id: stanzaId, key: line.key, sender, recipient, flags, mark: markOf(id), stanza };
    said.push(line);
    if (retracts) {
      retracts.retracted = true;
      await store.retract(message, [{ key: retracts.key, tombstone: `<message id='${retracts.id}'/>` }]);
    } else await store.add(message);
    return line;
  }

  async function all(owner: string, lowest = -1, displayed = new Map<string, number>()): Promise<Figures[]> {
    const id = await number(owner);
    await marks.remove(id);
    for (const [peer, key] of displayed) await marks.move(id, await number(peer), key);
    const parts = { owner: id, lowest, displayed: marks };
    const found = await store.conversations.all(parts, tick);
    // one by one they are the same
    for (const one of found)
      assert.deepEqual(figuresOf((await store.conversations.of(parts, one.peer, tick))!), figuresOf(one));
    const jids = await store.lookups.addresses(found.map(({ peer }) => peer));
    for (const { peer, jid } of found) if (jid !== undefined) assert.equal(jid, jids.get(peer));
    return found.map(figuresOf).toSorted((a, b) => a.peer - b.peer);
  }

  it('there are none at first', async () => {
    assert.deepEqual(await all(ROMEO), []);
    const parts = { owner: await number(ROMEO), lowest: -1, displayed: marks };
    assert.equal(await store.conversations.of(parts, await number(JULIET), tick), undefined);
  });

  it('are found whole, more than are looked at in one go, in the table and in memory', async function () {
    this.timeout(60_000);
    const peers = Array.from({ length: 263 }, (_, i) => `p${i}@example.org`);
    await Promise.all(peers.map(number));
    for (const peer of peers) await say(peer, ROMEO);
    await store.merge();
    for (const peer of peers.slice(200)) await say(peer, ROMEO);
    const found = await all(ROMEO);
    assert.equal(found.length, 263);
    const told = await store.conversations.all({ owner: await number(ROMEO), lowest: -1, displayed: marks }, tick);
    assert.ok(told.filter(({ jid }) => jid !== undefined).length >= 200);
    const numbers = await Promise.all(peers.map(number));
    for (const [i, peer] of numbers.entries())
      assert.equal(found.find(one => one.peer === peer)!.unread, i < 200 ? 1 : 2);
    const jids = await store.lookups.addresses(numbers);
    for (const [i, one] of numbers.entries()) assert.equal(jids.get(one), peers[i]);
  });

  it('messages are found by their keys, in the order in which they are asked for', async () => {
    const lines: Said[] = [];
    for (let i = 0; i < 120; i++) lines.push(await say(ROMEO, JULIET));
    const keys = lines.map(({ key }) => key).toReversed();
    // those that are not there leave a place
    for (const at of [0, 51, 121]) keys.splice(at, 0, at + 1);
    const found = await store.lookups.messages(keys);
    assert.deepEqual(
      found.map(message => message?.key),
      keys.map(key => (key > 1000 ? key : undefined)),
    );
    assert.match(found[1]!.stanza, /id='m\d+'/);
    assert.deepEqual(await store.lookups.messages([]), []);
  });

  it('whose last text is a correction, with something else behind it, whether or not something is gone', async () => {
    const first = await say(JULIET, ROMEO);
    const text = await say(JULIET, ROMEO);
    await say(JULIET, ROMEO, { flags: SENT | RECEIVED | CORRECTS, replaces: text.id });
    await say(JULIET, ROMEO, { flags: SENT | RECEIVED });
    await store.merge();
    for (const lowest of [-1, first.key]) {
      const wanted = counted(said, ROMEO, JULIET, lowest, 0);
      assert.deepEqual(await all(ROMEO, lowest), [{ peer: await number(JULIET), ...wanted }]);
    }
  });

  it('with more unread than are counted in one go', async function () {
    this.timeout(60_000);
    await storage.migrate('archive/messages', archiveStore.migrations);
    store = await ArchiveStore.open(storage, { gathered: 100_000, portion: 1000 });
    for (let i = 0; i < 1203; i++) {
      void say(JULIET, ROMEO);
      if (i % 100 === 99) await tick();
    }
    await say(JULIET, ROMEO);
    await store.merge();
    assert.equal((await all(ROMEO))[0]!.unread, 1204);
    assert.equal((await all(ROMEO, said[3]!.key))[0]!.unread, 1200);
    assert.equal((await all(ROMEO, -1, new Map([[JULIET, said[703]!.key]])))[0]!.unread, 500);
    const behind = said[2]!.key;
    assert.equal((await all(ROMEO, behind))[0]!.firstUnread, said[3]!.key);
    for (let i = 0; i < 4; i++) await say(JULIET, ROMEO);
    assert.equal((await all(ROMEO, behind))[0]!.unread, 1205);
  });

  it('tells who listens what has changed', async () => {
    const [romeo, juliet] = [await number(ROMEO), await number(JULIET)];
    const heard: string[] = [];
    const stop = store.conversations.onChanged((owner, peer) => heard.push(`${owner} ${peer}`));
    const line = await say(ROMEO, JULIET);
    assert.deepEqual(heard.splice(0), [`${romeo} ${juliet}`, `${juliet} ${romeo}`]);
    // also of an archive that does not keep the retraction itself
    await say(ROMEO, JULIET, { flags: SENT, retracts: line });
    assert.ok(heard.includes(`${juliet} ${romeo}`));
    stop();
    heard.length = 0;
    await say(ROMEO, JULIET);
    assert.deepEqual(heard, []);
  });

  it('finds what came in by its id, the newest with it, and nothing that is not newer than asked', async () => {
    const [romeo, juliet] = [await number(ROMEO), await number(JULIET)];
    const find = (id: string, after = -1): Promise<number | undefined> =>
      store.conversations.incoming(romeo, juliet, after, id, markOf(id), tick);
    const one = await say(JULIET, ROMEO);
    const mine = await say(ROMEO, JULIET);
    const note = await say(JULIET, ROMEO, { flags: RECEIVED });
    for (let moved = 0; moved < 2; moved++) {
      assert.equal(await find(one.id), one.key);
      assert.equal(await find(note.id), note.key);
      assert.equal(await find(one.id, one.key), undefined);
      assert.equal(await find(mine.id), undefined);
      assert.equal(await find('elsewhere'), undefined);
      await store.merge();
    }
  });

  it('follow from what was said, whatever that was (random histories, counted by hand)', async function () {
    this.timeout(120_000);
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
    const random = new Random(seed);
    const steps = storage.dialect === 'sqlite' ? 1500 : 600;
    try {
      for (let step = 0; step < steps; step++) {
        const from = random.pick(PEOPLE);
        const to = random.chance(0.05) ? from : random.pick(PEOPLE.filter(one => one !== from));
        const sides = from === to ? SENT : random.pick([SENT | RECEIVED, SENT | RECEIVED, SENT, RECEIVED]);
        const own = said.filter(line => line.from === from && line.to === to);
        const dice = random.next();
        if (dice < 0.02) await store.merge();
        else if (dice < 0.03) {
          await store.settled();
          store = await ArchiveStore.open(storage, { gathered: random.between(5, 80), portion: random.between(1, 20) });
        } else if (dice < 0.2) await say(from, to, { flags: sides });
        else if (dice < 0.35 && said.length > 0) {
          const line = random.chance(0.9) && own.length > 0 ? own.at(-1 - random.between(0, 2)) : random.pick(said);
          await say(from, to, { flags: sides | CORRECTS, replaces: (line ?? said[0]!).id });
        } else if (dice < 0.45 && own.some(line => !line.retracted)) {
          const retracts = own.findLast(line => !line.retracted && random.chance(0.5));
          if (retracts) await say(from, to, { flags: sides, retracts });
        } else await say(from, to, { flags: sides | TEXT });
        if (!random.chance(0.1)) continue;

        const owner = random.pick(PEOPLE);
        const lowest = random.chance(0.5) || said.length === 0 ? -1 : random.pick(said).key;
        const displayed = new Map<string, number>();
        for (const peer of PEOPLE)
          if (random.chance(0.6) && said.length > 0) displayed.set(peer, random.pick(said.slice(-60)).key);
        const wanted: unknown[] = [];
        for (const peer of PEOPLE) {
          const one = counted(said, owner, peer, lowest, displayed.get(peer) ?? 0);
          if (one) wanted.push({ peer: await number(peer), ...one });
        }
        const found = await all(owner, lowest, displayed);
        assert.deepEqual(
          found,
          (wanted as Figures[]).toSorted((a, b) => a.peer - b.peer),
        );
      }
    } catch (error) {
      throw new Error(`SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  });
}
