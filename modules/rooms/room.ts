import { FULL, type MaybePromise, type Packet } from '../../src/api/index.ts';
import type { Jid } from '../../src/jid/index.ts';
import { refuse, StanzaError, type StanzaErrorCondition, type StanzaErrorDetails } from '../../src/protocol/index.ts';
import { deliverUnblocked } from '../blocking/contract.ts';
import { Affiliations } from './affiliations.ts';
import { configFromJson, type RoomConfig } from './config.ts';
import type { AffiliationChange, Farewell, RoomChange } from './contract.ts';
import { Hats } from './hats.ts';
import { History } from './history.ts';
import type { RoomHouse } from './house.ts';
import { Occupants, type OccupantSession } from './occupants.ts';
import type { Actor, Affiliation, OccupantRole } from './roles.ts';
import type { Affiliated, Application, StoredRoom, Subject, Unaffiliated } from './stored.ts';
import { View } from './view.ts';

/** How a room is that is there. */
export interface RoomState {
  readonly id: number;
  config: RoomConfig;
  locked: boolean;
  subject: Subject | undefined;
  avatarHashes: readonly string[];
  applications: readonly Application[];
  readonly affiliations: Affiliations;
  /** XEP-0317. */
  hats: Hats;
}

/** How a room is that is open from the beginning. */
export interface FirstState {
  readonly config: Partial<RoomConfig>;
  /** The nickname to reserve for its owner. */
  readonly nick?: string | undefined;
  /** Beside its owner. */
  readonly affiliated: readonly AffiliationChange[];
}

/**
 * A room as an actor: all that is asked of it comes through `do`, one after the other, and nobody else changes its state. A room that was
 * never made, or is gone, is one too, without a state: who enters it makes it.
 */
export class Room {
  readonly jid: Jid;
  /** The host that its service belongs to. */
  readonly host: string;
  readonly house: RoomHouse;
  readonly occupants = new Occupants();
  readonly history = new History();
  /** As other modules see it, while it is there. */
  readonly view = new View(this);
  state: RoomState | undefined;
  /** Since when nobody is in it; milliseconds since 1970. */
  emptySince = Date.now();
  /** Resolved when what waits is done; undefined while nothing does. */
  private tail: Promise<void> | undefined;
  private running = false;
  /** Why it could not be read. */
  private failure: unknown;

  constructor(jid: Jid, host: string, house: RoomHouse) {
    this.jid = jid;
    this.host = host;
    this.house = house;
  }

  /** Runs a job when all before it are done: at once, where nothing waits. Failures are the job's own. */
  do<T>(job: () => MaybePromise<T>): MaybePromise<T> {
    if (this.tail) return this.follow(this.tail.then(() => this.run(job)));
    // what happens because of a job comes behind it
    if (this.running) return this.follow(Promise.resolve().then(() => this.run(job)));
    const result = this.run(job);
    if (result instanceof Promise) return this.follow(result);
    this.rest();
    return result;
  }

  private run<T>(job: () => MaybePromise<T>): MaybePromise<T> {
    if (this.failure !== undefined) throw this.failure;
    this.running = true;
    try {
      return job();
    } finally {
      this.running = false;
    }
  }

  /** Nothing waits any more. */
  private rest(): void {
    if (!this.state && !this.tail) this.house.forget(this);
  }

  private follow<T>(result: Promise<T>): Promise<T> {
    const settled = (): void => {
      if (this.tail !== tail) return;
      this.tail = undefined;
      this.rest();
    };
    const tail: Promise<void> = result.then(settled, settled);
    this.tail = tail;
    return result;
  }

  /** Whether a job waits or runs. */
  get isBusy(): boolean {
    return this.running || this.tail !== undefined;
  }

  /** Reads it from the database; what is asked meanwhile waits. Where it cannot be read, who waits fails with it, and it is forgotten. */
  wake(): void {
    const woken = (stored: StoredRoom | undefined): void => {
      if (stored) this.state = this.stateOf(stored);
    };
    const failed = (error: unknown): void => {
      this.failure = error;
      this.house.forget(this);
    };
    try {
      const stored = this.house.store.load(this.jid);
      if (stored instanceof Promise) void this.follow(stored.then(woken).catch(failed));
      else woken(stored);
    } catch (error) {
      failed(error);
    }
  }

  private stateOf({
    id,
    locked,
    subject,
    avatarHashes,
    applications,
    config,
    affiliated,
    hats,
    wearers,
  }: StoredRoom): RoomState {
    return {
      id,
      locked,
      subject,
      avatarHashes,
      applications,
      config: configFromJson(config, this.house.defaults(this.host)),
      affiliations: new Affiliations(affiliated),
      hats: new Hats(hats, wearers),
    };
  }

