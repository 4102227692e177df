import type { Logger } from 'pino';
import type { ModuleDefinition } from '../../api/module.ts';
import type { SessionView } from '../../bus/index.ts';
import { suggestion } from '../config/problems.ts';
import { Failures } from './failures.ts';
import { findModule, folderOf, type Found, locate } from './find.ts';
import { adopt, freshVersion } from './fresh.ts';
import { Jobs } from './jobs.ts';
import { leaksOf } from './leaks.ts';
import { definitions, type Loaded, Loading } from './loading.ts';
import type { Registries } from './mod.ts';
import type { ModulesConfig } from './options.ts';
import { inOrderOfNeeds, withDependents } from './order.ts';
import { Slots } from './slots.ts';
import { type ModuleStatus, statusOf } from './status.ts';

export type { ModuleStatus } from './status.ts';

const SETUP = 10_000; // ms

export interface ModulesParts extends Omit<Registries, 'slots' | 'services' | 'jobs' | 'failures'> {
  readonly log: Logger;
  readonly config: () => ModulesConfig;
  readonly sessions: () => Iterable<SessionView>;
  /** Something that a module keeps of a session, and that outlives the program, is another now. */
  readonly changed?: (session: SessionView) => void;
  /** Has stanzas wait while modules are exchanged; the function returned ends that. */
  readonly pause?: () => () => void;
  /** Failures of a module within a minute after which that is said loudly. */
  readonly loud?: number;
  /** Milliseconds that a setup may take. */
  readonly patience?: number;
}

/** The modules of a node: loaded in the order of their needs, unloaded in the reverse, each on its own. */
export class Modules {
  readonly failures: Failures;
  private readonly parts: ModulesParts;
  private readonly registries: Registries;
  private readonly loading: Loading;
  /** One change at a time. */
  private changing: Promise<unknown> = Promise.resolve();

  constructor(parts: ModulesParts) {
    this.parts = parts;
    this.failures = new Failures(parts.log, parts.metrics, parts.loud);
    this.failures.watch(parts.points);
    this.registries = {
      ...parts,
      slots: new Slots(parts.sessions, parts.changed),
      jobs: new Jobs(),
      services: new Map(),
      failures: this.failures,
    };
    this.loading = new Loading(this.registries, parts.log, parts.config, parts.patience ?? SETUP);
  }

  // ---- what there is --------------------------------------------------------------------------------------------------------

  list(): ModuleStatus[] {
    return statusOf(this.loading);
  }

  /** Whether a module of that name, or so called in the configuration, is loaded. */
  has(given: string): boolean {
    return this.get(given) !== undefined;
  }

  /** What the configuration calls a module; its own name if it knows of none. */
  keyOf(name: string): string {
    return this.loaded.get(name)?.key ?? name;
  }

  /** The definition of a loaded module. */
  definition(given: string): ModuleDefinition | undefined {
    return this.get(given)?.definition;
  }

  /** What modules keep of a session that outlives the program. */
  lastingOf(session: SessionView): Record<string, unknown> {
    return this.registries.slots.lastingOf(session);
  }

  /** Gives a session what modules kept of it when the program ended. */
  restore(session: SessionView, former: Readonly<Record<string, unknown>>): void {
    this.registries.slots.restore(session, former);
  }

  /** What modules that are gone have left behind: nothing, or a fault of the loader. */
  leaks(): string[] {
    return leaksOf(this.registries, name => this.loaded.has(name));
  }

  private get(given: string): Loaded | undefined {
    return this.loaded.get(given) ?? [...this.loaded.values()].find(({ key }) => key === given);
  }

  private mustHave(given: string): Loaded {
    const loaded = this.get(given);
    if (!loaded) throw new Error(`the module ${given} is not loaded.${suggestion(given, [...this.loaded.keys()])}`);
    return loaded;
  }

  // ---- changes --------------------------------------------------------------------------------------------------------------

  /** Loads many, in the order of their needs. Rejects with a sentence that names the module; those before it stay loaded. */
  loadAll(keys: readonly string[]): Promise<void> {
    return this.alone(async () => {
      const found = await this.find(keys);
      for (const name of inOrderOfNeeds(definitions(found), this.loaded)) await this.loading.begin(found.get(name)!);
    });
  }

  /** Loads one, with its code as it is on the disk now. */
  load(key: string): Promise<void> {
    return this.alone(async () => {
      const there = this.get(key);
      if (there)
        throw new Error(`the module ${key} is loaded already; 'posthouse module reload ${key}' takes its code anew`);
      const fresh = await this.fresh([{ key, file: locate(key, this.parts.config().folder) }]);
      inOrderOfNeeds(definitions(fresh), this.loaded);
      for (const found of fresh.values()) {
        await this.loading.begin(found);
        adoptAll([found]);
        this.parts.log.info({ module: found.definition.name, file: found.file }, 'module loaded');
      }
    });
  }

