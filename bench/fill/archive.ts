/**
 * Archives of a size that no run of a bench could write: rows put straight into the database file of a server that is not running,
 * as modules/archive would have written them.
 */
import Database from 'better-sqlite3';
import { idOf } from '../../modules/archive/key.ts';
import { ADDRESSES, ENTRIES, entryFlags, MESSAGES, RECEIVED, SENT, STATE, TEXT } from '../../modules/archive/schema.ts';
import { message } from '../load/chat.ts';

/** Keys between two messages: four seconds. */
const STEP = 4 * 1000 * 1024;
/** Rows of one insert. */
const TOGETHER = 50;
/** Changed when the same description makes other rows. */
const FORMAT = 2;
const BODY = 'good morrow, cousin; is the day so young? ai me! sad hours s';

/** What is in a file that was filled: enough to name each of its messages. */
export interface Filled {
  readonly format: number;
  readonly messages: number;
  /** User names of each conversation; its messages take turns with those of the others, and go to and fro. */
  readonly pairs: readonly (readonly [string, string])[];
  /** Key of the first message. */
  readonly first: number;
}

/** What would be in it; `upTo`: when its last message was written, milliseconds since 1970. */
export function filling(messages: number, pairs: Filled['pairs'], upTo = Date.now() - 3_600_000): Filled {
  return { format: FORMAT, messages, pairs, first: Math.floor(upTo) * 1024 - (messages - 1) * STEP };
}

export function isSame(one: Filled, other: Filled): boolean {
  return JSON.stringify({ ...one, first: 0 }) === JSON.stringify({ ...other, first: 0 });
}

/** The stanza id of a message by its number. */
export function idAt(filled: Filled, i: number): string {
  return idOf(filled.first + i * STEP, tailAt(i));
}

function tailAt(i: number): string {
  return (Math.imul(i, 2_654_435_761) >>> 0).toString(32).padStart(9, '0');
}

/** Who wrote a message to whom: indices into its pair. */
function turnOf({ pairs }: Filled, i: number): 0 | 1 {
  return (Math.floor(i / pairs.length) & 1) as 0 | 1;
}

/** Fills the database; `tell` hears of its progress, from 0 to 1. Not safe against a crash: such a file is thrown away. */
export function fill(file: string, domain: string, filled: Filled, tell: (share: number) => void): void {
  const db = new Database(file);
  try {
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    db.pragma('cache_size = -256000');
    const numbers = addresses(db, domain, filled);
    writeMessages(db, domain, filled, numbers, share => tell(share * 0.4));
    // made at once of all rows, it is there sooner than row by row
    const index = db.prepare(
      "select name, sql from sqlite_master where tbl_name = ? and type = 'index' and sql is not null",
    );
    const indexes = index.all(ENTRIES) as { name: string; sql: string }[];
    for (const { name } of indexes) db.exec(`drop index ${name}`);
    writeEntries(db, filled, numbers, share => tell(0.4 + share * 0.4));
    for (const { sql } of indexes) db.exec(sql);
    const last = filled.first + (filled.messages - 1) * STEP;
    db.prepare(`update ${STATE} set merged = ?, merging = ?, owner = 0, part = 0 where id = 1`).run(last, last);
    tell(1);
    db.pragma('journal_mode = WAL');
  } finally {
    db.close();
  }
}

function addresses(db: Database.Database, domain: string, { pairs }: Filled): Map<string, number> {
  const numbers = new Map<string, number>();
  const insert = db.prepare(`insert into ${ADDRESSES} (jid, gone_before) values (?, 0) returning id`);
  for (const user of new Set(pairs.flat())) numbers.set(user, (insert.get(`${user}@${domain}`) as { id: number }).id);
  return numbers;
}

function writeMessages(
  db: Database.Database,
  domain: string,
  filled: Filled,
  numbers: Map<string, number>,
  tell: (share: number) => void,
): void {
  const { messages, pairs, first } = filled;
  const write = inserter(db, `insert into ${MESSAGES} (id, tail, sender, recipient, flags, mark, stanza)`, 7);
  for (let i = 0; i < messages; i++) {
    const pair = pairs[i % pairs.length]!;
    const turn = turnOf(filled, i);
    const [from, to] = [pair[turn], pair[turn ^ 1]!];
    const text = message(`${to}@${domain}/bench`, `f${i.toString(36).padStart(9, '0')}`, BODY);
    const stanza = `<message from='${from}@${domain}/bench' ${text.slice(9)}`;
    const flags = SENT | RECEIVED | TEXT;
    write.add(first + i * STEP, tailAt(i), numbers.get(from)!, numbers.get(to)!, flags, markAt(i), stanza);
    if (i % 100_000 === 0) tell(i / messages);
  }
  write.end();
}

function writeEntries(
  db: Database.Database,
  filled: Filled,
  numbers: Map<string, number>,
  tell: (share: number) => void,
): void {
  const { messages, pairs, first } = filled;
  const places = new Map<string, number[]>();
  for (const [place, pair] of pairs.entries())
    for (const user of pair) places.set(user, [...(places.get(user) ?? []), place]);
  const write = inserter(db, `insert into ${ENTRIES} (owner, id, peer, flags, mark)`, 5);
  const flags = SENT | RECEIVED | TEXT;
  let written = 0;
  // in the order of the table's key
  for (const [user, owner] of [...numbers].sort((a, b) => a[1] - b[1])) {
    const own = places.get(user)!;
    const side = own.map(place => pairs[place]!.indexOf(user));
    const peers = own.map((place, k) => numbers.get(pairs[place]![side[k]! ^ 1]!)!);
    for (let round = 0; round < messages; round += pairs.length) {
      for (let k = 0; k < own.length; k++) {
        const i = round + own[k]!;
        if (i >= messages) break;
        const sent = turnOf(filled, i) === side[k];
        write.add(owner, first + i * STEP, peers[k]!, entryFlags(sent ? SENT : RECEIVED, flags), markAt(i));
        if (++written % 100_000 === 0) tell(written / (2 * messages));
      }
    }
  }
  write.end();
}

function markAt(i: number): number {
  return Math.imul(i + 1, 0x01000193) | 0 || 1;
}

/** Inserts rows, many in one statement, and many statements in one transaction. */
export function inserter(
  db: Database.Database,
  into: string,
  width: number,
): { add(...row: unknown[]): void; end(): void } {
  const row = `(${Array.from({ length: width }, () => '?').join(', ')})`;
  const statement = (rows: number): Database.Statement =>
    db.prepare(`${into} values ${Array.from({ length: rows }, () => row).join(', ')}`);
  const many = statement(TOGETHER);
  let values: unknown[] = [];
  let statements = 0;
  db.exec('begin');
  return {
    add(...row) {
      for (const value of row) values.push(value);
      if (values.length < TOGETHER * width) return;
      many.run(...values);
      values = [];
      if (++statements % 2000 === 0) db.exec('commit; begin');
    },
    end() {
      if (values.length > 0) statement(values.length / width).run(...values);
      db.exec('commit');
    },
  };
}
