import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectable, startServer } from './starting.ts';
import type { Target } from './target.ts';

export const root = join(import.meta.dirname, '../..');
/** The ports of bench/conf/lean.yaml and rough.yaml. */
export const port = 25222;
export const tlsPort = 25223;

export function startArguments(folder: string, guarded = false): string[] {
  return [
    'start',
    '--conf',
    join(root, 'bench/conf', guarded ? 'rough.yaml' : 'lean.yaml'),
    '--data',
    join(folder, 'data'),
  ];
}

export const posthouse: Target = {
  name: 'posthouse',
  protocol: 'xmpp',
  version() {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return `Posthouse ${version} on Node ${process.version}`;
  },
  async start({ folder, collectable: wanted, guarded }) {
    const args = [join(root, 'bin/posthouse.js'), ...startArguments(folder, guarded)];
    const started = await startServer(
      { command: process.execPath, args, cwd: root, env: collectable(wanted) },
      folder,
      [port, tlsPort],
    );
    return {
      target: posthouse,
      pid: started.pid,
      port,
      tlsPort,
      stop: () => started.stop(),
      collect: () => started.signal('SIGUSR2'),
    };
  },
};
