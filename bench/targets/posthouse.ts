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
  search: join(root, 'bench/conf/search.yaml'),
  uploads: join(root, 'bench/conf/uploads.yaml'),
};

interface Place {
  readonly conf?: string | undefined;
  readonly port?: number | undefined;
  readonly storage?: string | undefined;
}

/** The arguments of `posthouse`; where something is not as the files say, a changed copy of the file is made in the folder. */
export function startArguments(
  folder: string,
  kind: 'lean' | 'rough' | 'archive' | 'search' | 'uploads' = 'lean',
  place: Place = {},
): string[] {
  return ['start', '--conf', configuration(folder, place.conf ?? setup[kind], place), '--data', join(folder, 'data')];
}

function configuration(folder: string, file: string, { port = setup.port, storage }: Place): string {
  if (port === 25222 && storage === undefined) return file;
  const tlsPort = port === setup.port ? setup.tlsPort : port + 1;
  const copy = join(folder, 'posthouse.yaml');
  // at once: what stands in the place of one may look like another
  const ports: Readonly<Record<string, number>> = { 25222: port, 25223: tlsPort, 25224: port + 2 };
  const text = readFileSync(file, 'utf8').replace(/2522[234]/g, found => String(ports[found]));
  mkdirSync(folder, { recursive: true });
  writeFileSync(copy, storage === undefined ? text : `${text}\nstorage: ${storage}\n`);
  return copy;
}

export const posthouse: Target = {
  name: 'posthouse',
  protocol: 'xmpp',
  version() {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return `Posthouse ${version} on Node ${process.version}`;
  },
  async start(options) {
    const {
      folder,
      collectable: wanted,
      guarded,
      archived,
      searched,
      uploaded,
      port = setup.port,
      storage,
      conf,
    } = options;
    const tlsPort = port === setup.port ? setup.tlsPort : port + 1;
    const kind = guarded ? 'rough' : archived ? 'archive' : searched ? 'search' : uploaded ? 'uploads' : 'lean';
    const args = [join(root, 'bin/posthouse.js'), ...startArguments(folder, kind, { port, storage, conf })];
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
