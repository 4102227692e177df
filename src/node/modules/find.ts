import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModuleDefinition } from '../../api/module.ts';
import type { OptionsSchema } from '../../api/options.ts';
import { suggestion } from '../config/problems.ts';
import { adopt, freshVersion, OWN_FOLDER, versionOf } from './fresh.ts';

/** A definition, and where it came from. */
export interface Found {
  /** As the configuration calls it: a name, a path, a package. */
  readonly key: string;
  readonly definition: ModuleDefinition;
  readonly file: string;
  /** What was given as `?v=` when it was read. */
  readonly version: string | undefined;
}

/** Names of the modules that come with the house. */
export function ownModules(): string[] {
  return readdirSync(OWN_FOLDER, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && indexOf(path.join(OWN_FOLDER, entry.name)) !== undefined)
    .map(entry => entry.name)
    .sort();
}

function indexOf(folder: string): string | undefined {
  return ['index.ts', 'index.js'].map(name => path.join(folder, name)).find(file => existsSync(file));
}

/** The file that a name stands for: a module of the house, a path (from `folder` on), an npm package. */
export function locate(name: string, folder: string): string {
  if (name.startsWith('.') || path.isAbsolute(name)) {
    const file = path.resolve(folder, name);
    const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory();
    const found = isFolder ? indexOf(file) : existsSync(file) ? file : undefined;
    if (!found) throw new Error(`there is no module at ${file}`);
    return found;
  }
  const own = /^[a-z][a-z0-9-]*$/.test(name) ? indexOf(path.join(OWN_FOLDER, name)) : undefined;
  const found = own ?? packageFile(name, folder) ?? packageFile(name, process.cwd());
  if (found) return found;
  const near = suggestion(name, ownModules());
  throw new Error(
    `there is no module '${name}': neither of Posthouse's own, nor an npm package that is installed.${near}`,
  );
}

/** The file that an import of that package from that folder gives. */
function packageFile(name: string, folder: string): string | undefined {
  const base = pathToFileURL(path.join(folder, 'x.js'));
  try {
    const file = createRequire(base).resolve(name);
    // a module of Node's own is none of ours
    return path.isAbsolute(file) ? file : undefined;
  } catch {
    // not there, or for `import` alone
  }
  let description: string | undefined;
  try {
    description = findPackageJSON(name, base);
  } catch {
    return undefined;
  }
  if (description === undefined) return undefined;
  const { exports } = JSON.parse(readFileSync(description, 'utf8')) as { exports?: unknown };
  const target = importTarget(exports);
  return target === undefined ? undefined : path.resolve(path.dirname(description), target);
}

/** What `exports` of a package.json says for an import of the package itself. */
function importTarget(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports;
  if (typeof exports !== 'object' || exports === null) return undefined;
  const { '.': main, node, import: imported, default: other } = exports as Record<string, unknown>;
  for (const each of [main, node, imported, other]) {
    const target = importTarget(each);
    if (target !== undefined) return target;
  }
  return undefined;
}

/** The folder (a URL) whose files are a module's: what is taken anew with it. */
export function folderOf(file: string): string {
  return pathToFileURL(`${path.dirname(file)}/`).href;
}

/** Finds a module's definition: that in force, or one of another version (see fresh.ts). */
export async function findModule(key: string, folder: string, version?: string): Promise<Found> {
  const file = locate(key, folder);
  const wanted = version ?? versionOf(file);
  const url = pathToFileURL(file);
  if (wanted !== undefined) url.search = `v=${wanted}`;
  let loaded: { default?: unknown };
  try {
    loaded = (await import(url.href)) as { default?: unknown };
  } catch (error) {
    // Node keeps a failure too: the next attempt reads anew
    if (version === undefined) adopt(file, freshVersion([folderOf(file)]));
    throw new Error(`the module '${key}' (${file}) cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const definition = loaded.default as Partial<ModuleDefinition> | undefined;
  if (typeof definition?.name !== 'string' || typeof definition.setup !== 'function') {
    throw new Error(`${file} is no module: it has no default export made by defineModule()`);
  }
  if (!/^[a-z][a-z0-9-]{0,59}$/.test(definition.name)) {
    throw new Error(`${file} calls itself '${definition.name}': a module's name is made of a-z, 0-9 and '-'`);
  }
  return { key, definition: definition as ModuleDefinition, file, version: wanted };
}

/** The options that a module declares, for checking the configuration. */
export async function optionsOfModule(name: string, folder: string): Promise<OptionsSchema> {
  return (await findModule(name, folder)).definition.options ?? {};
}

/** The version of the package that a file belongs to; undefined where it belongs to none. */
export function packageVersion(file: string): string | undefined {
  // not findPackageJSON: where there is none above the file, it gives the file itself
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const description = path.join(folder, 'package.json');
    if (existsSync(description)) {
      const { version } = JSON.parse(readFileSync(description, 'utf8')) as { version?: string };
      return version;
    }
    if (folder === path.dirname(folder)) return undefined;
  }
}
