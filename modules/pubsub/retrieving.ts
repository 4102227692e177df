/* Items are read: XEP-0060 6.5. */
import type { Answer } from '../../src/api/index.ts';
import { NS, readPaging, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, parseElement, xml } from '../../src/xml/index.ts';
import { type Asked, type Engine, freshSince, missing, nodeNameOf, pubsub } from './engine.ts';
import { NO_PERSISTENT_ITEMS } from './names.ts';
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
  if (!node) return missing(engine, service, name);
  const refused = await engine.access.retrieve(node, from);
  if (refused) return refused;
  if (!node.config.persistItems) return NO_PERSISTENT_ITEMS;
  const named = element.getChildren('item');
  return named.length > 0 ? someItems(engine, asked, node, named) : page(engine, asked, node);
}

/** 6.5.8; those that are there, as far as an answer takes them: which those are is told as of a page. */
async function someItems(
  engine: Engine,
  { service }: Asked,
  node: PubsubNode,
  named: readonly Element[],
): Promise<Answer> {
  const ids = new Set(named.map(({ attrs }) => (attrs as { id?: string }).id ?? ''));
  if (ids.has('')) return refuse('bad-request', 'An item is named by its id.');
  if (ids.size > MOST_IDS) return refuse('not-acceptable', `A request names at most ${MOST_IDS} items.`);
  const since = freshSince(node);
  const found: Item[] = [];
  let left = service.limits.answer;
  let more = 0;
  for (const id of ids) {
    if (left <= 0) {
      if (await engine.store.items.has(node.id, id, since)) more++;
      continue;
    }
    const item = await engine.store.items.get(node.id, id, since);
    if (!item) continue;
    left -= item.payload.length;
    if (left < 0 && found.length > 0) more++;
    else found.push(item);
  }
  // 6.5.9.11
  if (found.length === 0) return refuse('item-not-found', 'There is no such item.');
  const shown = found.map(({ id }) => id);
  return pubsub(itemsElement(node, found), more > 0 ? pageOf(shown, found.length + more) : undefined);
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
  const { page: longest, answer } = service.limits;
  const most = Math.min(wanted, longest);
  const found = await store.items.pageWithin(
    node.id,
    { after: paging?.after, before: paging?.before, most, since },
    answer,
  );
  if (!found) return refuse('item-not-found', 'There is no such item.');
  const { items, cut } = found;
  // 6.5.4: an answer that is not all says so
  const partial = cut || paging !== undefined || (items.length === most && wanted > most);
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
