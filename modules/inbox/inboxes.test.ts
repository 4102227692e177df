import assert from 'node:assert/strict';
import { parseJid } from '../../src/jid/index.ts';
import { openStorage, type Storage } from '../../src/storage/index.ts';
import { Random } from '../../test/crash/random.ts';
import { tempFolder } from '../../test/kit/temp.ts';
import { counted, type Said } from '../archive/conversations.contract.ts';
import type { ArchiveService, Shelf } from '../archive/contract.ts';
import { keyOf, markOf } from '../archive/key.ts';
import { CORRECTS } from '../archive/schema.ts';
import { ArchiveStore, archiveStore, RECEIVED, SENT, TEXT } from '../archive/store.ts';
import { idMaker } from '../stanza-id/ids.ts';
import { type Inbox, Inboxes, placeOf } from './inboxes.ts';
import { noteDisplayed } from './markers.ts';
import { displayedStore, type DisplayedStore } from './store.ts';

const PEOPLE = ['romeo', 'juliet', 'nurse', 'tybalt'].map(name => `${name}@example.org`);
const jid = (bare: string) => parseJid(bare)!;

/** Inboxes with what is below them, and the same by hand. */
class World {
  readonly said: Said[] = [];
  /** Up to which key who has displayed whose messages: 'romeo juliet'. */
  readonly displayed = new Map<string, number>();
  /** The key up to which an archive was forgotten, and up to which none keeps anything. */
  readonly gone = new Map<string, number>();
  floor = -1;
  storage!: Storage;
  store!: ArchiveStore;
  marks!: DisplayedStore;
  archive!: ArchiveService;
  inboxes!: Inboxes;
  private now = 1_790_000_000_000;
  private readonly next = idMaker(() => (this.now += 1));
  private readonly folder = tempFolder();

  async begin(random: Random): Promise<void> {
    this.storage = await openStorage({ dataDir: this.folder });
    await this.storage.migrate('archive/messages', archiveStore.migrations);
    await this.storage.migrate('inbox/displayed', displayedStore.migrations);
    const sizes = { gathered: random.between(5, 80), portion: random.between(1, 20) };
    const store = (this.store = await ArchiveStore.open(this.storage, sizes));
    this.marks = await displayedStore.open(this.storage);
    this.archive = {
      conversations: store.conversations,
      lookups: store.lookups,
      numberOf: async (address: { bare: string }) => (await store.addresses.find(address.bare))?.id,
      shelf: async (account: { bare: string }): Promise<Shelf> => {
        const { id, goneBefore } = await store.addresses.of(account.bare);
        return { owner: id, lowest: Math.max(this.floor, goneBefore - 1) };
      },
    } as unknown as ArchiveService;
    // sometimes so few that inboxes are forgotten all the time
    const inboxes = (this.inboxes = new Inboxes(this.archive, this.marks, random.pick([0, 1000, 1000])));
    store.conversations.onChanged((owner, peer) => inboxes.changed(owner, peer));
  }

  async end(): Promise<void> {
    await this.store.settled();
    await this.storage.close();
  }

  async say(from: string, to: string, flags: number, more: { replaces?: string; retracts?: Said } = {}): Promise<void> {
    const sender = await this.store.addresses.of(from);
    const recipient = await this.store.addresses.of(to);
    const stanzaId = this.next();
    const id = `m${this.said.length}`;
    const { replaces, retracts } = more;
    const line: Said = { key: keyOf(stanzaId)!, id, from, to, flags, replaces, retracted: false };
    const inner = replaces === undefined ? '' : `<replace xmlns='urn:xmpp:message-correct:0' id='${replaces}'/>`;
    const stanza = `<message from='${from}/r' to='${to}' id='${id}'>${inner}</message>`;
    const message = { id: stanzaId, key: line.key, sender, recipient, flags, mark: markOf(id), stanza };
    this.said.push(line);
    if (retracts) {
      retracts.retracted = true;
      await this.store.retract(message, [{ key: retracts.key, tombstone: `<message id='${retracts.id}'/>` }]);
    } else await this.store.add(message);
  }

  lowest(owner: string): number {
    return Math.max(this.floor, this.gone.get(owner) ?? -1);
  }

