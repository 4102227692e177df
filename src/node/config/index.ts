import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMap, isScalar, LineCounter, type Node as YamlNode, parseDocument, type YAMLMap } from 'yaml';
import { defaultsOf, type OptionsOf, type OptionsSchema } from '../../api/options.ts';
import { prepareDomain } from '../../jid/index.ts';
import { checkObject, checkRequired, type CheckContext, isEmpty, keyOf } from './check.ts';
import { difference } from './difference.ts';
import { printConfig } from './print.ts';
import { ConfigError, type ConfigProblem, suggestion } from './problems.ts';
import { core, DEFAULT_LISTENERS, DEFAULT_MODULES, host as hostSchema, listener as listenerSchema } from './schema.ts';

export { ConfigError, formatProblem } from './problems.ts';

const PACKAGED = fileURLToPath(new URL('../../../conf/posthouse.yaml', import.meta.url));
const ALIASES = 50; // a YAML file of a few lines can ask for gigabytes by repeating itself

export interface LoadOptions {
  /** The file; conf/posthouse.yaml below the working folder, or else the package's own, when left out. */
  readonly file?: string;
  /** Overrides of the command line. */
  readonly data?: string;
  readonly domain?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Gives the options of a module; rejects with a sentence when there is no such module. */
  readonly moduleOptions: (name: string, folder: string) => Promise<OptionsSchema>;
}

export type ListenerConfig = OptionsOf<typeof listenerSchema>;
export interface HostConfig extends OptionsOf<typeof hostSchema> {
  /** Modules that are off here. */
  readonly without: readonly string[];
  /** Options of modules that are other here. */
  readonly modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What a configuration holds once it is found right. */
export interface ConfigValues {
  readonly core: OptionsOf<typeof core>;
  readonly hosts: Readonly<Record<string, HostConfig>>;
  readonly listeners: Readonly<Record<string, ListenerConfig>>;
  /** Modules that are on, by name, with their options. */
  readonly modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A configuration that was read and found right. */
export class LoadedConfig {
  readonly file: string;
  readonly values: ConfigValues;
  readonly schemas: ReadonlyMap<string, OptionsSchema>;

  constructor(file: string, values: ConfigValues, schemas: ReadonlyMap<string, OptionsSchema>) {
    this.file = file;
    this.values = values;
    this.schemas = schemas;
  }

  /** Folder that the file's relative paths start from. */
  get folder(): string {
    return path.dirname(this.file);
  }

  /** Options of a module, with a host's own where there are any. */
  moduleOptions(name: string, host?: string): Readonly<Record<string, unknown>> {
    const own = host === undefined ? undefined : this.values.hosts[host]?.modules[name];
    return own ?? this.values.modules[name] ?? defaultsOf(this.schemas.get(name) ?? {});
  }

  /** The configuration in force as YAML, secrets hidden. */
  print(): string {
    return printConfig(this.file, this.values, this.schemas);
  }

  /** What another configuration changes: at once, and at the next start. */
  difference(next: LoadedConfig): { live: string[]; restart: string[] } {
    return difference(this, next);
  }
}

/** Reads and checks a configuration. Rejects with a ConfigError that names everything that is wrong. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const file = options.file ?? (existsSync('conf/posthouse.yaml') ? path.resolve('conf/posthouse.yaml') : PACKAGED);
  return new Reading(path.resolve(file), options).run();
}

/** One reading of a file. */
class Reading {
  private readonly file: string;
  private readonly options: LoadOptions;
  private readonly problems: ConfigProblem[] = [];
  private readonly lines = new LineCounter();
  private readonly context: CheckContext;

  constructor(file: string, options: LoadOptions) {
    this.file = file;
    this.options = options;
    this.context = {
      env: options.env ?? process.env,
      folder: path.dirname(file),
      problem: (node, at, message) => this.problem(node, at, message),
    };
  }

  private problem(node: YamlNode | null | undefined, at: string, message: string): void {
    const offset = node?.range?.[0];
    const { line, col } = offset === undefined ? { line: 0, col: 0 } : this.lines.linePos(offset);
    this.problems.push({ file: relative(this.file), line, column: col, path: at, message });
  }

  async run(): Promise<LoadedConfig> {
    const root = this.parse();
    const values = await this.check(root);
    if (this.problems.length > 0) {
      throw new ConfigError(this.problems.toSorted((a, b) => a.line - b.line || a.column - b.column));
    }
    return new LoadedConfig(this.file, values.values, values.schemas);
  }

