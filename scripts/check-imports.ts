/*
 * Holds the house's walls (docs/architecture.md): which room may import which, which packages and globals appear in one room only.
 * Prints every import that goes the wrong way; exits with 1 then. Cycles are oxlint's (import/no-cycle).
 */
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import path from 'node:path';

const SHARED = ['util', 'xml', 'jid', 'protocol', 'bus', 'api'];

/** Rooms of src/, each with those it may import. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  util: [],
  xml: ['util'],
  jid: ['util'],
  protocol: ['util', 'xml', 'jid'],
  bus: ['util', 'xml', 'jid', 'protocol'],
  api: ['util', 'xml', 'jid', 'protocol', 'bus'],
  storage: SHARED,
  cluster: SHARED,
  session: SHARED,
  stream: [...SHARED, 'session'],
  // bytes in, bytes out: api/connection.ts is all that a transport knows of streams
  transport: SHARED,
  http: [...SHARED, 'transport'],
  node: [...SHARED, 'storage', 'cluster', 'session', 'stream', 'transport', 'http'],
  cli: [...SHARED, 'node', 'transport'],
};

/** What a module may import of src/. */
export const FOR_MODULES: readonly string[] = ['api', 'protocol', 'xml', 'jid'];

/** Packages, and the rooms, or modules (`modules/x`), that may import them; their types may be named elsewhere. */
export const OWNERS: Readonly<Record<string, string | readonly string[]>> = {
  '@xmpp/xml': 'xml',
  ltx: 'xml',
  tr46: 'jid',
  knex: 'storage',
  'better-sqlite3': 'storage',
  mysql2: 'storage',
  pg: 'storage',
  'cassandra-driver': 'storage',
  ioredis: 'cluster',
  kafkajs: 'cluster',
  'node-zookeeper-client': 'cluster',
  '@mongodb-js/saslprep': 'stream',
  net: 'transport',
  tls: ['transport', 'modules/push-gateway'],
  dgram: 'transport',
  ws: 'transport',
  http2: 'modules/push-gateway',
  // uploads speak to S3: `fetch` ends the program where a server closes a connection of which a slow reader has not read all
  http: ['http', 'modules/uploads'],
  https: ['http', 'modules/push-gateway', 'modules/uploads'],
  fastify: 'http',
  aws4fetch: 'modules/uploads',
  '@prometheus-io/client': 'node',
  pino: 'node',
  'pino-pretty': 'node',
  selfsigned: 'node',
  yaml: 'node',
  'web-push': 'modules/push-gateway',
  commander: 'cli',
  saxes: 'cli',
};

const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\brequire\(\s*['"]([^'"]+)['"]/gm;
/** process.env, or one of the ways around that name. */
const ENVIRONMENT =
  /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b|from\s+['"](?:node:)?process['"]/;

function* sources(folder: string): Generator<string> {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(file);
    else if (file.endsWith('.ts') && !file.endsWith('.d.ts')) yield file;
  }
}

const isTest = (file: string): boolean => /\.(test|contract)\.ts$|test-kit\.ts$/.test(file);

/** The package of an import: `knex` of `knex/types`, `net` of `node:net`. */
function packageOf(target: string): string {
  const parts = target.replace(/^node:/, '').split('/');
  return parts.slice(0, target.startsWith('@') ? 2 : 1).join('/');
}

/** Imports of the house at `root` that go the wrong way, each as `file:line: imports ...: why`. Tests may import what they like. */
export function faults(root: string): string[] {
  const found: string[] = [];
  for (const file of [...sources(path.join(root, 'src')), ...sources(path.join(root, 'modules'))]) {
    if (isTest(file)) continue;
    const text = readFileSync(file, 'utf8');
    const name = path.relative(root, file);
    const [top, room = ''] = name.split(path.sep);
    const line = (index: number): number => text.slice(0, index).trimEnd().split('\n').length;
    if (top === 'src' && !(room in ROOMS)) found.push(`${name}: src/${room} is no room of the house`);
    for (const match of text.matchAll(IMPORT)) {
      const target = match[2] ?? match[3] ?? match[4] ?? match[5]!;
      const why = target.startsWith('.')
        ? wrongRoom(root, file, target, top!, room)
        : wrongOwner(target, match[1] !== undefined, top!, room);
      if (why) found.push(`${name}:${line(match.index + match[0].length)}: imports ${target}: ${why}`);
    }
    const environment = ENVIRONMENT.exec(text);
    if (environment && !(top === 'src' && room === 'node')) {
      found.push(`${name}:${line(environment.index + 1)}: process.env belongs to src/node`);
    }
  }
  return found;
}

function wrongOwner(target: string, typeOnly: boolean, top: string, room: string): string | undefined {
  const name = packageOf(target);
  const owner = Object.hasOwn(OWNERS, name) ? OWNERS[name] : undefined;
  if (owner === undefined || typeOnly) return undefined;
  const owners = [owner].flat().map(each => (each.includes('/') ? each : `src/${each}`));
  return owners.includes(`${top}/${room}`) ? undefined : `${name} belongs to ${owners.join(' and ')}`;
}

function wrongRoom(root: string, file: string, target: string, top: string, room: string): string | undefined {
  const [toTop, toRoom = '', ...rest] = path.relative(root, path.resolve(path.dirname(file), target)).split(path.sep);
  if (top === 'src') {
    if (toTop !== 'src') return 'src imports nothing outside of src';
    if (toRoom === room || ROOMS[room]?.includes(toRoom)) return undefined;
    return `src/${room} does not import src/${toRoom}`;
  }
  if (toTop === 'src') {
    return FOR_MODULES.includes(toRoom) ? undefined : `modules import src/${FOR_MODULES.join(', src/')} only`;
  }
  if (toTop !== 'modules') return 'modules import src and the contracts of other modules only';
  if (toRoom === room || rest.join('/') === 'contract.ts') return undefined;
  return 'of another module, only its contract.ts may be imported';
}

if (import.meta.main) {
  const found = faults(path.resolve(import.meta.dirname, '..'));
  if (found.length > 0) {
    process.stderr.write(`${found.join('\n')}\n${found.length} imports go the wrong way (docs/architecture.md)\n`);
    process.exitCode = 1;
  }
}
