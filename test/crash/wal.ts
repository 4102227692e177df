import { readFileSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';

/** https://sqlite.org/fileformat2.html#walformat */
const HEADER = 32;
const FRAME_HEADER = 24;

interface Log {
  readonly bytes: Buffer;
  readonly frame: number;
  /** Where the last frame of the last transaction begins, and where it ends; undefined when nothing is in the log. */
  readonly last: { readonly start: number; readonly end: number } | undefined;
}

function read(file: string): Log {
  const bytes = readFileSync(file);
  if (bytes.length < HEADER) return { bytes, frame: 0, last: undefined };
  const frame = FRAME_HEADER + bytes.readUInt32BE(8);
  const salt = bytes.subarray(16, 24);
  let last: Log['last'];
  for (let start = HEADER; start + frame <= bytes.length; start += frame) {
    // what an earlier round of the log left has another salt
    if (!bytes.subarray(start + 8, start + 16).equals(salt)) break;
    if (bytes.readUInt32BE(start + 4) > 0) last = { start, end: start + frame };
  }
  return { bytes, frame, last };
}

/** A transaction that was being written when the power went: half of a frame behind the last that was committed. */
export function tearNext(file: string): boolean {
  const { bytes, frame, last } = read(file);
  if (!last) return false;
  const torn = Buffer.from(bytes.subarray(last.start, last.start + FRAME_HEADER + Math.floor(frame / 2)));
  writeFileSync(file, Buffer.concat([bytes.subarray(0, last.end), torn]));
  return true;
}

/** The last page that was committed came to the disk in part only, as it may without `synchronous=FULL`. */
export function tearLast(file: string): boolean {
  const { bytes, frame, last } = read(file);
  if (!last) return false;
  bytes.fill(0xa5, last.start + FRAME_HEADER + Math.floor(frame / 2), last.end);
  writeFileSync(file, bytes);
  return true;
}

/** In how many rows of whatever tables the id of each message stands. The database's log is taken in: to be used on a copy. */
export function idsIn(file: string, pattern: RegExp): Map<string, number> {
  const ids = new Map<string, number>();
  const db = new Database(file);
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[];
    for (const table of tables) {
      for (const row of db.prepare(`SELECT * FROM "${table}"`).raw().iterate() as Iterable<unknown[]>) {
        const found = new Set<string>();
        for (const value of row) {
          const isBytes = value instanceof Uint8Array;
          const text = typeof value === 'string' ? value : isBytes ? Buffer.from(value).toString() : '';
          for (const [id] of text.matchAll(pattern)) found.add(id);
        }
        for (const id of found) ids.set(id, (ids.get(id) ?? 0) + 1);
      }
    }
  } finally {
    db.close();
  }
  return ids;
}
