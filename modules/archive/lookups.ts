import type { Statement, Storage } from '../../src/api/index.ts';
import { toWire } from '../../src/xml/index.ts';
import { idOf, TAIL_LENGTH } from './key.ts';
import { ADDRESSES, MESSAGES } from './schema.ts';

/** A message out of an archive. */
export interface Kept {
  readonly key: number;
  readonly id: string;
  /** SENT or RECEIVED, TEXT, RETRACTED. */
  readonly flags: number;
  /** A wire string. */
  readonly stanza: string;
}

/**
 * A message as the statements give it: what of its stanza id is not in its key, the key, a space, the flags, and the stanza. Drivers
 * make a value of each column, which costs as much as reading it: so it is one.
 */
export function lineOf({ dialect }: Storage, message: string, entry: string): string {
  const parts = [`${message}.tail`, `${message}.id`, "' '", `${entry}.flags`, `${message}.stanza`];
  // the same, and an operator is faster than a function where both are there
  return `${dialect === 'mysql' ? `concat(${parts.join(', ')})` : parts.join(' || ')} as line`;
}

const ZERO = 0x30;
const LESS = 0x3c;

export function keptOf(line: string): Kept {
  let key = 0;
  let at = TAIL_LENGTH;
  for (let c = line.charCodeAt(at); c >= ZERO; c = line.charCodeAt(++at)) key = key * 10 + (c - ZERO);
  let flags = 0;
  for (let c = line.charCodeAt(++at); c < LESS; c = line.charCodeAt(++at)) flags = flags * 10 + (c - ZERO);
  return { key, id: idOf(key, line.slice(0, TAIL_LENGTH)), flags, stanza: toWire(line.slice(at)) };
}

/** An address as the table has it: of a long one only its digest is there. */
export const jidOf = (known: string): string | undefined =>
  known === '' || known.startsWith('sha256:') ? undefined : known;

/** Numbers that one statement has places for. */
const TOGETHER = 50;

/** Messages by their keys, addresses by their numbers, as the tables have them, whatever archives they are in. */
export class Lookups {
  private readonly lines: Statement<string>;
  private readonly tails: Statement<{ id: number; tail: string }>;
  private readonly jids: Statement<{ id: number; jid: string }>;

  constructor(storage: Storage) {
    const places = (one: string): string => Array.from({ length: TOGETHER }, () => one).join(', ');
    const among = `where id in (${places('?')})`;
    const lines = `select ${lineOf(storage, 'm', 'm')} from`;
    // SQLite sorts a list first, and not what it joins
    const joined = `${lines} (values ${places('(?)')}) as v join ${MESSAGES} m on m.id = v.column1`;
    this.lines = storage.column(storage.dialect === 'sqlite' ? joined : `${lines} ${MESSAGES} m ${among}`);
    this.tails = storage.prepare(`select id, tail from ${MESSAGES} ${among}`);
    this.jids = storage.prepare(`select id, jid from ${ADDRESSES} ${among}`);
  }

  /**
   * Messages by their keys, in the order of the keys, which differ; undefined for those that are not there any more. Their flags are
   * those for both archives.
   */
  async messages(keys: readonly number[]): Promise<(Kept | undefined)[]> {
    const out = new Array<Kept | undefined>(keys.length).fill(undefined);
    for (let from = 0; from < keys.length; from += TOGETHER) {
      const portion = portionOf(keys, from);
      let next = 0;
      for (const line of await this.lines.all(...portion)) {
        const message = keptOf(line);
        // some are missing, or the database has an order of its own
        if (portion[next] !== message.key) next = portion.indexOf(message.key);
        out[from + next++] = message;
      }
    }
    return out;
  }

  /** Ids of messages by their keys. */
  async ids(keys: readonly number[]): Promise<Map<number, string>> {
    const out = new Map<number, string>();
    await each(keys, this.tails, ({ id, tail }) => out.set(Number(id), idOf(Number(id), tail)));
    return out;
  }

  /** Bare JIDs by their numbers; undefined for one that only its messages can tell. */
  async addresses(numbers: readonly number[]): Promise<Map<number, string | undefined>> {
    const out = new Map<number, string | undefined>();
    await each(numbers, this.jids, ({ id, jid }) => out.set(Number(id), jidOf(jid)));
    return out;
  }
}

async function each<T>(numbers: readonly number[], statement: Statement<T>, take: (row: T) => void): Promise<void> {
  for (let from = 0; from < numbers.length; from += TOGETHER)
    for (const row of await statement.all(...portionOf(numbers, from))) take(row);
}

/** As many numbers as a statement has places; nothing has the number 0. */
function portionOf(numbers: readonly number[], from: number): number[] {
  const portion = numbers.slice(from, from + TOGETHER);
  while (portion.length < TOGETHER) portion.push(0);
  return portion;
}
