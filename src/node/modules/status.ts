import { type Found, packageVersion } from './find.ts';
import type { Loading } from './loading.ts';

export interface ModuleStatus {
  readonly name: string;
  readonly state: 'loaded' | 'failed';
  readonly doc: string;
  /** Where its code is. */
  readonly file: string;
  /** Of the package that it came in. */
  readonly version: string | undefined;
  readonly needs: readonly string[];
  /** What it registered: points and their phases, IQs, facts, services, ... */
  readonly hooks: readonly string[];
  /** Names of its options. */
  readonly options: readonly string[];
  /** Why it could not be loaded. */
  readonly error?: string;
}

/** What is known of all modules, by name. */
export function statusOf({ loaded, failed }: Loading): ModuleStatus[] {
  const working = [...loaded.values()].map(one => ({
    ...describe(one),
    state: 'loaded' as const,
    hooks: one.handle.hooks,
  }));
  const broken = [...failed.values()]
    // one that was taken back goes on as it was
    .filter(({ found }) => !loaded.has(found.definition.name))
    .map(({ found, error }) => ({ ...describe(found), state: 'failed' as const, hooks: [], error }));
  return [...working, ...broken].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function describe({ definition, file }: Found) {
  const { name, doc, needs = [], options = {} } = definition;
  return { name, doc, file, version: packageVersion(file), needs, options: Object.keys(options) };
}
