import { andThen, type Answer, type MaybePromise, type SessionView } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { refuse, StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import type { Access } from './access.ts';
import { type ConfigForm, MAX, type NodeConfig } from './config.ts';
import { movedTo, NODE_REQUIRED, NOT_FOUND, NOT_OWNER, OWNER, PUBSUB } from './names.ts';
import type { Item, PubsubNode } from './node.ts';
import type { Nodes } from './nodes.ts';
import type { RedirectStore } from './redirect-store.ts';
import type { PubsubStore } from './store.ts';
import type { Telling } from './telling.ts';

/** What an operator allows at a service. */
export interface ServiceLimits {
  readonly items: number;
  readonly size: number;
  /** Nodes that one creator may have there. */
  readonly nodes: number;
  readonly subscriptions: number;
  /** Nodes that were deleted of which it is told where they are now; for so many seconds. */
  readonly redirects: number;
  readonly redirected: number;
  /** Items of an answer, and bytes of their payloads. */
  readonly page: number;
  readonly answer: number;
  /** Affiliations of a node. */
  readonly affiliations: number;
}

/** Where nodes are: a domain, or an account. */
export interface Service {
  readonly jid: Jid;
  /** Whether it is an account's (XEP-0163). */
  readonly personal: boolean;
  readonly limits: ServiceLimits;
  readonly defaults: NodeConfig;
  readonly form: ConfigForm;
}

/** A request as its handler sees it. */
export interface Asked {
  readonly service: Service;
  readonly from: Jid;
  readonly session: SessionView | undefined;
  readonly type: 'get' | 'set';
  /** `<pubsub/>`, and in it what is asked for. */
  readonly pubsub: Element;
  readonly element: Element;
}

export interface Engine {
  readonly store: PubsubStore;
  readonly nodes: Nodes;
  readonly access: Access;
  readonly telling: Telling;
  /** Another number each time, greater than all before: what was first and what came later. */
  moment(): number;
  /** Whether somebody may make nodes there. */
  mayCreate(service: Service, who: Jid): boolean;
  /** Told when items have been published or retracted. */
  happened(event: Happened): void;
  /** Resolved when other modules have done what follows from that at an account's nodes. */
  followed(account: Jid): Promise<void>;
}

/** What was published or retracted, once it is stored. */
export interface Happened {
  readonly node: PubsubNode;
  /** Who did it; the account itself where a module did. */
  readonly by: Jid;
  readonly published: readonly Item[];
  readonly retracted: readonly string[];
  /** The node was purged or deleted. */
  readonly emptied: boolean;
}

/** Most characters of a node's name, and of an item's id. */
export const LONGEST = 1024;

/** The node that is named in a request, or why there is none. */
export function nodeNameOf(element: Element): string | StanzaError {
  const { node } = element.attrs as { node?: string };
  return node === undefined || node === '' ? NODE_REQUIRED : node;
}

/** 6.3.7, 8.1.3: what goes with what is asked for stands behind it, and does not name the node or the subscriber again. */
export function alongWith({ pubsub: request, element }: Asked, name: string): Element | StanzaError | undefined {
  const along = request.getChild(name);
  if (!along) return undefined;
  const children = request.getChildElements();
  const { node, jid } = along.attrs as { node?: string; jid?: string };
  return node === undefined && jid === undefined && children.indexOf(along) > children.indexOf(element)
    ? along
    : refuse('bad-request', `<${name}/> stands behind <${element.name}/>, without a node or an address of its own.`);
}

/** What is said of a node that is not there: 6.1.3.10, 6.1.3.11. */
export async function missing(engine: Engine, service: Service, name: string): Promise<StanzaError> {
  const redirect = await redirectOf(engine, service, name);
  return redirect ? movedTo(redirect.uri) : NOT_FOUND;
}

/** Where a node that was deleted is now, and who said so. */
export function redirectOf(engine: Engine, { jid, limits }: Service, name: string): ReturnType<RedirectStore['get']> {
  return engine.store.redirects.get(jid.bare, name, Date.now() - limits.redirected * 1000);
}

/** A node for its owners alone: gone, item-not-found, forbidden. */
export async function ownedNode(
  engine: Engine,
  { service, from }: Asked,
  name: string,
): Promise<PubsubNode | StanzaError> {
  const node = await engine.nodes.find(service.jid, name);
  if (!node) return missing(engine, service, name);
  return engine.access.isOwner(node, from) ? node : NOT_OWNER;
}

/** Answers a question about the node that is named, to its owners alone. */
export async function forOwner(
  engine: Engine,
  asked: Asked,
  answer: (node: PubsubNode) => MaybePromise<Answer>,
): Promise<Answer> {
  const name = nodeNameOf(asked.element);
  if (name instanceof StanzaError) return name;
  const node = await ownedNode(engine, asked, name);
  return node instanceof StanzaError ? node : answer(node);
}

/** The same in the node's turn, for what changes it. */
export async function byOwner(
  engine: Engine,
  asked: Asked,
  change: (node: PubsubNode) => MaybePromise<Answer>,
): Promise<Answer> {
  const name = nodeNameOf(asked.element);
  if (name instanceof StanzaError) return name;
  return engine.nodes.turn(asked.service.jid, name, () => forOwner(engine, asked, change));
}

/** Since when items are not expired; milliseconds since 1970. */
export function freshSince({ config }: PubsubNode): number {
  return config.itemExpire === MAX ? 0 : Math.max(0, Date.now() - config.itemExpire * 1000);
}

/** Items that a node may have. */
export function mostItems({ config }: PubsubNode, { items }: ServiceLimits): number {
  return Math.min(config.maxItems, items);
}

/**
 * The last item, unless it was told to all after who is greeted has begun to want it, or is allowed to see it. What is being published
 * now counts: whom that is told was decided before. `since`: a moment of the engine.
 */
export function lastItemBefore(engine: Engine, node: PubsubNode, since: number): MaybePromise<Item | undefined> {
  const isLast = (): boolean => node.published <= since;
  return andThen(engine.nodes.settled(node.service, node.name), () => {
    if (!node.config.persistItems || !isLast()) return undefined;
    const last = engine.store.items.last(node.id, freshSince(node));
    // a database may have answered behind another publication
    return andThen(last, item => (isLast() ? item : undefined));
  });
}

export function pubsub(...children: (Element | undefined)[]): Element {
  return xml('pubsub', { xmlns: PUBSUB }, ...children);
}

export function owner(...children: Element[]): Element {
  return xml('pubsub', { xmlns: OWNER }, ...children);
}
