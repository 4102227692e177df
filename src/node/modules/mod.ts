import type { Logger } from 'pino';
import type { Collections, Gauge } from '../../api/collections.ts';
import type {
  ChainName,
  FactName,
  IqOptions,
  Mod,
  ModuleDefinition,
  ServiceKey,
  Slot,
  SlotJson,
} from '../../api/module.ts';
import type { NodeView } from '../../api/node-view.ts';
import type { Storage } from '../../api/storage.ts';
import type { Answer, Chain, IqRequest, IqTable, Packet, Points, SessionView, Where } from '../../bus/index.ts';
import type { Metrics } from '../metrics.ts';
import { ANSWER, type Failures } from './failures.ts';
import { describe, Guards, isAnswer } from './guards.ts';
import { hostOfFact, Placed } from './hosts.ts';
import type { Jobs } from './jobs.ts';
import type { Slots } from './slots.ts';
import { within } from './within.ts';

const CLEANUP = 10_000; // ms that a part of an unload may take

/** What all modules register with. */
export interface Registries {
  readonly node: NodeView;
  readonly points: Points;
  readonly iqs: IqTable;
  readonly collections: Collections;
  readonly storage: Storage;
  readonly metrics: Metrics;
  readonly slots: Slots;
  readonly jobs: Jobs;
  readonly failures: Failures;
  readonly services: Map<string, { owner: string; service: unknown }>;
}

/** What a handle stands for. */
export interface HandleOf {
  /** As the configuration calls the module. */
  readonly key: string;
  readonly definition: ModuleDefinition;
  readonly stores: unknown;
  readonly options: (host?: string) => unknown;
}

type Fn = (...args: never[]) => unknown;
type Undo = () => void | Promise<void>;

/** A module's hold on the house: what it registers, and how to undo it. */
export class ModuleHandle implements Mod {
  readonly name: string;
  readonly log: Logger;
  readonly stores: unknown;
  /** What it registered, for lists and documentation. */
  readonly hooks: string[] = [];
  private readonly of: HandleOf;
  private readonly registries: Registries;
  private readonly undo: Undo[] = [];
  private readonly placed = new Set<Placed>();
  private readonly counted = new Set<string>();
  private readonly guards: Guards;
  private readonly controller = new AbortController();
  private over = false;
  private onAllHosts: boolean;

  constructor(of: HandleOf, registries: Registries, log: Logger) {
    this.of = of;
    this.name = of.definition.name;
    this.stores = of.stores;
    this.registries = registries;
    this.guards = new Guards(this.name, registries.failures, registries.node);
    this.log = log.child({ module: this.name });
    this.onAllHosts = registries.node.moduleEverywhere(of.key);
  }

  get node(): NodeView {
    return this.registries.node;
  }

  get storage(): Storage {
    return this.registries.storage;
  }

