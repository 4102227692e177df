import assert from 'node:assert/strict';
import type { BatchDefinition, BatchWriter } from '../../src/api/storage.ts';
import type { Storage } from '../../src/storage/index.ts';
import { idMaker } from '../stanza-id/ids.ts';
import { firstKeyAt, idOf, keyOf } from './key.ts';
import { ArchiveStore, archiveStore, type Imported, type Kept, RECEIVED, RETRACTED, SENT, TEXT } from './store.ts';

export { conversationsContract } from './conversations.contract.ts';
export { roomArchivesContract } from './rooms.contract.ts';

const ROMEO = 'romeo@example.org';
const JULIET = 'juliet@example.org';
const NURSE = 'nurse@example.org';
const PEOPLE = [ROMEO, JULIET, NURSE];
const END = Number.MAX_SAFE_INTEGER;
/** So few entries gather that most of what these tests write is moved to its table. */
const FEW = { gathered: 16, portion: 5, grace: 0 };

interface Line {
  id: string;
  from: string;
  to: string;
  stanza: string;
}

/** What the store has to do on every database. `open` gives a new, empty one. */
export function archiveStoreContract(open: () => Promise<Storage>): void {
  let storage: Storage;
  let store: ArchiveStore;
  let now: number;
  let next: () => string;
  let said: Line[];

  beforeEach(async () => {
    storage = await open();
    await storage.migrate('archive/messages', archiveStore.migrations);
    store = await ArchiveStore.open(storage, FEW);
    now = 1_790_000_000_000;
    next = idMaker(() => now);
    said = [];
  });
  afterEach(async () => {
    await store.settled();
    await storage.close();
  });

  async function say(
    from: string,
    to: string,
    options: { flags?: number; mark?: number; stanza?: string; retracts?: { key: number; tombstone: string } } = {},
  ): Promise<Line> {
    const line = { id: '', from, to, stanza: options.stanza ?? `<message id='${said.length}'/>` };
    const flags = options.flags ?? (from === to ? SENT : SENT | RECEIVED | TEXT);
    // the id is chosen when nothing more is waited for
    const both = await numbers(from, to);
    const id = next();
    const message = { ...line, ...both, id, key: keyOf(id)!, flags, mark: options.mark ?? 0 };
    said.push(Object.assign(line, { id: message.id }));
    await (options.retracts ? store.retract(message, [options.retracts]) : store.add(message));
    return line;
  }

  const numbers = async (from: string, to: string) => ({
    sender: await store.addresses.of(from),
    recipient: await store.addresses.of(to),
  });
  const number = async (jid: string): Promise<number> => (await store.addresses.find(jid))!.id;

  /** Everything in an archive, read in pages of an odd size, from either end. */
  async function all(owner: string, peer?: string, size = 7, growing = false): Promise<Kept[]> {
    const span = { owner: await number(owner), peer: peer && (await number(peer)), after: 0, before: END };
    const forwards: Kept[] = [];
    for (let after = 0; ;) {
      const page = await store.reading.page({ ...span, after } as never, size, false);
      forwards.push(...page);
      if (page.length < size) break;
      after = page.at(-1)!.key;
    }
    const backwards: Kept[] = [];
    for (let before = END; ;) {
      const page = await store.reading.page({ ...span, before } as never, size, true);
      backwards.push(...page);
      if (page.length < size) break;
      before = page.at(-1)!.key;
    }
    backwards.reverse();
    // what is asked of a database behind a network takes its time, in which more may come
    if (growing && storage.dialect !== 'sqlite') {
      assert.deepEqual(backwards.slice(0, forwards.length), forwards);
      return forwards;
    }
    assert.deepEqual(backwards, forwards);
    const entries = await store.reading.entries(span as never, Infinity === size ? 1 : 100_000, false);
    assert.deepEqual(
      entries.map(({ id }) => id),
      forwards.map(({ key }) => key),
    );
    assert.equal(await store.reading.count(span as never, async () => {}), forwards.length);
    return forwards;
  }

  const stanzas = (kept: readonly Kept[]): string[] => kept.map(({ stanza }) => stanza);
  const of = (owner: string, peer?: string): string[] =>
    said
      .filter(
        ({ from, to }) => (from === owner && (!peer || to === peer)) || (to === owner && (!peer || from === peer)),
      )
      .map(({ stanza }) => stanza);

  async function talk(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      now += i % 3;
      await say(PEOPLE[i % 3]!, PEOPLE[(i * 2 + (i >> 2)) % 3]!);
    }
  }

  it('knows nobody at first', async () => {
    assert.equal(await store.addresses.find(ROMEO), undefined);
    assert.equal(store.newestKey, 0);
  });

  it('gives each archive what belongs into it, in order, whole and by conversation', async () => {
    await talk(100);
    await store.settled();
    for (const owner of PEOPLE) {
      assert.deepEqual(stanzas(await all(owner)), of(owner));
      for (const peer of PEOPLE)
        assert.deepEqual(
          stanzas(await all(owner, peer)),
          owner === peer
            ? said.filter(({ from, to }) => from === owner && to === owner).map(({ stanza }) => stanza)
            : of(owner, peer),
        );
    }
  });

  it('is read at any moment while entries move to their table', async () => {
    const writing = talk(300);
    let done = false;
    void writing.then(() => {
      done = true;
    });
    while (!said.some(({ from }) => from === NURSE)) await new Promise(resolve => setImmediate(resolve));
    await new Promise(resolve => setTimeout(resolve, 5));
    let looks = 0;
    for (; !done; looks++) {
      const before = of(ROMEO);
      const kept = stanzas(await all(ROMEO, undefined, 7, true));
      const since = of(ROMEO);
      assert.deepEqual(kept, since.slice(0, kept.length));
      // the last one of each is on its way
      assert.ok(kept.length >= before.length - 1);
      await new Promise(resolve => setImmediate(resolve));
    }
    assert.ok(looks > 3);
    await writing;
    assert.deepEqual(stanzas(await all(ROMEO)), of(ROMEO));
  });

  it('finds all again after a new start, wherever the moving was cut off', async function () {
    this.timeout(120_000);
    for (let portions = 0; portions < 14; portions++) {
      await store.settled();
      let moved = 0;
      const cut: Storage = new Proxy(storage, {
        get(target, name) {
          if (name !== 'batch') return Reflect.get(target, name, target) as unknown;
          return (definition: BatchDefinition<unknown, unknown>): BatchWriter<unknown, unknown> => {
            const writer = target.batch(definition);
            if (definition.name !== 'archive entries') return writer;
            return {
              pending: 0,
              write: row => (moved++ < portions ? writer.write(row) : Promise.reject(new Error('cut off'))),
            };
          };
        },
      });
      store = await ArchiveStore.open(cut, { ...FEW, gathered: 1000 });
      await talk(7 * (portions + 1));
      await store.merge().catch(() => {});
      if (portions % 2 === 0) await store.merge().catch(() => {});
      for (const owner of PEOPLE) assert.deepEqual(stanzas(await all(owner)), of(owner));
      store = await ArchiveStore.open(storage, { ...FEW, gathered: 1000 });
      for (const owner of PEOPLE) assert.deepEqual(stanzas(await all(owner)), of(owner), `${portions} portions`);
      assert.equal(store.newestKey, keyOf(said.at(-1)!.id));
      if (portions % 3 === 0) await store.merge();
      for (const owner of PEOPLE)
        assert.deepEqual(stanzas(await all(owner)), of(owner), `${portions} portions, merged`);
    }
  });

  it('keeps a message for its sender alone, for its recipient alone', async () => {
    await say(ROMEO, JULIET, { flags: SENT, stanza: '<message>s</message>' });
    await say(ROMEO, JULIET, { flags: RECEIVED | TEXT, stanza: '<message>r</message>' });
    for (let moved = 0; moved < 2; moved++) {
      const [sent, ...more] = await all(ROMEO);
      assert.deepEqual([sent!.stanza, sent!.flags, more.length], ['<message>s</message>', SENT, 0]);
      const [received, ...others] = await all(JULIET);
      assert.deepEqual(
        [received!.stanza, received!.flags, others.length],
        ['<message>r</message>', RECEIVED | TEXT, 0],
      );
      await store.merge();
    }
  });

  it('gives back every character, and large messages', async () => {
    const stanza = Buffer.from(
      '<message><body>Ромео 🌹 &amp; "co" \u0000</body></message>'.replace('\u0000', ''),
    ).toString('latin1');
    await say(ROMEO, JULIET, { stanza });
    await say(ROMEO, JULIET, { stanza: `<message>${'x'.repeat(300_000)}</message>` });
    const [first, second] = await all(JULIET);
    assert.equal(first!.stanza, stanza);
    assert.equal(second!.stanza.length, 300_019);
  });

  it('tells addresses apart that are long, and those that differ in accents or case alone', async () => {
    const long = `${'x'.repeat(250)}@example.org`;
    const others = [long, `${long}x`, 'rene@example.org', 'rené@example.org'];
    for (const other of others)
      await say(other, JULIET, { stanza: `<message>${other.length}${other.at(3)}</message>` });
    await store.merge();
    for (const other of others) assert.equal((await all(JULIET, other)).length, 1, other);
  });

  it('finds a message by its id, in the archives that have it', async () => {
    const line = await say(ROMEO, JULIET);
    const other = await say(NURSE, JULIET);
    for (let moved = 0; moved < 2; moved++) {
      const found = await store.reading.find(await number(ROMEO), line.id, 0);
      assert.deepEqual([found!.id, found!.stanza], [line.id, line.stanza]);
      assert.equal(await store.reading.find(await number(ROMEO), other.id, 0), undefined);
      assert.equal(await store.reading.find(await number(ROMEO), line.id, keyOf(line.id)!), undefined);
      const guessed = line.id.slice(0, 12) + '000000000';
      assert.equal(await store.reading.find(await number(ROMEO), guessed, 0), undefined);
      assert.equal(await store.reading.find(await number(ROMEO), 'x', 0), undefined);
      await store.merge();
    }
  });

  it('finds messages of a conversation by their mark, the newest first', async () => {
    const wanted = [await say(ROMEO, JULIET, { mark: 7 })];
    await say(ROMEO, JULIET, { mark: -8 });
    await say(ROMEO, NURSE, { mark: 7 });
    await store.merge();
    wanted.unshift(await say(JULIET, ROMEO, { mark: 7 }));
    const [owner, peer] = [await number(JULIET), await number(ROMEO)];
    const found = await store.reading.withMark(owner, peer, 0, 7, 10);
    assert.deepEqual(
      found.map(({ id }) => id),
      wanted.map(({ id }) => id),
    );
    assert.deepEqual(stanzas(await store.reading.withMark(owner, peer, 0, 7, 1)), [wanted[0]!.stanza]);
    assert.equal((await store.reading.withMark(owner, peer, 0, -8, 10)).length, 1);
  });

  it('puts a tombstone in the place of what is retracted, in both archives', async () => {
    for (const moved of [false, true]) {
      const line = await say(ROMEO, JULIET);
      if (moved) await store.merge();
      const tombstone = `<message>gone ${moved}</message>`;
      await say(ROMEO, JULIET, { retracts: { key: keyOf(line.id)!, tombstone } });
      line.stanza = tombstone;
      for (const [owner, flags] of [
        [ROMEO, SENT | RETRACTED],
        [JULIET, RECEIVED | RETRACTED],
      ] as const) {
        const found = await store.reading.find(await number(owner), line.id, 0);
        assert.deepEqual([found!.stanza, found!.flags], [tombstone, flags]);
        assert.deepEqual(stanzas(await all(owner)), of(owner));
      }
    }
    await store.settled();
    store = await ArchiveStore.open(storage, FEW);
    assert.deepEqual(
      (await all(JULIET)).map(({ flags }) => flags),
      [RECEIVED | RETRACTED, RECEIVED | TEXT, RECEIVED | RETRACTED, RECEIVED | TEXT],
    );
  });

  it('an archive that is forgotten is empty at once; the others keep their part of it', async () => {
    await talk(60);
    const ends = store.newestKey;
    await store.forget(ROMEO);
    assert.ok((await store.addresses.find(ROMEO))!.goneBefore > ends);
    await store.settled();
    store = await ArchiveStore.open(storage, FEW);
    assert.ok((await store.addresses.find(ROMEO))!.goneBefore > ends);
    let pauses = 0;
    const taken = await store.sweep(
      () => 0,
      Infinity,
      async () => void pauses++,
    );
    assert.equal(taken, of(ROMEO).length);
    assert.ok(pauses > 0);
    assert.deepEqual(await all(ROMEO), []);
    assert.deepEqual(stanzas(await all(JULIET)), of(JULIET));
    const line = await say(JULIET, ROMEO);
    assert.deepEqual(stanzas(await all(ROMEO)), [line.stanza]);
  });

  it('takes away what is too old, and the rows that nobody has any more', async () => {
    await talk(90);
    const middle = keyOf(said[50]!.id)!;
    const floor = (jid: string): number => (jid === NURSE ? 0 : middle);
    await store.sweep(floor, middle, async () => {});
    const kept = said.slice(50).map(({ stanza }) => stanza);
    for (const owner of [ROMEO, JULIET])
      assert.deepEqual(
        stanzas(await all(owner)),
        of(owner).filter(stanza => kept.includes(stanza)),
      );
    assert.deepEqual(stanzas(await all(NURSE)), of(NURSE));
    await store.sweep(
      () => END,
      END,
      async () => {},
    );
    for (const owner of PEOPLE) assert.deepEqual(await all(owner), []);
    const rows = await storage.read(q => q('archive_messages').count({ count: '*' }).first());
    assert.equal(Number(rows!.count), 0);
    // keys are not given twice for that
    store = await ArchiveStore.open(storage, FEW);
    assert.equal(store.newestKey, keyOf(said.at(-1)!.id));
  });

  it('a sweep ends when it is told to', async () => {
    await talk(30);
    await assert.rejects(
      store.sweep(
        () => END,
        END,
        () => Promise.reject(new Error('stop')),
      ),
      /stop/,
    );
  });

  it('refuses an id twice, and nobody else for that', async () => {
    const line = await say(ROMEO, JULIET);
    const both = await numbers(ROMEO, JULIET);
    const fresh = (): { id: string; key: number } => {
      const id = next();
      return { id, key: keyOf(id)! };
    };
    const results = await Promise.allSettled([
      store.add({ ...line, ...both, ...fresh(), flags: SENT, mark: 0, stanza: '<message>before</message>' }),
      store.add({ ...line, ...both, key: keyOf(line.id)!, flags: SENT, mark: 0 }),
      store.add({ ...line, ...both, ...fresh(), flags: SENT, mark: 0, stanza: '<message>after</message>' }),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(stanzas(await all(ROMEO)), [line.stanza, '<message>before</message>', '<message>after</message>']);
  });

  describe('addresses', () => {
    const nothing = async (): Promise<void> => {};
    const rows = async (): Promise<string[]> =>
      (await storage.read(q => q('archive_addresses').orderBy('id').pluck('jid'))) as string[];
    /** Sweeps as often as it takes. */
    async function clean(): Promise<void> {
      for (let n = 0; n < 2; n++) {
        await store.sweep(() => 0, Infinity, nothing);
        await store.reap(nothing);
      }
    }

    it('go with the account, and those that only it knew; others stay, whoever has them', async () => {
      await say(ROMEO, JULIET);
      await say(ROMEO, 'paris@elsewhere.example', { flags: SENT });
      await say(NURSE, ROMEO, { flags: RECEIVED });
      await say(JULIET, NURSE);
      await say(JULIET, 'last@example.org', { flags: SENT });
      const all5 = [ROMEO, JULIET, 'paris@elsewhere.example', NURSE, 'last@example.org'];
      await clean();
      assert.deepEqual(await rows(), all5);
      await store.forget(ROMEO);
      await clean();
      // Juliet has a message of Romeo's still
      assert.deepEqual(await rows(), [ROMEO, JULIET, NURSE, 'last@example.org']);
      await clean();
      assert.equal(store.reaps, false);
      await store.forget(JULIET);
      await clean();
      // Nurse has one of hers
      assert.deepEqual(await rows(), [JULIET, NURSE, 'last@example.org']);
      await store.forget(NURSE);
      await clean();
      // the greatest number is never given again
      assert.deepEqual(await rows(), ['last@example.org']);
      const line = await say(ROMEO, 'last@example.org');
      assert.deepEqual(stanzas(await all(ROMEO)), [line.stanza]);
      await clean();
      assert.deepEqual(await rows(), ['last@example.org', ROMEO]);
    });

    it('stay when somebody asks for them before they go', async () => {
      for (const other of [JULIET, NURSE, 'last@example.org']) await say(ROMEO, other, { flags: SENT });
      await store.forget(ROMEO);
      await store.sweep(() => 0, Infinity, nothing);
      await store.reap(nothing);
      assert.equal(store.reaps, true);
      // found, and written to
      const before = (await store.addresses.find(JULIET))!;
      const line = await say(NURSE, ROMEO, { flags: SENT });
      await store.reap(nothing);
      await store.reap(nothing);
      assert.deepEqual(stanzas(await all(NURSE)), [line.stanza]);
      await store.merge();
      await clean();
      assert.deepEqual(stanzas(await all(NURSE)), [line.stanza]);
      assert((await rows()).includes(NURSE) && (await rows()).includes(ROMEO));
      assert.notDeepEqual(before, undefined);
    });

    it('are left alone for some time, in which their numbers may be used', async () => {
      store = await ArchiveStore.open(storage, { ...FEW, grace: 60_000 });
      for (const other of [JULIET, 'last@example.org']) await say(ROMEO, other, { flags: SENT });
      await store.forget(ROMEO);
      await clean();
      assert.deepEqual(await rows(), [ROMEO, JULIET, 'last@example.org']);
      assert.equal(store.reaps, true);
    });

    it('are right whatever happens in whatever order', async function () {
      this.timeout(120_000);
      const people = ['a', 'b', 'c', 'd', 'e', 'f'].map(name => `${name}@example.org`);
      const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)]!;
      let kept: (Line & { flags: number })[] = [];
      await say(people[0]!, 'last@example.org', { flags: 0 });
      said = [];
      for (let round = 0; round < 40; round++) {
        for (let n = 0; n < 6; n++) {
          const [from, to] = [pick(people), pick(people)];
          const flags = from === to ? SENT : pick([SENT, RECEIVED, SENT | RECEIVED]);
          kept.push({ ...(await say(from, to, { flags })), flags });
        }
        if (round % 3 === 0) {
          const gone = pick(people);
          await store.forget(gone);
          kept = kept.map(line => ({
            ...line,
            flags: line.flags & ~(line.from === gone ? SENT : 0) & ~(line.to === gone ? RECEIVED : 0),
          }));
        }
        const work = [store.reap(nothing), say(pick(people), 'last@example.org', { flags: 0 })] as const;
        if (round % 2 === 0) await store.sweep(() => 0, Infinity, nothing);
        await Promise.all(work);
        await store.reap(nothing);
        for (const one of people) {
          const address = await store.addresses.find(one);
          const shown = address
            ? await store.reading.page({ owner: address.id, after: address.goneBefore - 1, before: END }, 1000, false)
            : [];
          const wanted = kept.filter(
            ({ from, to, flags }) => (from === one && (flags & SENT) !== 0) || (to === one && (flags & RECEIVED) !== 0),
          );
          assert.deepEqual(stanzas(shown), stanzas(wanted as never), `${one} in round ${round}`);
          for (const other of people) {
            if (!address || other === one) continue;
            const peer = (await store.addresses.find(other))?.id ?? 0;
            const span = { owner: address.id, peer, after: address.goneBefore - 1, before: END };
            assert.deepEqual(
              stanzas(await store.reading.page(span, 1000, false)),
              stanzas(wanted.filter(({ from, to }) => from === other || to === other) as never),
              `${one} with ${other} in round ${round}`,
            );
          }
        }
      }
      await say(people[0]!, 'end@example.org', { flags: 0 });
      for (const one of people) await store.forget(one);
      await clean();
      assert.deepEqual(await rows(), ['last@example.org', 'end@example.org']);
    });
  });

  describe('messages of an earlier time', () => {
    let floor: number;
    const after = (time: number): void => void (floor = Math.max(floor, time));

    beforeEach(() => {
      floor = 0;
      next = idMaker(
        () => now,
        () => floor,
      );
    });

    const idAt = (time: number, count = 0, tail = 'abcdefghi'): string => idOf(firstKeyAt(time) + count, tail);

    /** Puts a message into the archive of one of its people, as one that was said before. */
    async function bring(side: typeof SENT | typeof RECEIVED, line: Line, flags = TEXT): Promise<Imported> {
      const message = {
        ...line,
        ...(await numbers(line.from, line.to)),
        key: keyOf(line.id)!,
        flags: side | flags,
        mark: 5,
      };
      return store.import(message, side, after);
    }
    const old = (n: number, from = ROMEO, to = JULIET, time = now - 1_000_000): Line => ({
      id: idAt(time + n),
      from,
      to,
      stanza: `<message id='old${n}'/>`,
    });

    it('have their places before what is there, whatever comes meanwhile, and after a new start', async () => {
      await talk(50);
      const lines = Array.from({ length: 40 }, (_, n) => old(n, PEOPLE[n % 3], PEOPLE[(n + 1) % 3]));
      // the second half of what is said comes while they are taken in, in any order
      const [outcomes] = await Promise.all([Promise.all(lines.toReversed().map(line => bring(SENT, line))), talk(50)]);
      assert.deepEqual(new Set(outcomes), new Set(['imported']));
      for (const line of lines) assert.equal(await bring(RECEIVED, line), 'imported');
      const later = said.splice(0);
      said.push(...lines, ...later);
      for (const moved of [false, true, 'anew']) {
        for (const owner of PEOPLE) {
          assert.deepEqual(stanzas(await all(owner)), of(owner));
          for (const peer of PEOPLE)
            if (peer !== owner) assert.deepEqual(stanzas(await all(owner, peer)), of(owner, peer));
        }
        if (moved === false) await store.merge();
        else if (moved) store = await ArchiveStore.open(storage, FEW);
      }
      await talk(30);
      for (const owner of PEOPLE) assert.deepEqual(stanzas(await all(owner)), of(owner));
    });

    it('are taken in once for each side, and are one message for both', async () => {
      const line = old(1);
      assert.equal(await bring(SENT, line), 'imported');
      assert.deepEqual(stanzas(await all(JULIET)), []);
      assert.equal(await bring(SENT, line), 'known');
      assert.equal(await bring(RECEIVED, line), 'imported');
      assert.equal(await bring(RECEIVED, line), 'known');
      const [sent] = await all(ROMEO);
      const [received] = await all(JULIET);
      assert.deepEqual([sent!.id, sent!.flags, received!.flags], [line.id, SENT | TEXT, RECEIVED | TEXT]);
      const rows = await storage.read(q => q('archive_messages').count({ count: '*' }).first());
      assert.equal(Number(rows!.count), 1);
      assert.equal(await bring(SENT, { ...line, from: NURSE }), 'other');
      assert.deepEqual(await all(NURSE), []);
    });

    it('join what is there already, where one side kept it', async () => {
      const line = await say(ROMEO, JULIET, { flags: SENT });
      assert.equal(await bring(RECEIVED, line), 'imported');
      assert.equal(await bring(SENT, line), 'known');
      assert.deepEqual([stanzas(await all(ROMEO)), stanzas(await all(JULIET))], [[line.stanza], [line.stanza]]);
      store = await ArchiveStore.open(storage, FEW);
      assert.deepEqual(stanzas(await all(JULIET)), [line.stanza]);
    });

    it('make way for each other, and are found again', async () => {
      const lines = ['000000001', '000000002', '000000003'].map((tail, n) => ({
        id: idAt(now - 5000, 7, tail),
        from: ROMEO,
        to: JULIET,
        stanza: `<message id='${n}'/>`,
      }));
      for (const line of lines) assert.equal(await bring(SENT, line), 'imported');
      for (const line of lines) assert.equal(await bring(SENT, line), 'known');
      assert.deepEqual(
        (await all(ROMEO)).map(({ id, stanza }) => [id, stanza]),
        lines.map(({ stanza }, n) => [idAt(now - 5000, 7 + n, `00000000${n + 1}`), stanza]),
      );
      for (let n = 3; n < 65; n++)
        assert.equal(
          await bring(SENT, { ...lines[0]!, id: idAt(now - 5000, 7, String(n).padStart(9, 'x')) }),
          'imported',
        );
      assert.equal(await bring(SENT, { ...lines[0]!, id: idAt(now - 5000, 7, 'toomanyxx') }), 'crowded');
    });

    it('of a time to come: what is said then is later', async () => {
      const line = old(0, ROMEO, JULIET, Date.now() + 3_600_000);
      const before = await say(ROMEO, JULIET);
      assert.equal(await bring(SENT, line), 'imported');
      assert(floor >= Date.now() + 3_500_000);
      const behind = await say(ROMEO, JULIET);
      assert.deepEqual(stanzas(await all(ROMEO)), [before.stanza, line.stanza, behind.stanza]);
      store = await ArchiveStore.open(storage, FEW);
      assert(store.newestKey >= keyOf(behind.id)!);
      assert.deepEqual(stanzas(await all(ROMEO)), [before.stanza, line.stanza, behind.stanza]);
    });

    it('stay, though a sweep is under way that takes away what an account of that name had', async () => {
      await talk(400);
      await store.forget(ROMEO);
      const line = old(1);
      let pauses = 0;
      await store.sweep(
        () => 0,
        Infinity,
        async () => {
          if (pauses++ > 0) return;
          await store.revive(ROMEO);
          assert.equal(await bring(SENT, line), 'imported');
        },
      );
      assert(pauses > 0);
      assert.deepEqual(stanzas(await all(ROMEO)), [line.stanza]);
      // and goes when the account does again
      await store.forget(ROMEO);
      await store.sweep(
        () => 0,
        Infinity,
        async () => {},
      );
      assert.deepEqual(await all(ROMEO), []);
    });

    it('come into the archive of an account that was removed and made again', async () => {
      const lines = [old(1), old(2)];
      for (const line of lines) for (const side of [SENT, RECEIVED] as const) await bring(side, line);
      await talk(20);
      await store.forget(ROMEO);
      await store.revive(ROMEO);
      for (const line of lines) assert.equal(await bring(SENT, line), 'imported');
      const shown = async () => {
        const { id, goneBefore } = (await store.addresses.find(ROMEO))!;
        return stanzas(await store.reading.page({ owner: id, after: goneBefore - 1, before: END }, 100, false));
      };
      assert.deepEqual(
        await shown(),
        lines.map(({ stanza }) => stanza),
      );
      await store.sweep(
        () => 0,
        Infinity,
        async () => {},
      );
      assert.deepEqual(
        await shown(),
        lines.map(({ stanza }) => stanza),
      );
      assert.equal((await all(JULIET)).length, 2 + of(JULIET).length);
    });
  });
}
