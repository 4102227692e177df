import {
  andThen,
  type BatchTransaction,
  type BatchWriter,
  type MaybePromise,
  type Statement,
  type Storage,
} from '../../src/api/index.ts';
import { fromWire, toWire } from '../../src/xml/index.ts';
import type { Item } from './node.ts';
import { ITEMS, keyOf } from './schema.ts';

interface Row {
  id: number;
  item: string;
  publisher: string;
  published_at: number;
  payload: string;
}

interface Published {
  readonly node: number;
  readonly items: readonly Item[];
  /** Items that the node may have. */
  readonly most: number;
}

interface Retracted {
  readonly node: number;
  readonly ids: readonly string[];
}

/** A page of a node's items: XEP-0059. */
export interface Page {
  /** Ids of items that it begins behind, or ends before; '' for `before`: the last page. */
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly most: number;
  /** Items that were published before this (milliseconds since 1970) are gone. */
  readonly since: number;
}

const COLUMNS = 'id, item, publisher, published_at, payload';
const BYTES = 'octet_length(payload)';

/** The items of nodes, the newest first. Nodes are numbers. */
export class ItemStore {
  private readonly storage: Storage;
  private readonly newest: Statement<Row>;
  private readonly one: Statement<Row>;
  private readonly down: Statement<Row>;
  private readonly up: Statement<Row>;
  private readonly there: Statement<{ id: number }>;
  private readonly sizesDown: Statement<{ bytes: number }>;
  private readonly sizesUp: Statement<{ bytes: number }>;
  private readonly first: Statement<{ item: string }>;
  private readonly total: Statement<{ n: number }>;
  private readonly publishing: BatchWriter<Published, string[]>;
  private readonly retracting: BatchWriter<Retracted, string[]>;
  private readonly purging: BatchWriter<number, void>;

  constructor(storage: Storage) {
    this.storage = storage;
    const from = `from ${ITEMS} where node = ? and published_at >= ?`;
    this.newest = storage.prepare(`select ${COLUMNS} ${from} order by id desc limit 1`);
    this.one = storage.prepare(`select ${COLUMNS} ${from} and item_key = ?`);
    this.down = storage.prepare(`select ${COLUMNS} ${from} and id < ? order by id desc limit ?`);
    this.up = storage.prepare(`select ${COLUMNS} ${from} and id > ? order by id limit ?`);
    this.there = storage.prepare(`select id ${from} and item_key = ?`);
    // a database knows how long a text is without reading it
    this.sizesDown = storage.prepare(`select ${BYTES} as bytes ${from} and id < ? order by id desc limit ?`);
    this.sizesUp = storage.prepare(`select ${BYTES} as bytes ${from} and id > ? order by id limit ?`);
    this.first = storage.prepare(`select item from ${ITEMS} where node = ? order by id limit ?`);
    this.total = storage.prepare(`select count(*) as n ${from}`);
    this.publishing = storage.batch<Published, string[]>({ name: 'pubsub-publish', write: publish });
    this.retracting = storage.batch<Retracted, string[]>({ name: 'pubsub-retract', write: retract });
    this.purging = storage.batch<number>({ name: 'pubsub-purge', from: ITEMS, column: 'node', value: node => node });
  }

  /** Puts items, each in the place of one with its id, and takes away the oldest beyond `most`: their ids. */
  publish(node: number, items: readonly Item[], most: number): Promise<string[]> {
    return this.publishing.write({ node, items, most });
  }

  /** The ids of those that would have to go, the oldest first, if items with these ids were published. */
  async excess(node: number, ids: readonly string[], most: number): Promise<string[]> {
    let more = ids.length;
    for (const id of ids) if (await this.has(node, id, 0)) more--;
    const many = (await this.count(node, 0)) + more - most;
    if (many <= 0) return [];
    const oldest = await this.first.all(node, many + ids.length);
    return oldest
      .map(({ item }) => item)
      .filter(id => !ids.includes(id))
      .slice(0, many);
  }

  /** The ids of those that were there. */
  retract(node: number, ids: readonly string[]): Promise<string[]> {
    return this.retracting.write({ node, ids });
  }

  purge(node: number): Promise<void> {
    return this.purging.write(node);
  }

  /** Takes away what was published before a time; how many those were. */
  async expire(node: number, before: number): Promise<number> {
    return this.storage.transact(tx => tx(ITEMS).where({ node }).where('published_at', '<', before).delete());
  }

  /** Takes away the oldest items beyond so many. */
  async shrink(node: number, most: number): Promise<void> {
    await this.storage.transact(async tx => {
      const row = (await tx(ITEMS).where({ node }).orderBy('id', 'desc').offset(most).first('id')) as
        { id: number } | undefined;
      if (row) await tx(ITEMS).where({ node }).where('id', '<=', row.id).delete();
    });
  }

