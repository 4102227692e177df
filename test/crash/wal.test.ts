import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { tempFolder } from '../kit/temp.ts';
import { idsIn, tearLast, tearNext } from './wal.ts';

describe('a torn page of the log', () => {
  /** A database whose three commits are in its log, as a process leaves it that was killed. */
  function killed(): string {
    const folder = tempFolder();
    const live = path.join(folder, 'live.sqlite');
    const db = new Database(live);
    db.pragma('journal_mode = WAL');
    db.exec('CREATE TABLE a (t TEXT); CREATE TABLE b (t TEXT)');
    for (const n of [1, 2, 3]) {
      db.exec(`BEGIN; INSERT INTO a VALUES ('<m id="u${n}"/>'); INSERT INTO b VALUES ('u${n} u${n}'); COMMIT`);
    }
    const dead = path.join(folder, 'dead.sqlite');
    for (const suffix of ['', '-wal']) copyFileSync(live + suffix, dead + suffix);
    db.close();
    return dead;
  }
  const found = (file: string): [string, number][] => [...idsIn(file, /u\d/g)];

  it('behind the last commit takes nothing', () => {
    const file = killed();
    assert.equal(tearNext(`${file}-wal`), true);
    assert.deepEqual(found(file), [
      ['u1', 2],
      ['u2', 2],
      ['u3', 2],
    ]);
  });

  it('of the last commit takes that, and nothing else', () => {
    const file = killed();
    assert.equal(tearLast(`${file}-wal`), true);
    assert.deepEqual(found(file), [
      ['u1', 2],
      ['u2', 2],
    ]);
  });
});
