import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { pathToFileURL } from 'node:url';

const description = findPackageJSON('..', import.meta.url)!;

/** The folder (a URL) of this package: that of package.json, whether the sources run or what was built of them in dist/. */
export const packageFolder = new URL('.', pathToFileURL(description));

/** The version of this package. */
export const { version } = JSON.parse(readFileSync(description, 'utf8')) as { version: string };
