#!/usr/bin/env node
// A checkout runs its sources as they are (Node 22.18 strips the types); a package carries them as JavaScript in dist/, because
// Node strips no types below node_modules.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  withOwnBlocks();
  await run();
} else runOn(fileURLToPath(new URL('node_modules/.bin/node', root)));

async function run() {
  // Compiled code is kept beside the program, where whoever may write it may write the program too; where nobody may, Node does without.
  module.enableCompileCache?.(fileURLToPath(new URL('.cache/compiled', root)));
  const source = new URL('src/cli/main.ts', root);
  const { main } = await import(existsSync(source) ? source.href : new URL('dist/src/cli/main.js', root).href);
  process.exitCode = await main(process.argv.slice(2));
}

/**
 * Begins a server again, in the same process, with glibc told to take blocks of 32 KB and more straight from the system, and to keep
 * no stock from which they could be cut. Node gives each TLS connection a block of 64 KB for what it reads and uses the first pages of
 * it. From the system, the rest costs nothing; from the heap it is memory that others have used before, some 25 KB a connection.
 * Whoever chose an allocator or settings of their own keeps them.
 */
function withOwnBlocks() {
  const { env, execArgv, execPath, argv, platform } = process;
  const chosen = env.GLIBC_TUNABLES !== undefined || env.LD_PRELOAD !== undefined || env.MALLOC_MMAP_THRESHOLD_;
  if (argv[2] !== 'start' || platform !== 'linux' || chosen || !process.execve) return;
  const tuned = { ...env, GLIBC_TUNABLES: 'glibc.malloc.mmap_threshold=32768:glibc.malloc.top_pad=16384' };
  process.execve(execPath, [execPath, ...execArgv, ...argv.slice(1)], tuned);
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