  private parse(): YAMLMap | undefined {
    let text: string;
    try {
      text = readFileSync(this.file, 'utf8');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason =
        code === 'ENOENT'
          ? 'there is no such file. --conf FILE names another; without it the packaged one serves localhost'
          : code === 'EISDIR'
            ? 'this is a folder, not a file'
            : code === 'EACCES'
              ? 'this user may not read it'
              : message;
      throw new ConfigError([{ file: relative(this.file), line: 0, column: 0, path: '', message: `${reason}.` }]);
    }
    const document = parseDocument(text.replace(/^\ufeff/, ''), {
      lineCounter: this.lines,
      uniqueKeys: true,
      version: '1.2',
    });
    for (const error of document.errors) {
      const [start] = error.linePos ?? [];
      this.problems.push({
        file: relative(this.file),
        line: start?.line ?? 0,
        column: start?.col ?? 0,
        path: '',
        message: error.message.split(' at line ')[0]!.split('\n')[0]!,
      });
    }
    if (this.problems.length > 0) throw new ConfigError(this.problems);
    try {
      document.toJS({ maxAliasCount: ALIASES });
    } catch (error) {
      throw new ConfigError([
        { file: relative(this.file), line: 0, column: 0, path: '', message: (error as Error).message },
      ]);
    }
    const { contents } = document;
    if (contents === null || isEmpty(contents)) return undefined;
    if (!isMap(contents)) {
      this.problem(contents as YamlNode, '', 'a configuration is a map of options.');
      throw new ConfigError(this.problems);
    }
    return contents;
  }

  private async check(root: YAMLMap | undefined) {
    const parts = new Map<string, YamlNode>();
    const rest = root?.clone() as YAMLMap | undefined;
    const own = ['hosts', 'listeners', 'modules'];
    if (root && rest) {
      rest.items = root.items.filter(pair => {
        if (!own.includes(keyOf(pair))) return true;
        if (!isEmpty(pair.value)) parts.set(keyOf(pair), pair.value as YamlNode);
        return false;
      });
      for (const pair of rest.items) {
        const name = keyOf(pair);
        if (!Object.hasOwn(core, name)) {
          this.problem(
            pair.key as YamlNode,
            name,
            `there is no option of that name.${suggestion(name, [...Object.keys(core), ...own])}`,
          );
        }
      }
      rest.items = rest.items.filter(pair => Object.hasOwn(core, keyOf(pair)));
    }
    const values = (rest ? checkObject(core, rest, '', this.context) : { ...defaultsOf(core) }) as ConfigValues['core'];
    const { modules, schemas } = await this.modules(parts.get('modules'));
    const hosts = this.hosts(parts.get('hosts'), schemas);
    const listeners = this.listeners(parts.get('listeners'));
    const folder =
      this.options.data ??
      path.resolve(path.dirname(this.file) === path.dirname(PACKAGED) ? '.' : '.', values.storage.folder);
    const result: ConfigValues = {
      core: { ...values, storage: { ...values.storage, folder: path.resolve(folder) } },
      hosts,
      listeners,
      modules,
    };
    return { values: result, schemas };
  }

  private hosts(node: YamlNode | undefined, schemas: Map<string, OptionsSchema>): Record<string, HostConfig> {
    const plain = { ...defaultsOf(hostSchema), without: [], modules: {} };
    const { domain } = this.options;
    const out: Record<string, HostConfig> = {};
    if (node && !isMap(node))
      this.problem(node, 'hosts', 'a map from each domain to its options, for example `hosts: { example.org: {} }`.');
    if (isMap(node)) {
      for (const pair of node.items) {
        const name = keyOf(pair);
        const prepared = prepareDomain(name);
        if (prepared === undefined) {
          this.problem(pair.key as YamlNode, `hosts.${name}`, `'${name}' is no domain.`);
          continue;
        }
        out[prepared] = isEmpty(pair.value) ? plain : this.host(prepared, pair.value as YamlNode, schemas);
      }
    }
    if (domain !== undefined) {
      const prepared = prepareDomain(domain);
      if (prepared === undefined)
        throw new ConfigError([
          { file: '--domain', line: 0, column: 0, path: '', message: `'${domain}' is no domain.` },
        ]);
      return { [prepared]: out[prepared] ?? plain };
    }
    if (Object.keys(out).length === 0 && this.problems.length === 0) return { localhost: plain };
    return out;
  }

  private host(name: string, node: YamlNode, schemas: Map<string, OptionsSchema>): HostConfig {
    const at = `hosts.${name}`;
    if (!isMap(node)) {
      this.problem(node, at, 'a map of options, or {}.');
      return { ...defaultsOf(hostSchema), without: [], modules: {} };
    }
    const options = node.clone() as YAMLMap;
    const modules = node.items.find(pair => keyOf(pair) === 'modules')?.value as YamlNode | undefined;
    options.items = node.items.filter(pair => keyOf(pair) !== 'modules');
    const values = checkObject(hostSchema, options, at, this.context) as OptionsOf<typeof hostSchema>;
    if ((values.certificate === '') !== (values.key === ''))
      this.problem(node, at, "'certificate' and 'key' go together.");
    const base = path.dirname(this.file);
    const resolved =
      values.certificate === ''
        ? {}
        : { certificate: path.resolve(base, values.certificate), key: path.resolve(base, values.key) };
    const without: string[] = [];
    const own: Record<string, Record<string, unknown>> = {};
    if (isMap(modules)) {
      for (const pair of modules.items) {
        const module = keyOf(pair);
        const schema = schemas.get(module);
        const here = `${at}.modules.${module}`;
        if (!schema)
          this.problem(pair.key as YamlNode, here, `this module is not on.${suggestion(module, [...schemas.keys()])}`);
        else if (isScalar(pair.value) && pair.value.value === false) without.push(module);
        else if (isMap(pair.value)) own[module] = checkObject(schema, pair.value, here, this.context);
        else if (!isEmpty(pair.value)) this.problem(pair.value as YamlNode, here, 'options of the module, or false.');
      }
    } else if (modules && !isEmpty(modules))
      this.problem(modules, `${at}.modules`, 'a map from modules to their options, or to false.');
    return { ...values, ...resolved, without, modules: own };
  }

