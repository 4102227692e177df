import {
  andThen,
  type BatchTransaction,
  type BatchWriter,
  type MaybePromise,
  type Statement,
  type Storage,
  type StoreDefinition,
  type Transactor,
} from '../../src/api/index.ts';
import type { NodeConfig } from './config.ts';
import { ItemStore } from './item-store.ts';
import type { Affiliation, SubscriptionOptions, SubscriptionState } from './node.ts';
import { dropRedirect, putRedirect, type Redirect, RedirectStore } from './redirect-store.ts';
import { AFFILIATIONS, ITEMS, keyOf, migrations, NODES, REDIRECTS, SUBSCRIPTIONS } from './schema.ts';

/** Tables of what belongs to a node. */
const OF_NODES = [ITEMS, AFFILIATIONS, SUBSCRIPTIONS];

/** A node as it is stored. */
export interface StoredNode {
  readonly id: number;
  readonly service: string;
  readonly name: string;
  readonly creator: string;
  readonly created: number;
  readonly config: NodeConfig;
  readonly affiliations: readonly { readonly entity: string; readonly affiliation: Affiliation }[];
  readonly subscriptions: readonly StoredSubscription[];
}

export interface StoredSubscription {
  readonly jid: string;
  /** Bare JID of the subscriber. */
  readonly entity: string;
  readonly state: SubscriptionState;
  readonly options: SubscriptionOptions;
}

export type NewNode = Omit<StoredNode, 'id' | 'affiliations' | 'subscriptions'>;

interface NodeRow {
  id: number;
  name: string;
  creator: string;
  created_at: number;
  config: string;
}
interface AffiliationRow {
  node: number;
  entity: string;
  affiliation: Affiliation;
}
interface SubscriptionRow {
  node: number;
  jid: string;
  entity_key: string;
  state: SubscriptionState;
  options: string;
}

/** Nodes, with affiliations and subscriptions, by the service that they are at: a domain, or an account's bare JID. */
export class PubsubStore {
  readonly items: ItemStore;
  readonly redirects: RedirectStore;
  private readonly storage: Storage;
  private readonly all: Select;
  private readonly one: Select;
  private readonly places: Statement<{ service: string; name: string; config: string }>;
  private readonly removing: BatchWriter<Removed, void>;

  constructor(storage: Storage) {
    this.storage = storage;
    this.items = new ItemStore(storage);
    this.redirects = new RedirectStore(storage);
    this.all = select(storage, 'n.service = ?');
    this.one = select(storage, 'n.service = ? and n.name_key = ?');
    this.places = storage.prepare(
      `select service, name, config from ${NODES} where id in
       (select node from ${SUBSCRIPTIONS} where entity_key = ? and state = 'subscribed') order by id`,
    );
    this.removing = storage.batch<Removed, void>({ name: 'pubsub-remove', write: remove });
  }

  /** All nodes of a service: for accounts, which have few. */
  of(service: string): MaybePromise<StoredNode[]> {
    return this.load(this.all, service, [service]);
  }

  node(service: string, name: string): MaybePromise<StoredNode | undefined> {
    return andThen(this.load(this.one, service, [service, keyOf(name)]), ([node]) => node);
  }

  /** Names and titles of a part of a service's nodes, in the order of creation; undefined when the node that it begins at is not there. */
  async page(
    service: string,
    { after, before, most }: { after?: string | undefined; before?: string | undefined; most: number },
  ): Promise<{ nodes: { name: string; title: string }[]; count: number } | undefined> {
    const { count, rows, unknown } = await this.storage.read(async q => {
      const counted = await q(NODES).where({ service }).count({ n: '*' }).first();
      const at = before === '' ? undefined : (before ?? after);
      const from = (
        at === undefined
          ? undefined
          : await q(NODES)
              .where({ service, name_key: keyOf(at) })
              .first('id')
      ) as { id: number } | undefined;
      const query = q(NODES).where({ service }).limit(most).select('name', 'config');
      if (from) query.where('id', before === undefined ? '>' : '<', from.id);
      const found = (await query.orderBy('id', before === undefined ? 'asc' : 'desc')) as NodeRow[];
      return { count: Number(counted?.n ?? 0), rows: found, unknown: at !== undefined && !from };
    });
    if (unknown) return undefined;
    const nodes = rows.map(({ name, config }) => ({ name, title: (JSON.parse(config) as NodeConfig).title }));
    return { nodes: before === undefined ? nodes : nodes.toReversed(), count };
  }

  private load(statements: Select, service: string, keys: readonly string[]): MaybePromise<StoredNode[]> {
    return andThen(statements.nodes.all(...keys), nodes => {
      if (nodes.length === 0) return [];
      return andThen(statements.affiliations.all(...keys), affiliations =>
        andThen(statements.subscriptions.all(...keys), subscriptions =>
          assemble(service, nodes, affiliations, subscriptions),
        ),
      );
    });
  }