  /** Makes it, with its first owner: locked (XEP-0045 10.1), or where somebody says how it is, open. */
  async create(creator: Jid, as?: FirstState): Promise<void> {
    const { store, policies } = this.house;
    const created = Date.now();
    const config = { ...this.house.defaults(this.host), ...as?.config };
    const owner: Affiliated = {
      jid: creator.toBare(),
      affiliation: 'owner',
      since: created,
      ...(as?.nick && { nick: as.nick }),
    };
    const affiliated = [owner];
    for (const { jid, affiliation, nick } of as?.affiliated ?? [])
      if (affiliation !== 'none' && jid.bare !== owner.jid.bare)
        affiliated.push({ jid, affiliation, ...(nick && { nick }), since: created });
    const locked = as === undefined;
    this.changing('created', undefined, config.persistent);
    const id = await store.create({ jid: this.jid, creator: owner.jid, config, locked, created }, affiliated);
    const affiliations = new Affiliations(affiliated);
    this.state = {
      id,
      config,
      locked,
      subject: undefined,
      avatarHashes: [],
      applications: [],
      affiliations,
      hats: Hats.NONE,
    };
    policies.created(this, owner.jid);
  }

  /** Who has an affiliation now does not wait for one any more; who has none could ask anew. */
  settle(entries: readonly (Affiliated | Unaffiliated)[]): void {
    const { state } = this;
    if (!state || state.applications.length === 0) return;
    const given = new Set(entries.filter(({ affiliation }) => affiliation !== 'none').map(({ jid }) => jid.bare));
    state.applications = state.applications.filter(({ jid }) => !given.has(jid.bare));
  }

  /** Takes it away for good. Its occupants have been told, or there are none. */
  async destroy(farewell: Farewell = {}, by?: Jid): Promise<void> {
    const { state, jid, host } = this;
    if (!state) return;
    // first: what was said in it is nobody's who makes another one by its name
    await this.house.archive()?.forget(this.jid);
    const { id, config, affiliations } = state;
    const affiliated = [...affiliations.all()];
    this.changing('destroyed', this.addresses());
    await this.house.store.remove(id);
    this.state = undefined;
    this.history.clear();
    this.house.policies.destroyed({ jid, host, id, config, affiliated }, farewell, by);
  }

  /** Other modules are told what is about to be kept. */
  changing(fact: RoomChange['fact'], accounts: readonly Jid[] | undefined, persistent = this.config.persistent): void {
    const { jid, host } = this;
    this.house.policies.changing({ jid, host, fact, persistent, accounts });
  }

  /** Those of all that are affiliated with it. */
  addresses(): Jid[] {
    return [...this.state!.affiliations.all()].map(({ jid }) => jid);
  }

  /** Somebody has left it: a temporary room goes with the last one. */
  left(): MaybePromise<void> {
    if (this.occupants.size > 0 || !this.state) return undefined;
    this.emptySince = Date.now();
    return this.state.locked || !this.config.persistent ? this.destroy() : undefined;
  }

  /** The configuration of a room that is there. */
  get config(): RoomConfig {
    return this.state!.config;
  }

  /** What somebody is to the room; administrators of the host are as owners where they ask for something. */
  actor(from: Jid): Actor {
    const affiliation = this.affiliationOf(from);
    const roles = this.occupants.of(from).map(({ role }) => role);
    const role = (['moderator', 'participant', 'visitor'] as const).find(each => roles.includes(each));
    return { affiliation: this.house.node.isAdmin(from.toBare(), this.host) ? 'owner' : affiliation, role };
  }

  affiliationOf(jid: Jid): Affiliation {
    return this.state?.affiliations.of(jid) ?? 'none';
  }

  /** Whether occupants of a role see the full addresses of all others. */
  showsAddressesTo(role: OccupantRole): boolean {
    return role === 'moderator' || this.config.whois === 'anyone';
  }

  /** Puts a stanza, made once for all, on its way to one client. */
  send(packet: Packet, to: OccupantSession): void {
    const copy = packet.readdressed(to.jid);
    copy.address = FULL;
    const { node, blocking } = this.house;
    if (to.session) void deliverUnblocked(blocking(), node, copy, to.session);
    else void node.route(copy);
  }

  /** Answers a stanza with an error in the name of the room. */
  refuse(packet: Packet, error: StanzaError): void {
    this.house.node.bounce(packet, error.saidBy(this.jid.full));
  }

  error(packet: Packet, condition: StanzaErrorCondition, details: StanzaErrorDetails | string = {}): void {
    this.refuse(packet, new StanzaError(condition, typeof details === 'string' ? { text: details } : details));
  }
}

/** What is said of a room that is not there. */
export const NO_ROOM = refuse('item-not-found', 'There is no such room.');
