import { randomUUID } from 'node:crypto';
import {
  andThen,
  currentUnit,
  eachInSlices,
  FULL,
  inOrder,
  type MaybePromise,
  type Mod,
  type NodeView,
  Packet,
  type SessionView,
} from '../../src/api/index.ts';
import { type Jid, parseJid } from '../../src/jid/index.ts';
import { NS } from '../../src/protocol/index.ts';
import { type Element, serialize, wireAttribute } from '../../src/xml/index.ts';
import { type BlockingService, deliverUnblocked } from '../blocking/contract.ts';
import type { RosterItem, RosterService } from '../roster/contract.ts';
import { type Access, seesPresence } from './access.ts';
import type { Bounces } from './bounces.ts';
import type { Capabilities } from './capabilities.ts';
import { EVENT } from './names.ts';
import { Round } from './round.ts';
import { type Sharing, type Shown, showOf } from './sharing.ts';
import { isPersonal, type Item, ownersOf, type PubsubNode, type Subscription } from './node.ts';

type Step = void | Promise<void>;
type Contacts = ReadonlyMap<string, RosterItem> | undefined;

/** Costs of a recipient (src/util/slices.ts): one who is told, and one who is not. */
const TOLD = 15;
const PASSED = 1;
/** What may be told as part of one unit, by these costs. */
const IN_ONE = 10_000;

export interface TellingParts {
  readonly node: NodeView;
  readonly log: Mod['log'];
  readonly access: Access;
  readonly capabilities: Capabilities;
  readonly bounces: Bounces;
  readonly sharing: Sharing;
  readonly shown: Shown;
  roster(): RosterService | undefined;
  blocking(): BlockingService | undefined;
}

/** Tells subscribers what has happened at a node: XEP-0060 7.1.2, 12.2. In slices: many of them hold nobody up. */
export class Telling {
  private readonly parts: TellingParts;

  constructor(parts: TellingParts) {
    this.parts = parts;
  }

  /** Content of the event as a wire string. What is told of a node is told in order. `pending`: also those who wait to be let in. */
  tell(node: PubsubNode, content: string, pending = false): void {
    this.event(node, eventOf(node, content), pending);
  }

  /**
   * Stores something and tells of it, in one unit (src/util/unit.ts): either both are done or nothing is, whenever the program ends.
   * `contents`: the events, as wire strings. Resolved when it is stored and all have been told, of very many those too who are told
   * behind the unit; rejects with a StorageError, and nobody has been told.
   */
  async together<T>(
    node: PubsubNode,
    contents: readonly string[],
    write: () => Promise<T>,
    pending = false,
  ): Promise<T> {
    // what is told of it keeps up, so that it cannot be published faster than it is told
    await node.telling;
    await this.lookUp(node);
    const events = contents.map(content => eventOf(node, content));
    if (events.length === 0) return write();
    const writing = this.parts.node.together(events[0]!, () => {
      const unit = currentUnit();
      if (unit) unit.required = true;
      const written = write();
      for (const event of events) this.event(node, event, pending);
      return written;
    });
    try {
      return await writing;
    } finally {
      await node.telling;
    }
  }

  /** What has to be known to tell somebody at once. */
  private async lookUp(node: PubsubNode): Promise<void> {
    if (!isPersonal(node)) return;
    await this.parts.roster()?.get(node.service);
    await this.parts.blocking()?.list(node.service);
  }

  private event(node: PubsubNode, packet: Packet, pending: boolean): void {
    // what is behind the addresses is made once, for all
    packet.wire();
    const subscribed = [...node.subscriptions.values()].filter(({ state }) => pending || state === 'subscribed');
    if (subscribed.length > 0) this.parts.bounces.note(packet.id!, node);
    const round = new Round(this.parts.node, packet, currentUnit());
    this.behind(node, () => {
      // only who is subscribed as well could be told twice
      const told = subscribed.length > 0 ? new Set<string>() : undefined;
      const implied = isPersonal(node) ? this.toInterested(node, round, told) : undefined;
      const all = andThen(implied, () => this.toSubscribers(node, round, subscribed, told));
      return andThen(all, () => round.safe());
    });
  }

  private behind(node: PubsubNode, run: () => Step): void {
    const step = node.telling ? node.telling.then(run) : run();
    if (!step) return;
    const done: Promise<void> = step
      .catch((error: unknown) => this.failed(error))
      .finally(() => {
        if (node.telling === done) node.telling = undefined;
      });
    node.telling = done;
  }

