/* Nodes are made, configured and deleted: XEP-0060 8.1 to 8.5. */
import { randomUUID } from 'node:crypto';
import { type Answer, Empty } from '../../src/api/index.ts';
import { refuse, StanzaError } from '../../src/protocol/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { serialize, wireAttribute, xml } from '../../src/xml/index.ts';
import { formIn, isOfCollection, NO_COLLECTIONS, type NodeConfig } from './config.ts';
import {
  alongWith,
  type Asked,
  byOwner,
  type Engine,
  forOwner,
  LONGEST,
  mostItems,
  owner,
  pubsub,
  redirectOf,
  type Service,
} from './engine.ts';
import { movedTo, NO_PERSISTENT_ITEMS } from './names.ts';
import type { PubsubNode } from './node.ts';
import { subscribersLost } from './subscribing.ts';

/** Most characters of a redirect. */
const LONGEST_URI = 2000;

/** 8.1; without a name it is an instant node. */
export async function create(engine: Engine, asked: Asked): Promise<Answer> {
  const { service, from, element } = asked;
  const given = (element.attrs as { node?: string }).node ?? '';
  const name = given === '' ? randomUUID() : given;
  const along = alongWith(asked, 'configure');
  if (along instanceof StanzaError) return along;
  const x = along?.getChild('x', 'jabber:x:data');
  const config = x && x.attrs.type !== 'cancel' ? service.form.read(x, service.defaults) : service.defaults;
  if (config instanceof StanzaError) return config;
  const made = await engine.nodes.turn(service.jid, name, () => makeNode(engine, service, from, name, config));
  if (made instanceof StanzaError) return made;
  return given === '' ? pubsub(xml('create', { node: name })) : Empty;
}

/** Called in the node's turn. */
export async function makeNode(
  engine: Engine,
  service: Service,
  creator: Jid,
  name: string,
  config: NodeConfig,
): Promise<PubsubNode | StanzaError> {
  if (!engine.mayCreate(service, creator)) return refuse('forbidden', 'You may not create nodes there.');
  if (name.length > LONGEST) return refuse('not-acceptable', `A node's name has at most ${LONGEST} characters.`);
  const redirect = await redirectOf(engine, service, name);
  // whose name it was may use it again, and nobody else make something of those who follow it there
  if (redirect && !redirect.isOf(creator.bare)) return movedTo(redirect.uri);
  const created = Date.now();
  const { bare } = creator;
  const stored = { service: service.jid.bare, name, creator: bare, created, config };
  const id = await engine.store.create(stored, service.personal ? undefined : bare, service.limits.nodes);
  if (id === 'conflict') return refuse('conflict', 'There is a node of that name.');
  if (id === 'full') return refuse('resource-constraint', `You may have ${service.limits.nodes} nodes there.`);
  const node: PubsubNode = {
    id,
    service: service.jid,
    name,
    creator: bare,
    created,
    config,
    affiliations: new Map(service.personal ? [] : [[bare, 'owner']]),
    subscriptions: new Map(),
    published: 0,
    telling: undefined,
  };
  await engine.nodes.put(node);
  return node;
}

/** 8.2, the form. */
export async function configuration(engine: Engine, asked: Asked): Promise<Answer> {
  return forOwner(engine, asked, ({ name, config }) =>
    owner(xml('configure', { node: name }, asked.service.form.form.form(config))),
  );
}

/** 8.2.4 and 8.2.5. */
export async function configure(engine: Engine, asked: Asked): Promise<Answer> {
  const { service, element } = asked;
  return byOwner(engine, asked, async node => {
    const x = formIn(element);
    if (x instanceof StanzaError) return x;
    if (x.attrs.type === 'cancel') return Empty;
    const config = service.form.read(x, node.config);
    if (config instanceof StanzaError) return config;
    await reconfigure(engine, service, node, config);
    return Empty;
  });
}

/** Called in the node's turn. */
export async function reconfigure(
  engine: Engine,
  service: Service,
  node: PubsubNode,
  config: NodeConfig,
): Promise<void> {
  const before = node.config;
  await engine.store.configure(node.id, config);
  node.config = config;
  await engine.nodes.put(node);
  if (!config.persistItems) await engine.store.items.purge(node.id);
  else await engine.store.items.shrink(node.id, mostItems(node, service.limits));
  if (config.notifyConfig) {
    const form = config.deliverPayloads ? serialize(service.form.form.result(config), '') : '';
    const name = wireAttribute('node', node.name);
    engine.telling.tell(
      node,
      form === '' ? `<configuration${name}/>` : `<configuration${name}>${form}</configuration>`,
    );
  }
  // 12.14, XEP-0163 7.1: who may not read it any more is not subscribed any more
  if (before.accessModel !== config.accessModel || before.rosterGroupsAllowed !== config.rosterGroupsAllowed)
    await subscribersLost(engine, node);
}

/** 8.3. */
export function defaults(_engine: Engine, { service, element }: Asked): Answer {
  const x = element.getChild('x', 'jabber:x:data');
  if (x && isOfCollection(x)) return NO_COLLECTIONS;
  return owner(xml('default', {}, service.form.form.form(service.defaults)));
}

/** 8.4. */
export async function remove(engine: Engine, asked: Asked): Promise<Answer> {
  const uri = asked.element.getChild('redirect')?.attrs.uri as string | undefined;
  return byOwner(engine, asked, async (node): Promise<Answer> => {
    if (uri !== undefined && !isUri(uri)) return refuse('bad-request', 'A redirect has a URI.');
    await deleteNode(engine, asked.service, node, asked.from, uri);
    return Empty;
  });
}

/** Called in the node's turn. */
async function deleteNode(engine: Engine, { limits }: Service, node: PubsubNode, by: Jid, uri?: string): Promise<void> {
  const { id, service } = node;
  const redirect = uri === undefined ? undefined : { name: node.name, uri, owner: by.bare, at: Date.now() };
  const name = wireAttribute('node', node.name);
  const inner = uri === undefined ? '' : `<redirect${wireAttribute('uri', uri)}/>`;
  const event = inner === '' ? `<delete${name}/>` : `<delete${name}>${inner}</delete>`;
  const remove = () => engine.store.remove({ id, service: service.bare }, redirect, limits.redirects);
  await engine.telling.together(node, node.config.notifyDelete ? [event] : [], remove, true);
  await engine.nodes.drop(node);
  engine.happened({ node, by, published: [], retracted: [], emptied: true });
}

/** Any scheme will do: 8.4.1. */
function isUri(text: string): boolean {
  return text.length <= LONGEST_URI && /^[a-z][a-z0-9+.-]*:\S+$/i.test(text);
}

/** 8.5. */
export async function purge(engine: Engine, asked: Asked): Promise<Answer> {
  return byOwner(engine, asked, async node => {
    if (!node.config.persistItems) return NO_PERSISTENT_ITEMS;
    const events = node.config.notifyRetract ? [`<purge${wireAttribute('node', node.name)}/>`] : [];
    await engine.telling.together(node, events, () => engine.store.items.purge(node.id));
    engine.happened({ node, by: asked.from, published: [], retracted: [], emptied: true });
    return Empty;
  });
}
