import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import knex from 'knex';
import { type BatchWriter, type Migration, type Storage, StorageError } from '../../src/api/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { placeOf } from '../../src/storage/place.ts';
import { SILENCE } from '../../src/storage/remote/dialect.ts';
import { mysql } from '../../src/storage/remote/mysql.ts';
import { RemoteStorage } from '../../src/storage/remote/storage.ts';
import { rowsOf } from '../../src/storage/tables.ts';
import { DatabaseServer, KINDS, NEEDED } from '../kit/databases.ts';
import { needs } from '../kit/needs.ts';
import { tempFolder } from '../kit/temp.ts';
import { until } from '../kit/wait.ts';
import { awayFaults, awayRun } from './away-run.ts';

/** ms that a database is away; an operator's is a minute (POSTHOUSE_TEST_AWAY=60000). */
const AWAY = Number(process.env.POSTHOUSE_TEST_AWAY ?? 2500);

const rows: Migration = {
  name: '001-rows',
  up: async schema => {
    await schema.createTable('numbers', table => {
      table.increments('id');
      table.integer('n').notNullable();
      table.integer('m');
      table.index(['n']);
    });
  },
};

for (const kind of KINDS) {
  describe(`${kind} in trouble`, () => {
    let server: DatabaseServer;
    let url: string;
    let storage: Storage;
    let writer: BatchWriter<number, number>;
    const logged: string[] = [];
    before(async function () {
      needs(this, NEEDED[kind]);
      this.timeout(60_000);
      server = await DatabaseServer.start(kind);
    });
    after(function () {
      this.timeout(60_000);
      return server?.stop();
    });
    beforeEach(async () => {
      url = await server.database();
      logged.length = 0;
      const logger = {
        error: (_: object, text: string) => void logged.push(text),
        info: (text: string) => void logged.push(text),
      };
      storage = await openStorage({ dataDir: tempFolder(), url, logger });
      await storage.migrate('test', [rows]);
      writer = storage.batch<number>({
        name: 'numbers',
        into: 'numbers',
        columns: ['n'],
        counted: true,
        values: n => [n],
      });
    });
    afterEach(() => storage?.close());

    const numbers = async () => (await storage.read(q => q('numbers').orderBy('id').pluck('n'))) as number[];

    it('stopped under load and back: nobody is told a lie or kept waiting, and it goes on by itself', async function () {
      this.timeout(AWAY + 30_000);
      const kept: number[] = [];
      const refused = new Set<string>();
      let slowest = 0;
      let going = true;
      let next = 0;
      const client = async (): Promise<void> => {
        while (going) {
          const n = next++;
          const began = performance.now();
          await writer.write(n).then(
            () => kept.push(n),
            (error: unknown) => refused.add((error as StorageError).kind),
          );
          slowest = Math.max(slowest, performance.now() - began);
          await delay(1);
        }
      };
      const load = Promise.all(Array.from({ length: 50 }, client));
      await delay(300);
      await server.halt();
      await until(() => !storage.health().ok, 'the storage to notice', 10_000);
      assert.ok(writer.pending <= 50);
      await assert.rejects(
        storage.transact(tx => tx('numbers').insert({ n: -1 })),
        { kind: 'io' },
      );
      await assert.rejects(numbers(), { kind: 'io' });
      await delay(AWAY);
      assert.ok(!storage.health().ok);
      await server.run();
      await until(() => storage.health().ok, 'the storage to come back', 45_000);
      const before = kept.length;
      await until(() => kept.length > before + 100, 'writers to go on');
      going = false;
      await load;
      assert.deepEqual([...refused], ['io']);
      assert.ok(slowest < 5000, `somebody waited ${slowest} ms`);
      const there = await numbers();
      assert.equal(new Set(there).size, there.length, 'something stands twice');
      const lost = new Set(kept);
      for (const n of there) lost.delete(n);
      assert.deepEqual([...lost], [], 'what was said to be kept is gone');
      assert.match(logged[0]!, /what cannot be stored is refused/);
      assert.match(logged.at(-1)!, /works again/);
      assert.ok(logged.length <= 6, `${logged.length} lines for one failure`);
    });

    it('begun again in a moment: whoever writes or reads waits for it, and learns of nothing', async function () {
      this.timeout(60_000);
      await writer.write(1);
      await server.halt();
      const begins = server.run();
      const results = await Promise.allSettled([
        writer.write(2),
        storage.transact(tx => tx('numbers').insert({ n: 3 })),
        numbers(),
      ]);
      await begins;
      // a machine that is busy may take longer than what everybody waits
      if (storage.health().ok) {
        for (const result of results) assert.equal(result.status, 'fulfilled', JSON.stringify(result));
        assert.deepEqual(new Set(await numbers()), new Set([1, 2, 3]));
      }
      await until(() => storage.health().ok, 'the storage to come back', 45_000);
    });

    it('another node is kept out, until the first is gone', async function () {
      this.timeout(60_000);
      const second = () => openStorage({ dataDir: tempFolder(), url });
      const ask =
        kind === 'mysql'
          ? 'SELECT count(*) AS n FROM information_schema.processlist WHERE db = DATABASE()'
          : 'SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()';
      const connections = async () => Number(rowsOf<{ n: number }>(await storage.read(q => q.raw(ask)))[0]!.n);
      const before = await connections();
      await assert.rejects(second(), (error: unknown) => {
        assert.ok(error instanceof StorageError);
        assert.match(error.message, /another node uses this database/);
        return true;
      });
      await until(async () => (await connections()) === before, 'the connection that was refused to end');
      await storage.close();
      storage = await second();
    });

    it('a node that the network took away keeps nobody out for long, itself included', async () => {
      const storage = await openStorage({ dataDir: tempFolder(), url: await server.database() });
      try {
        const ask = kind === 'mysql' ? 'SELECT @@wait_timeout' : 'SHOW idle_session_timeout';
        const [row] = rowsOf<object>(await storage.transact(async tx => (await tx.raw(ask)) as unknown));
        assert.equal(Number.parseInt(String(Object.values(row!)[0]), 10), SILENCE);
      } finally {
        await storage.close();
      }
    });

    it('a deadlock with somebody else is gone through again', async function () {
      this.timeout(60_000);
      await storage.transact(tx => tx('numbers').insert(Array.from({ length: 50 }, (_, n) => ({ n, m: 0 }))));
      const other = knex({ client: kind === 'mysql' ? 'mysql2' : 'pg', connection: url, pool: { min: 0, max: 1 } });
      let runs = 0;
      let theirs: Promise<unknown> | undefined;
      try {
        const tx = await other.transaction({ isolationLevel: 'read committed' });
        // who has changed more is not the one that MySQL gives up
        await tx('numbers').where('n', '<', 40).update({ m: 1 });
        await storage.transact(async own => {
          runs++;
          await own('numbers').where({ n: 45 }).update({ m: 2 });
          if (!theirs) {
            // both wait: this for n=1, the other for n=45
            setTimeout(() => {
              theirs = tx('numbers')
                .where({ n: 45 })
                .update({ m: 1 })
                .then(() => tx.commit());
            }, 100);
          }
          await own('numbers').where({ n: 1 }).update({ m: 2 });
        });
        await theirs;
      } finally {
        await other.destroy();
      }
      assert.equal(runs, 2);
      assert.deepEqual(await storage.read(q => q('numbers').whereIn('n', [1, 45]).pluck('m')), [2, 2]);
      assert.ok(storage.health().ok);
    });

    it('a schema step that ended in the middle is finished by the next start', async () => {
      let broken = true;
      const step: Migration = {
        name: '001-half',
        up: async (schema, tx) => {
          await schema.createTable('first', table => {
            table.increments('id');
            table.string('a', 191).notNullable();
            table.index(['a']);
          });
          await schema.alterTable('numbers', table => void table.integer('k'));
          if (broken) throw new Error('killed');
          await schema.createTable('second', table => void table.increments('id'));
          await tx('first').insert({ a: 'b' });
        },
      };
      await assert.rejects(storage.migrate('half', [step]), /step '001-half' of 'half' failed: killed/);
      broken = false;
      await storage.migrate('half', [step]);
      await storage.migrate('half', [step]);
      assert.deepEqual(await storage.read(q => q('first').pluck('a')), ['b']);
      assert.deepEqual(await storage.read(q => q('second').select()), []);
      assert.ok(await storage.read(q => q.schema.hasColumn('numbers', 'k')));
    });

    it('addresses are compared byte by byte and ordered by code point', async () => {
      await storage.migrate('words', [
        {
          name: '1',
          up: schema => schema.createTable('words', table => void table.string('word', 191).primary()),
        },
      ]);
      const words = ['Z', 'a', 'b', 'e\u0301', 'ä', '\u00e9', '💌'];
      await storage.transact(tx => tx('words').insert(words.toReversed().map(word => ({ word }))));
      const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
      assert.deepEqual(await storage.read(q => q('words').orderBy('word').pluck('word')), words.toSorted(bytes));
      assert.equal(await storage.read(async q => (await q('words').where({ word: 'A' })).length), 0);
    });

    it('a node: nobody is told a lie, memory stays where it was, all that was acknowledged is there', async function () {
      this.timeout(AWAY + 90_000);
      // the short form of `npm run away`
      const seed = Math.floor(Date.now() / 86_400_000);
      const outcome = await awayRun({ kind, seconds: AWAY / 1000, seed, users: 8, rate: 150, database: server });
      assert.deepEqual(
        awayFaults(outcome),
        [],
        `npm run away -- --database ${kind} --users 8 --rate 150 --seed ${seed}`,
      );
      assert.ok(outcome.refused > 20, `only ${outcome.refused} of ${outcome.totals.sent} were given back`);
    });
  });
}

describe('a database that takes connections and says nothing', () => {
  let server: DatabaseServer;
  before(async function () {
    needs(this, NEEDED.mysql);
    this.timeout(60_000);
    server = await DatabaseServer.start('mysql');
  });
  after(async () => {
    await server?.freeze(false);
    await server?.stop();
  });

  it('is given up after a while, and taken up again when it speaks', async function () {
    this.timeout(60_000);
    const place = placeOf(await server.database());
    assert.ok(typeof place !== 'string');
    const storage = await RemoteStorage.open({ dialect: mysql, place, connections: 2, patience: 500, release() {} });
    try {
      await storage.migrate('test', [rows]);
      await server.freeze(true);
      await assert.rejects(
        storage.transact(tx => tx('numbers').insert({ n: 1 })),
        { kind: 'io' },
      );
      assert.ok(!storage.health().ok);
      await server.freeze(false);
      await until(() => storage.health().ok, 'the storage to come back', 20_000);
      await storage.transact(tx => tx('numbers').insert({ n: 2 }));
    } finally {
      await storage.close();
    }
  });
});
