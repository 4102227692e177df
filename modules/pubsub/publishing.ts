/* Items are published and retracted: XEP-0060 7. */
import { randomUUID } from 'node:crypto';
import { type Answer, Empty } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, serialize, xml } from '../../src/xml/index.ts';
import type { NodeConfig } from './config.ts';
import { formIn } from './config.ts';
import { makeNode } from './creating.ts';
import {
  type Asked,
  type Engine,
  freshSince,
  LONGEST,
  missing,
  mostItems,
  nodeNameOf,
  pubsub,
  type Service,
  type ServiceLimits,
} from './engine.ts';
import { NO_PERSISTENT_ITEMS, refusal } from './names.ts';
import type { Item, PubsubNode } from './node.ts';
import { itemsOf, retractionOf } from './telling.ts';

const ITEM_REQUIRED = refusal('bad-request', 'item-required');
const NOT_YOURS = refuse('forbidden', 'The item was published by somebody else.');

/** 7.1. */
export async function publish(engine: Engine, asked: Asked): Promise<Answer> {
  const { service, from, element } = asked;
  const name = nodeNameOf(element);
  if (name instanceof StanzaError) return name;
  const expected = preconditionsOf(asked);
  if (expected instanceof StanzaError) return expected;
  const published = await engine.nodes.turn(service.jid, name, () =>
    publishItems(engine, service, from, name, element.getChildren('item'), expected),
  );
  if (published instanceof StanzaError) return published;
  return pubsub(xml('publish', { node: name }, ...published.map(({ id }) => xml('item', { id }))));
}

/** 7.1.5. */
function preconditionsOf({ service, pubsub: request }: Asked): Partial<NodeConfig> | StanzaError {
  const options = request.getChild('publish-options');
  if (!options) return {};
  const x = formIn(options);
  return x instanceof StanzaError ? x : service.form.preconditions(x);
}

/**
 * Publishes at a node, which is made where there is none (7.1.4), and tells those who are to know. Called in the node's turn. What was
 * published, once it is stored.
 */
export async function publishItems(
  engine: Engine,
  service: Service,
  by: Jid,
  name: string,
  elements: readonly Element[],
  expected: Partial<NodeConfig>,
): Promise<readonly Item[] | StanzaError> {
  const there = await engine.nodes.find(service.jid, name);
  if (there) {
    const refused = (await engine.access.publish(there, by)) ?? service.form.unmet(expected, there.config);
    if (refused) return refused;
  } else if (!engine.mayCreate(service, by))
    return service.personal ? refuse('forbidden') : missing(engine, service, name);
  const config = there?.config ?? { ...service.defaults, ...expected };
  const items = readItems(config, elements, by, service.limits);
  if (items instanceof StanzaError) return items;
  const node = there ?? (await makeNode(engine, service, by, name, config));
  if (node instanceof StanzaError) return node;
  const most = mostItems(node, service.limits);
  const refused = config.persistItems ? await refusedItems(engine, node, items, by, most) : undefined;
  if (refused) return refused;
  const events: string[] = [];
  if (config.deliverNotifications) {
    events.push(itemsOf(node, items));
    // who is told of those that have to go is told together with the rest, and so they are looked up before
    const retracts = config.persistItems && config.notifyRetract && config.publishNodeFull === 'retract-oldest';
    const ids = items.map(({ id }) => id);
    const gone = retracts && most > 1 ? await engine.store.items.excess(node.id, ids, most) : [];
    if (gone.length > 0) events.push(retractionOf(node, gone));
  }
  const retracted = await engine.telling.together(node, events, async () => {
    // whom this is told is decided in this moment
    node.published = engine.moment();
    return config.persistItems ? engine.store.items.publish(node.id, items, most) : [];
  });
  engine.happened({ node, by, published: items, retracted, emptied: false });
  return items;
}

