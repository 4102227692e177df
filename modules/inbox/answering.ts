import { Markup, type SessionView, type Slot } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { pageWire, refuse, type StanzaError } from '../../src/protocol/index.ts';
import { escapeAttribute, toWire } from '../../src/xml/index.ts';
import { type ArchiveService, idOf, keyOf, type Pace, Results, type Shelf, withoutItem } from '../archive/contract.ts';
import { withOthers } from './beside.ts';
import type { Beside } from './contract.ts';
import { type Inboxes, placeOf, type Row } from './inboxes.ts';
import { INBOX, type InboxQuery } from './request.ts';

/** Conversations that are read, and leave, in one go. */
const SLICE = 250;
/** Bytes of one answer, about. */
const BYTES = 1024 * 1024;
/** What of a stanza id is not in its key: a place in the inbox does not need it. */
const TAIL = '0'.repeat(9);

const ENTRY = `<entry xmlns='${INBOX}' jid='`;

/** XEP-0430 3.1: as a wire string. */
export function entryOf({ jid, unread, id }: Pick<Row, 'jid' | 'unread' | 'id'>): string {
  // few pieces: it is written for each of thousands
  const begin = ENTRY + toWire(escapeAttribute(jid!)) + "' unread='" + unread;
  return id === undefined ? begin + "'/>" : begin + "' id='" + id + "'/>";
}

/** A place in the inbox, as pages name it (XEP-0059). */
function markerOf(row: Row): string {
  return idOf(placeOf(row), '');
}

/** Index of the first conversation whose place is lower, or not higher. */
function indexBehind(order: readonly Row[], place: number, inclusive: boolean): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const there = placeOf(order[middle]!);
    if (inclusive ? there <= place : there < place) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The part of a list that a page shows: from one index to before another; undefined when it names a place that is none. */
export function pageOf(
  list: readonly Row[],
  { after, before }: InboxQuery['paging'],
  max: number,
): { from: number; to: number } | undefined {
  let from = 0;
  let to = list.length;
  if (after !== undefined) {
    const place = keyOf(after + TAIL);
    if (place === undefined) return undefined;
    from = indexBehind(list, place, false);
  }
  if (before) {
    const place = keyOf(before + TAIL);
    if (place === undefined) return undefined;
    to = Math.max(from, indexBehind(list, place, true));
  }
  const backwards = before !== undefined && after === undefined;
  return backwards ? { from: Math.max(from, to - max), to } : { from, to: Math.min(to, from + max) };
}

/** Answers queries: XEP-0430 3.1. */
export class Answering {
  private readonly pace: Slot<Pace>;

  constructor(pace: Slot<Pace>) {
    this.pace = pace;
  }

  /** Sends the conversations to the session; `most` is the greatest number of them. The answer that ends them. */
  async query(
    archive: ArchiveService,
    inboxes: Inboxes,
    { query, id, most }: { query: InboxQuery; id: string | undefined; most: number },
    account: Jid,
    shelf: Shelf,
    session: SessionView,
    others: readonly Beside[],
  ): Promise<Markup | StanzaError> {
    const { order, unread, allUnread, foreign } = await withOthers(await inboxes.of(shelf), archive, others);
    const list = query.unreadOnly ? unread : order;
    const page = pageOf(list, query.paging, Math.min(query.paging.max ?? most, most));
    if (!page) return refuse('item-not-found');
    const pace = this.pace.get(session);
    await pace.begin();
    const results = new Results(session, account, id, pace);
    let bytes = 0;
    let shown = page.from;
    while (shown < page.to && bytes < BYTES) {
      const rows = list.slice(shown, Math.min(page.to, shown + SLICE));
      const texts = query.messages ? await archive.lookups.messages(rows.map(row => row.shown)) : undefined;
      const told = (row: Row): boolean => texts !== undefined && row.shown === row.last;
      await inboxes.name(account, rows, told);
      for (const [i, row] of rows.entries()) {
        shown++;
        const text = texts?.[i];
        const id = told(row) ? text?.id : row.id;
        // it was taken away meanwhile
        if (id === undefined || row.jid === undefined) continue;
        // who said it in a room is for the room to tell
        const message = text && foreign.has(row.peer) ? { ...text, stanza: withoutItem(text.stanza) } : text;
        const entry = entryOf({ jid: row.jid, unread: row.unread, id });
        results.addBehind(entry, message);
        bytes += entry.length + (message?.stanza.length ?? 0);
        if (bytes >= BYTES) break;
      }
      if (shown < page.to) await results.flush();
    }
    await results.end();
    const any = shown > page.from;
    const set = pageWire({
      first: any ? markerOf(list[page.from]!) : undefined,
      last: any ? markerOf(list[shown - 1]!) : undefined,
      index: page.from,
      count: list.length,
    });
    const totals = `total='${order.length}' unread='${unread.length}' all-unread='${allUnread}'`;
    return new Markup(`<fin xmlns='${INBOX}' ${totals}>${set}</fin>`);
  }
}
