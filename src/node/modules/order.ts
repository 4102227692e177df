import type { ModuleDefinition } from '../../api/module.ts';

type Dependencies = Pick<ModuleDefinition, 'needs' | 'after'>;

/**
 * Names in an order in which each comes after what it needs, and after those of its `after` that are there; else by name. Throws
 * for a need that is not there and for a circle, with a sentence that names the modules. `loaded` are there already.
 */
export function inOrderOfNeeds(
  modules: ReadonlyMap<string, Dependencies>,
  loaded: { has(name: string): boolean } = new Set<string>(),
): string[] {
  const out = new Set<string>();
  const visiting = new Set<string>();
  const visit = (name: string): void => {
    if (out.has(name)) return;
    if (visiting.has(name)) {
      const way = [...visiting];
      throw new Error(
        `modules wait for each other in a circle: ${[...way.slice(way.indexOf(name)), name].join(' -> ')}`,
      );
    }
    visiting.add(name);
    const { needs = [], after = [] } = modules.get(name)!;
    for (const need of needs) {
      if (modules.has(need)) visit(need);
      else if (!loaded.has(need)) {
        throw new Error(
          `the module ${name} needs ${need}, which is not on: add '${need}: {}' to 'modules', or set '${name}: false' there`,
        );
      }
    }
    for (const earlier of after) if (modules.has(earlier)) visit(earlier);
    visiting.delete(name);
    out.add(name);
  };
  for (const name of [...modules.keys()].sort()) visit(name);
  return [...out];
}

/** A module with all those that need it, directly or by way of others. */
export function withDependents(name: string, modules: ReadonlyMap<string, { definition: Dependencies }>): Set<string> {
  const group = new Set([name]);
  for (const one of group) {
    for (const [other, { definition }] of modules) if (definition.needs?.includes(one)) group.add(other);
  }
  return group;
}
