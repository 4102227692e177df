import type { Logger } from 'pino';
import type { Mod, ModuleDefinition } from '../../api/module.ts';
import type { Chain, Fact, Packet, SessionView, Watch } from '../../bus/index.ts';
import { suggestion } from '../config/problems.ts';
import { findModule, type Found } from './find.ts';
import { ModuleHandle, type Registries } from './mod.ts';
import { Slots } from './slots.ts';

const SETUP_TIME = 10_000; // ms
const HANDLER_TIME = 30_000; // ms that a handler's promise may take

export interface ModulesParts extends Omit<Registries, 'slots' | 'services' | 'options'> {
  readonly log: Logger;
  readonly config: () => { folder: string; moduleOptions(name: string, host?: string): unknown };
  readonly sessions: () => Iterable<SessionView>;
}

interface Loaded extends Found {
  readonly name: string;
  readonly handle: ModuleHandle;
}

export interface ModuleStatus {
  readonly name: string;
  readonly state: 'loaded';
  readonly doc: string;
  readonly file: string;
  readonly needs: readonly string[];
  readonly hooks: readonly string[];
}

/** The modules of a node: loaded in the order of their needs, unloaded in the reverse, each on its own. */
export class Modules {
  private readonly parts: ModulesParts;
  private readonly registries: Registries;
  private readonly loaded = new Map<string, Loaded>();
  private readonly slots: Slots;
  private readonly services: Registries['services'] = new Map();
  /** One change at a time. */
  private changing: Promise<unknown> = Promise.resolve();

  constructor(parts: ModulesParts) {
    this.parts = parts;
    this.slots = new Slots(parts.sessions);
    this.registries = {
      ...parts,
      slots: this.slots,
      services: this.services,
      options: (name, host) => parts.config().moduleOptions(name, host),
    };
    this.watch();
  }

  /** Failures of handlers are logged with the module's name, and counted. */
  private watch(): void {
    const { metrics, log, points } = this.parts;
    const times = new Map<string, { value: number }>();
    const count = (owner: string, point: string): void =>
      metrics.counter('posthouse_module_failures_total', 'Failures inside modules.', { module: owner, point }).inc();
    const watch: Watch = {
      patience: HANDLER_TIME,
      failed: (owner, point, error, packet: Packet) => {
        count(owner, point);
        log.error({ err: error, module: owner, point, id: packet.id, from: packet.from.full }, 'a module failed');
      },
      measured: (owner, milliseconds) => {
        let time = times.get(owner);
        if (!time) {
          time = metrics.counter(
            'posthouse_module_seconds_total',
            'Time in handlers of a module, estimated from samples.',
            { module: owner },
          );
          times.set(owner, time);
        }
        // one run of 256 is measured
        time.value += (milliseconds * 256) / 1000;
      },
    };
    for (const point of Object.values(points)) {
      if ('run' in point) (point as Chain<unknown>).watch = watch;
      else {
        (point as Fact<unknown, unknown>).failed = (owner, name, error) => {
          count(owner, name);
          log.error({ err: error, module: owner, point: name }, 'a module failed');
        };
      }
    }
  }

