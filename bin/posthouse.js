#!/usr/bin/env node
// The sources run as they are on Node 22.18 and later; a built package carries them as JavaScript in dist/.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  const own = fileURLToPath(new URL('node_modules/.bin/node', root));
  if (process.env.POSTHOUSE_NODE || !existsSync(own)) {
    process.stderr.write(`posthouse needs Node 22.18 or later (24 LTS is best); this is ${process.versions.node}.\n`);
    process.exit(1);
  }
  // `npm ci` brought a newer Node along
  const { status } = spawnSync(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, POSTHOUSE_NODE: '1' },
  });
  process.exit(status ?? 1);
}

module.enableCompileCache?.();
const built = new URL('dist/src/cli/main.js', root);
const { main } = await import(existsSync(built) ? built.href : new URL('src/cli/main.ts', root).href);
process.exitCode = await main(process.argv.slice(2));