  private listeners(node: YamlNode | undefined): Record<string, ListenerConfig> {
    const out: Record<string, ListenerConfig> = { ...DEFAULT_LISTENERS };
    if (node && !isMap(node)) this.problem(node, 'listeners', 'a map from names to listeners.');
    if (!isMap(node)) return out;
    for (const pair of node.items) {
      const name = keyOf(pair);
      const at = `listeners.${name}`;
      if (isScalar(pair.value) && pair.value.value === false) {
        delete out[name];
        continue;
      }
      if (!isMap(pair.value)) {
        this.problem(pair.value as YamlNode, at, "a map with 'type' and 'port', or false.");
        continue;
      }
      const given = checkObject(listenerSchema, pair.value, at, this.context) as ListenerConfig;
      const named = new Set(pair.value.items.map(item => keyOf(item)));
      const standard = (DEFAULT_LISTENERS as Record<string, ListenerConfig>)[name];
      if (!standard)
        for (const needed of ['type', 'port'])
          if (!named.has(needed)) this.problem(pair.key as YamlNode, at, `'${needed}' is missing.`);
      const value: ListenerConfig = standard
        ? (Object.fromEntries(
            Object.entries(given).map(([key, v]) => [key, named.has(key) ? v : standard[key as keyof ListenerConfig]]),
          ) as unknown as ListenerConfig)
        : given;
      const open = value.addresses.filter(address => !isLoopback(address));
      if (value.allowPlaintext && open.length > 0) {
        this.problem(
          pair.value,
          `${at}.allowPlaintext`,
          `logins without TLS are for loopback addresses only, and ${open.join(', ')} is none.`,
        );
      }
      if (value.type === 'http' && open.length > 0) {
        this.problem(
          pair.value,
          `${at}.addresses`,
          `HTTP without TLS is for loopback addresses only, and ${open.join(', ')} is none. Use type https, or a proxy in front.`,
        );
      }
      out[name] = value;
    }
    const ports = new Map<string, string>();
    for (const [name, { port, addresses }] of Object.entries(out)) {
      for (const address of addresses) {
        const key = `${address} ${port}`;
        const other = ports.get(key);
        if (other)
          this.problem(
            node,
            `listeners.${name}.port`,
            `port ${port} of ${address} is that of listeners.${other} already.`,
          );
        ports.set(key, name);
      }
    }
    return out;
  }

  private async modules(node: YamlNode | undefined) {
    const modules: Record<string, Record<string, unknown>> = {};
    const schemas = new Map<string, OptionsSchema>();
    const wanted = new Map<string, { key: YamlNode | undefined; value: YamlNode | undefined }>();
    for (const name of DEFAULT_MODULES) wanted.set(name, { key: undefined, value: undefined });
    if (node && !isMap(node)) this.problem(node, 'modules', 'a map from modules to their options.');
    if (isMap(node)) {
      for (const pair of node.items) {
        const name = keyOf(pair);
        if (isScalar(pair.value) && pair.value.value === false) wanted.delete(name);
        else wanted.set(name, { key: pair.key as YamlNode, value: pair.value as YamlNode });
      }
    }
    await Promise.all(
      [...wanted].map(async ([name, { key, value }]) => {
        const at = `modules.${name}`;
        let schema: OptionsSchema;
        try {
          schema = await this.options.moduleOptions(name, path.dirname(this.file));
        } catch (error) {
          this.problem(key, at, (error as Error).message);
          return;
        }
        schemas.set(name, schema);
        const on = value === undefined || isEmpty(value) || (isScalar(value) && value.value === true);
        if (on) {
          modules[name] = { ...defaultsOf(schema) };
          checkRequired(schema, new Set(), key, at, this.context);
        } else if (isMap(value)) modules[name] = checkObject(schema, value, at, this.context);
        else this.problem(value, at, 'options of the module, or true or false.');
      }),
    );
    return { modules, schemas };
  }
}

export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || address.startsWith('127.');
}

function relative(file: string): string {
  const short = path.relative('.', file);
  return short.startsWith('..') ? file : short;
}
