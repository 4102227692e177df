/*
 * Holds the house's walls: which room may import which, and which packages appear in one room only (see docs/architecture.md).
 * Prints every import that goes the wrong way; exits with 1 then.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Rooms of src/, each with those it may import. */
const ROOMS: Record<string, readonly string[]> = {
  util: [],
  xml: ['util'],
  jid: ['util'],
  protocol: ['util', 'xml', 'jid'],
  bus: ['util', 'xml', 'jid', 'protocol'],
  api: ['util', 'xml', 'jid', 'protocol', 'bus'],
  storage: ['util', 'xml', 'jid', 'protocol', 'bus', 'api'],
  session: ['util', 'xml', 'jid', 'protocol', 'bus', 'api', 'storage'],
  stream: ['util', 'xml', 'jid', 'protocol', 'bus', 'api', 'storage', 'session'],
  transport: ['util', 'xml', 'jid', 'protocol', 'bus', 'api', 'session', 'stream'],
  http: ['util', 'xml', 'jid', 'protocol', 'bus', 'api', 'transport'],
  node: ['util', 'xml', 'jid', 'protocol', 'bus', 'api', 'storage', 'session', 'stream', 'transport', 'http'],
  cli: ['util', 'jid', 'node', 'transport'],
};
/** What a module may import of src/. */
const FOR_MODULES = ['api', 'protocol', 'xml', 'jid'];
/** Packages and the one room that may import them (their types may be named elsewhere). */
const OWNERS: Record<string, readonly string[]> = {
  knex: ['storage'],
  'better-sqlite3': ['storage'],
  ioredis: ['cluster'],
  kafkajs: ['cluster'],
  'cassandra-driver': ['storage'],
  'node:net': ['transport'],
  'node:tls': ['transport'],
  ws: ['transport'],
  fastify: ['http'],
  yaml: ['node'],
  commander: ['cli'],
};

const IMPORT = /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)|^import\s+'([^']+)'/gm;

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(file);
    else if (file.endsWith('.ts') && !file.endsWith('.d.ts')) yield file;
  }
}

const faults: string[] = [];
const isTest = (file: string): boolean => /\.(test|contract)\.ts$|test-kit\.ts$/.test(file);

for (const file of [...sources('src'), ...sources('modules')]) {
  if (isTest(file)) continue;
  const text = readFileSync(file, 'utf8');
  const [top, room = ''] = file.split(path.sep);
  for (const match of text.matchAll(IMPORT)) {
    const target = match[2] ?? match[3] ?? match[4]!;
    const typeOnly = match[1] !== undefined;
    const line = text.slice(0, match.index).split('\n').length;
    const fault = (why: string): void => void faults.push(`${file}:${line}: imports ${target}: ${why}`);
    if (!target.startsWith('.')) {
      const owners = OWNERS[target];
      if (owners && !typeOnly && !(top === 'src' && owners.includes(room)))
        fault(`${target} belongs to src/${owners.join(', src/')}`);
      continue;
    }
    const [toTop, toRoom = '', ...rest] = path.relative('.', path.resolve(path.dirname(file), target)).split(path.sep);
    if (top === 'src') {
      if (toTop !== 'src') fault('src imports nothing outside of src');
      else if (toRoom !== room && !(ROOMS[room] ?? []).includes(toRoom) && toRoom !== 'main.ts')
        fault(`src/${room} does not import src/${toRoom}`);
    } else if (toTop === 'src') {
      if (!FOR_MODULES.includes(toRoom)) fault(`modules import src/${FOR_MODULES.join(', src/')} only`);
    } else if (toRoom !== room && rest.join('/') !== 'contract.ts')
      fault('of another module, only its contract.ts may be imported');
  }
  if (/process\.env/.test(text) && room !== 'node' && top === 'src')
    faults.push(`${file}: process.env belongs to src/node`);
}

if (faults.length > 0) {
  process.stderr.write(`${faults.join('\n')}\n${faults.length} imports go the wrong way (docs/architecture.md)\n`);
  process.exitCode = 1;
}