  /** A marker, with what it does and what it has to do. */
  async mark(owner: string, peer: string, id: string): Promise<void> {
    const key = `${owner} ${peer}`;
    const named = this.said.findLast(
      line =>
        line.id === id &&
        line.from === peer &&
        line.to === owner &&
        peer !== owner &&
        (line.flags & RECEIVED) !== 0 &&
        line.key > this.lowest(owner),
    );
    if (named) this.displayed.set(key, Math.max(named.key, this.displayed.get(key) ?? 0));
    const moved = await noteDisplayed(this.archive, this.marks, jid(owner), jid(peer), id);
    if (moved) this.inboxes.changed(moved.owner, moved.peer);
  }

  async forget(owner: string): Promise<void> {
    // of nobody that no archive knows anything is gone
    if (!(await this.store.addresses.find(owner))) return;
    await this.store.forget(owner);
    await this.marks.remove((await this.store.addresses.of(owner)).id);
    this.gone.set(owner, this.said.at(-1)?.key ?? -1);
    for (const key of this.displayed.keys()) if (key.startsWith(`${owner} `)) this.displayed.delete(key);
  }

  async check(owner: string): Promise<void> {
    const shelf = await this.archive.shelf(jid(owner));
    const { order, unread, allUnread, rows }: Inbox = await this.inboxes.of(shelf);
    const wanted: unknown[] = [];
    for (const peer of PEOPLE) {
      const lowest = this.lowest(owner);
      const one = counted(this.said, owner, peer, lowest, this.displayed.get(`${owner} ${peer}`) ?? 0);
      if (one) wanted.push({ peer: (await this.store.addresses.of(peer)).id, ...one });
    }
    const place = placeOf as (row: unknown) => number;
    wanted.sort((a, b) => place(b) - place(a));
    const plain = order.map(({ jid: _jid, id: _id, ...row }) => row);
    assert.deepEqual(plain, wanted);
    assert.deepEqual(
      unread,
      order.filter(row => row.unread > 0),
    );
    assert.equal(
      allUnread,
      order.reduce((sum, row) => sum + row.unread, 0),
    );
    assert.equal(rows.size, order.length);
    await this.inboxes.name(jid(owner), order);
    for (const row of order)
      assert.equal(
        row.jid,
        PEOPLE.find(one => this.store.addresses.known(one)?.id === row.peer),
      );
  }
}

describe('inboxes', () => {
  it('are what counting by hand gives, over random histories of several devices', async function () {
    this.timeout(120_000);
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
    const random = new Random(seed);
    const world = new World();
    await world.begin(random);
    try {
      for (let step = 0; step < 1500; step++) {
        const from = random.pick(PEOPLE);
        const to = random.chance(0.05) ? from : random.pick(PEOPLE.filter(one => one !== from));
        // what preferences and hints leave: in both archives, in one
        const sides = from === to ? SENT : random.pick([SENT | RECEIVED, SENT | RECEIVED, SENT, RECEIVED]);
        const own = world.said.filter(line => line.from === from && line.to === to);
        const recent = own.slice(-8);
        const dice = random.next();
        if (dice < 0.01) await world.store.merge();
        else if (dice < 0.015) {
          await world.end();
          await world.begin(random);
        } else if (dice < 0.018) await world.forget(from);
        else if (dice < 0.03 && world.said.length >= 100)
          // what is too old goes; the option may change either way
          world.floor = random.chance(0.3) ? -1 : world.said.at(-random.between(1, 100))!.key;
        else if (dice < 0.1) await world.say(from, to, sides);
        else if (dice < 0.35) {
          // devices do not wait for one another, and what one shows may be old
          const ids = Array.from({ length: random.between(1, 3) }, () =>
            random.chance(0.9) && recent.length > 0 ? random.pick(recent).id : `m${random.between(0, 3000)}`,
          );
          await Promise.all(ids.map(id => world.mark(to, from, id)));
        } else if (dice < 0.45 && recent.length > 0)
          await world.say(from, to, sides | CORRECTS, { replaces: random.pick(recent).id });
        else if (dice < 0.53) {
          const retracts = recent.findLast(line => !line.retracted && random.chance(0.5));
          if (retracts) await world.say(from, to, sides, { retracts });
        } else await world.say(from, to, sides | TEXT);
        const who = random.chance(0.1) ? PEOPLE : [from, to].filter(() => random.chance(0.5));
        for (const owner of who) await world.check(owner);
        // two at once
        if (random.chance(0.02)) await Promise.all([world.check(from), world.check(from), world.check(to)]);
      }
    } catch (error) {
      throw new Error(`SEED=${seed}: ${(error as Error).message}`, { cause: error });
    } finally {
      await world.end();
    }
  });
});
