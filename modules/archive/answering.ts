import { Markup, type SessionView, type Slot } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { NS, pageWire, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { firstKeyAt, keyOf } from './key.ts';
import type { Query } from './query.ts';
import { isWith, type Pace, Results, stampOf } from './results.ts';
import type { ArchiveStore, Kept, Span } from './store.ts';

/** Messages that are read in one go. */
const SLICE = 50;
/** Bytes of one page, about. */
const PAGE_BYTES = 1024 * 1024;
const NEVER = Number.MAX_SAFE_INTEGER;
const NOT_FOUND = refuse('item-not-found');

/** An archive as somebody may see it. */
export interface Shelf {
  /** Bare JID. */
  readonly owner: Jid;
  /** What is older than this key is not there any more. */
  readonly floor: number;
  /** Which messages they see; all, when left out. */
  readonly only?: ((message: Kept) => boolean) | undefined;
  /** What they see of one (wire strings); all of it, when left out. */
  readonly shown?: ((stanza: string) => string) | undefined;
}

const tick = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** The part of an archive that a query is about. */
interface Selection {
  /** Keys up to here are not shown. */
  readonly lowest: number;
  /** Without the bounds of paging. */
  readonly all: Span;
  readonly page: Span;
  /** The message that the page is next to, in the span of the page: reading that tells whether it is there. */
  readonly edge: { readonly id: string; readonly key: number } | undefined;
  readonly matches: ((message: Kept) => boolean) | undefined;
}

/** Answers queries: XEP-0313 4. */
export class Answering {
  private readonly store: ArchiveStore;
  private readonly pace: Slot<Pace>;

  constructor(store: ArchiveStore, pace: Slot<Pace>) {
    this.store = store;
    this.pace = pace;
  }

  /** XEP-0313 5. */
  async metadata({ owner, floor }: Shelf): Promise<Element> {
    await this.store.upToNow();
    const address = await this.store.addresses.find(owner.bare);
    const answer = xml('metadata', { xmlns: NS.mam });
    if (!address) return answer;
    const span = { owner: address.id, after: Math.max(floor, address.goneBefore) - 1, before: NEVER };
    const [first] = await this.store.reading.page(span, 1, false);
    const [last] = await this.store.reading.page(span, 1, true);
    if (first && last) {
      answer.append(xml('start', { id: first.id, timestamp: stampOf(first.key) }));
      answer.append(xml('end', { id: last.id, timestamp: stampOf(last.key) }));
    }
    return answer;
  }

  /** Sends the results to the session; `most` is the greatest number of a page. The answer that ends them, or why there are none. */
  async query(query: Query, shelf: Shelf, session: SessionView, most: number): Promise<Markup | StanzaError> {
    // whoever asks sees what he has sent before
    await this.store.upToNow();
    const max = Math.min(query.paging.max ?? most, most);
    const pace = this.pace.get(session);
    await pace.begin();
    const results = new Results(session, shelf.owner, query.queryId, pace, shelf.shown);
    const selection = await this.select(query, shelf, max);
    if (!selection) {
      const asksForIds =
        query.beforeId ?? query.afterId ?? query.ids ?? query.paging.after ?? (query.paging.before || undefined);
      return asksForIds === undefined ? fin([], true, 0) : NOT_FOUND;
    }
    if (selection instanceof StanzaError) return selection;
    return query.ids
      ? this.byIds(query, query.ids, selection, results, max)
      : this.byPage(query, selection, results, max);
  }

  /** Undefined for an archive without a message of that kind; NOT_FOUND when an id that the query names is not there. */
  private async select(
    query: Query,
    { owner, floor, only }: Shelf,
    max: number,
  ): Promise<Selection | StanzaError | undefined> {
    const { reading, addresses } = this.store;
    const address = await addresses.find(owner.bare);
    if (!address) return undefined;
    const lowest = Math.max(floor, address.goneBefore) - 1;
    const keyOfId = (id: string): Promise<number | undefined> => reading.keyOf(address.id, id, lowest);
    let after = query.start === undefined ? lowest : Math.max(lowest, firstKeyAt(query.start) - 1);
    let before = query.end === undefined ? NEVER : firstKeyAt(query.end + 1);
    if (query.afterId !== undefined) {
      const key = await keyOfId(query.afterId);
      if (key === undefined) return NOT_FOUND;
      after = Math.max(after, key);
    }
    if (query.beforeId !== undefined) {
      const key = await keyOfId(query.beforeId);
      if (key === undefined) return NOT_FOUND;
      before = Math.min(before, key);
    }
    const { paging } = query;
    const page = { after, before };
    const isNextToOne = (paging.after === undefined) !== !paging.before;
    const next = max > 0 && !query.ids && isNextToOne ? (paging.after ?? paging.before!) : undefined;
    const key = next === undefined ? undefined : keyOf(next);
    let edge: Selection['edge'];
    if (key !== undefined && key > after && key < before) {
      edge = { id: next!, key };
      if (paging.after === undefined) page.before = key + 1;
      else page.after = key - 1;
    } else {
      if (paging.after !== undefined) {
        const there = await keyOfId(paging.after);
        if (there === undefined) return NOT_FOUND;
        page.after = Math.max(after, there);
      }
      if (paging.before) {
        const there = await keyOfId(paging.before);
        if (there === undefined) return NOT_FOUND;
        page.before = Math.min(before, there);
      }
    }
    const peer = query.with && (await addresses.find(query.with.bare))?.id;
    // nobody's number: nothing matches
    const conversation = query.with ? { peer: peer ?? 0 } : {};
    return {
      lowest,
      all: { owner: address.id, after, before, ...conversation },
      page: { owner: address.id, ...page, ...conversation },
      edge,
      matches: only ?? (query.with && !query.with.isBare ? isWith(query.with) : undefined),
    };
  }

  private async byPage(
    query: Query,
    selection: Selection,
    results: Results,
    max: number,
  ): Promise<Markup | StanzaError> {
    const { paging } = query;
    let { edge } = selection;
    const backwards = paging.before !== undefined && paging.after === undefined;
    // XEP-0059 2.5
    if (max === 0) {
      const more = await this.hasMore(selection, selection.page, backwards);
      return fin([], !more, await this.count(selection));
    }
    // what comes in the order of its reading needs not be kept until all is read
    const asRead = backwards === query.flip;
    const found: Kept[] = [];
    const ids: string[] = [];
    let span = selection.page;
    let bytes = 0;
    let cut = false;
    // whether messages follow that this page has no room for; undefined as long as nobody knows
    let more: boolean | undefined;
    while (more === undefined) {
      // one more than there is room for says whether that was all
      const limit = (selection.matches ? SLICE : Math.min(SLICE, max - ids.length) + 1) + (edge ? 1 : 0);
      const slice = await this.store.reading.page(span, limit, backwards);
      if (slice.length < limit) more = false;
      if (edge) {
        if (slice[0]?.id === edge.id) slice.shift();
        // it may be of another conversation
        else if ((await this.store.reading.keyOf(span.owner, edge.id, selection.lowest)) === undefined)
          return NOT_FOUND;
        span = beyond(span, edge, backwards);
        edge = undefined;
      }
      for (const message of slice) {
        if (selection.matches && !selection.matches(message)) {
          span = beyond(span, message, backwards);
          continue;
        }
        if (cut || ids.length === max) {
          more = true;
          break;
        }
        span = beyond(span, message, backwards);
        ids.push(message.id);
        bytes += message.stanza.length;
        if (asRead) results.add(message);
        else found.push(message);
        cut = bytes > PAGE_BYTES;
      }
      if (more !== undefined) break;
      if (cut || ids.length === max) more = await this.hasMore(selection, span, backwards);
      else await (asRead ? results.flush() : tick());
    }
    await (asRead ? results.end() : results.all(found.reverse()));
    if (backwards) ids.reverse();
    const complete = !more;
    const whole = complete && paging.after === undefined && !paging.before;
    return fin(ids, complete, whole ? ids.length : undefined, whole || (!backwards && paging.after === undefined));
  }

  private async hasMore({ matches }: Selection, from: Span, backwards: boolean): Promise<boolean> {
    if (!matches) return (await this.store.reading.entries(from, 1, backwards)).length > 0;
    for (let span = from; ;) {
      const slice = await this.store.reading.page(span, SLICE, backwards);
      if (slice.some(matches)) return true;
      const last = slice.at(-1);
      if (!last || slice.length < SLICE) return false;
      span = backwards ? { ...span, before: last.key } : { ...span, after: last.key };
      await tick();
    }
  }

  private async count({ all, matches }: Selection): Promise<number> {
    if (!matches) return this.store.reading.count(all, tick);
    let total = 0;
    for (let span = all; ;) {
      const slice = await this.store.reading.page(span, SLICE, false);
      total += slice.filter(matches).length;
      if (slice.length < SLICE) return total;
      span = { ...span, after: slice.at(-1)!.key };
      await tick();
    }
  }

  /** XEP-0313 4.1.3: certain messages, of which not one may be missing. */
  private async byIds(
    query: Query,
    ids: readonly string[],
    { lowest, all, page, matches }: Selection,
    results: Results,
    max: number,
  ): Promise<Markup | StanzaError> {
    const { reading } = this.store;
    const wanted: { key: number; id: string; bytes: number }[] = [];
    for (const [index, id] of [...new Set(ids)].entries()) {
      const message = await reading.find(all.owner, id, lowest);
      if (!message) return NOT_FOUND;
      const { key, stanza } = message;
      if (key > all.after && key < all.before && (!matches || matches(message)) && (await this.isOf(all, key)))
        wanted.push({ key, id, bytes: stanza.length });
      if (index % SLICE === SLICE - 1) await tick();
    }
    wanted.sort((a, b) => a.key - b.key);
    const backwards = query.paging.before !== undefined && query.paging.after === undefined;
    const inPage = wanted.filter(({ key }) => key > page.after && key < page.before);
    const chosen: typeof wanted = [];
    let bytes = 0;
    for (const message of backwards ? inPage.toReversed() : inPage) {
      if (chosen.length === max || bytes > PAGE_BYTES) break;
      chosen.push(message);
      bytes += message.bytes;
    }
    if (backwards) chosen.reverse();
    for (const { id } of query.flip ? chosen.toReversed() : chosen) {
      const message = await reading.find(all.owner, id, lowest);
      if (message) await results.one(message);
    }
    await results.end();
    const sent = chosen.map(({ id }) => id);
    return fin(sent, chosen.length === inPage.length, wanted.length, chosen[0] === wanted[0]);
  }

  /** Whether a message belongs to the span's conversation. */
  private async isOf({ owner, peer }: Span, key: number): Promise<boolean> {
    if (peer === undefined) return true;
    return (await this.store.reading.entries({ owner, peer, after: key - 1, before: key + 1 }, 1, false)).length > 0;
  }
}

/** What of a span is behind a message. */
function beyond(span: Span, { key }: Pick<Kept, 'key'>, backwards: boolean): Span {
  return backwards ? { ...span, before: key } : { ...span, after: key };
}

/** The end of the results (XEP-0313 4.3), of which the ids are given in order; `first`: whether the first of all is among them. */
function fin(ids: readonly string[], complete: boolean, count: number | undefined, first = false): Markup {
  const set = pageWire({ first: ids[0], last: ids.at(-1), index: first ? 0 : undefined, count });
  return new Markup(`<fin xmlns='${NS.mam}'${complete ? " complete='true'" : ''}>${set}</fin>`);
}
