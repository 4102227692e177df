import { andThen, type MaybePromise, type Statement, type Storage } from '../../src/api/index.ts';
import { ADDRESSES, CORRECTS, ENTRIES, INCOMING_TEXT, RECEIVED, SENT, TEXT } from './schema.ts';
import type { Entry } from './tail.ts';

/** Conversations that are looked at in one go. */
export const SLICE = 250;
/** Unread texts of one that are counted with it; of one that has more, those are counted in portions. */
export const SOME = 500;
/** Entries of one that are counted, or looked through, in one go. */
export const MANY = 10_000;
/** Corrections of one text that are looked at. */
export const CORRECTIONS = 20;
/** Conversations that one statement of MySQL counts. */
const TOGETHER = 50;

/** A correction's key is negative. */
const TEXTS = [SENT | TEXT, RECEIVED | TEXT, SENT | CORRECTS, RECEIVED | CORRECTS].join(', ');
const PLAIN = `${SENT | TEXT}, ${RECEIVED | TEXT}`;

/** What is asked about conversations (conversations.ts), whatever was displayed of them. */
export function statements(storage: Storage) {
  return {
    count: storage.prepare<CountRow>(
      `select count(*) as entries, max(id) as newest from
        (select id from ${ENTRIES} where owner = ? and peer = ? and id > ? and id <= ? and flags = ${INCOMING_TEXT}
          order by id limit ${MANY}) as part`,
    ),
    corrections: storage.prepare<{ id: number; flags: number }>(
      `select id, flags from ${ENTRIES} where owner = ? and peer = ? and id > ? and flags in (${SENT | CORRECTS}, ${RECEIVED | CORRECTS})
        order by id limit ${CORRECTIONS}`,
    ),
    marks: storage.prepare<Entry>(
      `select id, peer, flags, mark from ${ENTRIES} where owner = ? and peer = ? and id > ? and id < ? order by id desc limit ${MANY}`,
    ),
  };
}

/** Looks conversations up, with what is unread behind a table's marks. */
export interface Walk {
  /** Where it begins. */
  readonly from: number;
  /** Those of an owner behind a correspondent, a slice of them, in the order of the walk. */
  slice(parts: { owner: number; lowest: number; from: number }): MaybePromise<readonly Row[]>;
  one(parts: { owner: number; lowest: number; peer: number }): MaybePromise<Row | undefined>;
}

/** Above the number of any address. */
const BEYOND = 2 ** 31 - 1;

/**
 * Some steps of one index for each conversation, however much was written in it; `marks`: the table of what was displayed (owner, peer,
 * id); `forgets`: some of the archive is not there any more, and the first of what is unread may be the next that goes.
 */
export function walk(storage: Storage, marks: string, forgets: boolean): Walk {
  const { dialect } = storage;
  if (dialect === 'mysql') return walkOfMysql(storage, marks);
  const sqlite = dialect === 'sqlite';
  // one step backwards says which conversation is next and what it ends with: mostly a text, else there is a dash
  const head = (which: string): string =>
    `(select e.peer || case when e.flags in (${PLAIN}) then ' ' else '-' end || e.id from ${ENTRIES} e
      where e.owner = :owner and e.peer ${which} order by e.peer desc, e.id desc limit 1)`;
  const peer = (of: string): string => `cast(${sqlite ? of : `substring(${of} from '^[0-9]+')`} as integer)`;
  const unread = `${entriesOf('l.peer')} and e.id > ${sqlite ? 'max' : 'greatest'}(:lowest, coalesce(d.id, 0)) and e.flags = ${INCOMING_TEXT}`;
  // a driver makes a value of each column, which costs as much as finding it: so it is one
  const line = [
    'l.head',
    `(select count(*) from (select 1 ${unread} limit ${SOME}) as part)`,
    ...(forgets ? [`coalesce((select e.id ${unread} order by e.id limit 1), 0)`] : []),
    `case when l.head like '%-%' then coalesce(${textOf('l.peer')}, 0) || ' ' else '' end || coalesce(a.jid, '')`,
  ].join(` || ' ' || `);
  // the limit keeps it from being put into the statement around it, which names what it finds more than once
  const found = (from: string, limit: number): string =>
    `select ${line} as line from (select c.head, ${peer('c.head')} as peer from ${from} where c.head is not null limit ${limit}) as l
      left join ${ADDRESSES} a on a.id = l.peer left join ${marks} d on d.owner = :owner and d.peer = l.peer`;
  const slice = `with recursive c(head, step) as (
      select ${head('< :from')}, 1 union all
      select ${head(`< ${peer('c.head')}`)}, step + 1 from c where head is not null and step < ${SLICE})
    ${found('c', SLICE)}${sqlite ? '' : ' order by l.peer desc'}`;
  const lines = (sql: string): Named<string> => named(sql, text => storage.column(text));
  const row = (line: string): Row => rowOf(line, forgets);
  const ask = { slice: lines(slice), one: lines(found(`(select ${head('= :peer')} as head) as c`, 1)) };
  return {
    from: BEYOND,
    slice: parts => andThen(ask.slice.all(parts), all => all.map(row)),
    one: parts => andThen(ask.one.get(parts), line => (line === undefined ? undefined : row(line))),
  };
}

const SPACE = 0x20;
const DASH = 0x2d;

