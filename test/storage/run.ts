/*
 * Runs tests on another database than SQLite: starts a server, and mocha with it.
 *
 *   npm run plays -- mysql [MOCHA ARGUMENTS]     default: the plays
 *
 * The plays were written beside SQLite, which answers at once. One that fails there is run once more, and named (AGAIN) when it passes
 * then: what it does not wait for is to be found.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { DatabaseServer, type Kind, KINDS, lacksDatabase } from '../kit/databases.ts';

const [kind, ...rest] = process.argv.slice(2);
if (!KINDS.includes(kind as Kind)) {
  console.error(`usage: npm run plays -- ${KINDS.join('|')} [MOCHA ARGUMENTS]`);
  process.exit(2);
}
const missing = lacksDatabase(kind as Kind);
if (missing !== undefined) {
  console.error(`${missing}: apt-get install mariadb-server postgresql`);
  process.exit(1);
}
const server = await DatabaseServer.start(kind as Kind);
const root = path.join(import.meta.dirname, '../..');
const child = spawn(
  process.execPath,
  [
    path.join(root, 'node_modules/mocha/bin/mocha.js'),
    ...(rest.length > 0
      ? ['--no-config', '--timeout', '40000', ...rest]
      : [
          ...['--no-config', '--parallel', '--jobs', '3', '--timeout', '40000'],
          ...['--retries', '1', '--reporter', path.join(root, 'test/kit/again-reporter.ts')],
          'test/plays/**/*.test.ts',
        ]),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, POSTHOUSE_TEST_STORAGE: server.url() } },
);
const stop = (signal: NodeJS.Signals) => child.kill(signal);
process.once('SIGINT', stop).once('SIGTERM', stop);
const [code] = (await once(child, 'exit')) as [number | null];
await server.stop();
process.exitCode = code ?? 1;
