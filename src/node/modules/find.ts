import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ModuleDefinition } from '../../api/module.ts';
import type { OptionsSchema } from '../../api/options.ts';
import { suggestion } from '../config/problems.ts';

const OWN = fileURLToPath(new URL('../../../modules/', import.meta.url));

/** A definition and where it came from. */
export interface Found {
  readonly definition: ModuleDefinition;
  readonly file: string;
}

/** Names of the modules that come with the house. */
export function ownModules(): string[] {
  return readdirSync(OWN, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && indexOf(path.join(OWN, entry.name)) !== undefined)
    .map(entry => entry.name)
    .sort();
}

function indexOf(folder: string): string | undefined {
  return ['index.ts', 'index.js'].map(name => path.join(folder, name)).find(file => existsSync(file));
}

/** The file that a name stands for: a module of the house, a path (from `folder` on), an npm package. */
function locate(name: string, folder: string): string {
  if (name.startsWith('.') || path.isAbsolute(name)) {
    const file = path.resolve(folder, name);
    const found = statSync(file, { throwIfNoEntry: false })?.isDirectory()
      ? indexOf(file)
      : existsSync(file)
        ? file
        : undefined;
    if (!found) throw new Error(`there is no module at ${file}`);
    return found;
  }
  const own = /^[a-z][a-z0-9-]*$/.test(name) ? indexOf(path.join(OWN, name)) : undefined;
  if (own) return own;
  for (const base of [path.join(folder, 'x.js'), path.resolve('x.js')]) {
    try {
      return createRequire(base).resolve(name);
    } catch {
      // perhaps from the other folder
    }
  }
  throw new Error(
    `there is no module '${name}': neither of Posthouse's own, nor an npm package that is installed.${suggestion(name, ownModules())}`,
  );
}

let versions = 0;

/**
 * Finds a module's definition. `fresh` reads its code anew from the disk (its index file and what that imports from the same folder
 * by way of it; other files of a module are taken anew by a restart).
 */
export async function findModule(name: string, folder: string, fresh = false): Promise<Found> {
  const file = locate(name, folder);
  const url = pathToFileURL(file);
  if (fresh) url.search = `v=${++versions}`;
  let loaded: { default?: unknown };
  try {
    loaded = (await import(url.href)) as { default?: unknown };
  } catch (error) {
    throw new Error(`the module '${name}' (${file}) cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const definition = loaded.default as ModuleDefinition | undefined;
  if (
    typeof definition !== 'object' ||
    typeof definition?.name !== 'string' ||
    typeof definition.setup !== 'function'
  ) {
    throw new Error(`${file} is no module: it has no default export made by defineModule()`);
  }
  return { definition, file };
}

/** The options that a module declares, for checking the configuration. */
export async function optionsOfModule(name: string, folder: string): Promise<OptionsSchema> {
  return (await findModule(name, folder)).definition.options ?? {};
}