/** A line of the walk: numbers, each behind a space, a dash, or both, and an address. */
function rowOf(line: string, forgets: boolean): Row {
  let at = 0;
  const number = (): number => {
    let c = line.charCodeAt(at);
    if (c === SPACE) c = line.charCodeAt(++at);
    const below = c === DASH;
    if (below) c = line.charCodeAt(++at);
    let value = 0;
    for (; c > DASH; c = line.charCodeAt(++at)) value = value * 10 + (c & 0xf);
    return below ? -value : value;
  };
  const peer = number();
  const last = number();
  const unread = number();
  const first = forgets ? number() : 0;
  const text = last < 0 ? number() : 0;
  return { peer, last, text, unread, first, jid: line.slice(at + 1) };
}

/** MySQL 5.7 knows no recursion, and groups by steps of the index; what it counts it finds by steps only where it is told from where on. */
function walkOfMysql(storage: Storage, marks: string): Walk {
  const figures = (peer: string): string =>
    [
      `(select max(e.id) ${entriesOf(peer)}) as last`,
      `${textOf(peer)} as text`,
      `${displayedOf(marks, peer)} as displayed`,
      `(select a.jid from ${ADDRESSES} a where a.id = ${peer}) as jid`,
    ].join(', ');
  const rows = (sql: string): Named<MarkedRow> => named(sql, text => storage.prepare(text));
  const slice = rows(
    `select c.peer, ${figures('c.peer')} from
      (select peer from ${ENTRIES} where owner = :owner and peer > :from group by peer order by peer limit ${SLICE}) as c
      order by c.peer`,
  );
  const one = rows(`select ${figures(':peer')}`);
  const part = `select max(peer) as peer, count(*) as entries, min(id) as first from
    (select peer, id from ${ENTRIES} where owner = ? and peer = ? and id > ? and id <= ? and flags = ${INCOMING_TEXT}
      order by id limit ${SOME}) as part`;
  const count = storage.prepare<{ peer: number | null; entries: number; first: number }>(
    Array.from({ length: TOGETHER }, () => part).join(' union all '),
  );
  const counted = async (owner: number, lowest: number, rows: readonly MarkedRow[]): Promise<Row[]> => {
    const wanted = rows.flatMap(({ peer, last, text, displayed }) => {
      const after = Math.max(Number(displayed), lowest);
      // behind the last text is none
      return Math.abs(Number(text)) > after ? [[owner, Number(peer), after, Number(last)]] : [];
    });
    const unread = new Map<number, { entries: number; first: number }>();
    for (let i = 0; i < wanted.length; i += TOGETHER) {
      const some = wanted.slice(i, i + TOGETHER);
      while (some.length < TOGETHER) some.push([0, 0, 0, 0]);
      for (const row of await count.all(...some.flat())) if (row.peer !== null) unread.set(Number(row.peer), row);
    }
    return rows.map(({ peer, last, text, jid }) => {
      const { entries = 0, first = 0 } = unread.get(Number(peer)) ?? {};
      const newest = Number(last);
      return {
        peer: Number(peer),
        last: newest === Number(text) ? newest : -newest,
        text: Number(text),
        unread: Number(entries),
        first: Number(first),
        jid: jid ?? '',
      };
    });
  };
  return {
    from: 0,
    slice: async parts => counted(parts.owner, parts.lowest, await slice.all(parts)),
    one: async parts => {
      const row = await one.get(parts);
      return row && (await counted(parts.owner, parts.lowest, [{ ...row, peer: parts.peer }]))[0];
    },
  };
}

const entriesOf = (peer: string): string => `from ${ENTRIES} e where e.owner = :owner and e.peer = ${peer}`;

const textOf = (peer: string): string =>
  `(select case when e.flags >= ${CORRECTS} then -e.id else e.id end ${entriesOf(peer)} and e.flags in (${TEXTS})
    order by e.id desc limit 1)`;

const displayedOf = (marks: string, peer: string): string =>
  `(select d.id from ${marks} d where d.owner = :owner and d.peer = ${peer})`;

/** A statement whose parameters have names. */
function named<T>(sql: string, prepare: (sql: string) => Statement<T>): Named<T> {
  const names: string[] = [];
  const statement = prepare(
    sql.replace(/:([a-z]+)/g, (_, name: string) => {
      names.push(name);
      return '?';
    }),
  );
  const values = (parts: Readonly<Record<string, number>>): unknown[] => names.map(name => parts[name]);
  return {
    all: parts => statement.all(...values(parts)),
    get: parts => statement.get(...values(parts)),
  };
}

interface Named<T> {
  all(parts: Readonly<Record<string, number>>): MaybePromise<readonly T[]>;
  get(parts: Readonly<Record<string, number>>): MaybePromise<T | undefined>;
}

/** What a table says of a conversation. */
export interface Row {
  readonly peer: number;
  /** Key of its last message; 0 for none, below 0 where that is no text that stands by itself. */
  readonly last: number;
  /** Of the last text then, below 0 where that is a correction; 0 for none. */
  readonly text: number;
  readonly unread: number;
  /** Key of the first of what is unread, where something of the archive is gone; else 0. */
  readonly first: number;
  /** The correspondent's address as the table has it; empty where it has none. */
  readonly jid: string;
}

interface MarkedRow {
  /** Not of one that is asked for by it. */
  peer?: number;
  last: number | null;
  text: number | null;
  jid: string | null;
  displayed: number | null;
}

export interface CountRow {
  entries: number;
  newest: number | null;
}
