import assert from 'node:assert/strict';
import { closeSync, openSync, statSync } from 'node:fs';
import path from 'node:path';
import { tempFolder } from '../../test/kit/temp.ts';
import { Checkpoints } from './checkpoints.ts';
import { connect } from './connections.ts';
import { Mutex } from './mutex.ts';

const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('the log of SQLite', () => {
  it('begins anew though somebody writes all the time, who hardly waits, and nothing is lost of it', async () => {
    const file = { filename: path.join(tempFolder(), 'posthouse.sqlite'), synchronous: 'NORMAL' } as const;
    const db = connect(file);
    db.exec('create table lines (id integer primary key, text text not null)');
    const mutex = new Mutex();
    const descriptor = openSync(file.filename, 'r+');
    const checkpoints = new Checkpoints(file, descriptor, undefined, work => mutex.run(work), 300);
    const insert = db.prepare('insert into lines (text) values (?)');
    const pages = (): number => statSync(`${file.filename}-wal`).size / 4096;
    let written = 0;
    // each takes three of them; beginning the thread takes its time
    while (written < 5000 || (written < 200_000 && pages() > 2 * written)) {
      await mutex.run(() => void insert.run('x'.repeat(3500)));
      checkpoints.committed(1);
      written++;
      await tick();
    }
    assert(pages() <= 2 * written, `${pages()} pages for ${written}`);
    await checkpoints.close();
    assert.equal(db.prepare('select count(*) from lines').pluck().get(), written);
    assert.equal(db.pragma('integrity_check', { simple: true }), 'ok');
    db.close();
    closeSync(descriptor);
  });
});