  /** XEP-0060 9.1: the account's own clients and those of its contacts, as far as they want to be told and may read; and who shares presence. */
  private toInterested(node: PubsubNode, round: Round, told: Set<string> | undefined): Step {
    const account = node.service;
    const own = this.toClients(round, this.interested(node, account), told);
    return andThen(own, () =>
      andThen(this.parts.roster()?.get(account), contacts =>
        andThen(this.toContacts(node, round, contacts, told), () => this.toSharers(node, round, contacts, told)),
      ),
    );
  }

  private toContacts(node: PubsubNode, round: Round, contacts: Contacts, told: Set<string> | undefined): Step {
    return eachInSlices(
      contacts?.values() ?? [],
      contact => {
        if (!seesPresence(contact)) return PASSED;
        const clients = this.interested(node, contact.address);
        if (clients.length === 0) return PASSED;
        const step = andThen(this.mayBeTold(node, contact.address, contact), may =>
          may ? this.toClients(round, clients, told) : undefined,
        );
        return step ?? TOLD;
      },
      IN_ONE,
    );
  }

  /** XEP-0060 9.1.3: of what is open those too who have sent presence to the account, as long as they are there. */
  private toSharers(node: PubsubNode, round: Round, contacts: Contacts, told: Set<string> | undefined): Step {
    const { sharing, capabilities } = this.parts;
    if (node.config.accessModel !== 'open') return undefined;
    return eachInSlices(sharing.with(node.service), session => {
      if (!session.alive || !capabilities.wanted(session).has(node.name)) return PASSED;
      if (isToldAnyway(node.service, session, contacts)) return PASSED;
      const step = andThen(this.mayBeTold(node, session.jid), may =>
        may ? this.toClients(round, [session], told) : undefined,
      );
      return step ?? TOLD;
    });
  }

  /** The clients of somebody that want to be told of a node. */
  private interested(node: PubsubNode, person: Jid): readonly SessionView[] {
    const user = this.parts.node.user(person);
    return user ? user.sessions.filter(session => this.parts.capabilities.wants(session, node.name)) : [];
  }

  /** Whether somebody may read a node, and its account has not blocked them (XEP-0163 4.3.3). */
  private mayBeTold(node: PubsubNode, who: Jid, contact?: RosterItem): MaybePromise<boolean> {
    return andThen(this.parts.access.retrieve(node, who, contact), refused =>
      refused ? false : andThen(this.blocks(node.service, who), blocked => !blocked),
    );
  }

  /** Whether an account has blocked an address (XEP-0191). */
  private blocks(account: Jid, address: Jid): MaybePromise<boolean> {
    return this.parts.blocking()?.blocks(account, address) ?? false;
  }

  /** Into their outboxes, as what is sent to many. */
  private toClients(round: Round, clients: readonly SessionView[], told: Set<string> | undefined): Step {
    const { node, blocking } = this.parts;
    return inOrder(clients, session => {
      told?.add(session.jid.full).add(session.user.jid.bare);
      return round.send(session.jid, copy => {
        copy.address = FULL;
        // nobody shuts himself out of his own account
        if (session.user.jid.bare === copy.from.bare) return node.deliver(copy, session);
        return deliverUnblocked(blocking(), node, copy, session);
      });
    });
  }

  private toSubscribers(
    node: PubsubNode,
    round: Round,
    subscribed: readonly Subscription[],
    told: ReadonlySet<string> | undefined,
  ): Step {
    const { hosts } = this.parts.node;
    const tell = (subscription: Subscription, elsewhere: boolean): number | Promise<void> => {
      const { jid } = subscription;
      if (told?.has(jid.full) || !this.isThere(node, subscription, hosts)) return PASSED;
      const send = (): Step => round.send(jid, copy => this.parts.node.route(copy), elsewhere);
      if (!isPersonal(node)) return send() ?? TOLD;
      return andThen(this.blocks(node.service, jid), blocked => (blocked ? undefined : send())) ?? TOLD;
    };
    const isHere = ({ jid }: Subscription): boolean => hosts.has(jid.domain);
    const here = subscribed.filter(isHere);
    const step = eachInSlices(here, subscription => tell(subscription, false), IN_ONE);
    if (here.length === subscribed.length) return step;
    const others = subscribed.filter(subscription => !isHere(subscription));
    return andThen(step, () => eachInSlices(others, subscription => tell(subscription, true)));
  }

  /**
   * XEP-0060 6.3, 12.6: presence is known of those who are at home here, and of those who have sent it to the service; of others it is not,
   * and they are told.
   */
  private isThere(node: PubsubNode, { jid, options }: Subscription, hosts: ReadonlySet<string>): boolean {
    if (!options.deliver) return false;
    const always = !node.config.presenceBasedDelivery && options.showValues.length === 0;
    const shown = always ? undefined : this.parts.shown.of(node.service, jid);
    if (always || (!shown && !hosts.has(jid.domain))) return true;
    const fits = (full: string, show: string): boolean =>
      (jid.resource === '' || full === jid.full) &&
      (options.showValues.length === 0 || options.showValues.includes(show));
    for (const [full, show] of shown ?? []) if (fits(full, show)) return true;
    const sessions = this.parts.node.user(jid)?.sessions ?? [];
    return sessions.some(session => session.presence && fits(session.jid.full, showOf(session.presence)));
  }

