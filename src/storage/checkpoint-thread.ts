/* A thread of checkpoints.ts: copies what is in the log of a SQLite file into the file, when it is told. */
import { fdatasyncSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { Copied, Word } from './checkpoints.ts';
import type { FileOptions } from './connections.ts';

/** Copying is for the time that is left: on one core, clients would wait for it else. */
const NICE = 10;

// of Linux alone it is known that this is of the thread, and not of the program
if (process.platform === 'linux') setPriority(NICE);
const { filename, synchronous, descriptor } = workerData as FileOptions & { descriptor: number };
const db = new Database(filename);
db.pragma(`synchronous = ${synchronous}`);
parentPort!.on('message', (word: Word) => {
  if (word === 'end') {
    db.close();
    parentPort!.close();
    return;
  }
  let copied: Copied = { log: 0, copied: 0 };
  try {
    // takes what it may have without making anybody wait; a disk that is full is noticed by those who write
    const [row] = db.pragma('wal_checkpoint(PASSIVE)') as { log: number; checkpointed: number }[];
    copied = { log: row!.log, copied: row!.checkpointed };
    if (word === 'copy') fdatasyncSync(descriptor);
  } catch {
    // what is not copied stays in the log; a disk that fails here fails SQLite's own fsync as well
  }
  parentPort!.postMessage(copied);
});
