import type { Storage } from '../../src/api/index.ts';
import { indexed } from '../../src/xml/index.ts';
import { CORRECTIONS, MANY, type Row, SLICE, SOME, statements, type Walk, walk } from './conversation-statements.ts';
import { replacedId } from './keepable.ts';
import { jidOf, type Kept, type Lookups } from './lookups.ts';
import type { Reading } from './reading.ts';
import { CORRECTS, INCOMING_TEXT, RECEIVED, RETRACTED, SENT, TEXT } from './schema.ts';
import type { Entry, Span, Tail } from './tail.ts';

/** What an archive says of a conversation: keys of its messages, 0 for none. */
export interface Conversation {
  /** Number of the correspondent's address. */
  readonly peer: number;
  /** Its last message of any kind. */
  readonly last: number;
  /** Its last text that stands, sent or received. */
  readonly text: number;
  /** What shows that text now: itself, or its last correction (XEP-0308). */
  readonly shown: number;
  /** Texts that came in behind what was displayed. */
  readonly unread: number;
  /** The first of them, of an archive from which something is gone (`Counted.lowest`); else 0. */
  readonly firstUnread: number;
  /** The correspondent's bare JID, where the archive tells it with the rest. */
  readonly jid: string | undefined;
}

/** What of an archive counts. */
export interface Counted {
  readonly owner: number;
  /** Keys up to here are not there any more; below 0 when nothing is gone. */
  readonly lowest: number;
  readonly displayed: Displayed;
}

/** Up to where owners have displayed their conversations: keys of messages. */
export interface Displayed {
  /** A table of the same database: owner, peer, id, of which the first two are its key. */
  readonly table: string;
  /** Of some conversations of an owner, by their correspondents; those of which nothing was displayed are left out. */
  of(owner: number, peers: readonly number[]): Promise<ReadonlyMap<number, number>>;
}

/** Entries that are looked through for the text of a correction. */
const BEHIND = 1000;
const NEVER = Number.MAX_SAFE_INTEGER;

/** A conversation that is being put together: first what the table says, then what is in memory. */
interface Draft {
  readonly peer: number;
  /** The last in the table: what is behind it comes from memory. */
  readonly stored: number;
  last: number;
  text: number;
  correction: number;
  unread: number;
  firstUnread: number;
  readonly jid: string | undefined;
}

/**
 * Conversations as they follow from the entries of an archive. Nothing is counted up: whatever came, was retracted or taken away is in
 * the answer. What is in memory is looked up first, as in reading.ts.
 */
export class Conversations {
  private readonly tail: Tail;
  private readonly reading: Reading;
  private readonly lookups: Lookups;
  private readonly ask: ReturnType<typeof statements>;
  private readonly storage: Storage;
  /** By the tables of what was displayed. */
  private readonly walks = new Map<string, Walk>();
  private readonly listeners = new Set<(owner: number, peer: number) => void>();

  constructor(storage: Storage, tail: Tail, reading: Reading, lookups: Lookups) {
    this.tail = tail;
    this.reading = reading;
    this.lookups = lookups;
    this.ask = statements(storage);
    this.storage = storage;
  }

  /** Something of a conversation came, or was retracted. */
  changed(owner: number, peer: number): void {
    for (const listener of this.listeners) listener(owner, peer);
  }

