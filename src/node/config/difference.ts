import type { OptionsSchema } from '../../api/options.ts';
import type { LoadedConfig } from './loaded.ts';
import { core, host as hostSchema } from './schema.ts';

/** The options in which two configurations differ, by when the new value takes effect. */
export function difference(old: LoadedConfig, next: LoadedConfig): { live: string[]; restart: string[] } {
  const live: string[] = [];
  const restart: string[] = [];
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const compare = (
    schema: OptionsSchema,
    a: Readonly<Record<string, unknown>>,
    b: Readonly<Record<string, unknown>>,
    at: string,
  ): void => {
    for (const [name, option] of Object.entries(schema)) {
      if (same(a[name], b[name])) continue;
      if (option.kind === 'object')
        compare(
          option.properties,
          a[name] as Record<string, unknown>,
          b[name] as Record<string, unknown>,
          `${at}${name}.`,
        );
      else (option.reload === 'restart' ? restart : live).push(at + name);
    }
  };
  compare(core, old.values.core, next.values.core, '');
  for (const name of new Set([...Object.keys(old.values.hosts), ...Object.keys(next.values.hosts)])) {
    const a = old.values.hosts[name];
    const b = next.values.hosts[name];
    if (!a || !b) {
      live.push(`hosts.${name}`);
      continue;
    }
    compare(hostSchema, { ...a }, { ...b }, `hosts.${name}.`);
    if (!same(a.modules, b.modules) || !same(a.without, b.without)) live.push(`hosts.${name}.modules`);
  }
  if (!same(old.values.listeners, next.values.listeners)) restart.push('listeners');
  for (const name of new Set([...Object.keys(old.values.modules), ...Object.keys(next.values.modules)])) {
    const a = old.values.modules[name];
    const b = next.values.modules[name];
    if (!a || !b) live.push(`modules.${name}`);
    else compare(next.schemas.get(name) ?? {}, a, b, `modules.${name}.`);
  }
  return { live, restart };
}