/** Why items cannot be stored. 7.1.3.4, 7.1.2.5. */
async function refusedItems(
  engine: Engine,
  node: PubsubNode,
  items: readonly Item[],
  by: Jid,
  most: number,
): Promise<StanzaError | undefined> {
  if (items.length > most) return refusal('not-allowed', 'max-items-exceeded');
  const since = freshSince(node);
  const others = !['owner', 'publisher'].includes(engine.access.affiliation(node, by));
  let more = 0;
  for (const { id } of node.config.publishNodeFull === 'reject' || others ? items : []) {
    const before = await engine.store.items.get(node.id, id, since);
    // who may not retract an item may not put another in its place either
    if (before && others && before.publisher !== by.bare) return NOT_YOURS;
    if (!before) more++;
  }
  if (node.config.publishNodeFull === 'reject' && (await engine.store.items.count(node.id, since)) + more > most)
    return refusal('conflict', 'node-full');
  return undefined;
}

/** 7.1.3.5, 7.1.3.6. */
function readItems(
  config: NodeConfig,
  elements: readonly Element[],
  by: Jid,
  { size }: ServiceLimits,
): readonly Item[] | StanzaError {
  const { persistItems, deliverPayloads, type } = config;
  const needsItem = persistItems || deliverPayloads;
  if (!needsItem) return elements.length === 0 ? [] : refusal('bad-request', 'item-forbidden');
  if (elements.length === 0) return ITEM_REQUIRED;
  const most = Math.min(config.maxPayloadSize, size);
  const at = Date.now();
  // of two of the same id the second counts
  const items = new Map<string, Item>();
  for (const element of elements) {
    const payloads = element.getChildElements();
    if (payloads.length > 1) return refusal('bad-request', 'invalid-payload');
    const [payload] = payloads;
    if (!payload && deliverPayloads) return refusal('bad-request', 'payload-required');
    if (payload && type !== '' && payload.getNS() !== type)
      return refusal('bad-request', 'invalid-payload', { text: `Payloads there are of the namespace '${type}'.` });
    const wire = payload ? serialize(payload, '') : '';
    if (wire.length > most)
      return refusal('not-acceptable', 'payload-too-big', { text: `A payload has at most ${most} bytes.` });
    const given = (element.attrs as { id?: string }).id ?? '';
    if (given.length > LONGEST) return refuse('not-acceptable', `The id of an item has at most ${LONGEST} characters.`);
    const id = given === '' ? randomUUID() : given;
    items.set(id, { id, publisher: by.bare, at, payload: wire });
  }
  return [...items.values()];
}

/** 7.2. */
export async function retract(engine: Engine, { service, from, element }: Asked): Promise<Answer> {
  const name = nodeNameOf(element);
  if (name instanceof StanzaError) return name;
  const ids = element.getChildren('item').map(({ attrs }) => (attrs as { id?: string }).id ?? '');
  if (ids.length === 0 || ids.includes('')) return ITEM_REQUIRED;
  const { notify } = element.attrs as { notify?: string };
  return engine.nodes.turn(service.jid, name, () =>
    retractItems(engine, service, from, name, ids, notify === '1' || notify === 'true'),
  );
}

/** Takes items away, all or none (12.11). Called in the node's turn. `notify`: whether subscribers are told in any case. */
export async function retractItems(
  engine: Engine,
  service: Service,
  by: Jid,
  name: string,
  ids: readonly string[],
  notify: boolean,
): Promise<typeof Empty | StanzaError> {
  const node = await engine.nodes.find(service.jid, name);
  if (!node) return missing(engine, service, name);
  const affiliation = engine.access.affiliation(node, by);
  if (affiliation === 'outcast' || ((await engine.access.publish(node, by)) && affiliation !== 'owner'))
    return refuse('forbidden', 'You may not retract items there.');
  if (!node.config.persistItems) return NO_PERSISTENT_ITEMS;
  const since = freshSince(node);
  for (const id of ids) {
    const item = await engine.store.items.get(node.id, id, since);
    if (!item) return refuse('item-not-found', 'There is no such item.');
    if (affiliation !== 'owner' && item.publisher !== by.bare) return NOT_YOURS;
  }
  const events = node.config.notifyRetract || notify ? [retractionOf(node, ids)] : [];
  const retracted = await engine.telling.together(node, events, () => engine.store.items.retract(node.id, ids));
  engine.happened({ node, by, published: [], retracted, emptied: false });
  return Empty;
}
