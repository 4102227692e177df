/* What there is to discover of services, nodes and items: XEP-0060 5.1 to 5.5, 10. */
import type { DiscoIdentity, DiscoInfo } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { defineForm, field, NS, readPaging, refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import { type Engine, freshSince, missing, type Service } from './engine.ts';
import { META_DATA, NO_PERSISTENT_ITEMS, NOT_FOUND, PUBSUB } from './names.ts';
import { ownersOf, type PubsubNode } from './node.ts';
import { pageOf } from './paging.ts';

/** Of services and of accounts alike. The access models by the text name the default one; clients look for those that there are. */
const FEATURES = [
  'access-authorize',
  'access-open',
  'access-presence',
  'access-roster',
  'access-whitelist',
  'auto-create',
  'config-node',
  'config-node-max',
  'create-and-configure',
  'create-nodes',
  'delete-items',
  'delete-nodes',
  'instant-nodes',
  'item-ids',
  'manage-subscriptions',
  'member-affiliation',
  'meta-data',
  'modify-affiliations',
  'multi-items',
  'outcast-affiliation',
  'persistent-items',
  'presence-notifications',
  'publish',
  'publish-node-full',
  'publish-only-affiliation',
  'publish-options',
  'publisher-affiliation',
  'purge-nodes',
  'retract-items',
  'retrieve-affiliations',
  'retrieve-default',
  'retrieve-default-sub',
  'retrieve-items',
  'retrieve-subscriptions',
  'rsm',
  'subscribe',
  'subscription-notifications',
  'subscription-options',
];

const named = (names: readonly string[]): string[] => [PUBSUB, ...names.map(name => `${PUBSUB}#${name}`)];

export const SERVICE_FEATURES: readonly string[] = [...named([...FEATURES, 'get-pending']), NS.commands];
export const PERSONAL_FEATURES: readonly string[] = named([
  ...FEATURES,
  'auto-subscribe',
  'filtered-notifications',
  'last-published',
  'presence-subscribe',
  'pubsub-on-a-jid',
]);

/** COMPAT Smack: it asks the host what its accounts can do, before it uses OMEMO and OX. */
export const HOST_FEATURES: readonly string[] = named(['access-whitelist']);

export const SERVICE_IDENTITY: DiscoIdentity = { category: 'pubsub', type: 'service', name: 'Publish-Subscribe' };
export const PERSONAL_IDENTITY: DiscoIdentity = { category: 'pubsub', type: 'pep' };

/** XEP-0060 16.4.3. */
const metaData = defineForm(META_DATA, {
  title: field.text('pubsub#title', { label: 'A name for people' }),
  description: field.text('pubsub#description', { label: 'What it is about' }),
  type: field.text('pubsub#type', { label: 'The namespace of its payloads' }),
  language: field.text('pubsub#language', { label: 'The language of its items' }),
  creator: field.text('pubsub#creator', { label: 'Who made it' }),
  created: field.text('pubsub#creation_date', { label: 'When it was made' }),
  contact: field.texts('pubsub#contact', { label: 'Whom to ask about the node', most: 100 }),
  accessModel: field.text('pubsub#access_model', { label: 'Who may subscribe and read' }),
  publishModel: field.text('pubsub#publish_model', { label: 'Who may publish' }),
  maxItems: field.text('pubsub#max_items', { label: 'Items that are kept' }),
  owners: field.texts('pubsub#owner', { label: 'Its owners', most: 1000 }),
  publishers: field.texts('pubsub#publisher', { label: 'Its publishers', most: 1000 }),
  subscribers: field.text('pubsub#num_subscribers', { label: 'How many are subscribed' }),
});

function metaDataOf(node: PubsubNode, { limits }: Service): Element {
  const { title, description, type, language, contact, accessModel, publishModel, maxItems } = node.config;
  const subscribed = [...node.subscriptions.values()].filter(({ state }) => state === 'subscribed');
  const publishers = [...node.affiliations].filter(([, affiliation]) => affiliation === 'publisher');
  return metaData.result({
    ...(title !== '' && { title }),
    ...(description !== '' && { description }),
    ...(type !== '' && { type }),
    ...(language !== '' && { language }),
    ...(contact.length > 0 && { contact }),
    ...(node.creator !== '' && { creator: node.creator }),
    created: new Date(node.created).toISOString().replace(/\.\d+Z$/, 'Z'),
    accessModel,
    publishModel,
    maxItems: String(Math.min(maxItems, limits.items)),
    owners: ownersOf(node),
    ...(publishers.length > 0 && { publishers: publishers.map(([jid]) => jid) }),
    subscribers: String(subscribed.length),
  });
}

/** Whether somebody may read a node, or subscribe to it. */
async function maySee(engine: Engine, node: PubsubNode, who: Jid): Promise<boolean> {
  if (!(await engine.access.retrieve(node, who))) return true;
  return !((await engine.access.subscribe(node, who)) instanceof StanzaError);
}

/** 5.3, 5.4. At a domain everybody learns that there is such a node; at an account who may not read it does not. */
export async function nodeInfo(
  engine: Engine,
  service: Service,
  name: string,
  who: Jid,
): Promise<DiscoInfo | StanzaError> {
  const node = await engine.nodes.find(service.jid, name);
  if (!node) return service.personal ? NOT_FOUND : missing(engine, service, name);
  const seen = await maySee(engine, node, who);
  if (service.personal && !seen) return NOT_FOUND;
  const { title } = node.config;
  return {
    identities: [{ category: 'pubsub', type: 'leaf', ...(title !== '' && seen && { name: title }) }],
    features: [PUBSUB],
    ...(seen && { forms: [metaDataOf(node, service)] }),
  };
}

/** 5.5; the item that was published last comes first. */
export async function nodeItems(
  engine: Engine,
  service: Service,
  name: string,
  who: Jid,
  query: Element,
): Promise<readonly Element[] | StanzaError> {
  const node = await engine.nodes.find(service.jid, name);
  if (!node) return service.personal ? NOT_FOUND : missing(engine, service, name);
  const refused = await engine.access.retrieve(node, who);
  if (refused) return service.personal ? NOT_FOUND : refused;
  if (!node.config.persistItems) return NO_PERSISTENT_ITEMS;
  const paging = readPaging(query);
  if (paging instanceof StanzaError) return paging;
  const { items } = engine.store;
  const since = freshSince(node);
  const most = Math.min(paging?.max ?? Infinity, service.limits.page);
  const found = await items.page(node.id, { after: paging?.after, before: paging?.before, most, since });
  if (!found) return refuse('item-not-found', 'There is no such item.');
  const ids = found.map(({ id }) => id);
  const listed = ids.map(id => xml('item', { jid: service.jid.bare, name: id }));
  const count = paging || found.length === most ? await items.count(node.id, since) : found.length;
  return paging || count > found.length ? [...listed, pageOf(ids, count)] : listed;
}

/** 5.2, of a domain, in the order of creation. */
export async function serviceNodes(
  engine: Engine,
  service: Service,
  query: Element,
): Promise<readonly Element[] | StanzaError> {
  const paging = readPaging(query);
  if (paging instanceof StanzaError) return paging;
  const most = Math.min(paging?.max ?? Infinity, service.limits.page);
  const page = await engine.store.page(service.jid.bare, { after: paging?.after, before: paging?.before, most });
  if (!page) return refuse('item-not-found', 'There is no such node.');
  const listed: Element[] = page.nodes.map(({ name, title }) =>
    xml('item', { jid: service.jid.bare, node: name, name: title === '' ? undefined : title }),
  );
  if (paging === undefined && page.count === listed.length) return listed;
  return [
    ...listed,
    pageOf(
      page.nodes.map(({ name }) => name),
      page.count,
    ),
  ];
}

/** 5.2, of an account: only what this person may read or subscribe to (XEP-0163 6.2). */
export async function accountNodes(engine: Engine, account: Jid, who: Jid): Promise<readonly Element[]> {
  const listed: Element[] = [];
  for (const node of (await engine.nodes.of(account)).values()) {
    if (!(await maySee(engine, node, who))) continue;
    const { title } = node.config;
    listed.push(xml('item', { jid: account.bare, node: node.name, name: title === '' ? undefined : title }));
  }
  return listed;
}