  /** Ends a module, and with `cascade` those that need it before it. The names, in the order of their end. */
  unload(given: string, options: { cascade?: boolean } = {}): Promise<string[]> {
    return this.alone(async () => {
      const { name } = this.mustHave(given).definition;
      const group = withDependents(name, this.loaded);
      if (group.size > 1 && !options.cascade) {
        const others = [...group].filter(other => other !== name);
        const verb = others.length === 1 ? 'needs' : 'need';
        throw new Error(`${others.join(', ')} ${verb} the module ${name}; --cascade unloads them too`);
      }
      const ended = await this.loading.end(group);
      this.parts.log.info({ modules: ended }, 'modules unloaded');
      return ended;
    });
  }

  /** Takes the code of a module and of those that need it anew, and begins them again. If one cannot be, the old code goes on. */
  reload(given: string): Promise<void> {
    return this.alone(async () => {
      const { name } = this.mustHave(given).definition;
      const old = new Map([...withDependents(name, this.loaded)].map(one => [one, this.loaded.get(one)!]));
      try {
        const fresh = await this.fresh([...old.values()]);
        for (const one of old.keys()) if (!fresh.has(one)) throw new Error(`the module ${one} has another name now`);
        await this.exchange(old, fresh);
        adoptAll(fresh.values());
      } catch (error) {
        const lost = [...old.keys()].filter(one => !this.loaded.has(one));
        const rest = lost.length === 0 ? 'the old one goes on' : `and ${lost.join(', ')} could not be begun again`;
        throw new Error(`the new code cannot be used, ${rest}: ${(error as Error).message}`, { cause: error });
      }
      this.parts.log.info({ modules: [...old.keys()] }, 'modules reloaded');
    });
  }

  /**
   * Loads and unloads until exactly these are loaded, on the hosts of the configuration as it is now. If one cannot be, those that
   * were loaded go on with the configuration that they had.
   */
  follow(keys: readonly string[]): Promise<void> {
    return this.alone(async () => {
      const gone = new Map([...this.loaded].filter(([, { key }]) => !keys.includes(key)));
      const added = await this.find(keys.filter(key => !this.get(key)));
      const planned = new Map<string, Found>([...this.loaded].filter(([name]) => !gone.has(name)));
      for (const [name, found] of added) {
        const there = planned.get(name);
        if (there) throw new Error(`'${there.key}' and '${found.key}' are both the module ${name}`);
        planned.set(name, found);
      }
      inOrderOfNeeds(definitions(planned));
      await this.exchange(gone, added);
      for (const { key, handle } of this.loaded.values()) handle.everywhere = this.parts.node.moduleEverywhere(key);
    });
  }

  async unloadAll(): Promise<void> {
    await this.alone(() => this.loading.end(new Set(this.loaded.keys())));
  }

  // ---- how --------------------------------------------------------------------------------------------------------------------

  /** Ends some and begins others. No stanza finds neither the old nor the new. */
  private async exchange(old: ReadonlyMap<string, Found>, next: ReadonlyMap<string, Found>): Promise<void> {
    const go = old.size > 0 && next.size > 0 ? this.parts.pause?.() : undefined;
    try {
      await this.loading.exchange(old, next);
    } finally {
      go?.();
    }
  }

  /** Definitions by the names that the modules give themselves. */
  private async find(keys: readonly string[]): Promise<Map<string, Found>> {
    const { folder } = this.parts.config();
    return byName(await Promise.all(keys.map(key => findModule(key, folder))));
  }

  /** The same modules with their code as it is on the disk now. */
  private async fresh(modules: readonly Pick<Found, 'key' | 'file'>[]): Promise<Map<string, Found>> {
    const version = freshVersion(modules.map(({ file }) => folderOf(file)));
    const { folder } = this.parts.config();
    return byName(await Promise.all(modules.map(({ key }) => findModule(key, folder, version))));
  }

  private get loaded(): ReadonlyMap<string, Loaded> {
    return this.loading.loaded;
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.changing.then(work).then(value => {
      this.loading.settle();
      return value;
    });
    this.changing = result.catch(() => {});
    return result;
  }
}

/** Notes that this code is the one in force. */
function adoptAll(modules: Iterable<Found>): void {
  for (const { file, version } of modules) if (version !== undefined) adopt(file, version);
}

function byName(found: readonly Found[]): Map<string, Found> {
  const names = new Map<string, Found>();
  for (const one of found) {
    const other = names.get(one.definition.name);
    if (other) throw new Error(`'${other.key}' and '${one.key}' are both the module ${one.definition.name}`);
    names.set(one.definition.name, one);
  }
  return names;
}
