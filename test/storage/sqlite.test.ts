import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import type { Storage } from '../../src/api/index.ts';
import { type BatchWriter, DataFolderError, openStorage } from '../../src/storage/index.ts';
import { storageContract } from './storage.contract.ts';

describe('storage on SQLite', () => {
  const folders: string[] = [];
  const folder = () => {
    const made = mkdtempSync(path.join(tmpdir(), 'posthouse-'));
    folders.push(made);
    return made;
  };
  after(() => {
    for (const made of folders) rmSync(made, { recursive: true, force: true });
  });

  storageContract(async () => {
    const dataDir = folder();
    return () => openStorage({ dataDir });
  });

  describe('in trouble', () => {
    let dataDir: string;
    let storage: Storage;
    let writer: BatchWriter<string, number>;
    let logged: string[];

    beforeEach(async () => {
      dataDir = folder();
      logged = [];
      const logger = {
        error: (_: object, text: string) => void logged.push(`error: ${text}`),
        info: (text: string) => void logged.push(`info: ${text}`),
      };
      storage = await openStorage({ dataDir, logger });
      await storage.migrate('t', [
        {
          name: '1',
          up: async (schema, tx) => {
            await schema.createTable('t', table => void table.text('a'));
            await tx.raw('CREATE TABLE parents (id INTEGER PRIMARY KEY)');
            await tx.raw('CREATE TABLE children (p INTEGER REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED)');
          },
        },
      ]);
      writer = storage.batch<string>({ name: 't', into: 't', columns: ['a'], counted: true, values: a => [a] });
    });
    afterEach(() => storage.close());

    const big = 'x'.repeat(100_000);
    const count = async () => Number((await storage.read(q => q('t').count({ n: '*' }).first()))!.n);
    /** What SQLite says of a full disk, by a limit on both connections that write. */
    async function pages(most: number): Promise<void> {
      const limit = storage.batch<number, unknown>({
        name: 'limit',
        write: (tx, n) => tx.get(`PRAGMA max_page_count = ${n}`),
      });
      await limit.write(most);
      await storage.transact(tx => tx.raw(`PRAGMA max_page_count = ${most}`));
    }

    it('a full disk: whoever writes is told, readers go on, and it is well again when there is room', async () => {
      await writer.write('before');
      await pages(20);
      await assert.rejects(writer.write(big), { kind: 'full' });
      assert.deepEqual(storage.health(), { ok: false, reason: 'the disk is full' });
      await assert.rejects(
        storage.transact(tx => tx('t').insert({ a: big })),
        { kind: 'full' },
      );
      assert.equal(await count(), 1);
      assert.equal(logged.length, 1, 'one failure, one line');
      assert.match(logged[0]!, /^error: storage: the disk is full/);

      await pages(100_000); // writes nothing, but works
      await writer.write(big);
      assert.deepEqual(storage.health(), { ok: true });
      assert.match(logged.at(-1)!, /^info: .*works again/);
      assert.equal(await count(), 2);
    });

    it('another program’s lock for a moment is waited for, and nobody else waits with it', async () => {
      const other = new Database(path.join(dataDir, 'posthouse.sqlite'));
      other.exec('BEGIN IMMEDIATE');
      const writes = Promise.all([
        writer.write('a'),
        storage.transact(tx => tx('t').insert({ a: 'b' })),
        writer.write('c'),
      ]);
      for (let ticks = 0; ticks < 20; ticks++) await delay(2); // the event loop runs: or else the lock would never go
      assert.equal(await count(), 0);
      other.exec('COMMIT');
      other.close();
      await writes;
      assert.equal(await count(), 3);
      assert.deepEqual(logged, []);
    });

    it('another program’s lock that stays: all are told, fast after the first, and it mends itself', async () => {
      const other = new Database(path.join(dataDir, 'posthouse.sqlite'));
      other.exec('BEGIN IMMEDIATE');
      let begun = false;
      const results = await Promise.allSettled([
        writer.write('a'),
        storage.transact(async tx => {
          begun = true;
          await tx('t').insert({ a: 'b' });
        }),
        ...Array.from({ length: 200 }, () => writer.write('c')),
      ]);
      for (const result of results) {
        assert.ok(result.status === 'rejected');
        assert.equal((result.reason as { kind: string }).kind, 'locked');
      }
      assert.equal(begun, false, 'work was done without a transaction');
      assert.equal(storage.health().ok, false);
      other.exec('COMMIT');
      other.close();
      while (!storage.health().ok) await delay(20); // its own attempt; nobody writes
      assert.equal(await count(), 0);
      await writer.write('a');
      assert.equal(await count(), 1);
    });

    it('a COMMIT that is refused leaves no transaction open', async () => {
      const orphan = storage.transact(tx => tx('children').insert({ p: 5 }));
      await assert.rejects(orphan, { kind: 'constraint' });
      await storage.transact(tx => tx('t').insert({ a: 'a' }));
      assert.equal(await count(), 1);
    });

    it('an exception whose words look like an outage is none', async () => {
      const bug = new Error('malformed: database is locked');
      await assert.rejects(
        storage.transact(() => Promise.reject(bug)),
        bug,
      );
      assert.deepEqual(storage.health(), { ok: true });
    });

    it('what a busy node writes gets from the log into the file beside its transactions', async function () {
      this.timeout(60_000);
      const filling = storage.batch<string>({ name: 'f', into: 't', columns: ['a'], counted: false, values: a => [a] });
      for (let i = 0; i < 1000; i++)
        await Promise.all(Array.from({ length: 1000 }, (_, k) => filling.write(`row ${i} ${k} ${'x'.repeat(20)}`)));
      const size = (name: string): number => statSync(path.join(dataDir, `posthouse.sqlite${name}`)).size;
      // less than what has whoever commits copy it
      assert.ok(size('-wal') < 64_000 * 4096, `${size('-wal')}`);
      for (let tries = 0; size('') < 1_000_000 && tries < 100; tries++) await delay(50);
      assert.ok(size('') >= 1_000_000, `${size('')}`);
      assert.equal(await count(), 1_000_000);
      assert.deepEqual(logged, []);
    });

    it('a prepared statement takes what it is given, whatever that was before', async () => {
      const same = storage.prepare('select typeof(?) as type, ? as value');
      assert.deepEqual(same.get(1, 2), { type: 'real', value: 2 });
      assert.deepEqual(same.get('a', 'b'), { type: 'text', value: 'b' });
      assert.deepEqual(same.get(1, 'b'), { type: 'real', value: 'b' });
      assert.deepEqual(same.get(null, Buffer.from('c')), { type: 'null', value: Buffer.from('c') });
      assert.deepEqual(same.all(3, 2 ** 53 - 1), [{ type: 'real', value: 2 ** 53 - 1 }]);
      assert.deepEqual(storage.prepare("select '?' as mark, ? as value").get(5), { mark: '?', value: 5 });
    });

    it('what synchronous is set to holds for all who write', async () => {
      await storage.close();
      for (const [synchronous, number] of [
        ['FULL', 2],
        ['NORMAL', 1],
      ] as const) {
        storage = await openStorage({ dataDir, synchronous });
        assert.deepEqual(await storage.transact(tx => tx.raw('PRAGMA synchronous')), [{ synchronous: number }]);
        assert.deepEqual(storage.prepare('PRAGMA synchronous').get(), { synchronous: number });
        assert.deepEqual(await storage.read(q => q.raw('PRAGMA journal_mode')), [{ journal_mode: 'wal' }]);
        await storage.close();
      }
      storage = await openStorage({ dataDir });
    });
  });

  describe('opening', () => {
    it('a second time is refused, until the first is closed', async () => {
      const dataDir = folder();
      const first = await openStorage({ dataDir });
      await assert.rejects(
        openStorage({ dataDir }),
        (error: Error) => error instanceof DataFolderError && error.message.includes(`process ${process.pid}`),
      );
      await first.close();
      await (await openStorage({ dataDir })).close();
    });

    it('a damaged file is said to be, by name, and the folder is free again', async () => {
      const dataDir = folder();
      const file = path.join(dataDir, 'posthouse.sqlite');
      writeFileSync(file, 'this is no database\n'.repeat(1000));
      for (let i = 0; i < 2; i++) {
        await assert.rejects(
          openStorage({ dataDir }),
          (error: Error) => error.message.includes(file) && /damaged.*backup/.test(error.message),
        );
      }
      rmSync(file);
      await (await openStorage({ dataDir })).close();
    });

    it('a file that cannot be opened is named', async () => {
      const dataDir = folder();
      const file = path.join(dataDir, 'posthouse.sqlite');
      mkdirSync(file);
      await assert.rejects(
        openStorage({ dataDir }),
        (error: Error) => error instanceof DataFolderError && error.message.includes(file),
      );
    });
  });
});
