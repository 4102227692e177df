import { andThen, InTurn, Loaded, type MaybePromise } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { PubsubNode, Subscription } from './node.ts';
import type { PubsubStore, StoredNode } from './store.ts';

/** Nodes of one owner, by name: all of an account, or a single one of a domain. */
type Shelf = Map<string, PubsubNode>;

/**
 * The nodes that are awake. All nodes of an account are one actor, and each node of a domain is one: what changes them comes one after the
 * other, is stored first, and shows only then.
 */
export class Nodes {
  private readonly store: PubsubStore;
  private readonly cache: Loaded<Shelf>;
  private readonly turns = new InTurn();

  constructor(store: PubsubStore, remembered: number) {
    this.store = store;
    this.cache = new Loaded(remembered);
  }

  find(service: Jid, name: string): MaybePromise<PubsubNode | undefined> {
    return andThen(this.shelf(service, name), shelf => shelf.get(name));
  }

  /** All nodes of an account, by name. */
  of(account: Jid): MaybePromise<ReadonlyMap<string, PubsubNode>> {
    return this.shelf(account, '');
  }

  private shelf(service: Jid, name: string): MaybePromise<Shelf> {
    const key = keyOf(service, name);
    return this.cache.get(key) ?? this.cache.load(key, this.load(service, name));
  }

  private load(service: Jid, name: string): MaybePromise<Shelf> {
    if (service.local !== '')
      return andThen(
        this.store.of(service.bare),
        nodes => new Map(nodes.map(node => [node.name, awake(service, node)] as const)),
      );
    return andThen(
      this.store.node(service.bare, name),
      node => new Map(node ? [[node.name, awake(service, node)]] : []),
    );
  }

  /** Runs work that may change the node, or another of the same account, with nothing else changing it meanwhile. */
  turn<T>(service: Jid, name: string, work: () => MaybePromise<T>): Promise<T> {
    return this.turns.run(keyOf(service, name), work);
  }

  /** Resolved when what is changing the node now is done; nothing where nothing does. */
  settled(service: Jid, name: string): Promise<void> | undefined {
    return this.turns.ended(keyOf(service, name));
  }

  /** A node is new, or changed. Called in its turn. */
  async put(node: PubsubNode): Promise<void> {
    const shelf = await this.shelf(node.service, node.name);
    shelf.set(node.name, node);
    this.cache.set(keyOf(node.service, node.name), shelf);
  }

  /** A node is no more. Called in its turn. */
  async drop(node: PubsubNode): Promise<void> {
    const shelf = await this.shelf(node.service, node.name);
    shelf.delete(node.name);
    this.cache.set(keyOf(node.service, node.name), shelf);
  }

  /** An account is removed. Called in its turn. */
  forget(account: Jid): void {
    this.cache.delete(keyOf(account, ''));
  }
}

function keyOf(service: Jid, name: string): string {
  return service.local === '' ? `${service.bare} ${name}` : service.bare;
}

function awake(
  service: Jid,
  { id, name, creator, created, config, affiliations, subscriptions }: StoredNode,
): PubsubNode {
  const subscribed = new Map<string, Subscription>();
  for (const { jid, state, options } of subscriptions) {
    const address = parseJid(jid);
    if (address) subscribed.set(jid, { jid: address, state, options });
  }
  return {
    id,
    service: service.toBare(),
    name,
    creator,
    created,
    config,
    affiliations: new Map(affiliations.map(({ entity, affiliation }) => [entity, affiliation])),
    subscriptions: subscribed,
    published: 0,
    telling: undefined,
  };
}
