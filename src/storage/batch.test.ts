import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import { type BatchTransaction, StorageError } from '../api/storage.ts';
import { GroupCommit } from './batch.ts';
import { type BatchLimits, TOGETHER } from './queue.ts';

const ROOMY: BatchLimits = { rows: 1000, slice: 1e6, waitingRows: 1000, waitingBytes: 1e6 };

describe('group commit', () => {
  let db: Database.Database;
  /** Set: the next transactions wait for it. */
  let gate: Promise<void> | undefined;
  let failure: Error | undefined;
  let commits: number;

  beforeEach(() => {
    db = new Database(':memory:');
    db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE)');
    gate = failure = undefined;
    commits = 0;
  });
  afterEach(() => db.close());

  const tx: BatchTransaction = {
    run: (sql, ...parameters) => {
      const { changes, lastInsertRowid } = db.prepare(sql).run(...parameters);
      return { changes, id: Number(lastInsertRowid) };
    },
    get: <T>(sql: string, ...parameters: readonly unknown[]) => db.prepare(sql).get(...parameters) as T | undefined,
  };
  async function commit(work: (tx: BatchTransaction) => void): Promise<void> {
    await gate;
    if (failure) throw failure;
    db.transaction(() => work(tx))();
    commits++;
  }
  const make = (limits: Partial<BatchLimits> = {}) => new GroupCommit(commit, { ...ROOMY, ...limits });
  const inserter = (group: GroupCommit) =>
    group.writer<string, number>({ name: 't', into: 't', columns: ['a'], counted: true, values: a => [a] });
  const kept = () =>
    db
      .prepare('SELECT a FROM t ORDER BY id')
      .all()
      .map(row => (row as { a: string }).a);

  it('what comes within a tick, from all writers, is one transaction, in the order of the calls', async () => {
    const group = make();
    const [one, other] = [inserter(group), inserter(group)];
    const ids = await Promise.all([one.write('a'), other.write('b'), one.write('c')]);
    assert.deepEqual(ids, [1, 2, 3]);
    assert.deepEqual(kept(), ['a', 'b', 'c']);
    assert.equal(commits, 1);
    assert.deepEqual([group.batches, group.rows], [1, 3]);
  });

  it('rows whose ids nobody asks for go many to a statement, in the order of the calls; a bad one costs the others nothing', async () => {
    const statements: string[] = [];
    const told: BatchTransaction = {
      run: (sql, ...parameters) => {
        statements.push(sql);
        return tx.run(sql, ...parameters);
      },
      get: tx.get,
    };
    const group = new GroupCommit(async work => db.transaction(() => work(told))(), ROOMY);
    const writer = group.writer<string, number>({
      name: 't',
      into: 't',
      columns: ['a'],
      counted: false,
      values: a => [a],
    });
    const names = Array.from({ length: TOGETHER * 2 + 3 }, (_, i) => `n${i}`);
    assert.deepEqual(
      await Promise.all(names.map(name => writer.write(name))),
      names.map(() => 0),
    );
    assert.deepEqual(kept(), names);
    assert.equal(statements.length, 2 + 3);
    const again = await Promise.allSettled(
      ['x0', 'n1', ...names.map(name => `x${name}`)].map(name => writer.write(name)),
    );
    assert.deepEqual(
      again.flatMap(({ status }, i) => (status === 'rejected' ? [i] : [])),
      [1],
    );
    assert.equal(kept().length, names.length * 2 + 1);
    assert.equal(writer.pending, 0);
  });

  it('what comes while a transaction waits for its turn goes with it', async () => {
    const turn = Promise.withResolvers<void>();
    gate = turn.promise;
    const writer = inserter(make());
    const first = writer.write('a');
    await new Promise(resolve => setTimeout(resolve, 5));
    const second = writer.write('b');
    assert.equal(writer.pending, 2);
    turn.resolve();
    await Promise.all([first, second]);
    assert.equal(commits, 1);
    assert.equal(writer.pending, 0);
  });

  it('a transaction ends at its rows, or its time, and others have a turn before the next', async () => {
    for (const limits of [{ rows: 2 }, { slice: 0 }]) {
      db.exec('DELETE FROM t');
      commits = 0;
      const writer = inserter(make(limits));
      const turns: number[] = [];
      const watch = (): void => {
        turns.push(commits);
        if (commits < 3) setImmediate(watch);
      };
      setImmediate(watch);
      await Promise.all(['a', 'b', 'c', 'd', 'e'].map(a => writer.write(a)));
      assert.deepEqual(kept(), ['a', 'b', 'c', 'd', 'e']);
      assert.equal(commits, 'rows' in limits ? 3 : 5);
      assert.ok(turns.includes(1) && turns.includes(2), `others saw ${turns.join(',')}`);
    }
  });

  it('a bad row is refused alone; the others are committed, in order, not one by one', async () => {
    const writer = inserter(make());
    const results = await Promise.allSettled(['a', 'b', 'a', 'c', 'b', 'd'].map(a => writer.write(a)));
    assert.deepEqual(kept(), ['a', 'b', 'c', 'd']);
    assert.deepEqual(
      results.map(result => (result.status === 'fulfilled' ? 'kept' : (result.reason as StorageError).kind)),
      ['kept', 'kept', 'constraint', 'kept', 'constraint', 'kept'],
    );
    assert.ok(commits < 4, `${commits} transactions for 4 good rows`);
  });

  it('a bug in one writer costs its own row only, also when it had written something before', async () => {
    const group = make();
    const good = inserter(group);
    const bad = group.writer<string, void>({
      name: 'bad',
      write: (t, a) => {
        void t.run('INSERT INTO t (a) VALUES (?)', a);
        throw new TypeError('a bug');
      },
    });
    const results = await Promise.allSettled([good.write('a'), bad.write('x'), good.write('b')]);
    assert.deepEqual(kept(), ['a', 'b']);
    assert.ok(results[1].status === 'rejected' && results[1].reason instanceof TypeError);
    assert.equal(results[2].status, 'fulfilled');
  });

  it('when the database fails nobody is told that a row is safe, and no row is tried again by itself', async () => {
    failure = Object.assign(new Error('disk'), { code: 'SQLITE_FULL' });
    const writer = inserter(make());
    const results = await Promise.allSettled(['a', 'b', 'c'].map(a => writer.write(a)));
    for (const result of results) {
      assert.ok(result.status === 'rejected' && result.reason instanceof StorageError);
      assert.equal(result.reason.kind, 'full');
    }
    failure = undefined;
    assert.equal(await writer.write('d'), 1);
    assert.deepEqual(kept(), ['d']);
  });

  it('a disk that fills up within a transaction refuses what was in it; what was not yet has its own try', async () => {
    const group = make();
    const writer = inserter(group);
    const full = group.writer<string, void>({
      name: 'full',
      write: () => {
        throw Object.assign(new Error('disk'), { code: 'SQLITE_FULL' });
      },
    });
    const results = await Promise.allSettled([writer.write('a'), full.write('x'), writer.write('b')]);
    assert.deepEqual(kept(), ['b']);
    assert.deepEqual(
      results.map(result => (result.status === 'fulfilled' ? 'kept' : (result.reason as StorageError).kind)),
      ['full', 'full', 'kept'],
    );
  });

  it('more rows, or bytes, than may wait are refused; those before them are written', async () => {
    const turn = Promise.withResolvers<void>();
    gate = turn.promise;
    const rows = inserter(make({ waitingRows: 2 }));
    const bytes = inserter(make({ waitingBytes: 10 }));
    const waiting = [rows.write('a'), rows.write('b'), bytes.write('c'.repeat(20)), bytes.write('d')];
    await assert.rejects(rows.write('e'), { kind: 'locked' });
    turn.resolve();
    const results = await Promise.allSettled(waiting);
    assert.deepEqual(
      results.map(result => result.status),
      // a row that is large alone passes
      ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
    );
    assert.equal(rows.pending + bytes.pending, 0);
    gate = undefined;
    await bytes.write('f');
  });

  it('is settled when nothing waits', async () => {
    const group = make({ rows: 1 });
    const writer = inserter(group);
    const writes = ['a', 'b', 'c'].map(a => writer.write(a));
    await group.settled();
    assert.deepEqual(kept(), ['a', 'b', 'c']);
    await Promise.all(writes);
    await group.settled();
  });
});
