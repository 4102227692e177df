import type { Statement, Storage } from '../../src/api/index.ts';
import { keyOf, tailOf } from './key.ts';
import { type Kept, keptOf, lineOf, type Lookups } from './lookups.ts';
import { ADDRESSES, ENTRIES, MESSAGES, RECEIVED, SENT } from './schema.ts';
import type { Entry, Span, Tail } from './tail.ts';

/** A message as it is kept, for all archives that have it. */
export interface Message {
  readonly key: number;
  readonly id: string;
  /** Numbers of addresses, with what is gone of their archives. */
  readonly sender: number;
  readonly recipient: number;
  /** SENT, RECEIVED: it is there still in its sender's archive, in its recipient's. TEXT, RETRACTED. */
  readonly flags: number;
  readonly stanza: string;
}

interface MessageRow {
  line: string;
  sender: number;
  recipient: number;
  sender_gone: number;
  recipient_gone: number;
}

/** Statements for both directions, without a correspondent and with one. */
interface Ways<T> {
  readonly forwards: Statement<T>;
  readonly backwards: Statement<T>;
  readonly forwardsWith: Statement<T>;
  readonly backwardsWith: Statement<T>;
}

/** Entries that are counted in one go. */
const COUNTED = 50_000;

/**
 * Reads archives. The newest entries are in memory (tail.ts), the others in their table; a generation that is being moved may be found
 * in both. What is in memory is looked up first, so that nothing falls between.
 */
export class Reading {
  private readonly tail: Tail;
  private readonly lookups: Lookups;
  private readonly entryRows: Ways<Entry>;
  private readonly keptLines: Ways<string>;
  private readonly message: Statement<string>;
  private readonly whole: Statement<MessageRow>;
  private readonly keptLine: Statement<string>;
  private readonly tailRow: Statement<{ tail: string }>;
  private readonly marked: Statement<Entry>;
  private readonly counted: Statement<{ entries: number; newest: number | null }>;
  private readonly countedWith: Statement<{ entries: number; newest: number | null }>;

  constructor(storage: Storage, tail: Tail, lookups: Lookups) {
    this.tail = tail;
    this.lookups = lookups;
    this.entryRows = ways(sql => storage.prepare(sql), `select e.id as id, peer, flags, mark from ${ENTRIES} e`);
    const joined = `${ENTRIES} e join ${MESSAGES} m on m.id = e.id`;
    const kept = `select ${lineOf(storage, 'm', 'e')} from ${joined}`;
    this.keptLines = ways(sql => storage.column(sql), kept);
    this.keptLine = storage.column(`${kept} where owner = ? and e.id = ?`);
    this.tailRow = storage.prepare(`select m.tail as tail from ${joined} where owner = ? and e.id = ?`);
    this.message = storage.column(`select ${lineOf(storage, 'm', 'm')} from ${MESSAGES} m where id = ?`);
    this.whole = storage.prepare(
      `select ${lineOf(storage, 'm', 'm')}, sender, recipient, s.gone_before as sender_gone, r.gone_before as recipient_gone
         from ${MESSAGES} m join ${ADDRESSES} s on s.id = m.sender join ${ADDRESSES} r on r.id = m.recipient where m.id = ?`,
    );
    this.marked = storage.prepare(
      `select id, peer, flags, mark from ${ENTRIES} where owner = ? and peer = ? and id > ? and mark = ? order by id desc limit ?`,
    );
    const count = (where: string): string =>
      `select count(*) as entries, max(id) as newest from (select id from ${ENTRIES} where owner = ?${where} and id > ? and id < ? order by id limit ${COUNTED}) as part`;
    this.counted = storage.prepare(count(''));
    this.countedWith = storage.prepare(count(' and peer = ?'));
  }

  /** The first messages of a span, in order; or its last ones, the newest first. */
  async page(span: Span, limit: number, backwards: boolean): Promise<Kept[]> {
    const tail = this.tail.of(span.owner);
    const { keptLines } = this;
    if (!backwards) {
      const rows = (await ask(keptLines.forwards, keptLines.forwardsWith, span, limit)).map(keptOf);
      if (rows.length === limit) return rows;
      const after = rows.at(-1)?.key ?? span.after;
      return [...rows, ...(await this.messages(tail.forwards({ ...span, after }, limit - rows.length)))];
    }
    const recent = tail.backwards(span, limit);
    const out = await this.messages(recent);
    if (recent.length === limit) return out;
    const before = recent.at(-1)?.id ?? span.before;
    const rows = await ask(keptLines.backwards, keptLines.backwardsWith, { ...span, before }, limit - recent.length);
    return [...out, ...rows.map(keptOf)];
  }

