import type { Option, OptionsSchema } from '../../api/options.ts';
import type { ConfigValues } from './loaded.ts';
import { core, host as hostSchema, listener as listenerSchema } from './schema.ts';

const HIDDEN = '(hidden)';

/** A configuration as YAML for people: every option with its value, secrets hidden, changed ones marked. */
export function printConfig(file: string, values: ConfigValues, schemas: ReadonlyMap<string, OptionsSchema>): string {
  const lines = [`# in force, from ${file}; * marks what is not the default`];
  const object = (schema: OptionsSchema, given: Readonly<Record<string, unknown>>, indent: string): void => {
    for (const [name, option] of Object.entries(schema)) {
      const value = given[name];
      if (option.kind === 'object') {
        lines.push(`${indent}${name}:`);
        object(option.properties, value as Record<string, unknown>, `${indent}  `);
        continue;
      }
      const mark = JSON.stringify(value) === JSON.stringify(option.default) ? '' : '  # *';
      lines.push(`${indent}${name}: ${JSON.stringify(masked(option, value))}${unit(option)}${mark}`);
    }
  };
  object(core, values.core, '');
  lines.push('hosts:');
  for (const [name, { without, modules, ...options }] of Object.entries(values.hosts)) {
    lines.push(`  ${name}:`);
    object(hostSchema, options, '    ');
    const own = Object.entries(modules);
    if (without.length + own.length > 0) lines.push('    modules:');
    for (const module of without) lines.push(`      ${module}: false`);
    for (const [module, given] of own) {
      lines.push(`      ${module}:`);
      object(schemas.get(module) ?? {}, given, '        ');
    }
  }
  lines.push('listeners:');
  for (const [name, options] of Object.entries(values.listeners)) {
    lines.push(`  ${name}:`);
    object(listenerSchema, options, '    ');
  }
  lines.push('modules:');
  for (const name of Object.keys(values.modules).sort()) {
    lines.push(`  ${name}:${Object.keys(schemas.get(name) ?? {}).length === 0 ? ' {}' : ''}`);
    object(schemas.get(name) ?? {}, values.modules[name]!, '    ');
  }
  return lines.join('\n');
}

function unit(option: Option): string {
  const named = 'unit' in option ? option.unit : undefined;
  return named ? `  # ${named}` : '';
}

/** The value with every secret in it hidden. */
function masked(option: Option, value: unknown): unknown {
  switch (option.kind) {
    case 'secret':
      return value === '' || value === undefined ? '' : HIDDEN;
    case 'list':
      return (value as unknown[]).map(item => masked(option.item, item));
    case 'map':
      return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, masked(option.item, item)]));
    case 'object':
      return Object.fromEntries(
        Object.entries(option.properties).map(([key, o]) => [key, masked(o, (value as Record<string, unknown>)[key])]),
      );
    default:
      return value;
  }
}

/** The values with every secret in them hidden. */
export function maskedValues(values: ConfigValues, schemas: ReadonlyMap<string, OptionsSchema>): ConfigValues {
  const object = <T extends object>(schema: OptionsSchema, given: T): T => {
    const known = given as Readonly<Record<string, unknown>>;
    return Object.fromEntries(
      Object.entries(known).map(([name, value]) => [name, schema[name] ? masked(schema[name], value) : value]),
    ) as T;
  };
  const modules = (given: ConfigValues['modules']): ConfigValues['modules'] =>
    mapValues(given, (options, name) => object(schemas.get(name) ?? {}, options));
  return {
    core: object(core, values.core),
    hosts: mapValues(values.hosts, host => ({ ...object(hostSchema, host), modules: modules(host.modules) })),
    listeners: values.listeners,
    modules: modules(values.modules),
  };
}

function mapValues<T, R>(given: Readonly<Record<string, T>>, change: (value: T, key: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, change(value, key)]));
}
