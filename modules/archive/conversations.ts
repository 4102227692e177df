import type { Statement, Storage } from '../../src/api/index.ts';
import { indexed } from '../../src/xml/index.ts';
import {
  CORRECTIONS,
  COUNTERS,
  type CountRow,
  MANY,
  type Row,
  SLICE,
  SOME,
  statements,
  TOGETHER,
} from './conversation-statements.ts';
import { replacedId } from './keepable.ts';
import { idOf } from './key.ts';
import { type Kept, keptOf, type Reading } from './reading.ts';
import { CORRECTS, INCOMING_TEXT, RECEIVED, RETRACTED, SENT, TEXT } from './schema.ts';
import type { Entry, Tail } from './tail.ts';

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
  /** Texts that came in behind what was displayed, and the first of them. */
  readonly unread: number;
  readonly firstUnread: number;
}

/** What of an archive counts. */
export interface Counted {
  readonly owner: number;
  /** Keys up to here are not there any more. */
  readonly lowest: number;
  /** Up to where its owner has displayed a conversation; 0 for none of it. */
  displayed(peer: number): number;
}

/** Entries that are looked through for the text of a correction. */
const BEHIND = 1000;
const NEVER = Number.MAX_SAFE_INTEGER;

/** A conversation that is being put together: first what the table says, then what is in memory. */
interface Draft {
  peer: number;
  /** The last in the table: what is behind it comes from memory. */
  readonly stored: number;
  last: number;
  text: number;
  correction: number;
  unread: number;
  firstUnread: number;
}

/**
 * Conversations as they follow from the entries of an archive. Nothing is counted up: whatever came, was retracted or taken away is in
 * the answer. What is in memory is looked up first, as in reading.ts.
 */
export class Conversations {
  private readonly tail: Tail;
  private readonly reading: Reading;
  private readonly ask: ReturnType<typeof statements>;
  private readonly walkParameters: (owner: number, after: number) => readonly number[];
  private readonly listeners = new Set<(owner: number, peer: number) => void>();

  constructor(storage: Storage, tail: Tail, reading: Reading) {
    this.tail = tail;
    this.reading = reading;
    this.ask = statements(storage);
    this.walkParameters =
      storage.dialect === 'mysql'
        ? (owner, after) => [owner, owner, after]
        : (owner, after) => [owner, after, owner, owner, owner];
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
    const { owner } = counted;
    const view = this.tail.of(owner);
    const drafts = new Map<number, Draft>();
    for (let after = 0; ;) {
      const rows = await this.ask.walk.all(...this.walkParameters(owner, after));
      for (const row of rows) drafts.set(Number(row.peer), draftOf(row));
      if (rows.length < SLICE) break;
      after = Number(rows.at(-1)!.peer);
      await pause();
    }
    return this.complete(
      counted,
      drafts,
      view.forwards({ owner, after: counted.lowest, before: NEVER }, Infinity),
      pause,
    );
  }

  /** One conversation; undefined when there is nothing of it. */
  async of(counted: Counted, peer: number, pause: () => Promise<void>): Promise<Conversation | undefined> {
    const { owner } = counted;
    const view = this.tail.of(owner);
    const row = await this.ask.one.get(owner, peer, owner, peer);
    const drafts = new Map([[peer, draftOf({ peer, last: row?.last ?? null, text: row?.text ?? null })]]);
    const recent = view.forwards({ owner, peer, after: counted.lowest, before: NEVER }, Infinity);
    return (await this.complete(counted, drafts, recent, pause))[0];
  }

  private async complete(
    counted: Counted,
    drafts: Map<number, Draft>,
    recent: readonly Entry[],
    pause: () => Promise<void>,
  ): Promise<Conversation[]> {
    const { lowest } = counted;
    await this.count(counted, [...drafts.values()], pause);
    for (const { id, peer, flags } of recent) {
      let draft = drafts.get(peer);
      if (!draft) drafts.set(peer, (draft = draftOf({ peer, last: 0, text: 0 })));
      if (id <= draft.stored) continue;
      draft.last = id;
      if ((flags & RETRACTED) !== 0) continue;
      if ((flags & TEXT) !== 0) draft.text = id;
      if ((flags & CORRECTS) !== 0) draft.correction = id;
      if (flags === INCOMING_TEXT && id > counted.displayed(peer)) {
        if (draft.unread++ === 0) draft.firstUnread = id;
      }
    }
    const out: Conversation[] = [];
    for (const draft of drafts.values()) {
      if (draft.last === 0 || draft.last <= lowest) continue;
      const { peer, last, unread, firstUnread } = draft;
      const plain = draft.text > draft.correction && draft.text > lowest;
      // hardly ever asked for: not a promise for each
      const { text, shown } = plain ? { text: draft.text, shown: draft.text } : await this.standing(counted, draft);
      out.push({ peer, last, text, shown, unread, firstUnread });
    }
    return out;
  }