  /** Calls the listener after each change of a conversation; returns how to stop that. */
  onChanged(listener: (owner: number, peer: number) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** All conversations of an archive, in no order. `pause` is waited for now and then. */
  async all(counted: Counted, pause: () => Promise<void>): Promise<Conversation[]> {
    const { owner, lowest } = counted;
    const recent = this.recent({ owner, after: lowest, before: NEVER });
    const out: Conversation[] = [];
    const drafts: Draft[] = [];
    const { slice, from: begin } = this.walk(counted);
    for (let from = begin; ;) {
      const rows = await slice({ owner, lowest, from });
      for (const row of rows) {
        const known = recent.has(row.peer) ? undefined : plain(row, lowest);
        if (known) out.push(known);
        else drafts.push(draftOf(row.peer, row));
      }
      if (rows.length < SLICE) break;
      from = rows.at(-1)!.peer;
      await pause();
    }
    const drafted = new Set(drafts.map(({ peer }) => peer));
    for (const peer of recent.keys()) if (!drafted.has(peer)) drafts.push(draftOf(peer));
    return [...out, ...(await this.complete(counted, drafts, recent, pause))];
  }

  /** One conversation; undefined when there is nothing of it. */
  async of(counted: Counted, peer: number, pause: () => Promise<void>): Promise<Conversation | undefined> {
    const { owner, lowest } = counted;
    const recent = this.recent({ owner, peer, after: lowest, before: NEVER });
    const row = await this.walk(counted).one({ owner, lowest, peer });
    const known = row && recent.size === 0 ? plain(row, lowest) : undefined;
    return known ?? (await this.complete(counted, [draftOf(peer, row)], recent, pause))[0];
  }

  private walk({ lowest, displayed: { table } }: Counted): Walk {
    const forgets = lowest >= 0;
    const name = `${table} ${forgets}`;
    const known = this.walks.get(name) ?? walk(this.storage, table, forgets);
    this.walks.set(name, known);
    return known;
  }

  /** What of a span is in memory, by correspondents. */
  private recent(span: Span): Map<number, Entry[]> {
    const out = new Map<number, Entry[]>();
    for (const entry of this.tail.of(span.owner).forwards(span, Infinity)) {
      const list = out.get(entry.peer);
      if (list) list.push(entry);
      else out.set(entry.peer, [entry]);
    }
    return out;
  }

  private async complete(
    counted: Counted,
    drafts: readonly Draft[],
    recent: ReadonlyMap<number, readonly Entry[]>,
    pause: () => Promise<void>,
  ): Promise<Conversation[]> {
    const { owner, lowest } = counted;
    const asked = drafts.filter(({ peer, unread }) => unread === SOME || recent.has(peer)).map(({ peer }) => peer);
    const displayed = asked.length === 0 ? undefined : await counted.displayed.of(owner, asked);
    const out: Conversation[] = [];
    for (const draft of drafts) {
      const { peer } = draft;
      const read = Math.max(displayed?.get(peer) ?? 0, lowest);
      if (draft.unread === SOME) draft.unread = await this.count(owner, draft, read, pause);
      for (const entry of recent.get(peer) ?? []) if (entry.id > draft.stored) follow(draft, entry, read);
      if (draft.last === 0 || draft.last <= lowest) continue;
      const { last, unread, jid } = draft;
      const { text, shown } = await this.standing(counted, draft);
      out.push({ peer, last, text, shown, unread, firstUnread: lowest < 0 ? 0 : draft.firstUnread, jid });
    }
    return out;
  }

  /** Counts what the table has of a conversation behind what was displayed. */
  private async count(
    owner: number,
    { peer, stored }: Draft,
    displayed: number,
    pause: () => Promise<void>,
  ): Promise<number> {
    let total = 0;
    for (let after = displayed; ;) {
      const row = await this.ask.count.get(owner, peer, after, stored);
      const entries = Number(row?.entries ?? 0);
      total += entries;
      if (entries < MANY) return total;
      after = Number(row!.newest);
      await pause();
    }
  }

  /** The last text that stands, and what shows it. */
  private async standing({ owner, lowest }: Counted, draft: Draft): Promise<{ text: number; shown: number }> {
    const { peer, text, correction } = draft;
    if (text > correction) return text > lowest ? { text, shown: text } : { text: 0, shown: 0 };
    if (correction <= lowest) return { text: 0, shown: 0 };
    // rare: which text the corrections are of
    const span = { owner, peer, after: lowest, before: correction + 1 };
    const corrections: Entry[] = [];
    let original: Entry | undefined;
    for (let read = 0; !original && read < BEHIND;) {
      const page = await this.reading.entries(span, 100, true);
      read += page.length;
      for (const entry of page) {
        if ((entry.flags & RETRACTED) !== 0) continue;
        if ((entry.flags & CORRECTS) !== 0) corrections.push(entry);
        else if ((entry.flags & TEXT) !== 0) {
          original = entry;
          break;
        }
      }
      if (page.length < 100) break;
      span.before = page.at(-1)!.id;
    }
    // it is there no more: what is in its place is all that there is
    if (!original) return { text: correction, shown: correction };
    const own = corrections.filter(({ flags }) => (flags & SENT) === (original.flags & SENT));
    return { text: original.id, shown: await this.shownFor(original, own) };
  }

  /** Which of corrections of the author of a text, the newest first, shows it now; else the text does. Keys. */
  async shownFor(original: Pick<Entry, 'id'>, corrections: readonly Pick<Entry, 'id'>[]): Promise<number> {
    if (corrections.length === 0) return original.id;
    const keys = corrections.slice(0, CORRECTIONS).map(({ id }) => id);
    const [text, ...found] = await this.lookups.messages([original.id, ...keys]);
    const id = text && indexed(text.stanza).id;
    if (id === undefined) return original.id;
    return found.find(message => message && replacedId(indexed(message.stanza)) === id)?.key ?? original.id;
  }

  /** Corrections that stand in a conversation behind a message, the first ones; their flags are those of that archive. */
  async corrections(owner: number, peer: number, after: number): Promise<Kept[]> {
    const recent = this.tail.of(owner).forwards({ owner, peer, after, before: NEVER }, Infinity);
    const entries = new Map(
      (await this.ask.corrections.all(owner, peer, after)).map(row => [Number(row.id), row.flags]),
    );
    for (const { id, flags } of recent)
      if ((flags & CORRECTS) !== 0 && entries.size < CORRECTIONS) entries.set(id, flags);
    const messages = await this.lookups.messages([...entries.keys()]);
    return messages.flatMap(message => (message ? [{ ...message, flags: Number(entries.get(message.key)) }] : []));
  }

  /**
   * The key of the newest message that came in with a client's own id, behind another key and before a third one; undefined when there
   * is none. `mark`: of the id (key.ts).
   */
  async incoming(
    owner: number,
    peer: number,
    after: number,
    id: string,
    mark: number,
    pause: () => Promise<void>,
    before = NEVER,
  ): Promise<number | undefined> {
    const recent = this.tail.of(owner).backwards({ owner, peer, after, before }, Infinity);
    const found = await this.newest(recent, id, mark);
    if (found !== undefined) return found;
    for (;;) {
      const rows = await this.ask.marks.all(owner, peer, after, before);
      const key = await this.newest(rows, id, mark);
      if (key !== undefined) return key;
      if (rows.length < MANY) return undefined;
      before = Number(rows.at(-1)!.id);
      await pause();
    }
  }

  /** Of entries, the newest first, the first that came in and has the id. */
  private async newest(entries: readonly Entry[], id: string, mark: number): Promise<number | undefined> {
    for (const entry of entries) {
      if (Number(entry.mark) !== mark || (Number(entry.flags) & RECEIVED) === 0) continue;
      const key = Number(entry.id);
      const [message] = await this.lookups.messages([key]);
      if (message && indexed(message.stanza).id === id) return key;
    }
    return undefined;
  }
}

/** A conversation of which nothing is in memory, and whose last text is no correction: hardly any is another one. */
function plain({ peer, last, text: standing, unread, jid, first }: Row, lowest: number): Conversation | undefined {
  const text = last > 0 ? last : standing;
  if (text <= lowest || text <= 0 || unread === SOME) return undefined;
  return {
    peer,
    last: Math.abs(last),
    text,
    shown: text,
    unread,
    firstUnread: lowest < 0 ? 0 : first,
    jid: jidOf(jid),
  };
}

/** What the table says of a conversation. */
function draftOf(peer: number, row?: Row): Draft {
  const { last, text: standing, unread, jid, first } = row ?? NOTHING;
  const text = last > 0 ? last : standing;
  const stored = Math.abs(last);
  return {
    peer,
    stored,
    last: stored,
    text: Math.max(text, 0),
    correction: Math.max(-text, 0),
    unread,
    firstUnread: first,
    jid: jidOf(jid),
  };
}

const NOTHING = { last: 0, text: 0, unread: 0, first: 0, jid: '' };

/** With an entry that is newer. */
function follow(draft: Draft, { id, flags }: Entry, displayed: number): void {
  draft.last = id;
  if ((flags & RETRACTED) !== 0) return;
  if ((flags & TEXT) !== 0) draft.text = id;
  if ((flags & CORRECTS) !== 0) draft.correction = id;
  if (flags === INCOMING_TEXT && id > displayed && draft.unread++ === 0) draft.firstUnread = id;
}
