import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const HOUSE = new URL('../../', import.meta.url).href;
/** Folder of the modules that come with the house. */
export const OWN = new URL('../../../modules/', import.meta.url);
export const OWN_FOLDER = fileURLToPath(OWN);

/** Folders (URLs that end in '/') whose files an import with that version takes anew. */
const folders = new Map<string, readonly string[]>();
/** The version of a file that is in force. */
const inForce = new Map<string, string>();

/**
 * Prepares to read code anew from the disk: what is imported with the query `?v=VERSION` takes the files of these folders with
 * it. Everything else (the house itself, packages) is that which is there already. A package written in CommonJS is taken anew
 * by a restart only.
 */
export function freshVersion(urls: readonly string[]): string {
  // stays for good once it was needed: a module may import its own files later on
  if (folders.size === 0) registerHooks({ resolve: withVersion });
  const version = String(folders.size + 1);
  folders.set(version, urls);
  return version;
}

type ResolveHook = NonNullable<Parameters<typeof registerHooks>[0]['resolve']>;

const withVersion: ResolveHook = (specifier, context, next) => {
  const result = next(specifier, context);
  const [, version] = /\?v=(\d+)$/.exec(context.parentURL ?? '') ?? [];
  if (version === undefined || result.url.includes('?')) return result;
  const taken = folders.get(version)?.some(folder => belongs(result.url, folder));
  return taken ? { ...result, url: `${result.url}?v=${version}` } : result;
};

function belongs(url: string, folder: string): boolean {
  if (!url.startsWith(folder) || url.startsWith(HOUSE)) return false;
  // a folder of the operator's may be one that holds the house, or packages
  if (url.startsWith(OWN.href) && !folder.startsWith(OWN.href)) return false;
  return !url.slice(folder.length).includes('node_modules/');
}

/** Notes that the code of that version is the one in force: `versionOf` tells so. */
export function adopt(file: string, version: string): void {
  inForce.set(file, version);
}

/** The version in force; undefined for what was read at the start. */
export function versionOf(file: string): string | undefined {
  return inForce.get(file);
}
