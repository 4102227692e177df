import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectable, startServer } from './starting.ts';
import type { Target } from './target.ts';

export const root = join(import.meta.dirname, '../..');

/** Where and with which configuration our server runs; `run.ts` changes it by its options before the first start. */
export const setup = {
  port: 25222,
  tlsPort: 25223,
  lean: join(root, 'bench/conf/lean.yaml'),
  rough: join(root, 'bench/conf/rough.yaml'),
  archive: join(root, 'bench/conf/archive.yaml'),
};

/** The arguments of `posthouse`; with other ports than the files say, a changed copy of the file is made in the folder. */
export function startArguments(folder: string, kind: 'lean' | 'rough' | 'archive' = 'lean'): string[] {
  return ['start', '--conf', configuration(folder, setup[kind]), '--data', join(folder, 'data')];
}

function configuration(folder: string, file: string): string {
  if (setup.port === 25222) return file;
  const copy = join(folder, 'posthouse.yaml');
  const text = readFileSync(file, 'utf8');
  mkdirSync(folder, { recursive: true });
  writeFileSync(copy, text.replaceAll('25222', String(setup.port)).replaceAll('25223', String(setup.tlsPort)));
  return copy;
}

export const posthouse: Target = {
  name: 'posthouse',
  protocol: 'xmpp',
  version() {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return `Posthouse ${version} on Node ${process.version}`;
  },
  async start({ folder, collectable: wanted, guarded, archived }) {
    const { port, tlsPort } = setup;
    const args = [
      join(root, 'bin/posthouse.js'),
      ...startArguments(folder, guarded ? 'rough' : archived ? 'archive' : 'lean'),
    ];
    const program = { command: process.execPath, args, cwd: root, env: collectable(wanted) };
    const started = await startServer(program, folder, [port, tlsPort]);
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