  list(): ModuleStatus[] {
    return [...this.loaded.values()]
      .map(({ name, definition, file, handle }) => ({
        name,
        state: 'loaded' as const,
        doc: definition.doc,
        file,
        needs: definition.needs ?? [],
        hooks: handle.hooks,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  has(name: string): boolean {
    return this.loaded.has(name);
  }

  /** Loads many, in the order of their needs. Rejects with a sentence that names the module. */
  loadAll(names: readonly string[]): Promise<void> {
    return this.alone(async () => {
      const { folder } = this.parts.config();
      const found = new Map<string, Found>();
      await Promise.all(names.map(async name => found.set(name, await findModule(name, folder))));
      for (const name of inOrderOfNeeds(found, this.loaded)) await this.begin(name, found.get(name)!);
    });
  }

  load(name: string): Promise<void> {
    return this.alone(async () => {
      if (this.loaded.has(name))
        throw new Error(`the module ${name} is loaded already; 'posthouse module reload ${name}' takes its code anew`);
      const found = await findModule(name, this.parts.config().folder, true);
      inOrderOfNeeds(new Map([[name, found]]), this.loaded);
      await this.begin(name, found);
    });
  }

  /** The names of what was unloaded: the module, and with `cascade` those that need it. */
  unload(name: string, options: { cascade?: boolean } = {}): Promise<string[]> {
    return this.alone(() => this.end(name, options.cascade ?? false));
  }

  /** Takes a module's code anew, and begins it and those that need it again. The old code stays if the new cannot be used. */
  reload(name: string): Promise<void> {
    return this.alone(async () => {
      const old = this.mustHave(name);
      const fresh = await findModule(name, this.parts.config().folder, true);
      const before = new Map(this.loaded);
      const ended = await this.end(name, true);
      try {
        for (const each of ended.toReversed()) await this.begin(each, each === name ? fresh : before.get(each)!);
      } catch (error) {
        for (const each of ended.toReversed()) {
          if (!this.loaded.has(each)) await this.begin(each, each === name ? old : before.get(each)!);
        }
        throw new Error(`the new code cannot be used, the old one goes on: ${(error as Error).message}`, {
          cause: error,
        });
      }
    });
  }

  /** Loads and unloads until exactly these are loaded, on the hosts of the configuration as it is now. */
  async follow(names: readonly string[]): Promise<void> {
    const gone = [...this.loaded.keys()].filter(name => !names.includes(name));
    const added = names.filter(name => !this.loaded.has(name));
    for (const name of gone) if (this.loaded.has(name)) await this.unload(name, { cascade: true });
    await this.loadAll(added);
    for (const { name, handle } of this.loaded.values()) handle.everywhere = this.parts.node.moduleEverywhere(name);
  }

  async unloadAll(): Promise<void> {
    await this.alone(async () => {
      for (const name of [...this.loaded.keys()].toReversed()) if (this.loaded.has(name)) await this.end(name, true);
    });
  }

  /** What modules that are gone have left behind: nothing, or a fault of the loader. */
  leaks(): string[] {
    const { points, iqs, collections } = this.parts;
    const left: string[] = [];
    const check = (owner: string, what: string): void => {
      if (owner !== 'core' && !this.loaded.has(owner)) left.push(`${owner}: ${what}`);
    };
    for (const [name, point] of Object.entries(points)) {
      if ('run' in point) for (const { owner } of point.registrations) check(owner, name);
      else for (const { owner } of point.listeners) check(owner, name);
    }
    for (const { owner, xmlns } of iqs.registrations) check(owner, `iq ${xmlns}`);
    for (const [name, collection] of Object.entries(collections))
      for (const { owner } of collection.entries) check(owner, name);
    for (const [name, { owner }] of this.services) check(owner, `service ${name}`);
    if (this.loaded.size === 0 && this.slots.inUse > 0) left.push(`${this.slots.inUse} slots on sessions`);
    return left;
  }

  private mustHave(name: string): Loaded {
    const loaded = this.loaded.get(name);
    if (!loaded) throw new Error(`the module ${name} is not loaded.${suggestion(name, [...this.loaded.keys()])}`);
    return loaded;
  }

  private async begin(name: string, { definition, file }: Found): Promise<void> {
    const handle = new ModuleHandle(
      name,
      definition.needs ?? [],
      await this.open(name, definition),
      this.registries,
      this.parts.log,
    );
    try {
      for (const kind of ['host', 'account'] as const) {
        for (const feature of definition.features?.[kind] ?? []) handle.feature(kind, feature);
      }
      await withinTime(name, definition.setup(handle as unknown as Mod<never, never>));
    } catch (error) {
      await handle.release();
      throw new Error(`the module ${name} cannot be loaded: ${(error as Error).message}`, { cause: error });
    }
    this.loaded.set(name, { name, definition, file, handle });
  }

  private async open(name: string, definition: ModuleDefinition): Promise<Record<string, unknown>> {
    const stores: Record<string, unknown> = {};
    for (const [key, store] of Object.entries(definition.stores ?? {})) {
      await this.parts.storage.migrate(`${name}/${key}`, store.migrations);
      stores[key] = await store.open(this.parts.storage);
    }
    return stores;
  }

  /** Ends a module and, before it, those that need it. Returns the names, in the order of their end. */
  private async end(name: string, cascade: boolean): Promise<string[]> {
    const loaded = this.mustHave(name);
    const dependents = [...this.loaded.values()]
      .filter(other => other.definition.needs?.includes(name))
      .map(other => other.name);
    if (dependents.length > 0 && !cascade) {
      throw new Error(
        `${dependents.join(', ')} need${dependents.length === 1 ? 's' : ''} the module ${name}; --cascade unloads them too`,
      );
    }
    const ended: string[] = [];
    for (const other of dependents) if (this.loaded.has(other)) ended.push(...(await this.end(other, true)));
    this.loaded.delete(name);
    await loaded.handle.release();
    return [...ended, name];
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.changing.then(work);
    this.changing = result.catch(() => {});
    return result;
  }
}

/** Names in an order in which each comes after what it needs. */
function inOrderOfNeeds(found: ReadonlyMap<string, Found>, loaded: ReadonlyMap<string, unknown>): string[] {
  const out: string[] = [];
  const visiting = new Set<string>();
  const visit = (name: string, by: string): void => {
    if (out.includes(name) || loaded.has(name)) return;
    const module = found.get(name);
    if (!module)
      throw new Error(
        `the module ${by} needs ${name}, which is not on: add 'modules: { ${name}: {} }', or set '${by}: false'`,
      );
    if (visiting.has(name)) throw new Error(`modules need each other in a circle: ${[...visiting, name].join(' -> ')}`);
    visiting.add(name);
    for (const need of module.definition.needs ?? []) visit(need, name);
    for (const earlier of module.definition.after ?? [])
      if (found.has(earlier) && !visiting.has(earlier)) visit(earlier, name);
    visiting.delete(name);
    out.push(name);
  };
  for (const name of [...found.keys()].sort()) visit(name, name);
  return out;
}

async function withinTime(name: string, work: void | Promise<void>): Promise<void> {
  if (!(work instanceof Promise)) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`'${name}' did not finish its setup within ${SETUP_TIME / 1000} s`)),
      SETUP_TIME,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
