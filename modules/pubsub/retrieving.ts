/* Items are read: XEP-0060 6.5. */
import type { Answer } from '../../src/api/index.ts';
import { NS, readPaging, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, parseElement, xml } from '../../src/xml/index.ts';
import { type Asked, type Engine, freshSince, nodeNameOf, pubsub } from './engine.ts';
import { NO_PERSISTENT_ITEMS, NOT_FOUND } from './names.ts';
import type { Item, PubsubNode } from './node.ts';
import { pageOf } from './paging.ts';

/** Items that one request may name. */
const MOST_IDS = 1000;

/** The newest item comes first. */
export async function retrieve(engine: Engine, asked: Asked): Promise<Answer> {
  const { service, from, element } = asked;
  const name = nodeNameOf(element);
  if (name instanceof StanzaError) return name;
  const node = await engine.nodes.find(service.jid, name);
  if (!node) return NOT_FOUND;
  const refused = await engine.access.retrieve(node, from);
  if (refused) return refused;
  if (!node.config.persistItems) return NO_PERSISTENT_ITEMS;
  const named = element.getChildren('item');
  return named.length > 0 ? someItems(engine, node, named) : page(engine, asked, node);
}

/** 6.5.8; those that are there. */
async function someItems(engine: Engine, node: PubsubNode, named: readonly Element[]): Promise<Answer> {
  const ids = new Set(named.map(({ attrs }) => (attrs as { id?: string }).id ?? ''));
  if (ids.has('')) return refuse('bad-request', 'An item is named by its id.');
  if (ids.size > MOST_IDS) return refuse('not-acceptable', `A request names at most ${MOST_IDS} items.`);
  const since = freshSince(node);
  const found: Item[] = [];
  for (const id of ids) {
    const item = await engine.store.items.get(node.id, id, since);
    if (item) found.push(item);
  }
  // 6.5.9.11
  if (found.length === 0) return refuse('item-not-found', 'There is no such item.');
  return pubsub(itemsElement(node, found));
}

/** 6.5.2 to 6.5.7, and XEP-0059. */
async function page(engine: Engine, { service, pubsub: request, element }: Asked, node: PubsubNode): Promise<Answer> {
  const text = (element.attrs as { max_items?: string }).max_items;
  if (text !== undefined && !/^[1-9][0-9]{0,8}$/.test(text)) return refuse('bad-request', "'max_items' is a number.");
  const paging = readPaging(request);
  if (paging instanceof StanzaError) return paging;
  const { store } = engine;
  const since = freshSince(node);
  const wanted = Math.min(paging?.max ?? Infinity, text === undefined ? Infinity : Number(text));
  const most = Math.min(wanted, service.limits.page);
  const items = await store.items.page(node.id, { after: paging?.after, before: paging?.before, most, since });
  if (!items) return refuse('item-not-found', 'There is no such item.');
  // 6.5.4: an answer that is not all says so
  const partial = paging !== undefined || (items.length === most && wanted > most);
  if (!partial) return pubsub(itemsElement(node, items));
  const count = await store.items.count(node.id, since);
  if (paging === undefined && count <= items.length) return pubsub(itemsElement(node, items));
  return pubsub(
    itemsElement(node, items),
    pageOf(
      items.map(({ id }) => id),
      count,
    ),
  );
}

function itemsElement(node: PubsubNode, items: readonly Item[]): Element {
  const shown = node.config.itemreply === 'publisher';
  return xml(
    'items',
    { node: node.name },
    ...items.map(({ id, publisher, payload }) =>
      xml('item', { id, publisher: shown ? publisher : undefined }, payload !== '' && parseElement(payload, NS.client)),
    ),
  );
}
