import type { MaybePromise, Mod } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import type { StanzaError } from '../../src/protocol/index.ts';
import { type Element, xml } from '../../src/xml/index.ts';
import type { NodeConfig } from './config.ts';
import type { NodeEvent, PubsubApi } from './contract.ts';
import { reconfigure } from './creating.ts';
import { type Engine, freshSince, type Happened, mostItems, type Service } from './engine.ts';
import { isPersonal, type Item, type PubsubNode } from './node.ts';
import { publishItems, retractItems } from './publishing.ts';

/** Nodes of accounts, for other modules. */
export class Inside implements PubsubApi {
  private readonly engine: Engine;
  private readonly serviceAt: (account: Jid) => Service;
  private readonly log: Mod['log'];
  private readonly following = new Map<string, Promise<void>>();
  private readonly listeners = new Set<(event: NodeEvent) => MaybePromise<void>>();

  constructor(engine: Engine, serviceAt: (account: Jid) => Service, log: Mod['log']) {
    this.engine = engine;
    this.serviceAt = serviceAt;
    this.log = log;
  }

  publish(
    account: Jid,
    node: string,
    items: readonly { readonly id: string; readonly payload: Element }[],
    config: Partial<NodeConfig> = {},
  ): Promise<readonly Item[] | StanzaError> {
    const service = this.serviceAt(account);
    const elements = items.map(({ id, payload }) => xml('item', { id }, payload));
    return this.engine.nodes.turn(service.jid, node, async () => {
      const there = await this.engine.nodes.find(service.jid, node);
      const ids = items.map(({ id }) => id);
      if (there) await this.adapt(service, there, ids, config);
      return publishItems(this.engine, service, service.jid, node, elements, there ? {} : config);
    });
  }

  /** A client may have made the node for fewer items, or for more people: nothing goes, and nobody else learns of it, by what is published. */
  private async adapt(
    service: Service,
    node: PubsubNode,
    ids: readonly string[],
    { accessModel, maxItems = 0 }: Partial<NodeConfig>,
  ): Promise<void> {
    const { config } = node;
    const isPrivate = accessModel === 'whitelist' && config.accessModel !== accessModel;
    const isFull = config.maxItems < maxItems && config.persistItems && (await this.isFull(service, node, ids));
    if (!isPrivate && !isFull) return;
    const changed = { ...config, ...(isPrivate && { accessModel }), ...(isFull && { maxItems }) };
    await reconfigure(this.engine, service, node, changed);
  }

  private async isFull({ limits }: Service, node: PubsubNode, ids: readonly string[]): Promise<boolean> {
    const most = mostItems(node, limits);
    return ids.length > most || (await this.engine.store.items.excess(node.id, ids, most)).length > 0;
  }

  retract(account: Jid, name: string, ids: readonly string[]): Promise<readonly string[]> {
    const service = this.serviceAt(account);
    return this.engine.nodes.turn(service.jid, name, async () => {
      const node = await this.engine.nodes.find(service.jid, name);
      if (!node) return [];
      const there: string[] = [];
      for (const id of ids) if (await this.engine.store.items.get(node.id, id, freshSince(node))) there.push(id);
      if (there.length > 0) await retractItems(this.engine, service, service.jid, name, there, false);
      return there;
    });
  }

  async items(account: Jid, name: string): Promise<readonly Item[]> {
    const node = await this.engine.nodes.find(account.toBare(), name);
    if (!node) return [];
    const all: Item[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.engine.store.items.page(node.id, { after, most: PAGE, since: freshSince(node) });
      all.push(...(page ?? []));
      if (!page || page.length < PAGE) return all;
      after = page.at(-1)!.id;
    }
  }

  async item(account: Jid, name: string, id: string): Promise<Item | undefined> {
    const node = await this.engine.nodes.find(account.toBare(), name);
    return node && this.engine.store.items.get(node.id, id, freshSince(node));
  }

  async has(account: Jid, name: string): Promise<boolean> {
    return (await this.engine.nodes.find(account.toBare(), name)) !== undefined;
  }

  async mayRead(account: Jid, name: string, who: Jid): Promise<boolean> {
    const node = await this.engine.nodes.find(account.toBare(), name);
    return node !== undefined && !(await this.engine.access.retrieve(node, who));
  }

  onEvent(listener: (event: NodeEvent) => MaybePromise<void>): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  tell({ node, by, published, retracted, emptied }: Happened): void {
    if (!isPersonal(node) || this.listeners.size === 0) return;
    const event: NodeEvent = { account: node.service, node: node.name, by, published, retracted, emptied };
    for (const listener of this.listeners) {
      const failed = (error: unknown): void =>
        this.log.error({ err: error }, 'what follows from an item that was published could not be done');
      try {
        const told = listener(event);
        if (told instanceof Promise) this.follow(node.service.bare, told.catch(failed));
      } catch (error) {
        failed(error);
      }
    }
  }

  private follow(account: string, step: Promise<void>): void {
    const before = this.following.get(account);
    const all: Promise<void> = (before ? Promise.all([before, step]) : step).then(() => {
      if (this.following.get(account) === all) this.following.delete(account);
    });
    this.following.set(account, all);
  }

  /** Resolved when all that other modules make of what happened at an account's nodes is done: who published is answered then. */
  async followed(account: Jid): Promise<void> {
    for (let step = this.following.get(account.bare); step; step = this.following.get(account.bare)) await step;
  }
}

const PAGE = 500;