  /** As `page`, without the messages. */
  async entries(span: Span, limit: number, backwards: boolean): Promise<Entry[]> {
    const tail = this.tail.of(span.owner);
    const { entryRows } = this;
    if (!backwards) {
      const rows = (await ask(entryRows.forwards, entryRows.forwardsWith, span, limit)).map(entryOf);
      if (rows.length === limit) return rows;
      const after = rows.at(-1)?.id ?? span.after;
      return [...rows, ...tail.forwards({ ...span, after }, limit - rows.length)];
    }
    const recent = tail.backwards(span, limit);
    if (recent.length === limit) return recent;
    const before = recent.at(-1)?.id ?? span.before;
    const rows = await ask(entryRows.backwards, entryRows.backwardsWith, { ...span, before }, limit - recent.length);
    return [...recent, ...rows.map(entryOf)];
  }

  /** The messages of entries, in their order; one that was taken away meanwhile is left out. */
  private async messages(entries: readonly Entry[]): Promise<Kept[]> {
    const messages = await this.lookups.messages(entries.map(({ id }) => id));
    // the flags of a message are those of both archives
    return entries.flatMap(({ flags }, i) => (messages[i] ? [{ ...messages[i], flags }] : []));
  }

  /** The message of an id, if any archive has it still. */
  async byId(id: string): Promise<Message | undefined> {
    const key = keyOf(id);
    const message = key === undefined ? undefined : await this.byKey(key);
    return message?.id === id ? message : undefined;
  }

  async byKey(key: number): Promise<Message | undefined> {
    const row = await this.whole.get(key);
    if (!row) return undefined;
    const kept = keptOf(row.line);
    let { flags } = kept;
    if (Number(row.sender_gone) > key) flags &= ~SENT;
    if (Number(row.recipient_gone) > key) flags &= ~RECEIVED;
    if ((flags & (SENT | RECEIVED)) === 0) return undefined;
    const [sender, recipient] = [Number(row.sender), Number(row.recipient)];
    return { ...kept, flags, sender, recipient };
  }

  /** The message of an id, if it is in that archive and newer than a key. */
  async find(owner: number, id: string, after: number): Promise<Kept | undefined> {
    const key = keyOf(id);
    if (key === undefined || key <= after) return undefined;
    const [recent] = this.tail.of(owner).forwards({ owner, after: key - 1, before: key + 1 }, 1);
    const line = recent ? await this.message.get(key) : await this.keptLine.get(owner, key);
    const message = line === undefined ? undefined : keptOf(line);
    if (message?.id !== id) return undefined;
    return recent ? { ...message, flags: recent.flags } : message;
  }

  /** The key of an id, if its message is in that archive and newer than a key. */
  async keyOf(owner: number, id: string, after: number): Promise<number | undefined> {
    const key = keyOf(id);
    if (key === undefined || key <= after) return undefined;
    const row = await this.tailRow.get(owner, key);
    // the newest are not in the table yet
    if (!row) return (await this.find(owner, id, after))?.key;
    return row.tail === tailOf(id) ? key : undefined;
  }

  /** Messages of a conversation whose client's own id may be that one (key.ts), the newest first. */
  async withMark(owner: number, peer: number, after: number, mark: number, limit: number): Promise<Kept[]> {
    const span = { owner, peer, after, before: Number.MAX_SAFE_INTEGER };
    const recent = this.tail.of(owner).backwards(span, Infinity);
    const found = recent.filter(entry => entry.mark === mark).slice(0, limit);
    if (found.length < limit)
      found.push(...(await this.marked.all(owner, peer, after, mark, limit - found.length)).map(entryOf));
    return this.messages(found.filter((entry, i) => found.findIndex(other => other.id === entry.id) === i));
  }

  /** How many messages a span holds. `pause` is waited for after each portion. */
  async count(span: Span, pause: () => Promise<void>): Promise<number> {
    const tail = this.tail.of(span.owner);
    let total = 0;
    let { after } = span;
    for (;;) {
      const { owner, peer, before } = span;
      const row =
        peer === undefined
          ? await this.counted.get(owner, after, before)
          : await this.countedWith.get(owner, peer, after, before);
      const entries = Number(row?.entries ?? 0);
      total += entries;
      if (entries > 0) after = Number(row!.newest);
      if (entries < COUNTED) break;
      await pause();
    }
    return total + tail.forwards({ ...span, after }, Infinity).length;
  }
}

function ways<T>(prepare: (sql: string) => Statement<T>, select: string): Ways<T> {
  const statement = (conversation: string, order: string): Statement<T> =>
    prepare(`${select} where owner = ?${conversation} and e.id > ? and e.id < ? order by e.id ${order} limit ?`);
  return {
    forwards: statement('', 'asc'),
    backwards: statement('', 'desc'),
    forwardsWith: statement(' and peer = ?', 'asc'),
    backwardsWith: statement(' and peer = ?', 'desc'),
  };
}

function ask<T>(
  all: Statement<T>,
  conversation: Statement<T>,
  { owner, peer, after, before }: Span,
  limit: number,
): T[] | Promise<T[]> {
  return peer === undefined
    ? all.all(owner, after, before, limit)
    : conversation.all(owner, peer, after, before, limit);
}

function entryOf(row: Entry): Entry {
  return { id: Number(row.id), peer: Number(row.peer), flags: Number(row.flags), mark: Number(row.mark) };
}