  /** The new node's number; 'conflict' when there is one of that name, 'full' when its creator would have more than `most` there. */
  async create(node: NewNode, owner: string | undefined, most: number): Promise<number | 'conflict' | 'full'> {
    const { service, name, creator } = node;
    return this.storage.transact(async tx => {
      const name_key = keyOf(name);
      if (await tx(NODES).where({ service, name_key }).first('id')) return 'conflict';
      const creator_key = keyOf(creator);
      const has = await tx(NODES).where({ service, creator_key }).count({ n: '*' }).first();
      if (Number(has?.n ?? 0) >= most) return 'full';
      const config = JSON.stringify(node.config);
      await dropRedirect(tx, service, name);
      await tx(NODES).insert({ service, name_key, name, creator_key, creator, created_at: node.created, config });
      const row = (await tx(NODES).where({ service, name_key }).first('id')) as { id: number };
      if (owner !== undefined) await putAffiliation(tx, row.id, owner, 'owner');
      return row.id;
    });
  }

  /** Who made a node is not there any more: it counts for nobody. */
  async forgetCreator(node: number): Promise<void> {
    await this.storage.transact(tx => tx(NODES).where({ id: node }).update({ creator_key: '', creator: '' }));
  }

  async configure(node: number, config: NodeConfig): Promise<void> {
    await this.storage.transact(tx =>
      tx(NODES)
        .where({ id: node })
        .update({ config: JSON.stringify(config) }),
    );
  }

  /** `redirect`: what is said of it from now on, one of at most so many. */
  remove({ id, service }: { id: number; service: string }, redirect?: Redirect, most = 0): Promise<void> {
    return this.removing.write({ id, service, redirect, most });
  }

  /** 'none' takes an entry away. All or nothing. */
  async affiliate(node: number, changes: ReadonlyMap<string, Affiliation>): Promise<void> {
    await this.storage.transact(async tx => {
      for (const [entity, affiliation] of changes) await putAffiliation(tx, node, entity, affiliation);
    });
  }

  /** Puts subscriptions, and takes others away. */
  async subscribe(node: number, put: readonly StoredSubscription[], gone: readonly string[] = []): Promise<void> {
    await this.storage.transact(async tx => {
      for (const jid of [...gone, ...put.map(({ jid }) => jid)])
        await tx(SUBSCRIPTIONS)
          .where({ node, jid_key: keyOf(jid) })
          .delete();
      for (const { jid, entity, state, options } of put)
        await tx(SUBSCRIPTIONS).insert({
          node,
          jid_key: keyOf(jid),
          jid,
          entity_key: keyOf(entity),
          state,
          options: JSON.stringify(options),
        });
    });
  }

  /** XEP-0060 5.6: what somebody is subscribed to at a service. */
  async subscriptionsOf(
    service: string,
    entity: string,
  ): Promise<{ node: string; jid: string; state: SubscriptionState }[]> {
    return this.storage.read(q =>
      q<{ node: string; jid: string; state: SubscriptionState }>(`${SUBSCRIPTIONS} as s`)
        .join(`${NODES} as n`, 'n.id', 's.node')
        .where({ 'n.service': service, 's.entity_key': keyOf(entity) })
        .orderBy('n.id')
        .select({ node: 'n.name', jid: 's.jid', state: 's.state' }),
    ) as Promise<{ node: string; jid: string; state: SubscriptionState }[]>;
  }

  /** Where somebody is subscribed that the last item is sent to subscribers who come online. */
  async greetedAt(entity: string): Promise<{ service: string; name: string }[]> {
    const rows = await this.places.all(keyOf(entity));
    return rows.filter(
      ({ config }) => (JSON.parse(config) as NodeConfig).sendLastPublishedItem === 'on_sub_and_presence',
    );
  }

  /** XEP-0060 5.7: what somebody is at the nodes of a service. */
  async affiliationsOf(service: string, entity: string): Promise<{ node: string; affiliation: Affiliation }[]> {
    return this.storage.read(q =>
      q(`${AFFILIATIONS} as a`)
        .join(`${NODES} as n`, 'n.id', 'a.node')
        .where({ 'n.service': service, 'a.entity_key': keyOf(entity) })
        .orderBy('n.id')
        .select({ node: 'n.name', affiliation: 'a.affiliation' }),
    ) as Promise<{ node: string; affiliation: Affiliation }[]>;
  }

  /** Names of the nodes of an owner at which somebody waits to be let in (XEP-0060 8.7). */
  async pendingOf(service: string, owner: string, most: number): Promise<string[]> {
    const rows = (await this.storage.read(q =>
      q(`${NODES} as n`)
        .join(`${AFFILIATIONS} as a`, 'a.node', 'n.id')
        .where({ 'n.service': service, 'a.entity_key': keyOf(owner), 'a.affiliation': 'owner' })
        .whereIn('n.id', q(SUBSCRIPTIONS).where({ state: 'pending' }).select('node'))
        .orderBy('n.id')
        .limit(most)
        .select('n.name as name'),
    )) as { name: string }[];
    return rows.map(({ name }) => name);
  }