  /** Counts what the table has of each, behind what was displayed. */
  private async count(counted: Counted, drafts: readonly Draft[], pause: () => Promise<void>): Promise<void> {
    const { owner, lowest } = counted;
    const wanted: { draft: Draft; after: number }[] = [];
    for (const draft of drafts) {
      const after = Math.max(counted.displayed(draft.peer), lowest);
      // behind the last text is none
      if (Math.max(draft.text, draft.correction) > after) wanted.push({ draft, after });
    }
    const parameters = Array.from({ length: COUNTERS * 4 }, () => 0);
    for (let i = 0; i < wanted.length; i += COUNTERS) {
      const some = wanted.slice(i, i + COUNTERS);
      parameters.fill(0);
      for (const [at, { draft, after }] of some.entries()) {
        parameters[at * 4] = owner;
        parameters[at * 4 + 1] = draft.peer;
        parameters[at * 4 + 2] = after;
        parameters[at * 4 + 3] = draft.stored;
      }
      const rows = new Map<number, CountRow>();
      for (const row of await this.ask.count.all(...parameters)) if (row.peer !== null) rows.set(Number(row.peer), row);
      for (const { draft } of some) {
        let row = rows.get(draft.peer);
        if (!row) continue;
        draft.unread = Number(row.entries);
        draft.firstUnread = Number(row.first);
        for (let most = SOME; row && Number(row.entries) === most; most = MANY) {
          await pause();
          row = await this.ask.countOne.get(owner, draft.peer, Number(row.newest), draft.stored);
          draft.unread += Number(row?.entries ?? 0);
        }
      }
      if (i % (COUNTERS * 4) === 0) await pause();
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
    const own = corrections
      .filter(({ flags }) => (flags & SENT) === (original.flags & SENT))
      .slice(0, CORRECTIONS)
      .map(({ id }) => id);
    const kept = await this.kept([original.id, ...own]);
    const id = kept.has(original.id) ? indexed(kept.get(original.id)!.stanza).id : undefined;
    for (const key of own) {
      const message = kept.get(key);
      if (message && id !== undefined && replacedId(indexed(message.stanza)) === id)
        return { text: original.id, shown: key };
    }
    return { text: original.id, shown: original.id };
  }

  /** Corrections that stand in a conversation behind a message, the first ones; their flags are those of that archive. */
  async corrections(owner: number, peer: number, after: number): Promise<Kept[]> {
    const recent = this.tail.of(owner).forwards({ owner, peer, after, before: NEVER }, Infinity);
    const entries = new Map(
      (await this.ask.corrections.all(owner, peer, after)).map(row => [Number(row.id), row.flags]),
    );
    for (const { id, flags } of recent)
      if ((flags & CORRECTS) !== 0 && entries.size < CORRECTIONS) entries.set(id, flags);
    const kept = await this.kept([...entries.keys()]);
    return [...kept.values()].map(message => ({ ...message, flags: Number(entries.get(message.key)) }));
  }

  /** Messages by their keys; those that are not there any more are left out. Their flags are those for both archives. */
  async kept(keys: readonly number[]): Promise<Map<number, Kept>> {
    const out = new Map<number, Kept>();
    await this.among(keys, this.ask.messages, row => {
      const message = keptOf(row);
      out.set(message.key, message);
    });
    return out;
  }

  /** Ids of messages by their keys. */
  async ids(keys: readonly number[]): Promise<Map<number, string>> {
    const out = new Map<number, string>();
    await this.among(keys, this.ask.tails, row => out.set(Number(row.id), idOf(Number(row.id), row.tail)));
    return out;
  }

  /** Bare JIDs by their numbers; undefined for one that only its messages can tell. */
  async addresses(numbers: readonly number[]): Promise<Map<number, string | undefined>> {
    const out = new Map<number, string | undefined>();
    await this.among(numbers, this.ask.jids, ({ id, jid }) =>
      out.set(Number(id), jid.startsWith('sha256:') ? undefined : jid),
    );
    return out;
  }

  private async among<T>(numbers: readonly number[], statement: Statement<T>, each: (row: T) => void): Promise<void> {
    for (let i = 0; i < numbers.length; i += TOGETHER) {
      const some = numbers.slice(i, i + TOGETHER);
      while (some.length < TOGETHER) some.push(0);
      for (const row of await statement.all(...some)) each(row);
    }
  }

  /**
   * The key of the newest message that came in with a client's own id, behind another key; undefined when there is none. `mark`: of the
   * id (key.ts).
   */
  async incoming(
    owner: number,
    peer: number,
    after: number,
    id: string,
    mark: number,
    pause: () => Promise<void>,
  ): Promise<number | undefined> {
    const recent = this.tail.of(owner).backwards({ owner, peer, after, before: NEVER }, Infinity);
    const found = await this.newest(recent, id, mark);
    if (found !== undefined) return found;
    for (let before = NEVER; ;) {
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
      const message = (await this.kept([key])).get(key);
      if (message && indexed(message.stanza).id === id) return key;
    }
    return undefined;
  }
}

/** What the table says of a conversation. */
function draftOf({ peer, last, text }: Row): Draft {
  const stored = Number(last ?? 0);
  const newest = Number(text ?? 0);
  return {
    peer: Number(peer),
    stored,
    last: stored,
    text: Math.max(newest, 0),
    correction: Math.max(-newest, 0),
    unread: 0,
    firstUnread: 0,
  };
}
