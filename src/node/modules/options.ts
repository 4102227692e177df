import { defaultsOf, type OptionsSchema } from '../../api/options.ts';

type Values = Readonly<Record<string, unknown>>;

/** What the loader needs of the configuration in force. */
export interface ModulesConfig {
  /** Folder that paths of modules start from. */
  readonly folder: string;
  /** What the options of configured modules were checked against. */
  readonly schemas: ReadonlyMap<string, OptionsSchema>;
  moduleOptions(name: string, host?: string): Values;
}

/**
 * The options of a module as the configuration has them. What the configuration did not know of, because the module was loaded
 * later or has newer code, has its default. What changes only with a restart is as it was when the module began.
 */
export function optionsOf(
  key: string,
  schema: OptionsSchema | undefined,
  config: () => ModulesConfig,
): (host?: string) => unknown {
  let defaults: Values | undefined;
  const completed = new WeakMap<Values, Values>();
  const valuesOf = (present: ModulesConfig, host: string | undefined): Values => {
    const known = present.schemas.get(key);
    if (schema === undefined || known === schema) return present.moduleOptions(key, host);
    defaults ??= defaultsOf(schema);
    if (!known) return defaults;
    const values = present.moduleOptions(key, host);
    let all = completed.get(values);
    if (!all) completed.set(values, (all = { ...defaults, ...values }));
    return all;
  };

  const first = config();
  const fixed = Object.keys(schema ?? {}).filter(name => schema![name]!.reload === 'restart');
  const kept = new WeakMap<Values, Values>();
  return host => {
    const values = valuesOf(config(), host);
    if (fixed.length === 0) return values;
    const old = valuesOf(first, host);
    if (old === values) return values;
    let all = kept.get(values);
    if (!all) kept.set(values, (all = { ...values, ...Object.fromEntries(fixed.map(name => [name, old[name]])) }));
    return all;
  };
}
