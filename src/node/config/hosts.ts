import path from 'node:path';
import { isMap, isScalar, type Node as YamlNode, type YAMLMap } from 'yaml';
import { defaultsOf, type OptionsOf, type OptionsSchema } from '../../api/options.ts';
import { prepareDomain } from '../../jid/index.ts';
import { checkObject, type CheckContext, isEmpty, keyOf } from './check.ts';
import type { HostConfig } from './loaded.ts';
import { suggestion } from './problems.ts';
import { host as hostSchema } from './schema.ts';

/** The modules that are on: what their options are checked against, and their values where a host has no others. */
interface ModulesInUse {
  readonly schemas: ReadonlyMap<string, OptionsSchema>;
  readonly modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const plain = (): HostConfig => ({ ...defaultsOf(hostSchema), without: [], modules: {} });

/** Checks `hosts`: by domain, as RFC 7622 writes it. Empty when none is named. */
export function checkHosts(
  node: YamlNode | undefined,
  inUse: ModulesInUse,
  context: CheckContext,
): Record<string, HostConfig> {
  const out: Record<string, HostConfig> = {};
  if (!node) return out;
  if (!isMap(node)) {
    context.problem(node, 'hosts', 'a map from each domain to its options, for example `hosts: { example.org: {} }`.');
    return out;
  }
  for (const pair of node.items) {
    const name = keyOf(pair);
    const key = pair.key as YamlNode;
    const domain = prepareDomain(name);
    if (domain === undefined) context.problem(key, `hosts.${name}`, `'${name}' is no domain.`);
    else if (out[domain]) context.problem(key, `hosts.${name}`, `this is '${domain}', which is named already.`);
    else out[domain] = isEmpty(pair.value) ? plain() : checkHost(domain, pair.value as YamlNode, inUse, context);
  }
  return out;
}

/** The one host that the command line names, with its options if it has any. */
export function onlyHost(name: string, hosts: Record<string, HostConfig>): Record<string, HostConfig> | undefined {
  const domain = prepareDomain(name);
  return domain === undefined ? undefined : { [domain]: hosts[domain] ?? plain() };
}

function checkHost(name: string, node: YamlNode, inUse: ModulesInUse, context: CheckContext): HostConfig {
  const at = `hosts.${name}`;
  if (!isMap(node)) {
    context.problem(node, at, 'a map of options, or {}.');
    return plain();
  }
  const options = node.clone() as YAMLMap;
  options.items = node.items.filter(pair => keyOf(pair) !== 'modules');
  const values = checkObject(hostSchema, options, at, context, ['modules']) as OptionsOf<typeof hostSchema>;
  if ((values.certificate === '') !== (values.key === ''))
    context.problem(node, at, "'certificate' and 'key' go together.");
  const files =
    values.certificate === ''
      ? {}
      : {
          certificate: path.resolve(context.folder, values.certificate),
          key: path.resolve(context.folder, values.key),
        };
  const modules = node.items.find(pair => keyOf(pair) === 'modules')?.value as YamlNode | undefined;
  return { ...values, ...files, ...checkModulesOfHost(modules, `${at}.modules`, inUse, context) };
}

function checkModulesOfHost(node: YamlNode | undefined, at: string, inUse: ModulesInUse, context: CheckContext) {
  const { schemas } = inUse;
  const without: string[] = [];
  const modules: Record<string, Record<string, unknown>> = {};
  if (isEmpty(node)) return { without, modules };
  if (!isMap(node)) {
    context.problem(node, at, 'a map from modules to their options, or to false.');
    return { without, modules };
  }
  for (const pair of node.items) {
    const module = keyOf(pair);
    const schema = schemas.get(module);
    const here = `${at}.${module}`;
    const value = pair.value as YamlNode | null;
    if (!schema)
      context.problem(pair.key as YamlNode, here, `this module is not on.${suggestion(module, [...schemas.keys()])}`);
    else if (isScalar(value) && value.value === false) without.push(module);
    else if (isMap(value)) modules[module] = checkObject(schema, value, here, context, [], inUse.modules[module]);
    else if (!isEmpty(value) && !(isScalar(value) && value.value === true))
      context.problem(value, here, 'options of the module, or true or false.');
  }
  return { without, modules };
}
