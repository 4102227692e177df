/* A thread of checkpoints.ts: copies what is in the log of a SQLite file into the file, when it is told. */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { FileOptions } from './connections.ts';

const { filename, synchronous } = workerData as FileOptions;
const db = new Database(filename);
db.pragma(`synchronous = ${synchronous}`);
parentPort!.on('message', (word: 'checkpoint' | 'end') => {
  if (word === 'end') {
    db.close();
    parentPort!.close();
    return;
  }
  try {
    // takes what it may have without making anybody wait; a disk that is full is noticed by those who write
    db.pragma('wal_checkpoint(PASSIVE)');
  } catch {
    // what is not copied stays in the log
  }
  parentPort!.postMessage('done');
});
