import { andThen, eachInSlices, inOrder, type NodeView, type SessionView } from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import type { RosterChange, RosterService } from '../roster/contract.ts';
import { seesPresence } from './access.ts';
import type { Capabilities } from './capabilities.ts';
import type { AccessModel } from './config.ts';
import { type Engine, lastItemBefore } from './engine.ts';
import type { PubsubNode } from './node.ts';
import type { Sharing } from './sharing.ts';
import { subscribersLost } from './subscribing.ts';
import { isToldAnyway } from './telling.ts';

type Step = void | Promise<void>;

/** Costs (src/util/slices.ts): an account that is looked at, and one that is not. */
const LOOKED = 10;
const PASSED = 1;

/**
 * Sends what was published last to those who have not seen it: clients that come online, or want to be told of more (XEP-0163 4.3.3), and
 * those of contacts who may see more than before.
 */
export class Greeting {
  private readonly engine: Engine;
  private readonly node: NodeView;
  private readonly roster: () => RosterService | undefined;
  private readonly enabled: (host: string) => boolean;
  private readonly sharing: Sharing;

  constructor(
    engine: Engine,
    node: NodeView,
    roster: () => RosterService | undefined,
    enabled: (host: string) => boolean,
    sharing: Sharing,
  ) {
    this.engine = engine;
    this.node = node;
    this.roster = roster;
    this.enabled = enabled;
    this.sharing = sharing;
  }

  /** Of the account itself, and of all whose presence it sees. `since`: when it began to want these nodes; a moment of the engine. */
  greet(session: SessionView, names: ReadonlySet<string>, since: number): Step {
    return andThen(session.presence && this.greetAsContact(session, names, since), () =>
      inOrder(this.sharing.of(session), account => this.greetAsSharer(session, parseJid(account)!, names, since)),
    );
  }

  /** XEP-0060 9.1.3: of an account that the session has sent presence to, what is open. */
  greetAsSharer(session: SessionView, account: Jid, names: ReadonlySet<string>, since: number): Step {
    if (names.size === 0) return undefined;
    return andThen(this.roster()?.get(account), contacts =>
      isToldAnyway(account, session, contacts) ? undefined : this.lastOf(account, names, session, since, 'open'),
    );
  }

  /** XEP-0060 12.2: a subscriber of nodes at domains is there. `meant`: whether it is for the last items of a service. */
  async greetSubscriber(jid: Jid, since: number, meant: (service: Jid) => boolean): Promise<void> {
    const { store, nodes, telling } = this.engine;
    for (const at of await store.greetedAt(jid.bare)) {
      const domain = parseJid(at.service);
      if (!domain || domain.local !== '' || !meant(domain)) continue;
      const node = await nodes.find(domain, at.name);
      if (!node || !isGreeted(node)) continue;
      const subscriptions = [node.subscriptions.get(jid.full), node.subscriptions.get(jid.bare)];
      const wants = subscriptions.some(one => one?.state === 'subscribed' && one.options.deliver);
      const item = wants ? await lastItemBefore(this.engine, node, since) : undefined;
      if (item) await telling.last(node, item, jid);
    }
  }

  private greetAsContact(session: SessionView, names: ReadonlySet<string>, since: number): Step {
    const account = session.user.jid;
    return andThen(this.lastOf(account, names, session, since), () =>
      andThen(this.roster()?.get(account), contacts =>
        eachInSlices(contacts?.values() ?? [], ({ address, subscription }) => {
          if (!session.alive || (subscription !== 'to' && subscription !== 'both')) return PASSED;
          if (address.local === '' || !this.node.hosts.has(address.domain)) return PASSED;
          return this.lastOf(address, names, session, since) ?? LOOKED;
        }),
      ),
    );
  }

  /** The last items of an account's nodes to a client that wants them. */
  private lastOf(
    account: Jid,
    names: ReadonlySet<string>,
    session: SessionView,
    since: number,
    only?: AccessModel,
  ): Step {
    if (!this.enabled(account.domain)) return undefined;
    return andThen(this.engine.nodes.of(account), nodes =>
      inOrder(nodes.values(), node => {
        if (!names.has(node.name) || !isGreeted(node)) return undefined;
        if (only !== undefined && node.config.accessModel !== only) return undefined;
        return this.engine.telling.lastTo(node, () => lastItemBefore(this.engine, node, since), session);
      }),
    );
  }

  /** XEP-0163 7.1: a contact may see more, or less, than before. */
  async changed(
    account: Jid,
    { before, after }: RosterChange,
    capabilities: Capabilities,
    since: number,
  ): Promise<void> {
    const contact = (after ?? before)!.address;
    const nodes = await this.engine.nodes.of(account);
    if (nodes.size === 0) return;
    await this.cancel(account, nodes, contact);
    if (!isSeen(after)) return;
    const gains = (node: PubsubNode): boolean => {
      const { accessModel, rosterGroupsAllowed } = node.config;
      if (!isSeen(before)) return accessModel !== 'authorize' && accessModel !== 'whitelist';
      const isIn = (groups: readonly string[]) => groups.some(group => rosterGroupsAllowed.includes(group));
      return accessModel === 'roster' && !isIn(before!.groups) && isIn(after!.groups);
    };
    for (const session of this.node.user(contact)?.sessions ?? []) {
      for (const node of nodes.values()) {
        if (!isGreeted(node) || !gains(node) || !capabilities.wants(session, node.name)) continue;
        await this.engine.telling.lastTo(node, () => lastItemBefore(this.engine, node, since), session);
      }
    }
  }

  private async cancel(account: Jid, nodes: ReadonlyMap<string, PubsubNode>, contact: Jid): Promise<void> {
    for (const { name, subscriptions } of nodes.values()) {
      if (![...subscriptions.values()].some(({ jid }) => jid.bare === contact.bare)) continue;
      await this.engine.nodes.turn(account, name, async () => {
        const node = await this.engine.nodes.find(account, name);
        if (node) await subscribersLost(this.engine, node, contact);
      });
    }
  }
}

function isGreeted({ config }: PubsubNode): boolean {
  return config.sendLastPublishedItem === 'on_sub_and_presence' && config.deliverNotifications && config.persistItems;
}

function isSeen(item: RosterChange['after']): boolean {
  return item !== undefined && seesPresence(item);
}
