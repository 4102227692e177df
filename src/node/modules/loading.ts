import type { Logger } from 'pino';
import type { Mod, ModuleDefinition } from '../../api/module.ts';
import type { Found } from './find.ts';
import { ModuleHandle, type Registries } from './mod.ts';
import { type ModulesConfig, optionsOf } from './options.ts';
import { inOrderOfNeeds } from './order.ts';
import { within } from './within.ts';

export interface Loaded extends Found {
  readonly handle: ModuleHandle;
}

/** How modules begin and end. */
export class Loading {
  /** By the names that they give themselves, in the order of their loading. */
  readonly loaded = new Map<string, Loaded>();
  /** What could not be loaded when that was last tried. */
  readonly failed = new Map<string, { found: Found; error: string }>();
  private readonly registries: Registries;
  private readonly log: Logger;
  private readonly config: () => ModulesConfig;
  /** Milliseconds that a setup may take. */
  private readonly patience: number;
  /** The configuration that held when the last change was done. */
  private settled: ModulesConfig;
  /** The configuration that goes on while a change is taken back. */
  private former: ModulesConfig | undefined;

  constructor(registries: Registries, log: Logger, config: () => ModulesConfig, patience: number) {
    this.registries = registries;
    this.log = log;
    this.config = config;
    this.patience = patience;
    this.settled = config();
  }

  /** Notes that all is well with the configuration as it is now. */
  settle(): void {
    this.settled = this.config();
  }

  /** `migrate`: whether its stores are made what its code expects; the code that was there before needs none of it. */
  async begin(found: Found, migrate = true): Promise<void> {
    const { key, definition } = found;
    const { name } = definition;
    const other = this.loaded.get(name);
    if (other) throw new Error(`'${other.key}' and '${key}' are both the module ${name}`);
    let handle: ModuleHandle | undefined;
    try {
      const stores = await this.open(definition, migrate);
      const options = optionsOf(key, definition.options, () => this.former ?? this.config());
      handle = new ModuleHandle({ key, definition, stores, options }, this.registries, this.log);
      for (const kind of ['host', 'account'] as const) {
        for (const feature of definition.features?.[kind] ?? []) handle.feature(kind, feature);
      }
      const setup = definition.setup(handle as unknown as Mod<never, never>);
      await within(setup, this.patience, `'${name}' did not finish its setup within ${this.patience / 1000} s`);
    } catch (error) {
      await handle?.release();
      const { message } = error as Error;
      this.failed.set(name, { found, error: message });
      throw new Error(`the module ${name} cannot be loaded: ${message}`, { cause: error });
    }
    this.failed.delete(name);
    this.loaded.set(name, { ...found, handle });
  }

  private async open(definition: ModuleDefinition, migrate: boolean): Promise<Record<string, unknown>> {
    const { storage } = this.registries;
    const stores: Record<string, unknown> = {};
    for (const [key, store] of Object.entries(definition.stores ?? {})) {
      if (migrate) await storage.migrate(`${definition.name}/${key}`, store.migrations);
      stores[key] = await store.open(storage);
    }
    return stores;
  }

  /** Ends modules, each before those that it needs. Gives their names in that order. */
  async end(names: ReadonlySet<string>): Promise<string[]> {
    const group = new Map([...this.loaded].filter(([name]) => names.has(name)));
    const order = inOrderOfNeeds(definitions(group), this.loaded).toReversed();
    for (const name of order) {
      this.loaded.delete(name);
      await group.get(name)!.handle.release();
    }
    return order;
  }

  /** Ends some and begins others; all of it or nothing. */
  async exchange(old: ReadonlyMap<string, Found>, next: ReadonlyMap<string, Found>): Promise<void> {
    const kept = new Set([...this.loaded.keys()].filter(name => !old.has(name)));
    const order = inOrderOfNeeds(definitions(next), kept);
    const before = inOrderOfNeeds(definitions(old), kept);
    const { slots } = this.registries;
    slots.keepFor(old.keys());
    try {
      await this.end(new Set(old.keys()));
      for (const name of order) await this.begin(next.get(name)!);
    } catch (error) {
      await this.end(new Set(order));
      await this.restore(before.map(name => old.get(name)!));
      throw error;
    } finally {
      slots.settle();
    }
  }

  /** Begins modules again as they were, after what was to take their place failed. */
  private async restore(modules: readonly Found[]): Promise<void> {
    this.former = this.settled;
    try {
      for (const found of modules) {
        try {
          await this.begin(found, false);
        } catch (error) {
          this.log.fatal({ err: error, module: found.definition.name }, 'a module could not be begun again');
        }
      }
    } finally {
      this.former = undefined;
      // the hosts may be those of a configuration that is given up: as long as nobody knows, each stanza asks
      const known = this.settled === this.config();
      for (const { key, handle } of this.loaded.values()) {
        handle.everywhere = known && this.registries.node.moduleEverywhere(key);
      }
    }
  }
}

/** Definitions by name. */
export function definitions(found: ReadonlyMap<string, Found>): Map<string, ModuleDefinition> {
  return new Map([...found].map(([name, { definition }]) => [name, definition]));
}
