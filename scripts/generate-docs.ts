/*
 * Makes docs/generated/ and docs/posthouse.doap from the code: it loads the house with all its modules and asks it. `--check` writes nothing, names what is
 * stale, and exits with 1 then.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compliancePage } from './docs/compliance.ts';
import { doapFile } from './docs/doap.ts';
import { hooksPage } from './docs/hooks.ts';
import { withHouse } from './docs/load.ts';
import { optionsPage } from './docs/options.ts';
import { xepsPage } from './docs/xeps.ts';

const FOLDER = fileURLToPath(new URL('../docs/generated/', import.meta.url));

/** The pages by the name of their file, from docs/generated/ on. */
export function generate(): Promise<Record<string, string>> {
  return withHouse(house => ({
    'compliance.md': compliancePage(house),
    '../posthouse.doap': doapFile(house),
    'hooks.md': hooksPage(house),
    'options.md': optionsPage(house),
    'xeps.md': xepsPage(house),
  }));
}

/** Names of the pages that are not in the folder as they would be made now. */
export function stale(pages: Readonly<Record<string, string>>, folder = FOLDER): string[] {
  return Object.entries(pages)
    .filter(([name, text]) => {
      const file = path.join(folder, name);
      return !existsSync(file) || readFileSync(file, 'utf8') !== text;
    })
    .map(([name]) => name);
}

async function main(args: readonly string[]): Promise<void> {
  const pages = await generate();
  const old = stale(pages);
  if (args.includes('--check')) {
    for (const name of old)
      process.stderr.write(`${path.join('docs/generated', name)} is stale: 'npm run docs' makes it anew\n`);
    process.exitCode = old.length > 0 ? 1 : 0;
    return;
  }
  mkdirSync(FOLDER, { recursive: true });
  for (const name of old) {
    writeFileSync(path.join(FOLDER, name), pages[name]!);
    process.stdout.write(`${path.join('docs/generated', name)}\n`);
  }
}

if (import.meta.main) await main(process.argv.slice(2));
