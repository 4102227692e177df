import type { Logger } from 'pino';
import type { Collections } from '../../api/collections.ts';
import type { IqOptions, Mod, ServiceKey, Slot } from '../../api/module.ts';
import type { NodeView } from '../../api/node-view.ts';
import type { Storage } from '../../api/storage.ts';
import type { Chain, IqTable, Packet, Points, SessionView } from '../../bus/index.ts';
import type { Metrics } from '../metrics.ts';
import type { Slots } from './slots.ts';

/** What all modules register with. */
export interface Registries {
  readonly node: NodeView;
  readonly points: Points;
  readonly iqs: IqTable;
  readonly collections: Collections;
  readonly storage: Storage;
  readonly metrics: Metrics;
  readonly slots: Slots;
  readonly services: Map<string, { owner: string; service: unknown }>;
  options(module: string, host?: string): unknown;
}

type Fn = (...args: never[]) => unknown;

/** Which host a stanza's handlers answer to, by point. */
function hostOf(point: string, packet: Packet, session: SessionView | undefined): string {
  if (point === 'received' || point === 'presence') return packet.from.domain;
  if (point === 'deliver') return session!.jid.domain;
  return packet.to?.domain ?? packet.from.domain;
}

/** A module's hold on the house: what it registers, and how to undo it. */
export class ModuleHandle implements Mod {
  readonly name: string;
  readonly log: Logger;
  readonly stores: unknown;
  private readonly registries: Registries;
  private readonly undo: (() => void | Promise<void>)[] = [];
  private readonly controller = new AbortController();
  private readonly needs: readonly string[];
  private over = false;
  /** Whether it is on for every host: then no handler has to ask. */
  everywhere: boolean;
  /** What it registered, for lists and documentation. */
  readonly hooks: string[] = [];

  constructor(name: string, needs: readonly string[], stores: unknown, registries: Registries, log: Logger) {
    this.name = name;
    this.needs = needs;
    this.stores = stores;
    this.registries = registries;
    this.log = log.child({ module: name });
    this.everywhere = registries.node.moduleEverywhere(name);
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
    return this.registries.options(this.name, host) as never;
  }

  enabled(host: string): boolean {
    return this.node.moduleEnabled(this.name, host);
  }

  private keep(undo: () => void | Promise<void>): void {
    if (this.over) throw new Error(`the module ${this.name} is unloaded: it can register nothing`);
    this.undo.push(undo);
  }

  on(point: string, phase: string, where: object, fn: Fn, order?: object): void {
    const chain = this.registries.points[point as 'received'] as Chain<SessionView>;
    const { node, name } = this;
    const handler = fn as unknown as (packet: Packet, argument: SessionView) => undefined;
    const guarded = (packet: Packet, argument: SessionView) =>
      this.everywhere || node.moduleEnabled(name, hostOf(point, packet, argument))
        ? handler(packet, argument)
        : undefined;
    this.keep(chain.add({ owner: name, phase, where, fn: guarded, ...order }));
    this.hooks.push(`${point}/${phase}`);
  }

  when(fact: string, fn: Fn): void {
    this.keep(this.registries.points[fact as 'bound'].add(this.name, fn as never));
    this.hooks.push(fact);
  }

  iq(options: IqOptions, fn: Fn): void {
    const { node, name } = this;
    this.keep(
      this.registries.iqs.add({
        owner: name,
        xmlns: options.xmlns,
        name: options.name,
        type: options.type ?? 'both',
        to: options.to,
        from: options.from ?? 'owner',
        fn: fn as never,
        enabled: host => node.moduleEnabled(name, host),
      }),
    );
    this.hooks.push(`iq ${options.xmlns}`);
  }

  add(collection: keyof Collections, item: never): void {
    if (collection === 'gauges') {
      const { name, help, read } = item as { name: string; help: string; read: () => number };
      this.keep(this.registries.metrics.gauge(name, help, read));
    }
    this.keep(this.collections[collection].add(this.name, item));
  }

  feature(kind: 'host' | 'account' | 'both', feature: string): void {
    for (const one of kind === 'both' ? (['host', 'account'] as const) : [kind]) {
      this.keep(this.collections.disco.add(this.name, { of: one, feature }));
    }
  }

  every(milliseconds: number, job: () => void | Promise<void>): void {
    let running = false;
    const timer = setInterval(() => {
      if (running) return;
      running = true;
      Promise.resolve()
        .then(job)
        .catch((error: unknown) => this.failed('every', error))
        .finally(() => {
          running = false;
        });
    }, milliseconds).unref();
    this.keep(() => clearInterval(timer));
  }

  private failed(point: string, error: unknown): void {
    this.registries.metrics
      .counter('posthouse_module_failures_total', 'Failures inside modules.', { module: this.name, point })
      .inc();
    this.log.error({ err: error, point }, 'the module failed');
  }

  perSession<T>(init: (session: SessionView) => T): Slot<T> {
    const slot = this.registries.slots.take(init);
    this.keep(() => this.registries.slots.give(slot));
    return slot;
  }

  provide<T>(key: ServiceKey<T>, service: T): void {
    const { services } = this.registries;
    const other = services.get(key.name);
    if (other) throw new Error(`the service '${key.name}' is provided by the module ${other.owner} already`);
    services.set(key.name, { owner: this.name, service });
    this.keep(() => void services.delete(key.name));
  }

  use<T>(key: ServiceKey<T>): T {
    const entry = this.registries.services.get(key.name);
    if (!entry) throw new Error(`the module ${this.name} uses the service '${key.name}', which is not there`);
    if (entry.owner !== this.name && !this.needs.includes(entry.owner)) {
      throw new Error(`the module ${this.name} uses a service of ${entry.owner}: it must name it in 'needs'`);
    }
    return entry.service as T;
  }

  maybe<T>(key: ServiceKey<T>): T | undefined {
    return this.registries.services.get(key.name)?.service as T | undefined;
  }

  cleanup(fn: () => void | Promise<void>): void {
    this.keep(fn);
  }

  taken(packet: Packet, sessions: readonly SessionView[]): void {
    this.registries.points.taken.tell(packet, sessions);
  }

  count(name: string, help: string): { inc(by?: number): void } {
    return this.registries.metrics.counter(`posthouse_${this.name.replaceAll('-', '_')}_${name}_total`, help);
  }

  /** Undoes everything, the newest first. A part that fails keeps no other from being undone. */
  async release(): Promise<void> {
    this.over = true;
    this.controller.abort();
    for (let undo = this.undo.pop(); undo; undo = this.undo.pop()) {
      try {
        await undo();
      } catch (error) {
        this.failed('unload', error);
      }
    }
  }
}