  get collections(): Collections {
    return this.registries.collections;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  options(host?: string): never {
    return this.of.options(host) as never;
  }

  enabled(host: string): boolean {
    return this.registries.node.moduleEnabled(this.of.key, host);
  }

  /** Whether it is on for every host: then nobody asks before a handler is called. */
  get everywhere(): boolean {
    return this.onAllHosts;
  }

  set everywhere(value: boolean) {
    if (value === this.onAllHosts) return;
    this.onAllHosts = value;
    for (const placed of this.placed) placed.everywhere = value;
  }

  /** Registers something, unless the module is over: what a late promise registers would stay for good. */
  private keep(register: () => Undo, hook?: string): void {
    if (this.over) throw new Error(`the module ${this.name} is unloaded: it can register nothing`);
    this.undo.push(register());
    if (hook !== undefined) this.hooks.push(hook);
  }

  on(
    point: ChainName,
    phase: string,
    where: Where,
    fn: Fn,
    order?: { before?: readonly string[]; after?: readonly string[] },
  ): void {
    const chain = this.registries.points[point] as Chain<SessionView>;
    const registration = { owner: this.name, phase, where, fn: fn as never, ...order };
    this.keep(() => {
      const placed = new Placed(chain, registration, host => this.enabled(host), this.onAllHosts);
      this.placed.add(placed);
      return () => {
        placed.remove();
        this.placed.delete(placed);
      };
    }, `${point}/${phase}`);
  }

  when(fact: FactName, fn: Fn): void {
    const listener = fn as unknown as (subject: unknown, other: unknown) => void;
    const guarded = (subject: unknown, other: unknown): void => {
      if (!this.onAllHosts) {
        const host = hostOfFact(fact, subject, other);
        if (host !== undefined && !this.enabled(host)) return undefined;
      }
      // perhaps a promise, which the fact looks after
      return listener(subject, other);
    };
    this.keep(() => this.registries.points[fact as 'bound'].add(this.name, guarded), fact);
  }

  iq(options: IqOptions, fn: Fn): void {
    const { xmlns, name, type = 'both', to, from = 'owner', absent } = options;
    const answer = fn as unknown as (request: IqRequest) => Answer | Promise<Answer>;
    const failed = (error: unknown, packet: Packet): Answer => {
      this.registries.failures.note(this.name, `iq ${xmlns}`, error, packet);
      return this.registries.failures.refusal(error);
    };
    const checked = (given: Answer): Answer => {
      if (isAnswer(given)) return given;
      throw new TypeError(`${describe(given)} is no answer to a request`);
    };
    const guarded = (request: IqRequest): Answer | Promise<Answer> => {
      try {
        const given = answer(request);
        if (!(given instanceof Promise)) return checked(given);
        return within(given.then(checked), ANSWER, `no answer within ${ANSWER} ms`).catch((error: unknown) =>
          failed(error, request.packet),
        );
      } catch (error) {
        return failed(error, request.packet);
      }
    };
    const enabled = (host: string): boolean => this.onAllHosts || this.enabled(host);
    const registration = { owner: this.name, xmlns, name, type, to, from, absent, fn: guarded, enabled };
    const hook = `iq ${type === 'both' ? '' : `${type} `}${name ?? '*'} ${xmlns}`;
    this.keep(() => this.registries.iqs.add(registration), hook);
  }

  add(collection: keyof Collections, item: never): void {
    const guarded = this.guards.item(collection, item) as never;
    if (collection === 'gauges') this.gauge(guarded as Gauge);
    this.keep(
      () => this.collections[collection].add(this.name, guarded),
      collection === 'disco' ? undefined : collection,
    );
  }

  private gauge({ name, help, read }: Gauge): void {
    const { metrics } = this.registries;
    if (metrics.families.some(family => family.name === name))
      throw new Error(`there is a figure of the name ${name} already`);
    this.keep(() => metrics.gauge(name, help, read as () => number));
  }

  feature(kind: 'host' | 'account' | 'both', feature: string, when?: (host: string) => boolean): void {
    for (const one of kind === 'both' ? (['host', 'account'] as const) : [kind]) {
      this.keep(
        () => this.collections.disco.add(this.name, this.guards.item('disco', { of: one, feature, when })),
        `feature ${one} ${feature}`,
      );
    }
  }

  every(milliseconds: number, job: () => void | Promise<void>): void {
    const failed = (error: unknown): void => this.registries.failures.note(this.name, 'every', error);
    this.keep(() => this.registries.jobs.every(this.name, milliseconds, job, failed), `every ${milliseconds} ms`);
  }

  perSession<T>(init: (session: SessionView) => T, json?: SlotJson<T>): Slot<T> {
    let slot: Slot<T>;
    this.keep(() => {
      const taken = this.registries.slots.take(this.name, init, json);
      slot = taken.slot;
      return taken.give;
    });
    return slot!;
  }

  provide<T>(key: ServiceKey<T>, service: T): void {
    const { services } = this.registries;
    const other = services.get(key.name);
    if (other) throw new Error(`the service '${key.name}' is provided by the module ${other.owner} already`);
    this.keep(() => {
      services.set(key.name, { owner: this.name, service });
      return () => void services.delete(key.name);
    }, `service ${key.name}`);
  }

  use<T>(key: ServiceKey<T>): T {
    const entry = this.registries.services.get(key.name);
    if (!entry) throw new Error(`the module ${this.name} uses the service '${key.name}', which is not there`);
    if (entry.owner !== this.name && !this.of.definition.needs?.includes(entry.owner)) {
      throw new Error(`the module ${this.name} uses a service of ${entry.owner}: it must name it in 'needs'`);
    }
    return entry.service as T;
  }

  maybe<T>(key: ServiceKey<T>): T | undefined {
    return this.registries.services.get(key.name)?.service as T | undefined;
  }

  cleanup(fn: Undo): void {
    this.keep(() => fn);
  }

  taken(packet: Packet, sessions: readonly SessionView[]): void {
    this.registries.points.taken.tell(packet, sessions);
  }

  count(name: string, help: string): { inc(by?: number): void } {
    const { metrics } = this.registries;
    const family = `posthouse_${this.name.replaceAll('-', '_')}_${name}_total`;
    if (!this.counted.has(family)) {
      this.keep(() => () => metrics.remove(family));
      this.counted.add(family);
    }
    return metrics.counter(family, help);
  }

  /** Undoes everything, the newest first. A part that fails or takes too long keeps no other from being undone. */
  async release(): Promise<void> {
    this.over = true;
    this.controller.abort();
    for (let undo = this.undo.pop(); undo; undo = this.undo.pop()) {
      try {
        await within(undo(), CLEANUP, `not undone within ${CLEANUP / 1000} s`);
      } catch (error) {
        this.registries.failures.note(this.name, 'unload', error);
      }
    }
  }
}