  /** Where somebody is subscribed or affiliated, and what they have made: the services and names of nodes. */
  async placesOf(entity: string): Promise<{ service: string; name: string }[]> {
    const entity_key = keyOf(entity);
    return this.storage.read(q =>
      q(NODES)
        .whereIn('id', q(SUBSCRIPTIONS).where({ entity_key }).select('node'))
        .orWhereIn('id', q(AFFILIATIONS).where({ entity_key }).select('node'))
        .orWhere({ creator_key: entity_key })
        .orderBy('id')
        .select('service', 'name'),
    ) as Promise<{ service: string; name: string }[]>;
  }

  /** Takes away all nodes of a service. */
  async removeService(service: string): Promise<void> {
    await this.storage.transact(async tx => {
      const rows = (await tx(NODES).where({ service }).select('id')) as { id: number }[];
      await removeNodes(
        tx,
        rows.map(({ id }) => id),
      );
      await tx(REDIRECTS).where({ service }).delete();
    });
  }

  /** Nodes whose items expire: their numbers and configurations, behind a number. */
  async nodesAfter(after: number, most: number): Promise<{ id: number; config: NodeConfig }[]> {
    const rows = (await this.storage.read(q =>
      q(NODES).where('id', '>', after).orderBy('id').limit(most).select('id', 'config'),
    )) as { id: number; config: string }[];
    return rows.map(({ id, config }) => ({ id, config: JSON.parse(config) as NodeConfig }));
  }
}

interface Removed {
  readonly id: number;
  readonly service: string;
  readonly redirect: Redirect | undefined;
  readonly most: number;
}

function remove(tx: BatchTransaction, { id, service, redirect, most }: Removed): MaybePromise<void> {
  const from = (at: number): MaybePromise<unknown> =>
    at === OF_NODES.length
      ? tx.run(`delete from ${NODES} where id = ?`, id)
      : andThen(tx.run(`delete from ${OF_NODES[at]} where node = ?`, id), () => from(at + 1));
  return andThen(from(0), () => andThen(redirect && putRedirect(tx, service, redirect, most), () => undefined));
}

interface Select {
  readonly nodes: Statement<NodeRow>;
  readonly affiliations: Statement<AffiliationRow>;
  readonly subscriptions: Statement<SubscriptionRow>;
}

function select(storage: Storage, where: string): Select {
  return {
    nodes: storage.prepare(
      `select n.id, n.name, n.creator, n.created_at, n.config from ${NODES} n where ${where} order by n.id`,
    ),
    affiliations: storage.prepare(
      `select a.node, a.entity, a.affiliation from ${AFFILIATIONS} a join ${NODES} n on n.id = a.node where ${where}`,
    ),
    subscriptions: storage.prepare(
      `select s.node, s.jid, s.entity_key, s.state, s.options from ${SUBSCRIPTIONS} s join ${NODES} n on n.id = s.node
       where ${where}`,
    ),
  };
}

function assemble(
  service: string,
  nodes: readonly NodeRow[],
  affiliations: readonly AffiliationRow[],
  subscriptions: readonly SubscriptionRow[],
): StoredNode[] {
  const byNode = Map.groupBy(affiliations, ({ node }) => Number(node));
  const subscribed = Map.groupBy(subscriptions, ({ node }) => Number(node));
  return nodes.map(({ id, name, creator, created_at, config }) => ({
    id: Number(id),
    service,
    name,
    creator,
    created: Number(created_at),
    config: JSON.parse(config) as NodeConfig,
    affiliations: byNode.get(Number(id)) ?? [],
    subscriptions: (subscribed.get(Number(id)) ?? []).map(({ jid, state, options }) => ({
      jid,
      entity: jid.split('/', 1)[0]!,
      state,
      options: JSON.parse(options) as SubscriptionOptions,
    })),
  }));
}

async function putAffiliation(tx: Transactor, node: number, entity: string, affiliation: Affiliation): Promise<void> {
  const entity_key = keyOf(entity);
  await tx(AFFILIATIONS).where({ node, entity_key }).delete();
  if (affiliation !== 'none') await tx(AFFILIATIONS).insert({ node, entity_key, entity, affiliation });
}

async function removeNodes(tx: Transactor, nodes: readonly number[]): Promise<void> {
  for (const node of nodes) {
    for (const table of OF_NODES) await tx(table).where({ node }).delete();
    await tx(NODES).where({ id: node }).delete();
  }
}

export const pubsubStore: StoreDefinition<PubsubStore> = {
  migrations,
  open: storage => new PubsubStore(storage),
};