  /** Sends an item that was published before: to a new subscriber, or a client that has come online (6.1.7, XEP-0163 4.3.4). */
  last(node: PubsubNode, item: Item, to: Jid): Step {
    const stamp = new Date(item.at).toISOString();
    const packet = eventOf(node, itemsOf(node, [item]), `<delay xmlns='${NS.delay}' stamp='${stamp}'/>`);
    return this.parts.node.route(packet.readdressed(to));
  }

  /** The last item to a client of somebody who may read it and wants to be told. */
  lastTo(node: PubsubNode, load: () => MaybePromise<Item | undefined>, session: SessionView): Step {
    return andThen(this.mayBeTold(node, session.jid), may => {
      if (!may || !session.alive) return undefined;
      return andThen(load(), item => (item && session.alive ? this.last(node, item, session.jid) : undefined));
    });
  }

  /** Tells somebody what has become of their subscription: XEP-0060 12.14. */
  subscription(node: PubsubNode, jid: Jid, state: 'none' | 'pending' | 'subscribed'): void {
    const content = `<subscription${wireAttribute('node', node.name)}${wireAttribute('jid', jid.full)} subscription='${state}'/>`;
    this.send(eventOf(node, content).readdressed(jid));
  }

  /** Tells somebody what they are at the node now: XEP-0060 8.9.4. */
  affiliation(node: PubsubNode, jid: Jid, affiliation: string): void {
    const content =
      `<affiliations${wireAttribute('node', node.name)}><affiliation${wireAttribute('jid', jid.full)}` +
      ` affiliation='${affiliation}'/></affiliations>`;
    const wire = `<message type='headline' id='${randomUUID()}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>${content}</pubsub></message>`;
    this.send(Packet.fromWire(wire, node.service, jid));
  }

  /** Sends a form, or whatever else an owner should see, to all owners, or to one. */
  owners(node: PubsubNode, content: Element, id: string, only?: Jid): void {
    const wire = `<message${wireAttribute('id', id)}>${serialize(content, NS.client)}</message>`;
    const packet = Packet.fromWire(wire, node.service, undefined);
    for (const owner of only ? [only.full] : ownersOf(node)) {
      const jid = parseJid(owner);
      if (jid) this.send(packet.readdressed(jid));
    }
  }

  private send(packet: Packet): void {
    const step = this.parts.node.route(packet);
    if (step) step.catch((error: unknown) => this.failed(error));
  }

  /** Behind what is being answered now. */
  later(work: () => Promise<void>): void {
    setImmediate(() => void work().catch((error: unknown) => this.failed(error)));
  }

  private failed(error: unknown): void {
    this.parts.log.error({ err: error }, 'somebody could not be told of a node');
  }
}

/** Whether a client is one of the account's own, or of a contact who sees its presence. */
export function isToldAnyway(account: Jid, { user }: SessionView, contacts: Contacts): boolean {
  const contact = contacts?.get(user.jid.bare);
  return user.jid.bare === account.bare || (contact !== undefined && seesPresence(contact));
}

/** A message with an event (XEP-0060 7.1.2), which is addressed afterwards. */
function eventOf({ service, config }: PubsubNode, content: string, more = ''): Packet {
  const type = config.notificationType === 'headline' ? ` type='headline'` : '';
  const wire = `<message${type} id='${randomUUID()}'><event xmlns='${EVENT}'>${content}</event>${more}</message>`;
  return Packet.fromWire(wire, service, undefined);
}

/** `<items/>` of an event, as a wire string. */
export function itemsOf(node: PubsubNode, items: readonly Item[]): string {
  const name = wireAttribute('node', node.name);
  if (items.length === 0) return `<items${name}/>`;
  const { deliverPayloads, itemreply } = node.config;
  const inner = items.map(({ id, publisher, payload }) => {
    const by = itemreply === 'publisher' ? wireAttribute('publisher', publisher) : '';
    const head = `<item${wireAttribute('id', id)}${by}`;
    return deliverPayloads && payload !== '' ? `${head}>${payload}</item>` : `${head}/>`;
  });
  return `<items${name}>${inner.join('')}</items>`;
}

export function retractionOf(node: PubsubNode, ids: readonly string[]): string {
  return `<items${wireAttribute('node', node.name)}>${ids.map(id => `<retract${wireAttribute('id', id)}/>`).join('')}</items>`;
}