  last(node: number, since: number): MaybePromise<Item | undefined> {
    return andThen(this.newest.get(node, since), row => row && fromRow(row));
  }

  get(node: number, id: string, since: number): MaybePromise<Item | undefined> {
    return andThen(this.one.get(node, since, keyOf(id)), row => row && fromRow(row));
  }

  async has(node: number, id: string, since: number): Promise<boolean> {
    return (await this.there.get(node, since, keyOf(id))) !== undefined;
  }

  async count(node: number, since: number): Promise<number> {
    return Number((await this.total.get(node, since))?.n ?? 0);
  }

  /** A page, the newest item first; undefined when the item that it is to begin or end at is not there. */
  async page(node: number, of: Page): Promise<Item[] | undefined> {
    const from = await this.beginning(node, of);
    return from === undefined ? undefined : this.portion(node, of, from, of.most);
  }

  /** The same with no more than so many bytes of payloads, but one item at least; `cut`: there would have been more items without that. */
  async pageWithin(node: number, of: Page, bytes: number): Promise<{ items: Item[]; cut: boolean } | undefined> {
    const from = await this.beginning(node, of);
    if (from === undefined) return undefined;
    const sizes = await (of.before === undefined ? this.sizesDown : this.sizesUp).all(node, of.since, from, of.most);
    const many = within(sizes, bytes);
    return { items: await this.portion(node, of, from, many), cut: many < sizes.length };
  }

  /** Behind which row a page is; undefined where that is not there. */
  private async beginning(node: number, { after, before, since }: Page): Promise<number | undefined> {
    if (before === '') return 0;
    const id = before ?? after;
    if (id === undefined) return Number.MAX_SAFE_INTEGER;
    return (await this.one.get(node, since, keyOf(id)))?.id;
  }

  private async portion(node: number, { before, since }: Page, from: number, most: number): Promise<Item[]> {
    const rows = await (before === undefined ? this.down : this.up).all(node, since, from, most);
    return before === undefined ? rows.map(fromRow) : rows.map(fromRow).toReversed();
  }
}

/** How many of these are no more than so many bytes; one at least, where there is one. */
function within(sizes: readonly { bytes: number }[], most: number): number {
  let left = most;
  const first = sizes.findIndex(({ bytes }, n) => (left -= Number(bytes)) < 0 && n > 0);
  return first < 0 ? sizes.length : first;
}

function fromRow({ item, publisher, published_at, payload }: Row): Item {
  return { id: item, publisher, at: Number(published_at), payload: toWire(payload) };
}

/** One after the other, at once where the database answers at once. */
function each<T>(items: readonly T[], act: (item: T) => MaybePromise<unknown>, at = 0): MaybePromise<unknown> {
  if (at === items.length) return undefined;
  return andThen(act(items[at]!), () => each(items, act, at + 1));
}

function publish(tx: BatchTransaction, { node, items, most }: Published): MaybePromise<string[]> {
  const put = ({ id, publisher, at, payload }: Item): MaybePromise<unknown> => {
    const key = keyOf(id);
    return andThen(tx.run(`delete from ${ITEMS} where node = ? and item_key = ?`, node, key), () =>
      tx.run(
        `insert into ${ITEMS} (node, item_key, item, publisher, published_at, payload) values (?, ?, ?, ?, ?, ?)`,
        node,
        key,
        id,
        publisher,
        at,
        fromWire(payload),
      ),
    );
  };
  return andThen(each(items, put), () =>
    andThen(tx.get<{ n: number }>(`select count(*) as n from ${ITEMS} where node = ?`, node), row =>
      dropOldest(tx, node, Number(row?.n ?? 0) - most, []),
    ),
  );
}

function dropOldest(tx: BatchTransaction, node: number, many: number, dropped: string[]): MaybePromise<string[]> {
  if (many <= 0) return dropped;
  const oldest = tx.get<{ id: number; item: string }>(
    `select id, item from ${ITEMS} where node = ? order by id limit 1`,
    node,
  );
  return andThen(oldest, row => {
    if (!row) return dropped;
    return andThen(tx.run(`delete from ${ITEMS} where id = ?`, row.id), () =>
      dropOldest(tx, node, many - 1, [...dropped, row.item]),
    );
  });
}

function retract(tx: BatchTransaction, { node, ids }: Retracted): MaybePromise<string[]> {
  const found: string[] = [];
  const take = (id: string): MaybePromise<unknown> =>
    andThen(tx.run(`delete from ${ITEMS} where node = ? and item_key = ?`, node, keyOf(id)), ({ changes }) => {
      if (changes > 0) found.push(id);
    });
  return andThen(each(ids, take), () => found);
}
