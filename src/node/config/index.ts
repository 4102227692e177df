import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMap, isScalar, type Node as YamlNode, Pair, YAMLMap } from 'yaml';
import { placeOf } from '../../storage/place.ts';
import { packageFolder } from '../version.ts';
import { checkObject, type CheckContext, isEmpty, keyOf } from './check.ts';
import { ConfigDocument } from './document.ts';
import { checkHosts, onlyHost } from './hosts.ts';
import { checkListeners } from './listeners.ts';
import { type ConfigValues, type HostConfig, LoadedConfig } from './loaded.ts';
import { checkModules, type ModuleOptions } from './modules.ts';
import { ConfigError } from './problems.ts';
import { core } from './schema.ts';

export { type ConfigValues, type HostConfig, type ListenerConfig, LoadedConfig } from './loaded.ts';
export { ConfigError } from './problems.ts';

const PACKAGED = fileURLToPath(new URL('conf/posthouse.yaml', packageFolder));
/** Parts of a configuration whose keys are the operator's own. */
const PARTS = ['hosts', 'listeners', 'modules'];

export interface ConfigPlace {
  /** The file; conf/posthouse.yaml below the working folder, or else the package's own, when left out. */
  readonly file?: string;
  /** Overrides of the command line. */
  readonly data?: string;
  readonly domain?: string;
}

export interface LoadOptions extends ConfigPlace {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly moduleOptions: ModuleOptions;
}

/** Reads and checks a configuration. Rejects with a ConfigError that names everything that is wrong. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const document = new ConfigDocument(configFile(options));
  const root = document.parse();
  const context: CheckContext = {
    env: options.env ?? process.env,
    folder: path.dirname(document.file),
    problem: (node, at, message) => document.problem(node, at, message),
  };
  const part = (name: string): YamlNode | undefined => {
    const node = root?.get(name, true) as YamlNode | undefined;
    return isEmpty(node) ? undefined : node;
  };
  const values = checkCore(root, context);
  const { modules, schemas } = await checkModules(part('modules'), options.moduleOptions, context);
  const named = checkHosts(part('hosts'), { schemas, modules }, context);
  const listeners = checkListeners(part('listeners'), context);
  const hosts = hostsServed(named, options.domain);
  document.throwProblems();
  const folder = path.resolve(options.data ?? values.storage.folder);
  return new LoadedConfig(
    document.file,
    { core: { ...values, storage: { ...values.storage, folder } }, hosts, listeners, modules },
    schemas,
  );
}

/** The data folder that a configuration names, whatever else may be wrong with it. */
export function dataFolder(place: ConfigPlace): string {
  if (place.data !== undefined) return path.resolve(place.data);
  const root = new ConfigDocument(configFile(place)).parse();
  const given = root?.getIn(['storage', 'folder'], true);
  return path.resolve(
    isScalar(given) && typeof given.value === 'string' ? given.value : core.storage.properties.folder.default,
  );
}

function configFile({ file }: ConfigPlace): string {
  return path.resolve(file ?? (existsSync('conf/posthouse.yaml') ? 'conf/posthouse.yaml' : PACKAGED));
}

function checkCore(root: YAMLMap | undefined, context: CheckContext): ConfigValues['core'] {
  const rest = (root?.clone() ?? new YAMLMap()) as YAMLMap;
  rest.items = rest.items
    .filter(pair => !PARTS.includes(keyOf(pair)))
    .map(pair => (keyOf(pair) === 'storage' ? new Pair(pair.key, storageMap(pair.value as YamlNode)) : pair));
  const values = checkObject(core, rest, '', context, PARTS) as ConfigValues['core'];
  const place = values.storage.url === '' ? undefined : placeOf(values.storage.url);
  if (typeof place === 'string') context.problem(root?.get('storage', true) as YamlNode, 'storage.url', `${place}.`);
  return values;
}

/** `storage: mysql://...`, or where that address stands (a secret: it holds a password), is short for a map of one option. */
function storageMap(node: YamlNode): YamlNode {
  const [only, ...more] = isMap(node) ? node.items : [];
  const secret = only && more.length === 0 && ['env', 'file'].includes(keyOf(only));
  if (isEmpty(node) || (isMap(node) && !secret)) return node;
  const map = new YAMLMap();
  map.range = node.range;
  map.items.push(new Pair('url', node));
  return map;
}

function hostsServed(named: Record<string, HostConfig>, domain: string | undefined): Record<string, HostConfig> {
  if (domain === undefined) return Object.keys(named).length > 0 ? named : onlyHost('localhost', named)!;
  const only = onlyHost(domain, named);
  if (only) return only;
  throw new ConfigError([{ file: '--domain', line: 0, column: 0, path: '', message: `'${domain}' is no domain.` }]);
}
