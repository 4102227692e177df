import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { faults, OWNERS, ROOMS } from '../../scripts/check-imports.ts';
import { tempFolder } from '../kit/temp.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A small house of the given files, and what is wrong with it. */
function wrong(files: Readonly<Record<string, string>>): string[] {
  const root = tempFolder();
  write(root, files);
  return faults(root);
}

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
}

describe('the walls of the house', () => {
  it('stand: no import goes the wrong way', () => {
    assert.deepEqual(faults(ROOT), []);
  });

  it('each room may import what is below it, and nothing above', () => {
    const order = [
      ['util', 'xml', 'jid', 'protocol', 'bus', 'api', 'storage', 'node', 'cli'],
      ['util', 'xml', 'jid', 'protocol', 'bus', 'api', 'cluster', 'node', 'cli'],
      ['util', 'xml', 'jid', 'protocol', 'bus', 'api', 'session', 'stream', 'node', 'cli'],
      ['util', 'xml', 'jid', 'protocol', 'bus', 'api', 'transport', 'http', 'node', 'cli'],
    ];
    for (const rooms of order) {
      for (const [index, lower] of rooms.entries()) {
        for (const upper of rooms.slice(index + 1)) {
          assert.deepEqual(wrong({ [`src/${lower}/x.ts`]: `import type { y } from '../${upper}/y.ts';\n` }), [
            `src/${lower}/x.ts:1: imports ../${upper}/y.ts: src/${lower} does not import src/${upper}`,
          ]);
        }
      }
    }
    assert.deepEqual(
      wrong({ 'src/node/x.ts': "import { a } from '../storage/a.ts';\nimport { b } from './b.ts';\n" }),
      [],
    );
  });

  for (const [what, file, text] of [
    ['a stream that opens a database', 'src/stream/x.ts', "import { a } from '../storage/index.ts';\n"],
    ['a transport that knows sessions', 'src/transport/x.ts', "export { a } from '../session/a.ts';\n"],
    ['a dynamic import', 'src/bus/x.ts', "const a = await import('../node/a.ts');\n"],
    ['an import for its effect', 'src/bus/x.ts', "import '../node/a.ts';\n"],
    ['an import over several lines', 'src/bus/x.ts', "import {\n  a,\n  b,\n} from '../node/a.ts';\n"],
    ['src that imports a module', 'src/node/x.ts', "import roster from '../../modules/roster/index.ts';\n"],
    ['a room that nobody planned', 'src/cellar/x.ts', 'export {};\n'],
    [
      'a module that imports a session',
      'modules/a/index.ts',
      "import { Session } from '../../src/session/session.ts';\n",
    ],
    ['a module that imports the inside of another', 'modules/a/index.ts', "import { b } from '../b/store.ts';\n"],
    ['a module that imports a script', 'modules/a/index.ts', "import { b } from '../../scripts/b.ts';\n"],
    ['knex outside of storage', 'src/node/x.ts', "import knex from 'knex';\n"],
    ['knex in a module', 'modules/a/index.ts', "import knex from 'knex';\n"],
    ['a part of knex', 'src/node/x.ts', "import { a } from 'knex/lib/a.js';\n"],
    ['ioredis outside of cluster', 'src/storage/x.ts', "import { Redis } from 'ioredis';\n"],
    ['kafkajs outside of cluster', 'src/node/x.ts', "import { Kafka } from 'kafkajs';\n"],
    ['cassandra-driver outside of storage', 'src/cluster/x.ts', "import { Client } from 'cassandra-driver';\n"],
    ['node:net outside of transport', 'src/node/x.ts', "import net from 'node:net';\n"],
    ['net without its prefix', 'src/node/x.ts', "import net from 'net';\n"],
    ['node:net in a module', 'modules/a/index.ts', "const { connect } = await import('node:net');\n"],
    ['process.env outside of node', 'src/cli/x.ts', 'export const a = process.env.A;\n'],
    ['process.env in a module', 'modules/a/index.ts', 'export const a = process.env.A;\n'],
    ['the environment by another name', 'src/cli/x.ts', 'const { argv, env } = process;\n'],
    ['the environment by import', 'src/cli/x.ts', "import { env } from 'node:process';\n"],
  ] as const) {
    it(`refuse ${what}`, () => {
      assert.equal(wrong({ [file]: text }).length, 1);
    });
  }

  it('let pass what is allowed: types of packages, contracts of modules, tests', () => {
    assert.deepEqual(
      wrong({
        'src/api/storage.ts': "import type { Knex } from 'knex';\n",
        'src/storage/open.ts': "import knex from 'knex';\nimport { a } from '../api/a.ts';\n",
        'src/transport/tcp.ts': "import net from 'node:net';\n",
        'src/node/config.ts': 'export const home = process.env.HOME;\n',
        'src/cli/ask.ts': 'const { stdin, stderr } = process;\n',
        'modules/a/index.ts':
          "import { Roster } from '../roster/contract.ts';\nimport { xml } from '../../src/xml/index.ts';\n",
        'modules/a/index.test.ts':
          "import { b } from '../b/store.ts';\nimport { node } from '../../src/node/node.ts';\n",
      }),
      [],
    );
  });

  it('refuse a circle of files', () => {
    const root = tempFolder();
    write(root, {
      '.oxlintrc.json': readFileSync(path.join(ROOT, '.oxlintrc.json'), 'utf8'),
      'src/a.ts': "import { b } from './b.ts';\nexport const a = (): unknown => b;\n",
      'src/b.ts': "import { a } from './a.ts';\nexport const b = (): unknown => a;\n",
    });
    const oxlint = path.join(ROOT, 'node_modules/.bin/oxlint');
    const lint = spawnSync(oxlint, ['.'], { cwd: root, encoding: 'utf8' });
    assert.match(lint.stdout, /no-cycle/);
    assert.equal(lint.status, 1);
    write(root, {
      'src/b.ts': "import type { a } from './a.ts';\nexport const b = (): typeof a | undefined => undefined;\n",
    });
    assert.equal(spawnSync(oxlint, ['.'], { cwd: root }).status, 0);
  });

  it('are known for every room and every package', () => {
    const rooms = readdirSync(path.join(ROOT, 'src'));
    assert.deepEqual(
      rooms.filter(room => !(room in ROOMS)),
      [],
    );
    const { dependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    assert.deepEqual(
      Object.keys(dependencies).filter(name => !(name in OWNERS)),
      [],
    );
  });
});
