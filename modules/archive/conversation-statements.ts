import type { Storage } from '../../src/api/index.ts';
import { lineOf } from './reading.ts';
import { ADDRESSES, CORRECTS, ENTRIES, INCOMING_TEXT, MESSAGES, RECEIVED, SENT, TEXT } from './schema.ts';
import type { Entry } from './tail.ts';

/** Conversations that are looked at in one go. */
export const SLICE = 250;
/** Conversations of one statement that counts. */
export const COUNTERS = 50;
/** Entries of each that are counted then; and of one that has more, or is looked through, in one go. */
export const SOME = 500;
export const MANY = 10_000;
/** Corrections of one text that are looked at. */
export const CORRECTIONS = 20;
/** Messages of one statement. */
export const TOGETHER = 50;

/** A correction's key is negative. */
const TEXTS = [SENT | TEXT, RECEIVED | TEXT, SENT | CORRECTS, RECEIVED | CORRECTS].join(', ');

/** What is asked about conversations (conversations.ts). */
export function statements(storage: Storage) {
  const last = (peer: string): string => `(select max(id) from ${ENTRIES} where owner = ? and peer = ${peer}) as last`;
  // `e.id`: PostgreSQL calls the result of the case `id` as well
  const text = (peer: string): string =>
    `(select case when flags >= ${CORRECTS} then -id else id end from ${ENTRIES} e
      where owner = ? and peer = ${peer} and flags in (${TEXTS}) order by e.id desc limit 1) as text`;
  const next = (after: string): string =>
    `(select peer from ${ENTRIES} where owner = ? and peer > ${after} order by peer limit 1)`;
  const count = (most: number): string =>
    `select max(peer) as peer, count(*) as entries, min(id) as first, max(id) as newest from
      (select peer, id from ${ENTRIES} where owner = ? and peer = ? and id > ? and id <= ? and flags = ${INCOMING_TEXT}
        order by id limit ${most}) as part`;
  // the correspondents of an owner behind one, by their numbers: one step of an index each, however much they wrote
  const walk =
    storage.dialect === 'mysql'
      ? // MySQL 5.7 knows no recursion, and groups by steps of the index
        `select peer, ${text('c.peer')}, last from
          (select peer, max(id) as last from ${ENTRIES} where owner = ? and peer > ? group by peer order by peer limit ${SLICE}) as c
          order by peer`
      : `with recursive c(peer, step) as (
          select ${next('?')}, 1 union all select ${next('c.peer')}, step + 1 from c where peer is not null and step < ${SLICE})
        select peer, ${text('c.peer')}, ${last('c.peer')} from c where peer is not null`;
  const repeated = (part: string, times: number, between: string): string =>
    Array.from({ length: times }, () => part).join(between);
  const among = `in (${repeated('?', TOGETHER, ', ')})`;
  return {
    walk: storage.prepare<Row>(walk),
    one: storage.prepare<Omit<Row, 'peer'>>(`select ${text('?')}, ${last('?')}`),
    count: storage.prepare<CountRow>(repeated(count(SOME), COUNTERS, ' union all ')),
    countOne: storage.prepare<CountRow>(count(MANY)),
    jids: storage.prepare<{ id: number; jid: string }>(`select id, jid from ${ADDRESSES} where id ${among}`),
    messages: storage.prepare<{ line: string }>(`select ${lineOf('m', 'm')} from ${MESSAGES} m where id ${among}`),
    tails: storage.prepare<{ id: number; tail: string }>(`select id, tail from ${MESSAGES} where id ${among}`),
    corrections: storage.prepare<{ id: number; flags: number }>(
      `select id, flags from ${ENTRIES} where owner = ? and peer = ? and id > ? and flags in (${SENT | CORRECTS}, ${RECEIVED | CORRECTS})
        order by id limit ${CORRECTIONS}`,
    ),
    marks: storage.prepare<Entry>(
      `select id, peer, flags, mark from ${ENTRIES} where owner = ? and peer = ? and id > ? and id < ? order by id desc limit ${MANY}`,
    ),
  };
}

export interface Row {
  peer: number;
  last: number | null;
  text: number | null;
}

export interface CountRow {
  peer: number | null;
  entries: number;
  first: number | null;
  newest: number | null;
}
