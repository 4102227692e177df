#!/usr/bin/env node
// A checkout runs its sources as they are (Node 22.18 strips the types); a package carries them as JavaScript in dist/, because
// Node strips no types below node_modules.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 18)) await run();
else runOn(fileURLToPath(new URL('node_modules/.bin/node', root)));

async function run() {
  // Compiled code is kept beside the program, where whoever may write it may write the program too; where nobody may, Node does without.
  module.enableCompileCache?.(fileURLToPath(new URL('.cache/compiled', root)));
  const source = new URL('src/cli/main.ts', root);
  const { main } = await import(existsSync(source) ? source.href : new URL('dist/src/cli/main.js', root).href);
  process.exitCode = await main(process.argv.slice(2));
}

/** `npm ci` brought a newer Node along. */
function runOn(node) {
  if (process.env.POSTHOUSE_NODE || !existsSync(node)) {
    process.stderr.write(`posthouse needs Node 22.18 or later (24 LTS is best); this is ${process.versions.node}.\n`);
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, POSTHOUSE_NODE: '1' },
  });
  // what is meant for the server goes to it; on a terminal, Ctrl-C reaches both anyway
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => {});
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
    for (const each of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.removeAllListeners(each);
  });
}
